/* Pulling by hand: what a broker answers about one queue, and the group's offsets. */
#include <stdio.h>

#include "test/contract/contract.h"

enum { MESSAGES = 5 };

static mqc_pull_consumer *new_puller(void)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_pull_consumer *consumer = mqc_pull_consumer_new(
        &(mqc_pull_consumer_options){.client = &client, .group = contract_name("group")}, &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    return consumer;
}

static mqc_pull_result pull(mqc_pull_consumer *consumer, const mqc_pull_request *request)
{
    mqc_error error;
    mqc_pull_result result;
    ck_ok(mqc_pull_consumer_pull(consumer, request, &result, &error));
    return result;
}

/* Brokers let messages be pulled a moment after they have acknowledged them. */
struct end {
    mqc_pull_consumer *consumer;
    mqc_message_queue queue;
    int64_t offset;
};

static bool has_end(void *arg)
{
    mqc_error error;
    struct end *end = arg;
    int64_t least, next;
    ck_ok(mqc_pull_consumer_offsets(end->consumer, &end->queue, &least, &next, &error));
    return next == end->offset;
}

static void await_end(mqc_pull_consumer *consumer, const char *topic, int64_t offset)
{
    contract_await("the messages can be pulled", has_end,
                   &(struct end){consumer, contract_queue(topic, 0), offset});
}

START_TEST(test_pull_found)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_pull_consumer *consumer = new_puller();
    contract_send_many(producer, topic, "message ", MESSAGES);
    await_end(consumer, topic, MESSAGES);
    mqc_pull_request request = {.queue = contract_queue(topic, 0), .offset = 1, .max_messages = 3};
    mqc_pull_result result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_FOUND);
    ck_assert_int_eq(result.next_offset, 4);
    ck_assert_int_eq(result.least_offset, 0);
    ck_assert_int_eq(result.end_offset, MESSAGES);
    ck_assert_uint_eq(mqc_delivery_count(result.delivery), 3);
    ck_assert(contract_text_is(mqc_delivery_at(result.delivery, 0), "message 1"));
    ck_assert(contract_text_is(mqc_delivery_at(result.delivery, 2), "message 3"));
    ck_assert_str_eq(mqc_message_broker_name(mqc_delivery_at(result.delivery, 2)),
                     request.queue.broker_name);
    ck_assert_str_eq(mqc_delivery_queue(result.delivery).topic, topic);
    mqc_pull_consumer_free(consumer);
    ck_assert(contract_text_is(mqc_delivery_at(result.delivery, 1), "message 2"));
    mqc_delivery_free(result.delivery);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_pull_nothing)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_pull_consumer *consumer = new_puller();
    contract_send_many(producer, topic, "message ", MESSAGES);
    await_end(consumer, topic, MESSAGES);
    mqc_pull_request request = {.queue = contract_queue(topic, 0), .offset = MESSAGES};
    mqc_pull_result result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_NO_NEW);
    ck_assert_int_eq(result.next_offset, MESSAGES);
    ck_assert_ptr_null(result.delivery);
    request.offset = MESSAGES + 100;
    result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_OFFSET_ILLEGAL);
    ck_assert_int_le(result.next_offset, MESSAGES);
    ck_assert_ptr_null(result.delivery);
    mqc_pull_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_pull_filtered)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_pull_consumer *consumer = new_puller();
    contract_send_tagged(producer, topic, "red", "first");
    contract_send_tagged(producer, topic, "blue", "second");
    contract_send_tagged(producer, topic, "green", "third");
    await_end(consumer, topic, 3);
    mqc_pull_request request = {.queue = contract_queue(topic, 0), .filter = "blue || green"};
    mqc_pull_result result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_FOUND);
    ck_assert_uint_eq(mqc_delivery_count(result.delivery), 2);
    ck_assert(contract_text_is(mqc_delivery_at(result.delivery, 0), "second"));
    mqc_delivery_free(result.delivery);
    request.filter = NULL;
    request.sql = "TAGS = 'green'";
    result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_FOUND);
    ck_assert_uint_eq(mqc_delivery_count(result.delivery), 1);
    mqc_delivery_free(result.delivery);
    request.sql = NULL;
    request.filter = "yellow";
    result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_NO_MATCH);
    ck_assert_int_eq(result.next_offset, 3);
    /* Two tags of one hash code: the broker cannot tell them apart. */
    contract_send_tagged(producer, topic, "Aa", "one of two");
    await_end(consumer, topic, 4);
    request.offset = 3;
    request.filter = "BB";
    result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_NO_MATCH);
    ck_assert_int_eq(result.next_offset, 4);
    ck_assert_ptr_null(result.delivery);
    mqc_pull_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_pull_waits)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_pull_consumer *consumer = new_puller();
    /* Sent before, so that the broker has no reason to wait, and after a wait in vain. */
    mqc_pull_request request = {.queue = contract_queue(topic, 0), .wait_ms = 1};
    mqc_pull_result result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_NO_NEW);
    contract_send(producer, topic, "there");
    request.wait_ms = CONTRACT_WAIT_MS;
    result = pull(consumer, &request);
    ck_assert_int_eq(result.status, MQC_PULL_FOUND);
    mqc_delivery_free(result.delivery);
    mqc_pull_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_pull_offsets)
{
    mqc_error error;
    int64_t offset, least, next;
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_pull_consumer *consumer = new_puller();
    mqc_message_queue queue = contract_queue(topic, 0);
    contract_send_many(producer, topic, "message ", MESSAGES);
    await_end(consumer, topic, MESSAGES);
    mqc_pull_request request = {.queue = queue};
    mqc_delivery_free(pull(consumer, &request).delivery); /* brokers make the group with it */
    ck_ok(mqc_pull_consumer_update_offset(consumer, &queue, 3, &error));
    ck_ok(mqc_pull_consumer_fetch_offset(consumer, &queue, &offset, &error));
    ck_assert_int_eq(offset, 3);
    ck_ok(mqc_pull_consumer_offsets(consumer, &queue, &least, &next, &error));
    ck_assert_int_eq(least, 0);
    ck_assert_int_eq(next, MESSAGES);
    ck_ok(mqc_pull_consumer_offset_for_time(consumer, &queue, 0, &offset, &error));
    ck_assert_int_eq(offset, 0);
    mqc_queue_list list;
    ck_ok(mqc_pull_consumer_fetch_queues(consumer, topic, &list, &error));
    ck_assert_uint_eq(list.count, 1);
    mqc_queue_list_free(&list);
    mqc_pull_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_bad_pulls)
{
    mqc_error error;
    mqc_pull_result result;
    const char *topic = contract_topic(1);
    mqc_pull_consumer *consumer = new_puller();
    mqc_pull_request request = {.queue = contract_queue(topic, 0)};
    ck_fails(mqc_pull_consumer_pull(consumer, NULL, &result, &error), MQC_BAD_ARGUMENT,
             "request is NULL");
    ck_fails(mqc_pull_consumer_pull(consumer, &request, NULL, &error), MQC_BAD_ARGUMENT,
             "result is NULL");
    request.offset = -1;
    ck_fails(mqc_pull_consumer_pull(consumer, &request, &result, &error), MQC_BAD_ARGUMENT,
             "offset is -1");
    request.offset = 0;
    request.max_messages = 1025;
    ck_fails(mqc_pull_consumer_pull(consumer, &request, &result, &error), MQC_BAD_ARGUMENT,
             "max_messages is 1025: give 1 to 1024");
    request.max_messages = 0;
    request.filter = "a";
    request.sql = "a > 1";
    ck_fails(mqc_pull_consumer_pull(consumer, &request, &result, &error), MQC_BAD_ARGUMENT,
             "filter and sql are given");
    request.filter = NULL;
    request.sql = "a >";
    ck_fails(mqc_pull_consumer_pull(consumer, &request, &result, &error), MQC_REFUSED,
             "SUBSCRIPTION_PARSE_FAILED (23)", "should be like");
    request.sql = NULL;
    request.queue.broker_name = "nobody";
    ck_fails(mqc_pull_consumer_pull(consumer, &request, &result, &error), MQC_NO_ROUTE, "nobody");
    request.queue.broker_name = NULL;
    ck_fails(mqc_pull_consumer_pull(consumer, &request, &result, &error), MQC_BAD_ARGUMENT,
             "broker name");
    ck_fails(mqc_pull_consumer_pull(NULL, &request, &result, &error), MQC_BAD_ARGUMENT,
             "the pull consumer is NULL");
    ck_assert_ptr_null(mqc_pull_consumer_new(&(mqc_pull_consumer_options){0}, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "consumerGroup"));
    mqc_pull_consumer_free(consumer);
    mqc_pull_consumer_free(NULL);
}
END_TEST

CONTRACT_MAIN("pull", test_pull_found, test_pull_nothing, test_pull_filtered, test_pull_waits,
              test_pull_offsets, test_bad_pulls)
