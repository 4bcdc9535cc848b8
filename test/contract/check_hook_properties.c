/* Properties that hooks of sends add: the context of a trace. */
#include <stdatomic.h>

#include "test/contract/collector.h"

static void count_call(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)result, (void)error;
    atomic_fetch_add((atomic_int *)arg, 1);
}

static mqc_status add_context(mqc_send_event *event, void *arg, mqc_error *error)
{
    const char *before = mqc_message_property(event->message, "traceparent");
    ck_assert_ptr_eq(before, NULL);
    mqc_status status = mqc_send_event_set_property(event, "traceparent", arg, error);
    ck_assert_str_eq(mqc_message_property(event->message, "traceparent"), arg);
    return status;
}

/* The one behind it sees what it has set, and may change that. */
static mqc_status add_more(mqc_send_event *event, void *arg, mqc_error *error)
{
    ck_assert_ptr_nonnull(mqc_message_property(event->message, "traceparent"));
    ck_assert_int_eq(mqc_send_event_set_property(event, "KEYS", "no", error), MQC_BAD_ARGUMENT);
    return mqc_send_event_set_property(event, "baggage", arg, error);
}

static void after_more(const mqc_send_event *event, void *arg)
{
    mqc_error error;
    mqc_send_event copy = *event;
    ck_assert_str_eq(mqc_message_property(event->message, "baggage"), arg);
    ck_assert_int_eq(mqc_send_event_set_property(&copy, "late", "x", &error), MQC_WRONG_STATE);
}

START_TEST(test_send_hooks_set_properties)
{
    mqc_error error;
    atomic_int calls = 0;
    const mqc_send_hook hooks[] = {{.before = add_context, .arg = "00-1-2-01"},
                                   {.before = add_more, .after = after_more, .arg = "user=7"}};
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_push_consumer_options options = {.group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    mqc_client_options client = contract_client();
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client,
                                                 .group = contract_name("producer"),
                                                 .send_timeout_ms = CONTRACT_WAIT_MS,
                                                 .send_hooks = hooks,
                                                 .send_hook_count = 2},
                         &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    mqc_message *message = mqc_message_new(topic, "x", 1);
    ck_ok(mqc_message_set_keys(message, "key", &error));
    ck_ok(mqc_producer_send(producer, message, NULL, NULL, &error));
    ck_ok(mqc_producer_send_oneway(producer, message, NULL, &error));
    ck_ok(mqc_producer_send_async(producer, message, NULL, count_call, &calls, &error));
    const mqc_message *batch[] = {message, message};
    ck_ok(mqc_producer_send_batch(producer, batch, 2, NULL, NULL, &error));
    ck_assert_ptr_null(mqc_message_property(message, "traceparent")); /* it stays as it is */
    mqc_message_free(message);
    mqc_producer_free(producer);
    collector_await(collector, 5);
    for (size_t i = 0; i < 5; i++) {
        const mqc_message *received = collector_at(collector, i).message;
        ck_assert_str_eq(mqc_message_property(received, "traceparent"), "00-1-2-01");
        ck_assert_str_eq(mqc_message_property(received, "baggage"), "user=7");
        ck_assert_str_eq(mqc_message_keys(received), "key");
    }
    contract_consumer_end(consumer);
    collector_free(collector);
}
END_TEST

CONTRACT_MAIN("hook_properties", test_send_hooks_set_properties)
