/* Where a lite pull consumer is: seeking, committing, and asking brokers about offsets. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/lite.h"

enum { MESSAGES = 10 };

static mqc_producer *producer;
static const char *topic;
static mqc_message_queue queue;

static void begin(void)
{
    producer = contract_producer(NULL);
    topic = contract_topic(1);
    queue = contract_queue(topic, 0);
    contract_send_many(producer, topic, "message ", MESSAGES);
}

static int64_t committed(mqc_lite_consumer *consumer)
{
    mqc_error error;
    int64_t offset;
    ck_ok(mqc_lite_consumer_committed(consumer, &queue, &offset, &error));
    return offset;
}

static int64_t position(mqc_lite_consumer *consumer)
{
    mqc_error error;
    int64_t offset;
    ck_ok(mqc_lite_consumer_position(consumer, &queue, &offset, &error));
    return offset;
}

START_TEST(test_seek)
{
    mqc_error error;
    begin();
    mqc_lite_consumer *consumer = lite_assigned(NULL, &queue, 1);
    lite_expect(consumer, "message 0");
    ck_assert_int_eq(position(consumer), 1);
    ck_ok(mqc_lite_consumer_seek(consumer, &queue, 7, &error));
    ck_assert_int_eq(position(consumer), 7);
    lite_expect(consumer, "message 7");
    ck_ok(mqc_lite_consumer_seek(consumer, &queue, 3, &error));
    lite_expect(consumer, "message 3");
    lite_expect(consumer, "message 4");
    ck_ok(mqc_lite_consumer_seek_to_begin(consumer, &queue, &error));
    lite_expect(consumer, "message 0");
    ck_ok(mqc_lite_consumer_seek_to_end(consumer, &queue, &error));
    ck_assert_int_eq(position(consumer), MESSAGES);
    contract_send(producer, topic, "later");
    lite_expect(consumer, "later");
    ck_fails(mqc_lite_consumer_seek(consumer, &queue, MESSAGES + 5, &error), MQC_BAD_ARGUMENT,
             "Seek offset illegal, seek offset = 15, min offset = 0, max offset = 11");
    ck_fails(mqc_lite_consumer_seek(consumer, &queue, -1, &error), MQC_BAD_ARGUMENT,
             "Seek offset illegal");
    mqc_message_queue other = queue;
    other.queue_id = 1;
    ck_fails(mqc_lite_consumer_seek(consumer, &other, 0, &error), MQC_NOT_FOUND, "queue 1",
             "not this consumer's");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* However often and fast: the next message is the one that was sought. */
START_TEST(test_seek_again_and_again)
{
    mqc_error error;
    begin();
    mqc_lite_consumer *consumer = lite_assigned(NULL, &queue, 1);
    for (int i = 0; i < 50; i++) {
        char body[32];
        int offset = i * 7 % MESSAGES;
        ck_ok(mqc_lite_consumer_seek(consumer, &queue, offset, &error));
        if (i % 3 == 0) continue;
        snprintf(body, sizeof body, "message %d", offset);
        lite_expect(consumer, body);
    }
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_seek_while_paused)
{
    mqc_error error;
    begin();
    mqc_lite_consumer *consumer = lite_assigned(NULL, &queue, 1);
    lite_expect(consumer, "message 0");
    ck_ok(mqc_lite_consumer_pause(consumer, &queue, 1, &error));
    ck_ok(mqc_lite_consumer_seek(consumer, &queue, 5, &error));
    lite_expect_nothing_yet(consumer);
    ck_ok(mqc_lite_consumer_resume(consumer, &queue, 1, &error));
    lite_expect(consumer, "message 5");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_offsets_and_times)
{
    mqc_error error;
    int64_t least, next, offset;
    begin();
    mqc_lite_consumer *consumer = lite_assigned(NULL, &queue, 1);
    ck_ok(mqc_lite_consumer_offsets(consumer, &queue, &least, &next, &error));
    ck_assert_int_eq(least, 0);
    ck_assert_int_eq(next, MESSAGES);
    /* Of the message at 6, as the broker has it. */
    ck_ok(mqc_lite_consumer_seek(consumer, &queue, 6, &error));
    mqc_delivery *delivery;
    ck_ok(mqc_lite_consumer_poll(consumer, CONTRACT_WAIT_MS, &delivery, &error));
    int64_t stored = mqc_message_stored_unix_ms(mqc_delivery_at(delivery, 0));
    mqc_delivery_free(delivery);
    ck_ok(mqc_lite_consumer_offset_for_time(consumer, &queue, stored, &offset, &error));
    ck_assert_int_le(offset, 6); /* several may have come in one millisecond */
    ck_ok(mqc_lite_consumer_offset_for_time(consumer, &queue, 0, &offset, &error));
    ck_assert_int_eq(offset, 0);
    ck_ok(mqc_lite_consumer_seek_to_time(consumer, &queue, 0, &error));
    lite_expect(consumer, "message 0");
    ck_fails(mqc_lite_consumer_offset_for_time(consumer, &queue, -1, &offset, &error),
             MQC_BAD_ARGUMENT, "unix_ms is -1");
    mqc_queue_list list;
    ck_ok(mqc_lite_consumer_fetch_queues(consumer, topic, &list, &error));
    ck_assert_uint_eq(list.count, 1);
    ck_assert_str_eq(list.queues[0].topic, topic);
    ck_assert_str_eq(list.queues[0].broker_name, queue.broker_name);
    mqc_queue_list_free(&list);
    ck_fails(mqc_lite_consumer_fetch_queues(consumer, contract_name("nowhere"), &list, &error),
             MQC_NO_ROUTE, "nowhere");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- committing ---- */

START_TEST(test_commit_by_hand)
{
    mqc_error error;
    begin();
    mqc_lite_consumer_options options = {.group = contract_name("group"),
                                         .from = MQC_FROM_FIRST,
                                         .pull_batch = 1,
                                         .no_auto_commit = true};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    for (int i = 0; i < 3; i++) {
        char body[32];
        snprintf(body, sizeof body, "message %d", i);
        lite_expect(consumer, body);
    }
    ck_ok(mqc_lite_consumer_commit(consumer, &error));
    ck_assert_int_eq(committed(consumer), 3);
    lite_expect(consumer, "message 3");
    ck_assert_int_eq(committed(consumer), 3);
    ck_ok(mqc_lite_consumer_shutdown(consumer, &error)); /* which commits nothing more */
    mqc_lite_consumer_free(consumer);
    consumer = lite_subscribed(&options, topic);
    lite_expect(consumer, "message 3");
    /* Up and down, as one likes. */
    ck_ok(mqc_lite_consumer_commit_offset(consumer, &queue, 8, &error));
    ck_assert_int_eq(committed(consumer), 8);
    ck_ok(mqc_lite_consumer_commit_offset(consumer, &queue, 2, &error));
    ck_assert_int_eq(committed(consumer), 2);
    ck_fails(mqc_lite_consumer_commit_offset(consumer, &queue, -2, &error), MQC_BAD_ARGUMENT,
             "offset is -2");
    mqc_lite_consumer_free(consumer);
    consumer = lite_subscribed(&options, topic);
    lite_expect(consumer, "message 2");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

struct waited {
    mqc_lite_consumer *consumer;
    int64_t offset;
};

/* Each poll is what makes automatic commits. */
static bool is_committed(void *arg)
{
    struct waited *waited = arg;
    lite_expect_nothing_yet(waited->consumer);
    return committed(waited->consumer) == waited->offset;
}

START_TEST(test_automatic_commit)
{
    mqc_error error;
    begin();
    mqc_lite_consumer_options options = {.group = contract_name("group"),
                                         .from = MQC_FROM_FIRST,
                                         .pull_batch = 1,
                                         .auto_commit_ms = 1000};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    lite_expect_each(consumer, "message ", MESSAGES);
    contract_await("what was polled is committed", is_committed,
                   &(struct waited){consumer, MESSAGES});
    /* What was polled last is committed at the end. */
    contract_send(producer, topic, "last");
    lite_expect(consumer, "last");
    ck_ok(mqc_lite_consumer_shutdown(consumer, &error));
    mqc_lite_consumer_free(consumer);
    consumer = lite_subscribed(&options, topic);
    ck_assert_int_eq(committed(consumer), MESSAGES + 1);
    contract_send(producer, topic, "next");
    lite_expect(consumer, "next");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* What was sought is where it goes on, also after a restart. */
START_TEST(test_seek_is_committed)
{
    mqc_error error;
    begin();
    mqc_lite_consumer_options options = {
        .group = contract_name("group"), .from = MQC_FROM_FIRST, .pull_batch = 1};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    lite_expect_each(consumer, "message ", MESSAGES);
    ck_ok(mqc_lite_consumer_commit(consumer, &error));
    ck_ok(mqc_lite_consumer_seek(consumer, &queue, 4, &error));
    mqc_lite_consumer_free(consumer);
    consumer = lite_subscribed(&options, topic);
    lite_expect(consumer, "message 4");
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- watching ---- */

struct watched {
    int calls;
    size_t all, mine;
};

static void changed(const char *name, const mqc_message_queue *all, size_t all_count,
                    const mqc_message_queue *mine, size_t mine_count, void *arg)
{
    struct watched *watched = arg;
    ck_assert_str_eq(name, topic);
    ck_assert_str_eq(all[0].topic, topic);
    for (size_t i = 0; i < mine_count; i++) ck_assert_str_eq(mine[i].topic, topic);
    __atomic_store_n(&watched->all, all_count, __ATOMIC_SEQ_CST);
    __atomic_store_n(&watched->mine, mine_count, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&watched->calls, 1, __ATOMIC_SEQ_CST);
}

static bool has_all(void *arg)
{
    struct watched *watched = arg;
    return __atomic_load_n(&watched->calls, __ATOMIC_SEQ_CST) > 0 &&
           __atomic_load_n(&watched->all, __ATOMIC_SEQ_CST) == 3;
}

START_TEST(test_watched_topic)
{
    mqc_error error;
    struct watched watched = {0};
    begin();
    mqc_client_options client = contract_client();
    mqc_lite_consumer_options options = {.from = MQC_FROM_FIRST, .topic_check_ms = 50};
    mqc_lite_consumer *consumer = lite_assigned(&options, &queue, 1);
    ck_ok(mqc_lite_consumer_watch(consumer, topic, changed, &watched, &error));
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_ptr_nonnull(admin);
    mqc_topic_options more = {.read_queues = 3, .write_queues = 3};
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &more, &error));
    contract_await("the listener is told of all queues", has_all, &watched);
    ck_assert_uint_eq(watched.mine, 1);
    ck_ok(mqc_lite_consumer_watch(consumer, topic, NULL, NULL, &error));
    mqc_admin_free(admin);
    mqc_lite_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- broadcasting ---- */

START_TEST(test_lite_broadcast)
{
    begin();
    mqc_lite_consumer_options options = {.group = contract_name("group"),
                                         .from = MQC_FROM_FIRST,
                                         .model = MQC_BROADCASTING,
                                         .offsets_in_memory = true};
    mqc_lite_consumer *first = lite_subscribed(&options, topic);
    mqc_lite_consumer *second = lite_subscribed(&options, topic);
    lite_expect_each(first, "message ", MESSAGES);
    lite_expect_each(second, "message ", MESSAGES);
    mqc_lite_consumer_free(first);
    mqc_lite_consumer_free(second);
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("lite offsets", test_seek, test_seek_again_and_again, test_seek_while_paused,
              test_offsets_and_times, test_commit_by_hand, test_automatic_commit,
              test_seek_is_committed, test_watched_topic, test_lite_broadcast)
