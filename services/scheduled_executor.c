/* The thread that runs periodic and delayed work: a binary heap of tasks by due time. Any thread
 * adds, cancels and hastens tasks; the executor's thread takes the first one out of the heap, runs
 * it without the lock and puts it back. A task belongs to whoever added it until cancelled. */
#include "services/scheduled_executor.h"

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "services/service.h"

enum { SLOW_MS = 1000 };
#define OUT_OF_HEAP SIZE_MAX

struct scheduled_task {
    struct scheduled_executor *executor;
    const char *name;
    void (*run)(void *arg);
    void *arg;
    int64_t period_ms;
    int64_t due_ms;
    uint64_t sequence; /* orders tasks that are due at the same time */
    size_t position;   /* in the heap, or OUT_OF_HEAP */
    bool again;        /* run_now during the present run */
    bool cancelled;    /* during the present run: never back into the heap */
};

struct scheduled_executor {
    struct service service;
    struct lock lock;           /* guards everything below and the tasks */
    struct condition changed;   /* the first task is another, or stopping: for the thread */
    struct condition run_ended; /* for those who cancel a running task */
    struct scheduled_task **heap;
    size_t capacity; /* always enough for all tasks: putting one back cannot fail */
    size_t count;    /* in the heap */
    size_t tasks;    /* not cancelled yet */
    uint64_t next_sequence;
    struct scheduled_task *running;
    bool free_running; /* cancelled from within its run */
    bool waiting;      /* the thread */
    bool stopping;
};

static void run_service(void *arg);
static void interrupt(void *arg);
static void run_one(struct scheduled_executor *executor, struct scheduled_task *task)
    REQUIRES(executor->lock);
static void finish_run(struct scheduled_executor *executor, struct scheduled_task *task)
    REQUIRES(executor->lock);
static void enqueue(struct scheduled_executor *executor, struct scheduled_task *task,
                    int64_t due_ms) REQUIRES(executor->lock);
static void dequeue(struct scheduled_executor *executor, struct scheduled_task *task)
    REQUIRES(executor->lock);
static void sift_up(struct scheduled_executor *executor, size_t position) REQUIRES(executor->lock);
static void sift_down(struct scheduled_executor *executor, size_t position)
    REQUIRES(executor->lock);

mqc_status scheduled_executor_new(struct scheduled_executor **out, mqc_error *error)
{
    struct scheduled_executor *executor = memory_allocate_zero(1, sizeof *executor);
    if (!executor) return error_no_memory(error);
    service_init(&executor->service, "mqc-scheduler", run_service, interrupt, executor);
    lock_init(&executor->lock, LOCK_RANK_SCHEDULER);
    condition_init(&executor->changed);
    condition_init(&executor->run_ended);
    *out = executor;
    return MQC_OK;
}

mqc_status scheduled_executor_start(struct scheduled_executor *executor, mqc_error *error)
{
    return service_start(&executor->service, error);
}

void scheduled_executor_stop(struct scheduled_executor *executor)
{
    service_stop(&executor->service);
    service_join(&executor->service);
}

void scheduled_executor_free(struct scheduled_executor *executor)
{
    if (!executor) return;
    scheduled_executor_stop(executor);
    BUG_IF(executor->tasks > 0, "%zu scheduled tasks outlive their executor", executor->tasks);
    condition_done(&executor->run_ended);
    condition_done(&executor->changed);
    lock_done(&executor->lock);
    service_done(&executor->service);
    memory_free(executor->heap);
    memory_free(executor);
}

mqc_status scheduled_executor_add(struct scheduled_executor *executor, const char *name,
                                  int64_t delay_ms, int64_t period_ms, void (*run)(void *arg),
                                  void *arg, struct scheduled_task **out, mqc_error *error)
{
    BUG_IF(delay_ms < 0 || period_ms < 0, "task %s has a negative delay or period", name);
    struct scheduled_task *task = memory_allocate(sizeof *task);
    if (!task) return error_no_memory(error);
    *task = (struct scheduled_task){
        .executor = executor,
        .name = name,
        .run = run,
        .arg = arg,
        .period_ms = period_ms,
        .position = OUT_OF_HEAP,
    };
    lock_take(&executor->lock);
    bool room = memory_reserve(&executor->heap, &executor->capacity, executor->tasks + 1,
                               sizeof executor->heap[0]);
    if (room) {
        executor->tasks++;
        *out = task;
        enqueue(executor, task, clock_deadline_ms(delay_ms));
    }
    lock_release(&executor->lock);
    if (room) return MQC_OK;
    memory_free(task);
    return error_no_memory(error);
}

void scheduled_task_run_now(struct scheduled_task *task)
{
    struct scheduled_executor *executor = task->executor;
    int64_t now_ms = clock_now_ms();
    lock_take(&executor->lock);
    if (executor->running == task) {
        task->again = true;
    } else if (task->position == OUT_OF_HEAP) {
        enqueue(executor, task, now_ms);
    } else if (task->due_ms > now_ms) {
        dequeue(executor, task);
        enqueue(executor, task, now_ms);
    }
    lock_release(&executor->lock);
}

void scheduled_task_cancel(struct scheduled_task *task)
{
    if (!task) return;
    struct scheduled_executor *executor = task->executor;
    bool from_within = false;
    lock_take(&executor->lock);
    if (task->position != OUT_OF_HEAP) dequeue(executor, task);
    task->cancelled = true;
    executor->tasks--;
    if (executor->running == task && service_is_current(&executor->service))
        from_within = executor->free_running = true;
    else
        while (executor->running == task)
            condition_wait_until(&executor->run_ended, &executor->lock, CLOCK_NEVER);
    lock_release(&executor->lock);
    if (!from_within) memory_free(task);
}

static void run_service(void *arg)
{
    struct scheduled_executor *executor = arg;
    lock_take(&executor->lock);
    while (!executor->stopping) {
        int64_t due_ms = executor->count > 0 ? executor->heap[0]->due_ms : CLOCK_NEVER;
        if (due_ms <= clock_now_ms()) {
            run_one(executor, executor->heap[0]);
            continue;
        }
        executor->waiting = true;
        condition_wait_until(&executor->changed, &executor->lock, due_ms);
        executor->waiting = false;
    }
    lock_release(&executor->lock);
}

static void interrupt(void *arg)
{
    struct scheduled_executor *executor = arg;
    lock_take(&executor->lock);
    executor->stopping = true;
    condition_wake_one(&executor->changed);
    lock_release(&executor->lock);
}

/* Called and left with the lock, runs the task without it. */
static void run_one(struct scheduled_executor *executor, struct scheduled_task *task)
{
    dequeue(executor, task);
    executor->running = task;
    const char *name = task->name;
    lock_release(&executor->lock);

    int64_t begin_ms = clock_now_ms();
    task->run(task->arg);
    int64_t took_ms = clock_now_ms() - begin_ms;
    if (took_ms >= SLOW_MS)
        log_info(LOG_LIFECYCLE, "a scheduled task held up all others: name=%s took_ms=%lld", name,
                 (long long)took_ms);

    lock_take(&executor->lock);
    finish_run(executor, task);
}

static void finish_run(struct scheduled_executor *executor, struct scheduled_task *task)
{
    executor->running = NULL;
    if (executor->free_running) {
        executor->free_running = false;
        memory_free(task);
    } else if (task->cancelled) {
        condition_wake_all(&executor->run_ended);
    } else if (task->again) {
        task->again = false;
        enqueue(executor, task, clock_now_ms());
    } else if (task->period_ms > 0) {
        enqueue(executor, task, clock_deadline_ms(task->period_ms));
    }
}

static bool earlier(const struct scheduled_task *a, const struct scheduled_task *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void place(struct scheduled_executor *executor, struct scheduled_task *task, size_t position)
{
    executor->heap[position] = task;
    task->position = position;
}

/* Wakes the thread when it waits for a later task. */
static void enqueue(struct scheduled_executor *executor, struct scheduled_task *task,
                    int64_t due_ms)
{
    task->due_ms = due_ms;
    task->sequence = executor->next_sequence++;
    place(executor, task, executor->count++);
    sift_up(executor, task->position);
    if (task->position == 0 && executor->waiting) condition_wake_one(&executor->changed);
}

static void dequeue(struct scheduled_executor *executor, struct scheduled_task *task)
{
    size_t position = task->position;
    struct scheduled_task *last = executor->heap[--executor->count];
    task->position = OUT_OF_HEAP;
    if (last == task) return;
    place(executor, last, position);
    sift_up(executor, position);
    sift_down(executor, last->position);
}

static void sift_up(struct scheduled_executor *executor, size_t position)
{
    struct scheduled_task *task = executor->heap[position];
    while (position > 0) {
        struct scheduled_task *parent = executor->heap[(position - 1) / 2];
        if (!earlier(task, parent)) break;
        place(executor, parent, position);
        position = (position - 1) / 2;
    }
    place(executor, task, position);
}

static void sift_down(struct scheduled_executor *executor, size_t position)
{
    struct scheduled_task *task = executor->heap[position];
    for (size_t child; (child = 2 * position + 1) < executor->count; position = child) {
        if (child + 1 < executor->count &&
            earlier(executor->heap[child + 1], executor->heap[child]))
            child++;
        if (!earlier(executor->heap[child], task)) break;
        place(executor, executor->heap[child], position);
    }
    place(executor, task, position);
}
