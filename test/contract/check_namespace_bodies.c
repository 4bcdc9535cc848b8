/* Namespaces in requests that name topics and groups in their bodies: popping and queue locks. */
#include <stdio.h>

#include "test/contract/collector.h"

enum { COUNT = 5 };

static void create_topic(const mqc_client_options *client, const char *topic)
{
    mqc_error error;
    mqc_admin *admin = mqc_admin_new(client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    mqc_topic_options options = {.read_queues = 1, .write_queues = 1};
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &options, &error));
    mqc_admin_free(admin);
}

static void send_prefixed(const mqc_client_options *client, const char *topic, const char *prefix)
{
    mqc_producer *producer = contract_producer(client);
    for (int i = 0; i < COUNT; i++) {
        char body[64];
        snprintf(body, sizeof body, "%s%d", prefix, i);
        mqc_send_result result = contract_send(producer, topic, body);
        ck_assert_str_eq(result.queue.topic, topic);
    }
    mqc_producer_free(producer);
}

START_TEST(test_popping_in_a_namespace)
{
    enum { POP_MESSAGE = 200050 };
    mqc_error error;
    const char *topic = contract_name("topic"), *group = contract_name("group");
    mqc_client_options client = contract_client();
    client.name_space = contract_name("world");
    create_topic(&client, topic);
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    ck_ok(mqc_admin_set_request_mode(admin, topic, group, true, 0, &error));
    mqc_admin_free(admin);
    send_prefixed(&client, topic, "popped ");
    struct collector *collector = collector_new();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .listener_batch = 2,
                                         .from = MQC_FROM_FIRST,
                                         .pop = true};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await_each(collector, "popped ", COUNT);
    mqc_embedded *cluster = contract_embedded();
    if (cluster) ck_assert_int_gt(mqc_embedded_request_count(cluster, POP_MESSAGE), 0);
    contract_consumer_end(consumer); /* with all its acknowledgements */
    if (cluster) mqc_embedded_advance_clock(cluster, 3600000);
    send_prefixed(&client, topic, "more ");
    consumer = contract_consumer(&options, topic, "*");
    collector_await_each(collector, "more ", COUNT);
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count(collector), 2 * COUNT);
    for (size_t i = 0; i < 2 * COUNT; i++)
        ck_assert_str_eq(mqc_message_topic(collector_at(collector, i).message), topic);
    collector_free(collector);
}
END_TEST

static mqc_order_status listen_in_order(mqc_delivery *delivery, void *arg)
{
    return collector_listen(delivery, arg) == MQC_CONSUME_SUCCESS ? MQC_ORDER_SUCCESS
                                                                  : MQC_ORDER_SUSPEND;
}

START_TEST(test_order_in_a_namespace)
{
    const char *topic = contract_name("topic"), *group = contract_name("group");
    mqc_client_options client = contract_client();
    client.name_space = contract_name("world");
    create_topic(&client, topic);
    send_prefixed(&client, topic, "ordered ");
    struct collector *collector = collector_new();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = group,
                                         .orderly_listener = listen_in_order,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await_each(collector, "ordered ", COUNT);
    contract_consumer_end(consumer);
    for (size_t i = 0; i < COUNT; i++) {
        char body[64];
        snprintf(body, sizeof body, "ordered %zu", i);
        ck_assert(contract_text_is(collector_at(collector, i).message, body));
    }
    collector_free(collector);
}
END_TEST

CONTRACT_MAIN("namespace bodies", test_popping_in_a_namespace, test_order_in_a_namespace)
