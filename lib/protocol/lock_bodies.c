/* Locks of queues as JSON; pure functions, called by client_locks.c. */
#include "lib/protocol/lock_bodies.h"

#include <string.h>

#include "lib/protocol/namespace.h"
#include "lib/protocol/relaxed_json.h"

void lock_request_encode(const char *name_space, const char *group, const char *client_id,
                         const mqc_message_queue *queues, size_t count, struct buffer *out)
{
    char room[NAME_BYTES];
    buffer_put_text(out, "{\"clientId\":");
    json_put_text(out, slice_text(client_id));
    buffer_put_text(out, ",\"consumerGroup\":");
    json_put_text(out, namespace_wrap(name_space, slice_text(group), room));
    buffer_put_text(out, ",\"mqSet\":[");
    for (size_t i = 0; i < count; i++) {
        buffer_put_text(out, i > 0 ? ",{\"brokerName\":" : "{\"brokerName\":");
        json_put_text(out, slice_text(queues[i].broker_name));
        buffer_put_text(out, ",\"queueId\":");
        buffer_put_decimal(out, queues[i].queue_id);
        buffer_put_text(out, ",\"topic\":");
        json_put_text(out, namespace_wrap(name_space, slice_text(queues[i].topic), room));
        buffer_put_8(out, '}');
    }
    buffer_put_text(out, "],\"onlyThisBroker\":false}");
}

mqc_status lock_response_decode(struct slice body, const char *name_space,
                                const mqc_message_queue *queues, size_t count, bool *locked,
                                mqc_error *error)
{
    json_t *json;
    for (size_t i = 0; i < count; i++) locked[i] = false;
    mqc_status status = relaxed_json_parse(body, "locked queues", &json, error);
    if (status != MQC_OK) return status;
    const json_t *array = json_object_get(json, "lockOKMQSet");
    for (size_t at = 0; at < json_array_size(array); at++) {
        const json_t *queue = json_array_get(array, at);
        char room[NAME_BYTES];
        struct slice topic =
            namespace_unwrap(name_space, slice_text(relaxed_json_text(queue, "topic", "")), room);
        const char *broker_name = relaxed_json_text(queue, "brokerName", "");
        int64_t queue_id = relaxed_json_number(queue, "queueId", -1);
        for (size_t i = 0; i < count; i++)
            if (queues[i].queue_id == queue_id && slice_is(topic, queues[i].topic) &&
                strcmp(queues[i].broker_name, broker_name) == 0)
                locked[i] = true;
    }
    json_decref(json);
    return MQC_OK;
}
