/* Where brokers are, and where they say they are: mapped addresses, IPv6. On clusters that can be
 * made so. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"

/* Sends and consumes ten messages and creates a topic, over these client options. */
static void work_with(const mqc_client_options *client, const char *topic)
{
    mqc_error error;
    mqc_admin *admin = mqc_admin_new(client, &error);
    ck_assert_msg(admin != NULL, "%s", error.text);
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, NULL, &error));
    mqc_admin_free(admin);
    mqc_producer *producer = contract_producer(client);
    contract_send_many(producer, topic, "m", 10);
    struct collector *collector = collector_new();
    mqc_push_consumer_options options = {.client = client,
                                         .group = contract_name("readers"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, 10);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(collector, "m", 10);
    collector_free(collector);
}

/* ---- brokers that advertise an address of another network ---- */

/* An embedded broker's port at the other end of this address, which is of no host: TEST-NET-1. */
struct elsewhere {
    mqc_embedded *cluster;
    int calls;
};

static bool map_all(const char *broker_name, int64_t broker_id, const char *advertised, char *out,
                    size_t out_bytes, void *arg)
{
    struct elsewhere *elsewhere = arg;
    __atomic_fetch_add(&elsewhere->calls, 1, __ATOMIC_RELAXED);
    ck_assert_str_eq(broker_name, "broker-a");
    ck_assert_int_eq(broker_id, 0);
    ck_assert_str_eq(advertised, mqc_embedded_broker_address(elsewhere->cluster, 0));
    snprintf(out, out_bytes, "localhost%s", strrchr(advertised, ':'));
    return true;
}

START_TEST(test_mapped_by_a_function)
{
    mqc_error error;
    struct elsewhere elsewhere = {.cluster = mqc_embedded_start(NULL, &error)};
    ck_assert_msg(elsewhere.cluster != NULL, "%s", error.text);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(elsewhere.cluster),
                                 .map_address = map_all,
                                 .map_address_arg = &elsewhere};
    work_with(&client, "mapped");
    ck_assert_int_gt(elsewhere.calls, 0);
    mqc_embedded_stop(elsewhere.cluster);
}
END_TEST

static bool map_nowhere(const char *broker_name, int64_t broker_id, const char *advertised,
                        char *out, size_t out_bytes, void *arg)
{
    (void)broker_name, (void)broker_id, (void)advertised;
    snprintf(out, out_bytes, "%s", (const char *)arg);
    return true;
}

START_TEST(test_a_map_that_leads_nowhere_is_seen)
{
    mqc_error error;
    mqc_embedded *cluster = mqc_embedded_start(NULL, &error);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster),
                                 .map_address = map_nowhere,
                                 .map_address_arg = "127.0.0.1:9"};
    ck_ok(mqc_embedded_create_topic(cluster, -1, "topic", 1, &error));
    mqc_message *message = mqc_message_new("topic", "body", 4);
    mqc_producer *producer = contract_producer(&client);
    ck_fails(mqc_producer_send(producer, message, NULL, NULL, &error), MQC_NO_CONNECTION,
             "127.0.0.1:9");
    mqc_producer_free(producer);
    client.map_address_arg = "nonsense";
    producer = contract_producer(&client);
    ck_fails(mqc_producer_send(producer, message, NULL, NULL, &error), MQC_BAD_ARGUMENT,
             "map_address", "broker-a", "nonsense");
    mqc_producer_free(producer);
    mqc_message_free(message);
    mqc_embedded_stop(cluster);
}
END_TEST

/* On a real cluster too, whose address is not in the table. */
START_TEST(test_mapped_by_a_table)
{
    mqc_client_options client = contract_client();
    client.address_map =
        contract_embedded() ? "192.0.2.1=192.0.2.2;127.0.0.1=localhost" : "192.0.2.1=192.0.2.2";
    work_with(&client, contract_name("topic"));
    client = contract_client();
    client.address_map = "127.0.0.1";
    mqc_error error;
    ck_assert_ptr_null(mqc_admin_new(&client, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "brokerAddressMap"));
}
END_TEST

/* ---- IPv6 ---- */

START_TEST(test_ipv6)
{
    mqc_error error;
    mqc_embedded *cluster =
        mqc_embedded_start(&(mqc_embedded_options){.brokers = 2, .ipv6 = true}, &error);
    if (!cluster) return; /* a machine without IPv6 */
    ck_assert_int_eq(strncmp(mqc_embedded_name_servers(cluster), "[::1]:", 6), 0);
    ck_assert_int_eq(strncmp(mqc_embedded_broker_address(cluster, 0), "::1:", 4), 0);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster)};
    work_with(&client, "topic");
    /* The hosts that messages carry are IPv6, too. */
    mqc_producer *producer = contract_producer(&client);
    mqc_send_result result = contract_send(producer, "topic", "one more");
    ck_assert_uint_eq(strlen(result.offset_message_id), 56);
    mqc_producer_free(producer);
    struct collector *collector = collector_new();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = "hosts",
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, "topic", "*");
    collector_await(collector, 11);
    contract_consumer_end(consumer);
    const mqc_message *message = collector_at(collector, 0).message;
    ck_assert_int_eq(strncmp(mqc_message_born_host(message), "[::1]:", 6), 0);
    ck_assert_int_eq(strncmp(mqc_message_stored_host(message), "[::1]:", 6), 0);
    collector_free(collector);
    mqc_embedded_stop(cluster);
}
END_TEST

/* As a name server's list may have it: without brackets. */
START_TEST(test_ipv6_name_server_without_brackets)
{
    mqc_error error;
    char list[64];
    mqc_embedded *cluster = mqc_embedded_start(&(mqc_embedded_options){.ipv6 = true}, &error);
    if (!cluster) return;
    const char *address = mqc_embedded_name_servers(cluster);
    snprintf(list, sizeof list, "::1%s", strrchr(address, ':'));
    mqc_client_options client = {.name_servers = list};
    work_with(&client, "topic");
    mqc_embedded_stop(cluster);
}
END_TEST

CONTRACT_MAIN("addresses", test_mapped_by_a_function, test_a_map_that_leads_nowhere_is_seen,
              test_mapped_by_a_table, test_ipv6, test_ipv6_name_server_without_brackets)
