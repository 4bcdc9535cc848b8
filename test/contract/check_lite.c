/* The lite pull consumer: polling, subscribing and assigning, pausing, and what a group's members
 * do with each other. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include "test/contract/lite.h"

enum { QUEUES = 4, MESSAGES = 40 };

START_TEST(test_polled_messages)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_lite_consumer_options options = {.from = MQC_FROM_FIRST};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    contract_send_tagged(producer, topic, "red", "first");
    mqc_delivery *delivery;
    ck_ok(mqc_lite_consumer_poll(consumer, CONTRACT_WAIT_MS, &delivery, &error));
    ck_assert_ptr_nonnull(delivery);
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    mqc_message_queue queue = mqc_delivery_queue(delivery);
    ck_assert(contract_text_is(message, "first"));
    ck_assert_str_eq(mqc_message_topic(message), topic);
    ck_assert_str_eq(mqc_message_tag(message), "red");
    ck_assert_int_eq(mqc_message_queue_offset(message), 0);
    ck_assert_str_eq(mqc_message_broker_name(message), queue.broker_name);
    ck_assert_str_eq(queue.topic, topic);
    ck_assert_int_eq(queue.queue_id, 0);
    ck_assert_ptr_null(mqc_delivery_at(delivery, 1));
    lite_expect_nothing_yet(consumer);
    ck_ok(mqc_lite_consumer_poll(consumer, 1, &(mqc_delivery *){NULL}, &error));
    /* It is the application's, also when the consumer has gone. */
    mqc_lite_consumer_free(consumer);
    ck_assert(contract_text_is(message, "first"));
    ck_assert_str_eq(mqc_delivery_queue(delivery).topic, topic);
    mqc_delivery_free(delivery);
    mqc_delivery_free(NULL);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_polled_in_batches)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "message ", MESSAGES);
    mqc_lite_consumer_options options = {.from = MQC_FROM_FIRST, .pull_batch = 16};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    int64_t next = 0;
    while (next < MESSAGES) {
        mqc_delivery *delivery;
        ck_ok(mqc_lite_consumer_poll(consumer, -1, &delivery, &error));
        ck_assert_uint_le(mqc_delivery_count(delivery), 16);
        for (size_t i = 0; i < mqc_delivery_count(delivery); i++)
            ck_assert_int_eq(mqc_message_queue_offset(mqc_delivery_at(delivery, i)), next++);
        mqc_delivery_free(delivery);
    }
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_filtered)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_lite_consumer *consumer = lite_new(NULL);
    ck_ok(mqc_lite_consumer_subscribe(consumer, topic, "red || blue", &error));
    ck_ok(mqc_lite_consumer_start(consumer, &error));
    contract_send_tagged(producer, topic, "green", "unwanted");
    contract_send_tagged(producer, topic, "blue", "first");
    contract_send_tagged(producer, topic, "green", "unwanted");
    contract_send_tagged(producer, topic, "red", "second");
    lite_expect(consumer, "first");
    lite_expect(consumer, "second");
    ck_ok(mqc_lite_consumer_subscribe_sql(consumer, topic, "TAGS = 'green'", &error));
    ck_fails(mqc_lite_consumer_subscribe_sql(consumer, topic, "TAGS =", &error), MQC_REFUSED,
             "TAGS =");
    /* A pull that is under way has the old filter. */
    mqc_message_queue queue = contract_queue(topic, 0);
    ck_ok(mqc_lite_consumer_seek(consumer, &queue, 2, &error));
    lite_expect(consumer, "unwanted");
    contract_send_tagged(producer, topic, "red", "unwanted now");
    contract_send_tagged(producer, topic, "green", "third");
    lite_expect(consumer, "third");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- members ---- */

static bool has_queues(void *arg)
{
    void **pair = arg;
    mqc_error error;
    mqc_queue_list list;
    ck_ok(mqc_lite_consumer_assignment(pair[0], &list, &error));
    bool has = list.count == *(size_t *)pair[1];
    for (size_t i = 1; i < list.count; i++)
        ck_assert(strcmp(list.queues[i].topic, list.queues[i - 1].topic) != 0 ||
                  list.queues[i].queue_id > list.queues[i - 1].queue_id);
    mqc_queue_list_free(&list);
    return has;
}

static void await_queues(mqc_lite_consumer *consumer, size_t count)
{
    contract_await("so many queues", has_queues, (void *[]){consumer, &count});
}

START_TEST(test_members_share_queues)
{
    mqc_error error;
    const char *topic = contract_topic(QUEUES), *group = contract_name("group");
    mqc_producer *producer = contract_producer(NULL);
    mqc_lite_consumer_options options = {.group = group, .from = MQC_FROM_FIRST};
    mqc_lite_consumer *first = lite_subscribed(&options, topic);
    await_queues(first, QUEUES);
    contract_send_many(producer, topic, "alone ", MESSAGES);
    lite_expect_each(first, "alone ", MESSAGES);
    ck_ok(mqc_lite_consumer_commit(first, &error));
    mqc_lite_consumer *second = lite_subscribed(&options, topic);
    await_queues(first, QUEUES / 2);
    await_queues(second, QUEUES / 2);
    mqc_message_queue queue = contract_queue(topic, 0);
    for (queue.queue_id = 0; queue.queue_id < QUEUES; queue.queue_id++) {
        char body[32];
        snprintf(body, sizeof body, "shared %d", queue.queue_id % 2);
        contract_send_to(producer, &queue, body);
    }
    lite_expect_each(first, "shared ", 2);
    lite_expect_each(second, "shared ", 2);
    mqc_lite_consumer_free(first);
    await_queues(second, QUEUES);
    mqc_lite_consumer_free(second);
    mqc_producer_free(producer);
}
END_TEST

/* ---- assigning ---- */

START_TEST(test_assigned_queues)
{
    mqc_error error;
    const char *topic = contract_topic(QUEUES), *other = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message_queue queues[3] = {contract_queue(topic, 1), contract_queue(topic, 3),
                                   contract_queue(other, 0)};
    mqc_message_queue unassigned = contract_queue(topic, 0);
    mqc_lite_consumer *consumer = lite_assigned(NULL, queues, 3);
    await_queues(consumer, 3);
    contract_send_to(producer, &unassigned, "unwanted");
    contract_send_to(producer, &queues[0], "of 0");
    lite_expect(consumer, "of 0");
    contract_send_to(producer, &queues[1], "of 1");
    lite_expect(consumer, "of 1");
    contract_send_to(producer, &queues[2], "of 2");
    lite_expect(consumer, "of 2");
    /* Others instead of some. */
    queues[0] = unassigned;
    ck_ok(mqc_lite_consumer_assign(consumer, queues, 2, NULL, &error));
    lite_expect(consumer, "unwanted");
    int64_t offset;
    ck_ok(mqc_lite_consumer_position(consumer, &queues[1], &offset, &error));
    ck_assert_int_eq(offset, 1);
    ck_fails(mqc_lite_consumer_position(consumer, &queues[2], &offset, &error), MQC_NOT_FOUND,
             other, "is not this consumer's");
    ck_ok(mqc_lite_consumer_assign(consumer, NULL, 0, NULL, &error));
    await_queues(consumer, 0);
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* Two that assign the same queues both have them, although they are of one group. */
START_TEST(test_assigned_twice)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message_queue queue = contract_queue(topic, 0);
    mqc_lite_consumer_options options = {
        .group = contract_name("group"), .from = MQC_FROM_FIRST, .pull_batch = 1};
    mqc_lite_consumer *first = lite_assigned(&options, &queue, 1);
    mqc_lite_consumer *second = lite_assigned(&options, &queue, 1);
    contract_send(producer, topic, "for both");
    lite_expect(first, "for both");
    lite_expect(second, "for both");
    mqc_lite_consumer_free(first);
    mqc_lite_consumer_free(second);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_assigned_and_filtered)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message_queue queue = contract_queue(topic, 0);
    mqc_lite_consumer *consumer = lite_new(NULL);
    ck_ok(mqc_lite_consumer_start(consumer, &error));
    ck_fails(mqc_lite_consumer_assign_sql(consumer, &queue, 1, "TAGS =", &error), MQC_REFUSED,
             topic, "TAGS =");
    ck_fails(mqc_lite_consumer_assign_sql(consumer, &queue, 1, "", &error), MQC_BAD_ARGUMENT,
             "the SQL92 expression is empty");
    ck_fails(mqc_lite_consumer_assign(consumer, &queue, 1, "||", &error), MQC_BAD_ARGUMENT,
             "names no tag");
    ck_ok(mqc_lite_consumer_assign_sql(consumer, &queue, 1, "TAGS IN ('red', 'blue')", &error));
    contract_send_tagged(producer, topic, "green", "unwanted");
    contract_send_tagged(producer, topic, "blue", "first");
    lite_expect(consumer, "first");
    ck_ok(mqc_lite_consumer_assign(consumer, &queue, 1, "green", &error));
    ck_ok(mqc_lite_consumer_seek(consumer, &queue, 0, &error));
    lite_expect(consumer, "unwanted");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_subscribe_or_assign)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_message_queue queue = contract_queue(topic, 0);
    mqc_lite_consumer *consumer = lite_new(NULL);
    ck_ok(mqc_lite_consumer_subscribe(consumer, topic, NULL, &error));
    ck_fails(mqc_lite_consumer_assign(consumer, &queue, 1, NULL, &error), MQC_WRONG_STATE,
             "Subscribe and assign are mutually exclusive");
    mqc_lite_consumer_free(consumer);
    consumer = lite_new(NULL);
    ck_ok(mqc_lite_consumer_assign(consumer, &queue, 1, NULL, &error)); /* before the start */
    ck_fails(mqc_lite_consumer_subscribe(consumer, topic, NULL, &error), MQC_WRONG_STATE,
             "Subscribe and assign are mutually exclusive");
    ck_ok(mqc_lite_consumer_start(consumer, &error));
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, topic, "assigned before the start");
    lite_expect(consumer, "assigned before the start");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- pausing ---- */

START_TEST(test_paused_queues)
{
    mqc_error error;
    const char *topic = contract_topic(2);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message_queue queues[2] = {contract_queue(topic, 0), contract_queue(topic, 1)};
    mqc_lite_consumer *consumer = lite_assigned(NULL, queues, 2);
    ck_ok(mqc_lite_consumer_pause(consumer, &queues[0], 1, &error));
    contract_send_to(producer, &queues[0], "paused 0");
    contract_send_to(producer, &queues[0], "paused 1");
    contract_send_to(producer, &queues[1], "other");
    lite_expect(consumer, "other");
    lite_expect_nothing_yet(consumer);
    ck_ok(mqc_lite_consumer_resume(consumer, &queues[0], 1, &error));
    lite_expect(consumer, "paused 0");
    lite_expect(consumer, "paused 1");
    /* What was fetched before is not handed out, either. */
    contract_send_to(producer, &queues[0], "fetched");
    struct pollfd readable = {.fd = mqc_lite_consumer_fd(consumer, &error), .events = POLLIN};
    ck_assert_int_ge(readable.fd, 0);
    ck_assert_int_eq(poll(&readable, 1, CONTRACT_WAIT_MS), 1);
    ck_ok(mqc_lite_consumer_pause(consumer, queues, 2, &error));
    lite_expect_nothing_yet(consumer);
    ck_ok(mqc_lite_consumer_resume(consumer, queues, 2, &error));
    lite_expect(consumer, "fetched");
    mqc_message_queue wrong = contract_queue(topic, 0);
    wrong.queue_id = 7;
    mqc_message_queue some[2] = {queues[0], wrong};
    ck_fails(mqc_lite_consumer_pause(consumer, some, 2, &error), MQC_NOT_FOUND, "queue 7",
             "not this consumer's");
    contract_send_to(producer, &queues[0], "not paused");
    lite_expect(consumer, "not paused");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- thresholds ---- */

START_TEST(test_little_is_held)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    contract_send_many(producer, topic, "message ", MESSAGES);
    mqc_lite_consumer_options options = {.from = MQC_FROM_FIRST,
                                         .pull_batch = 1,
                                         .queue_max_messages = 2,
                                         .all_max_messages = 1,
                                         .queue_max_span = 1};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    lite_expect_each(consumer, "message ", MESSAGES);
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- the end ---- */

static void *poll_until_end(void *arg)
{
    mqc_error error;
    mqc_delivery *delivery;
    mqc_status status = mqc_lite_consumer_poll(arg, -1, &delivery, &error);
    ck_assert_ptr_null(delivery);
    return (void *)(uintptr_t)status;
}

START_TEST(test_end_of_a_poll)
{
    mqc_error error;
    pthread_t thread;
    void *status;
    mqc_delivery *delivery;
    mqc_lite_consumer *consumer = lite_subscribed(NULL, contract_topic(1));
    ck_assert_int_eq(pthread_create(&thread, NULL, poll_until_end, consumer), 0);
    ck_ok(mqc_lite_consumer_shutdown(consumer, &error));
    ck_assert_int_eq(pthread_join(thread, &status), 0);
    ck_assert((mqc_status)(uintptr_t)status == MQC_CANCELLED ||
              (mqc_status)(uintptr_t)status == MQC_WRONG_STATE);
    ck_fails(mqc_lite_consumer_poll(consumer, 0, &delivery, &error), MQC_WRONG_STATE,
             "not running");
    ck_ok(mqc_lite_consumer_shutdown(consumer, &error));
    mqc_lite_consumer_free(consumer);
    mqc_lite_consumer_free(NULL);
}
END_TEST

START_TEST(test_bad_lite_calls)
{
    mqc_error error;
    mqc_delivery *delivery;
    int64_t offset;
    mqc_message_queue queue = {"topic", "broker", -1};
    ck_assert_ptr_null(mqc_lite_consumer_new(NULL, &error));
    ck_assert_str_eq(error.text, "there are no options: a lite consumer needs a group");
    mqc_lite_consumer *consumer = lite_new(NULL);
    ck_fails(mqc_lite_consumer_poll(consumer, 0, &delivery, &error), MQC_WRONG_STATE,
             "The consumer not running, please start it first");
    ck_fails(mqc_lite_consumer_poll(consumer, 0, NULL, &error), MQC_BAD_ARGUMENT,
             "delivery is NULL");
    ck_fails(mqc_lite_consumer_commit(consumer, &error), MQC_WRONG_STATE, "not running");
    ck_ok(mqc_lite_consumer_start(consumer, &error));
    ck_fails(mqc_lite_consumer_start(consumer, &error), MQC_WRONG_STATE, "lite consumer",
             "started before");
    ck_fails(mqc_lite_consumer_seek(consumer, &queue, 0, &error), MQC_BAD_ARGUMENT,
             "negative queue id");
    ck_fails(mqc_lite_consumer_committed(consumer, NULL, &offset, &error), MQC_BAD_ARGUMENT,
             "broker name");
    ck_fails(mqc_lite_consumer_assign(consumer, NULL, 2, NULL, &error), MQC_BAD_ARGUMENT,
             "queues is NULL");
    ck_fails(mqc_lite_consumer_subscribe(NULL, "topic", NULL, &error), MQC_BAD_ARGUMENT,
             "the lite consumer is NULL");
    mqc_lite_consumer_free(consumer);
}
END_TEST

CONTRACT_MAIN("lite", test_polled_messages, test_polled_in_batches, test_filtered,
              test_members_share_queues, test_assigned_queues, test_assigned_twice,
              test_assigned_and_filtered, test_subscribe_or_assign, test_paused_queues,
              test_little_is_held, test_end_of_a_poll, test_bad_lite_calls)
