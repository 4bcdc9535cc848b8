/* Checks and defaults of the option structs. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/client/option_table.h"
#include "lib/client/options.h"
#include "test/unit/client/option_checks.h"

static mqc_order_status listen_in_order(mqc_delivery *delivery, void *arg)
{
    (void)delivery, (void)arg;
    return MQC_ORDER_SUCCESS;
}

#define AT(servers)       (&(mqc_client_options){.name_servers = (servers)})
#define PRODUCER_OF(name) (&(mqc_producer_options){.client = &HERE, .group = (name)})
#define CONSUMER_OF(name, to)                                                                      \
    (&(mqc_push_consumer_options){.client = &HERE, .group = (name), .listener = (to)})
#define CLIENT(...)   (&(mqc_client_options){.name_servers = "127.0.0.1:9876", __VA_ARGS__})
#define PRODUCER(...) (&(mqc_producer_options){.client = &HERE, .group = "g", __VA_ARGS__})
/* For texts that another file of the library makes up. */
#define CHECK_REFUSED_ABOUT(call, part)                                                            \
    do {                                                                                           \
        mqc_error *error = &(mqc_error){0};                                                        \
        ck_assert_int_eq((call), MQC_BAD_ARGUMENT);                                                \
        ck_assert_msg(strstr(error->text, part) != NULL, "no '%s' in: %s", part, error->text);     \
    } while (0)

START_TEST(good_options_pass)
{
    no_environment();
    CHECK_OK(options_check_client(&HERE, error));
    CHECK_OK(options_check_producer(PRODUCER(.retries = -1, .attempt_timeout_ms = -1), error));
    CHECK_OK(options_check_push_consumer(CONSUMER(.max_reconsume_times = -1), error));
    CHECK_OK(
        options_check_push_consumer(CONSUMER(.from = MQC_FROM_TIME, .from_unix_ms = 1), error));
    CHECK_OK(options_check_client(
        CLIENT(.access_key = "a", .secret_key = "s", .security_token = "t", .idle_close_ms = -1),
        error));
    mqc_tls_options tls = {.enabled = true,
                           .ca_file = "ca",
                           .certificate_file = "c",
                           .key_file = "k",
                           .key_password = "p",
                           .server_name = "n"};
    CHECK_OK(options_check_client(CLIENT(.tls = tls), error));
}
END_TEST

START_TEST(numbers_out_of_range_name_field_and_range)
{
    CHECK_REFUSED(options_check_producer(PRODUCER(.send_timeout_ms = -5), error),
                  "sendMsgTimeout (send_timeout_ms) is -5: give 1 to 600000 ms, or 0 for the "
                  "default 3000");
    CHECK_REFUSED(options_check_producer(PRODUCER(.send_timeout_ms = 600001), error),
                  "sendMsgTimeout (send_timeout_ms) is 600001: give 1 to 600000 ms, or 0 for the "
                  "default 3000");
    CHECK_REFUSED(options_check_producer(PRODUCER(.send_timeout_ms = -1), error),
                  "sendMsgTimeout (send_timeout_ms) is -1: give 1 to 600000 ms, or 0 for the "
                  "default 3000");
    CHECK_REFUSED(options_check_producer(PRODUCER(.retries = -2), error),
                  "retryTimesWhenSendFailed (retries) is -2: give 1 to 1000, -1 for none, or 0 for "
                  "the default 2");
    CHECK_REFUSED(
        options_check_producer(PRODUCER(.attempt_timeout_ms = -2), error),
        "sendMsgMaxTimeoutPerRequest (attempt_timeout_ms) is -2: give 1 to 600000 ms, or 0 "
        "for none");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.threads = INT_MAX), error),
                  "consumeThreadMax (threads) is 2147483647: give 1 to 1000 threads, or 0 for the "
                  "default 20");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.threads = 4, .threads_min = 5), error),
                  "consumeThreadMin (threads_min) is 5: it must not be above consumeThreadMax "
                  "(threads), which is 4");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.pull_interval_ms = -1), error),
                  "pullInterval (pull_interval_ms) is -1: give 1 to 65535 ms, or 0 for the default "
                  "0");
    CHECK_REFUSED(
        options_check_client(CLIENT(.heartbeat_ms = INT_MIN), error),
        "heartbeatBrokerInterval (heartbeat_ms) is -2147483648: give 10 to 110000 ms, or 0 "
        "for the default 30000");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.from = (mqc_consume_from)3), error),
                  "consumeFromWhere (from) is 3: give the constant for one of "
                  "CONSUME_FROM_LAST_OFFSET, CONSUME_FROM_FIRST_OFFSET, CONSUME_FROM_TIMESTAMP");
    CHECK_REFUSED(
        options_check_push_consumer(CONSUMER(.from = MQC_FROM_TIME, .from_unix_ms = -1), error),
        "consumeTimestamp (from_unix_ms) is -1: give milliseconds since 1970, or 0 for the default "
        "(half an hour ago)");
}
END_TEST

static mqc_status check_role(enum option_role role, const void *options, mqc_error *error)
{
    switch (role) {
    case OPTION_ROLE_CLIENT: return options_check_client(options, error);
    case OPTION_ROLE_PRODUCER: return options_check_producer(options, error);
    case OPTION_ROLE_PUSH_CONSUMER: return options_check_push_consumer(options, error);
    case OPTION_ROLE_LITE_CONSUMER: return options_check_lite_consumer(options, error);
    }
    return MQC_OK;
}

union any_options {
    mqc_client_options client;
    mqc_producer_options producer;
    mqc_push_consumer_options push_consumer;
    mqc_lite_consumer_options lite_consumer;
};

static union any_options good(enum option_role role)
{
    union any_options options = {.client = HERE};
    if (role == OPTION_ROLE_PRODUCER) options = (union any_options){.producer = *PRODUCER(0)};
    if (role == OPTION_ROLE_PUSH_CONSUMER)
        options = (union any_options){.push_consumer = *CONSUMER(0)};
    if (role == OPTION_ROLE_LITE_CONSUMER)
        options = (union any_options){.lite_consumer = {.client = &HERE, .group = "g"}};
    return options;
}

static mqc_status check_with(const struct option *option, int number, mqc_error *error)
{
    union any_options options = good(option->role);
    memcpy((char *)&options + option->offset, &number, sizeof number);
    return check_role(option->role, &options, error);
}

START_TEST(every_number_has_its_bounds)
{
    no_environment();
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        if (option->type != OPTION_TYPE_NUMBER) continue;
        int least = option->least > 0 ? option->least : 1;
        CHECK_OK(check_with(option, 0, error));
        CHECK_OK(check_with(option, least, error));
        CHECK_OK(check_with(option, option->most, error));
        ck_assert_int_eq(check_with(option, -1, NULL),
                         option->none == NOT_NONE ? MQC_BAD_ARGUMENT : MQC_OK);
        ck_assert_int_eq(check_with(option, -2, NULL), MQC_BAD_ARGUMENT);
        if (least > 1) ck_assert_int_eq(check_with(option, least - 1, NULL), MQC_BAD_ARGUMENT);
        if (option->most < INT_MAX)
            ck_assert_int_eq(check_with(option, option->most + 1, NULL), MQC_BAD_ARGUMENT);
    }
}
END_TEST

START_TEST(no_text_may_be_empty)
{
    no_environment();
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        if (option->type != OPTION_TYPE_TEXT) continue;
        union any_options options = good(option->role);
        const char *empty = "";
        memcpy((char *)&options + option->offset, &empty, sizeof empty);
        ck_assert_msg(check_role(option->role, &options, NULL) == MQC_BAD_ARGUMENT,
                      "an empty %s passed", option->description.name);
    }
    CHECK_REFUSED(options_check_client(CLIENT(.access_key = ""), error),
                  "accessKey (access_key) is empty: give it a value, or NULL for the default "
                  "(none)");
}
END_TEST

START_TEST(groups_are_checked)
{
    CHECK_REFUSED(options_check_producer(PRODUCER_OF(NULL), error),
                  "producerGroup (group) is missing: give the group's name");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER_OF(NULL, listen_to), error),
                  "consumerGroup (group) is missing: give the group's name");
    CHECK_REFUSED(
        options_check_producer(PRODUCER_OF("DEFAULT_PRODUCER"), error),
        "producerGroup (group) is \"DEFAULT_PRODUCER\", which is reserved: give a name of "
        "your own");
    CHECK_REFUSED_ABOUT(options_check_producer(PRODUCER_OF("a b"), error), "a b");
    CHECK_REFUSED_ABOUT(options_check_push_consumer(CONSUMER_OF("a b", listen_to), error),
                        "consumerGroup");
    CHECK_REFUSED_ABOUT(options_check_producer(PRODUCER(.create_topic_key = "a b"), error), "a b");
    CHECK_REFUSED_ABOUT(options_check_producer(PRODUCER(.topics = "good;a b"), error), "a b");
    CHECK_OK(options_check_producer(PRODUCER(.topics = "a; b ;;c;"), error));
    CHECK_REFUSED_ABOUT(options_check_producer(NULL, error), "needs a group");
    CHECK_REFUSED_ABOUT(options_check_push_consumer(NULL, error), "needs a group");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER_OF("g", NULL), error),
                  "listener is missing: give the function that takes the messages, or set polled "
                  "and call mqc_push_consumer_poll");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.polled = true), error),
                  "listener and polled are both given: messages go to one of them");
    CHECK_REFUSED(options_check_push_consumer(CONSUMER(.orderly_listener = listen_in_order), error),
                  "orderly_listener and listener are both given: messages go to one of them");
    mqc_push_consumer_options orderly = *CONSUMER_OF("g", NULL);
    orderly.orderly_listener = listen_in_order;
    CHECK_OK(options_check_push_consumer(&orderly, error));
    ck_assert_int_eq(options_fill_push_consumer(&orderly).max_reconsume_times, INT32_MAX);
    orderly.pop = true;
    CHECK_OK(options_check_push_consumer(&orderly, error));
    orderly.pop = false;
    orderly.max_reconsume_times = 3;
    ck_assert_int_eq(options_fill_push_consumer(&orderly).max_reconsume_times, 3);
    ck_assert_int_eq(options_fill_push_consumer(CONSUMER(.threads_min = 30)).threads, 30);
}
END_TEST

START_TEST(name_servers_are_checked)
{
    no_environment();
    CHECK_REFUSED(options_check_client(NULL, error),
                  "no name server is known: give namesrvAddr (name_servers) as "
                  "\"host:port;host:port\" or set NAMESRV_ADDR, or give nameServerDomain "
                  "(name_server_domain)");
    CHECK_OK(options_check_client(&(mqc_client_options){.name_server_domain = "d"}, error));
    CHECK_OK(options_check_client(AT(";a:1; b:2 ;[::1]:3;"), error));
    CHECK_REFUSED(options_check_client(AT(" ; "), error),
                  "namesrvAddr (name_servers) is \" ; \": give \"host:port;host:port\"");
    CHECK_REFUSED_ABOUT(options_check_client(AT("a:1;b"), error), "namesrvAddr (name_servers): ");
    CHECK_REFUSED_ABOUT(options_check_client(AT("a:70000"), error), "a:70000");
    /* Through the roles too. */
    CHECK_REFUSED_ABOUT(options_check_producer((&(mqc_producer_options){.group = "g"}), error),
                        "NAMESRV_ADDR");
    CHECK_REFUSED_ABOUT(
        options_check_push_consumer(
            (&(mqc_push_consumer_options){.group = "g", .listener = listen_to}), error),
        "NAMESRV_ADDR");
}
END_TEST

START_TEST(the_environment_is_the_default)
{
    setenv("NAMESRV_ADDR", "e:1", 1);
    CHECK_OK(options_check_client(NULL, error));
    ck_assert_str_eq(options_fill_client(NULL).name_servers, "e:1");
    ck_assert_str_eq(options_fill_client(&HERE).name_servers, "127.0.0.1:9876");
    setenv("NAMESRV_ADDR", "nonsense", 1);
    CHECK_REFUSED_ABOUT(options_check_client(NULL, error), "NAMESRV_ADDR: ");
    CHECK_OK(options_check_client(&HERE, error));
    setenv("NAMESRV_ADDR", "", 1);
    CHECK_REFUSED_ABOUT(options_check_client(NULL, error), "no name server is known");
    ck_assert_ptr_null(options_fill_client(NULL).name_servers);
}
END_TEST

static bool no_credentials(mqc_credentials *credentials, void *arg)
{
    (void)credentials;
    (void)arg;
    return false;
}

START_TEST(settings_that_contradict_each_other)
{
    CHECK_REFUSED(
        options_check_client(CLIENT(.access_key = "a"), error),
        "accessKey (access_key) is given without secretKey (secret_key): ACL needs both or "
        "neither");
    CHECK_REFUSED(
        options_check_client(CLIENT(.secret_key = "s"), error),
        "secretKey (secret_key) is given without accessKey (access_key): ACL needs both or "
        "neither");
    CHECK_REFUSED_ABOUT(options_check_client(CLIENT(.security_token = "t"), error),
                        "securityToken (security_token) is given without accessKey");
    CHECK_REFUSED(options_check_client(CLIENT(.tls.ca_file = "ca"), error),
                  "tlsCaFile (tls.ca_file) is given, but TLS is not enabled: set useTLS "
                  "(tls.enabled) too");
    CHECK_REFUSED_ABOUT(options_check_client(CLIENT(.tls.skip_verify = true), error),
                        "tlsSkipVerify (tls.skip_verify) is given, but TLS is not enabled");
    CHECK_REFUSED_ABOUT(
        options_check_client(CLIENT(.tls.enabled = true, .tls.certificate_file = "c"), error),
        "give tlsKeyFile (tls.key_file) too");
    CHECK_REFUSED_ABOUT(
        options_check_client(CLIENT(.tls.enabled = true, .tls.key_file = "k"), error),
        "give tlsCertificateFile (tls.certificate_file) too");
    CHECK_REFUSED_ABOUT(
        options_check_client(CLIENT(.tls.enabled = true, .tls.key_password = "p"), error),
        "tlsKeyPassword (tls.key_password) is given without a key");
    CHECK_REFUSED_ABOUT(options_check_client(CLIENT(.tls_crl_file = "c"), error),
                        "tlsCrlFile (tls_crl_file) is given, but TLS is not enabled");
    CHECK_REFUSED_ABOUT(
        options_check_client(
            CLIENT(.tls.enabled = true, .tls.skip_verify = true, .tls_crl_file = "c"), error),
        "nobody would look into the file");
    CHECK_REFUSED_ABOUT(
        options_check_client(
            CLIENT(.access_key = "a", .secret_key = "s", .get_credentials = no_credentials), error),
        "accessKey (access_key) and get_credentials are both given");
    CHECK_REFUSED_ABOUT(options_check_push_consumer(CONSUMER(.from_unix_ms = 1), error),
                        "give both or neither");
}
END_TEST

START_TEST(secrets_are_not_in_errors)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = "x", .access_key = "a", .secret_key = "geheim"};
    ck_assert_int_eq(options_check_client(&client, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_null(strstr(error.text, "geheim"));
    client = (mqc_client_options){.name_servers = "x:1", .secret_key = "geheim"};
    ck_assert_int_eq(options_check_client(&client, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_null(strstr(error.text, "geheim"));
}
END_TEST

START_TEST(zeros_become_defaults)
{
    no_environment();
    mqc_client_options client = options_fill_client(NULL);
    ck_assert_int_eq(client.route_refresh_ms, 30000);
    ck_assert_int_eq(client.connect_timeout_ms, 3000);
    ck_assert_int_eq(client.idle_close_ms, 120000);
    ck_assert_int_eq(client.callback_threads, 2);
    ck_assert_ptr_null(client.instance_name);

    mqc_producer_options producer = options_fill_producer(PRODUCER(0));
    ck_assert_ptr_eq(producer.client, &HERE);
    ck_assert_int_eq(producer.send_timeout_ms, 3000);
    ck_assert_int_eq(producer.attempt_timeout_ms, -1);
    ck_assert_int_eq(producer.retries, 2);
    ck_assert_int_eq(producer.async_retries, 2);
    ck_assert_int_eq(producer.max_message_bytes, 4 << 20);
    ck_assert_str_eq(producer.create_topic_key, "TBW102");
    ck_assert_int_eq(producer.default_topic_queues, 4);

    int64_t half_an_hour_ago = clock_unix_ms() - 1800000;
    mqc_push_consumer_options consumer = options_fill_push_consumer(CONSUMER(0));
    ck_assert(consumer.listener == listen_to);
    ck_assert_int_eq(consumer.threads, 20);
    ck_assert_int_eq(consumer.pull_batch_bytes, 262144);
    ck_assert_int_eq(consumer.pull_interval_ms, 0);
    ck_assert_int_eq(consumer.max_reconsume_times, 16);
    ck_assert(consumer.from_unix_ms >= half_an_hour_ago &&
              consumer.from_unix_ms <= clock_unix_ms() - 1800000);
}
END_TEST

START_TEST(what_is_given_stays_and_none_is_none)
{
    mqc_client_options client = options_fill_client(
        CLIENT(.idle_close_ms = -1, .heartbeat_ms = 77, .instance_name = "mine"));
    ck_assert_int_eq(client.idle_close_ms, -1);
    ck_assert_int_eq(client.heartbeat_ms, 77);
    ck_assert_str_eq(client.instance_name, "mine");
    ck_assert_ptr_null(options_fill_client(CLIENT(.instance_name = "DEFAULT")).instance_name);
    mqc_producer_options producer =
        options_fill_producer(PRODUCER(.retries = -1, .async_retries = -1, .attempt_timeout_ms = 9,
                                       .create_topic_key = "k"));
    ck_assert_int_eq(producer.retries, 0);
    ck_assert_int_eq(producer.async_retries, 0);
    ck_assert_int_eq(producer.attempt_timeout_ms, 9);
    ck_assert_str_eq(producer.create_topic_key, "k");
    mqc_push_consumer_options consumer = options_fill_push_consumer(
        CONSUMER(.max_reconsume_times = -1, .from = MQC_FROM_TIME, .from_unix_ms = 5));
    ck_assert_int_eq(consumer.max_reconsume_times, 0);
    ck_assert(consumer.from_unix_ms == 5);
}
END_TEST

/* Filled options are good options for every field that has no "none". */
START_TEST(defaults_are_within_their_ranges)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        if (option->type == OPTION_TYPE_NUMBER && option->none == NOT_NONE)
            CHECK_OK(check_with(option, option->fallback, error));
    }
}
END_TEST

static Suite *options_suite(void)
{
    Suite *suite = suite_create("options");
    UNIT_CASE(suite, "check", good_options_pass, numbers_out_of_range_name_field_and_range,
              every_number_has_its_bounds, no_text_may_be_empty, groups_are_checked,
              name_servers_are_checked, the_environment_is_the_default,
              settings_that_contradict_each_other, secrets_are_not_in_errors);
    UNIT_CASE(suite, "fill", zeros_become_defaults, what_is_given_stays_and_none_is_none,
              defaults_are_within_their_ranges);
    return suite;
}

TEST_MAIN(options_suite)
