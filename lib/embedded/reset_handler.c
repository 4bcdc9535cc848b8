/* Setting a group elsewhere: INVOKE_BROKER_TO_RESET_OFFSET. By default the offset is set here and
 * each member hears of it with its next pull (AdminBrokerProcessor.resetOffsetInner); without
 * useServerSideResetOffset, as on 4.x, the members are told, and set it
 * (Broker2Client.resetOffset). On the I/O thread. */
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

/* ---- the members are told ---- */

/* One queue in a list: what clients in C++ are sent. */
static void put_listed(struct buffer *out, const struct broker_data *data, const char *topic,
                       int32_t queue_id, int64_t offset)
{
    if (queue_id > 0) buffer_put_8(out, ',');
    buffer_put_text(out, "{\"brokerName\":");
    json_put_text(out, slice_text(data->name));
    buffer_put_format(out, ",\"offset\":%lld,\"queueId\":%d,\"topic\":", (long long)offset,
                      (int)queue_id);
    json_put_text(out, slice_text(topic));
    buffer_put_8(out, '}');
}

/* Both forms of the new offsets; false when the group has none here. */
static bool make_tables(const struct broker_data *data, const struct reset_offset_header *header,
                        const struct topic *topic, const struct group *group, struct buffer *table,
                        struct buffer *list)
{
    buffer_put_text(table, "{\"offsetTable\":{");
    buffer_put_text(list, "{\"offsetTable\":[");
    for (int32_t i = 0; i < topic->write_queues; i++) {
        const struct store_queue *queue = topic_queue(topic, i);
        int64_t stored = group ? group_offset(group, header->topic, i) : -1;
        if (stored < 0) return false;
        int64_t offset = header->timestamp == -1
                             ? store_queue_max_offset(queue)
                             : store_queue_search(queue, header->timestamp, false);
        if (!header->force && offset > stored) offset = stored;
        put_queue(table, data, topic->name, i);
        buffer_put_decimal(table, offset);
        put_listed(list, data, topic->name, i, offset);
    }
    buffer_put_text(table, "}}");
    buffer_put_text(list, "]}");
    return true;
}

static void tell_members(struct request *request, const struct reset_offset_header *header)
{
    struct broker_data *data = request->broker->data;
    const struct topic *topic = message_store_topic(&data->store, header->topic);
    const struct group *group = groups_find(&data->groups, header->consumer_group);
    const struct consumers *consumers =
        clients_consumers(&request->broker->clients, header->consumer_group);
    bool as_list = request->command->language == COMMAND_LANGUAGE_CPP;
    struct buffer table, list;
    buffer_init(&table);
    buffer_init(&list);
    if (!topic)
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST,
                       "[reset-offset] reset offset failed, no topic in this broker. topic=%.*s",
                       SLICE_FORMAT(header->topic));
    else if (!make_tables(data, header, topic, group, &table, &list))
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "THe consumer group <%.*s> not exist",
                       SLICE_FORMAT(header->consumer_group));
    else if (!consumers)
        request_refuse(request, RESPONSE_CONSUMER_NOT_ONLINE,
                       "Consumer not online, so can not reset offset, Group: %.*s Topic: %.*s "
                       "Timestamp: %lld",
                       SLICE_FORMAT(header->consumer_group), SLICE_FORMAT(header->topic),
                       (long long)header->timestamp);
    else if (table.failed || list.failed)
        request_no_memory(request);
    else {
        LIST_EACH(&consumers->members, link)
        {
            const struct member *member = CONTAINER_OF(link, struct member, in_group);
            push_oneway(member->connection, REQUEST_RESET_CONSUMER_CLIENT_OFFSET,
                        &reset_offset_layout, header, buffer_slice(as_list ? &list : &table));
        }
        request_answer_body(request, &table);
    }
    buffer_done(&table);
    buffer_done(&list);
}

/* ---- here ---- */

/* The offset that one queue is set to; false when the one asked for is out of range. */
static bool reset_target(const struct reset_offset_header *header, const struct store_queue *queue,
                         int64_t *target)
{
    int64_t max = store_queue_max_offset(queue);
    if (header->queue_id >= 0 && header->offset >= 0) {
        *target = header->offset;
        return header->offset >= queue->min_offset && header->offset <= max + 1;
    }
    *target = header->timestamp < 0 ? max : store_queue_search(queue, header->timestamp, false);
    return true;
}

static void reset_here(struct request *request, const struct reset_offset_header *header,
                       struct group *group, const struct topic *topic)
{
    struct buffer body;
    buffer_init(&body);
    buffer_put_text(&body, "{\"offsetTable\":{");
    int32_t first = header->queue_id >= 0 ? header->queue_id : 0;
    int32_t behind = header->queue_id >= 0 ? header->queue_id + 1 : topic->read_queues;
    for (int32_t i = first; !body.failed && i < behind; i++) {
        const struct store_queue *queue = topic_queue(topic, i);
        int64_t target;
        if (!queue || !reset_target(header, queue, &target)) {
            request_refuse(request, RESPONSE_SYSTEM_ERROR,
                           "Target offset %lld not in consume queue range [%lld-%lld]",
                           (long long)header->offset, (long long)(queue ? queue->min_offset : 0),
                           (long long)(queue ? store_queue_max_offset(queue) : 0));
            buffer_done(&body);
            return;
        }
        if (!group_reset_offset(group, slice_text(topic->name), i, topic->queue_count, target))
            body.failed = true;
        put_queue(&body, request->broker->data, topic->name, i);
        buffer_put_decimal(&body, target);
    }
    buffer_put_text(&body, "}}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

void reset_handle(struct request *request)
{
    struct reset_offset_header header;
    if (!request_header(request, &reset_offset_layout, &header)) return;
    struct broker_data *data = request->broker->data;
    if (!data->settings.server_side_reset) {
        tell_members(request, &header);
        return;
    }
    const struct topic *topic = message_store_topic(&data->store, header.topic);
    struct group *group = groups_find(&data->groups, header.consumer_group);
    if (request->broker->broker_id != 0)
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "Can not reset offset in slave broker");
    else if (!topic)
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST, "Topic %.*s does not exist",
                       SLICE_FORMAT(header.topic));
    else if (!group)
        request_refuse(request, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST, "Group %.*s does not exist",
                       SLICE_FORMAT(header.consumer_group));
    else if (header.queue_id == INT32_MAX)
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "No queues to reset.");
    else
        reset_here(request, &header, group, topic);
}
