/* What a broker stores: topics with their queues, and the messages of all of them in the order of
 * one commit log, in memory. Not thread-safe: under the cluster's lock. */
#ifndef EMBEDDED_MESSAGE_STORE_H
#define EMBEDDED_MESSAGE_STORE_H

#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/protocol/message.h"

/* One stored message as it goes to consumers (MessageDecoder.java). */
struct record {
    struct topic *topic;
    int64_t commit_log_offset;
    int64_t queue_offset;
    int64_t stored_unix_ms;
    int32_t queue_id;
    int32_t tag_code; /* java_hash of TAGS, 0 without */
    size_t size;
    char bytes[];
};

struct store_queue {
    int64_t min_offset;      /* of the first record that is left, or of the next one */
    struct record **records; /* [begin, begin + count) */
    size_t begin, count, capacity;
    int64_t last_stored_unix_ms; /* 0: never */
};

struct topic {
    char *name;
    char *filter_type; /* SINGLE_TAG, MULTI_TAG */
    char *attributes;  /* JSON object */
    int32_t read_queues, write_queues;
    int32_t permission;
    int32_t sys_flag;
    bool ordered;
    struct store_queue *queues;
    size_t queue_count; /* never less than read or write queues */
    int64_t bytes;
    int64_t messages;
    struct link waiting; /* who waits for a message: links of struct waiter (long_poll.h) */
};

struct log_entry {
    int64_t commit_log_offset;
    struct record *record; /* NULL: gone */
};

struct message_store {
    struct map topics; /* name -> struct topic */
    struct log_entry *log;
    size_t log_count, log_capacity, log_gone;
    int64_t next_offset; /* of the commit log */
    int64_t retention_bytes, retention_messages;
    struct buffer scratch;
};

enum { TOPIC_QUEUES_MAX = 1024, TOPICS_MAX = 10000 };

void message_store_init(struct message_store *store, int64_t retention_bytes,
                        int64_t retention_messages);
void message_store_done(struct message_store *store); /* nobody may wait any more */

struct topic *message_store_topic(const struct message_store *store, struct slice name);

/* A topic with so many queues of each kind, new or changed. NULL: no memory, too many. */
struct topic *message_store_put_topic(struct message_store *store, struct slice name,
                                      int32_t read_queues, int32_t write_queues,
                                      int32_t permission);
/* With its messages; nobody may wait at it any more. */
void message_store_delete_topic(struct message_store *store, struct topic *topic);

/* Stores a message in a queue of a topic: sets the message's topic and both offsets. The oldest
 * messages of the topic go when it is above its limits. NULL: no memory. */
struct record *message_store_append(struct message_store *store, struct topic *topic,
                                    struct mqc_message *message);
struct record *message_store_find(const struct message_store *store, int64_t commit_log_offset);

static inline int64_t store_queue_max_offset(const struct store_queue *queue)
{
    return queue->min_offset + (int64_t)queue->count;
}

/* The record at an offset, or NULL. */
struct record *store_queue_at(const struct store_queue *queue, int64_t offset);

/* NULL when the topic has no such queue. */
struct store_queue *topic_queue(const struct topic *topic, int32_t queue_id);

/* The first offset whose message was stored at or after the time; with `upper` the last one at or
 * before it (DefaultMessageStore.getOffsetInQueueByTime). */
int64_t store_queue_search(const struct store_queue *queue, int64_t unix_ms, bool upper);

static inline struct slice record_bytes(const struct record *record)
{
    return slice_of(record->bytes, record->size);
}

/* The message in a record, for those who store it again: release with message_block_unref. NULL
 * when there is no memory, or when it is a batch that is damaged inside. */
struct message_block *record_decode(const struct record *record);

/* The properties of a record, without decoding the rest. */
struct slice record_properties(const struct record *record);

#endif
