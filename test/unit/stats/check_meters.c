/* Tests of lib/stats/meters: queues are told apart, rates over a minute, first counts of several
 * threads at once, no memory. */
#include "lib/stats/meters.h"

#include <pthread.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

static const struct stat_labels OURS = {.client = "c", .group = "g", .queue_id = -1};
static struct meters meters;

static struct mqc_stats *tell(int64_t now_ms)
{
    mqc_error error;
    struct mqc_stats *stats = snapshot_new(&error);
    ck_assert_ptr_nonnull(stats);
    meters_tell(&meters, OURS, now_ms, stats);
    stats = snapshot_finish(stats, &error);
    ck_assert_ptr_nonnull(stats);
    return stats;
}

static mqc_stat total(const struct mqc_stats *stats, const char *name, const char *topic,
                      const char *broker)
{
    mqc_stat sum;
    mqc_error error = {.text = ""};
    mqc_status status = mqc_stats_total(stats, name, NULL, topic, broker, &sum, &error);
    ck_assert_msg(status == MQC_OK, "%s", error.text);
    return sum;
}

START_TEST(queues_are_told_apart)
{
    meters_init(&meters, false);
    struct meter *first = meters_of(&meters, "t", "a", 0);
    struct meter *second = meters_of(&meters, "t", "a", 1);
    struct meter *other = meters_of(&meters, "t", "b", 0);
    ck_assert(first && second && other && first != second && first != other);
    ck_assert_ptr_eq(meters_of(&meters, "t", "a", 0), first);
    ck_assert_ptr_eq(first->timers, second->timers);
    ck_assert_ptr_ne(first->timers, other->timers);
    meter_add(first, METER_SENT_MESSAGES, 3);
    meter_add(second, METER_SENT_MESSAGES, 4);
    meter_add(other, METER_SENT_MESSAGES, 5);
    meter_time(first, TIMER_SEND_LATENCY, 100);
    meter_time(second, TIMER_SEND_LATENCY, 200);
    struct mqc_stats *stats = tell(meters.began_ms);
    ck_assert_int_eq(total(stats, "sent_messages", NULL, NULL).value, 12);
    ck_assert_int_eq(total(stats, "sent_messages", "t", "a").value, 7);
    ck_assert_int_eq(total(stats, "sent_messages", "u", NULL).value, 0);
    mqc_stat latency = total(stats, "send_latency", "t", "a");
    ck_assert_int_eq(latency.latency.count, 2);
    ck_assert_int_eq(latency.latency.sum_us, 300);
    ck_assert_int_eq(latency.latency.max_us, 200);
    mqc_stats_free(stats);
    meters_done(&meters);
}
END_TEST

START_TEST(many_queues)
{
    enum { QUEUES = 1000 };
    meters_init(&meters, true);
    for (int i = 0; i < QUEUES; i++)
        meter_add(meters_of(&meters, "t", "a", i), METER_RECEIVED_MESSAGES, (uint64_t)i);
    for (int i = 0; i < QUEUES; i++)
        ck_assert_uint_eq(meters_of(&meters, "t", "a", i)->values[METER_RECEIVED_MESSAGES],
                          (uint64_t)i);
    meters_done(&meters);
}
END_TEST

/* Until there are samples of a minute, since the beginning; then over the last minute. */
START_TEST(rates_are_of_the_last_minute)
{
    meters_init(&meters, false);
    struct meter *meter = meters_of(&meters, "t", "a", 0);
    int64_t now = meters.began_ms;
    meter_add(meter, METER_SENT_MESSAGES, 600);
    struct mqc_stats *stats = tell(now + 30000);
    ck_assert_double_eq_tol(total(stats, "sent_messages", NULL, NULL).per_second, 20, 0.001);
    mqc_stats_free(stats);
    for (int i = 0; i < RATE_SAMPLES; i++) meters_sample(&meters, now += RATE_SAMPLE_MS);
    stats = tell(now); /* nothing has come for a minute */
    ck_assert_double_eq_tol(total(stats, "sent_messages", NULL, NULL).per_second, 0, 0.001);
    mqc_stats_free(stats);
    meter_add(meter, METER_SENT_MESSAGES, 120);
    meter_add(meters_of(&meters, "t", "b", 0), METER_SENT_MESSAGES, 60); /* was not there before */
    meters_sample(&meters, now += RATE_SAMPLE_MS);
    stats = tell(now); /* over 60 s */
    ck_assert_double_eq_tol(total(stats, "sent_messages", NULL, "a").per_second, 2, 0.001);
    ck_assert_double_eq_tol(total(stats, "sent_messages", NULL, "b").per_second, 1, 0.001);
    ck_assert_int_eq(total(stats, "sent_messages", NULL, NULL).value, 780);
    mqc_stats_free(stats);
    meters_done(&meters);
}
END_TEST

enum { THREADS = 4, QUEUES = 50, ROUNDS = 200 };

static void *count(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++)
        for (int queue = 0; queue < QUEUES; queue++)
            meter_add(meters_of(&meters, "t", "a", queue), METER_CONSUMED_MESSAGES, 1);
    return NULL;
}

START_TEST(threads_lose_nothing)
{
    pthread_t threads[THREADS];
    meters_init(&meters, true);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < 20; i++) {
        meters_sample(&meters, i);
        mqc_stats_free(tell(i));
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int queue = 0; queue < QUEUES; queue++)
        ck_assert_uint_eq(meters_of(&meters, "t", "a", queue)->values[METER_CONSUMED_MESSAGES],
                          THREADS * ROUNDS);
    meters_done(&meters);
}
END_TEST

START_TEST(without_memory_nothing_is_counted)
{
    meters_init(&meters, true);
    const long fails[] = {1, 2, 2}; /* the table, the timers, the meter: what was made is kept */
    for (int i = 0; i < 3; i++) {
        memory_fail_from(fails[i]);
        struct meter *meter = meters_of(&meters, "t", "a", 0);
        memory_fail_from(0);
        ck_assert_ptr_null(meter);
        meter_add(meter, METER_RECEIVED_BYTES, 1);
        meter_time(meter, TIMER_CONSUME_LATENCY, 1);
    }
    ck_assert_ptr_nonnull(meters_of(&meters, "t", "a", 0));
    meters_done(&meters);
}
END_TEST

static Suite *meters_suite(void)
{
    Suite *suite = suite_create("meters");
    UNIT_CASE(suite, "meters", queues_are_told_apart, many_queues, rates_are_of_the_last_minute,
              threads_lose_nothing, without_memory_nothing_is_counted);
    return suite;
}

TEST_MAIN(meters_suite)
