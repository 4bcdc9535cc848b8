/* Topics, queues and the commit log in memory: see message_store.h. Called by the brokers' handlers
 * under the cluster's lock. */
#include "lib/embedded/message_store.h"

#include "lib/base/cursor.h"
#include "lib/base/memory.h"
#include "lib/protocol/java_text.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"

static void drop_oldest(struct message_store *store, struct topic *topic);
static void topic_free(struct topic *topic);
static void log_forget(struct message_store *store, const struct record *record);

void message_store_init(struct message_store *store, int64_t retention_bytes,
                        int64_t retention_messages)
{
    *store = (struct message_store){
        .retention_bytes = retention_bytes,
        .retention_messages = retention_messages,
    };
    map_init(&store->topics);
    buffer_init(&store->scratch);
}

void message_store_done(struct message_store *store)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&store->topics, &position, &entry)) topic_free(entry.value);
    map_done(&store->topics);
    memory_free(store->log);
    buffer_done(&store->scratch);
    *store = (struct message_store){0};
}

/* ---- topics ---- */

struct topic *message_store_topic(const struct message_store *store, struct slice name)
{
    return name.data ? map_get(&store->topics, name) : NULL;
}

static struct topic *topic_new(struct slice name)
{
    struct topic *topic = memory_allocate_zero(1, sizeof *topic);
    if (!topic) return NULL;
    list_init(&topic->waiting);
    topic->name = slice_duplicate(name);
    topic->filter_type = memory_duplicate("SINGLE_TAG");
    topic->attributes = memory_duplicate("{}");
    if (topic->name && topic->filter_type && topic->attributes) return topic;
    topic_free(topic);
    return NULL;
}

static void topic_free(struct topic *topic)
{
    for (size_t i = 0; i < topic->queue_count; i++) {
        struct store_queue *queue = &topic->queues[i];
        for (size_t j = 0; j < queue->count; j++) memory_free(queue->records[queue->begin + j]);
        memory_free(queue->records);
    }
    memory_free(topic->queues);
    memory_free(topic->name);
    memory_free(topic->filter_type);
    memory_free(topic->attributes);
    memory_free(topic);
}

static bool grow_queues(struct topic *topic, int32_t count)
{
    if (count < 0 || count > TOPIC_QUEUES_MAX) return false;
    if ((size_t)count <= topic->queue_count) return true;
    struct store_queue *queues =
        memory_resize(topic->queues, (size_t)count * sizeof *topic->queues);
    if (!queues) return false;
    memset(queues + topic->queue_count, 0, ((size_t)count - topic->queue_count) * sizeof *queues);
    topic->queues = queues;
    topic->queue_count = (size_t)count;
    return true;
}

struct topic *message_store_put_topic(struct message_store *store, struct slice name,
                                      int32_t read_queues, int32_t write_queues, int32_t permission)
{
    struct topic *topic = message_store_topic(store, name);
    struct topic *made = NULL;
    if (!topic && store->topics.count < TOPICS_MAX) topic = made = topic_new(name);
    if (!topic) return NULL;
    if (!grow_queues(topic, read_queues) || !grow_queues(topic, write_queues) ||
        (made && !map_put(&store->topics, name, made, NULL))) {
        if (made) topic_free(made);
        return NULL;
    }
    topic->read_queues = read_queues;
    topic->write_queues = write_queues;
    topic->permission = permission;
    return topic;
}

void message_store_delete_topic(struct message_store *store, struct topic *topic)
{
    for (size_t i = 0; i < topic->queue_count; i++) {
        struct store_queue *queue = &topic->queues[i];
        for (size_t j = 0; j < queue->count; j++)
            log_forget(store, queue->records[queue->begin + j]);
    }
    map_remove(&store->topics, slice_text(topic->name));
    topic_free(topic);
}

struct store_queue *topic_queue(const struct topic *topic, int32_t queue_id)
{
    if (queue_id < 0 || (size_t)queue_id >= topic->queue_count) return NULL;
    return &topic->queues[queue_id];
}

/* ---- the commit log ---- */

/* The index of the first entry at or behind an offset. */
static size_t log_place(const struct message_store *store, int64_t commit_log_offset)
{
    size_t low = 0, high = store->log_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->log[middle].commit_log_offset < commit_log_offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct record *message_store_find(const struct message_store *store, int64_t commit_log_offset)
{
    size_t place = log_place(store, commit_log_offset);
    if (place == store->log_count) return NULL;
    const struct log_entry *entry = &store->log[place];
    return entry->commit_log_offset == commit_log_offset ? entry->record : NULL;
}

static void log_forget(struct message_store *store, const struct record *record)
{
    size_t place = log_place(store, record->commit_log_offset);
    if (place == store->log_count || store->log[place].record != record) return;
    store->log[place].record = NULL;
    store->log_gone++;
    if (store->log_gone < 64 || store->log_gone < store->log_count / 2) return;
    size_t kept = 0;
    for (size_t i = 0; i < store->log_count; i++)
        if (store->log[i].record) store->log[kept++] = store->log[i];
    store->log_count = kept;
    store->log_gone = 0;
}

/* ---- storing ---- */

static bool queue_has_room(struct store_queue *queue)
{
    if (queue->begin + queue->count < queue->capacity) return true;
    if (queue->begin > queue->count) {
        memmove(queue->records, queue->records + queue->begin,
                queue->count * sizeof *queue->records);
        queue->begin = 0;
        return true;
    }
    return memory_reserve(&queue->records, &queue->capacity, queue->begin + queue->count + 1,
                          sizeof *queue->records);
}

static struct record *record_new(struct message_store *store, struct topic *topic,
                                 const struct mqc_message *message)
{
    buffer_clear(&store->scratch);
    message_record_encode(message, &store->scratch);
    if (store->scratch.failed) return NULL;
    struct slice bytes = buffer_slice(&store->scratch);
    struct record *record = memory_allocate(sizeof *record + bytes.size);
    if (!record) return NULL;
    struct slice tag = properties_find(message->properties, PROPERTY_TAGS);
    *record = (struct record){
        .topic = topic,
        .commit_log_offset = message->commit_log_offset,
        .queue_offset = message->queue_offset,
        .stored_unix_ms = message->stored_unix_ms,
        .queue_id = message->queue_id,
        .tag_code = tag.data ? java_hash(tag) : 0,
        .size = bytes.size,
    };
    memcpy(record->bytes, bytes.data, bytes.size);
    return record;
}

struct record *message_store_append(struct message_store *store, struct topic *topic,
                                    struct mqc_message *message)
{
    struct store_queue *queue = topic_queue(topic, message->queue_id);
    if (!queue || !queue_has_room(queue) ||
        !memory_reserve(&store->log, &store->log_capacity, store->log_count + 1,
                        sizeof *store->log))
        return NULL;
    message->stored_topic = slice_text(topic->name);
    message->queue_offset = store_queue_max_offset(queue);
    message->commit_log_offset = store->next_offset;
    struct record *record = record_new(store, topic, message);
    if (!record) return NULL;
    store->log[store->log_count++] = (struct log_entry){record->commit_log_offset, record};
    store->next_offset += (int64_t)record->size;
    queue->records[queue->begin + queue->count++] = record;
    queue->last_stored_unix_ms = record->stored_unix_ms;
    topic->bytes += (int64_t)record->size;
    topic->messages++;
    while (topic->messages > 1 &&
           (topic->bytes > store->retention_bytes || topic->messages > store->retention_messages))
        drop_oldest(store, topic);
    return record;
}

static void drop_oldest(struct message_store *store, struct topic *topic)
{
    struct store_queue *oldest = NULL;
    for (size_t i = 0; i < topic->queue_count; i++) {
        struct store_queue *queue = &topic->queues[i];
        if (queue->count == 0) continue;
        if (!oldest || queue->records[queue->begin]->commit_log_offset <
                           oldest->records[oldest->begin]->commit_log_offset)
            oldest = queue;
    }
    struct record *record = oldest->records[oldest->begin];
    oldest->begin++;
    oldest->count--;
    oldest->min_offset++;
    topic->bytes -= (int64_t)record->size;
    topic->messages--;
    log_forget(store, record);
    memory_free(record);
}

/* ---- reading ---- */

struct record *store_queue_at(const struct store_queue *queue, int64_t offset)
{
    if (offset < queue->min_offset || offset >= store_queue_max_offset(queue)) return NULL;
    return queue->records[queue->begin + (size_t)(offset - queue->min_offset)];
}

int64_t store_queue_search(const struct store_queue *queue, int64_t unix_ms, bool upper)
{
    size_t low = 0, high = queue->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t stored = queue->records[queue->begin + middle]->stored_unix_ms;
        if (upper ? stored <= unix_ms : stored < unix_ms)
            low = middle + 1;
        else
            high = middle;
    }
    /* `low` is now the first that is too late. */
    if (upper) return low > 0 ? queue->min_offset + (int64_t)low - 1 : 0;
    return queue->min_offset + (int64_t)low;
}

struct message_block *record_decode(const struct record *record)
{
    struct message_block *block;
    if (message_block_decode(NULL, record_bytes(record), &block, NULL) != MQC_OK) return NULL;
    if (block && block->count == 1) return block;
    message_block_unref(block);
    return NULL;
}

struct slice record_properties(const struct record *record)
{
    enum { SYS_FLAG_AT = 36, BORN_HOST_AT = 48 };
    struct cursor in = cursor_of(record_bytes(record));
    struct cursor flags = in;
    cursor_skip(&flags, SYS_FLAG_AT);
    int32_t sys_flag = cursor_i32(&flags);
    size_t born = sys_flag & MESSAGE_FLAG_BORN_HOST_V6 ? 20 : 8;
    size_t stored = sys_flag & MESSAGE_FLAG_STORE_HOST_V6 ? 20 : 8;
    cursor_skip(&in, BORN_HOST_AT + born + 8 + stored + 4 + 8);
    cursor_slice(&in, cursor_i32(&in)); /* body */
    bool v2 = strlen(record->topic->name) > INT8_MAX;
    cursor_slice(&in, v2 ? cursor_u16(&in) : cursor_u8(&in));
    return cursor_slice(&in, cursor_u16(&in));
}
