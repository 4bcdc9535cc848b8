/* What a consumer tells of itself: the answers to GET_CONSUMER_RUNNING_INFO, code 307
 * (ConsumerRunningInfo.java, ProcessQueueInfo.java), and to GET_CONSUMER_STATUS_FROM_CLIENT, code
 * 221 (GetConsumerStatusBody.java). Pure functions, called by the consumer's processor of broker
 * requests. */
#include "lib/protocol/bodies.h"
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
static void put_queue_key(struct buffer *out, const struct running_queue *queue)
{
    buffer_put_8(out, '{');
    put_text_member(out, "brokerName", queue->broker_name);
    buffer_put_8(out, ',');
    put_number_member(out, "queueId", queue->queue_id);
    buffer_put_8(out, ',');
    put_text_member(out, "topic", queue->topic);
    buffer_put_text(out, "}:");
}

/* java.util.Properties: all values are texts. */
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
        {"lastLockTimestamp", 0},
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

void running_info_encode(const struct running_info *info, struct buffer *out)
{
    buffer_put_text(out, "{\"mqPopTable\":{},\"mqTable\":{");
    for (size_t i = 0; i < info->queue_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        put_queue_key(out, &info->queues[i]);
        put_queue_state(out, &info->queues[i]);
    }
    buffer_put_text(out, "},\"properties\":{");
    put_properties(out, info);
    buffer_put_text(out, "},\"statusTable\":{},\"subscriptionSet\":[");
    for (size_t i = 0; i < info->subscription_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        subscription_encode(&info->subscriptions[i], out);
    }
    buffer_put_text(out, "],\"userConsumerInfo\":{}}");
}

void consumer_status_encode(const struct running_info *info, struct buffer *out)
{
    buffer_put_text(out, "{\"messageQueueTable\":{");
    for (size_t i = 0; i < info->queue_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        put_queue_key(out, &info->queues[i]);
        buffer_put_decimal(out, info->queues[i].commit_offset);
    }
    buffer_put_text(out, "}}");
}
