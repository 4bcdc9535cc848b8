/* Every call of the system fails: each once in a run of its own, and each kind for as long as a
 * scenario lasts; threads, sockets, look-ups, events and files. See scenarios.h and
 * failing_calls.def. */
#include "test/fault/failing_calls.h"
#include "test/fault/scenarios.h"

static void start(void)
{
    scenarios_start("localhost"); /* is looked up */
}

enum { TRIES = 100 };

/* Of all calls, or of those alone that are named; all that are named must come. Whether one does
 * may hang on who is quicker: only a caller who is alone on a connection polls. */
static void sweep_calls(scenario *run, const char *const *names)
{
    run_first(run);
    for (size_t i = 0; names ? names[i] != NULL : calls_name(i) != NULL; i++) {
        const char *name = names ? names[i] : calls_name(i);
        calls_choose(name);
        sweep(run, name, calls_fail_once);
        for (int n = 0; names && n < TRIES && calls_failed(name) == 0; n++)
            sweep(run, name, calls_fail_once);
        ck_assert_msg(!names || calls_failed(name) > 0, "there is no %s to fail", name);
    }
}
#define SWEEP_CALLS(run, ...) sweep_calls(run, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(test_sync_sends)
{
    SWEEP_CALLS(send_sync, "pthread_create", "getaddrinfo", "socket", "setsockopt", "getsockopt",
                "connect", "recv", "send", "poll", "epoll_create1", "eventfd", "epoll_ctl",
                "epoll_wait");
}
END_TEST

START_TEST(test_async_sends)
{
    sweep_calls(send_async, NULL);
}
END_TEST

START_TEST(test_push_consumer)
{
    sweep_calls(send_and_consume, NULL);
}
END_TEST

START_TEST(test_polled_consumer)
{
    mqc_error error;
    ck_assert_int_eq(send_sync(&error), MQC_OK);
    SWEEP_CALLS(poll_what_is_there, "eventfd");
}
END_TEST

START_TEST(test_broadcasts)
{
    SWEEP_CALLS(consume_broadcasts, "mkdir", "open", "openat", "flock", "read", "write", "fsync",
                "linkat", "renameat");
}
END_TEST

static void refuse_each(scenario *run)
{
    mqc_error error;
    run_first(run);
    for (size_t i = 0; calls_name(i); i++) {
        if (!calls_can_last(i)) continue;
        calls_refuse(calls_name(i), true);
        run(&error);
        calls_refuse(calls_name(i), false);
        check_nothing_is_left();
        ck_assert_msg(run(&error) == MQC_OK, "after %s: %s", calls_name(i), error.text);
    }
}

START_TEST(test_sends_while_a_call_is_refused)
{
    refuse_each(send_sync);
}
END_TEST

START_TEST(test_broadcasts_while_a_call_is_refused)
{
    refuse_each(consume_broadcasts);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("calls");
    TCase *tcase = tcase_create("each fails");
    tcase_set_timeout(tcase, 240);
    tcase_add_checked_fixture(tcase, start, scenarios_stop);
    tcase_add_test(tcase, test_sync_sends);
    tcase_add_test(tcase, test_async_sends);
    tcase_add_test(tcase, test_push_consumer);
    tcase_add_test(tcase, test_polled_consumer);
    tcase_add_test(tcase, test_broadcasts);
    tcase_add_test(tcase, test_sends_while_a_call_is_refused);
    tcase_add_test(tcase, test_broadcasts_while_a_call_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(suite)
