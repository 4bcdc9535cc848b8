/* Starting and stopping: what may be called when, and that nobody need be there at the start. */
#include <stdatomic.h>
#include <stdio.h>

#include "test/contract/collector.h"

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)delivery;
    (void)arg;
    return MQC_CONSUME_SUCCESS;
}

static mqc_producer *unstarted_producer(void)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer_options options = {.client = &client, .group = contract_name("producer")};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    return producer;
}

static mqc_push_consumer *unstarted_consumer(void)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = {
        .client = &client, .group = contract_name("group"), .listener = take};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    return consumer;
}

static mqc_message *new_message(const char *topic)
{
    mqc_message *message = mqc_message_new(topic, "body", 4);
    ck_assert_ptr_nonnull(message);
    return message;
}

static void count_call(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)result;
    (void)error;
    atomic_fetch_add((atomic_int *)arg, 1);
}

/* ---- the producer's order ---- */

static void refuse_all_sends(mqc_producer *producer, const char *why)
{
    mqc_error error;
    atomic_int calls = 0;
    mqc_message *message = new_message("topic");
    ck_fails(mqc_producer_send(producer, message, NULL, NULL, &error), MQC_WRONG_STATE, why);
    ck_fails(mqc_producer_send_async(producer, message, NULL, count_call, &calls, &error),
             MQC_WRONG_STATE, why);
    ck_fails(mqc_producer_send_oneway(producer, message, NULL, &error), MQC_WRONG_STATE, why);
    ck_assert_int_eq(atomic_load(&calls), 0);
    mqc_message_free(message);
}

START_TEST(test_send_before_start)
{
    mqc_producer *producer = unstarted_producer();
    refuse_all_sends(producer, "not started");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_producer_starts_once)
{
    mqc_error error;
    mqc_producer *producer = unstarted_producer();
    ck_ok(mqc_producer_start(producer, &error));
    ck_fails(mqc_producer_start(producer, &error), MQC_WRONG_STATE, "started before");
    contract_send(producer, contract_topic(1), "and it goes on working");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_producer_after_shutdown)
{
    mqc_error error;
    mqc_producer *producer = unstarted_producer();
    ck_ok(mqc_producer_start(producer, &error));
    ck_ok(mqc_producer_shutdown(producer, 1000, &error));
    ck_ok(mqc_producer_shutdown(producer, 1000, &error));
    refuse_all_sends(producer, "shut down");
    ck_fails(mqc_producer_start(producer, &error), MQC_WRONG_STATE, "shut down");
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_shutdown_of_what_never_started)
{
    mqc_error error;
    mqc_producer *producer = unstarted_producer();
    mqc_push_consumer *consumer = unstarted_consumer();
    ck_ok(mqc_producer_shutdown(producer, 0, &error));
    ck_ok(mqc_push_consumer_shutdown(consumer, 0, &error));
    ck_fails(mqc_producer_start(producer, &error), MQC_WRONG_STATE, "shut down");
    ck_fails(mqc_push_consumer_start(consumer, &error), MQC_WRONG_STATE, "shut down");
    mqc_producer_free(producer);
    mqc_push_consumer_free(consumer);
    mqc_producer_free(NULL);
    mqc_push_consumer_free(NULL);
    mqc_message_free(NULL);
    mqc_admin_free(NULL);
}
END_TEST

/* ---- the consumer's order ---- */

START_TEST(test_consumer_starts_once)
{
    mqc_error error;
    mqc_push_consumer *consumer = unstarted_consumer();
    ck_ok(mqc_push_consumer_start(consumer, &error));
    ck_fails(mqc_push_consumer_start(consumer, &error), MQC_WRONG_STATE, "started before");
    contract_consumer_end(consumer);
}
END_TEST

START_TEST(test_consumer_after_shutdown)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_push_consumer *consumer = unstarted_consumer();
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "*", &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    ck_ok(mqc_push_consumer_shutdown(consumer, 1000, &error));
    ck_ok(mqc_push_consumer_shutdown(consumer, 1000, &error));
    ck_fails(mqc_push_consumer_subscribe(consumer, topic, "*", &error), MQC_WRONG_STATE,
             "shut down");
    ck_fails(mqc_push_consumer_unsubscribe(consumer, topic, &error), MQC_WRONG_STATE, "shut down");
    ck_fails(mqc_push_consumer_pause(consumer, &error), MQC_WRONG_STATE, "shut down");
    ck_fails(mqc_push_consumer_resume(consumer, &error), MQC_WRONG_STATE, "shut down");
    ck_fails(mqc_push_consumer_start(consumer, &error), MQC_WRONG_STATE, "shut down");
    mqc_push_consumer_free(consumer);
}
END_TEST

/* ---- nobody there ---- */

START_TEST(test_start_with_nobody_there)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = "127.0.0.1:9", /* the discard port */
                                 .connect_timeout_ms = 1000,
                                 .request_timeout_ms = 1000};
    mqc_producer *producer = contract_producer(&client);
    mqc_message *message = new_message("topic");
    mqc_send_options options = {.timeout_ms = 2000};
    ck_fails(mqc_producer_send(producer, message, &options, NULL, &error), MQC_NO_CONNECTION,
             "name server 127.0.0.1:9: ");
    ck_assert(error.retryable);
    ck_assert(!error.maybe_done);
    mqc_push_consumer_options consumer_options = {
        .client = &client, .group = contract_name("group"), .listener = take};
    mqc_push_consumer *consumer = contract_consumer(&consumer_options, "topic", "*");
    contract_consumer_end(consumer);
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

static void find_line(const mqc_log_line *line, void *arg)
{
    if (strstr(line->text, "subscribes to nothing")) atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(test_a_start_without_subscriptions_is_told)
{
    mqc_error error;
    atomic_int told = 0;
    mqc_push_consumer *silent = unstarted_consumer(), *other = unstarted_consumer();
    ck_ok(mqc_push_consumer_subscribe(other, contract_topic(1), "*", &error));
    mqc_log_to(find_line, &told, MQC_LOG_WARN);
    ck_ok(mqc_push_consumer_start(other, &error));
    ck_assert_int_eq(atomic_load(&told), 0);
    ck_ok(mqc_push_consumer_start(silent, &error));
    ck_assert_int_eq(atomic_load(&told), 1);
    mqc_push_consumer_free(silent);
    mqc_push_consumer_free(other);
    mqc_log_to(NULL, NULL, MQC_LOG_WARN);
}
END_TEST

START_TEST(test_one_name_server_of_several_is_enough)
{
    char several[512];
    mqc_client_options client = contract_client();
    snprintf(several, sizeof several, "127.0.0.1:9;%s;127.0.0.1:10", client.name_servers);
    client.name_servers = several;
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(&client);
    contract_send(producer, topic, "found");
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await_body(collector, "found");
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

CONTRACT_MAIN("life cycle", test_send_before_start, test_producer_starts_once,
              test_producer_after_shutdown, test_shutdown_of_what_never_started,
              test_consumer_starts_once, test_consumer_after_shutdown, test_start_with_nobody_there,
              test_a_start_without_subscriptions_is_told, test_one_name_server_of_several_is_enough)
