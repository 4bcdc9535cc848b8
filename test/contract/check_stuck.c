/* A queue that does not get on is named, with the reason, and counted. */
#include <stdio.h>

#include "test/contract/collector.h"
#include "test/contract/gate.h"
#include "test/contract/lite.h"

enum { STUCK_MS = 200, PULL_MESSAGE = 11 };

static mqc_producer *producer;
static const char *topic, *group;
static struct gate gate = GATE_CLOSED;

static void begin(void)
{
    producer = contract_producer(NULL);
    topic = contract_topic(1);
    group = contract_name("group");
}

/* What is waited for. */
struct wish {
    mqc_push_consumer *push;
    mqc_lite_consumer *lite;
    int64_t stuck;
    const char *why;
    mqc_consumer_health health;
};

static bool is_so(void *arg)
{
    struct wish *wish = arg;
    mqc_error error;
    if (wish->push)
        ck_ok(mqc_push_consumer_health(wish->push, &wish->health, &error));
    else
        ck_ok(mqc_lite_consumer_health(wish->lite, &wish->health, &error));
    return wish->health.stuck == wish->stuck && strstr(wish->health.why, wish->why) != NULL;
}

static mqc_consumer_health await(struct wish wish)
{
    contract_await(wish.why, is_so, &wish);
    return wish.health;
}

static int64_t value_of(const mqc_stats *stats, const char *name)
{
    mqc_error error;
    mqc_stat total;
    ck_ok(mqc_stats_total(stats, name, group, NULL, NULL, &total, &error));
    return total.value;
}

static mqc_push_consumer *start(mqc_push_consumer_options options)
{
    options.group = group;
    options.from = MQC_FROM_FIRST;
    options.stuck_after_ms = STUCK_MS;
    return contract_consumer(&options, topic, "*");
}

START_TEST(test_listener_that_does_not_return)
{
    char place[256];
    begin();
    struct collector *collector = collector_new_judging(gate_judge, &gate);
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){
        .listener = collector_listen, .listener_arg = collector_seat(collector, 0), .threads = 2});
    contract_send(producer, topic, "one");
    mqc_consumer_health health = await((struct wish){
        .push = consumer, .stuck = 1, .why = "the listener has not returned from offset 0"});
    snprintf(place, sizeof place, "topic=%s broker=broker-a queue=0: ", topic);
    ck_assert_msg(strncmp(health.why, place, strlen(place)) == 0, "%s", health.why);
    ck_assert_int_eq(health.stuck_in_all, 1);
    ck_assert_int_eq(health.restarted, 0);
    ck_assert_int_ge(health.queues, 1);
    mqc_error error;
    mqc_stats *stats = mqc_push_consumer_stats(consumer, &error);
    ck_assert_int_eq(value_of(stats, "stuck_queues"), 1);
    ck_assert_int_eq(value_of(stats, "queues_stuck"), 1);
    ck_assert_int_eq(value_of(stats, "queues_restarted"), 0);
    mqc_stats_free(stats);
    gate_open(&gate);
    health = await((struct wish){.push = consumer, .stuck = 0, .why = ""});
    ck_assert_str_eq(health.why, "");
    ck_assert_int_eq(health.stuck_in_all, 1);
    contract_consumer_end(consumer);
    collector_free(collector);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_no_worker_is_free)
{
    begin();
    const char *other = contract_topic(1);
    struct collector *collector = collector_new_judging(gate_judge, &gate);
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){
        .listener = collector_listen, .listener_arg = collector_seat(collector, 0), .threads = 1});
    contract_send(producer, topic, "one");
    gate_await(&gate, 1);
    mqc_error error;
    ck_ok(mqc_push_consumer_subscribe(consumer, other, "*", &error));
    contract_send(producer, other, "two");
    await((struct wish){.push = consumer, .stuck = 2, .why = "the listener has not returned"});
    gate_open(&gate);
    await((struct wish){.push = consumer, .stuck = 0, .why = ""});
    contract_consumer_end(consumer);
    collector_free(collector);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_nobody_polls)
{
    mqc_error error;
    mqc_delivery *delivery;
    begin();
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){.polled = true});
    contract_send(producer, topic, "one");
    await((struct wish){.push = consumer, .stuck = 1, .why = "nobody polls"});
    ck_ok(mqc_push_consumer_poll(consumer, CONTRACT_WAIT_MS, &delivery, &error));
    await((struct wish){
        .push = consumer, .stuck = 1, .why = "a polled delivery is not finished, offset 0"});
    ck_ok(mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error));
    await((struct wish){.push = consumer, .stuck = 0, .why = ""});
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_nobody_polls_a_lite_consumer)
{
    begin();
    mqc_lite_consumer_options options = {
        .group = group, .from = MQC_FROM_FIRST, .stuck_after_ms = STUCK_MS};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    contract_send(producer, topic, "one");
    await((struct wish){.lite = consumer, .stuck = 1, .why = "nobody polls"});
    lite_expect(consumer, "one");
    await((struct wish){.lite = consumer, .stuck = 0, .why = ""});
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* A pause is the application's wish. */
START_TEST(test_paused_is_not_stuck)
{
    mqc_error error;
    begin();
    const char *other = contract_topic(1);
    struct collector *collector = collector_new_judging(gate_judge, &gate);
    mqc_push_consumer_options options = {.listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0)};
    mqc_push_consumer *paused = start(options);
    ck_ok(mqc_push_consumer_pause(paused, &error));
    contract_send(producer, topic, "one");
    /* A witness is found stuck, so the other was looked at as well. */
    options.group = contract_name("group");
    options.from = MQC_FROM_FIRST;
    options.stuck_after_ms = STUCK_MS;
    mqc_push_consumer *witness = contract_consumer(&options, other, "*");
    contract_send(producer, other, "two");
    await((struct wish){.push = witness, .stuck = 1, .why = "the listener"});
    mqc_consumer_health health;
    ck_ok(mqc_push_consumer_health(paused, &health, &error));
    ck_assert_int_eq(health.stuck, 0);
    ck_assert_int_eq(health.stuck_in_all, 0);
    gate_open(&gate);
    ck_ok(mqc_push_consumer_resume(paused, &error));
    collector_await(collector, 2);
    contract_consumer_end(witness);
    contract_consumer_end(paused);
    collector_free(collector);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_broker_that_refuses_pulls)
{
    mqc_error error;
    int fault;
    if (!contract_embedded()) return; /* which can be told to */
    begin();
    struct collector *collector = collector_new();
    mqc_push_consumer *consumer = start((mqc_push_consumer_options){
        .listener = collector_listen, .listener_arg = collector_seat(collector, 0)});
    contract_send(producer, topic, "one");
    collector_await(collector, 1);
    mqc_embedded_fault refusal = {.kind = MQC_FAULT_ANSWER,
                                  .value = 1,
                                  .text = "out of order",
                                  .request_code = PULL_MESSAGE,
                                  .topic = topic};
    ck_ok(mqc_embedded_add_fault(contract_embedded(), &refusal, &fault, &error));
    contract_send(producer, topic, "two"); /* ends the pull that waits */
    await((struct wish){.push = consumer, .stuck = 1, .why = "out of order"});
    mqc_embedded_clear_fault(contract_embedded(), fault);
    contract_send(producer, topic, "three");
    collector_await(collector, 3);
    await((struct wish){.push = consumer, .stuck = 0, .why = ""});
    contract_consumer_end(consumer);
    collector_free(collector);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_bad_questions_for_health)
{
    mqc_error error;
    mqc_consumer_health health;
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = {
        .client = &client, .group = "g", .polled = true, .stuck_after_ms = 50};
    ck_fails(mqc_push_consumer_health(NULL, &health, &error), MQC_BAD_ARGUMENT, "NULL");
    ck_assert_ptr_null(mqc_push_consumer_new(&options, &error));
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "pullMaxIdleTime"));
    options.stuck_after_ms = -1; /* never */
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    ck_fails(mqc_push_consumer_health(consumer, NULL, &error), MQC_BAD_ARGUMENT, "health is NULL");
    ck_ok(mqc_push_consumer_health(consumer, &health, &error));
    ck_assert_int_eq(health.queues, 0);
    mqc_push_consumer_free(consumer);
    ck_fails(mqc_lite_consumer_health(NULL, &health, &error), MQC_BAD_ARGUMENT, "NULL");
}
END_TEST

CONTRACT_MAIN("stuck", test_listener_that_does_not_return, test_no_worker_is_free,
              test_nobody_polls, test_nobody_polls_a_lite_consumer, test_paused_is_not_stuck,
              test_broker_that_refuses_pulls, test_bad_questions_for_health)
