/* The ledger finds what it is there to find, and a short chaos run of each kind is good: so that
 * the harness works when it is needed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "test/chaos/ledger.h"

static struct ledger *ledger;

/* Failures after these lines, the last of them NULL. */
static long failures_of(enum mode mode, const char *const *lines)
{
    if (ledger) ledger_free(ledger);
    ledger = ledger_new(mode, "t", NULL);
    for (; *lines; lines++) ledger_line(ledger, *lines);
    ledger_complain_of_missing(ledger, 10);
    struct ledger_counts counts = ledger_counts(ledger);
    return counts.failures;
}
#define FAILURES(mode, ...) failures_of(mode, (const char *const[]){__VA_ARGS__, NULL})

#define GOOD_START                                                                                 \
    "A 0 0", "A 0 1", "R 0 1000 t a/0", "D 0 0 1100 t a 0 0/0/0/0/0 0/1/1/0/0", "F 0 0 1101 good"

START_TEST(test_good)
{
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "O t a 0 1", "O t a 0 2"), 0);
    ck_assert_int_eq(FAILURES(ORDERLY, GOOD_START, "O t a 0 2", "O t a 0 2"), 0);
    ck_assert_int_eq(FAILURES(POP, GOOD_START), 0);
    ck_assert_int_eq(ledger_counts(ledger).consumed, 2);
}
END_TEST

START_TEST(test_loss)
{
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "A 1 0"), 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, "A 1 0", "D 0 0 1 t a 0 1/0/0/0/0"), 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, "A 1 0", "D 0 0 1 t a 0 1/0/0/0/0", "F 0 0 2 refused"),
                     1);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "O t a 0 3"), 1); /* 2 was never done */
}
END_TEST

START_TEST(test_offset_falls)
{
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "O t a 0 2", "O t a 0 1"), 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "O t a 0 2", "B a", "O t a 0 1"), 0);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "O t a 0 2", "B b", "O t a 0 1"), 1);
    ck_assert_int_eq(
        FAILURES(CONCURRENT, GOOD_START, "O t a 0 2", "R 1 1101 t a/0", "R 1 1201 t", "O t a 0 1"),
        0); /* two members have it */
    ck_assert_int_eq(ledger_counts(ledger).fell_shared, 1);
}
END_TEST

START_TEST(test_order)
{
    /* A gap; a call while another one runs; two keys' numbers the wrong way round. */
    ck_assert_int_eq(FAILURES(ORDERLY, GOOD_START, "D 0 1 1200 t a 0 0/3/3/0/0"), 1);
    ck_assert_int_eq(
        FAILURES(ORDERLY, GOOD_START, "D 0 1 1200 t a 0 0/2/2/0/0", "D 0 2 1200 t a 0 0/2/2/0/0"),
        2); /* also a repetition without a reason */
    ck_assert_int_eq(FAILURES(ORDERLY, "D 0 0 1 t a 0 0/1/0/0/0 0/0/1/0/0", "F 0 0 2 good"), 1);
    ck_assert_int_eq(FAILURES(ORDERLY, GOOD_START, "D 0 1 1200 t a 0 0/2/2/0/0",
                              "F 0 1 1201 refused", "D 0 2 1300 t a 0 0/2/2/0/0",
                              "F 0 2 1301 good"),
                     0);
}
END_TEST

START_TEST(test_end)
{
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "O t a 0 2", "E"), 0);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "O t a 0 1", "E"), 1);
}
END_TEST

#define AGAIN_BY_1 "D 1 0 1300 t a 0 0/0/0/0/0"

START_TEST(test_repetitions)
{
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "D 0 1 9300 t a 0 0/0/0/0/0"), 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "K 0 1200", AGAIN_BY_1), 0);
    ck_assert_int_eq(ledger_counts(ledger).repeated[KILLED], 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "R 1 1250 t a/0", AGAIN_BY_1), 0);
    ck_assert_int_eq(ledger_counts(ledger).repeated[MOVED], 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "R 0 1200 t", AGAIN_BY_1), 0); /* not told */
    ck_assert_int_eq(ledger_counts(ledger).repeated[MOVED], 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "X 1200 x", "Y 1210", AGAIN_BY_1), 0);
    ck_assert_int_eq(ledger_counts(ledger).repeated[FAULT], 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "U 0 0", "D 0 2 9300 t a 0 0/0/2/0/0"), 0);
    ck_assert_int_eq(ledger_counts(ledger).repeated[SENT_TWICE], 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, "R 0 1 t a/0", "R 1 2 t a/0", "A 0 0",
                              "D 0 0 90000 t a 0 0/0/0/0/0", "F 0 0 90001 good",
                              "D 1 0 90002 t a 0 0/0/0/0/0", "F 1 0 90003 good"),
                     0);
    ck_assert_int_eq(ledger_counts(ledger).repeated[SHARED], 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, "R 0 1 t a/0", "R 1 2 t a/0", "R 0 3 t", "A 0 0",
                              "D 1 0 90000 t a 0 0/0/0/0/0", "F 1 0 90001 good",
                              "D 1 1 90002 t a 0 0/0/0/0/0", "F 1 1 90003 good"),
                     1);
    /* Stored twice although the sender was sure. */
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "N 0 0", "D 0 2 9300 t a 0 0/0/2/0/0"), 1);
    /* A fault long before, a kill and a move long after it was committed. */
    ck_assert_int_eq(FAILURES(POP, "X 1 x", "Y 2", "D 0 0 9000 t a 0 0/0/0/0/0", "F 0 0 9001 good",
                              "D 1 0 9300 t a 0 0/0/0/0/0"),
                     1);
    ck_assert_int_eq(FAILURES(POP, GOOD_START, "K 0 100000", "D 1 0 100300 t a 0 0/0/0/0/0"), 1);
    ck_assert_int_eq(FAILURES(CONCURRENT, GOOD_START, "R 1 100000 t a/0", "J 1 100100",
                              "D 1 0 100300 t a 0 0/0/0/0/0"),
                     1);
}
END_TEST

START_TEST(test_pop_late)
{
    ck_assert_int_eq(FAILURES(POP, "D 0 0 1000 t a 0 0/0/0/0/2000", "F 0 0 2001 good",
                              "D 1 0 2500 t a 0 0/0/0/0/9000"),
                     0);
    ck_assert_int_eq(ledger_counts(ledger).repeated[LATE], 1);
    ck_assert_int_eq(FAILURES(POP, "D 0 0 1000 t a 0 0/0/0/0/20000", "F 0 0 2001 good",
                              "D 1 0 22500 t a 0 0/0/0/0/90000"),
                     1);
}
END_TEST

/* Twenty of a group's seconds, in which a member is killed or a broker fails. */
static void run(const char *mode, const char *seed)
{
    char settings[2][32];
    snprintf(settings[0], sizeof settings[0], "mode=%s", mode);
    snprintf(settings[1], sizeof settings[1], "seed=%s", seed);
    char *arguments[] = {settings[0], settings[1], (char *)"seconds=2", (char *)"speed=10",
                         (char *)"rate=200"};
    ck_assert_int_eq(run_main(5, arguments), 0);
}

START_TEST(test_run_concurrent)
{
    run("concurrent", "6");
}
END_TEST

START_TEST(test_run_orderly)
{
    run("orderly", "5");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_good,        test_loss,     test_offset_falls,   test_order,      test_end,
        test_repetitions, test_pop_late, test_run_concurrent, test_run_orderly};
    Suite *suite = suite_create("chaos");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        TCase *test_case = tcase_create(tests[i]->name);
        tcase_set_timeout(test_case, 600);
        tcase_add_test(test_case, tests[i]);
        suite_add_tcase(suite, test_case);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
