/* Bodies about queues, whose keys are whole objects ({"brokerName":"b","queueId":0,"topic":"t"}):
 * see decode.h. */
#include "lib/admin/decode.h"

#include "lib/base/error.h"
#include "lib/protocol/relaxed_json.h"

double json_real_member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : 0;
}

mqc_status queue_read(void *result, const json_t *object, mqc_message_queue *out, mqc_error *error)
{
    const char *topic = relaxed_json_text(object, "topic", NULL);
    const char *broker_name = relaxed_json_text(object, "brokerName", NULL);
    int64_t queue_id = relaxed_json_number(object, "queueId", INT64_MIN);
    /* -1: all queues of a topic at a broker, which are popped together. */
    if (!topic || !broker_name || queue_id < -1 || queue_id > INT32_MAX)
        return error_set(error, MQC_BAD_FRAME, "a queue lacks topic, brokerName or queueId");
    *out = (mqc_message_queue){result_text(result, topic), result_text(result, broker_name),
                               (int)queue_id};
    return out->topic && out->broker_name ? MQC_OK : error_no_memory(error);
}

mqc_status queue_table_read(void *result, const json_t *table, queue_entry *add, mqc_error *error)
{
    mqc_status status = MQC_OK;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)table, key, value)
    {
        json_t *object;
        mqc_message_queue queue;
        status = relaxed_json_parse(slice_text(key), "a queue as key", &object, error);
        if (status != MQC_OK) break;
        status = queue_read(result, object, &queue, error);
        json_decref(object);
        if (status == MQC_OK) status = add(result, &queue, value, error);
        if (status != MQC_OK) break;
    }
    return status;
}

/* ---- topics ---- */

static mqc_status add_queue_status(void *result, const mqc_message_queue *queue,
                                   const json_t *value, mqc_error *error)
{
    mqc_topic_status *status = result;
    mqc_queue_status *entry = result_add(result, 1, sizeof *entry);
    if (!result_append(result, &status->queues, &status->count, entry))
        return error_no_memory(error);
    entry->queue = *queue;
    entry->min_offset = relaxed_json_number(value, "minOffset", 0);
    entry->max_offset = relaxed_json_number(value, "maxOffset", 0);
    entry->last_update_unix_ms = relaxed_json_number(value, "lastUpdateTimestamp", 0);
    status->messages += entry->max_offset - entry->min_offset;
    return MQC_OK;
}

mqc_status topic_status_add(mqc_topic_status *status, struct slice body, mqc_error *error)
{
    json_t *json;
    mqc_status good = relaxed_json_parse(body, "topic statistics", &json, error);
    if (good != MQC_OK) return good;
    status->put_tps += json_real_member(json, "topicPutTps");
    good = queue_table_read(status, json_object_get(json, "offsetTable"), add_queue_status, error);
    json_decref(json);
    return good;
}

static int compare_status(const void *a, const void *b)
{
    return compare_message_queues(&(*(const mqc_queue_status *const *)a)->queue,
                                  &(*(const mqc_queue_status *const *)b)->queue);
}

void topic_status_finish(mqc_topic_status *status)
{
    result_sort(status->queues, status->count, compare_status);
}

/* ---- groups ---- */

static mqc_status add_queue_progress(void *result, const mqc_message_queue *queue,
                                     const json_t *value, mqc_error *error)
{
    mqc_group_progress *progress = result;
    mqc_queue_progress *entry = result_add(result, 1, sizeof *entry);
    if (!result_append(result, &progress->queues, &progress->count, entry))
        return error_no_memory(error);
    entry->queue = *queue;
    entry->broker_offset = relaxed_json_number(value, "brokerOffset", 0);
    entry->consumer_offset = relaxed_json_number(value, "consumerOffset", 0);
    entry->last_unix_ms = relaxed_json_number(value, "lastTimestamp", 0);
    /* Brokers of 4.x tell no pull offset: nothing is known to be in flight then. mqadmin 5.5.0
     * shows minus the consumer offset there. */
    entry->pull_offset = relaxed_json_number(value, "pullOffset", entry->consumer_offset);
    entry->lag = entry->broker_offset - entry->consumer_offset;
    entry->inflight = entry->pull_offset - entry->consumer_offset;
    progress->lag += entry->lag;
    progress->inflight += entry->inflight;
    return MQC_OK;
}

mqc_status group_progress_add(mqc_group_progress *progress, struct slice body, mqc_error *error)
{
    json_t *json;
    mqc_status good = relaxed_json_parse(body, "consume statistics", &json, error);
    if (good != MQC_OK) return good;
    progress->consume_tps += json_real_member(json, "consumeTps");
    good =
        queue_table_read(progress, json_object_get(json, "offsetTable"), add_queue_progress, error);
    json_decref(json);
    return good;
}

static int compare_progress(const void *a, const void *b)
{
    return compare_message_queues(&(*(const mqc_queue_progress *const *)a)->queue,
                                  &(*(const mqc_queue_progress *const *)b)->queue);
}

void group_progress_finish(mqc_group_progress *progress)
{
    result_sort(progress->queues, progress->count, compare_progress);
}

/* ---- offsets ---- */

static mqc_status add_offset(void *result, const mqc_message_queue *queue, const json_t *value,
                             mqc_error *error)
{
    mqc_offsets *offsets = result;
    if (!json_is_integer(value))
        return error_set(error, MQC_BAD_FRAME, "offset table: an offset is no number");
    mqc_queue_offset *entry = result_add(result, 1, sizeof *entry);
    if (!result_append(result, &offsets->offsets, &offsets->count, entry))
        return error_no_memory(error);
    entry->queue = *queue;
    entry->offset = json_integer_value(value);
    return MQC_OK;
}

/* Of a client in C++, as which this library counts, brokers of 4.x answer with a list
 * (ResetOffsetBodyForC.java). */
mqc_status offsets_add(mqc_offsets *offsets, struct slice body, mqc_error *error)
{
    json_t *json;
    mqc_status good = relaxed_json_parse(body, "offset table", &json, error);
    if (good != MQC_OK) return good;
    const json_t *table = json_object_get(json, "offsetTable");
    good = queue_table_read(offsets, table, add_offset, error);
    for (size_t i = 0; good == MQC_OK && i < json_array_size(table); i++) {
        const json_t *entry = json_array_get(table, i);
        mqc_message_queue queue;
        good = queue_read(offsets, entry, &queue, error);
        if (good == MQC_OK)
            good = add_offset(offsets, &queue, json_object_get(entry, "offset"), error);
    }
    json_decref(json);
    return good;
}

static int compare_offsets(const void *a, const void *b)
{
    return compare_message_queues(&(*(const mqc_queue_offset *const *)a)->queue,
                                  &(*(const mqc_queue_offset *const *)b)->queue);
}

void offsets_finish(mqc_offsets *offsets)
{
    result_sort(offsets->offsets, offsets->count, compare_offsets);
}
