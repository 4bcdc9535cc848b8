/* Tests of lib/base/lock: exclusion, waiting on the monotonic clock, and in debug builds the order
 * of ranks: every violation ends the process with both places. */
#include "lib/base/lock.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "test/unit/base/dying.h"

enum { THREADS = 4, ROUNDS = 5000 };

static struct {
    struct lock lock;
    struct condition changed;
    int count;
    int waiting;
    bool open;
} shared;

static void shared_init(void)
{
    lock_init(&shared.lock, LOCK_RANK_LEAF);
    condition_init(&shared.changed);
}

static void shared_done(void)
{
    condition_done(&shared.changed);
    lock_done(&shared.lock);
}

static void *count_up(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        lock_take(&shared.lock);
        shared.count++;
        lock_release(&shared.lock);
    }
    return arg;
}

static void run_threads(void *(*body)(void *), void (*meanwhile)(void))
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, body, NULL), 0);
    if (meanwhile) meanwhile();
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

START_TEST(one_at_a_time)
{
    shared_init();
    run_threads(count_up, NULL);
    ck_assert_int_eq(shared.count, THREADS * ROUNDS);
    shared_done();
}
END_TEST

START_TEST(a_wait_ends_at_the_monotonic_deadline)
{
    shared_init();
    lock_take(&shared.lock);
    int64_t deadline_ms = clock_deadline_ms(30);
    while (condition_wait_until(&shared.changed, &shared.lock, deadline_ms)) {
    }
    ck_assert_int_ge(clock_now_ms(), deadline_ms);
    ck_assert(!condition_wait_until(&shared.changed, &shared.lock, 0));
    ck_assert(!condition_wait_until(&shared.changed, &shared.lock, -5));
    ck_assert(!condition_wait_until(&shared.changed, &shared.lock, INT64_MIN));
    lock_release(&shared.lock);
    shared_done();
}
END_TEST

static void *wait_for_opening(void *arg)
{
    lock_take(&shared.lock);
    /* Half of them with a deadline far ahead, half with none. */
    int64_t deadline_ms = shared.waiting++ % 2 ? CLOCK_NEVER : CLOCK_NEVER - 1;
    condition_wake_all(&shared.changed);
    while (!shared.open)
        ck_assert(condition_wait_until(&shared.changed, &shared.lock, deadline_ms));
    shared.count++;
    lock_release(&shared.lock);
    return arg;
}

static void open_when_all_wait(void)
{
    lock_take(&shared.lock);
    while (shared.waiting < THREADS)
        condition_wait_until(&shared.changed, &shared.lock, CLOCK_NEVER);
    ck_assert_int_eq(shared.count, 0);
    shared.open = true;
    condition_wake_all(&shared.changed);
    lock_release(&shared.lock);
}

START_TEST(waking_all_wakes_all)
{
    shared_init();
    run_threads(wait_for_opening, open_when_all_wait);
    ck_assert_int_eq(shared.count, THREADS);
    shared_done();
}
END_TEST

static void *take_a_ticket(void *arg)
{
    lock_take(&shared.lock);
    while (shared.waiting == 0)
        ck_assert(condition_wait_until(&shared.changed, &shared.lock, CLOCK_NEVER));
    shared.waiting--;
    shared.count++;
    lock_release(&shared.lock);
    return arg;
}

static void give_tickets_one_by_one(void)
{
    for (int i = 0; i < THREADS; i++) {
        lock_take(&shared.lock);
        shared.waiting++;
        condition_wake_one(&shared.changed);
        lock_release(&shared.lock);
    }
}

START_TEST(waking_one_wakes_one)
{
    shared_init();
    run_threads(take_a_ticket, give_tickets_one_by_one);
    ck_assert_int_eq(shared.count, THREADS);
    shared_done();
}
END_TEST

START_TEST(ranks_have_names)
{
    ck_assert_str_eq(lock_rank_name(LOCK_RANK_MANAGER), "MANAGER");
    ck_assert_str_eq(lock_rank_name(LOCK_RANK_LEAF), "LEAF");
    ck_assert_str_eq(lock_rank_name(LOCK_RANK_COUNT), "UNKNOWN");
}
END_TEST

static struct lock outer, middle, inner;

static void init_three(void)
{
    lock_init(&outer, LOCK_RANK_INSTANCE);
    lock_init(&middle, LOCK_RANK_ROUTE);
    lock_init(&inner, LOCK_RANK_QUEUE);
}

START_TEST(down_the_order_any_release_order)
{
    init_three();
    ck_assert(!lock_any_held());
    for (int round = 0; round < 3; round++) { /* nothing stays behind in the list */
        lock_take(&outer);
        lock_take(&middle);
        lock_take(&inner);
        lock_release(&middle);
        lock_release(&inner);
        lock_take(&middle); /* below outer, and inner is gone */
        lock_release(&outer);
        lock_release(&middle);
        ck_assert(!lock_any_held());
    }
    lock_done(&inner);
    lock_done(&middle);
    lock_done(&outer);
}
END_TEST

#ifdef MQC_DEBUG
static void *expect_none_held(void *arg)
{
    ck_assert(!lock_any_held());
    lock_take(&outer); /* what another thread holds is not in the way */
    ck_assert(lock_any_held());
    lock_release(&outer);
    return arg;
}

START_TEST(each_thread_holds_its_own)
{
    init_three();
    lock_take(&inner);
    ck_assert(lock_any_held());
    run_threads(expect_none_held, NULL);
    lock_release(&inner);
    ck_assert(!lock_any_held());
}
END_TEST

static void take_up_the_order(void)
{
    init_three();
    lock_take_at(&inner, "first.c", 11);
    lock_take_at(&outer, "second.c", 22);
}

static void take_up_after_a_release_between(void)
{
    init_three();
    lock_take_at(&outer, "zeroth.c", 1);
    lock_take_at(&middle, "first.c", 11);
    lock_release(&outer);
    lock_take_at(&outer, "second.c", 22);
}

static void take_twice(void)
{
    init_three();
    lock_take_at(&middle, "first.c", 11);
    lock_take_at(&middle, "second.c", 22);
}

static void take_two_of_a_rank(void)
{
    struct lock other;
    init_three();
    lock_init(&other, LOCK_RANK_ROUTE);
    lock_take_at(&middle, "first.c", 11);
    lock_take_at(&other, "second.c", 22);
}

static void check_violation(void (*function)(void), const char *what, const char *second,
                            const char *first)
{
    const char *words = dying_words(function);
    ck_assert_contains(words, "second.c:22");
    ck_assert_contains(words, "first.c:11");
    ck_assert_contains(words, what);
    ck_assert_contains(words, second);
    ck_assert_contains(words, first);
}

START_TEST(every_violation_names_both_places)
{
    check_violation(take_up_the_order, "taken while", "INSTANCE", "QUEUE");
    check_violation(take_up_after_a_release_between, "taken while", "INSTANCE", "ROUTE");
    check_violation(take_twice, "taken twice", "ROUTE", "ROUTE");
    check_violation(take_two_of_a_rank, "taken while", "ROUTE", "ROUTE");
}
END_TEST

static void release_what_is_not_held(void)
{
    init_three();
    lock_release(&middle);
}

static void wait_without_the_lock(void)
{
    init_three();
    shared_init();
    condition_wait_until(&shared.changed, &middle, 0);
}

static void log_under_a_lock(void)
{
    init_three();
    lock_take(&middle);
    log_error(LOG_ROUTE, "text");
}

START_TEST(misuse_is_a_bug)
{
    ck_assert_contains(dying_words(release_what_is_not_held), "ROUTE released");
    ck_assert_contains(dying_words(wait_without_the_lock), "not held");
    ck_assert_contains(dying_words(log_under_a_lock), "log line under a lock");
}
END_TEST
#endif

static Suite *suite(void)
{
    Suite *s = suite_create("base/lock");
    UNIT_CASE(s, "locks", one_at_a_time, ranks_have_names, down_the_order_any_release_order);
    UNIT_CASE(s, "conditions", a_wait_ends_at_the_monotonic_deadline, waking_all_wakes_all,
              waking_one_wakes_one);
#ifdef MQC_DEBUG
    UNIT_CASE(s, "ranks", each_thread_holds_its_own, every_violation_names_both_places,
              misuse_is_a_bug);
#endif
    return s;
}

TEST_MAIN(suite)
