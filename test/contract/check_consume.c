/* Consuming: what a listener is given, and what a consumer may be told to do. */
#include <stdio.h>

#include "test/contract/collector.h"

static mqc_push_consumer_options consume_with(const char *group, struct collector *collector,
                                              int seat)
{
    return (mqc_push_consumer_options){.group = group,
                                       .listener = collector_listen,
                                       .listener_arg = collector_seat(collector, seat),
                                       .from = MQC_FROM_FIRST};
}

START_TEST(test_all_are_consumed)
{
    enum { COUNT = 300, QUEUES = 4 };
    const char *topic = contract_topic(QUEUES);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "before ", COUNT);
    mqc_push_consumer_options options = consume_with(contract_name("group"), collector, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, COUNT);
    contract_send_many(producer, topic, "after ", COUNT);
    collector_await(collector, 2 * COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(collector, "before ", COUNT);
    collector_check_each_once(collector, "after ", COUNT);
    ck_assert_uint_eq(collector_count(collector), 2 * COUNT);
    collector_free(collector);
}
END_TEST

START_TEST(test_one_thread_keeps_a_queues_order)
{
    enum { COUNT = 100 };
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "", COUNT);
    mqc_push_consumer_options options = consume_with(contract_name("group"), collector, 0);
    options.threads = 1;
    mqc_push_consumer *consumer = contract_consumer(&options, topic, NULL);
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(mqc_message_queue_offset(collector_at(collector, i).message), (int)i);
    collector_free(collector);
}
END_TEST

START_TEST(test_two_topics)
{
    mqc_error error;
    const char *first = contract_topic(2), *second = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    mqc_push_consumer_options options = consume_with(contract_name("group"), collector, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, first, "*");
    contract_send(producer, first, "of the first");
    collector_await_body(collector, "of the first");
    ck_ok(mqc_push_consumer_subscribe(consumer, second, "*", &error)); /* after start */
    contract_send(producer, second, "of the second");
    struct received received = collector_await_body(collector, "of the second");
    ck_assert_str_eq(mqc_message_topic(received.message), second);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

/* ---- tags ---- */

START_TEST(test_tag_filter)
{
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *some = collector_new(), *all = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_tagged(producer, topic, "apple", "apple 1");
    contract_send_tagged(producer, topic, "cherry", "cherry 1");
    contract_send_tagged(producer, topic, "pear", "pear 1");
    contract_send(producer, topic, "no tag");
    contract_send_tagged(producer, topic, "applepie", "applepie 1");
    contract_send_tagged(producer, topic, "pear", "pear 2");
    contract_send_tagged(producer, topic, "apple", "apple 2");
    mqc_push_consumer_options options = consume_with(group, some, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "apple || pear");
    collector_await_body(some, "apple 2"); /* the last of the only queue */
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(some), 4);
    ck_assert_uint_eq(collector_count_body(some, "apple 1"), 1);
    ck_assert_uint_eq(collector_count_body(some, "pear 1"), 1);
    ck_assert_uint_eq(collector_count_body(some, "pear 2"), 1);
    /* What was filtered out is behind the group all the same. */
    contract_send_tagged(producer, topic, "cherry", "cherry 2");
    options = consume_with(group, all, 0);
    consumer = contract_consumer(&options, topic, "*");
    collector_await_body(all, "cherry 2");
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(all), 1);
    mqc_producer_free(producer);
    collector_free(some);
    collector_free(all);
}
END_TEST

START_TEST(test_tags_of_equal_hash)
{
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_tagged(producer, topic, "BB", "other"); /* "Aa".hashCode() is "BB"'s */
    contract_send_tagged(producer, topic, "Aa", "mine");
    mqc_push_consumer_options options = consume_with(contract_name("group"), collector, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "Aa");
    collector_await_body(collector, "mine");
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), 1);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

START_TEST(test_second_filter_replaces_the_first)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_tagged(producer, topic, "old", "old");
    contract_send_tagged(producer, topic, "new", "new");
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = consume_with(contract_name("group"), collector, 0);
    options.client = &client;
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_ptr_nonnull(consumer);
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "old", &error));
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "new", &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    collector_await_body(collector, "new");
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), 1);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

/* ---- offsets ---- */

START_TEST(test_offsets_survive_a_restart)
{
    enum { COUNT = 40 };
    const char *topic = contract_topic(4), *group = contract_name("group");
    struct collector *first = collector_new(), *second = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "first ", COUNT);
    mqc_push_consumer_options options = consume_with(group, first, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(first, COUNT);
    contract_consumer_end(consumer);
    contract_send_many(producer, topic, "second ", COUNT);
    options = consume_with(group, second, 0);
    consumer = contract_consumer(&options, topic, "*");
    collector_await(second, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(first, "first ", COUNT);
    collector_check_each_once(second, "second ", COUNT);
    ck_assert_uint_eq(collector_count(second), COUNT);
    collector_free(first);
    collector_free(second);
}
END_TEST

START_TEST(test_each_group_gets_all)
{
    enum { COUNT = 20 };
    const char *topic = contract_topic(2);
    struct collector *one = collector_new(), *other = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    mqc_push_consumer_options options = consume_with(contract_name("one"), one, 0);
    mqc_push_consumer *reader = contract_consumer(&options, topic, "*");
    options = consume_with(contract_name("other"), other, 0);
    mqc_push_consumer *other_reader = contract_consumer(&options, topic, "*");
    contract_send_many(producer, topic, "all ", COUNT);
    collector_await(one, COUNT);
    collector_await(other, COUNT);
    contract_consumer_end(reader);
    contract_consumer_end(other_reader);
    mqc_producer_free(producer);
    collector_check_each_once(one, "all ", COUNT);
    collector_check_each_once(other, "all ", COUNT);
    collector_free(one);
    collector_free(other);
}
END_TEST

/* ---- being told ---- */

START_TEST(test_pause_and_resume)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    struct collector *paused = collector_new(), *other = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    mqc_push_consumer_options options = consume_with(contract_name("paused"), paused, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    options = consume_with(contract_name("other"), other, 0);
    mqc_push_consumer *witness = contract_consumer(&options, topic, "*");
    contract_send(producer, topic, "before");
    collector_await_body(paused, "before");
    ck_ok(mqc_push_consumer_pause(consumer, &error));
    ck_ok(mqc_push_consumer_pause(consumer, &error)); /* twice is once */
    contract_send_many(producer, topic, "meanwhile ", 20);
    contract_send(producer, topic, "the last");
    collector_await_body(other, "the last"); /* so they could have been here */
    ck_assert_uint_eq(collector_count(paused), 1);
    ck_ok(mqc_push_consumer_resume(consumer, &error));
    collector_await_body(paused, "the last");
    collector_await(paused, 22);
    contract_consumer_end(consumer);
    contract_consumer_end(witness);
    mqc_producer_free(producer);
    collector_check_each_once(paused, "meanwhile ", 20);
    collector_free(paused);
    collector_free(other);
}
END_TEST

START_TEST(test_unsubscribe)
{
    mqc_error error;
    const char *left = contract_topic(1), *kept = contract_topic(1);
    struct collector *collector = collector_new(), *other = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    mqc_push_consumer_options options = consume_with(contract_name("group"), collector, 0);
    mqc_push_consumer *consumer = contract_consumer(&options, left, "*");
    ck_ok(mqc_push_consumer_subscribe(consumer, kept, "*", &error));
    contract_send(producer, left, "left 1");
    contract_send(producer, kept, "kept 1");
    collector_await(collector, 2);
    ck_ok(mqc_push_consumer_unsubscribe(consumer, left, &error));
    contract_send(producer, left, "left 2");
    options = consume_with(contract_name("other"), other, 0);
    mqc_push_consumer *witness = contract_consumer(&options, left, "*");
    collector_await_body(other, "left 2");
    contract_send(producer, kept, "kept 2");
    collector_await_body(collector, "kept 2");
    ck_assert_uint_eq(collector_count(collector), 3);
    /* Back again: it goes on where it was. */
    ck_ok(mqc_push_consumer_subscribe(consumer, left, "*", &error));
    collector_await_body(collector, "left 2");
    contract_consumer_end(consumer);
    contract_consumer_end(witness);
    /* The first may come twice: its listener may not have returned yet when the topic was left. */
    ck_assert_uint_le(collector_count_body(collector, "left 1"), 2);
    ck_assert_uint_eq(collector_count_body(collector, "left 2"), 1);
    mqc_producer_free(producer);
    collector_free(collector);
    collector_free(other);
}
END_TEST

/* ---- batches ---- */

static mqc_consume_status check_batch(mqc_delivery *delivery, void *arg)
{
    int *wrong = arg;
    mqc_message_queue queue = mqc_delivery_queue(delivery);
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++) {
        const mqc_message *message = mqc_delivery_at(delivery, i);
        bool right = strcmp(mqc_message_topic(message), queue.topic) == 0 &&
                     strcmp(mqc_message_broker_name(message), queue.broker_name) == 0 &&
                     mqc_message_queue_id(message) == queue.queue_id;
        if (i > 0)
            right = right && mqc_message_queue_offset(message) >
                                 mqc_message_queue_offset(mqc_delivery_at(delivery, i - 1));
        *wrong += !right; /* one worker: nobody else counts */
    }
    return MQC_CONSUME_SUCCESS;
}

START_TEST(test_listener_batch)
{
    enum { COUNT = 64, MOST = 8 };
    int wrong = 0;
    const char *topic = contract_topic(2);
    struct collector *collector = collector_new_judging(check_batch, &wrong);
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "batch ", COUNT);
    mqc_push_consumer_options options = consume_with(contract_name("group"), collector, 0);
    options.listener_batch = MOST;
    options.threads = 1;
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    size_t largest = 0;
    for (size_t i = 0; i < COUNT; i++) {
        size_t batch = collector_at(collector, i).batch;
        ck_assert_uint_le(batch, MOST);
        if (batch > largest) largest = batch;
    }
    ck_assert_uint_eq(largest, MOST); /* 32 were there before it started */
    ck_assert_int_eq(wrong, 0);
    collector_check_each_once(collector, "batch ", COUNT);
    collector_free(collector);
}
END_TEST

CONTRACT_MAIN("consume", test_all_are_consumed, test_one_thread_keeps_a_queues_order,
              test_two_topics, test_tag_filter, test_tags_of_equal_hash,
              test_second_filter_replaces_the_first, test_offsets_survive_a_restart,
              test_each_group_gets_all, test_pause_and_resume, test_unsubscribe,
              test_listener_batch)
