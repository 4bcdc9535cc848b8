/* Batches: many messages in one request, divided where they do not fit, each with a result of its
 * own. */
#include <stdio.h>

#include "test/contract/batches.h"
#include "test/contract/collector.h"

enum { SEND_BATCH_MESSAGE = 320 };

static mqc_producer *producer_of(mqc_producer_options options)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    options.client = &client;
    options.group = contract_name("producer");
    options.send_timeout_ms = CONTRACT_WAIT_MS;
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_msg(producer != NULL, "mqc_producer_new: %s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    return producer;
}

static mqc_push_consumer *consume_all(struct collector *collector, const char *topic)
{
    mqc_push_consumer_options options = {.group = contract_name("readers"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    return contract_consumer(&options, topic, "*");
}

START_TEST(test_results_and_content)
{
    mqc_error error;
    const char *topic = contract_topic(4);
    mqc_producer *producer = contract_producer(NULL);
    struct batch *batch = batch_new(topic, "m", 32, 0);
    ck_ok(mqc_message_set_property(batch_message(batch, 3), "shop", "berlin", &error));
    ck_ok(mqc_message_set_tag(batch_message(batch, 3), "red", &error));
    ck_ok(mqc_message_set_keys(batch_message(batch, 3), "k1 k2", &error));
    mqc_message_set_flag(batch_message(batch, 3), -7);
    ck_ok(batch_send(producer, batch, NULL, &error));
    ck_assert_int_eq(batch_check_items(batch), 1);
    if (contract_embedded())
        ck_assert_int_eq(mqc_embedded_request_count(contract_embedded(), SEND_BATCH_MESSAGE), 1);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, 32);
    contract_consumer_end(consumer);
    collector_check_each_once(collector, "m", 32);
    for (size_t i = 0; i < 32; i++) {
        char body[16];
        snprintf(body, sizeof body, "m%zu", i);
        const mqc_message *message = collector_await_body(collector, body).message;
        ck_assert_str_eq(mqc_message_id(message), batch->items[i].message_id);
        ck_assert_str_eq(mqc_message_offset_id(message), batch->items[i].offset_message_id);
        ck_assert_int_eq(mqc_message_queue_id(message), batch->items[i].queue.queue_id);
        ck_assert_int_eq(mqc_message_queue_offset(message), batch->items[i].queue_offset);
    }
    const mqc_message *fourth = collector_await_body(collector, "m3").message;
    ck_assert_str_eq(mqc_message_property(fourth, "shop"), "berlin");
    ck_assert_str_eq(mqc_message_tag(fourth), "red");
    ck_assert_str_eq(mqc_message_keys(fourth), "k1 k2");
    ck_assert_int_eq(mqc_message_flag(fourth), -7);
    collector_free(collector);
    batch_free(batch);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_divided_by_size)
{
    mqc_error error;
    const char *topic = contract_topic(4);
    mqc_producer *producer = producer_of((mqc_producer_options){.max_message_bytes = 10000});
    struct batch *batch = batch_new(topic, "m", 100, 900);
    ck_ok(batch_send(producer, batch, NULL, &error));
    int requests = batch_check_items(batch);
    ck_assert_int_ge(requests, 10);
    ck_assert_int_le(requests, 12);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, 100);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), 100);
    collector_free(collector);
    batch_free(batch);
    mqc_producer_free(producer);
}
END_TEST

/* Five mebibytes, with the limits that client and broker have when nobody sets any. */
START_TEST(test_divided_by_the_default_limit)
{
    mqc_error error;
    mqc_producer *producer = contract_producer(NULL);
    struct batch *batch = batch_new(contract_topic(2), "m", 50, 100 << 10);
    ck_ok(batch_send(producer, batch, NULL, &error));
    ck_assert_int_eq(batch_check_items(batch), 2);
    batch_free(batch);
    mqc_producer_free(producer);
}
END_TEST

static size_t select_third(const mqc_message_queue *queues, size_t count,
                           const mqc_message *message, void *arg)
{
    (void)queues, (void)count, (void)message;
    ++*(int *)arg;
    return 2;
}

START_TEST(test_all_requests_to_the_queue_that_was_named)
{
    mqc_error error;
    int selections = 0;
    const char *topic = contract_topic(4);
    mqc_message_queue queue = contract_queue(topic, 1);
    mqc_producer *producer = producer_of((mqc_producer_options){.max_message_bytes = 1000});
    const mqc_send_options ways[] = {
        {.queue = &queue}, {.select = select_third, .select_arg = &selections}, {.order_key = "a"}};
    static const int queue_ids[] = {1, 2, 1}; /* hash of "a" is 97 */
    for (int way = 0; way < 3; way++) {
        struct batch *batch = batch_new(topic, "m", 20, 300);
        ck_ok(batch_send(producer, batch, &ways[way], &error));
        ck_assert_int_gt(batch_check_items(batch), 5);
        for (size_t i = 0; i < batch->count; i++)
            ck_assert_int_eq(batch->items[i].queue.queue_id, queue_ids[way]);
        batch_free(batch);
    }
    ck_assert_int_eq(selections, 1);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_without_items)
{
    mqc_error error;
    mqc_producer *producer = contract_producer(NULL);
    struct batch *batch = batch_new(contract_topic(1), "m", 1, 0);
    ck_ok(mqc_producer_send_batch(producer, batch->messages, 1, NULL, NULL, &error));
    ck_ok(mqc_producer_send_batch(producer, batch->messages, 1, NULL, NULL, NULL));
    batch_free(batch);
    mqc_producer_free(producer);
}
END_TEST

/* ---- asynchronous ---- */

START_TEST(test_asynchronous)
{
    enum { BATCHES = 20 };
    mqc_error error;
    struct batch_answer answers[BATCHES];
    struct outcomes *outcomes = outcomes_new(BATCHES);
    const char *topic = contract_topic(4);
    mqc_producer *producer = producer_of((mqc_producer_options){.max_message_bytes = 2000});
    for (int i = 0; i < BATCHES; i++) {
        char prefix[16];
        snprintf(prefix, sizeof prefix, "b%d-", i);
        /* One request, or several. */
        answers[i] = (struct batch_answer){outcome_of(outcomes, i),
                                           batch_new(topic, prefix, i % 2 ? 5 : 30, 100)};
        ck_ok(mqc_producer_send_batch_async(producer, answers[i].batch->messages,
                                            answers[i].batch->count, NULL, batch_take_answer,
                                            &answers[i], &error));
    }
    outcomes_await(outcomes, BATCHES);
    ck_assert_int_eq(outcomes_accepted(outcomes), BATCHES);
    size_t total = 0;
    for (int i = 0; i < BATCHES; i++) {
        ck_assert_int_eq(outcome_of(outcomes, i)->calls, 1);
        int requests = batch_check_items(answers[i].batch);
        ck_assert(i % 2 ? requests == 1 : requests > 2);
        total += answers[i].batch->count;
        batch_free(answers[i].batch);
    }
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, total);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), total);
    collector_free(collector);
    mqc_producer_free(producer);
    outcomes_free(outcomes);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(test_bad_batches)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = producer_of((mqc_producer_options){.max_message_bytes = 5000});
    struct batch *batch = batch_new(topic, "m", 3, 0);
    ck_fails(mqc_producer_send_batch(producer, NULL, 0, NULL, NULL, &error), MQC_BAD_ARGUMENT,
             "empty");
    ck_fails(mqc_producer_send_batch(producer, batch->messages, 0, NULL, NULL, &error),
             MQC_BAD_ARGUMENT, "empty");
    ck_fails(mqc_producer_send_batch_async(producer, batch->messages, 3, NULL, NULL, NULL, &error),
             MQC_BAD_ARGUMENT, "done");
    ck_ok(mqc_message_set_delay_level(batch_message(batch, 2), 1, &error));
    ck_fails(batch_send(producer, batch, NULL, &error), MQC_BAD_ARGUMENT, "message 3 of 3",
             "DELAY");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(batch->items[i].status, MQC_BAD_ARGUMENT);
        ck_assert_int_eq(batch->items[i].request, -1);
        ck_assert(!batch->items[i].maybe_done);
    }
    ck_ok(mqc_message_set_delay_level(batch_message(batch, 2), 0, &error));
    ck_ok(mqc_message_set_wait_stored(batch_message(batch, 1), false, &error));
    ck_fails(batch_send(producer, batch, NULL, &error), MQC_BAD_ARGUMENT, "message 2 of 3",
             "wait_stored");
    mqc_message_free(batch_message(batch, 1));
    batch->messages[1] = mqc_message_new(contract_name("other"), "x", 1);
    ck_fails(batch_send(producer, batch, NULL, &error), MQC_BAD_ARGUMENT, "message 2 of 3",
             "one topic");
    mqc_message_free(batch_message(batch, 1));
    batch->messages[1] = mqc_message_new(topic, "", 0);
    ck_fails(batch_send(producer, batch, NULL, &error), MQC_BAD_ARGUMENT, "message 2 of 3", "body");
    mqc_message_free(batch_message(batch, 1));
    char body[4980] = "";
    batch->messages[1] = mqc_message_new(topic, body, sizeof body);
    ck_fails(batch_send(producer, batch, NULL, &error), MQC_TOO_BIG, "message 2 of 3", "5000",
             "alone");
    mqc_message_free(batch_message(batch, 1));
    batch->messages[1] = NULL;
    ck_fails(batch_send(producer, batch, NULL, &error), MQC_BAD_ARGUMENT, "message 2 of 3", "NULL");
    batch_free(batch);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_producer_that_is_not_started)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "g"}, &error);
    struct batch *batch = batch_new("topic", "m", 2, 0);
    ck_fails(batch_send(producer, batch, NULL, &error), MQC_WRONG_STATE, "not started");
    ck_assert_int_eq(batch->items[1].status, MQC_WRONG_STATE);
    ck_assert_int_eq(batch->items[1].request, -1);
    batch_free(batch);
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("batch", test_results_and_content, test_divided_by_size,
              test_divided_by_the_default_limit, test_all_requests_to_the_queue_that_was_named,
              test_without_items, test_asynchronous, test_bad_batches,
              test_producer_that_is_not_started)
