/* The smaller JSON bodies, one function a body and direction. */
#ifndef PROTOCOL_BODIES_H
#define PROTOCOL_BODIES_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"

/* A list of names that owns its strings. */
struct name_list {
    size_t count;
    char **names;
};
void name_list_done(struct name_list *list);
bool name_list_add(struct name_list *list, struct slice name); /* false: no memory */

/* GET_CONSUMER_LIST_BY_GROUP's answer: {"consumerIdList":[…]} */
mqc_status consumer_list_decode(struct slice body, struct name_list *out, mqc_error *error);
void consumer_list_encode(const struct name_list *list, struct buffer *out);

/* Topic lists: {"topicList":[…]} (TopicList.java) */
mqc_status topic_list_decode(struct slice body, struct name_list *out, mqc_error *error);
void topic_list_encode(const struct name_list *list, struct buffer *out);

/* One queue's state in the answer to GET_CONSUMER_RUNNING_INFO (ProcessQueueInfo.java). */
struct running_queue {
    const char *topic;
    const char *broker_name;
    int32_t queue_id;
    int64_t commit_offset;
    int64_t cached_min_offset, cached_max_offset;
    int64_t cached_count, cached_mib;
    bool locked, dropped;
    int64_t last_pull_unix_ms, last_consume_unix_ms, last_lock_unix_ms;
    bool pop; /* popped: only these, `dropped` and the last pull (PopProcessQueueInfo) */
    int64_t unacknowledged;
};

/* How a consumer gets on with one topic (ConsumeStatus.java). */
struct running_rates {
    const char *topic;
    double received_per_second, consumed_per_second, refused_per_second;
    double consume_ms; /* in the middle */
    int64_t refused;
};

/* A name with a text, or (text NULL) a number. */
struct running_note {
    const char *name;
    const char *text;
    int64_t number;
};

struct subscription;
struct running_info {
    const char *name_space; /* put in front of topics; NULL: none */
    const char *name_servers;
    const char *consume_type;
    bool orderly;
    int32_t threads;
    int64_t start_unix_ms;
    size_t subscription_count;
    const struct subscription *subscriptions;
    size_t queue_count;
    const struct running_queue *queues;
    size_t rate_count;
    const struct running_rates *rates;
    size_t setting_count; /* further properties, as Java names them */
    const struct running_note *settings;
    size_t note_count; /* what this client has to say (userConsumerInfo) */
    const struct running_note *notes;
    struct slice threads_text; /* what its threads are at (jstack); absent: was not asked for */
};
/* In fastjson's form, with objects as keys: brokers forward it to mqadmin untouched. */
void running_info_encode(const struct running_info *info, struct buffer *out);
/* GET_CONSUMER_STATUS_FROM_CLIENT's answer: the committed offsets of the queues alone. */
void consumer_status_encode(const struct running_info *info, struct buffer *out);

/* CONSUME_MESSAGE_DIRECTLY's answer (ConsumeMessageDirectlyResult.java). */
void consume_directly_result_encode(const char *consume_result, bool order, const char *remark,
                                    int64_t spent_ms, struct buffer *out);

/* Offsets by queue: RESET_CONSUMER_CLIENT_OFFSET's body in both its forms. The visitor's slices are
 * valid during its call; a damaged body visits nothing. */
typedef void queue_offset_visitor(struct slice topic, struct slice broker_name, int32_t queue_id,
                                  int64_t offset, void *arg);
mqc_status reset_offset_decode(struct slice body, queue_offset_visitor *visit, void *arg,
                               mqc_error *error);

#endif
