/* Finding messages: by offset id, by key, by unique key (QueryMessageProcessor.java). On the I/O
 * thread. There is no index: the records of the topic are looked through. */
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/properties.h"

enum { FOUND_MAX = 64, UNIQUE_FOUND_MAX = 32 };

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
