/* Every wrong use is an error that says what is wrong and what would be right. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/collector.h"

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)delivery;
    (void)arg;
    return MQC_CONSUME_SUCCESS;
}

/* What the constructors answer, as a status. */
static mqc_status new_producer(const mqc_producer_options *options, mqc_error *error)
{
    mqc_producer *producer = mqc_producer_new(options, error);
    mqc_producer_free(producer);
    return producer ? MQC_OK : error->status;
}

static mqc_status new_consumer(const mqc_push_consumer_options *options, mqc_error *error)
{
    mqc_push_consumer *consumer = mqc_push_consumer_new(options, error);
    mqc_push_consumer_free(consumer);
    return consumer ? MQC_OK : error->status;
}

static mqc_status with_client(const mqc_client_options *client, mqc_error *error)
{
    return new_producer(&(mqc_producer_options){.client = client, .group = "group"}, error);
}

static mqc_status with_group(const char *group, mqc_error *error)
{
    mqc_client_options client = contract_client();
    return new_producer(&(mqc_producer_options){.client = &client, .group = group}, error);
}

static mqc_status with_consumer_group(const char *group, mqc_error *error)
{
    mqc_client_options client = contract_client();
    return new_consumer(
        &(mqc_push_consumer_options){.client = &client, .group = group, .listener = take}, error);
}

/* ---- options by name ---- */

START_TEST(test_options_by_name)
{
    mqc_error error;
    mqc_options *options = mqc_options_new();
    ck_fails(mqc_options_set(options, "sendTimeout", "5", &error), MQC_BAD_ARGUMENT, "sendTimeout",
             "sendMsgTimeout");
    ck_fails(mqc_options_set(options, "no such thing at all", "5", &error), MQC_BAD_ARGUMENT,
             "no such thing at all");
    ck_fails(mqc_options_set(options, "sendMsgTimeout", "soon", &error), MQC_BAD_ARGUMENT, "soon",
             "600000");
    ck_fails(mqc_options_set(options, "sendMsgTimeout", "0", &error), MQC_BAD_ARGUMENT,
             "1 to 600000 ms");
    ck_fails(mqc_options_set(options, "useTLS", "perhaps", &error), MQC_BAD_ARGUMENT, "yes or no");
    ck_fails(mqc_options_read_file(options, "/no/such/file", &error), MQC_SYSTEM, "/no/such/file");
    mqc_options_free(options);
}
END_TEST

/* ---- option structs ---- */

START_TEST(test_option_out_of_range)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    client.heartbeat_ms = -5;
    ck_fails(with_client(&client, &error), MQC_BAD_ARGUMENT, "heartbeat_ms", "-5", "110000");
    client = contract_client();
    mqc_producer_options producer = {
        .client = &client, .group = "group", .max_message_bytes = 1 << 30};
    ck_fails(new_producer(&producer, &error), MQC_BAD_ARGUMENT, "max_message_bytes", "16777216");
    mqc_push_consumer_options consumer = {
        .client = &client, .group = "group", .listener = take, .threads = 1001};
    ck_fails(new_consumer(&consumer, &error), MQC_BAD_ARGUMENT, "threads", "1001", "1000");
    consumer = (mqc_push_consumer_options){
        .client = &client, .group = "group", .listener = take, .from_unix_ms = 1};
    ck_fails(new_consumer(&consumer, &error), MQC_BAD_ARGUMENT, "from_unix_ms", "MQC_FROM_TIME");
    ck_fails(new_producer(NULL, &error), MQC_BAD_ARGUMENT, "group");
    ck_fails(new_consumer(NULL, &error), MQC_BAD_ARGUMENT, "group");
}
END_TEST

START_TEST(test_bad_addresses)
{
    static const char *const BAD[] = {"nowhere",       "host:",    ":9876",
                                      "host:99999",    "host:12x", "[::1:9876",
                                      "host:9876;bad", " ",        "127.0.0.1:0"};
    mqc_error error;
    mqc_client_options client = contract_client();
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        client.name_servers = BAD[i];
        memset(&error, 0, sizeof error);
        ck_assert_msg(with_client(&client, &error) == MQC_BAD_ARGUMENT, "\"%s\" was accepted",
                      BAD[i]);
        ck_assert_msg(strstr(error.text, "name_servers") != NULL, "%s", error.text);
    }
    client.name_servers = "";
    ck_fails(with_client(&client, &error), MQC_BAD_ARGUMENT, "name_servers", "empty");
}
END_TEST

START_TEST(test_no_name_server)
{
    mqc_error error;
    unsetenv("NAMESRV_ADDR");
    ck_fails(with_client(NULL, &error), MQC_BAD_ARGUMENT, "name_servers", "NAMESRV_ADDR");
    setenv("NAMESRV_ADDR", "nowhere", 1);
    ck_fails(with_client(NULL, &error), MQC_BAD_ARGUMENT, "NAMESRV_ADDR", "nowhere");
    setenv("NAMESRV_ADDR", "127.0.0.1:9876", 1);
    ck_ok(with_client(NULL, &error));
}
END_TEST

START_TEST(test_bad_groups)
{
    mqc_error error;
    char long_name[122] = "";
    memset(long_name, 'g', 121);
    ck_fails(with_group(NULL, &error), MQC_BAD_ARGUMENT, "producerGroup", "missing");
    ck_fails(with_group("", &error), MQC_BAD_ARGUMENT, "producerGroup", "120");
    ck_fails(with_group("a b", &error), MQC_BAD_ARGUMENT, "a b", "letters");
    ck_fails(with_group("gruppe-ö", &error), MQC_BAD_ARGUMENT, "letters");
    ck_fails(with_group(long_name, &error), MQC_BAD_ARGUMENT, "121", "120");
    ck_fails(with_group("DEFAULT_PRODUCER", &error), MQC_BAD_ARGUMENT, "reserved");
    ck_fails(with_consumer_group(NULL, &error), MQC_BAD_ARGUMENT, "consumerGroup", "missing");
    ck_fails(with_consumer_group("a.b", &error), MQC_BAD_ARGUMENT, "a.b", "letters");
    ck_fails(with_consumer_group("DEFAULT_CONSUMER", &error), MQC_BAD_ARGUMENT, "reserved");
    long_name[120] = '\0';
    ck_ok(with_group(long_name, &error));
    ck_ok(with_consumer_group("%Group_1|x-Y", &error));
}
END_TEST

START_TEST(test_no_listener)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = {.client = &client, .group = "group"};
    ck_fails(new_consumer(&options, &error), MQC_BAD_ARGUMENT, "listener");
}
END_TEST

START_TEST(test_settings_that_contradict)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = "127.0.0.1:9876", .access_key = "key"};
    ck_fails(with_client(&client, &error), MQC_BAD_ARGUMENT, "secret_key", "both or neither");
    client = (mqc_client_options){.name_servers = "127.0.0.1:9876", .tls.ca_file = "ca.pem"};
    ck_fails(with_client(&client, &error), MQC_BAD_ARGUMENT, "tls.ca_file", "tls.enabled");
    client = (mqc_client_options){.name_servers = "127.0.0.1:9876",
                                  .tls = {.enabled = true, .certificate_file = "cert.pem"}};
    ck_fails(with_client(&client, &error), MQC_BAD_ARGUMENT, "tls.key_file");
}
END_TEST

START_TEST(test_tls_files_that_are_not_there)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = "127.0.0.1:9",
                                 .tls = {.enabled = true, .ca_file = "/no/such/ca.pem"}};
    mqc_producer_options options = {.client = &client, .group = "group"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_status status = producer ? mqc_producer_start(producer, &error) : error.status;
    mqc_producer_free(producer);
    ck_assert_int_eq(status, MQC_TLS);
    ck_assert_msg(strstr(error.text, "/no/such/ca.pem") != NULL, "%s", error.text);
}
END_TEST

/* ---- messages ---- */

START_TEST(test_bad_properties)
{
    mqc_error error;
    mqc_message *message = mqc_message_new("topic", "body", 4);
    ck_fails(mqc_message_set_property(message, "TAGS", "x", &error), MQC_BAD_ARGUMENT, "TAGS");
    ck_fails(mqc_message_set_property(message, "UNIQ_KEY", "x", &error), MQC_BAD_ARGUMENT,
             "UNIQ_KEY");
    ck_fails(mqc_message_set_property(message, "", "x", &error), MQC_BAD_ARGUMENT, "empty");
    ck_fails(mqc_message_set_property(message, "name", "", &error), MQC_BAD_ARGUMENT, "name",
             "empty");
    ck_assert_int_eq(mqc_message_set_property(message, "na\1me", "x", &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_message_set_property(message, "name", "x\2y", &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_message_set_keys(message, "x\1y", &error), MQC_BAD_ARGUMENT);
    ck_fails(mqc_message_set_tag(message, "a||b", &error), MQC_BAD_ARGUMENT, "||");
    ck_fails(mqc_message_set_delay_level(message, 19, &error), MQC_BAD_ARGUMENT, "19", "18");
    ck_fails(mqc_message_set_delay_level(message, -1, &error), MQC_BAD_ARGUMENT, "-1", "18");
    ck_ok(mqc_message_set_delay_level(message, 18, &error));
    ck_ok(mqc_message_set_delay_level(message, 0, &error));
    ck_ok(mqc_message_set_tag(message, NULL, &error));
    mqc_message_free(message);
}
END_TEST

START_TEST(test_too_many_properties)
{
    mqc_error error;
    char value[8192];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = mqc_message_new(contract_topic(1), "body", 4);
    mqc_status status = MQC_OK;
    for (int i = 0; i < 5 && status == MQC_OK; i++) {
        char name[16];
        snprintf(name, sizeof name, "property%d", i);
        status = mqc_message_set_property(message, name, value, &error);
    }
    if (status == MQC_OK) status = mqc_producer_send(producer, message, NULL, NULL, &error);
    ck_assert_int_eq(status, MQC_TOO_BIG);
    ck_assert_msg(strstr(error.text, "32767") != NULL, "%s", error.text);
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_bad_send_options)
{
    mqc_error error;
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = mqc_message_new(contract_topic(1), "body", 4);
    mqc_send_options options = {.timeout_ms = -1};
    ck_fails(mqc_producer_send(producer, message, &options, NULL, &error), MQC_BAD_ARGUMENT,
             "timeout_ms", "-1");
    ck_fails(mqc_producer_send(producer, NULL, NULL, NULL, &error), MQC_BAD_ARGUMENT, "message");
    ck_fails(mqc_producer_send_async(producer, message, NULL, NULL, NULL, &error), MQC_BAD_ARGUMENT,
             "done");
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

/* ---- subscriptions ---- */

START_TEST(test_bad_subscriptions)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = {
        .client = &client, .group = contract_name("group"), .listener = take};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_ptr_nonnull(consumer);
    ck_fails(mqc_push_consumer_subscribe(consumer, "a b", "*", &error), MQC_BAD_ARGUMENT, "a b",
             "letters");
    ck_fails(mqc_push_consumer_subscribe(consumer, "", "*", &error), MQC_BAD_ARGUMENT, "topic");
    ck_fails(mqc_push_consumer_subscribe(consumer, NULL, "*", &error), MQC_BAD_ARGUMENT, "topic");
    ck_fails(mqc_push_consumer_subscribe(consumer, "topic", "||", &error), MQC_BAD_ARGUMENT, "||");
    ck_fails(mqc_push_consumer_unsubscribe(consumer, NULL, &error), MQC_BAD_ARGUMENT, "topic");
    mqc_push_consumer_free(consumer);
}
END_TEST

START_TEST(test_errors_need_not_be_asked_for)
{
    mqc_client_options client = contract_client();
    ck_assert_ptr_null(mqc_producer_new(NULL, NULL));
    ck_assert_ptr_null(mqc_push_consumer_new(NULL, NULL));
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "group"}, NULL);
    mqc_message *message = mqc_message_new("topic", "body", 4);
    ck_assert_int_eq(mqc_producer_send(producer, message, NULL, NULL, NULL), MQC_WRONG_STATE);
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("bad input", test_options_by_name, test_option_out_of_range, test_bad_addresses,
              test_no_name_server, test_bad_groups, test_no_listener, test_settings_that_contradict,
              test_tls_files_that_are_not_there, test_bad_properties, test_too_many_properties,
              test_bad_send_options, test_bad_subscriptions, test_errors_need_not_be_asked_for)
