/* Every allocation of a scenario fails once: the first in one run, the second in the next, until a
 * run needs no more: see scenarios.h. */
#include "lib/base/memory.h"
#include "test/fault/scenarios.h"

static void start(void)
{
    scenarios_start("127.0.0.1");
}

static void sweep_allocations(scenario *run)
{
    run_first(run);
    sweep(run, "allocation", memory_fail_once);
}

START_TEST(test_sync_sends)
{
    sweep_allocations(send_sync);
}
END_TEST

START_TEST(test_async_sends)
{
    sweep_allocations(send_async);
}
END_TEST

START_TEST(test_push_consumer)
{
    mqc_error error;
    ck_assert_int_eq(send_sync(&error), MQC_OK);
    sweep_allocations(consume_what_is_there);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("allocations");
    TCase *tcase = tcase_create("each fails once");
    tcase_set_timeout(tcase, 240);
    tcase_add_checked_fixture(tcase, start, scenarios_stop);
    tcase_add_test(tcase, test_sync_sends);
    tcase_add_test(tcase, test_async_sends);
    tcase_add_test(tcase, test_push_consumer);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(suite)
