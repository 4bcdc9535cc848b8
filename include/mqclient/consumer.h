/* The push consumer: a group's members share the queues of the topics they subscribe to; messages
 * are handed to a listener on worker threads, and what a listener refuses comes again later. */
#ifndef MQCLIENT_CONSUMER_H
#define MQCLIENT_CONSUMER_H

#include <mqclient/allocate.h>
#include <mqclient/client.h>
#include <mqclient/message.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_push_consumer mqc_push_consumer;

/* The messages of one listener call, valid until the listener returns; or of one poll, valid until
 * it is finished or freed. All of one queue. */
typedef struct mqc_delivery mqc_delivery;

typedef enum mqc_consume_status {
    MQC_CONSUME_SUCCESS,
    MQC_RECONSUME_LATER /* send back to the broker, which delivers again after a delay */
} mqc_consume_status;

/* Runs on a worker thread of the consumer, several at a time. No lock is held. It may call anything
 * but the shutdown and free of its own consumer. */
typedef mqc_consume_status mqc_message_listener(mqc_delivery *delivery, void *arg);

/* What an orderly listener says of a queue's messages. */
typedef enum mqc_order_status {
    MQC_ORDER_SUCCESS, /* done: those behind them follow */
    MQC_ORDER_SUSPEND, /* the same again after a while, and nothing behind them meanwhile */
    /* After mqc_delivery_commit_by_hand: */
    MQC_ORDER_COMMIT,  /* done, with all that were delivered since the last commit */
    MQC_ORDER_ROLLBACK /* all that were delivered since the last commit again, after a while */
} mqc_order_status;

/* As mqc_message_listener, but for one queue only one call runs at a time, in the whole group, and
 * with its messages in their order. A message that is refused holds up its queue; after
 * max_reconsume_times (default: never) it goes to the dead letter queue. A queue is locked at its
 * broker; when it goes to another member, that one waits until the call here has returned. */
typedef mqc_order_status mqc_orderly_listener(mqc_delivery *delivery, void *arg);

/* Where a group without a stored offset begins. As in every RocketMQ client a young topic may be
 * consumed from its beginning even with MQC_FROM_LAST: the broker decides. */
typedef enum mqc_consume_from { MQC_FROM_LAST, MQC_FROM_FIRST, MQC_FROM_TIME } mqc_consume_from;

/* Who gets a message: one member of the group, or each. */
typedef enum mqc_message_model { MQC_CLUSTERING, MQC_BROADCASTING } mqc_message_model;

/* Zero means default, -1 means none. Strings are copied. */
typedef struct mqc_push_consumer_options {
    const mqc_client_options *client;
    const char *group;              /* required: [%|a-zA-Z0-9_-], at most 120 characters */
    mqc_message_listener *listener; /* required, unless orderly_listener or `polled` */
    void *listener_arg;
    mqc_consume_from from;
    int64_t from_unix_ms;        /* for MQC_FROM_TIME; default: half an hour before now */
    int threads;                 /* most workers at a time; default 20, or threads_min */
    int listener_batch;          /* most messages a listener call; default 1 */
    int pull_batch;              /* most messages a pull; default 32 */
    int pull_batch_bytes;        /* default 256 KiB */
    int pull_interval_ms;        /* pause between pulls; default 0 */
    int max_reconsume_times;     /* then the dead letter queue; default 16, orderly: no end; -1: at
                                    once */
    int consume_timeout_minutes; /* a message held longer is sent back; default 15 */
    int queue_max_messages;      /* held of one queue before pulling pauses; default 1000 */
    int queue_max_mib;           /* default 100 */
    int queue_max_span;          /* between first and last held offset; default 2000 */
    int threads_min;             /* workers kept when there is nothing to do; default 1 */
    int topic_max_messages;      /* held of all queues of a topic; default: only queue_max_… */
    int topic_max_mib;           /* likewise */
    mqc_message_model model;     /* default MQC_CLUSTERING */
    mqc_allocate_options allocate;      /* how members divide queues; default averagely */
    mqc_queue_listener *queue_listener; /* told when this consumer's queues change */
    void *queue_listener_arg;
    /* Broadcasting: the folder under which GROUP/offsets.json keeps how far this member has come;
     * default as in Java, ~/.rocketmq_offsets/IP@NAME, with the instance's name or DEFAULT. */
    const char *offset_store_path;
    bool offsets_in_memory; /* broadcasting: keep no file; each start begins as `from` says */
    bool polled;            /* no listener: mqc_push_consumer_poll takes the messages */
    mqc_orderly_listener *orderly_listener; /* instead of `listener`, with the same argument */
    /* Pop topics that the broker's message request mode of topic and group says so for (5.x):
     * members need not share queues out, and none waits for a slow one. With orderly_listener a
     * queue is popped by one member at a time. */
    bool pop;
    int pop_invisible_ms; /* 5000..300000: then it comes again unless done; default 60000 */
    int pop_max_unacked;  /* popped from one place before popping pauses; default 96 */
    /* A queue that was not pulled, or had no message consumed, for so long is named in the log with
     * the reason, and counted (mqc_push_consumer_health); default 120000, -1: never. */
    int stuck_after_ms;
    int suspend_ms; /* of an orderly queue whose message is refused; 10..30000, default 1000 */
    const struct mqc_consume_hook *consume_hooks; /* see every listener call: hooks.h; not copied */
    size_t consume_hook_count;                    /* at most MQC_CONSUME_HOOKS_MOST */
    /* Orderly: how often queues are locked anew at their brokers; default 20000. Relied on for one
     * and a half times as long; brokers must keep locks for three times as long (60000). */
    int lock_renew_ms;
    int reserved; /* 0 */
} mqc_push_consumer_options;

/* A new consumer, not yet started; NULL and `error` when an option is wrong. Does not touch the
 * network. Free with mqc_push_consumer_free. Call it as mqc_push_consumer_new. */
MQC_API mqc_push_consumer *mqc_push_consumer_new_sized(const mqc_push_consumer_options *options,
                                                       size_t size, size_t client_size,
                                                       mqc_error *error);
static inline mqc_push_consumer *mqc_push_consumer_new(const mqc_push_consumer_options *options,
                                                       mqc_error *error)
{
    return mqc_push_consumer_new_sized(options, sizeof(mqc_push_consumer_options),
                                       sizeof(mqc_client_options), error);
}

/* Subscribes to a topic: `filter` is "*" or NULL for all, or tags as "a || b". May be called before
 * and after start; a second call for a topic replaces its filter. MQC_WRONG_STATE after shutdown.
 */
MQC_API mqc_status mqc_push_consumer_subscribe(mqc_push_consumer *consumer, const char *topic,
                                               const char *filter, mqc_error *error);

/* Subscribes with an SQL92 expression over message properties, e.g. "price > 10 AND region =
 * 'north'"; otherwise as subscribe. Brokers filter so only when they are configured to
 * (enablePropertyFilter=true): when the consumer runs, else when it starts, one of the topic's is
 * asked, and MQC_REFUSED says what it said. Blocks for that at most the request timeout. */
MQC_API mqc_status mqc_push_consumer_subscribe_sql(mqc_push_consumer *consumer, const char *topic,
                                                   const char *expression, mqc_error *error);

/* Gives a topic up: its queues are released with their offsets committed. */
MQC_API mqc_status mqc_push_consumer_unsubscribe(mqc_push_consumer *consumer, const char *topic,
                                                 mqc_error *error);

/* Starts consuming. Blocks for the first lookup of routes and the first heartbeat, each at most its
 * request timeout; name servers or brokers that are down are tried again in the background. */
MQC_API MQC_USE_RESULT mqc_status mqc_push_consumer_start(mqc_push_consumer *consumer,
                                                          mqc_error *error);

/* Stops handing out messages until resumed; the queues stay this consumer's. Any thread. */
MQC_API mqc_status mqc_push_consumer_pause(mqc_push_consumer *consumer, mqc_error *error);
MQC_API mqc_status mqc_push_consumer_resume(mqc_push_consumer *consumer, mqc_error *error);

/* Stops pulling, waits at most `drain_ms` for running listeners, commits what was done, leaves the
 * group so that the others take over at once, and joins the threads. May be called from any thread,
 * also twice; not from a listener (MQC_WRONG_STATE). MQC_TIMEOUT when listeners had to be left
 * running: `error` says how many, and free waits for them. */
MQC_API mqc_status mqc_push_consumer_shutdown(mqc_push_consumer *consumer, int drain_ms,
                                              mqc_error *error);

/* Shuts down with a drain of 3000 ms if that has not been done, waits for listeners that still run,
 * and frees. NULL is fine. */
MQC_API void mqc_push_consumer_free(mqc_push_consumer *consumer);

/* Whether a consumer gets on, as it was found when it was looked at last, several times in
 * `stuck_after_ms`. A queue is stuck when it was not pulled or none of its messages was consumed
 * for that time, unless the application paused it. */
typedef struct mqc_consumer_health {
    int64_t queues;       /* that this consumer has now */
    int64_t stuck;        /* of them */
    int64_t stuck_in_all; /* how often a queue got stuck since the start */
    int64_t restarted;    /* queues whose pulls had stopped and were begun anew */
    char why[512];        /* which queue is stuck and why, the one stuck longest; "": none is */
} mqc_consumer_health;

/* Does not block. MQC_BAD_ARGUMENT for NULL. Any thread, also before start and after shutdown. */
MQC_API mqc_status mqc_push_consumer_health(mqc_push_consumer *consumer,
                                            mqc_consumer_health *health, mqc_error *error);

/* ---- without a listener ---- */

/* For consumers that are `polled`: messages of one queue, at most listener_batch, waited for at
 * most `timeout_ms` (-1: for ever, 0: not at all). *delivery is NULL when none came. Several
 * threads may poll. The delivery is the application's until mqc_delivery_finish. MQC_CANCELLED when
 * the consumer is shut down meanwhile. */
MQC_API mqc_status mqc_push_consumer_poll(mqc_push_consumer *consumer, int timeout_ms,
                                          mqc_delivery **delivery, mqc_error *error);

/* A descriptor for poll, epoll or an event loop, readable while poll has something, or the consumer
 * is shut down; perhaps also for nothing. It is the consumer's: neither read nor close it, and take
 * it out of the loop before mqc_push_consumer_free. -1 and `error` on failure. */
MQC_API int mqc_push_consumer_fd(mqc_push_consumer *consumer, mqc_error *error);

/* The verdict on a delivery that was polled, as a listener's answer: any thread, any time, never
 * blocks; frees it. After consume_timeout_minutes its messages have been sent back, and the verdict
 * has no effect. Shutting down waits for the deliveries that are out as for running listeners;
 * those that are left then have no effect any more (they come again, here or elsewhere), but must
 * still be finished, which may be after mqc_push_consumer_free. MQC_WRONG_STATE for a listener's
 * delivery. */
MQC_API mqc_status mqc_delivery_finish(mqc_delivery *delivery, mqc_consume_status status,
                                       mqc_error *error);

/* Frees a delivery that was polled or pulled. Of a push consumer it means MQC_RECONSUME_LATER. NULL
 * is fine. */
MQC_API void mqc_delivery_free(mqc_delivery *delivery);

/* ---- reading a delivery, and in a listener ---- */

/* How many messages there are, each of them (NULL behind the last), and the queue that all are of.
 */
MQC_API size_t mqc_delivery_count(const mqc_delivery *delivery);
MQC_API const mqc_message *mqc_delivery_at(const mqc_delivery *delivery, size_t index);
MQC_API mqc_message_queue mqc_delivery_queue(const mqc_delivery *delivery);

/* Only the first `count` messages are done; the rest is sent back although the listener succeeds
 * (by an orderly listener: delivered again after a while). */
MQC_API void mqc_delivery_done(mqc_delivery *delivery, size_t count);

/* When those sent back come again: 0 the broker's growing delay (10 s first), 1..18 a fixed level,
 * -1 never: straight to the dead letter queue. */
MQC_API void mqc_delivery_retry_level(mqc_delivery *delivery, int level);

/* ---- in an orderly listener ---- */

/* How long the queue is suspended if this call refuses: 10..30000 ms instead of suspend_ms. */
MQC_API void mqc_delivery_suspend(mqc_delivery *delivery, int ms);

/* MQC_ORDER_SUCCESS shall not commit: offsets move with MQC_ORDER_COMMIT alone. */
MQC_API void mqc_delivery_commit_by_hand(mqc_delivery *delivery);

#ifdef __cplusplus
}
#endif
#endif
