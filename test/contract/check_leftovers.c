/* After a shutdown the process has the threads and descriptors it had before, however often. */
#include "test/contract/collector.h"
#include "test/contract/process_state.h"

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)delivery;
    (void)arg;
    return MQC_CONSUME_SUCCESS;
}

/* A message there and back, by clients that live no longer. */
static void live_once(const char *topic, const char *group, const char *body)
{
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, topic, body);
    mqc_push_consumer_options options = {.group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await_body(collector, body);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_free(collector);
}

START_TEST(test_nothing_is_left)
{
    const char *topic = contract_topic(2), *group = contract_name("group");
    struct process_state before = process_state_now();
    live_once(topic, group, "first");
    process_state_await(before);
}
END_TEST

START_TEST(test_fifty_lives)
{
    enum { LIVES = 50 };
    char body[2] = "A";
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct process_state before = process_state_now();
    for (int i = 0; i < LIVES; i++, body[0]++) live_once(topic, group, body);
    process_state_await(before);
}
END_TEST

START_TEST(test_nothing_is_left_with_nobody_there)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = "127.0.0.1:9", /* the discard port */
                                 .connect_timeout_ms = 1000,
                                 .request_timeout_ms = 1000};
    struct process_state before = process_state_now();
    for (int i = 0; i < 5; i++) {
        mqc_push_consumer_options options = {
            .client = &client, .group = contract_name("group"), .listener = take};
        mqc_push_consumer *consumer = contract_consumer(&options, "topic", "*");
        mqc_producer *producer = contract_producer(&client);
        mqc_message *message = mqc_message_new("topic", "body", 4);
        mqc_send_options send_options = {.timeout_ms = 500};
        ck_assert_int_ne(mqc_producer_send(producer, message, &send_options, NULL, &error), MQC_OK);
        mqc_message_free(message);
        mqc_producer_free(producer);
        contract_consumer_end(consumer);
    }
    process_state_await(before);
}
END_TEST

START_TEST(test_nothing_is_left_of_what_never_started)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    struct process_state before = process_state_now();
    for (int i = 0; i < 20; i++) {
        mqc_producer_options producer_options = {.client = &client, .group = "group"};
        mqc_push_consumer_options consumer_options = {
            .client = &client, .group = "group", .listener = take};
        mqc_producer *producer = mqc_producer_new(&producer_options, &error);
        mqc_push_consumer *consumer = mqc_push_consumer_new(&consumer_options, &error);
        ck_ok(mqc_push_consumer_subscribe(consumer, "topic", "a || b", &error));
        mqc_producer_free(producer);
        mqc_push_consumer_free(consumer);
    }
    ck_assert_int_eq(process_threads(""), before.threads);
    ck_assert_int_eq(process_descriptors(), before.descriptors);
}
END_TEST

CONTRACT_MAIN("leftovers", test_nothing_is_left, test_fifty_lives,
              test_nothing_is_left_with_nobody_there, test_nothing_is_left_of_what_never_started)
