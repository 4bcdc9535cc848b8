/* Hooks and trace of consumers without a listener: of a polled push consumer between the poll and
 * the verdict, of a lite consumer at the poll, as in Java. */
#include <stdatomic.h>
#include <stdio.h>

#include "test/contract/lite.h"

struct watching {
    atomic_int befores, afters, successes;
    char group[128], body[64];
};

static void before_poll(mqc_consume_event *event, void *arg)
{
    struct watching *watching = arg;
    mqc_view body = mqc_message_body(mqc_delivery_at(event->delivery, 0));
    snprintf(watching->group, sizeof watching->group, "%s", event->group);
    snprintf(watching->body, sizeof watching->body, "%.*s", (int)body.size,
             (const char *)body.data);
    event->note = watching;
    atomic_fetch_add(&watching->befores, 1);
}

static void after_verdict(const mqc_consume_event *event, void *arg)
{
    struct watching *watching = arg;
    atomic_fetch_add(&watching->afters, event->note == watching);
    atomic_fetch_add(&watching->successes, event->success);
}

/* What was told of a message by a group, when its end was told, too. */
struct told {
    mqc_admin *admin;
    const char *topic, *id, *group;
    bool success;
};

static bool is_told(void *arg)
{
    struct told *told = arg;
    const mqc_trace *trace;
    mqc_error error;
    bool found = false;
    ck_ok(mqc_admin_message_trace(told->admin, told->topic, told->id, 0, 0, &trace, &error));
    for (size_t i = 0; i < trace->count; i++) {
        const mqc_trace_event *event = trace->events[i];
        if (event->kind != MQC_TRACE_CONSUME || !event->finished) continue;
        ck_assert_str_eq(event->group, told->group);
        ck_assert_int_eq(event->success, told->success);
        found = true;
    }
    mqc_admin_result_free(trace);
    return found;
}

static void await_told(const char *trace_topic, const char *id, const char *group, bool success)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    struct told told = {admin, trace_topic, id, group, success};
    contract_await("the trace of the consumption", is_told, &told);
    mqc_admin_free(admin);
}

START_TEST(test_polled_push_consumer)
{
    mqc_error error;
    static struct watching watching;
    const mqc_consume_hook hooks[] = {{before_poll, after_verdict, &watching}};
    const char *topic = contract_topic(1), *trace_topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_send_result good = contract_send(producer, topic, "good");
    mqc_send_result bad = contract_send(producer, topic, "bad");
    mqc_client_options client = contract_client();
    client.trace = true;
    client.trace_topic = trace_topic;
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("readers"),
                                         .polled = true,
                                         .from = MQC_FROM_FIRST,
                                         .consume_hooks = hooks,
                                         .consume_hook_count = 1};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    for (int i = 0; i < 2; i++) {
        mqc_delivery *delivery;
        ck_ok(mqc_push_consumer_poll(consumer, CONTRACT_WAIT_MS, &delivery, &error));
        ck_assert_int_eq(atomic_load(&watching.befores), i + 1);
        ck_assert_int_eq(atomic_load(&watching.afters), i);
        bool success = contract_text_is(mqc_delivery_at(delivery, 0), "good");
        ck_ok(mqc_delivery_finish(delivery, success ? MQC_CONSUME_SUCCESS : MQC_RECONSUME_LATER,
                                  &error));
        ck_assert_int_eq(atomic_load(&watching.afters), i + 1);
    }
    ck_assert_int_eq(atomic_load(&watching.successes), 1);
    ck_assert_str_eq(watching.group, options.group);
    ck_assert_str_eq(watching.body, "bad");
    contract_consumer_end(consumer); /* sends what is left of its trace */
    await_told(trace_topic, good.message_id, options.group, true);
    await_told(trace_topic, bad.message_id, options.group, false);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_lite_consumer)
{
    mqc_error error;
    static struct watching watching;
    const mqc_consume_hook hooks[] = {{before_poll, after_verdict, &watching}};
    const char *topic = contract_topic(1), *trace_topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_send_result sent = contract_send(producer, topic, "hello");
    mqc_client_options client = contract_client();
    client.trace = true;
    client.trace_topic = trace_topic;
    mqc_lite_consumer_options options = {.client = &client,
                                         .group = contract_name("readers"),
                                         .from = MQC_FROM_FIRST,
                                         .consume_hooks = hooks,
                                         .consume_hook_count = 1};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    lite_expect(consumer, "hello");
    ck_assert_int_eq(atomic_load(&watching.befores), 1);
    ck_assert_int_eq(atomic_load(&watching.afters), 1);
    ck_assert_int_eq(atomic_load(&watching.successes), 1);
    ck_assert_str_eq(watching.group, options.group);
    ck_assert_str_eq(watching.body, "hello");
    ck_ok(mqc_lite_consumer_shutdown(consumer, &error));
    mqc_lite_consumer_free(consumer);
    await_told(trace_topic, sent.message_id, options.group, true);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_wrong_hooks)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_lite_consumer_options options = {.client = &client, .group = "g", .consume_hook_count = 1};
    ck_assert_ptr_null(mqc_lite_consumer_new(&options, &error));
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "consume_hooks"));
}
END_TEST

CONTRACT_MAIN("watched polls", test_polled_push_consumer, test_lite_consumer, test_wrong_hooks)
