/* The lite pull consumer's object (DefaultLitePullConsumerImpl): making, starting and ending it,
 * and what the core asks of its kind. On the application's threads, but for what the kind's table
 * says.
 */
#include "lib/consumer/lite_consumer.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/base/sized_struct.h"
#include "lib/client/options.h"
#include "lib/consumer/queue_questions.h"

enum {
    PAUSED_MS = 500,
    FULL_MS = 50,
    TRACE_GRACE_MS = 1000 /* for the last records, at the end */
};

static mqc_status start(struct consumer *core, mqc_error *error);
static int stop(struct consumer *core, int64_t deadline_ms);
static void destroy(struct consumer *core);
static void queue_init(struct consumer_queue *queue);
static void queue_begins(struct consumer_queue *queue, int64_t begin);
static int64_t pull_delay(struct consumer_queue *queue, enum queue_pause *why);
static bool let_go(struct consumer_queue *queue);
static void lost(struct consumer_queue *queue, struct client_instance *instance);
static void tick(void *arg);

static const struct consumer_kind LITE = {
    .what = "lite consumer",
    .prefix = "mqc_lite_consumer",
    .consume_type = "CONSUME_ACTIVELY",
    .brings_filter = true,
    .queue_bytes = sizeof(struct lite_queue),
    .message_bytes = sizeof(struct lite_batch),
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .deliver = lite_deliver,
    .passed = lite_passed,
    .sweep = lite_look,
    .choose = lite_choose,
    .pass_begins = lite_pass_begins,
    .pass_ends = lite_pass_ends,
    .queue_init = queue_init,
    .queue_begins = queue_begins,
    .pull_delay = pull_delay,
    .let_go = let_go,
    .lost = lost,
};

mqc_lite_consumer *mqc_lite_consumer_new_sized(const mqc_lite_consumer_options *options,
                                               size_t size, size_t client_size, mqc_error *error)
{
    mqc_lite_consumer_options whole;
    mqc_client_options client;
    if (sized_struct_copy(&whole, sizeof whole, options, size, error) != MQC_OK ||
        options_take_client(&whole.client, client_size, &client, error) != MQC_OK ||
        options_check_lite_consumer(options ? &whole : NULL, error) != MQC_OK ||
        allocate_options_check(&whole.allocate, error) != MQC_OK)
        return NULL;
    struct mqc_lite_consumer *consumer = memory_allocate_zero(1, sizeof *consumer);
    if (!consumer) {
        error_no_memory(error);
        return NULL;
    }
    whole = options_fill_lite_consumer(&whole);
    struct consumer_settings settings = {.client = whole.client,
                                         .group = whole.group,
                                         .from = whole.from,
                                         .from_unix_ms = whole.from_unix_ms,
                                         .model = whole.model,
                                         .allocate = whole.allocate,
                                         .queue_listener = whole.queue_listener,
                                         .queue_listener_arg = whole.queue_listener_arg,
                                         .offset_store_path = whole.offset_store_path,
                                         .offsets_in_memory = whole.offsets_in_memory,
                                         .stuck_after_ms = whole.stuck_after_ms,
                                         .pull_batch = whole.pull_batch,
                                         .pull_batch_bytes = -1,
                                         .queue_max_messages = whole.queue_max_messages,
                                         .queue_max_mib = whole.queue_max_mib,
                                         .queue_max_span = whole.queue_max_span,
                                         .topic_max_messages = -1,
                                         .topic_max_mib = -1};
    mailbox_init(&consumer->mailbox);
    list_init(&consumer->watches);
    consumer->options = whole;
    if (consumer_init(&consumer->core, &LITE, &settings, error) == MQC_OK) {
        consumer->options.client = consumer->core.settings.client;
        consumer->options.group = consumer->core.settings.group;
        consumer->watch = (struct consume_watch){.group = consumer->options.group,
                                                 .hooks = whole.consume_hooks,
                                                 .hook_count = whole.consume_hook_count};
        return consumer;
    }
    mailbox_done(&consumer->mailbox);
    memory_free(consumer);
    return NULL;
}

mqc_status mqc_lite_consumer_start(mqc_lite_consumer *consumer, mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    return status == MQC_OK ? consumer_start(&consumer->core, error) : status;
}

mqc_status mqc_lite_consumer_shutdown(mqc_lite_consumer *consumer, mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    return status == MQC_OK ? consumer_shutdown(&consumer->core, 0, error) : status;
}

mqc_status mqc_lite_consumer_health(mqc_lite_consumer *consumer, mqc_consumer_health *health,
                                    mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status == MQC_OK && !health)
        status = error_set(error, MQC_BAD_ARGUMENT, "health is NULL: give where it shall go");
    if (status == MQC_OK) consumer_health(&consumer->core, health);
    return status;
}

void mqc_lite_consumer_free(mqc_lite_consumer *consumer)
{
    if (consumer) consumer_free(&consumer->core);
}

/* ---- for the other files ---- */

mqc_status lite_check(const mqc_lite_consumer *consumer, mqc_error *error)
{
    if (!consumer) return error_set(error, MQC_BAD_ARGUMENT, "the lite consumer is NULL");
    return consumer_check(&consumer->core, error);
}

mqc_status lite_enter(mqc_lite_consumer *consumer, struct client_instance **instance,
                      mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status != MQC_OK) return status;
    *instance = consumer_running(&consumer->core) ? consumer_enter(&consumer->core) : NULL;
    if (*instance) return MQC_OK;
    return error_set(error, MQC_WRONG_STATE,
                     "The consumer not running, please start it first: group %s",
                     consumer->core.group);
}

mqc_status lite_find(mqc_lite_consumer *consumer, const mqc_message_queue *place,
                     struct lite_queue **out, mqc_error *error)
{
    mqc_status status = queue_check(place, error);
    if (status != MQC_OK) return status;
    struct consumer_queue *queue = consumer_queues_find(&consumer->core, place);
    if (!queue)
        return error_set(error, MQC_NOT_FOUND,
                         "queue %d of topic %s at broker %s is not this consumer's: it is not "
                         "assigned, or another member has it",
                         place->queue_id, place->topic, place->broker_name);
    *out = lite_queue_of(queue);
    return MQC_OK;
}

/* ---- the kind ---- */

static mqc_status start(struct consumer *core, mqc_error *error)
{
    struct mqc_lite_consumer *consumer = lite_of(core);
    int period_ms = consumer->options.topic_check_ms;
    consumer->next_commit_ms = clock_deadline_ms(consumer->options.auto_commit_ms);
    mqc_status status =
        tracing_start(core->instance, &core->client_options, consumer->options.group, "CONSUME",
                      &consumer->tracing, error);
    consumer->watch.trace = tracing_dispatcher(consumer->tracing);
    if (status == MQC_OK)
        status =
            scheduled_executor_add(client_instance_scheduler(core->instance), "watched topics",
                                   period_ms, period_ms, tick, consumer, &consumer->watcher, error);
    if (status != MQC_OK) tracing_stop(consumer->tracing, 0);
    return status;
}

static void tick(void *arg)
{
    struct mqc_lite_consumer *consumer = arg;
    consumer_do_later(&consumer->core, CHORE_SWEEP);
}

/* What was polled is committed by the core, which does so next. */
static int stop(struct consumer *core, int64_t deadline_ms)
{
    struct mqc_lite_consumer *consumer = lite_of(core);
    (void)deadline_ms;
    scheduled_task_cancel(consumer->watcher);
    consumer->watcher = NULL;
    mailbox_close(&consumer->mailbox);
    lite_purge(consumer, true);
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(core, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        lite_discard_parked(lite_queue_of(queues[i]));
        lite_note_done(lite_queue_of(queues[i]), true);
    }
    consumer_queues_release(queues, count);
    tracing_stop(consumer->tracing, clock_deadline_ms(TRACE_GRACE_MS));
    return 0;
}

static void destroy(struct consumer *core)
{
    struct mqc_lite_consumer *consumer = lite_of(core);
    lite_watches_free(consumer);
    tracing_free(consumer->tracing);
    mqc_queue_list_free(&consumer->assigned);
    consumer_done(core);
    mailbox_done(&consumer->mailbox);
    memory_free(consumer);
}

static void queue_init(struct consumer_queue *queue)
{
    list_init(&lite_queue_of(queue)->parked);
}

static void queue_begins(struct consumer_queue *queue, int64_t begin)
{
    lite_queue_of(queue)->position = begin;
    lite_queue_of(queue)->done = begin;
}

static int64_t pull_delay(struct consumer_queue *queue, enum queue_pause *why)
{
    struct mqc_lite_consumer *consumer = lite_of(queue->consumer);
    *why = QUEUE_PAUSED;
    if (atomic_load(&lite_queue_of(queue)->paused)) return PAUSED_MS;
    *why = QUEUE_ALL_FULL;
    return atomic_load(&consumer->held) > (size_t)consumer->options.all_max_messages ? FULL_MS : 0;
}

static bool let_go(struct consumer_queue *queue)
{
    lite_note_done(lite_queue_of(queue), false);
    return true;
}

static void lost(struct consumer_queue *queue, struct client_instance *instance)
{
    (void)instance;
    lite_discard_parked(lite_queue_of(queue));
    lite_purge(lite_of(queue->consumer), false);
}
