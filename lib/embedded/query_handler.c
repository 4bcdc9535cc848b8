/* Finding messages: by offset id, by key, by unique key, by place in a queue
 * (QueryMessageProcessor.java, AdminBrokerProcessor.java). On the I/O thread. There is no index:
 * the records of the topic are looked through. */
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/relaxed_json.h"

enum { FOUND_MAX = 64, UNIQUE_FOUND_MAX = 32, PLACES_MAX = 10000 };

void query_handle_view(struct request *request)
{
    struct view_message_header header;
    if (!request_header(request, &view_message_layout, &header)) return;
    const struct record *record =
        message_store_find(&request->broker->data->store, header.commit_log_offset);
    if (record)
        request_answer(request, &(struct answer){.body = record_bytes(record)});
    else
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "can not find message by the offset, %lld",
                       (long long)header.commit_log_offset);
}

static bool has_key(struct slice keys, struct slice wanted)
{
    while (keys.data) {
        struct slice key = slice_split(&keys, " ");
        if (key.size > 0 && slice_equal(key, wanted)) return true;
    }
    return false;
}

static bool matches(const struct record *record, const struct query_message_header *wanted)
{
    if (record->stored_unix_ms < wanted->begin_timestamp ||
        record->stored_unix_ms > wanted->end_timestamp)
        return false;
    struct slice properties = record_properties(record);
    struct slice unique = properties_find(properties, PROPERTY_UNIQUE_KEY);
    if (unique.data && slice_equal(unique, wanted->key)) return true;
    if (wanted->unique_key_query || slice_is(wanted->index_type, "U")) return false;
    return has_key(properties_find(properties, PROPERTY_KEYS), wanted->key);
}

/* The newest of a queue first, as the real index. Returns how many were put. */
static int32_t search_queue(const struct store_queue *queue,
                            const struct query_message_header *wanted, int32_t most,
                            struct buffer *out)
{
    int32_t found = 0;
    for (int64_t at = store_queue_max_offset(queue) - 1; found < most; at--) {
        const struct record *record = store_queue_at(queue, at);
        if (!record) break;
        if (!matches(record, wanted)) continue;
        buffer_put_slice(out, record_bytes(record));
        found++;
    }
    return found;
}

void query_handle_by_key(struct request *request)
{
    struct query_message_header header;
    if (!request_header(request, &query_message_layout, &header)) return;
    const struct topic *topic = message_store_topic(&request->broker->data->store, header.topic);
    int32_t left = header.unique_key_query           ? UNIQUE_FOUND_MAX
                   : header.max_messages > FOUND_MAX ? FOUND_MAX
                                                     : header.max_messages;
    struct buffer found;
    buffer_init(&found);
    for (size_t i = 0; topic && i < topic->queue_count && left > 0; i++)
        left -= search_queue(&topic->queues[i], &header, left, &found);
    struct query_message_response_header answer = {
        .index_last_update_timestamp = cluster_message_time(request->cluster),
        .index_last_update_offset = request->broker->data->store.next_offset,
    };
    if (found.failed)
        request_no_memory(request);
    else if (found.size > 0)
        request_answer(request, &(struct answer){.layout = &query_message_response_layout,
                                                 .header = &answer,
                                                 .body = buffer_slice(&found)});
    else
        request_refuse(request, RESPONSE_QUERY_NOT_FOUND,
                       "can not find message, maybe time range not correct");
    buffer_done(&found);
}

/* ---- QUERY_CONSUME_QUEUE ---- */

/* What the group is subscribed to, when one is named. */
static void put_subscription(struct buffer *out, const struct broker *broker,
                             const struct query_consume_queue_header *header)
{
    if (!header->consumer_group.data) return;
    const struct consumers *consumers = clients_consumers(&broker->clients, header->consumer_group);
    const struct subscription *subscription =
        consumers ? map_get(&consumers->subscriptions, header->topic) : NULL;
    if (subscription) {
        buffer_put_text(out, ",\"filterData\":\"null\",\"subscriptionData\":");
        subscription_encode(subscription, out);
        return;
    }
    struct buffer text;
    buffer_init(&text);
    buffer_put_format(&text, "%.*s@%.*s is not online!", SLICE_FORMAT(header->consumer_group),
                      SLICE_FORMAT(header->topic));
    buffer_put_text(out, ",\"filterData\":");
    json_put_text(out, buffer_slice(&text));
    buffer_done(&text);
}

void query_handle_consume_queue(struct request *request)
{
    struct query_consume_queue_header header;
    if (!request_header(request, &query_consume_queue_layout, &header)) return;
    const struct topic *topic = message_store_topic(&request->broker->data->store, header.topic);
    const struct store_queue *queue = topic ? topic_queue(topic, header.queue_id) : NULL;
    if (!queue) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "%d@%.*s is not exist!",
                       (int)header.queue_id, SLICE_FORMAT(header.topic));
        return;
    }
    if (!store_queue_at(queue, header.index)) {
        request_refuse(request, RESPONSE_SUCCESS, "Index %lld of %d@%.*s is not exist!",
                       (long long)header.index, (int)header.queue_id, SLICE_FORMAT(header.topic));
        return;
    }
    struct buffer body;
    buffer_init(&body);
    buffer_put_format(&body, "{\"maxQueueIndex\":%lld,\"minQueueIndex\":%lld,\"queueData\":[",
                      (long long)store_queue_max_offset(queue), (long long)queue->min_offset);
    for (int32_t i = 0; !body.failed && i < header.count && i < PLACES_MAX; i++) {
        const struct record *record = store_queue_at(queue, header.index + i);
        if (!record) break;
        buffer_put_format(&body,
                          "%s{\"eval\":false,\"physicOffset\":%lld,\"physicSize\":%zu,"
                          "\"tagsCode\":%d}",
                          i > 0 ? "," : "", (long long)record->commit_log_offset, record->size,
                          (int)record->tag_code);
    }
    buffer_put_8(&body, ']');
    put_subscription(&body, request->broker, &header);
    buffer_put_8(&body, '}');
    request_answer_body(request, &body);
    buffer_done(&body);
}
