/* A broker that filters by tags alone, as RocketMQ's do unless they are configured otherwise: SQL92
 * is refused with what would have to be done, and works when that is done. */
#include "test/contract/admins.h"

static const mqc_embedded_options ONE = {.broker_config = "enablePropertyFilter=false"};

/* On all brokers. */
static void allow_sql(bool allowed)
{
    mqc_error error;
    const mqc_brokers *brokers;
    mqc_admin *admin = admins_new();
    ck_ok(mqc_admin_brokers(admin, NULL, &brokers, &error));
    for (size_t i = 0; i < brokers->count; i++)
        ck_ok(mqc_admin_set_broker_config(admin, brokers->brokers[i]->address,
                                          "enablePropertyFilter", allowed ? "true" : "false",
                                          &error));
    mqc_admin_result_free(brokers);
    mqc_admin_free(admin);
}

START_TEST(test_sql_is_refused_until_it_is_switched_on)
{
    mqc_error error;
    struct collector *collector = collector_new();
    const char *topic = contract_topic(1);
    mqc_client_options client = contract_client();
    mqc_producer *producer = contract_producer(NULL);
    mqc_push_consumer *consumer = mqc_push_consumer_new(
        &(mqc_push_consumer_options){.client = &client,
                                     .group = contract_name("group"),
                                     .listener = collector_listen,
                                     .listener_arg = collector_seat(collector, 0),
                                     .from = MQC_FROM_FIRST},
        &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    allow_sql(false);
    ck_ok(mqc_push_consumer_subscribe_sql(consumer, topic, "TAGS = 'red'", &error));
    ck_fails(mqc_push_consumer_start(consumer, &error), MQC_REFUSED, topic,
             "The broker does not support consumer to filter message by SQL92",
             "set enablePropertyFilter=true in the broker's configuration");
    /* Tags need nothing. */
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "blue", &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    contract_send_tagged(producer, topic, "blue", "by tag");
    collector_await_body(collector, "by tag");
    ck_fails(mqc_push_consumer_subscribe_sql(consumer, topic, "TAGS = 'red'", &error), MQC_REFUSED,
             "set enablePropertyFilter=true");
    allow_sql(true);
    ck_ok(mqc_push_consumer_subscribe_sql(consumer, topic, "TAGS = 'red'", &error));
    contract_send_tagged(producer, topic, "red", "by SQL");
    collector_await_body(collector, "by SQL");
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

CONTRACT_CLUSTER_MAIN("filter_off", &ONE, test_sql_is_refused_until_it_is_switched_on)
