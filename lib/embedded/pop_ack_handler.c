/* ACK_MESSAGE, BATCH_ACK_MESSAGE, CHANGE_MESSAGE_INVISIBLETIME (AckMessageProcessor.java,
 * ChangeInvisibleTimeProcessor.java). On the I/O thread. */
#include <openssl/evp.h>
#include <stdio.h>

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

enum { BITS_MAX_BYTES = 4096 };

/* Whether a message of that place may be meant; false when it is refused. */
static bool check(struct request *request, const struct pop_key *key)
{
    const struct topic *topic = message_store_topic(&request->broker->data->store, key->topic);
    const struct store_queue *queue = topic ? topic_queue(topic, key->queue_id) : NULL;
    if (!topic)
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST,
                       "topic[%.*s] not exist, apply first please! " FAQ_HINT,
                       SLICE_FORMAT(key->topic));
    else if (!queue)
        request_refuse(request, RESPONSE_INVALID_PARAMETER,
                       "queueId[%d] is illegal, topic:[%s] topicConfig.readQueueNums:[%d] "
                       "consumer:[/%s]",
                       (int)key->queue_id, topic->name, (int)topic->read_queues,
                       request->connection->peer);
    else if (key->offset < queue->min_offset || key->offset > store_queue_max_offset(queue))
        request_refuse(request, RESPONSE_NO_MESSAGE,
                       "offset is illegal, key:%s@%d, commit:%lld, store:%lld~%lld", topic->name,
                       (int)key->queue_id, (long long)key->offset, (long long)queue->min_offset,
                       (long long)store_queue_max_offset(queue));
    else
        return true;
    return false;
}

void pop_handle_ack(struct request *request)
{
    struct ack_message_header header;
    if (!request_header(request, &ack_message_layout, &header)) return;
    struct pop_key key = {header.consumer_group, header.topic, header.queue_id,
                          header.queue_offset};
    if (!check(request, &key)) return;
    pop_acknowledge(request->broker->data, &key);
    request_done(request);
}

void pop_handle_change_invisible_time(struct request *request)
{
    struct change_invisible_time_header header;
    if (!request_header(request, &change_invisible_time_layout, &header)) return;
    struct pop_key key = {header.consumer_group, header.topic, header.queue_id,
                          header.queue_offset};
    if (!check(request, &key)) return;
    int64_t now = cluster_message_time(request->cluster);
    struct change_invisible_time_response_header answer = {
        .pop_timestamp = now, .invisible_time_ms = header.invisible_time_ms};
    if (header.invisible_time_ms < 0 || header.invisible_time_ms > INT32_MAX)
        request_refuse(request, RESPONSE_INVALID_PARAMETER, "invisibleTime %lld is illegal",
                       (long long)header.invisible_time_ms);
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

/* A java.util.BitSet's bytes in base64: bit i is the message at start + i. */
static void acknowledge_bits(struct broker_data *data, struct pop_key *key, const char *bits)
{
    unsigned char bytes[BITS_MAX_BYTES];
    size_t size = strlen(bits);
    if (size == 0 || size % 4 != 0 || size / 4 * 3 > sizeof bytes) return;
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)bits, (int)size);
    int64_t start = key->offset;
    for (int i = 0; i < decoded * 8; i++) {
        if (!(bytes[i / 8] >> i % 8 & 1)) continue;
        key->offset = start + i;
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
    acknowledge_bits(data, &key, relaxed_json_text(ack, "b", ""));
}

void pop_handle_batch_ack(struct request *request)
{
    json_t *json;
    mqc_error error;
    if (relaxed_json_parse(request->command->body, "batch of acknowledgements", &json, &error) !=
        MQC_OK) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "com.alibaba.fastjson.JSONException: %s",
                       error.text);
        return;
    }
    const json_t *acks = json_object_get(json, "acks");
    for (size_t i = 0; i < json_array_size(acks); i++)
        acknowledge(request->broker->data, json_array_get(acks, i));
    json_decref(json);
    request_done(request);
}
