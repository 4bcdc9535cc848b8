/* Tests of lib/producer/fault_table.c, as far as it needs no broker. */
#include "lib/producer/fault_table.h"

#include <poll.h>

#include "lib/base/clock.h"
#include "test/unit/unit.h"

static const mqc_message_queue A = {"t", "a", 0}, B = {"t", "b", 0};

/* Long enough for no test to see its end. */
static const mqc_latency_step LONG[] = {{0, 0}, {100, 600000}};
static const mqc_latency_step SHORT[] = {{0, 0}, {100, 50}};

static struct fault_table *table_of(const mqc_latency_step *steps, bool detects)
{
    struct fault_table *table = fault_table_new(steps, steps ? 2 : 0, detects);
    ck_assert_ptr_nonnull(table);
    return table;
}

static void await_state(struct fault_table *table, const char *broker, enum fault_state state)
{
    while (fault_table_state(table, broker) != state) poll(NULL, 0, 1);
}

START_TEST(begins_with_nobody_in_it)
{
    struct fault_table *table = table_of(NULL, false);
    ck_assert(!fault_table_any(table));
    ck_assert_int_eq(fault_table_state(table, "a"), FAULT_NONE);
    fault_table_unref(table);
    fault_table_unref(NULL);
}
END_TEST

START_TEST(quick_answers_leave_it_empty)
{
    struct fault_table *table = table_of(NULL, true);
    fault_table_learn(table, &A, FAULT_ANSWERED, 0);
    fault_table_learn(table, &A, FAULT_ANSWERED, 549); /* Java's third step begins at 550 */
    ck_assert(!fault_table_any(table));
    fault_table_learn(table, &A, FAULT_ANSWERED, 550);
    ck_assert(fault_table_any(table));
    ck_assert_int_eq(fault_table_state(table, "a"), FAULT_AVOIDED);
    ck_assert_int_eq(fault_table_state(table, "b"), FAULT_NONE);
    fault_table_unref(table);
}
END_TEST

START_TEST(slow_broker_is_avoided_and_comes_back)
{
    struct fault_table *table = table_of(SHORT, false);
    fault_table_learn(table, &A, FAULT_ANSWERED, 100);
    ck_assert_int_eq(fault_table_state(table, "a"), FAULT_AVOIDED);
    await_state(table, "a", FAULT_NONE);
    ck_assert(fault_table_any(table)); /* until an answer in time says so */
    fault_table_learn(table, &A, FAULT_ANSWERED, 1);
    ck_assert(!fault_table_any(table));
    fault_table_unref(table);
}
END_TEST

/* An answer that was on its way when the broker became slow does not bring it back. */
START_TEST(time_away_is_not_shortened)
{
    struct fault_table *table = table_of(LONG, false);
    fault_table_learn(table, &A, FAULT_REFUSED, 1);
    fault_table_learn(table, &A, FAULT_ANSWERED, 1);
    ck_assert_int_eq(fault_table_state(table, "a"), FAULT_AVOIDED);
    fault_table_unref(table);
}
END_TEST

/* However quickly: a failure counts as 10 s. */
START_TEST(failures_count_as_slow)
{
    static const mqc_latency_step steps[] = {{0, 0}, {10000, 600000}, {10001, 0}};
    struct fault_table *table = fault_table_new(steps, 3, false);
    fault_table_learn(table, &A, FAULT_REFUSED, 0);
    fault_table_learn(table, &B, FAULT_UNREACHABLE, 20000);
    ck_assert_int_eq(fault_table_state(table, "a"), FAULT_AVOIDED);
    ck_assert_int_eq(fault_table_state(table, "b"), FAULT_AVOIDED);
    fault_table_unref(table);
}
END_TEST

START_TEST(out_of_reach_lasts_until_it_is_reached)
{
    struct fault_table *table = table_of(SHORT, true);
    fault_table_learn(table, &A, FAULT_UNREACHABLE, 5);
    int64_t over_ms = clock_now_ms() + 60;
    while (clock_now_ms() < over_ms) poll(NULL, 0, 5);
    ck_assert_int_eq(fault_table_state(table, "a"), FAULT_ABSENT);
    fault_table_learn(table, &A, FAULT_ANSWERED, 1);
    ck_assert_int_eq(fault_table_state(table, "a"), FAULT_NONE);
    fault_table_unref(table);
}
END_TEST

/* Without anybody who probes, nobody would find out. */
START_TEST(without_probes_nobody_is_absent)
{
    struct fault_table *table = table_of(SHORT, false);
    fault_table_learn(table, &A, FAULT_UNREACHABLE, 5);
    ck_assert_int_eq(fault_table_state(table, "a"), FAULT_AVOIDED);
    await_state(table, "a", FAULT_NONE);
    fault_table_unref(table);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("fault_table");
    UNIT_CASE(suite, "faults", begins_with_nobody_in_it, quick_answers_leave_it_empty,
              slow_broker_is_avoided_and_comes_back, time_away_is_not_shortened,
              failures_count_as_slow, out_of_reach_lasts_until_it_is_reached,
              without_probes_nobody_is_absent);
    return suite;
}
TEST_MAIN(suite)
