/* Tests of lib/producer/message_check.c. */
#include "lib/producer/message_check.h"

#include <stdlib.h>

#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"
#include "test/unit/unit.h"

enum { MOST = 100 };

static mqc_status check(const char *topic, size_t body_bytes, mqc_error *error)
{
    char body[MOST + 1] = {0};
    mqc_message *message = mqc_message_new(topic, body, body_bytes);
    ck_assert_ptr_nonnull(message);
    *error = (mqc_error){0};
    mqc_status status = message_check(message, MOST, error);
    ck_assert_int_eq(error->status, status);
    mqc_message_free(message);
    return status;
}

static void assert_says(const mqc_error *error, const char *part)
{
    ck_assert_msg(strstr(error->text, part) != NULL, "'%s' is not in '%s'", part, error->text);
}

START_TEST(good_messages_pass)
{
    mqc_error error;
    ck_assert_int_eq(check("orders", 1, &error), MQC_OK);
    ck_assert_int_eq(check("orders", MOST, &error), MQC_OK);
    ck_assert_int_eq(check("%RETRY%group", 5, &error), MQC_OK);
    ck_assert_int_eq(check("TBW102", 5, &error), MQC_OK);
}
END_TEST

START_TEST(bad_topics_and_bodies_are_named)
{
    mqc_error error;
    ck_assert_int_eq(message_check(NULL, MOST, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "mqc_message_new");
    ck_assert_int_eq(check("", 1, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "no topic");
    ck_assert_int_eq(check("a b", 1, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "' ' is not allowed");
    ck_assert_int_eq(check("SCHEDULE_TOPIC_XXXX", 1, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "broker's own");
    ck_assert_int_eq(check("orders", 0, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "the message body length is zero");
    ck_assert_int_eq(check("orders", MOST + 1, &error), MQC_TOO_BIG);
    assert_says(&error, "MAX: 100: it has 101 bytes");
    assert_says(&error, "max_message_bytes");
}
END_TEST

START_TEST(an_error_need_not_be_asked_for)
{
    ck_assert_int_eq(message_check(NULL, MOST, NULL), MQC_BAD_ARGUMENT);
}
END_TEST

START_TEST(too_many_properties)
{
    mqc_error error;
    mqc_message *message = mqc_message_new("orders", "x", 1);
    char *large = malloc(PROPERTIES_MAX_BYTES + 1);
    memset(large, 'v', PROPERTIES_MAX_BYTES);
    message->properties = slice_of(large, PROPERTIES_MAX_BYTES);
    ck_assert_int_eq(message_check(message, MOST, &error), MQC_OK);
    message->properties.size++;
    ck_assert_int_eq(message_check(message, MOST, &error), MQC_TOO_BIG);
    assert_says(&error, "at most 32767");
    message->properties = SLICE_ABSENT;
    free(large);
    mqc_message_free(message);
}
END_TEST

static size_t first(const mqc_message_queue *queues, size_t count, const mqc_message *message,
                    void *arg)
{
    (void)queues, (void)count, (void)message, (void)arg;
    return 0;
}

START_TEST(options_of_a_send)
{
    mqc_error error;
    mqc_message *message = mqc_message_new("orders", "x", 1);
    mqc_message_queue queue = {"orders", "broker-a", 0};
    ck_assert_int_eq(send_options_check(NULL, message, &error), MQC_OK);
    mqc_send_options options = {.timeout_ms = 5};
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_OK);
    options.queue = &queue;
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_OK);
    options.select = first;
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "one of them");
    options.queue = NULL;
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_OK);
    options.order_key = "customer 42";
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "one of them");
    options.select = NULL;
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_OK);
    options.order_key_bytes = 8;
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_OK);
    options.order_key = NULL;
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "both or neither");
    options.order_key = "";
    options.order_key_bytes = 0;
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "order key is empty");
    options.order_key = NULL;
    options.timeout_ms = -1;
    ck_assert_int_eq(send_options_check(&options, message, &error), MQC_BAD_ARGUMENT);
    assert_says(&error, "timeout_ms is -1");
    mqc_message_free(message);
}
END_TEST

START_TEST(a_given_queue_must_fit)
{
    mqc_error error;
    mqc_message *message = mqc_message_new("orders", "x", 1);
    const mqc_message_queue wrong[] = {
        {"payments", "broker-a", 0}, {NULL, "broker-a", 0}, {"orders", NULL, 0},
        {"orders", "", 0},           {"orders", "a", -1},
    };
    static const char *const says[] = {"the queue is of payments", "the queue is of none",
                                       "broker name \"\"", "broker name \"\"", "id -1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mqc_send_options options = {.queue = &wrong[i]};
        ck_assert_int_eq(send_options_check(&options, message, &error), MQC_BAD_ARGUMENT);
        assert_says(&error, says[i]);
    }
    mqc_message_free(message);
}
END_TEST

static Suite *message_check_suite(void)
{
    Suite *suite = suite_create("message_check");
    UNIT_CASE(suite, "message", good_messages_pass, bad_topics_and_bodies_are_named,
              an_error_need_not_be_asked_for, too_many_properties);
    UNIT_CASE(suite, "options", options_of_a_send, a_given_queue_must_fit);
    return suite;
}

TEST_MAIN(message_check_suite)
