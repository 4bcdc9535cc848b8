/* The pool behind the application's callbacks: n services take tasks from one queue. Any thread
 * submits, the owner starts and stops. The closed queue decides who runs a task: what got in before
 * is handed out to the threads, what comes after runs on its submitter, so nothing is lost. */
#include "services/callback_executor.h"

#include "lib/base/block_queue.h"
#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "services/service.h"

struct callback_executor {
    struct block_queue queue;
    int threads;
    struct service services[];
};

static void run_tasks(void *arg);
static void close_queue(void *arg);
static void run_task(struct link *link);

mqc_status callback_executor_new(int threads, struct callback_executor **out, mqc_error *error)
{
    if (threads < 1)
        return error_set(error, MQC_BAD_ARGUMENT, "%d callback threads: there must be at least one",
                         threads);
    struct callback_executor *executor =
        memory_allocate_zero(1, sizeof *executor + (size_t)threads * sizeof executor->services[0]);
    if (!executor) return error_no_memory(error);
    block_queue_init(&executor->queue, 0);
    executor->threads = threads;
    for (int i = 0; i < threads; i++)
        service_init(&executor->services[i], "mqc-callback", run_tasks, close_queue, executor);
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
    BUG_IF(lock_any_held(), "a callback is submitted under a lock: it may run at once");
    if (block_queue_put(&executor->queue, &task->link, CLOCK_NEVER) == BLOCK_QUEUE_CLOSED)
        run_task(&task->link);
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
    block_queue_done(&executor->queue);
    memory_free(executor);
}

/* Until the queue is closed and empty. */
static void run_tasks(void *arg)
{
    struct callback_executor *executor = arg;
    struct link *link;
    while (block_queue_take(&executor->queue, &link, CLOCK_NEVER) == BLOCK_QUEUE_OK) run_task(link);
}

static void close_queue(void *arg)
{
    struct callback_executor *executor = arg;
    block_queue_close(&executor->queue);
}

static void run_task(struct link *link)
{
    struct callback_task *task = CONTAINER_OF(link, struct callback_task, link);
    task->run(task);
}
