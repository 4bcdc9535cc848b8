/* What a consumer tells of itself to a broker that asks for an administrator: where its offsets are
 * (221), and everything (307: `mqadmin consumerStatus`). Callback threads. */
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/consumer/consumer.h"
#include "lib/protocol/namespace.h"
#include "services/service.h"

enum { MIB = 1 << 20, NAME_SERVER_BYTES = 4096 };

static mqc_status list_queues(struct consumer *consumer, const char *topic,
                              struct running_info *info, struct running_queue **states,
                              struct consumer_queue ***queues, mqc_error *error);
static void wrap(const char *name_space, struct subscription *subscription);
static void describe_queue(struct consumer_queue *queue, struct running_queue *out);
static mqc_status rate(struct consumer *consumer, const struct subscription *subscriptions,
                       struct running_info *info, struct running_rates **out, mqc_error *error);
static mqc_status describe(struct consumer *consumer, bool with_threads, struct running_info *info,
                           struct buffer *body, mqc_error *error);

mqc_status consumer_tell_offsets(struct consumer *consumer, const struct remoting_command *command,
                                 struct buffer *body, mqc_error *error)
{
    struct get_consumer_status_header header;
    struct running_queue *states;
    struct consumer_queue **queues;
    char room[NAME_BYTES], topic[NAME_BYTES] = "";
    mqc_status status = header_decode(&get_consumer_status_layout, command, &header, error);
    if (status != MQC_OK) return status;
    struct slice name = namespace_unwrap(consumer->client_options.name_space, header.topic, room);
    if (name.size >= sizeof topic) return error_set(error, MQC_BAD_ARGUMENT, "topic is too long");
    if (name.size > 0) memcpy(topic, name.data, name.size);
    struct running_info info = {.name_space = consumer->client_options.name_space};
    status = list_queues(consumer, topic[0] ? topic : NULL, &info, &states, &queues, error);
    if (status != MQC_OK) return status;
    consumer_status_encode(&info, body);
    memory_free(states);
    consumer_queues_release(queues, info.queue_count);
    return body->failed ? error_no_memory(error) : MQC_OK;
}

mqc_status consumer_tell_running(struct consumer *consumer, const struct remoting_command *command,
                                 struct buffer *body, mqc_error *error)
{
    struct get_consumer_running_info_header header;
    struct running_queue *states;
    struct consumer_queue **queues;
    struct subscription *subscriptions = NULL;
    mqc_status status = header_decode(&get_consumer_running_info_layout, command, &header, error);
    if (status != MQC_OK) return status;
    struct running_info info = {.name_space = consumer->client_options.name_space};
    status = list_queues(consumer, NULL, &info, &states, &queues, error);
    if (status != MQC_OK) return status;
    status = subscriptions_copy(&consumer->subscriptions, &subscriptions, &info.subscription_count,
                                error);
    info.subscriptions = subscriptions;
    struct running_rates *rates = NULL;
    if (status == MQC_OK) status = rate(consumer, subscriptions, &info, &rates, error);
    for (size_t i = 0; i < info.subscription_count; i++) wrap(info.name_space, &subscriptions[i]);
    if (status == MQC_OK) status = describe(consumer, header.with_stacks, &info, body, error);
    memory_free(rates);
    for (size_t i = 0; i < info.subscription_count; i++) subscription_done(&subscriptions[i]);
    memory_free(subscriptions);
    memory_free(states);
    consumer_queues_release(queues, info.queue_count);
    return status;
}

/* Java's figures, as far as there are such here. The topics' names are the consumer's. */
static mqc_status rate(struct consumer *consumer, const struct subscription *subscriptions,
                       struct running_info *info, struct running_rates **out, mqc_error *error)
{
    struct running_rates *rates = memory_allocate_zero(info->subscription_count + 1, sizeof *rates);
    mqc_stats *stats = rates ? consumer_stats(consumer, error) : NULL;
    if (!stats) {
        memory_free(rates);
        return rates ? MQC_NO_MEMORY : error_no_memory(error);
    }
    for (size_t i = 0; i < info->subscription_count; i++) {
        const char *topic = subscriptions[i].topic;
        mqc_stat received, consumed, refused, latency;
        mqc_stats_total(stats, "received_messages", NULL, topic, NULL, &received, NULL);
        mqc_stats_total(stats, "consumed_messages", NULL, topic, NULL, &consumed, NULL);
        mqc_stats_total(stats, "refused_messages", NULL, topic, NULL, &refused, NULL);
        mqc_stats_total(stats, "consume_latency", NULL, topic, NULL, &latency, NULL);
        rates[i] = (struct running_rates){
            .topic = intern_name(&consumer->names, slice_text(topic)),
            .received_per_second = received.per_second,
            .consumed_per_second = consumed.per_second,
            .refused_per_second = refused.per_second,
            .refused = refused.value,
        };
        if (latency.latency.count > 0)
            rates[i].consume_ms =
                (double)latency.latency.sum_us / (double)latency.latency.count / 1000;
        if (!rates[i].topic) break;
        info->rate_count = i + 1;
    }
    mqc_stats_free(stats);
    info->rates = *out = rates;
    return MQC_OK;
}

/* Without memory the name stays as the application knows it. */
static void wrap(const char *name_space, struct subscription *subscription)
{
    char room[NAME_BYTES];
    char *name =
        name_space
            ? slice_duplicate(namespace_wrap(name_space, slice_text(subscription->topic), room))
            : NULL;
    if (!name) return;
    memory_free(subscription->topic);
    subscription->topic = name;
}

/* The caller frees both lists when it succeeds. */
static mqc_status list_queues(struct consumer *consumer, const char *topic,
                              struct running_info *info, struct running_queue **states,
                              struct consumer_queue ***queues, mqc_error *error)
{
    *queues = consumer_queues_list(consumer, topic, &info->queue_count);
    *states = memory_allocate_zero(info->queue_count + 1, sizeof **states);
    if (!*states) {
        consumer_queues_release(*queues, info->queue_count);
        return error_no_memory(error);
    }
    for (size_t i = 0; i < info->queue_count; i++) describe_queue((*queues)[i], &(*states)[i]);
    info->queues = *states;
    return MQC_OK;
}

static void describe_queue(struct consumer_queue *queue, struct running_queue *out)
{
    struct process_queue_state state;
    process_queue_read(&queue->messages, &state);
    *out = (struct running_queue){
        .topic = queue->place.topic,
        .broker_name = queue->place.broker_name,
        .queue_id = queue->place.queue_id,
        .commit_offset = offset_record_read(queue->offset),
        .cached_min_offset = state.count > 0 ? state.first_offset : 0,
        .cached_max_offset = state.count > 0 ? state.last_offset : 0,
        .cached_count = (int64_t)state.count,
        .cached_mib = (int64_t)(state.bytes / MIB),
        .dropped = process_queue_dropped(&queue->messages),
        .last_pull_unix_ms = atomic_load(&queue->messages.last_pull_unix_ms),
        .last_consume_unix_ms = atomic_load(&queue->messages.last_consume_unix_ms),
        .pop = queue->pop,
        .unacknowledged = atomic_load(&queue->unacked),
    };
    if (queue->consumer->kind->describe) queue->consumer->kind->describe(queue, out);
}

static mqc_status describe(struct consumer *consumer, bool with_threads, struct running_info *info,
                           struct buffer *body, mqc_error *error)
{
    const struct consumer_settings *settings = &consumer->settings;
    const struct consumer_kind *kind = consumer->kind;
    mqc_consumer_health health;
    char name_servers[NAME_SERVER_BYTES];
    struct buffer threads;
    consumer_health(consumer, &health);
    const struct running_note properties[] = {
        {"consumerGroup", consumer->group, 0},
        {"messageModel", settings->model == MQC_BROADCASTING ? "BROADCASTING" : "CLUSTERING", 0},
        {"consumeThreadMax", NULL, kind->threads ? kind->threads(consumer) : 0},
        {"pullBatchSize", NULL, settings->pull_batch},
        {"pullThresholdForQueue", NULL, settings->queue_max_messages},
        {"pullThresholdSizeForQueue", NULL, settings->queue_max_mib},
        {"consumeConcurrentlyMaxSpan", NULL, settings->queue_max_span},
        {"maxReconsumeTimes", NULL, settings->max_reconsume_times},
        {"pullMaxIdleTime", NULL, settings->stuck_after_ms},
    };
    const struct running_note notes[] = {
        {"paused", atomic_load(&consumer->paused) ? "true" : "false", 0},
        {"busyWorkers", NULL, kind->busy ? kind->busy(consumer) : 0},
        {"stuckQueues", NULL, health.stuck},
        {"stuckQueuesInAll", NULL, health.stuck_in_all},
        {"restartedQueues", NULL, health.restarted},
        {"stuck", health.why, 0},
    };
    name_servers_format(client_instance_api(consumer->instance)->name_servers, name_servers,
                        sizeof name_servers);
    buffer_init(&threads);
    if (with_threads) service_describe_threads(&threads);
    info->name_servers = name_servers;
    info->consume_type = kind->consume_type;
    info->threads = kind->threads ? kind->threads(consumer) : 0;
    info->orderly = kind->orderly;
    info->start_unix_ms = consumer->start_unix_ms;
    info->setting_count = sizeof properties / sizeof *properties;
    info->settings = properties;
    info->note_count = sizeof notes / sizeof *notes;
    info->notes = notes;
    if (with_threads) info->threads_text = buffer_slice(&threads);
    running_info_encode(info, body);
    bool failed = body->failed || threads.failed;
    buffer_done(&threads);
    return failed ? error_no_memory(error) : MQC_OK;
}
