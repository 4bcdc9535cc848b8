/* Bells and their tower: struck before, during and after the wait, one by one and many at a time.
 */
#include "lib/base/bell.h"

#include <pthread.h>

#include "lib/base/clock.h"
#include "test/unit/unit.h"

enum { WAITERS = 40, ROUNDS = 300, PATIENCE_MS = 50000 };

static struct bell_tower tower;

START_TEST(struck_before_the_wait)
{
    struct bell bell;
    bell_tower_init(&tower);
    bell_init(&bell, &tower);
    ck_assert(!bell_struck(&bell));
    bell_strike(&bell);
    bell_tower_sound(&tower);
    ck_assert(bell_struck(&bell));
    ck_assert(bell_wait_until(&bell, CLOCK_NEVER));
    ck_assert(bell_wait_until(&bell, 0));
    bell_tower_done(&tower);
}
END_TEST

START_TEST(not_struck)
{
    struct bell bell, other;
    bell_tower_init(&tower);
    bell_init(&bell, &tower);
    bell_init(&other, &tower);
    int64_t deadline_ms = clock_deadline_ms(20);
    ck_assert(!bell_wait_until(&bell, 0));
    bell_strike(&other);
    bell_tower_sound(&tower);
    ck_assert(!bell_wait_until(&bell, deadline_ms));
    ck_assert(clock_now_ms() >= deadline_ms);
    bell_strike(&bell); /* somebody has waited, nobody does any more */
    bell_tower_sound(&tower);
    ck_assert(bell_wait_until(&bell, clock_deadline_ms(PATIENCE_MS)));
    bell_tower_done(&tower);
}
END_TEST

struct exchange {
    struct bell asked, answered;
    int question, answer;
};

static void *answer(void *arg)
{
    struct exchange *exchange = arg;
    ck_assert(bell_wait_until(&exchange->asked, CLOCK_NEVER));
    exchange->answer = exchange->question + 1;
    bell_strike(&exchange->answered);
    bell_tower_sound(&tower);
    return NULL;
}

/* Each exchange lives on the stack until it is answered and no longer. */
START_TEST(what_was_done_before_is_seen)
{
    bell_tower_init(&tower);
    for (int i = 0; i < ROUNDS; i++) {
        struct exchange exchange = {.question = -1};
        bell_init(&exchange.asked, &tower);
        bell_init(&exchange.answered, &tower);
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, answer, &exchange), 0);
        exchange.question = 2 * i;
        bell_strike(&exchange.asked);
        bell_tower_sound(&tower);
        ck_assert(bell_wait_until(&exchange.answered, clock_deadline_ms(PATIENCE_MS)));
        ck_assert_int_eq(exchange.answer, 2 * i + 1);
        pthread_join(thread, NULL);
    }
    bell_tower_done(&tower);
}
END_TEST

static _Atomic(struct bell *) waiting[WAITERS];

static void *wait_often(void *arg)
{
    _Atomic(struct bell *) *place = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct bell bell;
        bell_init(&bell, &tower);
        atomic_store(place, &bell);
        ck_assert(bell_wait_until(&bell, clock_deadline_ms(PATIENCE_MS)));
    }
    return NULL;
}

/* More waiters than groups; every sound is for all who are there. */
START_TEST(many_at_a_time)
{
    pthread_t threads[WAITERS];
    bell_tower_init(&tower);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_often, (void *)&waiting[i]), 0);
    for (int left = WAITERS * ROUNDS; left > 0;) {
        for (int i = 0; i < WAITERS; i++) {
            struct bell *bell = atomic_exchange(&waiting[i], NULL);
            if (!bell) continue;
            bell_strike(bell);
            left--;
        }
        bell_tower_sound(&tower);
    }
    for (int i = 0; i < WAITERS; i++) pthread_join(threads[i], NULL);
    bell_tower_done(&tower);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("bell");
    UNIT_CASE(suite, "bell", struck_before_the_wait, not_struck, what_was_done_before_is_seen,
              many_at_a_time);
    return suite;
}

TEST_MAIN(suite)
