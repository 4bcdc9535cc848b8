/* The smaller JSON bodies; pure functions. Read and written by the client's processors of broker
 * requests, by rebalancing, the admin commands and the embedded broker. */
#include "lib/protocol/bodies.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/relaxed_json.h"

/* ---- lists of names ---- */

void name_list_done(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++) memory_free(list->names[i]);
    memory_free(list->names);
    *list = (struct name_list){0};
}

bool name_list_add(struct name_list *list, struct slice name)
{
    /* Full at every power of two, so that no capacity has to be kept. */
    if ((list->count & (list->count - 1)) == 0) {
        size_t capacity = list->count ? list->count * 2 : 1;
        char **names = memory_resize(list->names, capacity * sizeof *names);
        if (!names) return false;
        list->names = names;
    }
    char *copy = slice_duplicate(name.data ? name : SLICE_LITERAL(""));
    if (!copy) return false;
    list->names[list->count++] = copy;
    return true;
}

static mqc_status names_decode(struct slice body, const char *what, const char *member,
                               struct name_list *out, mqc_error *error)
{
    *out = (struct name_list){0};
    json_t *json;
    mqc_status status = relaxed_json_parse(body, what, &json, error);
    if (status != MQC_OK) return status;
    const json_t *array = json_object_get(json, member);
    size_t count = json_array_size(array);
    for (size_t i = 0; status == MQC_OK && i < count; i++) {
        const json_t *name = json_array_get(array, i);
        if (!json_is_string(name))
            status = error_set(error, MQC_BAD_FRAME, "%s: %s has a member that is no text", what,
                               member);
        else if (!name_list_add(out, slice_text(json_string_value(name))))
            status = error_no_memory(error);
    }
    json_decref(json);
    if (status != MQC_OK) name_list_done(out);
    return status;
}

static void names_encode(const struct name_list *list, const char *member, struct buffer *out)
{
    buffer_put_text(out, "{\"");
    buffer_put_text(out, member);
    buffer_put_text(out, "\":[");
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        json_put_text(out, slice_text(list->names[i]));
    }
    buffer_put_text(out, "]}");
}

mqc_status consumer_list_decode(struct slice body, struct name_list *out, mqc_error *error)
{
    return names_decode(body, "consumer list", "consumerIdList", out, error);
}

void consumer_list_encode(const struct name_list *list, struct buffer *out)
{
    names_encode(list, "consumerIdList", out);
}

mqc_status topic_list_decode(struct slice body, struct name_list *out, mqc_error *error)
{
    return names_decode(body, "topic list", "topicList", out, error);
}

void topic_list_encode(const struct name_list *list, struct buffer *out)
{
    names_encode(list, "topicList", out);
}

/* ---- answers to a broker's requests ---- */

void consume_directly_result_encode(const char *consume_result, bool order, const char *remark,
                                    int64_t spent_ms, struct buffer *out)
{
    buffer_put_text(out, "{\"autoCommit\":true,\"consumeResult\":");
    json_put_text(out, slice_text(consume_result));
    buffer_put_text(out, order ? ",\"order\":true" : ",\"order\":false");
    if (remark) {
        buffer_put_text(out, ",\"remark\":");
        json_put_text(out, slice_text(remark));
    }
    buffer_put_text(out, ",\"spentTimeMills\":");
    buffer_put_decimal(out, spent_ms);
    buffer_put_8(out, '}');
}

/* ---- offsets by queue ---- */

static mqc_status visit_queue(const json_t *queue, int64_t offset, queue_offset_visitor *visit,
                              void *arg, mqc_error *error)
{
    const char *topic = relaxed_json_text(queue, "topic", NULL);
    const char *broker_name = relaxed_json_text(queue, "brokerName", NULL);
    int64_t queue_id = relaxed_json_number(queue, "queueId", -1);
    if (!topic || !broker_name || queue_id < 0 || queue_id > INT32_MAX || offset < 0)
        return error_set(error, MQC_BAD_FRAME,
                         "offset table: an entry lacks topic, brokerName, queueId or offset");
    if (visit) visit(slice_text(topic), slice_text(broker_name), (int32_t)queue_id, offset, arg);
    return MQC_OK;
}

static int64_t offset_of(const json_t *value)
{
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* Both forms: {{queue}:offset} (ResetOffsetBody.java), [{queue and offset}]
 * (ResetOffsetBodyForC.java). Without a visitor it only checks. */
static mqc_status visit_table(json_t *table, queue_offset_visitor *visit, void *arg,
                              mqc_error *error)
{
    mqc_status status = MQC_OK;
    for (size_t i = 0; status == MQC_OK && i < json_array_size(table); i++) {
        const json_t *entry = json_array_get(table, i);
        int64_t offset = relaxed_json_number(entry, "offset", -1);
        status = visit_queue(entry, offset, visit, arg, error);
    }
    const char *key;
    json_t *value;
    json_object_foreach(table, key, value)
    {
        json_t *queue;
        status = relaxed_json_parse(slice_text(key), "offset table's key", &queue, error);
        if (status != MQC_OK) break;
        status = visit_queue(queue, offset_of(value), visit, arg, error);
        json_decref(queue);
        if (status != MQC_OK) break;
    }
    return status;
}

mqc_status reset_offset_decode(struct slice body, queue_offset_visitor *visit, void *arg,
                               mqc_error *error)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "offset table", &json, error);
    if (status != MQC_OK) return status;
    json_t *table = json_object_get(json, "offsetTable");
    if (!table) status = error_set(error, MQC_BAD_FRAME, "offset table: no offsetTable");
    /* All or nothing: a table that is damaged further on resets no queue. */
    if (status == MQC_OK) status = visit_table(table, NULL, NULL, error);
    if (status == MQC_OK) status = visit_table(table, visit, arg, error);
    json_decref(json);
    return status;
}
