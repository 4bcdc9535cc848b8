/* The pool behind the application's callbacks: n services take tasks from one list. Any thread
 * submits, the owner starts and stops. The closed list decides who runs a task: what got in before
 * is handed out to the threads, what comes after runs on its submitter, so nothing is lost.
 *
 * At most one thread at a time is "coming" (called, but without a task yet); who takes a task and
 * sees more calls the next. A burst of small tasks is so run by the threads that are awake. */
#include "services/callback_executor.h"

#include <stdatomic.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/lock.h"
#include "lib/base/memory.h"
#include "services/service.h"

struct callback_executor {
    struct lock lock; /* guards everything below but the services and the atomic */
    struct condition called;
    struct link tasks;
    int idle;
    bool coming;
    bool closed;
    atomic_bool uncalled; /* tasks were added for which nobody was called */
    int threads;
    struct service services[];
};

static bool add(struct callback_executor *executor, struct callback_task *task);
static bool call_thread(struct callback_executor *executor) REQUIRES(executor->lock);
static void run_tasks(void *arg);
static struct callback_task *take_task(struct callback_executor *executor) REQUIRES(executor->lock);
static void close_list(void *arg);

mqc_status callback_executor_new(int threads, struct callback_executor **out, mqc_error *error)
{
    if (threads < 1)
        return error_set(error, MQC_BAD_ARGUMENT, "%d callback threads: there must be at least one",
                         threads);
    struct callback_executor *executor =
        memory_allocate_zero(1, sizeof *executor + (size_t)threads * sizeof executor->services[0]);
    if (!executor) return error_no_memory(error);
    lock_init(&executor->lock, LOCK_RANK_QUEUE);
    condition_init(&executor->called);
    list_init(&executor->tasks);
    atomic_init(&executor->uncalled, false);
    executor->threads = threads;
    for (int i = 0; i < threads; i++)
        service_init(&executor->services[i], "mqc-callback", run_tasks, close_list, executor);
    *out = executor;
    return MQC_OK;
}

mqc_status callback_executor_start(struct callback_executor *executor, mqc_error *error)
{
    for (int i = 0; i < executor->threads; i++) {
        mqc_status status = service_start(&executor->services[i], error);
        if (status != MQC_OK) {
            callback_executor_stop(executor);
            return status;
        }
    }
    return MQC_OK;
}

void callback_executor_submit(struct callback_executor *executor, struct callback_task *task)
{
    if (add(executor, task)) callback_executor_call(executor);
}

void callback_executor_submit_uncalled(struct callback_executor *executor,
                                       struct callback_task *task)
{
    add(executor, task);
}

/* Calls without the lock, so that who wakes does not find it taken. */
void callback_executor_call(struct callback_executor *executor)
{
    if (!atomic_load_explicit(&executor->uncalled, memory_order_acquire)) return;
    lock_take(&executor->lock);
    atomic_store_explicit(&executor->uncalled, false, memory_order_relaxed);
    bool call = call_thread(executor);
    lock_release(&executor->lock);
    if (call) condition_wake_one(&executor->called);
}

void callback_executor_stop(struct callback_executor *executor)
{
    for (int i = 0; i < executor->threads; i++) service_stop(&executor->services[i]);
    for (int i = 0; i < executor->threads; i++) service_join(&executor->services[i]);
    run_tasks(executor); /* nothing is left unless no thread ever started */
}

void callback_executor_free(struct callback_executor *executor)
{
    if (!executor) return;
    callback_executor_stop(executor);
    for (int i = 0; i < executor->threads; i++) service_done(&executor->services[i]);
    condition_done(&executor->called);
    lock_done(&executor->lock);
    memory_free(executor);
}

/* False: the list is closed, and the task has been run. */
static bool add(struct callback_executor *executor, struct callback_task *task)
{
    BUG_IF(lock_any_held(), "a callback is submitted under a lock: it may run at once");
    lock_take(&executor->lock);
    bool closed = executor->closed;
    if (!closed) {
        list_append(&executor->tasks, &task->link);
        atomic_store_explicit(&executor->uncalled, true, memory_order_release);
    }
    lock_release(&executor->lock);
    if (closed) task->run(task);
    return !closed;
}

/* Whether to wake one of the idle threads. */
static bool call_thread(struct callback_executor *executor)
{
    if (executor->coming || executor->idle == 0 || list_empty(&executor->tasks)) return false;
    executor->coming = true;
    return true;
}

/* Until the list is closed and empty. */
static void run_tasks(void *arg)
{
    struct callback_executor *executor = arg;
    struct callback_task *task;
    lock_take(&executor->lock);
    while ((task = take_task(executor))) {
        bool call = call_thread(executor);
        lock_release(&executor->lock);
        if (call) condition_wake_one(&executor->called);
        task->run(task);
        lock_take(&executor->lock);
    }
    lock_release(&executor->lock);
}

/* Waits for one; NULL when there will be no more. */
static struct callback_task *take_task(struct callback_executor *executor)
{
    while (list_empty(&executor->tasks) && !executor->closed) {
        executor->idle++;
        condition_wait_until(&executor->called, &executor->lock, CLOCK_NEVER);
        executor->idle--;
        executor->coming = false;
    }
    struct link *link = list_take_first(&executor->tasks);
    return link ? CONTAINER_OF(link, struct callback_task, link) : NULL;
}

static void close_list(void *arg)
{
    struct callback_executor *executor = arg;
    lock_take(&executor->lock);
    executor->closed = true;
    condition_wake_all(&executor->called);
    lock_release(&executor->lock);
}
