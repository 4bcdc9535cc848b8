/* The body of HEART_BEAT, code 34 (HeartbeatData.java); pure functions. Written by the client's
 * heartbeat task, read by the embedded broker. */
#include "lib/protocol/heartbeat.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/relaxed_json.h"

static mqc_status decode_producers(const json_t *array, struct heartbeat *out, mqc_error *error);
static mqc_status decode_consumers(const json_t *array, struct heartbeat *out, mqc_error *error);
static mqc_status decode_consumer(const json_t *json, struct heartbeat_consumer *out,
                                  mqc_error *error);
static void free_text(const char *text);

static void encode_consumer(const struct heartbeat_consumer *consumer, struct buffer *out)
{
    buffer_put_text(out, "{\"consumeFromWhere\":");
    json_put_text(out, slice_text(consumer->consume_from));
    buffer_put_text(out, ",\"consumeType\":");
    json_put_text(out, slice_text(consumer->consume_type));
    buffer_put_text(out, ",\"groupName\":");
    json_put_text(out, slice_text(consumer->group));
    buffer_put_text(out, ",\"messageModel\":");
    json_put_text(out, slice_text(consumer->message_model));
    buffer_put_text(out, ",\"subscriptionDataSet\":[");
    for (size_t i = 0; i < consumer->subscription_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        subscription_encode(&consumer->subscriptions[i], out);
    }
    buffer_put_text(out, "],\"unitMode\":");
    buffer_put_text(out, consumer->unit_mode ? "true}" : "false}");
}

void heartbeat_encode(const struct heartbeat *heartbeat, struct buffer *out)
{
    buffer_put_text(out, "{\"clientID\":");
    json_put_text(out, slice_text(heartbeat->client_id));
    buffer_put_text(out, ",\"consumerDataSet\":[");
    for (size_t i = 0; i < heartbeat->consumer_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        encode_consumer(&heartbeat->consumers[i], out);
    }
    buffer_put_text(out, "],\"heartbeatFingerprint\":0,\"producerDataSet\":[");
    for (size_t i = 0; i < heartbeat->producer_count; i++) {
        buffer_put_text(out, i > 0 ? ",{\"groupName\":" : "{\"groupName\":");
        json_put_text(out, slice_text(heartbeat->producers[i]));
        buffer_put_8(out, '}');
    }
    buffer_put_text(out, "],\"withoutSub\":false}");
}

mqc_status heartbeat_decode(struct slice body, struct heartbeat *out, mqc_error *error)
{
    *out = (struct heartbeat){0};
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "heartbeat", &json, error);
    if (status != MQC_OK) return status;
    const char *client_id = relaxed_json_text(json, "clientID", NULL);
    if (!client_id) {
        status = error_set(error, MQC_BAD_FRAME, "heartbeat without a clientID");
    } else {
        out->client_id = memory_duplicate(client_id);
        if (!out->client_id) status = error_no_memory(error);
    }
    if (status == MQC_OK)
        status = decode_producers(json_object_get(json, "producerDataSet"), out, error);
    if (status == MQC_OK)
        status = decode_consumers(json_object_get(json, "consumerDataSet"), out, error);
    if (status != MQC_OK) heartbeat_decoded_done(out);
    json_decref(json);
    return status;
}

static mqc_status decode_producers(const json_t *array, struct heartbeat *out, mqc_error *error)
{
    size_t count = json_array_size(array);
    out->producers = memory_allocate_zero(count, sizeof *out->producers);
    if (!out->producers) return error_no_memory(error);
    for (; out->producer_count < count; out->producer_count++) {
        const json_t *producer = json_array_get(array, out->producer_count);
        const char *group = relaxed_json_text(producer, "groupName", NULL);
        if (!group) return error_set(error, MQC_BAD_FRAME, "heartbeat: producer without groupName");
        const char *copy = memory_duplicate(group);
        if (!copy) return error_no_memory(error);
        out->producers[out->producer_count] = copy;
    }
    return MQC_OK;
}

static mqc_status decode_consumers(const json_t *array, struct heartbeat *out, mqc_error *error)
{
    size_t count = json_array_size(array);
    out->consumers = memory_allocate_zero(count, sizeof *out->consumers);
    if (!out->consumers) return error_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        out->consumer_count++; /* what a failure leaves half made is released with the rest */
        mqc_status status = decode_consumer(json_array_get(array, i), &out->consumers[i], error);
        if (status != MQC_OK) return status;
    }
    return MQC_OK;
}

static mqc_status decode_consumer(const json_t *json, struct heartbeat_consumer *out,
                                  mqc_error *error)
{
    const char *group = relaxed_json_text(json, "groupName", NULL);
    if (!group) return error_set(error, MQC_BAD_FRAME, "heartbeat: consumer without groupName");
    out->group = memory_duplicate(group);
    out->consume_type =
        memory_duplicate(relaxed_json_text(json, "consumeType", "CONSUME_PASSIVELY"));
    out->message_model = memory_duplicate(relaxed_json_text(json, "messageModel", "CLUSTERING"));
    out->consume_from =
        memory_duplicate(relaxed_json_text(json, "consumeFromWhere", "CONSUME_FROM_LAST_OFFSET"));
    out->unit_mode = relaxed_json_bool(json, "unitMode", false);
    if (!out->group || !out->consume_type || !out->message_model || !out->consume_from)
        return error_no_memory(error);
    const json_t *array = json_object_get(json, "subscriptionDataSet");
    size_t count = json_array_size(array);
    out->subscriptions = memory_allocate_zero(count, sizeof *out->subscriptions);
    if (!out->subscriptions) return error_no_memory(error);
    for (; out->subscription_count < count; out->subscription_count++) {
        mqc_status status =
            subscription_decode(json_array_get(array, out->subscription_count),
                                &out->subscriptions[out->subscription_count], error);
        if (status != MQC_OK) return status;
    }
    return MQC_OK;
}

void heartbeat_decoded_done(struct heartbeat *heartbeat)
{
    for (size_t i = 0; i < heartbeat->producer_count; i++) free_text(heartbeat->producers[i]);
    memory_free(heartbeat->producers);
    for (size_t i = 0; i < heartbeat->consumer_count; i++) {
        struct heartbeat_consumer *consumer = &heartbeat->consumers[i];
        for (size_t j = 0; j < consumer->subscription_count; j++)
            subscription_done(&consumer->subscriptions[j]);
        memory_free(consumer->subscriptions);
        free_text(consumer->group);
        free_text(consumer->consume_type);
        free_text(consumer->message_model);
        free_text(consumer->consume_from);
    }
    memory_free(heartbeat->consumers);
    free_text(heartbeat->client_id);
    *heartbeat = (struct heartbeat){0};
}

/* The texts are const for those who encode; of a decoded heartbeat they are its own. */
static void free_text(const char *text)
{
    memory_free((void *)(uintptr_t)text);
}
