/* What clients count and measure of themselves: sends, deliveries, latencies, queues, connections.
 * All figures are listed in docs/statistics.md. Counting is always on; it costs some 25 ns a
 * message. What is counted is read as a copy of one moment (mqc_stats), which is then walked, or
 * turned into JSON or the text that Prometheus scrapes.
 *
 * For a copy at every interval, see `stats_listener` in mqc_client_options. */
#ifndef MQCLIENT_STATISTICS_H
#define MQCLIENT_STATISTICS_H

#include <mqclient/consumer.h>
#include <mqclient/lite_consumer.h>
#include <mqclient/producer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Figures of one moment. The application's own, to be used by one thread at a time; it needs no
 * client to be alive. */
typedef struct mqc_stats mqc_stats;

typedef enum mqc_stat_kind {
    MQC_STAT_COUNTER, /* only grows, from 0 when the client was made */
    MQC_STAT_GAUGE,   /* how much there is now */
    MQC_STAT_LATENCY  /* durations, with their percentiles */
} mqc_stat_kind;

/* Microseconds. Percentiles are wrong by 3 % at most. */
typedef struct mqc_latency {
    int64_t count;
    int64_t sum_us;
    int64_t p50_us;
    int64_t p90_us;
    int64_t p99_us;
    int64_t p999_us;
    int64_t max_us;
} mqc_latency;

/* One figure. Texts live as long as the mqc_stats. What it is not divided by is "" (or -1). */
typedef struct mqc_stat {
    const char *name; /* "sent_messages" */
    mqc_stat_kind kind;
    const char *unit;   /* "messages", "bytes", "us"; "" for plain numbers */
    const char *help;   /* what it says, in a sentence */
    const char *client; /* id of the client, as brokers know it; "" before its start */
    const char *group;
    const char *topic;
    const char *broker; /* its name; of connections and requests the address */
    int queue_id;
    int64_t value;       /* of a latency how many were measured */
    double per_second;   /* of a counter, over the last minute or since the client began */
    mqc_latency latency; /* of a latency */
} mqc_stat;

/* The figures of a client and of the connections it uses, which others may share
 * (mqc_client_options says which). Any thread, in any state until the client is freed; does not
 * block. NULL and `error` when there is no memory, or for NULL. Free with mqc_stats_free. */
MQC_API mqc_stats *mqc_producer_stats(mqc_producer *producer, mqc_error *error);
MQC_API mqc_stats *mqc_push_consumer_stats(mqc_push_consumer *consumer, mqc_error *error);
MQC_API mqc_stats *mqc_lite_consumer_stats(mqc_lite_consumer *consumer, mqc_error *error);
MQC_API void mqc_stats_free(mqc_stats *stats); /* NULL is fine */

/* Adds what another one has and this one has not: figures of several clients on one page. */
MQC_API mqc_status mqc_stats_add(mqc_stats *stats, const mqc_stats *more, mqc_error *error);

/* How many figures there are, and each of them (NULL behind the last): those of one name stand
 * together, in the order of docs/statistics.md. */
MQC_API size_t mqc_stats_count(const mqc_stats *stats);
MQC_API const mqc_stat *mqc_stats_at(const mqc_stats *stats, size_t index);

/* All figures of a name as one: the sum of counters and gauges, latencies together. NULL for group,
 * topic or broker means any. MQC_BAD_ARGUMENT when no figure is called so; a figure that nothing
 * was counted in is 0. */
MQC_API mqc_status mqc_stats_total(const mqc_stats *stats, const char *name, const char *group,
                                   const char *topic, const char *broker, mqc_stat *total,
                                   mqc_error *error);

/* One division of a topic's queues that changed which of them are this consumer's: the last 32 of
 * each consumer, oldest first. */
typedef struct mqc_rebalance {
    int64_t unix_ms;
    const char *group;
    const char *topic;
    int queues; /* of the topic */
    int mine;   /* of those, this consumer's from then on */
    int gained;
    int lost;
} mqc_rebalance;
MQC_API size_t mqc_stats_rebalance_count(const mqc_stats *stats);
MQC_API const mqc_rebalance *mqc_stats_rebalance_at(const mqc_stats *stats, size_t index);

/* As text, which belongs to `stats`: it lives until the next call of the same function, or until
 * that is freed. NULL and `error` when there is no memory.
 * JSON: one object; docs/statistics.md shows it.
 * Prometheus: its text format 0.0.4, to be served as "text/plain; version=0.0.4". Names begin with
 * mqclient_, latencies are summaries in seconds. */
MQC_API const char *mqc_stats_json(mqc_stats *stats, mqc_error *error);
MQC_API const char *mqc_stats_prometheus(mqc_stats *stats, mqc_error *error);

/* Called at every interval with the figures of a client and of all producers and consumers that
 * share it, and the same as JSON; both are valid during the call. On a callback thread, never twice
 * at a time; it must not shut anything down. Set it by `stats_listener` of mqc_client_options. */
typedef void mqc_stats_listener(const char *json, mqc_stats *stats, void *arg);

/* Visits every figure there is, in the order of docs/statistics.md, until `visit` returns false. */
typedef struct mqc_stat_description {
    const char *name;
    const char *of; /* "client", "producer", "consumer" */
    mqc_stat_kind kind;
    const char *unit;
    const char *labels; /* what it is divided by: "topic, broker, queue"; "" for nothing */
    const char *help;
} mqc_stat_description;
typedef bool mqc_stat_describer(const mqc_stat_description *figure, void *arg);
MQC_API void mqc_stats_describe(mqc_stat_describer *visit, void *arg);

#ifdef __cplusplus
}
#endif
#endif
