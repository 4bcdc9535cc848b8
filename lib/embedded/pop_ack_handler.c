/* ACK_MESSAGE, BATCH_ACK_MESSAGE, CHANGE_MESSAGE_INVISIBLETIME (AckMessageProcessor.java,
 * ChangeInvisibleTimeProcessor.java). On the I/O thread. */
#include <openssl/evp.h>
#include <stdio.h>

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/long_poll.h"
#include "lib/embedded/pop_handler.h"
#include "lib/embedded/pop_order.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

enum { BITS_MAX_BYTES = 4096 };

/* Whether a message of that place may be meant, up to `behind` places behind the last one; false
 * when it is refused. */
static bool check(struct request *request, const struct pop_key *key, int64_t behind)
{
    const struct topic *topic = message_store_topic(&request->broker->data->store, key->topic);
    const struct store_queue *queue = topic ? topic_queue(topic, key->queue_id) : NULL;
    if (!topic)
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST,
                       "topic[%.*s] not exist, apply first please! " FAQ_HINT,
                       SLICE_FORMAT(key->topic));
    else if (!queue || key->queue_id >= topic->read_queues)
        request_refuse(request, RESPONSE_MESSAGE_ILLEGAL,
                       "queueId[%d] is illegal, topic:[%s] topicConfig.readQueueNums:[%d] "
                       "consumer:[/%s]",
                       (int)key->queue_id, topic->name, (int)topic->read_queues,
                       request->connection->peer);
    else if (key->offset < queue->min_offset ||
             key->offset >= store_queue_max_offset(queue) + behind)
        request_refuse(request, RESPONSE_NO_MESSAGE,
                       "offset is illegal, key:%s@%d, commit:%lld, store:%lld~%lld", topic->name,
                       (int)key->queue_id, (long long)key->offset, (long long)queue->min_offset,
                       (long long)store_queue_max_offset(queue));
    else
        return true;
    return false;
}

/* False when it is refused, as Java's exception. */
static bool check_receipt(struct request *request, struct slice text, struct pop_receipt *out)
{
    if (pop_receipt_parse(text, out)) return true;
    request_refuse(request, RESPONSE_SYSTEM_ERROR,
                   "java.lang.IllegalArgumentException: extraInfo \"%.*s\" is no receipt",
                   text.size < 200 ? (int)text.size : 200, text.data ? text.data : "");
    return false;
}

bool pop_receipt_parse(struct slice text, struct pop_receipt *out)
{
    int64_t numbers[4]; /* begin, time of the pop, invisible time, revive queue */
    for (size_t i = 0; i < 4; i++)
        if (!text.data || !slice_to_int64(slice_split(&text, " "), &numbers[i])) return false;
    *out = (struct pop_receipt){.popped_unix_ms = numbers[1],
                                .invisible_ms = numbers[2],
                                .orderly = numbers[3] == POP_ORDER_QUEUE_ID};
    return true;
}

/* ---- in order ---- */

/* AckMessageProcessor.ackOrderly. False when the offset is wrong: the new one is in *next. */
static bool acknowledge_in_order(struct broker_data *data, const struct pop_key *key,
                                 int64_t popped_unix_ms, int64_t *next)
{
    struct group *group = groups_find(&data->groups, key->group);
    struct topic *topic = message_store_topic(&data->store, key->topic);
    if (!group || !topic || key->offset < group_offset(group, key->topic, key->queue_id))
        return true;
    *next = pop_order_acknowledge(data, key, popped_unix_ms);
    if (*next == POP_ORDER_UNKNOWN) return false;
    if (*next < 0) return true;
    if (group_pending_reset(group, key->topic, key->queue_id) < 0)
        group_set_offset(group, key->topic, key->queue_id, topic->queue_count, *next);
    if (!pop_order_blocks(data, key, SLICE_ABSENT)) long_poll_retry_arrived(topic);
    condition_wake_all(&data->cluster->progress);
    return true;
}

static void handle_in_order(struct request *request, const struct pop_key *key,
                            int64_t popped_unix_ms)
{
    int64_t next;
    struct broker_data *data = request->broker->data;
    const struct group *group = groups_find(&data->groups, key->group);
    if (acknowledge_in_order(data, key, popped_unix_ms, &next)) {
        request_done(request);
        return;
    }
    request_refuse(request, RESPONSE_MESSAGE_ILLEGAL,
                   "offset is illegal, key:%.*s@%.*s@%d, old:%lld, commit:%lld, next:%lld, /%s",
                   SLICE_FORMAT(key->topic), SLICE_FORMAT(key->group), (int)key->queue_id,
                   (long long)group_offset(group, key->topic, key->queue_id),
                   (long long)key->offset, (long long)next, request->connection->peer);
}

/* ---- single ones ---- */

void pop_handle_ack(struct request *request)
{
    struct ack_message_header header;
    struct pop_receipt receipt;
    if (!request_header(request, &ack_message_layout, &header)) return;
    struct pop_key key = {header.consumer_group, header.topic, header.queue_id,
                          header.queue_offset};
    if (!check(request, &key, 1) || !check_receipt(request, header.extra_info, &receipt)) return;
    if (receipt.orderly) {
        handle_in_order(request, &key, receipt.popped_unix_ms);
        return;
    }
    pop_acknowledge(request->broker->data, &key);
    request_done(request);
}

/* ChangeInvisibleTimeProcessor.processChangeInvisibleTimeForOrder */
static void change_in_order(struct request *request, const struct pop_key *key,
                            const struct pop_receipt *receipt, int64_t invisible_ms)
{
    struct broker_data *data = request->broker->data;
    const struct group *group = groups_find(&data->groups, key->group);
    struct change_invisible_time_response_header answer = {.revive_queue_id = 0};
    if (group && key->offset >= group_offset(group, key->topic, key->queue_id)) {
        int64_t visible = cluster_message_time(request->cluster) + invisible_ms;
        pop_order_show_at(data, key, receipt->popped_unix_ms, visible);
        answer.pop_timestamp = receipt->popped_unix_ms;
        answer.invisible_time_ms = visible - receipt->popped_unix_ms;
        answer.revive_queue_id = POP_ORDER_QUEUE_ID;
    }
    request_answer(request, &(struct answer){.layout = &change_invisible_time_response_layout,
                                             .header = &answer});
}

void pop_handle_change_invisible_time(struct request *request)
{
    struct change_invisible_time_header header;
    struct pop_receipt receipt;
    if (!request_header(request, &change_invisible_time_layout, &header)) return;
    struct pop_key key = {header.consumer_group, header.topic, header.queue_id,
                          header.queue_offset};
    if (!check(request, &key, 0) || !check_receipt(request, header.extra_info, &receipt)) return;
    int64_t now = cluster_message_time(request->cluster);
    struct change_invisible_time_response_header answer = {
        .pop_timestamp = now, .invisible_time_ms = header.invisible_time_ms};
    if (header.invisible_time_ms < 0 || header.invisible_time_ms > INT32_MAX)
        request_refuse(request, RESPONSE_INVALID_PARAMETER, "invisibleTime %lld is illegal",
                       (long long)header.invisible_time_ms);
    else if (receipt.orderly)
        change_in_order(request, &key, &receipt, header.invisible_time_ms);
    else if (!pop_hide(request->broker->data, &key, now + header.invisible_time_ms))
        request_no_memory(request);
    else
        request_answer(request, &(struct answer){.layout = &change_invisible_time_response_layout,
                                                 .header = &answer});
}

/* ---- batches ---- */

/* The topic that a batch's flag means: 0 the topic itself, 1 and 2 the two forms of the group's
 * retry topic. */
static void stored_topic(const char *flag, const char *group, const char *topic,
                         char out[POP_TOPIC_BYTES])
{
    if (strcmp(flag, "0") == 0)
        snprintf(out, POP_TOPIC_BYTES, "%s", topic);
    else
        snprintf(out, POP_TOPIC_BYTES, "%s%s%c%s", NAME_RETRY_PREFIX, group,
                 strcmp(flag, "2") == 0 ? '+' : '_', topic);
}

/* A java.util.BitSet's bytes in base64: bit i is the message at start + i. `popped_unix_ms`: of an
 * ordered pop, or -1. */
static void acknowledge_bits(struct broker_data *data, struct pop_key *key, int64_t popped_unix_ms,
                             const char *bits)
{
    int64_t next;
    unsigned char bytes[BITS_MAX_BYTES];
    size_t size = strlen(bits);
    if (size == 0 || size % 4 != 0 || size / 4 * 3 > sizeof bytes) return;
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)bits, (int)size);
    int64_t start = key->offset;
    for (int i = 0; i < decoded * 8; i++) {
        if (!(bytes[i / 8] >> i % 8 & 1)) continue;
        key->offset = start + i;
        if (popped_unix_ms >= 0)
            acknowledge_in_order(data, key, popped_unix_ms, &next);
        else
            pop_acknowledge(data, key);
    }
}

static void acknowledge(struct broker_data *data, const json_t *ack)
{
    char topic[POP_TOPIC_BYTES];
    const char *group = relaxed_json_text(ack, "c", "");
    stored_topic(relaxed_json_text(ack, "r", "0"), group, relaxed_json_text(ack, "t", ""), topic);
    int64_t queue_id = relaxed_json_number(ack, "q", -1);
    int64_t start = relaxed_json_number(ack, "so", -1);
    if (queue_id < 0 || queue_id > INT32_MAX || start < 0 || start > INT64_MAX / 2) return;
    struct pop_key key = {slice_text(group), slice_text(topic), (int32_t)queue_id, start};
    bool orderly = relaxed_json_number(ack, "rq", 0) == POP_ORDER_QUEUE_ID;
    acknowledge_bits(data, &key, orderly ? relaxed_json_number(ack, "pt", 0) : -1,
                     relaxed_json_text(ack, "b", ""));
}

void pop_handle_batch_ack(struct request *request)
{
    json_t *json = NULL;
    mqc_error error;
    if (request->command->body.size > 0 &&
        relaxed_json_parse(request->command->body, "batch of acknowledgements", &json, &error) !=
            MQC_OK) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "com.alibaba.fastjson2.JSONException: %s",
                       error.text);
        return;
    }
    const json_t *acks = json_object_get(json, "acks");
    for (size_t i = 0; i < json_array_size(acks); i++)
        acknowledge(request->broker->data, json_array_get(acks, i));
    if (json_array_size(acks) > 0)
        request_done(request);
    else
        request_answer(request, &(struct answer){.code = RESPONSE_NO_MESSAGE});
    json_decref(json);
}
