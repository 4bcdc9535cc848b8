/* Messages: built by the application to be sent, or received by a consumer. A message is counted:
 * build it on one thread; once sent or received it may be read by many. */
#ifndef MQCLIENT_MESSAGE_H
#define MQCLIENT_MESSAGE_H

#include <mqclient/api.h>
#include <mqclient/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_message mqc_message;

/* Bytes that belong to somebody else: valid as long as the object they were asked from. */
typedef struct mqc_view {
    const void *data;
    size_t size;
} mqc_view;

/* One queue of a topic on one broker. The strings live as long as the client that gave them. */
typedef struct mqc_message_queue {
    const char *topic;
    const char *broker_name;
    int queue_id;
} mqc_message_queue;

/* ---- building ---- */

/* A new message with copies of topic and body; NULL when out of memory. Names and sizes are checked
 * when it is sent. Free with mqc_message_free. */
MQC_API mqc_message *mqc_message_new(const char *topic, const void *body, size_t body_bytes);

/* Sets a property of the application's own. Both strings are copied. MQC_BAD_ARGUMENT for names
 * that RocketMQ reserves, empty names or values, and the bytes 1 and 2, which separate properties.
 */
MQC_API mqc_status mqc_message_set_property(mqc_message *message, const char *name,
                                            const char *value, mqc_error *error);

/* The tag that consumers filter by (one, no "||"); NULL removes it. */
MQC_API mqc_status mqc_message_set_tag(mqc_message *message, const char *tag, mqc_error *error);

/* Keys that the broker indexes, separated by spaces; NULL removes them. */
MQC_API mqc_status mqc_message_set_keys(mqc_message *message, const char *keys, mqc_error *error);

/* When consumers get the message, if not at once. A message has one of these four at most: setting
 * a second kind is MQC_BAD_ARGUMENT; 0 removes what was set. */
/* Delay level 1..18 (broker's table: 1s 5s 10s 30s 1m …); all brokers. */
MQC_API mqc_status mqc_message_set_delay_level(mqc_message *message, int level, mqc_error *error);
/* Any time, of brokers from 5.0 on: precise to a second, at most 3 days ahead (the broker's
 * timerMaxDelaySec; more is refused with code 13), one that has passed means at once. What was sent
 * so can be taken back: mqc_producer_recall. */
MQC_API mqc_status mqc_message_set_delay_ms(mqc_message *message, int64_t delay_ms,
                                            mqc_error *error);
MQC_API mqc_status mqc_message_set_delay_seconds(mqc_message *message, int64_t seconds,
                                                 mqc_error *error);
MQC_API mqc_status mqc_message_set_deliver_at(mqc_message *message, int64_t unix_ms,
                                              mqc_error *error);

/* Whether the broker's answer waits until the message is as safe as the broker is configured for:
 * on disk, on the slave. Default true; false is answered sooner. */
MQC_API mqc_status mqc_message_set_wait_stored(mqc_message *message, bool wait, mqc_error *error);

/* A number of the application's own, stored as it is. */
MQC_API void mqc_message_set_flag(mqc_message *message, int32_t flag);

/* For topics of brokers from 5.5 on with message.type PRIORITY, whose consumers pop: higher ones
 * come first. 0 is the lowest; those above the number of queues are equal. -1 for none. Brokers
 * leave it out of account for messages with a delay, an order key or a transaction. */
MQC_API mqc_status mqc_message_set_priority(mqc_message *message, int priority, mqc_error *error);

/* ---- reading; what is returned lives as long as the message ---- */

/* Of any message. What it does not have is NULL, or a view of no bytes. */
MQC_API const char *mqc_message_topic(const mqc_message *message);
MQC_API mqc_view mqc_message_body(const mqc_message *message);    /* decompressed */
MQC_API const char *mqc_message_tag(const mqc_message *message);  /* NULL when it has none */
MQC_API const char *mqc_message_keys(const mqc_message *message); /* NULL when it has none */
MQC_API int32_t mqc_message_flag(const mqc_message *message);

/* The value of any property, the broker's own included; NULL when absent. */
MQC_API const char *mqc_message_property(const mqc_message *message, const char *name);

/* Visits every property until the visitor returns false. */
typedef bool mqc_property_visitor(const char *name, const char *value, void *arg);
MQC_API void mqc_message_each_property(const mqc_message *message, mqc_property_visitor *visit,
                                       void *arg);

/* Of a received message; a message that was only built answers NULL, 0 or -1. */
MQC_API const char *mqc_message_id(const mqc_message *message);        /* the sender's unique id */
MQC_API const char *mqc_message_offset_id(const mqc_message *message); /* the broker's id */
MQC_API const char *mqc_message_broker_name(const mqc_message *message);
MQC_API int mqc_message_queue_id(const mqc_message *message);
MQC_API int64_t mqc_message_queue_offset(const mqc_message *message);
MQC_API int64_t mqc_message_born_unix_ms(const mqc_message *message);
MQC_API int64_t mqc_message_stored_unix_ms(const mqc_message *message);
MQC_API const char *mqc_message_born_host(const mqc_message *message);   /* "ip:port" */
MQC_API const char *mqc_message_stored_host(const mqc_message *message); /* "ip:port" */
MQC_API int mqc_message_reconsume_times(const mqc_message *message); /* earlier failed deliveries */

/* Keeps a received message beyond the callback that was given it; returns it. */
MQC_API mqc_message *mqc_message_ref(const mqc_message *message);

/* Drops one reference; the last frees the message. NULL is fine. */
MQC_API void mqc_message_free(mqc_message *message);

#ifdef __cplusplus
}
#endif
#endif
