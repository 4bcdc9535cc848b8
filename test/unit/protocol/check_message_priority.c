/* Tests of lib/protocol/message_priority.c. */
#include "lib/protocol/message.h"
#include "test/unit/unit.h"

START_TEST(a_priority_is_a_property)
{
    mqc_error error;
    mqc_message *message = mqc_message_new("t", "x", 1);
    ck_assert_ptr_null(mqc_message_property(message, "_SYS_MSG_PRIORITY_"));
    ck_assert_int_eq(mqc_message_set_priority(message, 0, &error), MQC_OK);
    ck_assert_str_eq(mqc_message_property(message, "_SYS_MSG_PRIORITY_"), "0");
    ck_assert_int_eq(mqc_message_set_priority(message, 7, &error), MQC_OK);
    ck_assert_str_eq(mqc_message_property(message, "_SYS_MSG_PRIORITY_"), "7");
    ck_assert_int_eq(mqc_message_set_priority(message, -1, &error), MQC_OK);
    ck_assert_ptr_null(mqc_message_property(message, "_SYS_MSG_PRIORITY_"));
    mqc_message_free(message);
}
END_TEST

START_TEST(wrong_uses_are_errors)
{
    mqc_error error;
    mqc_message *message = mqc_message_new("t", "x", 1);
    ck_assert_int_eq(mqc_message_set_priority(message, -2, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "priority -2"));
    ck_assert_int_eq(mqc_message_set_priority(NULL, 1, &error), MQC_BAD_ARGUMENT);
    /* As in Java the name is the library's. */
    ck_assert_int_eq(mqc_message_set_property(message, "_SYS_MSG_PRIORITY_", "1", &error),
                     MQC_BAD_ARGUMENT);
    mqc_message_free(message);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("message_priority");
    UNIT_CASE(suite, "priority", a_priority_is_a_property, wrong_uses_are_errors);
    return suite;
}
TEST_MAIN(suite)
