/* Filling and reading a copy of figures: see snapshot.h. Whoever has it; no locks but that of its
 * texts. */
#include "lib/stats/snapshot.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"

static struct snapshot_entry *put(struct mqc_stats *stats, enum statistic id,
                                  const struct stat_labels *labels);
static const char *keep(struct mqc_stats *stats, const char *text);
static void fill_latency(mqc_stat *stat, const struct histogram_copy *copy);
static bool has(const struct mqc_stats *stats, size_t count, const struct snapshot_entry *entry);
static bool is_of(const mqc_stat *stat, const char *group, const char *topic, const char *broker);

struct mqc_stats *snapshot_new(mqc_error *error)
{
    struct mqc_stats *stats = memory_allocate_zero(1, sizeof *stats);
    if (!stats) {
        error_no_memory(error);
        return NULL;
    }
    intern_init(&stats->texts);
    buffer_init(&stats->json);
    buffer_init(&stats->prometheus);
    stats->unix_ms = clock_unix_ms();
    return stats;
}

void mqc_stats_free(mqc_stats *stats)
{
    if (!stats) return;
    for (size_t i = 0; i < stats->count; i++) memory_free(stats->entries[i].copy);
    memory_free(stats->entries);
    memory_free(stats->rebalances);
    buffer_done(&stats->json);
    buffer_done(&stats->prometheus);
    intern_done(&stats->texts);
    memory_free(stats);
}

/* ---- filling ---- */

void snapshot_put(struct mqc_stats *stats, enum statistic id, const struct stat_labels *labels,
                  int64_t value, double per_second)
{
    struct snapshot_entry *entry = put(stats, id, labels);
    if (!entry) return;
    entry->stat.value = value;
    entry->stat.per_second = per_second;
}

void snapshot_put_latency(struct mqc_stats *stats, enum statistic id,
                          const struct stat_labels *labels, const struct histogram *histogram)
{
    struct snapshot_entry *entry = put(stats, id, labels);
    if (!entry) return;
    entry->copy = memory_allocate_zero(1, sizeof *entry->copy);
    stats->failed = stats->failed || !entry->copy;
    if (!entry->copy) return;
    histogram_add_to(histogram, entry->copy);
    fill_latency(&entry->stat, entry->copy);
}

void snapshot_put_rebalance(struct mqc_stats *stats, const mqc_rebalance *rebalance)
{
    if (!memory_reserve(&stats->rebalances, &stats->rebalance_capacity, stats->rebalance_count + 1,
                        sizeof *stats->rebalances)) {
        stats->failed = true;
        return;
    }
    mqc_rebalance *own = &stats->rebalances[stats->rebalance_count++];
    *own = *rebalance;
    own->group = keep(stats, rebalance->group);
    own->topic = keep(stats, rebalance->topic);
}

static int by_id(const void *left, const void *right)
{
    const struct snapshot_entry *a = left, *b = right;
    int order = (a->id > b->id) - (a->id < b->id);
    if (order == 0) order = strcmp(a->stat.client, b->stat.client);
    if (order == 0) order = strcmp(a->stat.group, b->stat.group);
    if (order == 0) order = strcmp(a->stat.topic, b->stat.topic);
    if (order == 0) order = strcmp(a->stat.broker, b->stat.broker);
    return order ? order
                 : (a->stat.queue_id > b->stat.queue_id) - (a->stat.queue_id < b->stat.queue_id);
}

struct mqc_stats *snapshot_finish(struct mqc_stats *stats, mqc_error *error)
{
    if (!stats) return NULL;
    if (stats->failed) {
        mqc_stats_free(stats);
        error_no_memory(error);
        return NULL;
    }
    if (stats->count > 1) qsort(stats->entries, stats->count, sizeof *stats->entries, by_id);
    return stats;
}

static struct snapshot_entry *put(struct mqc_stats *stats, enum statistic id,
                                  const struct stat_labels *labels)
{
    if (!memory_reserve(&stats->entries, &stats->capacity, stats->count + 1,
                        sizeof *stats->entries)) {
        stats->failed = true;
        return NULL;
    }
    struct snapshot_entry *entry = &stats->entries[stats->count++];
    *entry = (struct snapshot_entry){
        .id = id,
        .stat = {.name = STATISTICS[id].name,
                 .kind = STATISTICS[id].kind,
                 .unit = STATISTICS[id].unit,
                 .help = STATISTICS[id].help,
                 .client = keep(stats, labels->client),
                 .group = keep(stats, labels->group),
                 .topic = keep(stats, labels->topic),
                 .broker = keep(stats, labels->broker),
                 .queue_id = labels->queue_id},
    };
    return entry;
}

static const char *keep(struct mqc_stats *stats, const char *text)
{
    if (!text || !text[0]) return "";
    const char *own = intern_name(&stats->texts, slice_text(text));
    stats->failed = stats->failed || !own;
    return own ? own : "";
}

static void fill_latency(mqc_stat *stat, const struct histogram_copy *copy)
{
    stat->value = (int64_t)copy->count;
    stat->latency = (mqc_latency){.count = (int64_t)copy->count,
                                  .sum_us = (int64_t)copy->sum_us,
                                  .p50_us = (int64_t)histogram_copy_at(copy, 500),
                                  .p90_us = (int64_t)histogram_copy_at(copy, 900),
                                  .p99_us = (int64_t)histogram_copy_at(copy, 990),
                                  .p999_us = (int64_t)histogram_copy_at(copy, 999),
                                  .max_us = (int64_t)copy->max_us};
}

/* ---- reading ---- */

size_t mqc_stats_count(const mqc_stats *stats)
{
    return stats->count;
}

const mqc_stat *mqc_stats_at(const mqc_stats *stats, size_t index)
{
    return index < stats->count ? &stats->entries[index].stat : NULL;
}

size_t mqc_stats_rebalance_count(const mqc_stats *stats)
{
    return stats->rebalance_count;
}

const mqc_rebalance *mqc_stats_rebalance_at(const mqc_stats *stats, size_t index)
{
    return index < stats->rebalance_count ? &stats->rebalances[index] : NULL;
}

mqc_status mqc_stats_add(mqc_stats *stats, const mqc_stats *more, mqc_error *error)
{
    if (!stats || !more) return error_set(error, MQC_BAD_ARGUMENT, "stats or more is NULL");
    size_t before = stats->count;
    for (size_t i = 0; i < more->count; i++) {
        const struct snapshot_entry *from = &more->entries[i];
        const struct stat_labels labels = {from->stat.client, from->stat.group, from->stat.topic,
                                           from->stat.broker, from->stat.queue_id};
        if (has(stats, before, from)) continue;
        struct snapshot_entry *entry = put(stats, from->id, &labels);
        if (!entry) break;
        entry->stat.value = from->stat.value;
        entry->stat.per_second = from->stat.per_second;
        entry->stat.latency = from->stat.latency;
        if (!from->copy) continue;
        entry->copy = memory_copy(from->copy, sizeof *from->copy);
        stats->failed = stats->failed || !entry->copy;
    }
    for (size_t i = 0; i < more->rebalance_count; i++)
        snapshot_put_rebalance(stats, &more->rebalances[i]);
    if (stats->count > 1) qsort(stats->entries, stats->count, sizeof *stats->entries, by_id);
    bool failed = stats->failed;
    stats->failed = false;
    return failed ? error_no_memory(error) : MQC_OK;
}

/* Among the first `count`. */
static bool has(const struct mqc_stats *stats, size_t count, const struct snapshot_entry *entry)
{
    return count > 0 && bsearch(entry, stats->entries, count, sizeof *entry, by_id) != NULL;
}

mqc_status mqc_stats_total(const mqc_stats *stats, const char *name, const char *group,
                           const char *topic, const char *broker, mqc_stat *total, mqc_error *error)
{
    if (!stats || !name || !total)
        return error_set(error, MQC_BAD_ARGUMENT, "stats, name or total is NULL");
    unsigned id = 0;
    while (id < STATISTIC_COUNT && strcmp(STATISTICS[id].name, name) != 0) id++;
    if (id == STATISTIC_COUNT)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "there is no figure \"%.60s\": docs/statistics.md lists them", name);
    struct histogram_copy sum = {0};
    *total = (mqc_stat){.name = STATISTICS[id].name,
                        .kind = STATISTICS[id].kind,
                        .unit = STATISTICS[id].unit,
                        .help = STATISTICS[id].help,
                        .client = "",
                        .group = group ? group : "",
                        .topic = topic ? topic : "",
                        .broker = broker ? broker : "",
                        .queue_id = -1};
    for (size_t i = 0; i < stats->count; i++) {
        const struct snapshot_entry *entry = &stats->entries[i];
        if (entry->id != id || !is_of(&entry->stat, group, topic, broker)) continue;
        total->value += entry->stat.value;
        total->per_second += entry->stat.per_second;
        if (entry->copy) histogram_copy_add(&sum, entry->copy);
    }
    if (total->kind == MQC_STAT_LATENCY) fill_latency(total, &sum);
    return MQC_OK;
}

static bool is_of(const mqc_stat *stat, const char *group, const char *topic, const char *broker)
{
    return (!group || strcmp(group, stat->group) == 0) &&
           (!topic || strcmp(topic, stat->topic) == 0) &&
           (!broker || strcmp(broker, stat->broker) == 0);
}
