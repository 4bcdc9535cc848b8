/* Tests of lib/base/clock: units, order, and deadlines at the ends of the range. */
#include "lib/base/clock.h"

#include <limits.h>
#include <time.h>

#include "test/unit/unit.h"

START_TEST(monotonic_time_never_falls)
{
    int64_t last_us = clock_now_us();
    ck_assert_int_ge(last_us, 0);
    for (int i = 0; i < 1000; i++) {
        int64_t now_us = clock_now_us();
        ck_assert_int_ge(now_us, last_us);
        last_us = now_us;
    }
}
END_TEST

START_TEST(milliseconds_and_microseconds_are_one_clock)
{
    int64_t before_us = clock_now_us();
    int64_t now_ms = clock_now_ms();
    int64_t after_us = clock_now_us();
    ck_assert_int_ge(now_ms, before_us / 1000);
    ck_assert_int_le(now_ms, after_us / 1000);
}
END_TEST

START_TEST(wall_time_is_the_systems)
{
    struct timespec before, after;
    clock_gettime(CLOCK_REALTIME, &before);
    int64_t unix_ms = clock_unix_ms();
    int64_t unix_us = clock_unix_us();
    clock_gettime(CLOCK_REALTIME, &after);
    ck_assert_int_ge(unix_ms / 1000, before.tv_sec);
    ck_assert_int_le(unix_ms / 1000, after.tv_sec);
    ck_assert_int_ge(unix_us / 1000000, before.tv_sec);
    ck_assert_int_le(unix_us / 1000000, after.tv_sec);
}
END_TEST

START_TEST(deadlines_lie_ahead_and_never_overflow)
{
    int64_t before_ms = clock_now_ms();
    int64_t deadline_ms = clock_deadline_ms(1000);
    ck_assert_int_ge(deadline_ms, before_ms + 1000);
    ck_assert_int_le(deadline_ms, clock_now_ms() + 1000);
    ck_assert_int_le(clock_deadline_ms(0), clock_now_ms());
    ck_assert_int_eq(clock_deadline_ms(-1), CLOCK_NEVER);
    ck_assert_int_eq(clock_deadline_ms(INT64_MIN), CLOCK_NEVER);
    ck_assert_int_eq(clock_deadline_ms(INT64_MAX), CLOCK_NEVER);
    ck_assert_int_eq(clock_deadline_ms(INT64_MAX - 1), CLOCK_NEVER);
}
END_TEST

START_TEST(time_left_is_what_poll_takes)
{
    ck_assert_int_eq(clock_left_ms(CLOCK_NEVER), -1);
    ck_assert_int_eq(clock_left_ms(0), 0);
    ck_assert_int_eq(clock_left_ms(INT64_MIN), 0);
    ck_assert_int_eq(clock_left_ms(clock_now_ms()), 0);
    ck_assert_int_eq(clock_left_ms(CLOCK_NEVER - 1), INT_MAX);
    int left_ms = clock_left_ms(clock_now_ms() + 3600000);
    ck_assert_int_gt(left_ms, 0);
    ck_assert_int_le(left_ms, 3600000);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/clock");
    UNIT_CASE(s, "now", monotonic_time_never_falls, milliseconds_and_microseconds_are_one_clock,
              wall_time_is_the_systems);
    UNIT_CASE(s, "deadlines", deadlines_lie_ahead_and_never_overflow, time_left_is_what_poll_takes);
    return s;
}

TEST_MAIN(suite)
