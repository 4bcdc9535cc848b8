/* Figures as JSON and as the text that Prometheus scrapes. Pure but for the buffers of the
 * snapshot; whoever has it. */
#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/protocol/relaxed_json.h"
#include "lib/stats/snapshot.h"

static void put_figure(struct buffer *out, const mqc_stat *stat);
static void put_rebalance(struct buffer *out, const mqc_rebalance *rebalance);
static void put_member(struct buffer *out, const char *name, const char *value);
static void put_latency(struct buffer *out, const mqc_latency *latency);
static const char *finish(struct buffer *out, mqc_error *error);
static void put_family(struct buffer *out, const mqc_stat *stat);
static void put_name(struct buffer *out, const mqc_stat *stat);
static void put_labels(struct buffer *out, const mqc_stat *stat, const char *quantile);
static void put_sample(struct buffer *out, const mqc_stat *stat);
static void put_summary(struct buffer *out, const mqc_stat *stat);

/* ---- JSON ---- */

const char *mqc_stats_json(mqc_stats *stats, mqc_error *error)
{
    if (!stats) {
        error_set(error, MQC_BAD_ARGUMENT, "stats is NULL");
        return NULL;
    }
    struct buffer *out = &stats->json;
    buffer_clear(out);
    buffer_put_format(out, "{\"unix_ms\":%" PRId64 ",\"figures\":[", stats->unix_ms);
    for (size_t i = 0; i < stats->count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        put_figure(out, &stats->entries[i].stat);
    }
    buffer_put_text(out, "],\"rebalances\":[");
    for (size_t i = 0; i < stats->rebalance_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        put_rebalance(out, &stats->rebalances[i]);
    }
    buffer_put_text(out, "]}");
    return finish(out, error);
}

static void put_figure(struct buffer *out, const mqc_stat *stat)
{
    buffer_put_text(out, "{\"name\":");
    json_put_text(out, slice_text(stat->name));
    put_member(out, "client", stat->client);
    put_member(out, "group", stat->group);
    put_member(out, "topic", stat->topic);
    put_member(out, "broker", stat->broker);
    if (stat->queue_id >= 0) buffer_put_format(out, ",\"queue\":%d", stat->queue_id);
    if (stat->kind == MQC_STAT_LATENCY)
        put_latency(out, &stat->latency);
    else
        buffer_put_format(out, ",\"value\":%" PRId64, stat->value);
    if (stat->kind == MQC_STAT_COUNTER)
        buffer_put_format(out, ",\"per_second\":%.3f", stat->per_second);
    buffer_put_8(out, '}');
}

static void put_member(struct buffer *out, const char *name, const char *value)
{
    if (!value[0]) return;
    buffer_put_format(out, ",\"%s\":", name);
    json_put_text(out, slice_text(value));
}

static void put_latency(struct buffer *out, const mqc_latency *latency)
{
    buffer_put_format(out,
                      ",\"count\":%" PRId64 ",\"sum_us\":%" PRId64 ",\"p50_us\":%" PRId64
                      ",\"p90_us\":%" PRId64 ",\"p99_us\":%" PRId64 ",\"p999_us\":%" PRId64
                      ",\"max_us\":%" PRId64,
                      latency->count, latency->sum_us, latency->p50_us, latency->p90_us,
                      latency->p99_us, latency->p999_us, latency->max_us);
}

static void put_rebalance(struct buffer *out, const mqc_rebalance *rebalance)
{
    buffer_put_format(out, "{\"unix_ms\":%" PRId64, rebalance->unix_ms);
    put_member(out, "group", rebalance->group);
    put_member(out, "topic", rebalance->topic);
    buffer_put_format(out, ",\"queues\":%d,\"mine\":%d,\"gained\":%d,\"lost\":%d}",
                      rebalance->queues, rebalance->mine, rebalance->gained, rebalance->lost);
}

static const char *finish(struct buffer *out, mqc_error *error)
{
    const char *text = buffer_text(out);
    if (!text) error_no_memory(error);
    return text;
}

/* ---- Prometheus ---- */

const char *mqc_stats_prometheus(mqc_stats *stats, mqc_error *error)
{
    if (!stats) {
        error_set(error, MQC_BAD_ARGUMENT, "stats is NULL");
        return NULL;
    }
    struct buffer *out = &stats->prometheus;
    buffer_clear(out);
    for (size_t i = 0; i < stats->count; i++) {
        const mqc_stat *stat = &stats->entries[i].stat;
        if (i == 0 || stats->entries[i].id != stats->entries[i - 1].id) put_family(out, stat);
        if (stat->kind == MQC_STAT_LATENCY)
            put_summary(out, stat);
        else
            put_sample(out, stat);
    }
    return finish(out, error);
}

/* Names end as Prometheus has it: counters with _total, durations with their unit. */
static void put_name(struct buffer *out, const mqc_stat *stat)
{
    static const char *const ENDS[] = {
        [MQC_STAT_COUNTER] = "_total", [MQC_STAT_GAUGE] = "", [MQC_STAT_LATENCY] = "_seconds"};
    buffer_put_format(out, "mqclient_%s%s", stat->name, ENDS[stat->kind]);
}

static void put_family(struct buffer *out, const mqc_stat *stat)
{
    static const char *const TYPES[] = {
        [MQC_STAT_COUNTER] = "counter", [MQC_STAT_GAUGE] = "gauge", [MQC_STAT_LATENCY] = "summary"};
    buffer_put_text(out, "# HELP ");
    put_name(out, stat);
    buffer_put_format(out, " %s\n# TYPE ", stat->help);
    put_name(out, stat);
    buffer_put_format(out, " %s\n", TYPES[stat->kind]);
}

static void put_label(struct buffer *out, const char *name, const char *value, bool *any)
{
    if (!value[0]) return;
    buffer_put_format(out, "%s%s=\"", *any ? "," : "{", name);
    *any = true;
    for (; *value; value++) {
        if (*value == '\n') {
            buffer_put_text(out, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"') buffer_put_8(out, '\\');
        buffer_put_8(out, (uint8_t)*value);
    }
    buffer_put_8(out, '"');
}

static void put_labels(struct buffer *out, const mqc_stat *stat, const char *quantile)
{
    bool any = false;
    char number[24] = "";
    if (stat->queue_id >= 0) number[decimal_write(number, stat->queue_id)] = '\0';
    put_label(out, "client", stat->client, &any);
    put_label(out, "group", stat->group, &any);
    put_label(out, "topic", stat->topic, &any);
    put_label(out, "broker", stat->broker, &any);
    put_label(out, "queue", number, &any);
    put_label(out, "quantile", quantile, &any);
    if (any) buffer_put_8(out, '}');
}

static void put_sample(struct buffer *out, const mqc_stat *stat)
{
    put_name(out, stat);
    put_labels(out, stat, "");
    buffer_put_format(out, " %" PRId64 "\n", stat->value);
}

/* Microseconds as seconds, without a locale's comma. */
static void put_seconds(struct buffer *out, int64_t us)
{
    buffer_put_format(out, " %" PRId64 ".%06d\n", us / 1000000, (int)(us % 1000000));
}

static void put_summary(struct buffer *out, const mqc_stat *stat)
{
    const struct {
        const char *quantile;
        int64_t us;
    } quantiles[] = {{"0.5", stat->latency.p50_us},
                     {"0.9", stat->latency.p90_us},
                     {"0.99", stat->latency.p99_us},
                     {"0.999", stat->latency.p999_us},
                     {"1", stat->latency.max_us}};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        put_name(out, stat);
        put_labels(out, stat, quantiles[i].quantile);
        put_seconds(out, quantiles[i].us);
    }
    put_name(out, stat);
    buffer_put_text(out, "_sum");
    put_labels(out, stat, "");
    put_seconds(out, stat->latency.sum_us);
    put_name(out, stat);
    buffer_put_text(out, "_count");
    put_labels(out, stat, "");
    buffer_put_format(out, " %" PRId64 "\n", stat->latency.count);
}
