/* Options by name: setting, reading files, pouring into structs. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mqclient/options.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

static mqc_options *bag(void)
{
    mqc_options *options = mqc_options_new();
    ck_assert_ptr_nonnull(options);
    return options;
}

static void set(mqc_options *options, const char *name, const char *value)
{
    mqc_error error;
    ck_assert_msg(mqc_options_set(options, name, value, &error) == MQC_OK, "%s=%s: %s", name, value,
                  error.text);
}

static void refused(mqc_options *options, const char *name, const char *value, const char *reason)
{
    mqc_error error;
    ck_assert_int_eq(mqc_options_set(options, name, value, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text, reason);
    ck_assert_int_eq(mqc_options_set(options, name, value, NULL), MQC_BAD_ARGUMENT);
}

START_TEST(settings_reach_their_fields)
{
    mqc_options *options = bag();
    set(options, "namesrvAddr", "a:1");
    set(options, "namesrvAddr", "b:2;c:3"); /* the last one counts */
    set(options, "useTLS", "true");
    set(options, "tlsCaFile", "/ca.pem");
    set(options, "mqClientApiTimeout", "7");
    set(options, "producerGroup", "p");
    set(options, "retryTimesWhenSendFailed", "0");
    set(options, "retryAnotherBrokerWhenNotStoreOK", "yes");
    set(options, "consumerGroup", "c");
    set(options, "consumeFromWhere", "CONSUME_FROM_TIMESTAMP");
    set(options, "consumeTimestamp", "1709200800000");
    set(options, "consumeConcurrentlyMaxSpan", "65535");

    mqc_client_options client = {.unit_name = "kept", .heartbeat_ms = 5};
    mqc_options_to_client(options, &client);
    ck_assert_str_eq(client.name_servers, "b:2;c:3");
    ck_assert_str_eq(client.unit_name, "kept");
    ck_assert_str_eq(client.tls.ca_file, "/ca.pem");
    ck_assert(client.tls.enabled && !client.tls.skip_verify);
    ck_assert_int_eq(client.request_timeout_ms, 7);
    ck_assert_int_eq(client.heartbeat_ms, 5);

    mqc_producer_options producer = {.group = "old", .max_message_bytes = 9};
    mqc_options_to_producer(options, &producer);
    ck_assert_str_eq(producer.group, "p");
    ck_assert_int_eq(producer.retries, -1);
    ck_assert(producer.retry_other_broker_when_not_stored_ok);
    ck_assert_int_eq(producer.max_message_bytes, 9);
    ck_assert_ptr_null(producer.client);

    mqc_push_consumer_options consumer = {.threads = 1};
    mqc_options_to_push_consumer(options, &consumer);
    ck_assert_str_eq(consumer.group, "c");
    ck_assert_int_eq(consumer.from, MQC_FROM_TIME);
    ck_assert(consumer.from_unix_ms == 1709200800000);
    ck_assert_int_eq(consumer.queue_max_span, 65535);
    ck_assert_int_eq(consumer.threads, 1);
    mqc_options_free(options);
}
END_TEST

START_TEST(a_setting_can_be_taken_back)
{
    mqc_options *options = bag();
    set(options, "useTLS", "yes");
    set(options, "useTLS", "no");
    mqc_client_options client = {.tls.enabled = true};
    mqc_options_to_client(options, &client);
    ck_assert(!client.tls.enabled);
    mqc_options_free(options);
}
END_TEST

START_TEST(wrong_settings_change_nothing)
{
    mqc_options *options = bag();
    set(options, "sendMsgTimeout", "10");
    refused(options, "sendMsgTimeout", "ten", "sendMsgTimeout is \"ten\": give 1 to 600000 ms");
    refused(options, "secretKey", "",
            "secretKey is empty: give it a value or leave the option out");
    refused(options, "sendMsgTimeOut", "5",
            "there is no option \"sendMsgTimeOut\": did you mean \"sendMsgTimeout\"?");
    refused(options, "quux", "5",
            "there is no option \"quux\": docs/options.md and mqc_options_each list them");
    ck_assert_int_eq(mqc_options_set(options, NULL, "x", NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_options_set(options, "useTLS", NULL, NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(mqc_options_set(NULL, "useTLS", "yes", NULL), MQC_BAD_ARGUMENT);
    mqc_producer_options producer = {0};
    mqc_options_to_producer(options, &producer);
    ck_assert_int_eq(producer.send_timeout_ms, 10);
    mqc_options_free(options);
    mqc_options_free(NULL);
}
END_TEST

START_TEST(no_memory_is_an_error_and_loses_nothing)
{
    long before = memory_live_blocks();
    memory_fail_from(1);
    ck_assert_ptr_null(mqc_options_new());
    memory_fail_from(0);
    mqc_options *options = bag();
    set(options, "accessKey", "first");
    memory_fail_from(1);
    ck_assert_int_eq(mqc_options_set(options, "accessKey", "second", NULL), MQC_NO_MEMORY);
    memory_fail_from(0);
    mqc_client_options client = {0};
    mqc_options_to_client(options, &client);
    ck_assert_str_eq(client.access_key, "first");
    mqc_options_free(options);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

/* A file with the given bytes; its name lives until the next call. */
static const char *file_of(const void *bytes, size_t size)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/check_option_bag.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    return path;
}

static mqc_status read_text(mqc_options *options, const void *bytes, size_t size, mqc_error *error)
{
    const char *path = file_of(bytes, size);
    mqc_status status = mqc_options_read_file(options, path, error);
    unlink(path);
    /* The random name out of the way: "FILE:3: …". */
    char *found = status ? strstr(error->text, path) : NULL;
    if (found) {
        memmove(found + 4, found + strlen(path), strlen(found + strlen(path)) + 1);
        memcpy(found, "FILE", 4);
    }
    return status;
}

START_TEST(files_are_read)
{
    static const char TEXT[] = "# a comment\n"
                               "! another = one\r\n"
                               "\n"
                               "  namesrvAddr=127.0.0.1:9876;[::1]:9876\r\n"
                               "secretKey = a = b # c \n"
                               "\tsendMsgTimeout\t=\t10\n"
                               "sendMsgTimeout = 20"; /* no newline at the end */
    mqc_options *options = bag();
    mqc_error error;
    ck_assert_int_eq(read_text(options, TEXT, sizeof TEXT - 1, &error), MQC_OK);
    mqc_client_options client = {0};
    mqc_producer_options producer = {0};
    mqc_options_to_client(options, &client);
    mqc_options_to_producer(options, &producer);
    ck_assert_str_eq(client.name_servers, "127.0.0.1:9876;[::1]:9876");
    ck_assert_str_eq(client.secret_key, "a = b # c");
    ck_assert_int_eq(producer.send_timeout_ms, 20);
    ck_assert_int_eq(read_text(options, "", 0, &error), MQC_OK);
    mqc_options_free(options);
}
END_TEST

static void file_refused(const void *bytes, size_t size, const char *reason)
{
    mqc_options *options = bag();
    mqc_error error;
    ck_assert_int_eq(read_text(options, bytes, size, &error), MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text, reason);
    mqc_options_free(options);
}

START_TEST(errors_name_file_and_line)
{
    file_refused("useTLS = yes\n\nuseTsl = yes\n", 27,
                 "FILE:3: there is no option \"useTsl\": did you mean \"useTLS\"?");
    file_refused("useTLS yes\n", 11, "FILE:1: write \"name = value\", or begin a comment with #");
    file_refused("= yes\n", 6, "FILE:1: write \"name = value\", or begin a comment with #");
    file_refused("unitName =\n", 11,
                 "FILE:1: unitName is empty: give it a value or leave the option out");
    file_refused("unitName = a\0b\n", 15,
                 "FILE:1: the line has a zero byte or more than 4095 bytes");
    file_refused("unitName = a\0", 13, "FILE:1: the line has a zero byte or more than 4095 bytes");
}
END_TEST

START_TEST(lines_have_a_limit)
{
    static char line[4096] = "unitName = ";
    memset(line + 11, 'u', sizeof line - 11);
    mqc_options *options = bag();
    mqc_error error;
    ck_assert_int_eq(read_text(options, line, 4095, &error), MQC_OK);
    mqc_client_options client = {0};
    mqc_options_to_client(options, &client);
    ck_assert_uint_eq(strlen(client.unit_name), 4095 - 11);
    ck_assert_int_eq(read_text(options, line, 4096, &error), MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text, "FILE:1: the line has a zero byte or more than 4095 bytes");
    mqc_options_free(options);
}
END_TEST

START_TEST(unreadable_files)
{
    mqc_options *options = bag();
    mqc_error error;
    ck_assert_int_eq(mqc_options_read_file(options, "/nonexistent/x", &error), MQC_SYSTEM);
    ck_assert_str_eq(error.text, "options file /nonexistent/x: No such file or directory");
    ck_assert_int_eq(mqc_options_read_file(options, "/tmp", &error), MQC_SYSTEM);
    ck_assert_str_eq(error.text, "/tmp: Is a directory");
    ck_assert_int_eq(mqc_options_read_file(options, NULL, &error), MQC_BAD_ARGUMENT);
    mqc_options_free(options);
}
END_TEST

static bool count_one(const mqc_option_description *option, void *arg)
{
    int *left = arg;
    ck_assert_str_ne(option->name, "");
    return --*left > 0;
}

START_TEST(all_options_are_visited)
{
    int left = 3;
    mqc_options_each(count_one, &left);
    ck_assert_int_eq(left, 0); /* stopped when told so */
    left = 1000;
    mqc_options_each(count_one, &left);
    ck_assert_int_lt(left, 1000 - 40);
}
END_TEST

static Suite *option_bag_suite(void)
{
    Suite *suite = suite_create("option_bag");
    UNIT_CASE(suite, "bag", settings_reach_their_fields, a_setting_can_be_taken_back,
              wrong_settings_change_nothing, no_memory_is_an_error_and_loses_nothing,
              all_options_are_visited);
    UNIT_CASE(suite, "files", files_are_read, errors_name_file_and_line, lines_have_a_limit,
              unreadable_files);
    return suite;
}

TEST_MAIN(option_bag_suite)
