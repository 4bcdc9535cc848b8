/* Tests of lib/producer/send_request.c: what makes a message a half message or a reply. */
#include "lib/base/memory.h"
#include "lib/producer/batch_body.h"
#include "lib/producer/send_request.h"
#include "lib/protocol/message.h"
#include "lib/protocol/sys_flag.h"
#include "test/unit/unit.h"

enum { LARGE_BYTES = 10000 };

static const mqc_message_queue QUEUE = {"topic", "broker-a", 3};

/* The request that a message with one more property becomes. */
static int32_t code_of(const char *name, const char *value, size_t body_bytes, int32_t *sys_flag)
{
    static char body[LARGE_BYTES];
    mqc_error error;
    struct send_origin origin = {.group = "g",
                                 .create_topic_key = "TBW102",
                                 .compress_above_bytes = 4096,
                                 .compress_level = 5};
    mqc_message *message = mqc_message_new("topic", body, body_bytes);
    ck_assert_int_eq(message_put_property(message, name, value, &error), MQC_OK);
    struct send_content content;
    ck_assert_int_eq(send_content_init(&content, message, &error), MQC_OK);
    struct send_message_header header;
    struct command_to_send request;
    send_request_make(&content, &origin, &QUEUE, &header, &request);
    *sys_flag = header.sys_flag;
    send_content_done(&content);
    mqc_message_free(message);
    return request.code;
}

START_TEST(a_prepared_message_is_a_half_message)
{
    int32_t flag;
    ck_assert_int_eq(code_of("TRAN_MSG", "true", 5, &flag), 310);
    ck_assert_int_eq(flag, MESSAGE_FLAG_PREPARED);
    ck_assert_int_eq(code_of("TRAN_MSG", "false", 5, &flag), 310);
    ck_assert_int_eq(flag, 0);
}
END_TEST

/* Compressing says more about it, and takes nothing away. */
START_TEST(a_large_half_message_is_both)
{
    int32_t flag;
    code_of("TRAN_MSG", "true", LARGE_BYTES, &flag);
    ck_assert_int_eq(flag, MESSAGE_FLAG_PREPARED | MESSAGE_FLAG_COMPRESSED | MESSAGE_FLAG_ZLIB);
}
END_TEST

START_TEST(a_reply_has_a_code_of_its_own)
{
    int32_t flag;
    ck_assert_int_eq(code_of("MSG_TYPE", "reply", 5, &flag), 325);
    ck_assert_int_eq(flag, 0);
    ck_assert_int_eq(code_of("MSG_TYPE", "other", 5, &flag), 310);
}
END_TEST

/* In a batch a broker would store it, and bring it to nobody. */
START_TEST(a_reply_is_in_no_batch)
{
    mqc_error error;
    mqc_message *reply = mqc_message_new("c_REPLY_TOPIC", "that", 4);
    ck_assert_int_eq(batch_message_check(reply, reply, &error), MQC_OK);
    ck_assert_int_eq(message_put_property(reply, "MSG_TYPE", "reply", &error), MQC_OK);
    ck_assert_int_eq(batch_message_check(reply, reply, &error), MQC_BAD_ARGUMENT);
    ck_assert_msg(strstr(error.text, "send it alone") != NULL, "%s", error.text);
    mqc_message_free(reply);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("producer/send_kinds");
    UNIT_CASE(suite, "kinds", a_prepared_message_is_a_half_message, a_large_half_message_is_both,
              a_reply_has_a_code_of_its_own, a_reply_is_in_no_batch);
    return suite;
}

TEST_MAIN(suite)
