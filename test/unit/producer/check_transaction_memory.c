/* Tests of lib/producer/transaction_memory.c: what a check is answered, by what has happened. */
#include "lib/producer/transactions.h"

#include <stdio.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

static struct transactions transactions;
static struct half_place place;
static long blocks_before;

static void set_up(void)
{
    blocks_before = memory_live_blocks();
    transactions_init(&transactions);
}

static void tear_down(void)
{
    transactions_done(&transactions);
    ck_assert_int_eq(memory_live_blocks(), blocks_before);
}

static struct transaction_check check_of(const char *id, int64_t offset)
{
    struct transaction_check check = {.table_offset = offset, .commit_log_offset = offset * 100};
    snprintf(check.transaction_id, sizeof check.transaction_id, "%s", id);
    snprintf(check.address, sizeof check.address, "127.0.0.1:%d", (int)offset);
    return check;
}

enum { ASK = -1 };

/* What a check is answered from memory; ASK when the listener is to be asked. */
static int answer_at(const char *id, int64_t offset)
{
    struct transaction_check check = check_of(id, offset);
    mqc_transaction_state state;
    return transaction_recall(&transactions, &check, &state) ? (int)state : ASK;
}

static int answer(const char *id)
{
    return answer_at(id, 1);
}

START_TEST(what_nobody_knows_is_asked)
{
    ck_assert_int_eq(answer("a"), ASK);
}
END_TEST

START_TEST(while_it_runs_nothing_is_known)
{
    struct transaction *a = transaction_begin(&transactions, "a");
    ck_assert_int_eq(answer("b"), ASK);
    ck_assert(!transaction_ending(&transactions, a, &place)); /* nobody has asked about it */
    ck_assert_int_eq(answer("a"), MQC_TRANSACTION_UNKNOWN);
    transaction_decided(&transactions, a, MQC_TRANSACTION_COMMIT, true);
}
END_TEST

START_TEST(the_end_names_the_half_message_of_the_last_check)
{
    struct transaction *a = transaction_begin(&transactions, "a");
    ck_assert_int_eq(answer_at("a", 7), MQC_TRANSACTION_UNKNOWN);
    ck_assert_int_eq(answer_at("a", 8), MQC_TRANSACTION_UNKNOWN);
    ck_assert(transaction_ending(&transactions, a, &place));
    ck_assert_str_eq(place.address, "127.0.0.1:8");
    ck_assert_int_eq(place.table_offset, 8);
    ck_assert_int_eq(place.commit_log_offset, 800);
    transaction_decided(&transactions, a, MQC_TRANSACTION_COMMIT, true);
}
END_TEST

START_TEST(a_decision_is_repeated_until_it_is_acknowledged)
{
    const mqc_transaction_state states[] = {MQC_TRANSACTION_COMMIT, MQC_TRANSACTION_ROLLBACK};
    for (int i = 0; i < 2; i++) {
        char id[8];
        snprintf(id, sizeof id, "t%d", i);
        struct transaction *transaction = transaction_begin(&transactions, id);
        transaction_ending(&transactions, transaction, &place);
        transaction_decided(&transactions, transaction, states[i], false);
        ck_assert_int_eq(answer(id), (int)states[i]);
        transaction_answered(&transactions, id, states[i], false);
        ck_assert_int_eq(answer(id), (int)states[i]);
        transaction_answered(&transactions, id, states[i], true);
        ck_assert_int_eq(answer(id), MQC_TRANSACTION_ROLLBACK);
    }
}
END_TEST

START_TEST(an_acknowledged_commit_is_never_said_again)
{
    struct transaction *a = transaction_begin(&transactions, "a");
    transaction_decided(&transactions, a, MQC_TRANSACTION_COMMIT, true);
    ck_assert_int_eq(answer("a"), MQC_TRANSACTION_ROLLBACK);
    transaction_answered(&transactions, "a", MQC_TRANSACTION_ROLLBACK, true);
    ck_assert_int_eq(answer("a"), MQC_TRANSACTION_ROLLBACK);
}
END_TEST

START_TEST(what_the_listener_said_is_remembered)
{
    transaction_answered(&transactions, "a", MQC_TRANSACTION_COMMIT, false);
    ck_assert_int_eq(answer("a"), MQC_TRANSACTION_COMMIT);
    transaction_answered(&transactions, "a", MQC_TRANSACTION_COMMIT, true);
    ck_assert_int_eq(answer("a"), MQC_TRANSACTION_ROLLBACK);
}
END_TEST

START_TEST(what_is_undecided_is_asked_again)
{
    struct transaction *a = transaction_begin(&transactions, "a");
    transaction_decided(&transactions, a, MQC_TRANSACTION_UNKNOWN, false);
    ck_assert_int_eq(answer("a"), ASK);
    transaction_forget(&transactions, transaction_begin(&transactions, "b"));
    ck_assert_int_eq(answer("b"), ASK);
}
END_TEST

START_TEST(the_oldest_are_forgotten)
{
    char id[16];
    struct transaction *running = transaction_begin(&transactions, "running");
    for (int i = 0; i < TRANSACTIONS_REMEMBERED + 10; i++) {
        snprintf(id, sizeof id, "t%d", i);
        transaction_answered(&transactions, id, MQC_TRANSACTION_COMMIT, false);
    }
    ck_assert_int_eq(answer("t9"), ASK);
    ck_assert_int_eq(answer("t10"), MQC_TRANSACTION_COMMIT);
    ck_assert_int_eq(answer(id), MQC_TRANSACTION_COMMIT);
    ck_assert_int_eq(answer("running"), MQC_TRANSACTION_UNKNOWN);
    ck_assert_uint_eq(transactions.by_id.count, TRANSACTIONS_REMEMBERED + 1);
    transaction_decided(&transactions, running, MQC_TRANSACTION_COMMIT, true);
    ck_assert_uint_eq(transactions.by_id.count, TRANSACTIONS_REMEMBERED);
}
END_TEST

START_TEST(without_memory_nothing_begins)
{
    for (int i = 1; i <= 3; i++) {
        memory_fail_from(i);
        struct transaction *transaction = transaction_begin(&transactions, "a");
        transaction_answered(&transactions, "b", MQC_TRANSACTION_COMMIT, true);
        memory_fail_from(0);
        if (transaction) transaction_forget(&transactions, transaction);
        ck_assert_int_eq(answer("a"), ASK);
        ck_assert_int_eq(answer("b"), ASK);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("producer/transaction_memory");
    TCase *tcase = tcase_create("memory");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_nobody_knows_is_asked);
    tcase_add_test(tcase, while_it_runs_nothing_is_known);
    tcase_add_test(tcase, the_end_names_the_half_message_of_the_last_check);
    tcase_add_test(tcase, a_decision_is_repeated_until_it_is_acknowledged);
    tcase_add_test(tcase, an_acknowledged_commit_is_never_said_again);
    tcase_add_test(tcase, what_the_listener_said_is_remembered);
    tcase_add_test(tcase, what_is_undecided_is_asked_again);
    tcase_add_test(tcase, the_oldest_are_forgotten);
    tcase_add_test(tcase, without_memory_nothing_begins);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(suite)
