/* Messages with a time of delivery of their own (RocketMQ 5), and taking them back before it. */
#include <stdlib.h>

#include "test/contract/collector.h"
#include "test/contract/outcomes.h"

enum { MESSAGE_ILLEGAL = 13, LONG_MS = 3000, DAY_S = 86400 };

/* Each test has a topic of one queue and somebody who reads it from the start. */
struct scene {
    const char *topic;
    mqc_producer *producer;
    mqc_push_consumer *consumer;
    struct collector *collector;
};

static struct scene scene_begin(void)
{
    struct scene scene = {.topic = contract_topic(1),
                          .producer = contract_producer(NULL),
                          .collector = collector_new()};
    mqc_push_consumer_options options = {.group = contract_name("readers"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(scene.collector, 0),
                                         .from = MQC_FROM_FIRST};
    scene.consumer = contract_consumer(&options, scene.topic, "*");
    return scene;
}

static void scene_end(struct scene *scene)
{
    contract_consumer_end(scene->consumer);
    mqc_producer_free(scene->producer);
    collector_free(scene->collector);
}

static mqc_message *new_message(const struct scene *scene, const char *body)
{
    mqc_message *message = mqc_message_new(scene->topic, body, strlen(body));
    ck_assert_ptr_nonnull(message);
    return message;
}

static mqc_send_result send_and_free(const struct scene *scene, mqc_message *message)
{
    mqc_error error;
    mqc_send_result result;
    ck_ok(mqc_producer_send(scene->producer, message, NULL, &result, &error));
    ck_assert_int_eq(result.status, MQC_SEND_OK);
    mqc_message_free(message);
    return result;
}

/* Brokers are precise to a second. */
static void assert_waited(const mqc_message *received, int64_t least_ms)
{
    int64_t waited = mqc_message_stored_unix_ms(received) - mqc_message_born_unix_ms(received);
    ck_assert_msg(waited >= least_ms, "it waited %lld ms only", (long long)waited);
}

START_TEST(test_each_way_to_say_when)
{
    mqc_error error;
    struct scene scene = scene_begin();
    mqc_message *ms = new_message(&scene, "ms"), *seconds = new_message(&scene, "seconds"),
                *at = new_message(&scene, "at");
    ck_ok(mqc_message_set_delay_ms(ms, LONG_MS, &error));
    ck_ok(mqc_message_set_delay_seconds(seconds, LONG_MS / 1000, &error));
    ck_ok(mqc_message_set_deliver_at(at, contract_unix_ms() + LONG_MS, &error));
    mqc_send_result result = send_and_free(&scene, ms);
    send_and_free(&scene, seconds);
    send_and_free(&scene, at);
    contract_pass(LONG_MS + 2000);
    struct received first = collector_await_body(scene.collector, "ms");
    ck_assert_str_eq(mqc_message_id(first.message), result.message_id);
    ck_assert_str_eq(mqc_message_topic(first.message), scene.topic);
    assert_waited(first.message, LONG_MS - 2000);
    assert_waited(collector_await_body(scene.collector, "seconds").message, LONG_MS - 2000);
    assert_waited(collector_await_body(scene.collector, "at").message, LONG_MS - 2000);
    ck_assert_uint_eq(collector_count_body(scene.collector, "ms"), 1);
    scene_end(&scene);
}
END_TEST

START_TEST(test_a_time_that_has_passed_is_now)
{
    mqc_error error;
    struct scene scene = scene_begin();
    mqc_message *message = new_message(&scene, "late");
    ck_ok(mqc_message_set_deliver_at(message, contract_unix_ms() - 1000, &error));
    send_and_free(&scene, message);
    contract_pass(1000);
    collector_await_body(scene.collector, "late");
    scene_end(&scene);
}
END_TEST

START_TEST(test_too_far_ahead_is_refused)
{
    mqc_error error;
    struct scene scene = scene_begin();
    mqc_message *message = new_message(&scene, "far");
    ck_ok(mqc_message_set_delay_seconds(message, 4 * DAY_S, &error));
    ck_fails(mqc_producer_send(scene.producer, message, NULL, NULL, &error), MQC_REFUSED, "delay");
    ck_assert_int_eq(error.broker_code, MESSAGE_ILLEGAL);
    mqc_message_free(message);
    scene_end(&scene);
}
END_TEST

/* Two messages for about the same time: the one that is left shows that the time was over. */
START_TEST(test_recalled_message_does_not_come)
{
    mqc_error error;
    struct scene scene = scene_begin();
    mqc_message *first = new_message(&scene, "recalled"), *second = new_message(&scene, "left");
    ck_ok(mqc_message_set_delay_ms(first, 2 * LONG_MS, &error));
    ck_ok(mqc_message_set_delay_ms(second, 2 * LONG_MS + 2000, &error));
    mqc_send_result result = send_and_free(&scene, first);
    ck_assert_uint_gt(strlen(result.recall_handle), 0);
    char id[64];
    ck_ok(mqc_producer_recall(scene.producer, scene.topic, result.recall_handle, 0, id, &error));
    ck_assert_str_eq(id, result.message_id);
    send_and_free(&scene, second);
    contract_pass(2 * LONG_MS + 4000);
    collector_await_body(scene.collector, "left");
    scene_end(&scene);
}
END_TEST

static void recalled(const char *message_id, const mqc_error *error, void *arg)
{
    struct outcome *outcome = arg;
    ck_assert(!message_id != !error);
    if (message_id) strcpy(outcome->result.message_id, message_id);
    outcome_note(outcome, message_id != NULL, error);
}

START_TEST(test_recall_with_a_callback)
{
    mqc_error error;
    struct scene scene = scene_begin();
    struct outcomes *outcomes = outcomes_new(1);
    mqc_message *message = new_message(&scene, "recalled");
    ck_ok(mqc_message_set_delay_seconds(message, DAY_S, &error));
    mqc_send_result result = send_and_free(&scene, message);
    ck_ok(mqc_producer_recall_async(scene.producer, scene.topic, result.recall_handle, 0, recalled,
                                    outcome_of(outcomes, 0), &error));
    outcomes_await(outcomes, 1);
    const struct outcome *outcome = outcome_of(outcomes, 0);
    ck_assert_msg(outcome->accepted, "%s", outcome->error.text);
    ck_assert_str_eq(outcome->result.message_id, result.message_id);
    scene_end(&scene);
    outcomes_free(outcomes);
}
END_TEST

/* The handle of an asynchronous send; its message is delivered, and then it is too late. */
START_TEST(test_recall_of_what_was_delivered_is_refused)
{
    mqc_error error;
    struct scene scene = scene_begin();
    struct outcomes *outcomes = outcomes_new(2);
    mqc_message *message = new_message(&scene, "delivered");
    ck_ok(mqc_message_set_delay_ms(message, 2500, &error));
    ck_ok(mqc_producer_send_async(scene.producer, message, NULL, outcome_take,
                                  outcome_of(outcomes, 0), &error));
    mqc_message_free(message);
    outcomes_await(outcomes, 1);
    const char *handle = outcome_of(outcomes, 0)->result.recall_handle;
    contract_pass(2500 + 2000);
    collector_await_body(scene.collector, "delivered");
    ck_fails(mqc_producer_recall(scene.producer, scene.topic, handle, 0, NULL, &error), MQC_REFUSED,
             "recall");
    ck_assert_int_ne(error.broker_code, 0);
    ck_ok(mqc_producer_recall_async(scene.producer, scene.topic, handle, 0, recalled,
                                    outcome_of(outcomes, 1), &error));
    outcomes_await(outcomes, 2);
    ck_assert(!outcome_of(outcomes, 1)->accepted);
    ck_assert_int_eq(outcome_of(outcomes, 1)->error.status, MQC_REFUSED);
    scene_end(&scene);
    outcomes_free(outcomes);
}
END_TEST

START_TEST(test_only_timed_messages_have_a_handle)
{
    mqc_error error;
    struct scene scene = scene_begin();
    mqc_message *plain = new_message(&scene, "plain"), *level = new_message(&scene, "level");
    ck_ok(mqc_message_set_delay_level(level, 1, &error));
    mqc_send_result result = send_and_free(&scene, plain);
    ck_assert_str_eq(result.recall_handle, "");
    result = send_and_free(&scene, level);
    ck_assert_str_eq(result.recall_handle, "");
    scene_end(&scene);
}
END_TEST

START_TEST(test_bad_recalls)
{
    /* v1 orders broker-a 1795430202001 C0A8000100002A9F0000000000000010 */
    static const char other[] = "djEgb3JkZXJzIGJyb2tlci1hIDE3OTU0MzAyMDIwMDEgQzBBODAwMDEwMDAwMkE5Rj"
                                "AwMDAwMDAwMDAwMDAwMTA=";
    mqc_error error;
    mqc_producer *producer = contract_producer(NULL);
    ck_fails(mqc_producer_recall(producer, "orders", "nonsense!", 0, NULL, &error),
             MQC_BAD_ARGUMENT, "recall handle is invalid", "nonsense!");
    ck_fails(mqc_producer_recall(producer, "orders", NULL, 0, NULL, &error), MQC_BAD_ARGUMENT,
             "recall handle");
    ck_fails(mqc_producer_recall(producer, "payments", other, 0, NULL, &error), MQC_BAD_ARGUMENT,
             "orders", "payments");
    ck_fails(mqc_producer_recall(producer, NULL, other, 0, NULL, &error), MQC_BAD_ARGUMENT,
             "topic");
    ck_fails(mqc_producer_recall(producer, "orders", other, -1, NULL, &error), MQC_BAD_ARGUMENT,
             "timeout_ms");
    ck_fails(mqc_producer_recall_async(producer, "orders", other, 0, NULL, NULL, &error),
             MQC_BAD_ARGUMENT, "done");
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("timer", test_each_way_to_say_when, test_a_time_that_has_passed_is_now,
              test_too_far_ahead_is_refused, test_recalled_message_does_not_come,
              test_recall_with_a_callback, test_recall_of_what_was_delivered_is_refused,
              test_only_timed_messages_have_a_handle, test_bad_recalls)
