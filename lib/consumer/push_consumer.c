/* The push consumer's public functions, called by the application's threads, and what its kinds
 * have in common: the worker threads. */
#include "lib/consumer/push_consumer.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/base/sized_struct.h"
#include "lib/client/options.h"

enum {
    TRACE_GRACE_MS = 1000, /* beyond the drain, for the last records */
    AGAIN_MS = 5000
};

static mqc_status check(const mqc_push_consumer *consumer, mqc_error *error);

static struct consume_watch watch_of(const mqc_push_consumer_options *options)
{
    return (struct consume_watch){
        .group = options->group,
        .hooks = options->consume_hooks,
        .hook_count = options->consume_hook_count,
        .timeout_ms = (int64_t)options->consume_timeout_minutes * 60000,
    };
}

mqc_push_consumer *mqc_push_consumer_new_sized(const mqc_push_consumer_options *options,
                                               size_t size, size_t client_size, mqc_error *error)
{
    mqc_push_consumer_options whole;
    mqc_client_options client;
    if (sized_struct_copy(&whole, sizeof whole, options, size, error) != MQC_OK ||
        options_take_client(&whole.client, client_size, &client, error) != MQC_OK ||
        options_check_push_consumer(options ? &whole : NULL, error) != MQC_OK ||
        allocate_options_check(&whole.allocate, error) != MQC_OK)
        return NULL;
    struct mqc_push_consumer *consumer = memory_allocate_zero(1, sizeof *consumer);
    if (!consumer) {
        error_no_memory(error);
        return NULL;
    }
    whole = options_fill_push_consumer(&whole);
    struct consumer_settings settings = {.client = whole.client,
                                         .group = whole.group,
                                         .from = whole.from,
                                         .from_unix_ms = whole.from_unix_ms,
                                         .retries = whole.model == MQC_CLUSTERING,
                                         .model = whole.model,
                                         .allocate = whole.allocate,
                                         .queue_listener = whole.queue_listener,
                                         .queue_listener_arg = whole.queue_listener_arg,
                                         .offset_store_path = whole.offset_store_path,
                                         .offsets_in_memory = whole.offsets_in_memory,
                                         .max_reconsume_times = whole.max_reconsume_times,
                                         .stuck_after_ms = whole.stuck_after_ms,
                                         .pull_batch = whole.pull_batch,
                                         .pull_batch_bytes = whole.pull_batch_bytes,
                                         .pull_interval_ms = whole.pull_interval_ms,
                                         .queue_max_messages = whole.queue_max_messages,
                                         .queue_max_mib = whole.queue_max_mib,
                                         .queue_max_span =
                                             whole.orderly_listener ? -1 : whole.queue_max_span,
                                         .topic_max_messages = whole.topic_max_messages,
                                         .topic_max_mib = whole.topic_max_mib,
                                         .pop = whole.pop,
                                         .pop_invisible_ms = whole.pop_invisible_ms,
                                         .pop_max_unacked = whole.pop_max_unacked};
    const struct consumer_kind *kind = whole.orderly_listener ? &PUSH_ORDERLY
                                       : whole.polled         ? &PUSH_POLLED
                                                              : &PUSH_CONCURRENTLY;
    list_init(&consumer->parked);
    mailbox_init(&consumer->mailbox);
    if (consume_workers_new(whole.threads, &consumer->workers, error) != MQC_OK) goto failed;
    consume_workers_set_minimum(consumer->workers, whole.threads_min);
    if (consumer_init(&consumer->core, kind, &settings, error) != MQC_OK) goto failed;
    consumer->options = whole;
    consumer->options.client = consumer->core.settings.client;
    consumer->options.group = consumer->core.settings.group;
    consumer->again_ms = AGAIN_MS;
    consumer->watch = watch_of(&consumer->options);
    return consumer;
failed:
    consume_workers_free(consumer->workers);
    mailbox_done(&consumer->mailbox);
    memory_free(consumer);
    return NULL;
}

mqc_status mqc_push_consumer_subscribe(mqc_push_consumer *consumer, const char *topic,
                                       const char *filter, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? consumer_subscribe(&consumer->core, topic, filter, error) : status;
}

mqc_status mqc_push_consumer_subscribe_sql(mqc_push_consumer *consumer, const char *topic,
                                           const char *expression, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? consumer_subscribe_sql(&consumer->core, topic, expression, error)
                            : status;
}

mqc_status mqc_push_consumer_unsubscribe(mqc_push_consumer *consumer, const char *topic,
                                         mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? consumer_unsubscribe(&consumer->core, topic, error) : status;
}

mqc_status mqc_push_consumer_start(mqc_push_consumer *consumer, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? consumer_start(&consumer->core, error) : status;
}

mqc_status mqc_push_consumer_pause(mqc_push_consumer *consumer, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    if (status == MQC_OK) status = consumer_pause(&consumer->core, error);
    if (status == MQC_OK && consumer->options.polled) push_hold_mailbox(&consumer->core);
    return status;
}

mqc_status mqc_push_consumer_resume(mqc_push_consumer *consumer, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? consumer_resume(&consumer->core, error) : status;
}

mqc_status mqc_push_consumer_health(mqc_push_consumer *consumer, mqc_consumer_health *health,
                                    mqc_error *error)
{
    mqc_status status = check(consumer, error);
    if (status == MQC_OK && !health)
        status = error_set(error, MQC_BAD_ARGUMENT, "health is NULL: give where it shall go");
    if (status == MQC_OK) status = consumer_check(&consumer->core, error);
    if (status == MQC_OK) consumer_health(&consumer->core, health);
    return status;
}

mqc_status mqc_push_consumer_shutdown(mqc_push_consumer *consumer, int drain_ms, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? consumer_shutdown(&consumer->core, drain_ms, error) : status;
}

void mqc_push_consumer_free(mqc_push_consumer *consumer)
{
    if (consumer) consumer_free(&consumer->core);
}

static mqc_status check(const mqc_push_consumer *consumer, mqc_error *error)
{
    return consumer ? MQC_OK : error_set(error, MQC_BAD_ARGUMENT, "the push consumer is NULL");
}

/* ---- for the kinds ---- */

mqc_status push_start(struct consumer *core, mqc_error *error)
{
    struct mqc_push_consumer *consumer = push_consumer_of(core);
    mqc_status status = push_timeout_start(consumer, error);
    return status == MQC_OK ? push_start_workers(consumer, error) : status;
}

mqc_status push_start_workers(struct mqc_push_consumer *consumer, mqc_error *error)
{
    struct consumer *core = &consumer->core;
    mqc_status status =
        tracing_start(core->instance, &core->client_options, consumer->options.group, "CONSUME",
                      &consumer->tracing, error);
    consumer->watch.trace = tracing_dispatcher(consumer->tracing);
    if (status == MQC_OK) status = consume_workers_start(consumer->workers, error);
    if (status == MQC_OK) return MQC_OK;
    tracing_stop(consumer->tracing, 0);
    scheduled_task_cancel(consumer->sweep);
    consumer->sweep = NULL;
    return status;
}

int push_stop(struct consumer *core, int64_t deadline_ms)
{
    struct mqc_push_consumer *consumer = push_consumer_of(core);
    struct link tasks;
    list_init(&tasks);
    lock_take(&core->lock);
    list_move_all(&tasks, &consumer->parked);
    lock_release(&core->lock);
    push_discard_tasks(&tasks);
    int running = consume_workers_stop(consumer->workers, deadline_ms);
    pop_await_answers(consumer, atomic_load(&core->stop_deadline_ms));
    tracing_stop(consumer->tracing, clock_deadline_ms(TRACE_GRACE_MS));
    scheduled_task_cancel(consumer->sweep); /* to here listeners may have needed it */
    consumer->sweep = NULL;
    return running;
}

bool push_hold_back(struct mqc_push_consumer *consumer, struct consume_task *task)
{
    struct consumer *core = &consumer->core;
    if (!atomic_load(&core->paused)) return false;
    lock_take(&core->lock);
    bool paused = atomic_load(&core->paused);
    bool parked = paused && consumer_running(core);
    if (parked) list_append(&consumer->parked, &task->link);
    lock_release(&core->lock);
    if (paused && !parked) task->discard(task);
    return paused;
}

void push_resume_parked(struct consumer *core)
{
    struct mqc_push_consumer *consumer = push_consumer_of(core);
    struct link tasks;
    list_init(&tasks);
    lock_take(&core->lock);
    if (!atomic_load(&core->paused)) list_move_all(&tasks, &consumer->parked);
    lock_release(&core->lock);
    if (!list_empty(&tasks)) consume_workers_submit_all(consumer->workers, &tasks);
}

void push_destroy(struct consumer *core)
{
    struct mqc_push_consumer *consumer = push_consumer_of(core);
    consume_workers_free(consumer->workers);
    tracing_free(consumer->tracing);
    consumer_done(core);
    mailbox_done(&consumer->mailbox);
    memory_free(consumer);
}

void push_submit(struct consumer *core, struct consume_task *task)
{
    consume_workers_submit(push_consumer_of(core)->workers, task);
}

int push_busy(struct consumer *core)
{
    return consume_workers_busy(push_consumer_of(core)->workers);
}

int push_threads(struct consumer *core)
{
    return push_consumer_of(core)->options.threads;
}
