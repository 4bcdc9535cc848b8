/* What producers and consumers count and measure of themselves, and the ways to it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test/contract/collector.h"

static mqc_stats *of_producer(mqc_producer *producer)
{
    mqc_error error;
    mqc_stats *stats = mqc_producer_stats(producer, &error);
    ck_assert_msg(stats != NULL, "%s", error.text);
    return stats;
}

static mqc_stats *of_consumer(mqc_push_consumer *consumer)
{
    mqc_error error;
    mqc_stats *stats = mqc_push_consumer_stats(consumer, &error);
    ck_assert_msg(stats != NULL, "%s", error.text);
    return stats;
}

static mqc_stat total(const mqc_stats *stats, const char *name, const char *topic)
{
    mqc_error error;
    mqc_stat sum;
    ck_ok(mqc_stats_total(stats, name, NULL, topic, NULL, &sum, &error));
    return sum;
}

static int64_t value(const mqc_stats *stats, const char *name, const char *topic)
{
    return total(stats, name, topic).value;
}

static void count_call(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)result, (void)error;
    atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(test_sends_are_counted)
{
    mqc_error error;
    atomic_int calls = 0;
    const char *topic = contract_topic(2);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = mqc_message_new(topic, "12345", 5);
    contract_send_many(producer, topic, "message ", 3);
    ck_ok(mqc_producer_send_async(producer, message, NULL, count_call, &calls, &error));
    ck_ok(mqc_producer_send_oneway(producer, message, NULL, &error));
    const mqc_message *batch[] = {message, message, message};
    ck_ok(mqc_producer_send_batch(producer, batch, 3, NULL, NULL, &error));
    mqc_message_free(message);
    ck_ok(mqc_producer_shutdown(producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(atomic_load(&calls), 1);
    mqc_stats *stats = of_producer(producer); /* also behind the end */
    ck_assert_int_eq(value(stats, "sent_messages", topic), 8);
    ck_assert_int_ge(value(stats, "sent_bytes", topic), 3 * 9 + 5 * 5);
    ck_assert_int_eq(value(stats, "send_failures", NULL), 0);
    ck_assert_int_eq(value(stats, "sends_in_flight", NULL), 0);
    mqc_stat latency = total(stats, "send_latency", topic);
    ck_assert_int_eq(latency.latency.count, 5); /* not of the oneway; a batch is one */
    ck_assert_int_gt(latency.latency.p50_us, 0);
    ck_assert_int_le(latency.latency.p50_us, latency.latency.p999_us);
    ck_assert_int_le(latency.latency.p999_us, latency.latency.max_us);
    ck_assert_int_le(latency.latency.max_us, latency.latency.sum_us);
    mqc_stats_free(stats);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_failures_are_counted)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    client.name_servers = "127.0.0.1:9";
    mqc_producer *producer = contract_producer(&client);
    mqc_message *message = mqc_message_new("topic", "x", 1);
    mqc_send_options options = {.timeout_ms = 2000};
    ck_assert_int_ne(mqc_producer_send(producer, message, &options, NULL, &error), MQC_OK);
    mqc_message_free(message);
    mqc_stats *stats = of_producer(producer);
    ck_assert_int_eq(value(stats, "sent_messages", NULL), 0);
    ck_assert_int_eq(value(stats, "send_failures", "topic"), 1);
    ck_assert_int_ge(value(stats, "connection_failures", NULL), 1);
    ck_assert_int_eq(value(stats, "connections_opened", NULL), 0);
    mqc_stats_free(stats);
    mqc_producer_free(producer);
}
END_TEST

/* A broker that refuses once and is connected to anew. */
START_TEST(test_retries_and_reconnects_are_counted)
{
    mqc_error error;
    mqc_embedded *cluster = contract_embedded();
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    if (cluster) {
        contract_send(producer, topic, "before");
        ck_ok(mqc_embedded_add_fault(
            cluster, &(mqc_embedded_fault){MQC_FAULT_CLOSE, .request_code = 310, .count = 1}, NULL,
            &error));
        contract_send(producer, topic, "after");
        mqc_stats *stats = of_producer(producer);
        ck_assert_int_eq(value(stats, "sent_messages", topic), 2);
        ck_assert_int_eq(value(stats, "send_retries", topic), 1);
        ck_assert_int_eq(value(stats, "reconnects", NULL), 1);
        ck_assert_int_ge(value(stats, "connection_failures", NULL), 1);
        ck_assert_int_ge(value(stats, "requests", NULL), 4);
        ck_assert_int_gt(value(stats, "written_bytes", NULL), 200);
        ck_assert_int_gt(value(stats, "read_bytes", NULL), 200);
        mqc_stats_free(stats);
    }
    mqc_producer_free(producer);
}
END_TEST

static mqc_consume_status refuse_one(mqc_delivery *delivery, void *arg)
{
    bool refuse = contract_text_is(mqc_delivery_at(delivery, 0), "message 3") &&
                  !atomic_exchange((atomic_bool *)arg, true);
    mqc_delivery_retry_level(delivery, 1);
    return refuse ? MQC_RECONSUME_LATER : MQC_CONSUME_SUCCESS;
}

struct wait {
    mqc_push_consumer *consumer;
    const char *name;
    int64_t value;
};

static bool has_come_to(void *arg)
{
    const struct wait *wait = arg;
    mqc_stats *stats = of_consumer(wait->consumer);
    int64_t now = value(stats, wait->name, NULL);
    mqc_stats_free(stats);
    return now == wait->value;
}

START_TEST(test_consumption_is_counted)
{
    atomic_bool refused = false;
    const char *topic = contract_topic(2), *group = contract_name("group");
    struct collector *collector = collector_new_judging(refuse_one, &refused);
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "message ", 10);
    mqc_push_consumer_options options = {.group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST,
                                         .threads = 3};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, 10);
    contract_await("the refused message is sent back", has_come_to,
                   &(struct wait){consumer, "sent_back_messages", 1});
    contract_await("no lag is left", has_come_to, &(struct wait){consumer, "lag", 0});
    mqc_stats *stats = of_consumer(consumer);
    ck_assert_int_eq(value(stats, "received_messages", topic), 10);
    ck_assert_int_eq(value(stats, "received_bytes", topic), 90);
    ck_assert_int_eq(value(stats, "consumed_messages", topic), 9);
    ck_assert_int_eq(value(stats, "refused_messages", topic), 1);
    ck_assert_int_eq(value(stats, "consume_timeouts", NULL), 0);
    ck_assert_int_eq(total(stats, "consume_latency", topic).latency.count, 10);
    ck_assert_int_eq(total(stats, "message_age", topic).latency.count, 10);
    ck_assert_int_eq(value(stats, "held_messages", topic), 0);
    ck_assert_int_eq(value(stats, "end_offset", topic), 10);
    ck_assert_int_eq(value(stats, "commit_offset", topic), 10);
    ck_assert_int_ge(value(stats, "pulls", topic), 2);
    ck_assert_int_eq(value(stats, "threads", NULL), 3);
    ck_assert_int_ge(value(stats, "queues", NULL), 2);
    ck_assert_int_ge(value(stats, "queues_gained", NULL), 2);
    ck_assert_uint_ge(mqc_stats_rebalance_count(stats), 1);
    bool found = false;
    for (size_t i = 0; i < mqc_stats_rebalance_count(stats); i++) {
        const mqc_rebalance *rebalance = mqc_stats_rebalance_at(stats, i);
        ck_assert_str_eq(rebalance->group, group);
        if (strcmp(rebalance->topic, topic) == 0)
            found = rebalance->queues == 2 && rebalance->mine == 2 && rebalance->gained == 2;
    }
    ck_assert(found);
    contract_consumer_end(consumer);
    ck_assert_int_eq(value(stats, "consumed_messages", topic), 9); /* it needs no consumer */
    mqc_stats_free(stats);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

/* ---- told at an interval ---- */

struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int times, inside;
    int64_t sent, received;
    char *json;
};

static void listen_to(const char *json, mqc_stats *stats, void *arg)
{
    struct told *told = arg;
    pthread_mutex_lock(&told->lock);
    ck_assert_int_eq(told->inside++, 0);
    told->times++;
    told->sent = value(stats, "sent_messages", NULL);
    told->received = value(stats, "received_messages", NULL);
    free(told->json);
    told->json = strdup(json);
    told->inside--;
    pthread_cond_broadcast(&told->changed);
    pthread_mutex_unlock(&told->lock);
}

/* The producer and the consumer are clients of the same options, and share it. */
START_TEST(test_a_listener_is_told_of_all_that_share_the_client)
{
    struct told told = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, NULL};
    mqc_client_options client = contract_client();
    client.stats_listener = listen_to;
    client.stats_listener_arg = &told;
    client.stats_interval_ms = 20;
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(&client);
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    contract_send_many(producer, topic, "message ", 4);
    pthread_mutex_lock(&told.lock);
    while (told.sent < 4 || told.received < 4) pthread_cond_wait(&told.changed, &told.lock);
    ck_assert_ptr_nonnull(strstr(told.json, "\"name\":\"sent_messages\""));
    ck_assert_ptr_nonnull(strstr(told.json, "\"name\":\"connections\""));
    pthread_mutex_unlock(&told.lock);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    int times = told.times;
    ck_assert_int_ge(times, 1);
    usleep(100000); /* nobody is told any more: this can only be missed, never be wrong */
    ck_assert_int_eq(told.times, times);
    free(told.json);
    collector_free(collector);
}
END_TEST

/* ---- others ---- */

START_TEST(test_a_lite_consumer_counts)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_client_options client = contract_client();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "message ", 5);
    mqc_lite_consumer *consumer = mqc_lite_consumer_new(
        &(mqc_lite_consumer_options){
            .client = &client, .group = contract_name("group"), .from = MQC_FROM_FIRST},
        &error);
    ck_ok(mqc_lite_consumer_subscribe(consumer, topic, "*", &error));
    ck_ok(mqc_lite_consumer_start(consumer, &error));
    for (size_t count = 0; count < 5;) {
        mqc_delivery *delivery;
        ck_ok(mqc_lite_consumer_poll(consumer, CONTRACT_WAIT_MS, &delivery, &error));
        if (delivery) count += mqc_delivery_count(delivery);
        mqc_delivery_free(delivery);
    }
    mqc_stats *stats = mqc_lite_consumer_stats(consumer, &error);
    ck_assert_ptr_nonnull(stats);
    ck_assert_int_eq(value(stats, "received_messages", topic), 5);
    ck_assert_int_eq(value(stats, "consumed_messages", topic), 5);
    mqc_stats *both = of_producer(producer);
    ck_ok(mqc_stats_add(both, stats, &error));
    ck_ok(mqc_stats_add(both, stats, &error)); /* nothing twice */
    ck_assert_int_eq(value(both, "received_messages", topic), 5);
    ck_assert_int_eq(value(both, "sent_messages", topic), 5);
    mqc_stats_free(both);
    mqc_stats_free(stats);
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_nothing_to_tell)
{
    mqc_error error;
    ck_assert_ptr_null(mqc_producer_stats(NULL, &error));
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    ck_assert_ptr_null(mqc_push_consumer_stats(NULL, &error));
    ck_assert_ptr_null(mqc_lite_consumer_stats(NULL, &error));
    mqc_client_options client = contract_client();
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "g"}, &error);
    mqc_stats *stats = of_producer(producer); /* before its start */
    ck_assert_int_eq(value(stats, "sent_messages", NULL), 0);
    ck_assert_int_eq(value(stats, "connections", NULL), 0);
    ck_assert_str_eq(mqc_stats_at(stats, 0)->client, "");
    mqc_stats_free(stats);
    mqc_stats_free(NULL);
    mqc_producer_free(producer);
    client.stats_interval_ms = 5;
    producer = mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "g"}, &error);
    ck_assert_ptr_null(producer);
    ck_assert_ptr_nonnull(strstr(error.text, "stats_interval_ms"));
}
END_TEST

CONTRACT_MAIN("statistics", test_sends_are_counted, test_failures_are_counted,
              test_retries_and_reconnects_are_counted, test_consumption_is_counted,
              test_a_listener_is_told_of_all_that_share_the_client, test_a_lite_consumer_counts,
              test_nothing_to_tell)
