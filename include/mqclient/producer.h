/* Sending messages. A producer may be used from any number of threads at once. */
#ifndef MQCLIENT_PRODUCER_H
#define MQCLIENT_PRODUCER_H

#include <mqclient/client.h>
#include <mqclient/message.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_producer mqc_producer;

/* How bodies are compressed; consumers inflate them by themselves. */
typedef enum mqc_compression {
    MQC_COMPRESS_ZLIB,
    MQC_COMPRESS_LZ4,
    MQC_COMPRESS_ZSTD
} mqc_compression;

/* An answer that takes at least `latency_ms` keeps its broker away for `away_ms`; an attempt that
 * fails counts as one of 10000 ms. Steps are in rising order. */
typedef struct mqc_latency_step {
    int latency_ms;
    int away_ms;
} mqc_latency_step;

/* What an asynchronous send does when as many as are allowed wait for their results. */
typedef enum mqc_when_full {
    MQC_WHEN_FULL_WAIT, /* blocks until there is room, at most its timeout, then fails: MQC_BUSY */
    MQC_WHEN_FULL_FAIL  /* fails at once with MQC_BUSY */
} mqc_when_full;

/* Zero means default, -1 means none. Strings are copied. */
typedef struct mqc_producer_options {
    const mqc_client_options *client; /* NULL: all defaults, name servers from $NAMESRV_ADDR */
    const char *group;                /* required: [%|a-zA-Z0-9_-], at most 120 characters */
    int send_timeout_ms;              /* for one send with all its retries; default 3000 */
    int attempt_timeout_ms; /* most that one attempt may take; default: no cap of its own */
    int retries;            /* further attempts of a synchronous send; default 2, -1 none */
    int async_retries;      /* of an asynchronous send, also after refusals; default 2, -1 none */
    bool retry_other_broker_when_not_stored_ok; /* treat flush and replica timeouts as failures */
    int max_message_bytes;                      /* of a body; default 4 MiB */
    const char *create_topic_key; /* topic whose route new topics are made after; default TBW102 */
    int default_topic_queues;     /* queues of topics made that way; default 4 */
    int compress_above_bytes;     /* smallest body that is compressed; default 4096, -1 never */
    mqc_compression compression;  /* default zlib */
    int compress_level;           /* 1 fast to 9 small, zstd to 22, none of lz4; default 5 */
    /* Slow brokers: a broker whose answers take long, or that refuses or does not answer, gets no
     * messages for a while as long as others do better. Not for sends that name their queue. */
    const mqc_latency_step *latency_steps; /* default: 550 ms → 2 s, 1.8 s → 5 s, … 15 s → 30 s */
    size_t latency_step_count;
    int detect_interval_ms;  /* between two probes of a broker that is out of reach; default 2000 */
    int detect_timeout_ms;   /* that such a broker has for its answer; default 200 */
    bool avoid_slow_brokers; /* default no, as in Java */
    bool detect_brokers;     /* with it: one out of reach comes back when a probe reaches it */
    int max_async_sends;     /* that wait for their results at a time; default 1024, -1 no limit */
    int max_async_bytes;     /* of their bodies; default 100 MiB, -1 no limit */
    mqc_when_full when_full; /* default MQC_WHEN_FULL_WAIT */
    const char *topics; /* "a;b": looked up at start, so that their brokers know this group before
                           the first send (checks of transactions) and that one waits for nothing */
    /* Auto-batching: single sends, synchronous and asynchronous, are gathered by topic, tag and,
     * where the options of the send say which, queue, and go out as batches; each caller gets its
     * own result. Sends alone: a message with a delay, larger than a batch, or with a timeout of
     * its own. A failure is that of all messages of a batch. */
    bool auto_batch;
    int batch_max_bytes;    /* of one batch, encoded; default 32 KiB, at most 2 MiB */
    int batch_max_delay_ms; /* that a message waits for others; default 10 */
    int batch_total_bytes;  /* gathered or on their way; above it sends go alone; default 32 MiB */
    const struct mqc_send_hook *send_hooks; /* see every send: hooks.h; not copied */
    size_t send_hook_count;                 /* at most MQC_SEND_HOOKS_MOST */
} mqc_producer_options;

/* How well the broker has stored a message it accepted. */
typedef enum mqc_send_status {
    MQC_SEND_OK,
    MQC_SEND_FLUSH_DISK_TIMEOUT,  /* in memory, not yet on disk (synchronous flush only) */
    MQC_SEND_FLUSH_SLAVE_TIMEOUT, /* not yet on the slave */
    MQC_SEND_SLAVE_NOT_AVAILABLE  /* there is no slave */
} mqc_send_status;

typedef struct mqc_send_result {
    mqc_send_status status;
    mqc_message_queue queue; /* strings live as long as the producer */
    int64_t queue_offset;
    char message_id[64];        /* the unique id that consumers see */
    char offset_message_id[64]; /* the broker's id */
    char transaction_id[64];
    char region[32];
    bool trace_on;
    char recall_handle[512]; /* of a message with a time of its own, for mqc_producer_recall */
    int64_t reserved[4];     /* for later versions */
} mqc_send_result;

/* Chooses one of `count` queues for `message`; runs on the sending thread. */
typedef size_t mqc_select_queue(const mqc_message_queue *queues, size_t count,
                                const mqc_message *message, void *arg);

/* Of one send; NULL where it is asked for means the producer's own settings. At most one of
 * `queue`, `select` and `order_key`.
 *
 * Messages with the same order key go to the same queue, and a consumer that takes the queue in
 * order gets them as they were stored: the queue is number |hash(key)| modulo their count, with
 * Java's String.hashCode of the key as UTF-8, so that it is also the Java client's
 * (SelectMessageQueueByHash with a String). It is another one when the topic's queues change, and
 * when a broker leaves the route, unless the topic has a fixed order (orderTopicConf).
 * To keep the order of a key, send its next message when the one before has its result, by
 * synchronous sends from one thread, or from the callback.
 *
 * No retry may put messages out of order. A send with `queue` or `select` is tried once. A
 * synchronous send with a key is tried again until its timeout, on its own queue only and with
 * pauses, as long as the broker surely has not stored it (not reachable, busy); after a failure
 * with `maybe_done` it is up to the caller. With `retries` -1 it is tried once, and so are the
 * asynchronous and oneway sends. */
typedef struct mqc_send_options {
    int timeout_ms;                 /* 0: the producer's send_timeout_ms */
    const mqc_message_queue *queue; /* this queue, or … */
    mqc_select_queue *select;       /* … one chosen by this function, or … */
    void *select_arg;
    const char *order_key;   /* … the one that all messages of this key go to */
    size_t order_key_bytes;  /* 0: up to its zero byte */
    const void *reserved[4]; /* for later versions: leave them zero */
} mqc_send_options;

/* The result of an asynchronous send: exactly one of `result` and `error` is not NULL; both are
 * valid during the call only. Runs on a callback thread of the instance with no lock held, exactly
 * once for every accepted send, after shutdown has begun with MQC_CANCELLED. It may send, but must
 * not shut down the producer, and should not block for long. */
typedef void mqc_sent(const mqc_send_result *result, const mqc_error *error, void *arg);

/* A new producer, not yet started; NULL and `error` when an option is wrong. Does not touch the
 * network. Free with mqc_producer_free. Call it as mqc_producer_new. */
MQC_API mqc_producer *mqc_producer_new_sized(const mqc_producer_options *options, size_t size,
                                             size_t client_size, mqc_error *error);
static inline mqc_producer *mqc_producer_new(const mqc_producer_options *options, mqc_error *error)
{
    return mqc_producer_new_sized(options, sizeof(mqc_producer_options), sizeof(mqc_client_options),
                                  error);
}

/* Starts the producer and, if it is the first on it, the client instance. Blocks at most for one
 * lookup of the name server address over HTTP when none is configured, and with `topics` for theirs
 * and one heartbeat; brokers need not be up. MQC_WRONG_STATE when started before. */
MQC_API MQC_USE_RESULT mqc_status mqc_producer_start(mqc_producer *producer, mqc_error *error);

/* Sends and waits for the broker's answer, at most the send timeout with all retries. The message
 * is borrowed and unchanged. `options`, `result` and `error` may be NULL. MQC_OK also with a send
 * status other than MQC_SEND_OK: the broker has the message. */
MQC_API mqc_status mqc_producer_send(mqc_producer *producer, const mqc_message *message,
                                     const mqc_send_options *options, mqc_send_result *result,
                                     mqc_error *error);

/* Sends without waiting; `done(…, arg)` gets the result. The message is borrowed until this
 * returns. When this fails, `done` is not called. May block while a route is looked up for a new
 * topic, and, at most for its timeout, while max_async_sends or max_async_bytes is reached: then
 * MQC_BUSY. From a callback it never waits for room: the first send of a callback takes the place
 * of the one that has just ended, and further ones fail with MQC_BUSY when there is no room. */
MQC_API mqc_status mqc_producer_send_async(mqc_producer *producer, const mqc_message *message,
                                           const mqc_send_options *options, mqc_sent *done,
                                           void *arg, mqc_error *error);

/* Sends without an answer: MQC_OK says only that the bytes are on their way. What a broker that has
 * too much to do or is going down throws away, nobody ever hears of: send in another way whatever
 * must not be lost. Waits, at most the send timeout, while the bytes of earlier ones are not taken
 * by the network: the sender is so held to the pace at which the broker reads; then MQC_BUSY. */
MQC_API mqc_status mqc_producer_send_oneway(mqc_producer *producer, const mqc_message *message,
                                            const mqc_send_options *options, mqc_error *error);

/* Takes back a message that was sent with a time of delivery (mqc_message_set_delay_ms and the
 * like) and is not delivered yet; `recall_handle` is from its send result, `topic` the one it was
 * sent to. Waits for the broker's answer, at most `timeout_ms` (0: send_timeout_ms). `message_id`
 * (may be NULL) gets the unique id of the message. MQC_BAD_ARGUMENT for what is no handle;
 * MQC_REFUSED when it is too late (code 604), or the broker does not allow it (code 16: set its
 * recallMessageEnable=true). MQC_OK says that the broker will not deliver the message, unless it
 * was about to at that moment. */
MQC_API mqc_status mqc_producer_recall(mqc_producer *producer, const char *topic,
                                       const char *recall_handle, int timeout_ms,
                                       char message_id[64], mqc_error *error);

/* The end of a recall: exactly one of `message_id` and `error` is not NULL. As for mqc_sent. */
typedef void mqc_recalled(const char *message_id, const mqc_error *error, void *arg);

/* The same without waiting for the answer; when this fails, `done` is not called. */
MQC_API mqc_status mqc_producer_recall_async(mqc_producer *producer, const char *topic,
                                             const char *recall_handle, int timeout_ms,
                                             mqc_recalled *done, void *arg, mqc_error *error);

/* Refuses new sends, lets those in flight finish for at most `drain_ms`, fails the rest with
 * MQC_CANCELLED, unregisters at the brokers and joins the instance's threads if this was its last
 * user. May be called from any thread, also twice; not from a callback (MQC_WRONG_STATE).
 * MQC_TIMEOUT when something had to be abandoned: `error` says what. */
MQC_API mqc_status mqc_producer_shutdown(mqc_producer *producer, int drain_ms, mqc_error *error);

/* Shuts down with a drain of 3000 ms if that has not been done, and frees. NULL is fine. */
MQC_API void mqc_producer_free(mqc_producer *producer);

#ifdef __cplusplus
}
#endif
#endif
