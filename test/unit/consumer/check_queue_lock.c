/* What a member believes of its lock on a queue, by the time since the broker confirmed it. */
#include "lib/consumer/queue_lock.h"

#include "test/unit/unit.h"

enum { ASKED_MS = 1000, RENEW_MS = 20000 };

static void check(const struct queue_lock *lock, int64_t since_ms, bool due, bool held, bool lost)
{
    ck_assert_int_eq(queue_lock_due(lock, ASKED_MS + since_ms), due);
    ck_assert_int_eq(queue_lock_held(lock, ASKED_MS + since_ms), held);
    ck_assert_int_eq(queue_lock_lost(lock, ASKED_MS + since_ms), lost);
}

START_TEST(test_never_confirmed)
{
    struct queue_lock lock;
    queue_lock_init(&lock, RENEW_MS);
    check(&lock, 0, true, false, false);
}
END_TEST

START_TEST(test_times)
{
    struct queue_lock lock;
    queue_lock_init(&lock, RENEW_MS);
    queue_lock_confirm(&lock, ASKED_MS);
    check(&lock, 0, false, true, false);
    check(&lock, 19999, false, true, false);
    check(&lock, 20000, true, true, false);
    check(&lock, 29999, true, true, false);
    check(&lock, 30000, true, false, false); /* nobody else has it, but no listener is called */
    check(&lock, 59999, true, false, false);
    check(&lock, 60000, true, false, true);
    queue_lock_confirm(&lock, ASKED_MS + 25000);
    check(&lock, 30000, false, true, false);
}
END_TEST

static Suite *queue_lock_suite(void)
{
    Suite *suite = suite_create("queue_lock");
    UNIT_CASE(suite, "queue_lock", test_never_confirmed, test_times);
    return suite;
}

TEST_MAIN(queue_lock_suite)
