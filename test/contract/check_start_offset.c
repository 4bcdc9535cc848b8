/* Where a group that has consumed nothing yet begins. The broker has a word in it: of a queue that
 * has lost nothing yet it gives any group the beginning. A real broker loses messages after days
 * only, so that what the group itself asked for counts on an embedded cluster alone, which can be
 * told to keep little. */
#include <string.h>

#include <stdio.h>

#include "test/contract/collector.h"

static mqc_push_consumer_options consume_from(mqc_consume_from from, int64_t from_unix_ms,
                                              const mqc_client_options *client,
                                              struct collector *collector)
{
    return (mqc_push_consumer_options){.client = client,
                                       .group = contract_name("group"),
                                       .listener = collector_listen,
                                       .listener_arg = collector_seat(collector, 0),
                                       .from = from,
                                       .from_unix_ms = from_unix_ms};
}

/* ---- young topics ---- */

static void consume_young_topic(mqc_consume_from from, int64_t from_unix_ms)
{
    enum { COUNT = 10 };
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "young ", COUNT);
    mqc_push_consumer_options options = consume_from(from, from_unix_ms, NULL, collector);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(collector, "young ", COUNT);
    collector_free(collector);
}

START_TEST(test_young_topic_from_first)
{
    consume_young_topic(MQC_FROM_FIRST, 0);
}
END_TEST

START_TEST(test_young_topic_from_last)
{
    consume_young_topic(MQC_FROM_LAST, 0);
}
END_TEST

START_TEST(test_young_topic_from_time)
{
    consume_young_topic(MQC_FROM_TIME, contract_unix_ms() + 3600 * 1000);
}
END_TEST

/* ---- aged topics ---- */

enum { KEPT = 10, PULL_MESSAGE = 11 };

/* A cluster that keeps little of a topic, and a topic on it that has lost its beginning. */
struct aged {
    mqc_embedded *cluster;
    mqc_client_options client;
    const char *topic;
    mqc_producer *producer;
    int64_t middle_unix_ms; /* between "old" and "recent" messages */
    struct collector *collector;
    bool pulled;
};

static void pass_a_moment(void)
{
    int64_t now = contract_unix_ms();
    while (contract_unix_ms() <= now + 1) {
    }
}

static struct aged make_aged_topic(void)
{
    mqc_error error;
    mqc_embedded_options options = {.retention_messages = KEPT};
    struct aged aged = {.cluster = mqc_embedded_start(&options, &error),
                        .topic = contract_name("topic"),
                        .collector = collector_new()};
    ck_assert_msg(aged.cluster != NULL, "%s", error.text);
    aged.client.name_servers = mqc_embedded_name_servers(aged.cluster);
    ck_ok(mqc_embedded_create_topic(aged.cluster, 0, aged.topic, 1, &error));
    aged.producer = contract_producer(&aged.client);
    contract_send_many(aged.producer, aged.topic, "lost ", 2 * KEPT);
    contract_send_many(aged.producer, aged.topic, "old ", KEPT / 2);
    pass_a_moment();
    aged.middle_unix_ms = contract_unix_ms();
    pass_a_moment();
    contract_send_many(aged.producer, aged.topic, "recent ", KEPT / 2);
    ck_assert_int_eq(mqc_embedded_message_count(aged.cluster, aged.topic), KEPT);
    return aged;
}

static bool is_pull_of_topic(const mqc_embedded_request *request, void *arg)
{
    struct aged *aged = arg;
    aged->pulled = aged->pulled || strcmp(request->topic, aged->topic) == 0;
    return !aged->pulled;
}

/* Before the first pull of the topic itself (the retry topic may be first) a consumer has found out
 * where to begin. */
static bool topic_was_pulled(void *arg)
{
    struct aged *aged = arg;
    mqc_embedded_each_request(aged->cluster, PULL_MESSAGE, 0, is_pull_of_topic, aged);
    return aged->pulled;
}

/* What was there comes first, so many; then one message more is sent, and nothing else comes. */
static void consume_aged(struct aged *aged, mqc_consume_from from, size_t expected)
{
    int64_t from_unix_ms = from == MQC_FROM_TIME ? aged->middle_unix_ms : 0;
    mqc_push_consumer_options options =
        consume_from(from, from_unix_ms, &aged->client, aged->collector);
    mqc_push_consumer *consumer = contract_consumer(&options, aged->topic, "*");
    contract_await("the first pull of the topic", topic_was_pulled, aged);
    collector_await(aged->collector, expected);
    contract_send(aged->producer, aged->topic, "new");
    collector_await_body(aged->collector, "new");
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(aged->collector), expected + 1);
}

static void end_aged(struct aged *aged)
{
    mqc_producer_free(aged->producer);
    collector_free(aged->collector);
    mqc_embedded_stop(aged->cluster);
}

START_TEST(test_aged_topic_from_first)
{
    struct aged aged = make_aged_topic();
    consume_aged(&aged, MQC_FROM_FIRST, KEPT);
    collector_check_each_once(aged.collector, "old ", KEPT / 2);
    collector_check_each_once(aged.collector, "recent ", KEPT / 2);
    end_aged(&aged);
}
END_TEST

START_TEST(test_aged_topic_from_last)
{
    struct aged aged = make_aged_topic();
    consume_aged(&aged, MQC_FROM_LAST, 0);
    end_aged(&aged);
}
END_TEST

START_TEST(test_aged_topic_from_time)
{
    struct aged aged = make_aged_topic();
    consume_aged(&aged, MQC_FROM_TIME, KEPT / 2);
    collector_check_each_once(aged.collector, "recent ", KEPT / 2);
    end_aged(&aged);
}
END_TEST

CONTRACT_MAIN("start offset", test_young_topic_from_first, test_young_topic_from_last,
              test_young_topic_from_time, test_aged_topic_from_first, test_aged_topic_from_last,
              test_aged_topic_from_time)
