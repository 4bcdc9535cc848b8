/* When the rebalance thread runs: by time, when woken, after an unfinished run, not too often. */
#include "services/rebalance_service.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "services/service.h"
#include "test/unit/services/latch.h"
#include "test/unit/unit.h"

enum { HOUR_MS = 3600 * 1000, ROUNDS = 300 };

static struct rebalance_service *service;
static struct latch runs;
static struct latch entered;
static struct latch gate;
static atomic_bool gated;
static _Atomic enum rebalance_result result;
static int64_t first_ms; /* these three: read after stop */
static int64_t ended_ms;
static int64_t shortest_gap_ms;

static enum rebalance_result rebalance(void *arg)
{
    ck_assert_ptr_eq(arg, &runs);
    int64_t now_ms = clock_now_ms();
    if (first_ms == 0) first_ms = now_ms;
    if (ended_ms > 0 && now_ms - ended_ms < shortest_gap_ms) shortest_gap_ms = now_ms - ended_ms;
    latch_raise(&entered);
    if (atomic_load(&gated)) latch_wait(&gate, 1);
    ended_ms = clock_now_ms();
    latch_raise(&runs);
    return atomic_load(&result);
}

static void set_up_timed(const struct rebalance_timing *timing)
{
    latch_init(&runs);
    latch_init(&entered);
    latch_init(&gate);
    atomic_store(&gated, false);
    atomic_store(&result, REBALANCE_BALANCED);
    first_ms = ended_ms = 0;
    shortest_gap_ms = INT64_MAX;
    ck_assert_int_eq(rebalance_service_new(timing, rebalance, &runs, &service, NULL), MQC_OK);
}

static void set_up(int wait_ms, int minimum_ms, int unbalanced_ms)
{
    set_up_timed(&(struct rebalance_timing){wait_ms, minimum_ms, minimum_ms, unbalanced_ms});
}

static void start(void)
{
    mqc_error error = {0};
    ck_assert_msg(rebalance_service_start(service, &error) == MQC_OK, "%s", error.text);
}

static void tear_down(void)
{
    rebalance_service_free(service);
    ck_assert_int_eq(service_live_count(), 0);
    latch_done(&gate);
    latch_done(&entered);
    latch_done(&runs);
}

START_TEST(runs_after_each_wait)
{
    set_up(4, 0, HOUR_MS);
    int64_t begin_ms = clock_now_ms();
    start();
    latch_wait(&runs, 8);
    rebalance_service_stop(service);
    ck_assert_int_ge(first_ms - begin_ms, 4);
    ck_assert_int_ge(shortest_gap_ms, 4);
    tear_down();
}
END_TEST

START_TEST(wake_runs_at_once_and_none_is_lost)
{
    set_up(HOUR_MS, 0, HOUR_MS);
    start();
    for (int i = 1; i <= ROUNDS; i++) {
        rebalance_service_wake(service);
        latch_wait(&runs, i);
    }
    rebalance_service_stop(service);
    ck_assert_int_eq(latch_count(&runs), ROUNDS);
    tear_down();
}
END_TEST

START_TEST(wakes_before_start_count_as_one)
{
    set_up(HOUR_MS, 0, HOUR_MS);
    for (int i = 0; i < 10; i++) rebalance_service_wake(service);
    start();
    latch_wait(&runs, 1);
    rebalance_service_wake(service);
    latch_wait(&runs, 2);
    rebalance_service_stop(service);
    ck_assert_int_eq(latch_count(&runs), 2);
    tear_down();
}
END_TEST

START_TEST(wakes_during_a_run_lead_to_one_more)
{
    set_up(HOUR_MS, 0, HOUR_MS);
    atomic_store(&gated, true);
    start();
    rebalance_service_wake(service);
    latch_wait(&entered, 1);
    for (int i = 0; i < 10; i++) rebalance_service_wake(service);
    latch_raise(&gate);
    latch_wait(&runs, 2);
    rebalance_service_wake(service);
    latch_wait(&runs, 3);
    rebalance_service_stop(service);
    ck_assert_int_eq(latch_count(&runs), 3);
    tear_down();
}
END_TEST

/* Else the run that finds the first consumer ready would wait for one that found nothing. */
START_TEST(a_run_for_nothing_keeps_no_distance)
{
    set_up(HOUR_MS, HOUR_MS, HOUR_MS);
    atomic_store(&result, REBALANCE_NOTHING);
    start();
    for (int i = 1; i <= 3; i++) {
        rebalance_service_wake(service);
        latch_wait(&runs, i);
    }
    rebalance_service_stop(service);
    tear_down();
}
END_TEST

static void *wake_often(void *arg)
{
    atomic_bool *enough = arg;
    while (!atomic_load(enough)) rebalance_service_wake(service);
    return NULL;
}

static void run_crowded(int count)
{
    start();
    atomic_bool enough = false;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, wake_often, &enough), 0);
    latch_wait(&runs, count);
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    rebalance_service_stop(service);
}

START_TEST(runs_are_not_too_close)
{
    set_up(HOUR_MS, 5, HOUR_MS);
    run_crowded(6);
    ck_assert_int_ge(shortest_gap_ms, 5);
    tear_down();
}
END_TEST

START_TEST(crowded_runs_move_apart)
{
    set_up_timed(&(struct rebalance_timing){HOUR_MS, 1, 20, HOUR_MS});
    run_crowded(7);
    ck_assert_int_ge(shortest_gap_ms, 1);
    ck_assert_int_ge(ended_ms - first_ms, 1 + 2 + 4 + 8 + 16 + 20);
    tear_down();
}
END_TEST

START_TEST(wake_in_the_minimum_gap_is_kept)
{
    set_up(HOUR_MS, 3, HOUR_MS);
    start();
    for (int i = 1; i <= 10; i++) {
        rebalance_service_wake(service);
        latch_wait(&runs, i);
    }
    rebalance_service_stop(service);
    ck_assert_int_eq(latch_count(&runs), 10);
    ck_assert_int_ge(shortest_gap_ms, 3);
    tear_down();
}
END_TEST

START_TEST(unfinished_run_is_repeated_soon)
{
    set_up(HOUR_MS, 0, 2);
    atomic_store(&result, REBALANCE_UNBALANCED);
    start();
    rebalance_service_wake(service);
    latch_wait(&runs, 6);
    rebalance_service_stop(service);
    ck_assert_int_ge(shortest_gap_ms, 2);
    tear_down();
}
END_TEST

START_TEST(minimum_holds_for_unfinished_runs_too)
{
    set_up(HOUR_MS, 6, 1);
    atomic_store(&result, REBALANCE_UNBALANCED);
    start();
    rebalance_service_wake(service);
    latch_wait(&runs, 4);
    rebalance_service_stop(service);
    ck_assert_int_ge(shortest_gap_ms, 6);
    tear_down();
}
END_TEST

START_TEST(stop_does_not_wait_for_the_next_run)
{
    for (int i = 0; i < ROUNDS; i++) {
        set_up(HOUR_MS, HOUR_MS, HOUR_MS);
        start();
        if (i % 2 == 0) { /* stops in the minimum gap */
            rebalance_service_wake(service);
            latch_wait(&runs, 1);
            rebalance_service_wake(service);
        }
        rebalance_service_stop(service);
        rebalance_service_stop(service);
        rebalance_service_wake(service);
        ck_assert_int_eq(latch_count(&runs), i % 2 == 0 ? 1 : 0);
        tear_down();
    }
}
END_TEST

START_TEST(bad_times_and_no_memory)
{
    const struct rebalance_timing bad[] = {
        {0, 0, 0, 1}, {1, -1, 0, 1}, {1, 0, 0, 0}, {-1, 0, 0, 1}, {1, 2, 1, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mqc_error error = {0};
        ck_assert_int_eq(rebalance_service_new(&bad[i], rebalance, &runs, &service, &error),
                         MQC_BAD_ARGUMENT);
        ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    }
    const struct rebalance_timing good = {1, 0, 0, 1};
    memory_fail_from(1);
    mqc_status status = rebalance_service_new(&good, rebalance, &runs, &service, NULL);
    memory_fail_from(0);
    ck_assert_int_eq(status, MQC_NO_MEMORY);
    rebalance_service_free(NULL);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rebalance_service");
    UNIT_CASE(s, "when", runs_after_each_wait, wake_runs_at_once_and_none_is_lost,
              wakes_before_start_count_as_one, wakes_during_a_run_lead_to_one_more,
              a_run_for_nothing_keeps_no_distance, unfinished_run_is_repeated_soon);
    UNIT_CASE(s, "gap", runs_are_not_too_close, crowded_runs_move_apart,
              wake_in_the_minimum_gap_is_kept, minimum_holds_for_unfinished_runs_too);
    UNIT_CASE(s, "life", stop_does_not_wait_for_the_next_run, bad_times_and_no_memory);
    return s;
}

TEST_MAIN(suite)
