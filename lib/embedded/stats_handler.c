/* How far groups are: GET_CONSUME_STATS and the like (AdminBrokerProcessor.java). On the I/O
 * thread.
 */
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/relaxed_json.h"

static void put_queue(struct buffer *out, const struct broker_data *data, const char *topic,
                      int32_t queue_id)
{
    if (out->size > 0 && out->data[out->size - 1] != '{') buffer_put_8(out, ',');
    buffer_put_text(out, "{\"brokerName\":");
    json_put_text(out, slice_text(data->name));
    buffer_put_format(out, ",\"queueId\":%d,\"topic\":", (int)queue_id);
    json_put_text(out, slice_text(topic));
    buffer_put_text(out, "}:");
}

static void put_topic_stats(struct buffer *out, const struct broker_data *data,
                            const struct group *group, const struct topic *topic)
{
    struct slice name = slice_text(topic->name);
    for (int32_t i = 0; !out->failed && i < topic->read_queues; i++) {
        const struct store_queue *queue = topic_queue(topic, i);
        int64_t consumed = group_offset(group, name, i);
        int64_t pulled = group_pulled(group, name, i);
        if (consumed < 0) consumed = 0;
        if (pulled < consumed) pulled = consumed;
        const struct record *last = store_queue_at(queue, consumed - 1);
        put_queue(out, data, topic->name, i);
        buffer_put_format(out,
                          "{\"brokerOffset\":%lld,\"consumerOffset\":%lld,\"lastTimestamp\":%lld,"
                          "\"pullOffset\":%lld}",
                          (long long)store_queue_max_offset(queue), (long long)consumed,
                          (long long)(last ? last->stored_unix_ms : 0), (long long)pulled);
    }
}

/* Whether a topic was asked for: by name, in a list separated by ';', or by nothing. */
static bool is_wanted(const struct get_consume_stats_header *header, struct slice topic)
{
    if (header->topic_list.size > 0) {
        struct slice rest = header->topic_list;
        while (rest.data)
            if (slice_equal(slice_split(&rest, ";"), topic)) return true;
        return false;
    }
    return header->topic.size == 0 || slice_equal(header->topic, topic);
}

void stats_handle_consume(struct request *request)
{
    struct get_consume_stats_header header;
    if (!request_header(request, &get_consume_stats_layout, &header)) return;
    const struct broker_data *data = request->broker->data;
    const struct group *group = groups_find(&data->groups, header.consumer_group);
    struct buffer body;
    size_t position = 0;
    struct map_entry entry;
    buffer_init(&body);
    buffer_put_text(&body, "{\"consumeTps\":0.0,\"offsetTable\":{");
    while (group && map_next(&group->topics, &position, &entry)) {
        struct slice name = slice_of(entry.key, entry.key_size);
        const struct topic *topic = message_store_topic(&data->store, name);
        if (topic && group_has_offset(group, name) && is_wanted(&header, name))
            put_topic_stats(&body, data, group, topic);
    }
    buffer_put_text(&body, "}}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

/* ---- all groups ---- */

/* Messages that a group has not consumed of a topic. */
static int64_t lag_of(const struct group *group, const struct topic *topic)
{
    int64_t lag = 0;
    for (int32_t i = 0; i < topic->read_queues; i++) {
        int64_t consumed = group_offset(group, slice_text(topic->name), i);
        lag += store_queue_max_offset(topic_queue(topic, i)) - (consumed < 0 ? 0 : consumed);
    }
    return lag;
}

/* {"group":[{"consumeTps":…,"offsetTable":{…}},…]}; returns the group's lag. */
static int64_t put_group(struct buffer *out, const struct broker_data *data,
                         const struct group *group, bool orderly)
{
    int64_t lag = 0;
    size_t position = 0, put = 0;
    struct map_entry entry;
    buffer_put_8(out, '{');
    json_put_text(out, slice_text(group->name));
    buffer_put_text(out, ":[");
    while (!out->failed && map_next(&group->topics, &position, &entry)) {
        struct slice name = slice_of(entry.key, entry.key_size);
        const struct topic *topic = message_store_topic(&data->store, name);
        if (!topic || !group_has_offset(group, name) || (orderly && !topic->ordered)) continue;
        buffer_put_text(out, put++ > 0 ? ",{" : "{");
        buffer_put_text(out, "\"consumeTps\":0.0,\"offsetTable\":{");
        put_topic_stats(out, data, group, topic);
        buffer_put_text(out, "}}");
        lag += lag_of(group, topic);
    }
    buffer_put_text(out, "]}");
    return lag;
}

void stats_handle_all_groups(struct request *request)
{
    struct get_broker_consume_stats_header header;
    if (!request_header(request, &get_broker_consume_stats_layout, &header)) return;
    const struct broker_data *data = request->broker->data;
    struct buffer body;
    int64_t lag = 0;
    size_t position = 0, put = 0;
    struct map_entry entry;
    buffer_init(&body);
    buffer_put_text(&body, "{\"brokerAddr\":");
    json_put_text(&body, slice_text(request->broker->address));
    buffer_put_text(&body, ",\"consumeStatsList\":[");
    while (map_next(&data->groups.by_name, &position, &entry)) {
        if (put++ > 0) buffer_put_8(&body, ',');
        lag += put_group(&body, data, entry.value, header.orderly);
    }
    buffer_put_format(&body, "],\"totalDiff\":%lld,\"totalInflightDiff\":0}", (long long)lag);
    request_answer_body(request, &body);
    buffer_done(&body);
}
