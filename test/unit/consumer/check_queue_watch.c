/* What the watchdog makes of a queue's signs of life. */
#include "lib/consumer/queue_watch.h"
#include "test/unit/unit.h"

enum { NOW = 1000000, LIMIT = 120000, HOLD = 15000, LONG = NOW - LIMIT - 5000 };

static char why[QUEUE_WHY_BYTES];

/* A pull waits at the broker, and nothing is held. */
static struct queue_signs well(void)
{
    return (struct queue_signs){.now_ms = NOW,
                                .limit_ms = LIMIT,
                                .at_broker = true,
                                .asked_ms = NOW - 3000,
                                .expected_ms = NOW + 27000,
                                .answered_ms = NOW - 3000,
                                .hold_ms = HOLD,
                                .broker_name = "broker-b",
                                .full = "",
                                .progress_ms = NOW,
                                .running_since_ms = -1,
                                .running_offset = -1,
                                .workers = 20};
}

static void expect(struct queue_signs signs, enum queue_verdict verdict, const char *text)
{
    ck_assert_int_eq(queue_watch_judge(&signs, why), verdict);
    ck_assert_msg(strstr(why, text) != NULL, "\"%s\" does not say \"%s\"", why, text);
    if (verdict == QUEUE_WELL) ck_assert_str_eq(why, "");
}

START_TEST(well_while_it_is_pulled)
{
    struct queue_signs signs = well();
    expect(signs, QUEUE_WELL, "");
    signs.answered_ms = LONG; /* it was paused, and is pulled again */
    expect(signs, QUEUE_WELL, "");
    signs.held = 5;
    signs.progress_ms = NOW - LIMIT;
    expect(signs, QUEUE_WELL, "");
}
END_TEST

START_TEST(lost_pull_is_named)
{
    struct queue_signs signs = well();
    signs.expected_ms = LONG;
    expect(signs, QUEUE_STOPPED, "its pulls have stopped for 125.0 s");
    signs.leaving = true; /* it is not to be pulled */
    expect(signs, QUEUE_WELL, "");
}
END_TEST

START_TEST(pause_is_no_failure)
{
    struct queue_signs signs = well();
    signs.at_broker = false;
    signs.pause = QUEUE_CONSUMER_PAUSED;
    expect(signs, QUEUE_WELL, ""); /* not for long yet */
    signs.answered_ms = LONG;
    expect(signs, QUEUE_RESTS, "the consumer is paused by the application");
    signs.held = 3;
    signs.progress_ms = LONG;
    expect(signs, QUEUE_RESTS, "the consumer is paused");
    signs.pause = QUEUE_PAUSED;
    expect(signs, QUEUE_RESTS, "it is paused by the application");
}
END_TEST

START_TEST(why_it_is_not_pulled)
{
    struct queue_signs signs = well();
    signs.answered_ms = LONG;
    signs.asked_ms = NOW - HOLD - 6000;
    expect(signs, QUEUE_STUCK, "not pulled for 125.0 s: broker broker-b does not answer");
    signs.failure = "127.0.0.1:1: connect: refused";
    expect(signs, QUEUE_STUCK, "broker broker-b: 127.0.0.1:1: connect: refused");
    signs.failure = NULL;
    signs.at_broker = false;
    signs.pause = QUEUE_UNLOCKED;
    expect(signs, QUEUE_STUCK, "its lock at broker broker-b is not held");
    signs.pause = QUEUE_FULL;
    signs.full = "1001 messages are held, the limit is 1000";
    expect(signs, QUEUE_STUCK, "not pulled for 125.0 s: 1001 messages are held");
    signs.pause = QUEUE_ALL_FULL;
    expect(signs, QUEUE_STUCK, "limit of messages held of all queues");
    signs.pause = QUEUE_NOT_PAUSED; /* it waits for its turn */
    expect(signs, QUEUE_WELL, "");
}
END_TEST

START_TEST(why_it_is_not_consumed)
{
    struct queue_signs signs = well();
    signs.held = 7;
    signs.progress_ms = LONG;
    signs.running_since_ms = NOW - 130000;
    signs.running_offset = 41;
    expect(signs, QUEUE_STUCK,
           "none of 7 messages consumed for 125.0 s: the listener has not "
           "returned from offset 41 for 130.0 s");
    signs.polled = true;
    expect(signs, QUEUE_STUCK, "a polled delivery is not finished, offset 41 for 130.0 s");
    signs.running_since_ms = -1;
    expect(signs, QUEUE_STUCK, "nobody polls");
    signs.polled = false;
    signs.busy = 20;
    expect(signs, QUEUE_STUCK, "all 20 workers are in other listener calls");
    signs.busy = 19;
    expect(signs, QUEUE_STUCK, "it waits to be delivered again");
    signs.pause = QUEUE_UNLOCKED;
    expect(signs, QUEUE_STUCK, "its lock at broker broker-b is not held");
    signs.leaving = true; /* a queue that cannot be given up is stuck, too */
    expect(signs, QUEUE_STUCK, "none of 7 messages");
}
END_TEST

/* ---- signs ---- */

START_TEST(failures_last_until_an_answer)
{
    struct queue_watch watch = {0};
    queue_watch_init(&watch, 5);
    ck_assert_int_eq(atomic_load(&watch.answered_ms), 5);
    ck_assert(queue_watch_failed(&watch, "one"));
    ck_assert(!queue_watch_failed(&watch, "two")); /* no news */
    ck_assert_str_eq(watch.failure, "two");
    queue_watch_answered(&watch, 9);
    ck_assert_ptr_null(watch.failure);
    ck_assert_int_eq(atomic_load(&watch.answered_ms), 9);
    ck_assert(queue_watch_failed(&watch, "three"));
    queue_watch_done(&watch);
}
END_TEST

static Suite *suite(void)
{
    Suite *made = suite_create("queue_watch");
    UNIT_CASE(made, "judging", well_while_it_is_pulled, lost_pull_is_named, pause_is_no_failure,
              why_it_is_not_pulled, why_it_is_not_consumed);
    UNIT_CASE(made, "signs", failures_last_until_an_answer);
    return made;
}

TEST_MAIN(suite)
