/* Stored messages: found, read, followed and given to consumers again. What admin.h says of handles
 * and results holds here. */
#ifndef MQCLIENT_ADMIN_MESSAGE_H
#define MQCLIENT_ADMIN_MESSAGE_H

#include <mqclient/admin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- finding ---- */

/* The message with an id: the unique id that its sender gave it, or the offset id of the broker.
 * `topic` may be NULL for an offset id. Of several messages with one unique id (sent twice,
 * redelivered) it is the one stored last. MQC_NOT_FOUND when there is none (any more). Free *out
 * with mqc_message_free. */
MQC_API mqc_status mqc_admin_message_by_id(mqc_admin *admin, const char *topic, const char *id,
                                           mqc_message **out, mqc_error *error);

typedef struct mqc_message_list {
    size_t count;
    const mqc_message *const *messages; /* oldest first; mqc_message_ref keeps one */
} mqc_message_list;

/* The messages of a topic that have `key` among their keys and were stored from `begin_unix_ms` to
 * `end_unix_ms` (0: until now), at most `most` of each broker (0: 64). An empty result when there
 * are none. */
MQC_API mqc_status mqc_admin_messages_by_key(mqc_admin *admin, const char *topic, const char *key,
                                             int64_t begin_unix_ms, int64_t end_unix_ms, int most,
                                             const mqc_message_list **out, mqc_error *error);

/* What to visit of a topic. Zero means no limit. */
typedef struct mqc_message_range {
    const char *topic;       /* required */
    const char *broker_name; /* only this broker's queues */
    bool one_queue;          /* only the queue `queue_id` */
    int queue_id;            /* with one_queue */
    int64_t begin_unix_ms;   /* stored then or later */
    int64_t end_unix_ms;     /* stored before */
    int64_t begin_offset;    /* from this offset of each queue on */
    int64_t end_offset;      /* before this offset */
    const char *tags;        /* "a || b"; default all */
} mqc_message_range;

/* Called on the calling thread. The message is valid during the call; mqc_message_ref keeps it.
 * Returning false ends the visit. */
typedef bool mqc_message_visitor(const mqc_message *message, void *arg);

/* Visits the messages of a range that are there when it begins, queue by queue, oldest first. No
 * group's offsets change. Call it as mqc_admin_each_message. */
MQC_API mqc_status mqc_admin_each_message_sized(mqc_admin *admin, const mqc_message_range *range,
                                                size_t size, mqc_message_visitor *visit, void *arg,
                                                mqc_error *error);
static inline mqc_status mqc_admin_each_message(mqc_admin *admin, const mqc_message_range *range,
                                                mqc_message_visitor *visit, void *arg,
                                                mqc_error *error)
{
    return mqc_admin_each_message_sized(admin, range, sizeof(mqc_message_range), visit, arg, error);
}

/* ---- following ---- */

/* What a group has made of a message, as far as its offsets tell. */
typedef enum mqc_track_state {
    MQC_TRACK_UNKNOWN,           /* `detail` says why */
    MQC_TRACK_CONSUMED,          /* the group's offset is behind it */
    MQC_TRACK_CONSUMED_FILTERED, /* likewise, but its tag is not one the group wants */
    MQC_TRACK_NOT_CONSUMED,      /* not yet */
    MQC_TRACK_PULL,              /* the group pulls by itself: its offsets tell nothing */
    MQC_TRACK_NOT_ONLINE,        /* nobody of the group is there */
    MQC_TRACK_BROADCASTING       /* each member for itself: brokers do not know */
} mqc_track_state;

/* "CONSUMED", … as mqadmin calls it; never NULL. Any thread. */
MQC_API const char *mqc_track_state_name(mqc_track_state state);

typedef struct mqc_message_track {
    const char *group;
    mqc_track_state state;
    const char *detail; /* "" when there is nothing to say */
} mqc_message_track;

typedef struct mqc_message_tracks {
    size_t count;
    const mqc_message_track *const *tracks; /* sorted by group */
} mqc_message_tracks;

/* What every group that consumes the message's topic has made of it. The message is one that this
 * header's functions found. */
MQC_API mqc_status mqc_admin_message_tracks(mqc_admin *admin, const mqc_message *message,
                                            const mqc_message_tracks **out, mqc_error *error);

/* ---- traces ---- */

typedef enum mqc_trace_kind {
    MQC_TRACE_SEND,
    MQC_TRACE_CONSUME,
    MQC_TRACE_END_TRANSACTION,
    MQC_TRACE_RECALL
} mqc_trace_kind;

/* One thing that a client has told of a message in its trace. Texts that it has not told are "". */
typedef struct mqc_trace_event {
    mqc_trace_kind kind;
    int64_t unix_ms; /* when it began */
    int cost_ms;
    bool success;  /* false also while `finished` is */
    bool finished; /* of a consumption: its end was told too */
    const char *message_id, *offset_message_id;
    const char *group, *topic, *tags, *keys;
    const char *broker_address;
    const char *client_host; /* who has told it */
    const char *region;
    const char *message_type;      /* "NORMAL", "HALF", "COMMIT", "DELAY" or "ORDER" */
    const char *result;            /* of a consumption: "SUCCESS", "TIME_OUT", "EXCEPTION", … */
    const char *transaction_state; /* "COMMIT_MESSAGE", … */
    bool from_check;               /* it answered a broker's question */
    int body_bytes;
    int retry_times;
} mqc_trace_event;

typedef struct mqc_trace {
    size_t count;
    const mqc_trace_event *const *events; /* by time */
} mqc_trace;

/* What clients have told of the message with a unique id, from `begin_unix_ms` (0: any time) to
 * `end_unix_ms` (0: until now). Clients with tracing on (`enableMsgTrace`) write it to
 * RMQ_SYS_TRACE_TOPIC, or to a topic of their own, given as `trace_topic` (NULL: the former), every
 * few seconds. An empty result when nobody has told anything. */
MQC_API mqc_status mqc_admin_message_trace(mqc_admin *admin, const char *trace_topic,
                                           const char *message_id, int64_t begin_unix_ms,
                                           int64_t end_unix_ms, const mqc_trace **out,
                                           mqc_error *error);

/* "SEND", "CONSUME", …; never NULL. Any thread. */
MQC_API const char *mqc_trace_kind_name(mqc_trace_kind kind);

/* ---- giving again ---- */

typedef struct mqc_direct_result {
    const char *result; /* "CR_SUCCESS", "CR_LATER", "CR_THROW_EXCEPTION", … */
    const char *remark; /* "" when there is none */
    bool ordered;
    int64_t spent_ms;
} mqc_direct_result;

/* Has one member of a group consume a message now, wherever its group stands; no offset changes and
 * nothing is retried. `client_id` NULL: any member. MQC_NOT_FOUND when it is not online. */
MQC_API mqc_status mqc_admin_consume_directly(mqc_admin *admin, const char *group,
                                              const char *client_id, const mqc_message *message,
                                              const mqc_direct_result **out, mqc_error *error);

/* Sends a copy of a stored message, with body, properties, keys and tag, to its topic again, or to
 * another one. The copy is a message of its own, with a unique id of its own, for every group. */
MQC_API mqc_status mqc_admin_resend(mqc_admin *admin, const mqc_message *message, const char *topic,
                                    mqc_error *error);

/* Gives a dead letter (a message of %DLQ%group) to its group again, and to no other: a copy goes to
 * the group's %RETRY% topic, with its retries counted from 0. The dead letter itself stays where
 * it is until the broker's retention ends. */
MQC_API mqc_status mqc_admin_replay(mqc_admin *admin, const char *group, const mqc_message *message,
                                    mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
