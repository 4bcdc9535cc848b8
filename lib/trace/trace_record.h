/* The records of a message trace, in the form that RocketMQ's console and mqadmin read
 * (TraceDataEncoder.java): fields separated by byte 1, records ended by byte 2. Pure functions. */
#ifndef TRACE_TRACE_RECORD_H
#define TRACE_TRACE_RECORD_H

#include "lib/base/buffer.h"

/* MessageType.java, in its order. */
enum trace_message_type { TRACE_NORMAL, TRACE_HALF, TRACE_COMMIT, TRACE_DELAYED, TRACE_ORDERED };

/* ConsumeReturnType.java, in its order. */
enum trace_consumed {
    TRACE_CONSUMED,
    TRACE_TIMED_OUT,
    TRACE_EXCEPTION,
    TRACE_RETURNED_NULL,
    TRACE_FAILED
};

/* Absent texts read "null", as Java's do. */
struct trace_publish {
    int64_t unix_ms; /* when the send began */
    struct slice region, group, topic, message_id, tags, keys;
    struct slice broker_address;
    size_t body_bytes;
    int64_t cost_ms;
    enum trace_message_type type;
    struct slice offset_message_id;
    bool success;
};
void trace_record_publish(struct buffer *out, const struct trace_publish *record);

/* One message that is given to a listener: `request_id` is the same before and after. */
struct trace_consume {
    int64_t unix_ms;
    struct slice region, group, request_id, message_id, keys;
    int retry_times;
    int64_t cost_ms;             /* after: the call's, divided by its messages */
    bool success;                /* after */
    enum trace_consumed outcome; /* after */
};
void trace_record_before(struct buffer *out, const struct trace_consume *record);
void trace_record_after(struct buffer *out, const struct trace_consume *record);

struct trace_end {
    int64_t unix_ms;
    struct slice region, group, topic, message_id, tags, keys;
    struct slice broker_address;
    struct slice transaction_id;
    const char *state; /* COMMIT_MESSAGE, ROLLBACK_MESSAGE, UNKNOW */
    bool from_check;
};
void trace_record_end(struct buffer *out, const struct trace_end *record);

#endif
