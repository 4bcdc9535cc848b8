/* A copy of figures on its way to the application (mqc_stats): filled by each who has some, of one
 * moment or nearly so. One thread at a time. */
#ifndef STATS_SNAPSHOT_H
#define STATS_SNAPSHOT_H

#include "lib/base/buffer.h"
#include "lib/base/histogram.h"
#include "lib/base/intern.h"
#include "lib/stats/statistics.h"

/* What a figure is divided by; NULL is "". */
struct stat_labels {
    const char *client, *group, *topic, *broker;
    int queue_id;
};

struct snapshot_entry {
    enum statistic id;
    mqc_stat stat;
    struct histogram_copy *copy; /* owned; of a latency */
};

struct mqc_stats {
    struct snapshot_entry *entries; /* in the table's order once it is finished */
    size_t count, capacity;
    mqc_rebalance *rebalances;
    size_t rebalance_count, rebalance_capacity;
    int64_t unix_ms;
    struct intern texts;
    struct buffer json, prometheus;
    bool failed; /* something is missing for want of memory */
};

struct mqc_stats *snapshot_new(mqc_error *error);
void snapshot_put(struct mqc_stats *stats, enum statistic id, const struct stat_labels *labels,
                  int64_t value, double per_second);
void snapshot_put_latency(struct mqc_stats *stats, enum statistic id,
                          const struct stat_labels *labels, const struct histogram *histogram);
void snapshot_put_rebalance(struct mqc_stats *stats, const mqc_rebalance *rebalance);
/* Sorts; or frees it, and NULL, when something was missing. */
struct mqc_stats *snapshot_finish(struct mqc_stats *stats, mqc_error *error);

#endif
