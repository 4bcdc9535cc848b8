/* Pops: what their parts share. */
#ifndef EMBEDDED_POP_HANDLER_H
#define EMBEDDED_POP_HANDLER_H

#include "lib/embedded/broker.h"
#include "lib/embedded/message_filter.h"
#include "lib/embedded/request.h"

enum { POP_MAX_MESSAGES = 32, POP_MAX_BYTES = 8 << 20 };

/* One pop while it is being done. */
struct pop {
    struct request *request;
    struct pop_message_header header;
    struct group *group;
    struct topic *topic;
    struct message_filter filter;
    int64_t now; /* message time */
    int32_t revive_queue_id;
    int32_t found;
    int64_t rest; /* messages that are left for later pops */
    struct buffer records, starts, offsets, order_counts;
};

/* Finds fault with the places of a pop, a peek or a notification; makes the group if need be. False
 * when the request is refused. */
bool pop_check_names(struct request *request, struct slice topic, struct slice group,
                     int32_t queue_id);

/* Takes messages of the topic, and unless in order those to be popped again, for the group. Without
 * memory one of the buffers is marked as failed. */
void pop_take(struct pop *pop);

/* Where a group begins in a queue: what it has committed, else by `init_mode`
 * (PopMessageProcessor.getInitOffset). */
int64_t pop_first_offset(const struct group *group, const struct topic *topic, int32_t queue_id,
                         int32_t init_mode);

/* 0 for a topic itself, 1 and 2 for the two forms of a group's retry topic
 * (ExtraInfoUtil.getRetry) */
int pop_topic_flag(struct slice topic);

/* The group's retry topic for a topic, as the broker's settings have it, or of the first form. */
struct topic *pop_find_retry_topic(const struct broker_data *data, struct slice group,
                                   struct slice topic, bool first_form);

/* What consumers acknowledge a message by, without its own offset (ExtraInfoUtil.java). */
struct pop_receipt {
    int64_t popped_unix_ms;
    int64_t invisible_ms;
    bool orderly;
};
/* False for what is no receipt. */
bool pop_receipt_parse(struct slice text, struct pop_receipt *out);

#endif
