/* Hooks of sends and of listener calls: what they see, when they run, and that they may refuse. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"

/* What one hook has seen. */
struct seen {
    atomic_int befores, afters, results, errors;
    mqc_status refuse_with; /* MQC_OK: nothing is refused */
    bool say_why;
    int notes; /* afters that found their own note */
    mqc_send_mode mode;
    char topic[128], group[128], error[512], message_id[64];
};

static mqc_status before(mqc_send_event *event, void *arg, mqc_error *error)
{
    struct seen *seen = arg;
    atomic_fetch_add(&seen->befores, 1);
    ck_assert_ptr_null(event->result);
    ck_assert_ptr_null(event->error);
    event->note = seen;
    seen->mode = event->mode;
    snprintf(seen->topic, sizeof seen->topic, "%s", mqc_message_topic(event->message));
    snprintf(seen->group, sizeof seen->group, "%s", event->group);
    if (seen->refuse_with != MQC_OK && seen->say_why) {
        error->status = seen->refuse_with;
        snprintf(error->text, sizeof error->text, "no messages on Sundays");
    }
    return seen->refuse_with;
}

static void after(const mqc_send_event *event, void *arg)
{
    struct seen *seen = arg;
    seen->notes += event->note == seen;
    ck_assert_int_ge(event->elapsed_ms, 0);
    if (event->result) {
        snprintf(seen->message_id, sizeof seen->message_id, "%s", event->result->message_id);
        atomic_fetch_add(&seen->results, 1);
    }
    if (event->error) {
        snprintf(seen->error, sizeof seen->error, "%s", event->error->text);
        atomic_fetch_add(&seen->errors, 1);
    }
    atomic_fetch_add(&seen->afters, 1);
}

static mqc_producer *hooked_producer(const mqc_client_options *client, const mqc_send_hook *hooks,
                                     size_t count)
{
    mqc_error error;
    mqc_client_options own = contract_client();
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = client ? client : &own,
                                                 .group = contract_name("producer"),
                                                 .send_timeout_ms = CONTRACT_WAIT_MS,
                                                 .send_hooks = hooks,
                                                 .send_hook_count = count},
                         &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    return producer;
}

static void count_call(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)result, (void)error;
    atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(test_send_hooks_see_every_kind)
{
    mqc_error error;
    static struct seen seen;
    atomic_int calls = 0;
    const mqc_send_hook hook = {before, after, &seen};
    const char *topic = contract_topic(1);
    mqc_producer *producer = hooked_producer(NULL, &hook, 1);
    mqc_send_result result = contract_send(producer, topic, "sync");
    ck_assert_int_eq(seen.mode, MQC_SEND_SYNC);
    ck_assert_str_eq(seen.topic, topic);
    ck_assert_str_eq(seen.message_id, result.message_id);
    ck_assert_int_eq(atomic_load(&seen.afters), 1);
    mqc_message *message = mqc_message_new(topic, "x", 1);
    ck_ok(mqc_producer_send_oneway(producer, message, NULL, &error));
    ck_assert_int_eq(seen.mode, MQC_SEND_ONEWAY);
    ck_assert_int_eq(atomic_load(&seen.afters), 2);
    ck_assert_int_eq(atomic_load(&seen.results), 1); /* oneway: neither result nor error */
    ck_ok(mqc_producer_send_async(producer, message, NULL, count_call, &calls, &error));
    mqc_message_free(message);
    ck_ok(mqc_producer_shutdown(producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(seen.mode, MQC_SEND_ASYNC);
    ck_assert_int_eq(atomic_load(&calls), 1);
    ck_assert_int_eq(atomic_load(&seen.befores), 3);
    ck_assert_int_eq(atomic_load(&seen.afters), 3);
    ck_assert_int_eq(atomic_load(&seen.results), 2);
    ck_assert_int_eq(atomic_load(&seen.errors), 0);
    ck_assert_int_eq(seen.notes, 3);
    mqc_producer_free(producer);
}
END_TEST

/* Nobody listens there: the hook learns why nothing came of it. */
START_TEST(test_send_hooks_see_failures)
{
    mqc_error error;
    static struct seen seen;
    atomic_int calls = 0;
    const mqc_send_hook hook = {before, after, &seen};
    mqc_client_options client = contract_client();
    client.name_servers = "127.0.0.1:9";
    mqc_producer *producer = hooked_producer(&client, &hook, 1);
    mqc_message *message = mqc_message_new("topic", "x", 1);
    mqc_send_options options = {.timeout_ms = 2000};
    ck_assert_int_ne(mqc_producer_send(producer, message, &options, NULL, &error), MQC_OK);
    ck_assert_str_eq(seen.error, error.text);
    mqc_status status =
        mqc_producer_send_async(producer, message, &options, count_call, &calls, &error);
    ck_ok(mqc_producer_shutdown(producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(atomic_load(&calls), status == MQC_OK ? 1 : 0);
    ck_assert_int_eq(atomic_load(&seen.befores), 2);
    ck_assert_int_eq(atomic_load(&seen.afters), 2);
    ck_assert_int_eq(atomic_load(&seen.errors), 2);
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

/* The first hook lets all pass, the second nothing: of the three kinds of sends none goes out. */
START_TEST(test_send_hooks_refuse)
{
    mqc_error error;
    static struct seen first, second;
    atomic_int calls = 0;
    second.refuse_with = MQC_BUSY;
    second.say_why = true;
    const mqc_send_hook hooks[] = {{before, after, &first}, {before, after, &second}};
    const char *topic = contract_topic(1);
    mqc_producer *producer = hooked_producer(NULL, hooks, 2);
    mqc_message *message = mqc_message_new(topic, "x", 1);
    ck_fails(mqc_producer_send(producer, message, NULL, NULL, &error), MQC_BUSY,
             "no messages on Sundays");
    ck_fails(mqc_producer_send_async(producer, message, NULL, count_call, &calls, &error), MQC_BUSY,
             "no messages on Sundays");
    ck_fails(mqc_producer_send_oneway(producer, message, NULL, &error), MQC_BUSY,
             "no messages on Sundays");
    second.say_why = false;
    ck_fails(mqc_producer_send(producer, message, NULL, NULL, &error), MQC_BUSY,
             "a hook refused the send", topic);
    ck_assert_int_eq(atomic_load(&first.befores), 4);
    ck_assert_int_eq(atomic_load(&first.afters), 4);
    ck_assert_int_eq(atomic_load(&first.errors), 4);
    ck_assert_int_eq(atomic_load(&second.befores), 4);
    ck_assert_int_eq(atomic_load(&second.afters), 0); /* it knows already */
    second.refuse_with = MQC_OK;
    ck_ok(mqc_producer_send(producer, message, NULL, NULL, &error));
    mqc_message_free(message);
    mqc_producer_free(producer);
    ck_assert_int_eq(atomic_load(&calls), 0);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer =
        contract_consumer(&(mqc_push_consumer_options){.group = contract_name("readers"),
                                                       .listener = collector_listen,
                                                       .listener_arg = collector_seat(collector, 0),
                                                       .from = MQC_FROM_FIRST},
                          topic, "*");
    collector_await(collector, 1);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), 1);
    collector_free(collector);
}
END_TEST

/* Hooks never see what could not be sent at all. */
START_TEST(test_bad_messages_do_not_reach_hooks)
{
    mqc_error error;
    static struct seen seen;
    const mqc_send_hook hook = {before, after, &seen};
    mqc_producer *producer = hooked_producer(NULL, &hook, 1);
    mqc_message *empty = mqc_message_new("topic", "", 0);
    ck_fails(mqc_producer_send(producer, empty, NULL, NULL, &error), MQC_BAD_ARGUMENT, "body");
    ck_fails(mqc_producer_send_oneway(producer, empty, NULL, &error), MQC_BAD_ARGUMENT, "body");
    ck_fails(mqc_producer_send(producer, NULL, NULL, NULL, &error), MQC_BAD_ARGUMENT, "NULL");
    ck_assert_int_eq(atomic_load(&seen.befores), 0);
    mqc_message_free(empty);
    mqc_producer_free(producer);
}
END_TEST

/* Of a batch each message; what one hook refuses is not sent, and nor are the others. */
static void count_batch(const mqc_batch_item *items, size_t count, const mqc_error *error,
                        void *arg)
{
    (void)items, (void)error;
    atomic_fetch_add((atomic_int *)arg, (int)count);
}

START_TEST(test_send_hooks_see_batches)
{
    enum { COUNT = 5 };
    mqc_error error;
    static struct seen seen;
    atomic_int answered = 0;
    const mqc_send_hook hook = {before, after, &seen};
    const char *topic = contract_topic(1);
    mqc_producer *producer = hooked_producer(NULL, &hook, 1);
    mqc_message *messages[COUNT];
    for (int i = 0; i < COUNT; i++) messages[i] = mqc_message_new(topic, "x", 1);
    const mqc_message *const *batch = (const mqc_message *const *)messages;
    mqc_batch_item items[COUNT];
    ck_ok(mqc_producer_send_batch(producer, batch, COUNT, NULL, NULL, &error));
    ck_ok(mqc_producer_send_batch(producer, batch, COUNT, NULL, items, &error));
    ck_assert_int_eq(atomic_load(&seen.befores), 2 * COUNT);
    ck_assert_int_eq(atomic_load(&seen.results), 2 * COUNT);
    ck_assert_str_eq(seen.message_id, items[COUNT - 1].message_id);
    seen.refuse_with = MQC_BUSY;
    ck_fails(mqc_producer_send_batch(producer, batch, COUNT, NULL, items, &error), MQC_BUSY,
             "a hook refused");
    ck_assert_int_eq(items[0].status, MQC_BUSY);
    ck_assert_int_eq(items[0].request, -1);
    ck_fails(
        mqc_producer_send_batch_async(producer, batch, COUNT, NULL, count_batch, &answered, &error),
        MQC_BUSY, "a hook refused");
    seen.refuse_with = MQC_OK;
    ck_ok(mqc_producer_send_batch_async(producer, batch, COUNT, NULL, count_batch, &answered,
                                        &error));
    for (int i = 0; i < COUNT; i++) mqc_message_free(messages[i]);
    ck_ok(mqc_producer_shutdown(producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(atomic_load(&answered), COUNT);
    ck_assert_int_eq(atomic_load(&seen.befores), 3 * COUNT + 2);
    ck_assert_int_eq(atomic_load(&seen.afters), 3 * COUNT);
    ck_assert_int_eq(atomic_load(&seen.results), 3 * COUNT);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_send_hooks_see_gathered_sends)
{
    mqc_error error;
    static struct seen seen;
    atomic_int answered = 0;
    const mqc_send_hook hook = {before, after, &seen};
    const char *topic = contract_topic(1);
    mqc_client_options client = contract_client();
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client,
                                                 .group = contract_name("producer"),
                                                 .send_timeout_ms = CONTRACT_WAIT_MS,
                                                 .auto_batch = true,
                                                 .send_hooks = &hook,
                                                 .send_hook_count = 1},
                         &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    contract_send(producer, topic, "one");
    mqc_message *message = mqc_message_new(topic, "two", 3);
    ck_ok(mqc_producer_send_async(producer, message, NULL, count_call, &answered, &error));
    mqc_message_free(message);
    ck_ok(mqc_producer_shutdown(producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(atomic_load(&answered), 1);
    ck_assert_int_eq(atomic_load(&seen.befores), 2);
    ck_assert_int_eq(atomic_load(&seen.afters), 2);
    ck_assert_int_eq(atomic_load(&seen.results), 2);
    mqc_producer_free(producer);
}
END_TEST

/* ---- consumption ---- */

struct watching {
    atomic_int befores, afters, successes;
    atomic_int on_listener;
    pthread_t thread;
    char group[128], body[64];
};

static void before_listener(mqc_consume_event *event, void *arg)
{
    struct watching *watching = arg;
    watching->thread = pthread_self();
    mqc_view body = mqc_message_body(mqc_delivery_at(event->delivery, 0));
    snprintf(watching->body, sizeof watching->body, "%.*s", (int)body.size,
             (const char *)body.data);
    snprintf(watching->group, sizeof watching->group, "%s", event->group);
    event->note = watching;
    atomic_fetch_add(&watching->befores, 1);
}

static void after_listener(const mqc_consume_event *event, void *arg)
{
    struct watching *watching = arg;
    ck_assert_ptr_eq(event->note, watching);
    ck_assert_uint_eq(mqc_delivery_count(event->delivery), 1);
    if (event->success) atomic_fetch_add(&watching->successes, 1);
    if (pthread_equal(watching->thread, pthread_self()))
        atomic_fetch_add(&watching->on_listener, 1);
    atomic_fetch_add(&watching->afters, 1);
}

static mqc_consume_status refuse_no(mqc_delivery *delivery, void *arg)
{
    if (contract_text_is(mqc_delivery_at(delivery, 0), "no")) {
        mqc_delivery_retry_level(delivery, -1);
        return MQC_RECONSUME_LATER;
    }
    return collector_listen(delivery, arg);
}

START_TEST(test_consume_hooks)
{
    static struct watching watching;
    const mqc_consume_hook hooks[] = {{before_listener, after_listener, &watching},
                                      {NULL, NULL, NULL}};
    const char *topic = contract_topic(1), *group = contract_name("readers");
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer =
        contract_consumer(&(mqc_push_consumer_options){.group = group,
                                                       .listener = refuse_no,
                                                       .listener_arg = collector_seat(collector, 0),
                                                       .from = MQC_FROM_FIRST,
                                                       .threads = 1,
                                                       .consume_hooks = hooks,
                                                       .consume_hook_count = 2},
                          topic, "*");
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, topic, "no");
    contract_send(producer, topic, "yes");
    collector_await(collector, 1);
    mqc_producer_free(producer);
    contract_consumer_end(consumer);
    ck_assert_int_eq(atomic_load(&watching.befores), 2);
    ck_assert_int_eq(atomic_load(&watching.afters), 2);
    ck_assert_int_eq(atomic_load(&watching.successes), 1);
    ck_assert_int_eq(atomic_load(&watching.on_listener), 2);
    ck_assert_str_eq(watching.group, group);
    ck_assert(strcmp(watching.body, "yes") == 0 || strcmp(watching.body, "no") == 0);
    collector_free(collector);
}
END_TEST

START_TEST(test_wrong_hooks)
{
    static const mqc_send_hook send[9];
    static const mqc_consume_hook consume[9];
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer_options producer = {.client = &client, .group = "g", .send_hooks = send};
    ck_assert_ptr_null(mqc_producer_new(&producer, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "send_hooks"));
    producer.send_hook_count = 9;
    ck_assert_ptr_null(mqc_producer_new(&producer, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "at most 8"));
    mqc_push_consumer_options consumer = {
        .client = &client, .group = "g", .listener = collector_listen, .consume_hook_count = 1};
    ck_assert_ptr_null(mqc_push_consumer_new(&consumer, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "consume_hooks"));
    consumer.consume_hooks = consume;
    consumer.consume_hook_count = 9;
    ck_assert_ptr_null(mqc_push_consumer_new(&consumer, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "at most 8"));
}
END_TEST

CONTRACT_MAIN("hooks", test_send_hooks_see_every_kind, test_send_hooks_see_failures,
              test_send_hooks_refuse, test_bad_messages_do_not_reach_hooks,
              test_send_hooks_see_batches, test_send_hooks_see_gathered_sends, test_consume_hooks,
              test_wrong_hooks)
