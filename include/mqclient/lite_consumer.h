/* The lite pull consumer: the application fetches messages with poll when it wants some, from
 * queues that its group shares (subscribe) or that it has chosen itself (assign); it can go to any
 * offset, and says what is done by committing. The client fetches ahead in the background, so that
 * poll is quick. One thread is enough for many queues; all functions may be called from any thread.
 */
#ifndef MQCLIENT_LITE_CONSUMER_H
#define MQCLIENT_LITE_CONSUMER_H

#include <mqclient/consumer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_lite_consumer mqc_lite_consumer;

/* Zero means default. Strings are copied. */
typedef struct mqc_lite_consumer_options {
    const mqc_client_options *client;
    const char *group;             /* required: [%|a-zA-Z0-9_-], at most 120 characters */
    mqc_message_model model;       /* default MQC_CLUSTERING */
    mqc_consume_from from;         /* where a queue without a committed offset begins */
    int64_t from_unix_ms;          /* for MQC_FROM_TIME; default: half an hour before now */
    bool no_auto_commit;           /* only what mqc_lite_consumer_commit… says is committed */
    bool offsets_in_memory;        /* broadcasting: see mqc_push_consumer_options */
    int auto_commit_ms;            /* between automatic commits; default 5000, least 1000 */
    int pull_batch;                /* most messages a pull, and a poll; default 10 */
    int all_max_messages;          /* held of all queues before pulling pauses; default 10000 */
    int queue_max_messages;        /* held of one queue before pulling pauses; default 1000 */
    int queue_max_mib;             /* default 100 */
    int queue_max_span;            /* between first and last held offset; default 2000 */
    int topic_check_ms;            /* how often watched topics are looked at; default 30000 */
    int stuck_after_ms;            /* as in mqc_push_consumer_options; also when nobody polls */
    mqc_allocate_options allocate; /* how the group's members divide queues; default averagely */
    mqc_queue_listener *queue_listener; /* told when the queues of a subscribed topic change */
    void *queue_listener_arg;
    const char *offset_store_path;                /* broadcasting: likewise */
    const struct mqc_consume_hook *consume_hooks; /* see what is polled: hooks.h; not copied */
    size_t consume_hook_count;                    /* at most MQC_CONSUME_HOOKS_MOST */
} mqc_lite_consumer_options;

/* A new consumer, not yet started; NULL and `error` when an option is wrong. Does not touch the
 * network. Free with mqc_lite_consumer_free. Call it as mqc_lite_consumer_new. */
MQC_API mqc_lite_consumer *mqc_lite_consumer_new_sized(const mqc_lite_consumer_options *options,
                                                       size_t size, size_t client_size,
                                                       mqc_error *error);
static inline mqc_lite_consumer *mqc_lite_consumer_new(const mqc_lite_consumer_options *options,
                                                       mqc_error *error)
{
    return mqc_lite_consumer_new_sized(options, sizeof(mqc_lite_consumer_options),
                                       sizeof(mqc_client_options), error);
}

/* As for a push consumer. Shutting down commits what was polled, if committing is automatic; a poll
 * that waits ends with MQC_CANCELLED. Deliveries that are still out stay valid. */
MQC_API MQC_USE_RESULT mqc_status mqc_lite_consumer_start(mqc_lite_consumer *consumer,
                                                          mqc_error *error);
MQC_API mqc_status mqc_lite_consumer_shutdown(mqc_lite_consumer *consumer, mqc_error *error);
MQC_API void mqc_lite_consumer_free(mqc_lite_consumer *consumer);

/* As mqc_push_consumer_health. */
MQC_API mqc_status mqc_lite_consumer_health(mqc_lite_consumer *consumer,
                                            mqc_consumer_health *health, mqc_error *error);

/* ---- which queues ---- */

/* Shares the topic's queues with the other members of the group. `filter`: "*" or NULL for all, or
 * tags as "a || b". Before and after start; a second call for a topic replaces its filter.
 * Subscribing and assigning exclude each other: MQC_WRONG_STATE. */
MQC_API mqc_status mqc_lite_consumer_subscribe(mqc_lite_consumer *consumer, const char *topic,
                                               const char *filter, mqc_error *error);
/* With an SQL92 expression, as mqc_push_consumer_subscribe_sql. */
MQC_API mqc_status mqc_lite_consumer_subscribe_sql(mqc_lite_consumer *consumer, const char *topic,
                                                   const char *expression, mqc_error *error);
MQC_API mqc_status mqc_lite_consumer_unsubscribe(mqc_lite_consumer *consumer, const char *topic,
                                                 mqc_error *error);

/* Takes exactly these queues, whoever else has them, and gives up others that were assigned before.
 * `filter` as in subscribe, for all of them. Waits, at most the request timeout, until they are
 * there; those whose broker cannot be asked now come later. */
MQC_API mqc_status mqc_lite_consumer_assign(mqc_lite_consumer *consumer,
                                            const mqc_message_queue *queues, size_t count,
                                            const char *filter, mqc_error *error);

/* The same with an SQL92 expression, as mqc_push_consumer_subscribe_sql. */
MQC_API mqc_status mqc_lite_consumer_assign_sql(mqc_lite_consumer *consumer,
                                                const mqc_message_queue *queues, size_t count,
                                                const char *expression, mqc_error *error);

/* A list of queues with texts of its own. */
typedef struct mqc_queue_list {
    size_t count;
    mqc_message_queue *queues;
} mqc_queue_list;
MQC_API void mqc_queue_list_free(mqc_queue_list *list); /* what is in it; NULL is fine */

/* The queues that this consumer has now, by subscribing or assigning. */
MQC_API mqc_status mqc_lite_consumer_assignment(mqc_lite_consumer *consumer, mqc_queue_list *list,
                                                mqc_error *error);
/* The queues that a topic has, asked from a name server. MQC_NO_ROUTE when there is no such topic.
 */
MQC_API mqc_status mqc_lite_consumer_fetch_queues(mqc_lite_consumer *consumer, const char *topic,
                                                  mqc_queue_list *list, mqc_error *error);

/* Calls `listener` whenever the topic has other queues than when it was looked at before, every
 * `topic_check_ms`: for applications that assign. `mine` is what is assigned. NULL ends it. */
MQC_API mqc_status mqc_lite_consumer_watch(mqc_lite_consumer *consumer, const char *topic,
                                           mqc_queue_listener *listener, void *arg,
                                           mqc_error *error);

/* ---- messages ---- */

/* Messages of one queue, waited for at most `timeout_ms` (-1: for ever, 0: not at all). *delivery
 * is NULL when none came. With automatic commits, all that was polled before counts as done: call
 * it from one thread, or commit yourself. The delivery is the application's: read it with
 * mqc_delivery_at, free it with mqc_delivery_free, also after the consumer's end. MQC_CANCELLED
 * when the consumer is shut down meanwhile. */
MQC_API mqc_status mqc_lite_consumer_poll(mqc_lite_consumer *consumer, int timeout_ms,
                                          mqc_delivery **delivery, mqc_error *error);

/* As mqc_push_consumer_fd. */
MQC_API int mqc_lite_consumer_fd(mqc_lite_consumer *consumer, mqc_error *error);

/* Queues that are paused are not polled from, not even what was fetched before. MQC_NOT_FOUND when
 * one of them is not this consumer's; then none is paused. */
MQC_API mqc_status mqc_lite_consumer_pause(mqc_lite_consumer *consumer,
                                           const mqc_message_queue *queues, size_t count,
                                           mqc_error *error);
MQC_API mqc_status mqc_lite_consumer_resume(mqc_lite_consumer *consumer,
                                            const mqc_message_queue *queues, size_t count,
                                            mqc_error *error);

/* ---- where ---- */

/* The next poll of this queue goes on at `offset`. MQC_NOT_FOUND when the queue is not this
 * consumer's (now), MQC_BAD_ARGUMENT when the broker has no such offset. They ask the broker. */
MQC_API mqc_status mqc_lite_consumer_seek(mqc_lite_consumer *consumer,
                                          const mqc_message_queue *queue, int64_t offset,
                                          mqc_error *error);
MQC_API mqc_status mqc_lite_consumer_seek_to_begin(mqc_lite_consumer *consumer,
                                                   const mqc_message_queue *queue,
                                                   mqc_error *error);
MQC_API mqc_status mqc_lite_consumer_seek_to_end(mqc_lite_consumer *consumer,
                                                 const mqc_message_queue *queue, mqc_error *error);
/* To the first message stored at that time or later. */
MQC_API mqc_status mqc_lite_consumer_seek_to_time(mqc_lite_consumer *consumer,
                                                  const mqc_message_queue *queue, int64_t unix_ms,
                                                  mqc_error *error);

/* The offset of the next message to be polled. MQC_NOT_FOUND when the queue is not ours. */
MQC_API mqc_status mqc_lite_consumer_position(mqc_lite_consumer *consumer,
                                              const mqc_message_queue *queue, int64_t *offset,
                                              mqc_error *error);
/* Of any queue, asked from its broker: the offset of the first message stored at that time or
 * later; the least offset that there is and the one that comes next. */
MQC_API mqc_status mqc_lite_consumer_offset_for_time(mqc_lite_consumer *consumer,
                                                     const mqc_message_queue *queue,
                                                     int64_t unix_ms, int64_t *offset,
                                                     mqc_error *error);
MQC_API mqc_status mqc_lite_consumer_offsets(mqc_lite_consumer *consumer,
                                             const mqc_message_queue *queue, int64_t *least,
                                             int64_t *next, mqc_error *error);

/* ---- committing ---- */

/* What was polled so far is done: stores the offsets of all queues and waits for the brokers. The
 * first failure is returned when all have been tried. */
MQC_API mqc_status mqc_lite_consumer_commit(mqc_lite_consumer *consumer, mqc_error *error);
/* Everything of this queue before `offset` is done, up or down. */
MQC_API mqc_status mqc_lite_consumer_commit_offset(mqc_lite_consumer *consumer,
                                                   const mqc_message_queue *queue, int64_t offset,
                                                   mqc_error *error);
/* What the group has committed for a queue; -1 for nothing. Asks the broker. */
MQC_API mqc_status mqc_lite_consumer_committed(mqc_lite_consumer *consumer,
                                               const mqc_message_queue *queue, int64_t *offset,
                                               mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
