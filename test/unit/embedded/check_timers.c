/* The heap of timers: order, moving, cancelling, against a plain list. */
#include "lib/base/clock.h"
#include "lib/embedded/timers.h"
#include "test/unit/unit.h"

enum { COUNT = 200 };

static struct timers timers;
static struct timer all[COUNT];

static void set_up(void)
{
    timers_init(&timers);
    memset(all, 0, sizeof all);
}

static void tear_down(void)
{
    timers_done(&timers);
}

START_TEST(none_is_due_when_none_is_set)
{
    ck_assert_int_eq(timers_next_ms(&timers), CLOCK_NEVER);
    ck_assert_ptr_null(timers_take_due(&timers, INT64_MAX));
    timer_cancel(&timers, &all[0]);
}
END_TEST

START_TEST(those_of_equal_time_fire_in_the_order_they_were_set)
{
    for (int i = 0; i < COUNT; i++) ck_assert(timer_set(&timers, &all[i], 7));
    for (int i = 0; i < COUNT; i++) ck_assert_ptr_eq(timers_take_due(&timers, 7), &all[i]);
    ck_assert_ptr_null(timers_take_due(&timers, 7));
}
END_TEST

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* The earliest of the list; NULL when none is set. */
static struct timer *earliest(void)
{
    struct timer *first = NULL;
    for (int i = 0; i < COUNT; i++) {
        if (all[i].place == 0) continue;
        if (!first || all[i].due_ms < first->due_ms ||
            (all[i].due_ms == first->due_ms && all[i].sequence < first->sequence))
            first = &all[i];
    }
    return first;
}

START_TEST(the_heap_agrees_with_a_list)
{
    uint32_t state = 7;
    for (int round = 0; round < 20000; round++) {
        struct timer *timer = &all[random_next(&state) % COUNT];
        switch (random_next(&state) % 3) {
        case 0: ck_assert(timer_set(&timers, timer, random_next(&state) % 1000)); break;
        case 1: timer_cancel(&timers, timer); break;
        default: {
            struct timer *expected = earliest();
            int64_t now = random_next(&state) % 1000;
            if (expected && expected->due_ms > now) expected = NULL;
            ck_assert_ptr_eq(timers_take_due(&timers, now), expected);
        }
        }
        struct timer *first = earliest();
        ck_assert_int_eq(timers_next_ms(&timers), first ? first->due_ms : CLOCK_NEVER);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("timers");
    TCase *tcase = tcase_create("timers");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, none_is_due_when_none_is_set);
    tcase_add_test(tcase, those_of_equal_time_fire_in_the_order_they_were_set);
    tcase_add_test(tcase, the_heap_agrees_with_a_list);
    suite_add_tcase(s, tcase);
    return s;
}
TEST_MAIN(suite)
