/* What can be asked of topics, and changing them. */
#include "test/contract/admins.h"

START_TEST(test_status_counts_messages)
{
    mqc_error error;
    const mqc_topic_status *status;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(2);
    mqc_message_queue second = contract_queue(topic, 1);
    ck_ok(mqc_admin_topic_status(admin, topic, &status, &error));
    ck_assert_uint_eq(status->count, 2); /* empty queues too */
    ck_assert_int_eq(status->messages, 0);
    mqc_admin_result_free(status);
    int64_t before = contract_unix_ms();
    for (int i = 0; i < 3; i++) contract_send_to(producer, &second, "body");
    admins_await_messages(admin, topic, 3);
    ck_ok(mqc_admin_topic_status(admin, topic, &status, &error));
    ck_assert_int_eq(status->messages, 3);
    ck_assert_str_eq(status->queues[0]->queue.topic, topic);
    ck_assert_str_eq(status->queues[0]->queue.broker_name, "broker-a");
    ck_assert_int_eq(status->queues[0]->queue.queue_id, 0);
    ck_assert_int_eq(status->queues[0]->max_offset, 0);
    ck_assert_int_eq(status->queues[0]->last_update_unix_ms, 0);
    ck_assert_int_eq(status->queues[1]->min_offset, 0);
    ck_assert_int_eq(status->queues[1]->max_offset, 3);
    ck_assert_int_ge(status->queues[1]->last_update_unix_ms, before - 60000);
    mqc_admin_result_free(status);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_update_leaves_the_rest)
{
    mqc_error error;
    const mqc_topic_configs *configs;
    mqc_admin *admin = admins_new();
    const char *topic = contract_name("topic");
    mqc_topic_options options = {.read_queues = 3, .write_queues = 2, .message_type = "FIFO"};
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &options, &error));
    options = (mqc_topic_options){.write_queues = 3, .permission = MQC_PERMISSION_READ};
    ck_ok(mqc_admin_update_topic(admin, "DefaultCluster", topic, &options, &error));
    ck_ok(mqc_admin_topic_config(admin, topic, &configs, &error));
    ck_assert_uint_eq(configs->count, 1);
    const mqc_topic_config *config = configs->configs[0];
    ck_assert_str_eq(config->topic, topic);
    ck_assert_str_eq(config->broker_name, "broker-a");
    ck_assert_str_eq(config->cluster, "DefaultCluster");
    ck_assert_int_eq(config->read_queues, 3);
    ck_assert_int_eq(config->write_queues, 3);
    ck_assert_int_eq(config->permission, MQC_PERMISSION_READ);
    ck_assert_str_eq(config->message_type, "FIFO");
    mqc_admin_result_free(configs);
    ck_fails(mqc_admin_update_topic(admin, NULL, contract_name("none"), &options, &error),
             MQC_NOT_FOUND, "create it");
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_topics_of_a_cluster)
{
    mqc_error error;
    const mqc_name_list *topics;
    mqc_admin *admin = admins_new();
    const char *topic = contract_topic(1);
    ck_ok(mqc_admin_topics(admin, NULL, &topics, &error));
    ck_assert(admins_has_name(topics, topic));
    for (size_t i = 1; i < topics->count; i++)
        ck_assert_int_lt(strcmp(topics->names[i - 1], topics->names[i]), 0);
    mqc_admin_result_free(topics);
    ck_ok(mqc_admin_topics(admin, "DefaultCluster", &topics, &error));
    ck_assert(admins_has_name(topics, topic));
    mqc_admin_result_free(topics);
    mqc_admin_free(admin);
}
END_TEST

/* Pulls once, as a group that commits nothing. */
static void pull_alone(const char *group, const char *topic)
{
    mqc_error error;
    mqc_pull_result result;
    mqc_client_options client = contract_client();
    mqc_pull_request request = {.queue = contract_queue(topic, 0), .wait_ms = 10000};
    mqc_pull_consumer *consumer = mqc_pull_consumer_new(
        &(mqc_pull_consumer_options){.client = &client, .group = group}, &error);
    ck_assert_ptr_nonnull(consumer);
    ck_ok(mqc_pull_consumer_pull(consumer, &request, &result, &error));
    ck_assert_int_eq(result.next_offset, 1);
    mqc_delivery_free(result.delivery);
    mqc_pull_consumer_free(consumer);
}

/* Those that have committed an offset, or subscribe: who only pulls is none. */
START_TEST(test_groups_of_a_topic)
{
    mqc_error error;
    const mqc_name_list *groups;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(1), *group = contract_name("group");
    contract_send(producer, topic, "body");
    pull_alone(contract_name("puller"), topic);
    ck_ok(mqc_admin_topic_groups(admin, topic, &groups, &error));
    ck_assert_uint_eq(groups->count, 0);
    mqc_admin_result_free(groups);
    admins_consume(group, topic, 1);
    admins_await_lag(admin, group, topic, 0);
    ck_ok(mqc_admin_topic_groups(admin, topic, &groups, &error));
    ck_assert(admins_has_name(groups, group));
    mqc_admin_result_free(groups);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_offsets_of_a_queue)
{
    mqc_error error;
    int64_t offset = -7, unix_ms = -7;
    mqc_admin *admin = admins_new();
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(1);
    mqc_message_queue queue = contract_queue(topic, 0);
    ck_ok(mqc_admin_oldest_time(admin, &queue, &unix_ms, &error));
    ck_assert_int_eq(unix_ms, -1);
    for (int i = 0; i < 4; i++) contract_send(producer, topic, "body");
    admins_await_messages(admin, topic, 4);
    ck_ok(mqc_admin_max_offset(admin, &queue, &offset, &error));
    ck_assert_int_eq(offset, 4);
    ck_ok(mqc_admin_min_offset(admin, &queue, &offset, &error));
    ck_assert_int_eq(offset, 0);
    ck_ok(mqc_admin_oldest_time(admin, &queue, &unix_ms, &error));
    ck_assert_int_gt(unix_ms, 0);
    ck_ok(mqc_admin_offset_at(admin, &queue, unix_ms, &offset, &error));
    ck_assert_int_eq(offset, 0);
    ck_ok(mqc_admin_offset_at(admin, &queue, contract_unix_ms() + 3600000, &offset, &error));
    ck_assert_int_eq(offset, 4);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

/* The ids of messages have the address that the broker advertises. */
START_TEST(test_mapped_addresses)
{
    mqc_error error;
    mqc_message *message;
    const mqc_topic_status *status;
    mqc_client_options client = contract_client();
    client.address_map = "127.0.0.1=localhost";
    client.tls.server_name = client.tls.enabled ? "localhost" : NULL;
    mqc_admin *admin = mqc_admin_new(&client, &error);
    mqc_producer *producer = contract_producer(NULL);
    const char *topic = contract_topic(1);
    mqc_send_result sent = contract_send(producer, topic, "body");
    ck_ok(mqc_admin_message_by_id(admin, NULL, sent.offset_message_id, &message, &error));
    ck_assert_str_eq(mqc_message_id(message), sent.message_id);
    ck_assert_str_eq(mqc_message_broker_name(message), "broker-a");
    mqc_message_free(message);
    ck_ok(mqc_admin_topic_status(admin, topic, &status, &error));
    mqc_admin_result_free(status);
    mqc_producer_free(producer);
    mqc_admin_free(admin);
}
END_TEST

START_TEST(test_bad_questions)
{
    mqc_error error;
    int64_t offset;
    const mqc_topic_status *status;
    const mqc_topic_configs *configs;
    const mqc_name_list *names;
    mqc_admin *admin = admins_new();
    const char *topic = contract_topic(1), *none = contract_name("none");
    mqc_topic_options loud = {.message_type = "LOUD"}, elsewhere = {.broker_name = "broker-z"};
    mqc_message_queue far = contract_queue(topic, 0), nowhere = contract_queue(topic, 0);
    far.queue_id = -1;
    nowhere.broker_name = "broker-z";
    ck_fails(mqc_admin_topic_status(admin, none, &status, &error), MQC_NO_ROUTE, none);
    ck_assert_ptr_null(status);
    ck_fails(mqc_admin_topic_status(admin, "a b", &status, &error), MQC_BAD_ARGUMENT, "a b");
    ck_fails(mqc_admin_topic_status(admin, topic, NULL, &error), MQC_BAD_ARGUMENT, "NULL");
    ck_fails(mqc_admin_topic_status(NULL, topic, &status, &error), MQC_BAD_ARGUMENT, "NULL");
    ck_fails(mqc_admin_topic_config(admin, none, &configs, &error), MQC_NO_ROUTE, none);
    ck_fails(mqc_admin_topic_groups(admin, none, &names, &error), MQC_NO_ROUTE, none);
    ck_fails(mqc_admin_create_topic(admin, NULL, none, &loud, &error), MQC_BAD_ARGUMENT, "LOUD",
             "FIFO");
    ck_fails(mqc_admin_create_topic(admin, NULL, none, &elsewhere, &error), MQC_NOT_FOUND,
             "broker-z", "broker-a");
    ck_fails(mqc_admin_max_offset(admin, NULL, &offset, &error), MQC_BAD_ARGUMENT, "queue");
    ck_fails(mqc_admin_max_offset(admin, &far, &offset, &error), MQC_BAD_ARGUMENT, "from 0");
    ck_fails(mqc_admin_min_offset(admin, &nowhere, &offset, &error), MQC_NO_ROUTE, "broker-z");
    ck_fails(mqc_admin_min_offset(admin, &far, NULL, &error), MQC_BAD_ARGUMENT, "NULL");
    mqc_admin_free(admin);
}
END_TEST

CONTRACT_MAIN("admin of topics", test_status_counts_messages, test_update_leaves_the_rest,
              test_topics_of_a_cluster, test_groups_of_a_topic, test_offsets_of_a_queue,
              test_mapped_addresses, test_bad_questions)
