/* Tests of lib/stats/snapshot and its texts: order, adding, totals, JSON read back, Prometheus by
 * the letter, no memory. */
#include "lib/stats/snapshot.h"

#include <jansson.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

static const struct stat_labels CLIENT = {
    .client = "c1", .broker = "10.0.0.1:10911", .queue_id = -1};
static const struct stat_labels QUEUE = {
    .client = "c1", .group = "g", .topic = "t", .broker = "a", .queue_id = 3};

static struct mqc_stats *fill(mqc_error *error)
{
    static struct histogram histogram;
    struct mqc_stats *stats = snapshot_new(error);
    if (!stats) return NULL;
    if (histogram.max_us == 0) {
        histogram_record(&histogram, 7);
        histogram_record(&histogram, 1500000);
    }
    const struct stat_labels pair = {
        .client = "c1", .group = "g", .topic = "t", .broker = "a", .queue_id = -1};
    snapshot_put_latency(stats, STATISTIC_SEND_LATENCY, &pair, &histogram);
    snapshot_put(stats, STATISTIC_SENT_MESSAGES, &QUEUE, 12, 1.5);
    snapshot_put(stats, STATISTIC_CONNECTIONS, &CLIENT, 1, 0);
    snapshot_put_rebalance(stats, &(mqc_rebalance){.unix_ms = 5,
                                                   .group = "g",
                                                   .topic = "t",
                                                   .queues = 8,
                                                   .mine = 4,
                                                   .gained = 3,
                                                   .lost = 1});
    return snapshot_finish(stats, error);
}

START_TEST(figures_stand_in_the_tables_order)
{
    mqc_error error;
    struct mqc_stats *stats = fill(&error);
    ck_assert_uint_eq(mqc_stats_count(stats), 3);
    ck_assert_str_eq(mqc_stats_at(stats, 0)->name, "connections");
    ck_assert_str_eq(mqc_stats_at(stats, 1)->name, "sent_messages");
    ck_assert_str_eq(mqc_stats_at(stats, 2)->name, "send_latency");
    ck_assert_ptr_null(mqc_stats_at(stats, 3));
    const mqc_stat *sent = mqc_stats_at(stats, 1);
    ck_assert_str_eq(sent->topic, "t");
    ck_assert_int_eq(sent->queue_id, 3);
    ck_assert_int_eq(sent->value, 12);
    ck_assert_str_eq(mqc_stats_at(stats, 0)->group, "");
    ck_assert_uint_eq(mqc_stats_rebalance_count(stats), 1);
    ck_assert_int_eq(mqc_stats_rebalance_at(stats, 0)->gained, 3);
    ck_assert_ptr_null(mqc_stats_rebalance_at(stats, 1));
    mqc_stats_free(stats);
}
END_TEST

START_TEST(what_is_there_is_not_added_again)
{
    mqc_error error;
    struct mqc_stats *stats = fill(&error), *more = fill(&error);
    struct stat_labels other = QUEUE;
    other.queue_id = 4;
    snapshot_put(more, STATISTIC_SENT_MESSAGES, &other, 5, 0.5);
    more = snapshot_finish(more, &error);
    ck_assert_int_eq(mqc_stats_add(stats, more, &error), MQC_OK);
    mqc_stats_free(more); /* what was added is a copy */
    ck_assert_uint_eq(mqc_stats_count(stats), 4);
    mqc_stat total;
    ck_assert_int_eq(mqc_stats_total(stats, "sent_messages", "g", NULL, NULL, &total, &error), 0);
    ck_assert_int_eq(total.value, 17);
    ck_assert_double_eq_tol(total.per_second, 2, 0.0001);
    ck_assert_int_eq(mqc_stats_total(stats, "send_latency", NULL, NULL, NULL, &total, &error), 0);
    ck_assert_int_eq(total.latency.count, 2);
    ck_assert_int_eq(mqc_stats_add(stats, NULL, &error), MQC_BAD_ARGUMENT);
    mqc_stats_free(stats);
}
END_TEST

START_TEST(totals_of_what_is_no_figure)
{
    mqc_error error;
    mqc_stat total;
    struct mqc_stats *stats = fill(&error);
    ck_assert_int_eq(mqc_stats_total(stats, "sent", NULL, NULL, NULL, &total, &error),
                     MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "\"sent\""));
    ck_assert_ptr_nonnull(strstr(error.text, "docs/statistics.md"));
    ck_assert_int_eq(mqc_stats_total(stats, NULL, NULL, NULL, NULL, &total, &error),
                     MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_stats_total(stats, "lag", NULL, NULL, NULL, &total, &error), MQC_OK);
    ck_assert_int_eq(total.value, 0);
    mqc_stats_free(stats);
}
END_TEST

START_TEST(json_can_be_read)
{
    mqc_error error;
    struct mqc_stats *stats = fill(&error);
    struct stat_labels odd = QUEUE;
    odd.topic = "quote\" back\\slash \n line";
    snapshot_put(stats, STATISTIC_SENT_BYTES, &odd, 1, 0);
    stats = snapshot_finish(stats, &error);
    json_t *root = json_loads(mqc_stats_json(stats, &error), 0, NULL);
    ck_assert_ptr_nonnull(root);
    json_t *figures = json_object_get(root, "figures");
    ck_assert_uint_eq(json_array_size(figures), 4);
    json_t *sent = json_array_get(figures, 1);
    ck_assert_str_eq(json_string_value(json_object_get(sent, "name")), "sent_messages");
    ck_assert_int_eq(json_integer_value(json_object_get(sent, "value")), 12);
    ck_assert_int_eq(json_integer_value(json_object_get(sent, "queue")), 3);
    ck_assert_double_eq_tol(json_real_value(json_object_get(sent, "per_second")), 1.5, 0.0001);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(figures, 2), "topic")),
                     odd.topic);
    json_t *latency = json_array_get(figures, 3);
    ck_assert_int_eq(json_integer_value(json_object_get(latency, "count")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(latency, "p50_us")), 7);
    ck_assert_ptr_null(json_object_get(latency, "value"));
    json_t *rebalance = json_array_get(json_object_get(root, "rebalances"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(rebalance, "mine")), 4);
    json_decref(root);
    mqc_stats_free(stats);
}
END_TEST

START_TEST(prometheus_by_the_letter)
{
    static const char EXPECTED[] =
        "# HELP mqclient_connections Connections that are open or being opened.\n"
        "# TYPE mqclient_connections gauge\n"
        "mqclient_connections{client=\"c1\",broker=\"10.0.0.1:10911\"} 1\n"
        "# HELP mqclient_sent_messages_total Messages that brokers took, and those that went out "
        "oneway.\n"
        "# TYPE mqclient_sent_messages_total counter\n"
        "mqclient_sent_messages_total{client=\"c1\",group=\"g\",topic=\"t\",broker=\"a\",queue="
        "\"3\"} 12\n"
        "mqclient_sent_messages_total{client=\"c1\",group=\"g\",topic=\"t\\\\\\\"\\n\",broker="
        "\"a\",queue=\"3\"} 1\n"
        "# HELP mqclient_send_latency_seconds From a send to its broker's answer, with all its "
        "attempts, of sends that succeeded.\n"
        "# TYPE mqclient_send_latency_seconds summary\n"
        "mqclient_send_latency_seconds{client=\"c1\",group=\"g\",topic=\"t\",broker=\"a\",quantile="
        "\"0.5\"} 0.000007\n"
        "mqclient_send_latency_seconds{client=\"c1\",group=\"g\",topic=\"t\",broker=\"a\",quantile="
        "\"0.9\"} 1.474560\n"
        "mqclient_send_latency_seconds{client=\"c1\",group=\"g\",topic=\"t\",broker=\"a\",quantile="
        "\"0.99\"} 1.474560\n"
        "mqclient_send_latency_seconds{client=\"c1\",group=\"g\",topic=\"t\",broker=\"a\",quantile="
        "\"0.999\"} 1.474560\n"
        "mqclient_send_latency_seconds{client=\"c1\",group=\"g\",topic=\"t\",broker=\"a\",quantile="
        "\"1\"} 1.500000\n"
        "mqclient_send_latency_seconds_sum{client=\"c1\",group=\"g\",topic=\"t\",broker=\"a\"} "
        "1.500007\n"
        "mqclient_send_latency_seconds_count{client=\"c1\",group=\"g\",topic=\"t\",broker=\"a\"} "
        "2\n";
    mqc_error error;
    struct mqc_stats *stats = fill(&error);
    struct stat_labels odd = QUEUE;
    odd.topic = "t\\\"\n";
    snapshot_put(stats, STATISTIC_SENT_MESSAGES, &odd, 1, 0);
    stats = snapshot_finish(stats, &error);
    ck_assert_str_eq(mqc_stats_prometheus(stats, &error), EXPECTED);
    ck_assert_str_eq(mqc_stats_prometheus(stats, &error), EXPECTED); /* again */
    mqc_stats_free(stats);
    ck_assert_ptr_null(mqc_stats_prometheus(NULL, &error));
    ck_assert_ptr_null(mqc_stats_json(NULL, &error));
}
END_TEST

/* Whatever allocation fails: an error, and nothing is left. */
START_TEST(no_memory)
{
    mqc_error error;
    long before = memory_live_blocks();
    bool whole = false;
    for (long nth = 1; !whole; nth++) {
        memory_fail_from(nth);
        struct mqc_stats *stats = fill(&error);
        whole = stats && mqc_stats_json(stats, &error) && mqc_stats_prometheus(stats, &error);
        memory_fail_from(0);
        if (!whole) ck_assert_int_eq(error.status, MQC_NO_MEMORY);
        mqc_stats_free(stats);
        ck_assert_int_eq(memory_live_blocks(), before);
    }
}
END_TEST

static bool look(const mqc_stat_description *figure, void *arg)
{
    int *seen = arg;
    ck_assert_str_ne(figure->name, "");
    ck_assert_str_ne(figure->help, "");
    ck_assert_int_eq(figure->help[strlen(figure->help) - 1], '.');
    return ++*seen < 5;
}

START_TEST(the_table_is_described_until_it_is_enough)
{
    int seen = 0;
    mqc_stats_describe(look, &seen);
    ck_assert_int_eq(seen, 5);
    for (int i = 0; i < STATISTIC_COUNT; i++)
        for (int k = 0; k < i; k++) ck_assert_str_ne(STATISTICS[i].name, STATISTICS[k].name);
}
END_TEST

static Suite *snapshot_suite(void)
{
    Suite *suite = suite_create("snapshot");
    UNIT_CASE(suite, "snapshot", figures_stand_in_the_tables_order,
              what_is_there_is_not_added_again, totals_of_what_is_no_figure, json_can_be_read,
              prometheus_by_the_letter, no_memory, the_table_is_described_until_it_is_enough);
    return suite;
}

TEST_MAIN(snapshot_suite)
