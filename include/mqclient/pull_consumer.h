/* Pulling by hand: one call fetches messages of one queue from an offset on. Nothing runs in the
 * background, no queue is anybody's, and where to go on is for the application to keep: for
 * bridges, inspection and tests. Most applications want the push or the lite consumer. */
#ifndef MQCLIENT_PULL_CONSUMER_H
#define MQCLIENT_PULL_CONSUMER_H

#include <mqclient/consumer.h>
#include <mqclient/lite_consumer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_pull_consumer mqc_pull_consumer;

typedef struct mqc_pull_consumer_options {
    const mqc_client_options *client;
    const char *group; /* required: whose offsets are fetched and updated */
} mqc_pull_consumer_options;

/* A started consumer; NULL and `error` otherwise. Free with mqc_pull_consumer_free, when no call of
 * another thread runs any more. All functions may be called from any thread; each blocks. */
MQC_API mqc_pull_consumer *mqc_pull_consumer_new_sized(const mqc_pull_consumer_options *options,
                                                       size_t size, size_t client_size,
                                                       mqc_error *error);
static inline mqc_pull_consumer *mqc_pull_consumer_new(const mqc_pull_consumer_options *options,
                                                       mqc_error *error)
{
    return mqc_pull_consumer_new_sized(options, sizeof(mqc_pull_consumer_options),
                                       sizeof(mqc_client_options), error);
}
MQC_API void mqc_pull_consumer_free(mqc_pull_consumer *consumer);

typedef enum mqc_pull_status {
    MQC_PULL_FOUND,         /* there are messages */
    MQC_PULL_NO_NEW,        /* the queue has nothing at the offset yet */
    MQC_PULL_NO_MATCH,      /* there were messages, but none that the filter lets through */
    MQC_PULL_OFFSET_ILLEGAL /* the queue has no such offset: go on at next_offset */
} mqc_pull_status;

typedef struct mqc_pull_request {
    mqc_message_queue queue;
    int64_t offset;
    const char *filter; /* "*" or NULL for all, or tags as "a || b" */
    const char *sql;    /* an SQL92 expression instead of `filter` */
    int max_messages;   /* default 32, at most 1024 */
    int wait_ms;        /* how long the broker waits for a message; default 0; it looks every 5 s */
} mqc_pull_request;

typedef struct mqc_pull_result {
    mqc_pull_status status;
    int64_t next_offset;              /* where to go on */
    int64_t least_offset, end_offset; /* of what the queue has */
    mqc_delivery *delivery;           /* the messages: free with mqc_delivery_free; else NULL */
} mqc_pull_result;

/* Waits for the broker at most `wait_ms` and 10 s. */
MQC_API mqc_status mqc_pull_consumer_pull(mqc_pull_consumer *consumer,
                                          const mqc_pull_request *request, mqc_pull_result *result,
                                          mqc_error *error);

/* The group's offset of a queue at the broker: -1 when it has none. */
MQC_API mqc_status mqc_pull_consumer_fetch_offset(mqc_pull_consumer *consumer,
                                                  const mqc_message_queue *queue, int64_t *offset,
                                                  mqc_error *error);
MQC_API mqc_status mqc_pull_consumer_update_offset(mqc_pull_consumer *consumer,
                                                   const mqc_message_queue *queue, int64_t offset,
                                                   mqc_error *error);

/* As the functions of the lite consumer. */
MQC_API mqc_status mqc_pull_consumer_fetch_queues(mqc_pull_consumer *consumer, const char *topic,
                                                  mqc_queue_list *list, mqc_error *error);
MQC_API mqc_status mqc_pull_consumer_offsets(mqc_pull_consumer *consumer,
                                             const mqc_message_queue *queue, int64_t *least,
                                             int64_t *next, mqc_error *error);
MQC_API mqc_status mqc_pull_consumer_offset_for_time(mqc_pull_consumer *consumer,
                                                     const mqc_message_queue *queue,
                                                     int64_t unix_ms, int64_t *offset,
                                                     mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
