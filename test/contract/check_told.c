/* What brokers tell the members of a group for an administrator: offsets that were reset, both
 * ways; questions for their state; a message to be consumed now. */
#include <stdio.h>

#include "test/contract/admins.h"
#include "test/contract/gate.h"
#include "test/contract/lite.h"

/* What a pull without messages waits at a broker: what is told must not wait for that. */
enum { COUNT = 6, SOON_MS = 10000 };
#define SETTING "useServerSideResetOffset"

static mqc_admin *admin;
static mqc_producer *producer;
static mqc_client_options client;
static struct collector *collector;
static const char *topic, *group;

static void begin(int queues)
{
    admin = admins_new();
    producer = contract_producer(NULL);
    collector = collector_new();
    topic = contract_topic(queues);
    group = contract_name("group");
    client = contract_client();
    client.persist_offsets_ms = 200;
    contract_send_many(producer, topic, "m ", COUNT);
}

static void end(void)
{
    collector_free(collector);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}

static mqc_order_status listen_in_order(mqc_delivery *delivery, void *arg)
{
    collector_listen(delivery, arg);
    return MQC_ORDER_SUCCESS;
}

static mqc_push_consumer *start(bool in_order)
{
    mqc_push_consumer_options options = {.client = &client,
                                         .group = group,
                                         .from = MQC_FROM_FIRST,
                                         .listener_arg = collector_seat(collector, 0)};
    if (in_order)
        options.orderly_listener = listen_in_order;
    else
        options.listener = collector_listen;
    return contract_consumer(&options, topic, "*");
}

static void reset_to(int64_t unix_ms)
{
    mqc_error error;
    const mqc_offsets *offsets;
    ck_ok(mqc_admin_reset_offsets(admin, group, topic, unix_ms, &offsets, &error));
    mqc_admin_result_free(offsets);
}

/* Members are told as by brokers before 5.0. */
static void reset_by_telling(int64_t unix_ms)
{
    mqc_error error;
    const mqc_brokers *brokers;
    ck_ok(mqc_admin_brokers(admin, NULL, &brokers, &error));
    const char *address = brokers->brokers[0]->address;
    ck_ok(mqc_admin_set_broker_config(admin, address, SETTING, "false", &error));
    reset_to(unix_ms);
    ck_ok(mqc_admin_set_broker_config(admin, address, SETTING, "true", &error));
    mqc_admin_result_free(brokers);
}

static void come_again(bool in_order, void (*reset)(int64_t unix_ms))
{
    begin(2);
    mqc_push_consumer *consumer = start(in_order);
    collector_await(collector, COUNT);
    admins_await_lag(admin, group, topic, 0);
    int64_t reset_ms = contract_unix_ms();
    reset(0);
    collector_await(collector, (size_t)2 * COUNT);
    ck_assert_int_lt(contract_unix_ms() - reset_ms, SOON_MS);
    contract_send(producer, topic, "new");
    collector_await_body(collector, "new");
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), 2 * COUNT + 1);
    admins_await_lag(admin, group, topic, 0);
    end();
}

START_TEST(test_reset_of_a_consumer)
{
    come_again(false, reset_to);
}
END_TEST

START_TEST(test_reset_of_an_orderly_consumer)
{
    come_again(true, reset_to);
}
END_TEST

START_TEST(test_told_to_reset)
{
    come_again(false, reset_by_telling);
}
END_TEST

START_TEST(test_told_to_reset_in_order)
{
    come_again(true, reset_by_telling);
}
END_TEST

/* All are reset, and each is heard of soon: their pulls wait for 15 s. */
START_TEST(test_reset_of_many_topics)
{
    enum { TOPICS = 20 };
    mqc_error error;
    const char *topics[TOPICS];
    begin(1);
    topics[0] = topic;
    mqc_push_consumer_options options = {.client = &client,
                                         .group = group,
                                         .from = MQC_FROM_FIRST,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0)};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    for (size_t i = 0; i < TOPICS; i++) {
        if (i > 0) contract_send(producer, topics[i] = contract_topic(1), "more");
        ck_ok(mqc_push_consumer_subscribe(consumer, topics[i], "*", &error));
    }
    ck_ok(mqc_push_consumer_start(consumer, &error));
    collector_await(collector, COUNT + TOPICS - 1);
    for (size_t i = 0; i < TOPICS; i++) admins_await_lag(admin, group, topics[i], 0);
    int64_t reset_ms = contract_unix_ms();
    for (size_t i = 0; i < TOPICS; i++) {
        topic = topics[i];
        reset_to(0);
    }
    collector_await(collector, (size_t)2 * (COUNT + TOPICS - 1));
    ck_assert_int_lt(contract_unix_ms() - reset_ms, SOON_MS);
    contract_consumer_end(consumer);
    end();
}
END_TEST

static void poll_again(void (*reset)(int64_t unix_ms))
{
    begin(2);
    mqc_lite_consumer_options options = {
        .client = &client, .group = group, .from = MQC_FROM_FIRST, .auto_commit_ms = 1000};
    mqc_lite_consumer *consumer = lite_subscribed(&options, topic);
    lite_expect_each(consumer, "m ", COUNT);
    mqc_error error;
    ck_ok(mqc_lite_consumer_commit(consumer, &error));
    admins_await_lag(admin, group, topic, 0);
    int64_t reset_ms = contract_unix_ms();
    reset(0);
    lite_expect_each(consumer, "m ", COUNT);
    ck_assert_int_lt(contract_unix_ms() - reset_ms, SOON_MS);
    mqc_lite_consumer_free(consumer);
    admins_await_lag(admin, group, topic, 0);
    end();
}

START_TEST(test_reset_of_a_lite_consumer)
{
    poll_again(reset_to);
}
END_TEST

START_TEST(test_lite_consumer_told_to_reset)
{
    poll_again(reset_by_telling);
}
END_TEST

/* ---- who else is there ---- */

static bool has_member(const struct received *received, size_t count, void *arg)
{
    for (size_t i = 0; i < count; i++)
        if (received[i].seat == *(int *)arg) return true;
    return false;
}

/* Members divide queues every 20 s; when one comes, brokers tell the others. */
START_TEST(test_told_of_new_members)
{
    enum { QUEUES = 4 };
    int second = 1;
    begin(QUEUES);
    mqc_push_consumer *first = start(false);
    collector_await(collector, COUNT);
    int64_t begin_ms = contract_unix_ms();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, second)};
    mqc_push_consumer *other = contract_consumer(&options, topic, "*");
    while (collector_count_seat(collector, second) == 0) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "at %lld: ", (long long)contract_unix_ms());
        contract_send_many(producer, topic, prefix, QUEUES);
        collector_await_each(collector, prefix, QUEUES);
    }
    collector_await_until(collector, "a message of the second's", has_member, &second);
    ck_assert_int_lt(contract_unix_ms() - begin_ms, SOON_MS);
    contract_consumer_end(other);
    contract_consumer_end(first);
    end();
}
END_TEST

CONTRACT_MAIN("told", test_reset_of_a_consumer, test_reset_of_an_orderly_consumer,
              test_told_to_reset, test_told_to_reset_in_order, test_reset_of_many_topics,
              test_reset_of_a_lite_consumer, test_lite_consumer_told_to_reset,
              test_told_of_new_members)
