/* Transactions whose half message or end is lost on the way: each is brought to its end by a check,
 * once. The faults are the embedded cluster's. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/transactions.h"

enum { HEART_BEAT = 34, ILLEGAL_OPERATION = 604 };

/* One producer, one consumer, and what was said. */
struct scene {
    const char *topic;
    struct collector *collector;
    mqc_push_consumer *consumer;
    struct judge check, execute;
    mqc_producer *producer;
    mqc_transaction_result result;
    mqc_error error;
    int64_t heartbeats; /* before the transaction */
};

static void open_scene(struct scene *scene, mqc_transaction_state decision)
{
    *scene = (struct scene){.topic = contract_topic(1),
                            .collector = collector_new(),
                            .check = JUDGE(MQC_TRANSACTION_UNKNOWN),
                            .execute = JUDGE(decision)};
    mqc_push_consumer_options options = {.group = contract_name("readers"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(scene->collector, 0),
                                         .from = MQC_FROM_FIRST};
    scene->consumer = contract_consumer(&options, scene->topic, "*");
    scene->producer = transactions_producer(contract_name("producer"), scene->topic, &scene->check);
}

static mqc_status send_one(struct scene *scene)
{
    mqc_message *message = transactions_message(scene->topic, "body");
    scene->heartbeats = mqc_embedded_request_count(contract_embedded(), HEART_BEAT);
    mqc_status status =
        mqc_producer_send_transaction(scene->producer, message, NULL, judge_listen, &scene->execute,
                                      &scene->result, &scene->error);
    mqc_message_free(message);
    return status;
}

/* After all checks that were due the message has come so often, and the listener was not asked. */
static void close_scene(struct scene *scene, size_t came)
{
    transactions_checks_due();
    transactions_await_marker(scene->topic, scene->collector);
    transactions_await_marker(scene->topic, scene->collector);
    ck_assert_uint_eq(collector_count_body(scene->collector, "body"), came);
    ck_assert_int_eq(judge_calls(&scene->check), 0);
    mqc_producer_free(scene->producer);
    contract_consumer_end(scene->consumer);
    collector_free(scene->collector);
}

static void add_fault(const char *text)
{
    mqc_error error;
    ck_ok(mqc_embedded_add_fault_text(contract_embedded(), text, NULL, &error));
}

/* The broker can ask only whom it hears from. */
static void await_heartbeat(const struct scene *scene)
{
    mqc_error error;
    ck_ok(mqc_embedded_await_requests(contract_embedded(), HEART_BEAT, scene->heartbeats + 1,
                                      CONTRACT_WAIT_MS, &error));
}

static void assert_decided_but_not_acknowledged(struct scene *scene, mqc_transaction_state state)
{
    ck_assert(scene->error.maybe_done);
    ck_assert(!scene->error.retryable);
    ck_assert_ptr_nonnull(strstr(scene->error.text, "will ask and be told"));
    ck_assert(scene->result.executed && !scene->result.ended);
    ck_assert_int_eq(scene->result.state, state);
    ck_assert_int_eq(judge_calls(&scene->execute), 1);
    await_heartbeat(scene);
}

START_TEST(test_commit_that_did_not_arrive)
{
    struct scene scene;
    open_scene(&scene, MQC_TRANSACTION_COMMIT);
    add_fault("close:code=37:count=1");
    ck_assert_int_eq(send_one(&scene), MQC_NO_CONNECTION);
    assert_decided_but_not_acknowledged(&scene, MQC_TRANSACTION_COMMIT);
    ck_assert_uint_eq(collector_count(scene.collector), 0);
    transactions_checks_due();
    collector_await_body(scene.collector, "body");
    close_scene(&scene, 1);
}
END_TEST

START_TEST(test_rollback_that_did_not_arrive)
{
    struct scene scene;
    open_scene(&scene, MQC_TRANSACTION_ROLLBACK);
    add_fault("close:code=37:count=1");
    ck_assert_int_eq(send_one(&scene), MQC_NO_CONNECTION);
    assert_decided_but_not_acknowledged(&scene, MQC_TRANSACTION_ROLLBACK);
    close_scene(&scene, 0);
}
END_TEST

START_TEST(test_commit_whose_answer_is_lost)
{
    struct scene scene;
    open_scene(&scene, MQC_TRANSACTION_COMMIT);
    add_fault("drop:code=37:count=1");
    ck_assert_int_eq(send_one(&scene), MQC_NO_CONNECTION);
    assert_decided_but_not_acknowledged(&scene, MQC_TRANSACTION_COMMIT);
    collector_await_body(scene.collector, "body");
    close_scene(&scene, 1);
}
END_TEST

/* As a broker does with an end that comes later than mqc_message_set_check_after says. */
START_TEST(test_commit_that_is_refused)
{
    struct scene scene;
    open_scene(&scene, MQC_TRANSACTION_COMMIT);
    add_fault("answer=604:code=37:count=1");
    ck_assert_int_eq(send_one(&scene), MQC_REFUSED);
    ck_assert_int_eq(scene.error.broker_code, ILLEGAL_OPERATION);
    assert_decided_but_not_acknowledged(&scene, MQC_TRANSACTION_COMMIT);
    transactions_checks_due();
    collector_await_body(scene.collector, "body");
    close_scene(&scene, 1);
}
END_TEST

/* The answer to the half message is lost, it is sent again: there are two, one is committed. */
START_TEST(test_half_message_that_is_stored_twice)
{
    struct scene scene;
    open_scene(&scene, MQC_TRANSACTION_COMMIT);
    add_fault("drop:code=310:count=1");
    ck_assert_int_eq(send_one(&scene), MQC_OK);
    ck_assert(scene.result.ended);
    ck_assert_int_eq(mqc_embedded_message_count(contract_embedded(), "RMQ_SYS_TRANS_HALF_TOPIC"),
                     2);
    collector_await_body(scene.collector, "body");
    close_scene(&scene, 1);
}
END_TEST

/* Without an answer there is no local transaction; what is stored all the same is rolled back. */
START_TEST(test_half_message_without_an_answer)
{
    struct scene scene;
    open_scene(&scene, MQC_TRANSACTION_COMMIT);
    add_fault("drop:code=310:count=3");
    ck_assert_int_eq(send_one(&scene), MQC_NO_CONNECTION);
    ck_assert(scene.error.maybe_done);
    ck_assert(!scene.result.executed);
    ck_assert_int_eq(judge_calls(&scene.execute), 0);
    ck_assert_int_eq(mqc_embedded_message_count(contract_embedded(), "RMQ_SYS_TRANS_HALF_TOPIC"),
                     3);
    close_scene(&scene, 0);
}
END_TEST

/* What may be lost with the broker's memory is no ground to act on. */
START_TEST(test_half_message_that_is_not_stored_safely)
{
    struct scene scene;
    open_scene(&scene, MQC_TRANSACTION_COMMIT);
    add_fault("answer=10:code=310:count=1");
    ck_assert_int_eq(send_one(&scene), MQC_REFUSED);
    ck_assert_int_eq(scene.error.broker_code, 10);
    ck_assert(scene.error.retryable);
    ck_assert_ptr_nonnull(strstr(scene.error.text, "FLUSH_DISK_TIMEOUT"));
    ck_assert(!scene.result.executed);
    ck_assert_int_eq(scene.result.state, MQC_TRANSACTION_ROLLBACK);
    ck_assert_int_eq(judge_calls(&scene.execute), 0);
    close_scene(&scene, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_commit_that_did_not_arrive,
                                  test_rollback_that_did_not_arrive,
                                  test_commit_whose_answer_is_lost,
                                  test_commit_that_is_refused,
                                  test_half_message_that_is_stored_twice,
                                  test_half_message_without_an_answer,
                                  test_half_message_that_is_not_stored_safely};
    int count = getenv("MQC_CONTRACT_NAMESRV") ? 0 : (int)(sizeof tests / sizeof *tests);
    return contract_run("transaction faults", tests, count);
}
