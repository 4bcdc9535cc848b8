/* What administrators ask of groups' offsets: QUERY_CONSUME_TIME_SPAN, QUERY_CORRECTION_OFFSET,
 * CLONE_GROUP_OFFSET (AdminBrokerProcessor.java). On the I/O thread. */
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/relaxed_json.h"

/* ---- time spans ---- */

static int64_t time_at(const struct store_queue *queue, int64_t offset)
{
    const struct record *record = store_queue_at(queue, offset);
    return record ? record->stored_unix_ms : -1;
}

static void put_span(struct buffer *out, const struct broker_data *data, const struct group *group,
                     const struct topic *topic, int32_t queue_id)
{
    const struct store_queue *queue = topic_queue(topic, queue_id);
    int64_t consumed = group ? group_offset(group, slice_text(topic->name), queue_id) : -1;
    int64_t max = store_queue_max_offset(queue);
    int64_t oldest = time_at(queue, queue->min_offset);
    int64_t now = cluster_message_time(data->cluster);
    buffer_put_format(out, "%s{\"consumeTimeStamp\":%lld", queue_id > 0 ? "," : "",
                      (long long)(consumed > 0 ? time_at(queue, consumed - 1) : oldest));
    if (consumed < max)
        buffer_put_format(out, ",\"delayTime\":%lld",
                          (long long)(now - time_at(queue, consumed < 0 ? 0 : consumed)));
    buffer_put_format(out, ",\"maxTimeStamp\":%lld,\"messageQueue\":{\"brokerName\":",
                      (long long)time_at(queue, max - 1));
    json_put_text(out, slice_text(data->name));
    buffer_put_format(out, ",\"queueId\":%d,\"topic\":", (int)queue_id);
    json_put_text(out, slice_text(topic->name));
    buffer_put_format(out, "},\"minTimeStamp\":%lld}", (long long)oldest);
}

void group_offset_handle_time_span(struct request *request)
{
    struct query_consume_time_span_header header;
    if (!request_header(request, &query_consume_time_span_layout, &header)) return;
    const struct broker_data *data = request->broker->data;
    const struct topic *topic = message_store_topic(&data->store, header.topic);
    if (!topic) {
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST, "topic[%.*s] not exist",
                       SLICE_FORMAT(header.topic));
        return;
    }
    const struct group *group = groups_find(&data->groups, header.consumer_group);
    struct buffer body;
    buffer_init(&body);
    buffer_put_text(&body, "{\"consumeTimeSpanSet\":[");
    for (int32_t i = 0; !body.failed && i < topic->write_queues; i++)
        put_span(&body, data, group, topic, i);
    buffer_put_text(&body, "]}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

/* ---- correction ---- */

static bool is_listed(struct slice list, const char *name)
{
    while (list.data)
        if (slice_is(slice_split(&list, ","), name)) return true;
    return false;
}

/* The least offset that any group but the listed ones has of a queue; false for none. */
static bool least_offset(const struct broker_data *data,
                         const struct query_correction_offset_header *header, int32_t queue_id,
                         int64_t *out)
{
    size_t position = 0;
    struct map_entry entry;
    bool found = false;
    while (map_next(&data->groups.by_name, &position, &entry)) {
        const struct group *group = entry.value;
        int64_t offset = group_offset(group, header->topic, queue_id);
        if (offset < 0 || is_listed(header->filter_groups, group->name)) continue;
        if (!found || offset < *out) *out = offset;
        found = true;
    }
    return found;
}

void group_offset_handle_correction(struct request *request)
{
    struct query_correction_offset_header header;
    if (!request_header(request, &query_correction_offset_layout, &header)) return;
    const struct broker_data *data = request->broker->data;
    const struct topic *topic = message_store_topic(&data->store, header.topic);
    const struct group *compared = groups_find(&data->groups, header.compare_group);
    struct buffer body;
    buffer_init(&body);
    buffer_put_text(&body, "{\"correctionOffsets\":{");
    bool first = true;
    for (int32_t i = 0; topic && i < (int32_t)topic->queue_count; i++) {
        int64_t least = 0;
        if (!least_offset(data, &header, i, &least)) continue;
        if (compared && least > group_offset(compared, header.topic, i)) least = INT64_MAX;
        buffer_put_format(&body, "%s%d:%lld", first ? "" : ",", (int)i, (long long)least);
        first = false;
    }
    buffer_put_text(&body, "}}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

/* ---- cloning ---- */

static bool clone_topic(const struct group *from, struct group *to, const struct topic *topic)
{
    struct slice name = slice_text(topic->name);
    for (int32_t i = 0; i < (int32_t)topic->queue_count; i++) {
        int64_t offset = group_offset(from, name, i);
        if (offset >= 0 && !group_set_offset(to, name, i, topic->queue_count, offset)) return false;
    }
    return true;
}

void group_offset_handle_clone(struct request *request)
{
    struct clone_group_offset_header header;
    if (!request_header(request, &clone_group_offset_layout, &header)) return;
    struct broker_data *data = request->broker->data;
    const struct group *from = groups_find(&data->groups, header.source_group);
    struct group *to = groups_get(&data->groups, header.destination_group);
    bool done = true;
    size_t position = 0;
    struct map_entry entry;
    while (from && to && from != to && map_next(&from->topics, &position, &entry)) {
        struct slice name = slice_of(entry.key, entry.key_size);
        const struct topic *topic = message_store_topic(&data->store, name);
        bool wanted = header.topic.size == 0 || slice_equal(name, header.topic);
        if (topic && wanted && !clone_topic(from, to, topic)) done = false;
    }
    if (done)
        request_done(request);
    else
        request_no_memory(request);
}
