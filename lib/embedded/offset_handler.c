/* Offsets: what groups have committed, and where queues begin and end
 * (ConsumerManageProcessor.java, AdminBrokerProcessor.java). On the I/O thread. */
#include <strings.h>

#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"

static void answer_offset(struct request *request, int64_t offset)
{
    struct offset_response_header answer = {.offset = offset};
    request_answer(request, &(struct answer){.layout = &offset_response_layout, .header = &answer});
}

/* NULL when there is no such queue. */
static const struct store_queue *find_queue(const struct request *request, struct slice topic_name,
                                            int32_t queue_id)
{
    const struct topic *topic = message_store_topic(&request->broker->data->store, topic_name);
    return topic ? topic_queue(topic, queue_id) : NULL;
}

void offset_handle_query(struct request *request)
{
    struct query_consumer_offset_header header;
    if (!request_header(request, &query_consumer_offset_layout, &header)) return;
    const struct group *group = groups_find(&request->broker->data->groups, header.consumer_group);
    int64_t offset =
        group ? group_offset(group, header.topic, header.queue_id) : (int64_t)OFFSET_NONE;
    const struct store_queue *queue = find_queue(request, header.topic, header.queue_id);
    if (offset >= 0)
        answer_offset(request, offset);
    else if (!header.set_zero_if_not_found)
        request_refuse(request, RESPONSE_QUERY_NOT_FOUND,
                       "Not found, do not set to zero, maybe this group boot first");
    else if (queue && queue->min_offset <= 0 && queue->count > 0)
        answer_offset(request, 0); /* all there ever was is still in memory */
    else
        request_refuse(request, RESPONSE_QUERY_NOT_FOUND,
                       "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first");
}

void offset_handle_update(struct request *request)
{
    struct update_consumer_offset_header header;
    if (!request_header(request, &update_consumer_offset_layout, &header)) return;
    struct broker_data *data = request->broker->data;
    struct group *group = groups_find(&data->groups, header.consumer_group);
    const struct topic *topic = message_store_topic(&data->store, header.topic);
    if (!group)
        request_refuse(request, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST, "Group %.*s not exist!",
                       SLICE_FORMAT(header.consumer_group));
    else if (!topic)
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST, "Topic %.*s not exist!",
                       SLICE_FORMAT(header.topic));
    else if (group_pending_reset(group, header.topic, header.queue_id) >= 0)
        request_answer(
            request, &(struct answer){.remark = SLICE_LITERAL("Offset has been previously reset")});
    else if (header.queue_id >= 0 && (size_t)header.queue_id < topic->queue_count &&
             !group_set_offset(group, header.topic, header.queue_id, topic->queue_count,
                               header.commit_offset))
        request_no_memory(request);
    else
        request_done(request);
}

void offset_handle_max(struct request *request)
{
    struct get_max_offset_header header;
    if (!request_header(request, &get_max_offset_layout, &header)) return;
    const struct store_queue *queue = find_queue(request, header.topic, header.queue_id);
    answer_offset(request, queue ? store_queue_max_offset(queue) : 0);
}

void offset_handle_min(struct request *request)
{
    struct get_min_offset_header header;
    if (!request_header(request, &get_min_offset_layout, &header)) return;
    const struct store_queue *queue = find_queue(request, header.topic, header.queue_id);
    answer_offset(request, queue ? queue->min_offset : 0);
}

void offset_handle_search(struct request *request)
{
    struct search_offset_header header;
    if (!request_header(request, &search_offset_layout, &header)) return;
    const struct store_queue *queue = find_queue(request, header.topic, header.queue_id);
    bool upper = header.boundary.size == 5 && strncasecmp(header.boundary.data, "UPPER", 5) == 0;
    answer_offset(request, queue ? store_queue_search(queue, header.timestamp, upper) : 0);
}

void offset_handle_earliest(struct request *request)
{
    struct get_earliest_store_time_header header;
    if (!request_header(request, &get_earliest_store_time_layout, &header)) return;
    const struct store_queue *queue = find_queue(request, header.topic, header.queue_id);
    const struct record *first = queue ? store_queue_at(queue, queue->min_offset) : NULL;
    struct get_earliest_store_time_response_header answer = {
        .timestamp = first ? first->stored_unix_ms : -1};
    request_answer(request, &(struct answer){.layout = &get_earliest_store_time_response_layout,
                                             .header = &answer});
}
