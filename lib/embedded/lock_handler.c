/* LOCK_BATCH_MQ and UNLOCK_BATCH_MQ (AdminBrokerProcessor.lockBatchMQ). On the I/O thread. */
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/relaxed_json.h"

/* The body of both requests; NULL when it was answered because it is wrong. */
static json_t *parse_body(struct request *request)
{
    json_t *json;
    mqc_error error;
    if (relaxed_json_parse(request->command->body, "lock request", &json, &error) == MQC_OK)
        return json;
    request_refuse(request, RESPONSE_SYSTEM_ERROR, "com.alibaba.fastjson2.JSONException: %s",
                   error.text);
    return NULL;
}

static bool read_key(const json_t *queue, const char *group, struct lock_key *key)
{
    const char *topic = relaxed_json_text(queue, "topic", NULL);
    int64_t queue_id = relaxed_json_number(queue, "queueId", -1);
    if (!topic || queue_id < 0 || queue_id > INT32_MAX) return false;
    *key = (struct lock_key){slice_text(group), slice_text(topic), (int32_t)queue_id};
    return true;
}

static void put_queue(struct buffer *out, const json_t *queue, const struct lock_key *key)
{
    if (out->data[out->size - 1] == '}') buffer_put_8(out, ',');
    buffer_put_text(out, "{\"brokerName\":");
    json_put_text(out, slice_text(relaxed_json_text(queue, "brokerName", "")));
    buffer_put_format(out, ",\"queueId\":%d,\"topic\":", (int)key->queue_id);
    json_put_text(out, key->topic);
    buffer_put_8(out, '}');
}

void lock_handle_take(struct request *request)
{
    struct buffer body;
    struct lock_key key;
    int64_t now = cluster_message_time(request->cluster);
    json_t *json = parse_body(request);
    if (!json) return;
    buffer_init(&body);
    buffer_put_text(&body, "{\"lockOKMQSet\":[");
    const char *group = relaxed_json_text(json, "consumerGroup", "");
    struct slice client_id = slice_text(relaxed_json_text(json, "clientId", ""));
    const json_t *queues = json_object_get(json, "mqSet");
    for (size_t i = 0; !body.failed && i < json_array_size(queues); i++) {
        const json_t *queue = json_array_get(queues, i);
        if (read_key(queue, group, &key) &&
            locks_take(&request->broker->data->locks, &key, client_id, now))
            put_queue(&body, queue, &key);
    }
    buffer_put_text(&body, "]}");
    request_answer_body(request, &body);
    buffer_done(&body);
    json_decref(json);
}

void lock_handle_release(struct request *request)
{
    struct lock_key key;
    json_t *json = parse_body(request);
    if (!json) return;
    const char *group = relaxed_json_text(json, "consumerGroup", "");
    struct slice client_id = slice_text(relaxed_json_text(json, "clientId", ""));
    const json_t *queues = json_object_get(json, "mqSet");
    for (size_t i = 0; i < json_array_size(queues); i++)
        if (read_key(json_array_get(queues, i), group, &key))
            locks_release(&request->broker->data->locks, &key, client_id);
    json_decref(json);
    request_done(request);
}
