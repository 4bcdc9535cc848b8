/* Transactions: what commits is consumed once, and what does not never; the broker asks, and is
 * answered, also by another life of the producer. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "test/contract/transactions.h"

extern char **environ;

static mqc_push_consumer *consume(struct collector *collector, const char *topic)
{
    mqc_push_consumer_options options = {.group = contract_name("readers"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    return contract_consumer(&options, topic, "*");
}

static void end(mqc_push_consumer *consumer, struct collector *collector)
{
    contract_consumer_end(consumer);
    collector_free(collector);
}

/* ---- the local transaction decides ---- */

START_TEST(test_commit_and_rollback)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, topic);
    struct judge check = JUDGE(MQC_TRANSACTION_UNKNOWN);
    struct judge commit = JUDGE(MQC_TRANSACTION_COMMIT), rollback = JUDGE(MQC_TRANSACTION_ROLLBACK);
    mqc_producer *producer = transactions_producer(contract_name("producer"), topic, &check);
    mqc_transaction_result result = transactions_send(producer, topic, "no", &rollback);
    ck_assert_int_eq(result.state, MQC_TRANSACTION_ROLLBACK);
    ck_assert(result.ended);
    mqc_message *message = transactions_message(topic, "yes");
    ck_ok(mqc_message_set_tag(message, "sale", &error));
    ck_ok(mqc_message_set_property(message, "shop", "berlin", &error));
    ck_ok(mqc_producer_send_transaction(producer, message, NULL, judge_listen, &commit, &result,
                                        &error));
    ck_assert_ptr_null(mqc_message_property(message, "TRAN_MSG")); /* it is the caller's */
    mqc_message_free(message);
    ck_assert_int_eq(result.state, MQC_TRANSACTION_COMMIT);
    ck_assert(result.executed && result.ended);
    ck_assert_int_eq(judge_calls(&commit), 1);
    ck_assert_str_eq(commit.id, result.half.message_id);
    ck_assert_str_eq(commit.body, "yes");
    ck_assert_int_eq(commit.checks, 0);
    ck_assert(pthread_equal(commit.thread, pthread_self()));
    const mqc_message *came = collector_await_body(collector, "yes").message;
    ck_assert_str_eq(mqc_message_id(came), result.half.message_id);
    ck_assert_str_eq(mqc_message_topic(came), topic);
    ck_assert_str_eq(mqc_message_tag(came), "sale");
    ck_assert_str_eq(mqc_message_property(came, "shop"), "berlin");
    transactions_await_marker(topic, collector);
    ck_assert_uint_eq(collector_count(collector), 2);
    ck_assert_int_eq(judge_calls(&check), 0);
    mqc_producer_free(producer);
    end(consumer, collector);
}
END_TEST

struct hidden {
    const char *topic;
    struct collector *collector;
};

/* A message sent after the half message overtakes it: by then the half one would have come. */
static void send_and_await_another(const mqc_transaction *transaction, void *arg)
{
    struct hidden *hidden = arg;
    (void)transaction;
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, hidden->topic, "another");
    collector_await_body(hidden->collector, "another");
    mqc_producer_free(producer);
}

START_TEST(test_half_message_is_hidden)
{
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, topic);
    struct hidden hidden = {topic, collector};
    struct judge check = JUDGE(MQC_TRANSACTION_UNKNOWN);
    struct judge execute = JUDGE(MQC_TRANSACTION_COMMIT);
    execute.meanwhile = send_and_await_another;
    execute.meanwhile_arg = &hidden;
    mqc_producer *producer = transactions_producer(contract_name("producer"), topic, &check);
    transactions_send(producer, topic, "half", &execute);
    collector_await(collector, 2);
    ck_assert(contract_text_is(collector_at(collector, 0).message, "another"));
    ck_assert(contract_text_is(collector_at(collector, 1).message, "half"));
    mqc_producer_free(producer);
    end(consumer, collector);
}
END_TEST

/* ---- the broker asks ---- */

START_TEST(test_unknown_is_asked_again)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, topic);
    struct judge check = JUDGE(MQC_TRANSACTION_UNKNOWN, MQC_TRANSACTION_COMMIT);
    struct judge unknown = JUDGE(MQC_TRANSACTION_UNKNOWN);
    mqc_producer *producer = transactions_producer(contract_name("producer"), topic, &check);
    mqc_transaction_result result;
    mqc_message *message = transactions_message(topic, "later");
    ck_ok(mqc_message_set_tag(message, "sale", &error));
    ck_ok(mqc_producer_send_transaction(producer, message, NULL, judge_listen, &unknown, &result,
                                        &error));
    mqc_message_free(message);
    ck_assert_int_eq(result.state, MQC_TRANSACTION_UNKNOWN);
    ck_assert(result.executed && !result.ended);
    transactions_checks_due();
    judge_await(&check, 1);
    ck_assert_int_eq(check.checks, 1);
    ck_assert_str_eq(check.id, result.half.message_id);
    ck_assert_str_eq(check.body, "later");
    ck_assert_str_eq(check.tag, "sale");
    ck_assert(!pthread_equal(check.thread, pthread_self()));
    transactions_checks_due();
    judge_await(&check, 2);
    ck_assert_int_eq(check.checks, 2);
    ck_assert_str_eq(check.id, result.half.message_id);
    ck_assert_str_eq(mqc_message_id(collector_await_body(collector, "later").message), check.id);
    transactions_await_marker(topic, collector);
    ck_assert_uint_eq(collector_count_body(collector, "later"), 1);
    ck_assert_int_eq(judge_calls(&check), 2);
    mqc_producer_free(producer);
    end(consumer, collector);
}
END_TEST

START_TEST(test_check_rolls_back)
{
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, topic);
    struct judge check = JUDGE(MQC_TRANSACTION_ROLLBACK);
    struct judge unknown = JUDGE(MQC_TRANSACTION_UNKNOWN);
    mqc_producer *producer = transactions_producer(contract_name("producer"), topic, &check);
    transactions_send(producer, topic, "never", &unknown);
    transactions_checks_due();
    judge_await(&check, 1);
    transactions_await_marker(topic, collector);
    ck_assert_uint_eq(collector_count(collector), 1);
    ck_assert_int_eq(judge_calls(&check), 1);
    mqc_producer_free(producer);
    end(consumer, collector);
}
END_TEST

/* A producer without a listener is in the group, too: it says that it does not know. */
START_TEST(test_no_listener_is_no_decision)
{
    const char *topic = contract_topic(1), *group = contract_name("producer");
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, topic);
    struct judge check = JUDGE(MQC_TRANSACTION_COMMIT), unknown = JUDGE(MQC_TRANSACTION_UNKNOWN);
    mqc_producer *producer = transactions_producer(group, topic, &check);
    transactions_send(producer, topic, "asked for", &unknown);
    mqc_producer_free(producer);
    transactions_watch_log(MQC_LOG_INFO);
    mqc_producer *plain = transactions_producer(group, topic, NULL);
    transactions_checks_due();
    transactions_await_log("no check listener", group);
    mqc_producer_free(plain);
    ck_assert_int_eq(judge_calls(&check), 0);
    producer = transactions_producer(group, topic, &check);
    transactions_checks_due();
    collector_await_body(collector, "asked for");
    mqc_producer_free(producer);
    end(consumer, collector);
}
END_TEST

/* ---- lives of a producer ---- */

static mqc_transaction_state die(const mqc_transaction *transaction, void *arg)
{
    (void)transaction;
    (void)arg;
    raise(SIGKILL);
    return MQC_TRANSACTION_COMMIT;
}

/* This program again, outside of any test: dies when the half message is stored, before it can say
 * how it ended. */
static int die_in_a_transaction(const char *group, const char *topic)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer_options options = {.client = &client, .group = group, .send_timeout_ms = 60000};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_message *message = mqc_message_new(topic, "of the dead", 11);
    if (!producer || !message || mqc_producer_on_check(producer, die, NULL, &error) ||
        mqc_producer_start(producer, &error) ||
        mqc_producer_send_transaction(producer, message, NULL, die, NULL, NULL, &error))
        fprintf(stderr, "%s\n", error.text);
    return EXIT_FAILURE;
}

static void let_a_producer_die(const char *group, const char *topic)
{
    char *arguments[] = {"die", (char *)(uintptr_t)group, (char *)(uintptr_t)topic, NULL};
    if (contract_embedded())
        setenv("MQC_CONTRACT_NAMESRV", mqc_embedded_name_servers(contract_embedded()), 1);
    pid_t child;
    int status;
    ck_assert_int_eq(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %d", status);
}

START_TEST(test_another_life_answers_for_the_dead)
{
    const char *topic = contract_topic(1), *group = contract_name("producer");
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, topic);
    let_a_producer_die(group, topic);
    struct judge check = JUDGE(MQC_TRANSACTION_COMMIT);
    mqc_producer *producer = transactions_producer(group, topic, &check);
    transactions_checks_due();
    judge_await(&check, 1);
    ck_assert_str_eq(check.body, "of the dead");
    ck_assert_str_eq(mqc_message_id(collector_await_body(collector, "of the dead").message),
                     check.id);
    transactions_await_marker(topic, collector);
    ck_assert_uint_eq(collector_count_body(collector, "of the dead"), 1);
    ck_assert_int_eq(judge_calls(&check), 1);
    mqc_producer_free(producer);
    end(consumer, collector);
}
END_TEST

/* ---- told once ---- */

static void be_asked_meanwhile(const mqc_transaction *transaction, void *arg)
{
    (void)arg;
    transactions_checks_due();
    transactions_await_log(transaction->id, "answer=UNKNOWN by=memory");
}

/* The broker has stored the half message anew when its end comes: it must come once all the same.
 */
START_TEST(test_check_during_the_local_transaction)
{
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume(collector, topic);
    struct judge check = JUDGE(MQC_TRANSACTION_ROLLBACK);
    struct judge execute = JUDGE(MQC_TRANSACTION_COMMIT);
    execute.meanwhile = be_asked_meanwhile;
    transactions_watch_log(MQC_LOG_INFO);
    mqc_producer *producer = transactions_producer(contract_name("producer"), topic, &check);
    mqc_transaction_result result = transactions_send(producer, topic, "slow", &execute);
    ck_assert(result.ended);
    collector_await_body(collector, "slow");
    transactions_await_marker(topic, collector);
    transactions_await_marker(topic, collector);
    ck_assert_uint_eq(collector_count_body(collector, "slow"), 1);
    ck_assert_int_eq(judge_calls(&check), 0);
    /* The end has named what the check was about, so that there was nothing left to ask. (A real
     * broker may ask before it has noticed.) */
    if (contract_embedded())
        ck_assert(!transactions_log_says(result.half.message_id, "answer=ROLLBACK"));
    mqc_producer_free(producer);
    end(consumer, collector);
}
END_TEST

/* ---- calls that cannot be ---- */

START_TEST(test_bad_calls)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    struct judge judge = JUDGE(MQC_TRANSACTION_COMMIT);
    mqc_transaction_result result;
    mqc_producer *plain = contract_producer(NULL);
    mqc_producer *producer = transactions_producer(contract_name("producer"), topic, &judge);
    mqc_message *message = transactions_message(topic, "body");
    ck_fails(mqc_producer_on_check(NULL, judge_listen, NULL, &error), MQC_BAD_ARGUMENT, "NULL");
    ck_fails(mqc_producer_on_check(plain, NULL, NULL, &error), MQC_BAD_ARGUMENT,
             "TransactionListener is null");
    ck_fails(mqc_producer_on_check(plain, judge_listen, &judge, &error), MQC_WRONG_STATE,
             "before mqc_producer_start");
    ck_fails(
        mqc_producer_send_transaction(plain, message, NULL, judge_listen, &judge, &result, &error),
        MQC_WRONG_STATE, "mqc_producer_on_check");
    ck_fails(mqc_producer_send_transaction(producer, message, NULL, NULL, NULL, &result, &error),
             MQC_BAD_ARGUMENT, "local transaction");
    ck_fails(
        mqc_producer_send_transaction(producer, NULL, NULL, judge_listen, &judge, &result, &error),
        MQC_BAD_ARGUMENT, "the message is NULL");
    ck_fails(mqc_message_set_check_after(message, -1, &error), MQC_BAD_ARGUMENT, "-1 seconds");
    ck_ok(mqc_message_set_check_after(message, 0, &error));
    ck_ok(mqc_message_set_delay_level(message, 3, &error));
    ck_fails(mqc_producer_send_transaction(producer, message, NULL, judge_listen, &judge, &result,
                                           &error),
             MQC_BAD_ARGUMENT, "DELAY", "without a delay");
    ck_assert(!result.executed);
    ck_assert_int_eq(judge_calls(&judge), 0);
    mqc_message_free(message);
    mqc_producer_free(producer);
    mqc_producer_free(plain);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 3) return die_in_a_transaction(argv[1], argv[2]);
    const TTest *const tests[] = {test_commit_and_rollback,
                                  test_half_message_is_hidden,
                                  test_unknown_is_asked_again,
                                  test_check_rolls_back,
                                  test_no_listener_is_no_decision,
                                  test_another_life_answers_for_the_dead,
                                  test_check_during_the_local_transaction,
                                  test_bad_calls};
    return contract_run("transaction", tests, (int)(sizeof tests / sizeof *tests));
}
