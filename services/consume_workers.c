/* The threads that run a consumer's listener. Any thread submits; workers take tasks in order. At
 * most one worker at a time is "coming" (woken or being started, but without a task yet); a worker
 * that takes a task and sees more calls the next. Idle workers are a stack: the one that worked
 * last is called first, so that those that are not needed really are idle, and end. */
#include "services/consume_workers.h"

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "services/service.h"

enum {
    IDLE_MS = 60000,
    GROW_AGAIN_MS = 1000, /* after the system refused a thread, while others work */
};

enum worker_state {
    WORKER_FREE,     /* no thread, or one that has ended and is joined when the place is reused */
    WORKER_STARTING, /* somebody is in service_start: only that thread may touch the service */
    WORKER_RUNNING,
};

struct worker {
    struct consume_workers *workers;
    struct service service;
    struct condition wake;
    struct link idle; /* in consume_workers.idle while waiting for a call */
    enum worker_state state;
    bool ended;  /* before its starter was done with it */
    bool called; /* taken off the idle stack to take a task */
};

struct consume_workers {
    struct lock lock;      /* guards everything below and in the workers, except the services */
    struct condition rest; /* for stop: a thread has ended or is not being started any more */
    struct link tasks;
    struct link idle; /* the one that became idle last is the first */
    bool started;
    bool stopping;
    bool coming;
    int threads;  /* running or starting */
    int starting; /* in state WORKER_STARTING */
    int running;  /* tasks */
    int64_t idle_ms;
    int64_t grow_again_ms;
    int minimum; /* stay when idle */
    int maximum;
    struct worker slots[];
};

static void run_worker(void *arg);
static void run_next_task(struct consume_workers *workers) REQUIRES(workers->lock);
static bool wait_for_call(struct consume_workers *workers, struct worker *worker)
    REQUIRES(workers->lock);
static void end_worker(struct consume_workers *workers, struct worker *worker)
    REQUIRES(workers->lock);
static struct worker *call_worker(struct consume_workers *workers) REQUIRES(workers->lock);
static struct worker *reserve_slot(struct consume_workers *workers) REQUIRES(workers->lock);
static mqc_status start_worker(struct consume_workers *workers, struct worker *worker,
                               mqc_error *error);
static void discard_all(struct link *tasks);

mqc_status consume_workers_new(int maximum, struct consume_workers **out, mqc_error *error)
{
    if (maximum < 1)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "at most %d consume threads: there must be at least one", maximum);
    struct consume_workers *workers =
        memory_allocate_zero(1, sizeof *workers + (size_t)maximum * sizeof workers->slots[0]);
    if (!workers) return error_no_memory(error);
    lock_init(&workers->lock, LOCK_RANK_WORKERS);
    condition_init(&workers->rest);
    list_init(&workers->tasks);
    list_init(&workers->idle);
    workers->idle_ms = IDLE_MS;
    workers->maximum = maximum;
    for (int i = 0; i < maximum; i++) {
        struct worker *worker = &workers->slots[i];
        worker->workers = workers;
        service_init(&worker->service, "mqc-consume", run_worker, NULL, worker);
        condition_init(&worker->wake);
        list_init(&worker->idle);
    }
    *out = workers;
    return MQC_OK;
}

mqc_status consume_workers_start(struct consume_workers *workers, mqc_error *error)
{
    lock_take(&workers->lock);
    workers->started = true;
    struct worker *worker = workers->minimum > 0 ? reserve_slot(workers) : call_worker(workers);
    lock_release(&workers->lock);
    mqc_status status = start_worker(workers, worker, error);
    return workers->minimum > 0 ? status : MQC_OK;
}

void consume_workers_submit(struct consume_workers *workers, struct consume_task *task)
{
    struct link tasks;
    list_init(&tasks);
    list_append(&tasks, &task->link);
    consume_workers_submit_all(workers, &tasks);
}

void consume_workers_submit_all(struct consume_workers *workers, struct link *tasks)
{
    struct worker *worker = NULL;
    lock_take(&workers->lock);
    if (!workers->stopping) {
        list_move_all(&workers->tasks, tasks);
        worker = call_worker(workers);
    }
    lock_release(&workers->lock);
    start_worker(workers, worker, NULL);
    discard_all(tasks);
}

int consume_workers_stop(struct consume_workers *workers, int64_t deadline_ms)
{
    bool own = consume_workers_is_current(workers);
    struct link refused;
    list_init(&refused);
    lock_take(&workers->lock);
    workers->stopping = true;
    list_move_all(&refused, &workers->tasks);
    LIST_EACH(&workers->idle, link)
    {
        condition_wake_one(&CONTAINER_OF(link, struct worker, idle)->wake);
    }
    lock_release(&workers->lock);
    discard_all(&refused);

    lock_take(&workers->lock);
    while (!own && workers->running > 0 &&
           condition_wait_until(&workers->rest, &workers->lock, deadline_ms)) {
    }
    int running = workers->running;
    /* Workers without a task end at once: no need for a deadline. */
    while (running == 0 && (workers->threads > 0 || workers->starting > 0))
        condition_wait_until(&workers->rest, &workers->lock, CLOCK_NEVER);
    lock_release(&workers->lock);
    for (int i = 0; running == 0 && i < workers->maximum; i++)
        service_join(&workers->slots[i].service);
    return running;
}

void consume_workers_free(struct consume_workers *workers)
{
    if (!workers) return;
    BUG_IF(consume_workers_is_current(workers), "a worker frees its own pool");
    consume_workers_stop(workers, CLOCK_NEVER);
    for (int i = 0; i < workers->maximum; i++) {
        condition_done(&workers->slots[i].wake);
        service_done(&workers->slots[i].service);
    }
    condition_done(&workers->rest);
    lock_done(&workers->lock);
    memory_free(workers);
}

int consume_workers_count(struct consume_workers *workers)
{
    lock_take(&workers->lock);
    int threads = workers->threads;
    lock_release(&workers->lock);
    return threads;
}

int consume_workers_busy(struct consume_workers *workers)
{
    lock_take(&workers->lock);
    int running = workers->running;
    lock_release(&workers->lock);
    return running;
}

bool consume_workers_is_current(struct consume_workers *workers)
{
    for (int i = 0; i < workers->maximum; i++)
        if (service_is_current(&workers->slots[i].service)) return true;
    return false;
}

void consume_workers_set_idle_ms(struct consume_workers *workers, int64_t idle_ms)
{
    workers->idle_ms = idle_ms;
}

void consume_workers_set_minimum(struct consume_workers *workers, int minimum)
{
    workers->minimum = minimum;
}

static void run_worker(void *arg)
{
    struct worker *worker = arg;
    struct consume_workers *workers = worker->workers;
    lock_take(&workers->lock);
    workers->coming = false;
    do {
        while (!list_empty(&workers->tasks)) run_next_task(workers);
    } while (!workers->stopping && wait_for_call(workers, worker));
    end_worker(workers, worker);
    lock_release(&workers->lock);
}

/* Called and left with the lock, runs the task without it. */
static void run_next_task(struct consume_workers *workers)
{
    struct link *link = list_take_first(&workers->tasks);
    struct consume_task *task = CONTAINER_OF(link, struct consume_task, link);
    workers->running++;
    struct worker *helper = call_worker(workers);
    lock_release(&workers->lock);

    start_worker(workers, helper, NULL);
    task->run(task);

    lock_take(&workers->lock);
    workers->running--; /* stop hears of it when this thread ends, which is next */
}

/* False when the worker should end: it has been idle for long, or all should stop. */
static bool wait_for_call(struct consume_workers *workers, struct worker *worker)
{
    int64_t deadline_ms = clock_deadline_ms(workers->idle_ms);
    bool in_time = true;
    list_insert_before(workers->idle.next, &worker->idle);
    while (!worker->called && !workers->stopping && in_time) {
        in_time = condition_wait_until(&worker->wake, &workers->lock, deadline_ms);
        if (in_time || workers->threads > workers->minimum) continue;
        deadline_ms = CLOCK_NEVER; /* one of those that stay */
        in_time = true;
    }
    list_remove(&worker->idle);
    if (!worker->called) return false;
    worker->called = workers->coming = false;
    return true;
}

static void end_worker(struct consume_workers *workers, struct worker *worker)
{
    if (worker->state == WORKER_STARTING)
        worker->ended = true;
    else
        worker->state = WORKER_FREE;
    workers->threads--;
    if (workers->stopping) condition_wake_all(&workers->rest);
}

/* When a task waits and nobody is coming: wakes an idle worker, or returns a place for a new one
 * that the caller must give to start_worker after releasing the lock. */
static struct worker *call_worker(struct consume_workers *workers)
{
    if (!workers->started || workers->coming || list_empty(&workers->tasks)) return NULL;
    struct link *idle = list_take_first(&workers->idle);
    if (!idle) return reserve_slot(workers);
    struct worker *worker = CONTAINER_OF(idle, struct worker, idle);
    worker->called = workers->coming = true;
    condition_wake_one(&worker->wake);
    return NULL;
}

static struct worker *reserve_slot(struct consume_workers *workers)
{
    if (workers->threads == workers->maximum) return NULL;
    if (workers->threads > 0 && clock_now_ms() < workers->grow_again_ms) return NULL;
    struct worker *worker = workers->slots;
    struct worker *end = worker + workers->maximum;
    while (worker < end && worker->state != WORKER_FREE) worker++;
    if (worker == end) return NULL; /* start_worker, which keeps the last one, will look again */
    worker->state = WORKER_STARTING;
    workers->threads++;
    workers->starting++;
    workers->coming = true;
    return worker;
}

/* Without the lock: starts the reserved worker; NULL is fine. */
static mqc_status start_worker(struct consume_workers *workers, struct worker *worker,
                               mqc_error *error)
{
    mqc_status status = MQC_OK;
    while (worker) {
        mqc_error failure = {0};
        service_join(&worker->service); /* a thread that ended here before, if any */
        status = service_start(&worker->service, &failure);
        bool failed = status != MQC_OK;

        lock_take(&workers->lock);
        worker->state = failed || worker->ended ? WORKER_FREE : WORKER_RUNNING;
        worker->ended = false;
        workers->starting--;
        if (failed) {
            workers->threads--;
            workers->coming = false;
            workers->grow_again_ms = clock_deadline_ms(GROW_AGAIN_MS);
        }
        int threads = workers->threads;
        if (workers->stopping) condition_wake_all(&workers->rest);
        /* After a failure only somebody idle is called (for a task that came meanwhile); those who
         * are busy see to the rest, or else the next submission. */
        worker = failed && list_empty(&workers->idle) ? NULL : call_worker(workers);
        lock_release(&workers->lock);
        if (failed)
            log_warn(LOG_CONSUMER, "no new consume thread, going on with threads=%d: %s", threads,
                     failure.text);
        if (failed && error) *error = failure;
    }
    return status;
}

static void discard_all(struct link *tasks)
{
    for (struct link *link; (link = list_take_first(tasks));) {
        struct consume_task *task = CONTAINER_OF(link, struct consume_task, link);
        task->discard(task);
    }
}
