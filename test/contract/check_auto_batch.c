/* Auto-batching: single sends are gathered into batches, and nobody notices but by the load: every
 * caller has its own result, exactly once. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"
#include "test/contract/outcomes.h"

enum { SEND_MESSAGE_V2 = 310, SEND_BATCH_MESSAGE = 320, MESSAGE_ILLEGAL = 13, FOR_EVER_MS = 30000 };

static mqc_producer *producer_on(mqc_client_options client, mqc_producer_options options)
{
    mqc_error error;
    options.client = &client;
    options.group = contract_name("producer");
    options.send_timeout_ms = CONTRACT_WAIT_MS;
    options.auto_batch = true;
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

/* The message "m<number>" is where its result says. */
static void check_received(struct collector *collector, int number, const mqc_send_result *result)
{
    char body[32];
    snprintf(body, sizeof body, "m%d", number);
    const mqc_message *message = collector_await_body(collector, body).message;
    ck_assert_str_eq(mqc_message_id(message), result->message_id);
    ck_assert_str_eq(mqc_message_offset_id(message), result->offset_message_id);
    ck_assert_str_eq(mqc_message_broker_name(message), result->queue.broker_name);
    ck_assert_int_eq(mqc_message_queue_id(message), result->queue.queue_id);
    ck_assert_int_eq(mqc_message_queue_offset(message), result->queue_offset);
}

START_TEST(test_asynchronous_sends)
{
    enum { COUNT = 500 };
    const char *topic = contract_topic(2);
    struct outcomes *outcomes = outcomes_new(COUNT);
    mqc_producer *producer = producer_on(contract_client(), (mqc_producer_options){0});
    for (int i = 0; i < COUNT; i++) send_numbered(producer, topic, outcomes, i, NULL);
    outcomes_await(outcomes, COUNT);
    ck_assert_int_eq(outcomes_accepted(outcomes), COUNT);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    collector_check_each_once(collector, "m", COUNT);
    for (int i = 0; i < COUNT; i++) {
        const struct outcome *outcome = outcome_of(outcomes, i);
        ck_assert_int_eq(outcome->calls, 1);
        ck_assert_int_eq(outcome->result.status, MQC_SEND_OK);
        ck_assert_str_eq(outcome->result.queue.topic, topic);
        ck_assert_str_eq(outcome->result.recall_handle, "");
        check_received(collector, i, &outcome->result);
    }
    if (contract_embedded()) {
        ck_assert_int_eq(mqc_embedded_request_count(contract_embedded(), SEND_MESSAGE_V2), 0);
        ck_assert_int_lt(mqc_embedded_request_count(contract_embedded(), SEND_BATCH_MESSAGE),
                         COUNT / 2);
    }
    collector_free(collector);
    mqc_producer_free(producer);
    outcomes_free(outcomes);
}
END_TEST

/* ---- synchronous ---- */

enum { SENDERS = 8, EACH = 20 };

struct sender {
    pthread_t thread;
    mqc_producer *producer;
    const char *topic;
    int number, failed;
    mqc_send_result results[EACH];
    mqc_error error; /* of the last failure */
};

static void *send_some(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < EACH; i++) {
        mqc_message *message = numbered_message(sender->topic, sender->number * EACH + i);
        sender->failed += mqc_producer_send(sender->producer, message, NULL, &sender->results[i],
                                            &sender->error) != MQC_OK;
        mqc_message_free(message);
    }
    return NULL;
}

static void run_senders(struct sender *senders, mqc_producer *producer, const char *topic)
{
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.producer = producer, .topic = topic, .number = i};
        pthread_create(&senders[i].thread, NULL, send_some, &senders[i]);
    }
    for (int i = 0; i < SENDERS; i++) pthread_join(senders[i].thread, NULL);
}

START_TEST(test_synchronous_sends)
{
    static struct sender senders[SENDERS];
    const char *topic = contract_topic(2);
    mqc_producer *producer =
        producer_on(contract_client(), (mqc_producer_options){.batch_max_delay_ms = 5});
    run_senders(senders, producer, topic);
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, SENDERS * EACH);
    contract_consumer_end(consumer);
    collector_check_each_once(collector, "m", SENDERS * EACH);
    for (int i = 0; i < SENDERS; i++) {
        ck_assert_int_eq(senders[i].failed, 0);
        for (int j = 0; j < EACH; j++)
            check_received(collector, i * EACH + j, &senders[i].results[j]);
    }
    collector_free(collector);
    mqc_producer_free(producer);
}
END_TEST

/* A batch that is full waits for nothing: with this delay the test would not end in time. */
START_TEST(test_full_batches_go_at_once)
{
    enum { COUNT = 40 };
    char body[1000] = "";
    mqc_error error;
    const char *topic = contract_topic(1);
    struct outcomes *outcomes = outcomes_new(COUNT);
    mqc_producer *producer =
        producer_on(contract_client(), (mqc_producer_options){.batch_max_delay_ms = FOR_EVER_MS,
                                                              .batch_max_bytes = 4500});
    /* Four of them in each. */
    mqc_message *message = mqc_message_new(topic, body, sizeof body);
    int64_t begin_ms = contract_unix_ms();
    for (int i = 0; i < COUNT; i++)
        ck_ok(mqc_producer_send_async(producer, message, NULL, outcome_take,
                                      outcome_of(outcomes, i), &error));
    outcomes_await(outcomes, COUNT);
    ck_assert_int_lt(contract_unix_ms() - begin_ms, FOR_EVER_MS);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(outcome_of(outcomes, i)->result.queue_offset % 4, i % 4);
    mqc_message_free(message);
    mqc_producer_free(producer);
    outcomes_free(outcomes);
}
END_TEST

START_TEST(test_a_lone_send_waits_for_the_delay_only)
{
    const char *topic = contract_topic(1);
    struct outcomes *outcomes = outcomes_new(1);
    mqc_producer *producer =
        producer_on(contract_client(), (mqc_producer_options){.batch_max_delay_ms = 30});
    contract_send(producer, topic, "synchronous");
    send_numbered(producer, topic, outcomes, 0, NULL);
    outcomes_await(outcomes, 1);
    ck_assert(outcome_of(outcomes, 0)->accepted);
    mqc_producer_free(producer);
    outcomes_free(outcomes);
}
END_TEST

START_TEST(test_queues_that_are_named)
{
    enum { COUNT = 60 };
    const char *topic = contract_topic(8);
    mqc_message_queue queue = contract_queue(topic, 3);
    const mqc_send_options options[] = {{.queue = &queue}, {.order_key = "order-1"}};
    static const int queue_ids[] = {3, 6};
    struct outcomes *outcomes = outcomes_new(COUNT);
    mqc_producer *producer = producer_on(contract_client(), (mqc_producer_options){0});
    for (int i = 0; i < COUNT; i++) send_numbered(producer, topic, outcomes, i, &options[i % 2]);
    outcomes_await(outcomes, COUNT);
    ck_assert_int_eq(outcomes_accepted(outcomes), COUNT);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(outcome_of(outcomes, i)->result.queue.queue_id, queue_ids[i % 2]);
    for (int i = 0; i < 2; i++) {
        mqc_error error;
        mqc_send_result result;
        mqc_message *message = numbered_message(topic, i);
        ck_ok(mqc_producer_send(producer, message, &options[i], &result, &error));
        ck_assert_int_eq(result.queue.queue_id, queue_ids[i]);
        mqc_message_free(message);
    }
    mqc_producer_free(producer);
    outcomes_free(outcomes);
}
END_TEST

/* ---- what is not gathered; on embedded clusters, which count requests ---- */

struct scene {
    mqc_embedded *cluster;
    mqc_producer *producer;
    struct outcomes *outcomes;
};

static struct scene scene_begin(mqc_producer_options options)
{
    mqc_error error;
    struct scene scene = {.cluster = mqc_embedded_start(NULL, &error),
                          .outcomes = outcomes_new(100)};
    ck_assert_msg(scene.cluster != NULL, "%s", error.text);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(scene.cluster)};
    scene.producer = producer_on(client, options);
    ck_ok(mqc_embedded_create_topic(scene.cluster, -1, "orders", 1, &error));
    return scene;
}

static void scene_end(struct scene *scene)
{
    mqc_producer_free(scene->producer);
    mqc_embedded_stop(scene->cluster);
    outcomes_free(scene->outcomes);
}

START_TEST(test_what_goes_alone)
{
    mqc_error error;
    struct scene scene = scene_begin(
        (mqc_producer_options){.batch_max_delay_ms = FOR_EVER_MS, .batch_max_bytes = 1000});
    char body[1000] = "";
    mqc_message *large = mqc_message_new("orders", body, sizeof body),
                *delayed = mqc_message_new("orders", "x", 1),
                *hasty = mqc_message_new("orders", "x", 1);
    ck_ok(mqc_message_set_delay_level(delayed, 1, &error));
    mqc_send_options own_timeout = {.timeout_ms = CONTRACT_WAIT_MS};
    ck_ok(mqc_producer_send(scene.producer, large, NULL, NULL, &error));
    ck_ok(mqc_producer_send(scene.producer, delayed, NULL, NULL, &error));
    ck_ok(mqc_producer_send(scene.producer, hasty, &own_timeout, NULL, &error));
    ck_ok(mqc_producer_send_async(scene.producer, large, NULL, outcome_take,
                                  outcome_of(scene.outcomes, 0), &error));
    outcomes_await(scene.outcomes, 1);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_MESSAGE_V2), 4);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_BATCH_MESSAGE), 0);
    mqc_message_free(large);
    mqc_message_free(delayed);
    mqc_message_free(hasty);
    scene_end(&scene);
}
END_TEST

/* So that a broker that stores a batch as one can filter by its tag. */
START_TEST(test_tags_are_kept_apart)
{
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.batch_max_delay_ms = FOR_EVER_MS});
    static const char *const tags[] = {"red", "green", NULL, "red", "green", NULL};
    for (int i = 0; i < 6; i++) {
        mqc_message *message = numbered_message("orders", i);
        ck_ok(mqc_message_set_tag(message, tags[i], &error));
        ck_ok(mqc_producer_send_async(scene.producer, message, NULL, outcome_take,
                                      outcome_of(scene.outcomes, i), &error));
        mqc_message_free(message);
    }
    ck_ok(mqc_producer_shutdown(scene.producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(outcomes_accepted(scene.outcomes), 6);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_BATCH_MESSAGE), 3);
    scene_end(&scene);
}
END_TEST

START_TEST(test_a_shutdown_sends_what_is_gathered)
{
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.batch_max_delay_ms = FOR_EVER_MS});
    for (int i = 0; i < 5; i++) send_numbered(scene.producer, "orders", scene.outcomes, i, NULL);
    ck_assert_int_eq(outcomes_count(scene.outcomes), 0);
    ck_ok(mqc_producer_shutdown(scene.producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(outcomes_accepted(scene.outcomes), 5);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(outcome_of(scene.outcomes, i)->result.queue_offset, i);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_BATCH_MESSAGE), 1);
    scene_end(&scene);
}
END_TEST

static void *send_one(void *arg)
{
    struct sender *sender = arg;
    mqc_message *message = numbered_message(sender->topic, 0);
    sender->failed += mqc_producer_send(sender->producer, message, NULL, &sender->results[0],
                                        &sender->error) != MQC_OK;
    mqc_message_free(message);
    return NULL;
}

START_TEST(test_a_shutdown_ends_synchronous_waiting)
{
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.batch_max_delay_ms = FOR_EVER_MS});
    struct sender sender = {.producer = scene.producer, .topic = "orders"};
    pthread_create(&sender.thread, NULL, send_one, &sender);
    int64_t begin_ms = contract_unix_ms();
    mqc_status status = mqc_producer_shutdown(scene.producer, CONTRACT_WAIT_MS, &error);
    pthread_join(sender.thread, NULL);
    ck_assert_int_eq(status, MQC_OK);
    ck_assert_int_lt(contract_unix_ms() - begin_ms, FOR_EVER_MS);
    /* It was sent, or came too late. */
    ck_assert(!sender.failed || sender.error.status == MQC_WRONG_STATE);
    scene_end(&scene);
}
END_TEST

/* Who waits for room sends what is gathered first: nothing else would make any. */
START_TEST(test_no_room_sends_what_is_gathered)
{
    struct scene scene = scene_begin(
        (mqc_producer_options){.batch_max_delay_ms = FOR_EVER_MS, .max_async_sends = 4});
    for (int i = 0; i < 12; i++) send_numbered(scene.producer, "orders", scene.outcomes, i, NULL);
    outcomes_await(scene.outcomes, 8);
    ck_assert_int_eq(outcomes_accepted(scene.outcomes), outcomes_count(scene.outcomes));
    scene_end(&scene);
}
END_TEST

START_TEST(test_above_the_total_sends_go_alone)
{
    struct scene scene = scene_begin(
        (mqc_producer_options){.batch_max_delay_ms = FOR_EVER_MS, .batch_total_bytes = 50});
    send_numbered(scene.producer, "orders", scene.outcomes, 0, NULL);
    send_numbered(scene.producer, "orders", scene.outcomes, 1, NULL);
    contract_send(scene.producer, "orders", "alone");
    outcomes_await(scene.outcomes, 1);
    ck_assert_int_eq(outcome_of(scene.outcomes, 1)->calls, 1);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_MESSAGE_V2), 2);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_BATCH_MESSAGE), 0);
    scene_end(&scene);
}
END_TEST

/* ---- failures ---- */

START_TEST(test_everybody_hears_of_a_failure)
{
    static struct sender senders[SENDERS];
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.batch_max_delay_ms = 5});
    ck_ok(mqc_embedded_add_fault_text(scene.cluster, "answer=13:code=320", NULL, &error));
    run_senders(senders, scene.producer, "orders");
    for (int i = 0; i < SENDERS; i++) {
        ck_assert_int_eq(senders[i].failed, EACH);
        ck_assert_int_eq(senders[i].error.broker_code, MESSAGE_ILLEGAL);
    }
    for (int i = 0; i < 50; i++) send_numbered(scene.producer, "orders", scene.outcomes, i, NULL);
    outcomes_await(scene.outcomes, 50);
    ck_assert_int_eq(outcomes_accepted(scene.outcomes), 0);
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(outcome_of(scene.outcomes, i)->calls, 1);
        ck_assert_int_eq(outcome_of(scene.outcomes, i)->error.broker_code, MESSAGE_ILLEGAL);
    }
    scene_end(&scene);
}
END_TEST

/* Answers that are lost, connections that break: each callback comes once all the same. */
START_TEST(test_callbacks_come_once_whatever_happens)
{
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.batch_max_delay_ms = 1});
    static const char *const faults[] = {"drop=9:skip=1:count=2:code=320",
                                         "close:skip=2:count=2:code=320",
                                         "duplicate:count=3:code=320"};
    for (int i = 0; i < 3; i++)
        ck_ok(mqc_embedded_add_fault_text(scene.cluster, faults[i], NULL, &error));
    for (int i = 0; i < 100; i++) {
        send_numbered(scene.producer, "orders", scene.outcomes, i, NULL);
        if (i % 10 == 9) outcomes_await(scene.outcomes, i / 2);
    }
    outcomes_await(scene.outcomes, 100);
    ck_ok(mqc_producer_shutdown(scene.producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(outcomes_count(scene.outcomes), 100);
    for (int i = 0; i < 100; i++) ck_assert_int_eq(outcome_of(scene.outcomes, i)->calls, 1);
    ck_assert_int_ge(mqc_embedded_message_count(scene.cluster, "orders"),
                     outcomes_accepted(scene.outcomes));
    scene_end(&scene);
}
END_TEST

CONTRACT_MAIN("auto batch", test_asynchronous_sends, test_synchronous_sends,
              test_full_batches_go_at_once, test_a_lone_send_waits_for_the_delay_only,
              test_queues_that_are_named, test_what_goes_alone, test_tags_are_kept_apart,
              test_a_shutdown_sends_what_is_gathered, test_a_shutdown_ends_synchronous_waiting,
              test_no_room_sends_what_is_gathered, test_above_the_total_sends_go_alone,
              test_everybody_hears_of_a_failure, test_callbacks_come_once_whatever_happens)
