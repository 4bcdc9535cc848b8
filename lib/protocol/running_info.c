/* What a consumer tells of itself: the answers to GET_CONSUMER_RUNNING_INFO, code 307
 * (ConsumerRunningInfo.java, ProcessQueueInfo.java), and to GET_CONSUMER_STATUS_FROM_CLIENT, code
 * 221 (GetConsumerStatusBody.java). Pure functions, called by the consumer's processor of broker
 * requests. */
#include "lib/protocol/bodies.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/relaxed_json.h"
#include "lib/protocol/subscription.h"

static void put_text_member(struct buffer *out, const char *name, const char *value)
{
    json_put_text(out, slice_text(name));
    buffer_put_8(out, ':');
    json_put_text(out, slice_text(value));
}

static void put_number_member(struct buffer *out, const char *name, int64_t value)
{
    json_put_text(out, slice_text(name));
    buffer_put_8(out, ':');
    buffer_put_decimal(out, value);
}

static void put_bool_member(struct buffer *out, const char *name, bool value)
{
    json_put_text(out, slice_text(name));
    buffer_put_text(out, value ? ":true" : ":false");
}

/* MessageQueue.java as a key: an object without quotes around it. */
static void put_queue_key(struct buffer *out, const char *name_space,
                          const struct running_queue *queue)
{
    char room[NAME_BYTES];
    buffer_put_8(out, '{');
    put_text_member(out, "brokerName", queue->broker_name);
    buffer_put_8(out, ',');
    put_number_member(out, "queueId", queue->queue_id);
    buffer_put_8(out, ',');
    buffer_put_text(out, "\"topic\":");
    json_put_text(out, namespace_wrap(name_space, slice_text(queue->topic), room));
    buffer_put_text(out, "}:");
}

/* All values are texts. */
static void put_notes(struct buffer *out, const struct running_note *notes, size_t count)
{
    char number[24];
    for (size_t i = 0; i < count; i++) {
        if (!notes[i].text) number[decimal_write(number, notes[i].number)] = '\0';
        if (i > 0) buffer_put_8(out, ',');
        put_text_member(out, notes[i].name, notes[i].text ? notes[i].text : number);
    }
}

/* java.util.Properties. */
static void put_properties(struct buffer *out, const struct running_info *info)
{
    char number[24];
    put_text_member(out, "PROP_CLIENT_VERSION", "V5_5_0"); /* as COMMAND_VERSION */
    buffer_put_8(out, ',');
    put_text_member(out, "PROP_CONSUMEORDERLY", info->orderly ? "true" : "false");
    buffer_put_8(out, ',');
    number[decimal_write(number, info->start_unix_ms)] = '\0';
    put_text_member(out, "PROP_CONSUMER_START_TIMESTAMP", number);
    buffer_put_8(out, ',');
    put_text_member(out, "PROP_CONSUME_TYPE", info->consume_type);
    buffer_put_8(out, ',');
    put_text_member(out, "PROP_NAMESERVER_ADDR", info->name_servers);
    buffer_put_8(out, ',');
    number[decimal_write(number, info->threads)] = '\0';
    put_text_member(out, "PROP_THREADPOOL_CORE_SIZE", number);
    if (info->setting_count > 0) buffer_put_8(out, ',');
    put_notes(out, info->settings, info->setting_count);
}

/* Java spells "droped" so. What belongs to transactions is always 0 there, too. */
static void put_queue_state(struct buffer *out, const struct running_queue *queue)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"cachedMsgCount", queue->cached_count},
        {"cachedMsgMaxOffset", queue->cached_max_offset},
        {"cachedMsgMinOffset", queue->cached_min_offset},
        {"cachedMsgSizeInMiB", queue->cached_mib},
        {"commitOffset", queue->commit_offset},
        {"lastConsumeTimestamp", queue->last_consume_unix_ms},
        {"lastLockTimestamp", queue->last_lock_unix_ms},
        {"lastPullTimestamp", queue->last_pull_unix_ms},
        {"transactionMsgCount", 0},
        {"transactionMsgMaxOffset", 0},
        {"transactionMsgMinOffset", 0},
        {"tryUnlockTimes", 0},
    };
    buffer_put_8(out, '{');
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        put_number_member(out, numbers[i].name, numbers[i].value);
        buffer_put_8(out, ',');
    }
    put_bool_member(out, "droped", queue->dropped);
    buffer_put_8(out, ',');
    put_bool_member(out, "locked", queue->locked);
    buffer_put_8(out, '}');
}

static void put_pop_state(struct buffer *out, const struct running_queue *queue)
{
    buffer_put_8(out, '{');
    put_bool_member(out, "droped", queue->dropped);
    buffer_put_8(out, ',');
    put_number_member(out, "lastPopTimestamp", queue->last_pull_unix_ms);
    buffer_put_8(out, ',');
    put_number_member(out, "waitAckCount", queue->unacknowledged);
    buffer_put_8(out, '}');
}

static void put_queues(struct buffer *out, const struct running_info *info, bool pop)
{
    bool any = false;
    for (size_t i = 0; i < info->queue_count; i++) {
        const struct running_queue *queue = &info->queues[i];
        if (queue->pop != pop) continue;
        if (any) buffer_put_8(out, ',');
        any = true;
        put_queue_key(out, info->name_space, queue);
        (pop ? put_pop_state : put_queue_state)(out, queue);
    }
}

static void put_rates(struct buffer *out, const struct running_info *info)
{
    char room[NAME_BYTES];
    for (size_t i = 0; i < info->rate_count; i++) {
        const struct running_rates *rates = &info->rates[i];
        if (i > 0) buffer_put_8(out, ',');
        json_put_text(out, namespace_wrap(info->name_space, slice_text(rates->topic), room));
        buffer_put_format(out,
                          ":{\"consumeFailedMsgs\":%lld,\"consumeFailedTPS\":%.2f,"
                          "\"consumeOKTPS\":%.2f,\"consumeRT\":%.2f,\"pullRT\":0.0,"
                          "\"pullTPS\":%.2f}",
                          (long long)rates->refused, rates->refused_per_second,
                          rates->consumed_per_second, rates->consume_ms,
                          rates->received_per_second);
    }
}

void running_info_encode(const struct running_info *info, struct buffer *out)
{
    buffer_put_8(out, '{');
    if (info->threads_text.data) {
        buffer_put_text(out, "\"jstack\":");
        json_put_text(out, info->threads_text);
        buffer_put_8(out, ',');
    }
    buffer_put_text(out, "\"mqPopTable\":{");
    put_queues(out, info, true);
    buffer_put_text(out, "},\"mqTable\":{");
    put_queues(out, info, false);
    buffer_put_text(out, "},\"properties\":{");
    put_properties(out, info);
    buffer_put_text(out, "},\"statusTable\":{");
    put_rates(out, info);
    buffer_put_text(out, "},\"subscriptionSet\":[");
    for (size_t i = 0; i < info->subscription_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        subscription_encode(&info->subscriptions[i], out);
    }
    buffer_put_text(out, "],\"userConsumerInfo\":{");
    put_notes(out, info->notes, info->note_count);
    buffer_put_text(out, "}}");
}

void consumer_status_encode(const struct running_info *info, struct buffer *out)
{
    buffer_put_text(out, "{\"messageQueueTable\":{");
    bool any = false;
    for (size_t i = 0; i < info->queue_count; i++) {
        if (info->queues[i].pop) continue; /* the broker has its offset */
        if (any) buffer_put_8(out, ',');
        any = true;
        put_queue_key(out, info->name_space, &info->queues[i]);
        buffer_put_decimal(out, info->queues[i].commit_offset);
    }
    buffer_put_text(out, "}}");
}
