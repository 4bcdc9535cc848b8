/* Tests of lib/protocol/message_delay.c. */
#include "lib/protocol/message.h"
#include "test/unit/unit.h"

static mqc_error error;

static void assert_ok(mqc_status status)
{
    ck_assert_msg(status == MQC_OK, "%s", error.text);
}

static void assert_refused(mqc_status status, const char *part)
{
    ck_assert_int_eq(status, MQC_BAD_ARGUMENT);
    ck_assert_msg(strstr(error.text, part) != NULL, "\"%s\" does not say \"%s\"", error.text, part);
}

START_TEST(levels)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    assert_ok(mqc_message_set_delay_level(message, 18, &error));
    ck_assert_str_eq(mqc_message_property(message, "DELAY"), "18");
    assert_ok(mqc_message_set_delay_level(message, 1, &error));
    ck_assert_str_eq(mqc_message_property(message, "DELAY"), "1");
    assert_refused(mqc_message_set_delay_level(message, 19, &error), "1 to 18");
    assert_refused(mqc_message_set_delay_level(message, -1, &error), "1 to 18");
    ck_assert_str_eq(mqc_message_property(message, "DELAY"), "1");
    assert_ok(mqc_message_set_delay_level(message, 0, &error));
    ck_assert_ptr_null(mqc_message_property(message, "DELAY"));
    mqc_message_free(message);
}
END_TEST

START_TEST(times)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    assert_ok(mqc_message_set_delay_ms(message, 1500, &error));
    ck_assert_str_eq(mqc_message_property(message, "TIMER_DELAY_MS"), "1500");
    assert_ok(mqc_message_set_delay_ms(message, 0, &error));
    ck_assert_ptr_null(mqc_message_property(message, "TIMER_DELAY_MS"));
    assert_ok(mqc_message_set_delay_seconds(message, 3, &error));
    ck_assert_str_eq(mqc_message_property(message, "TIMER_DELAY_SEC"), "3");
    assert_ok(mqc_message_set_delay_seconds(message, 0, &error));
    assert_ok(mqc_message_set_deliver_at(message, 1795430202000, &error));
    ck_assert_str_eq(mqc_message_property(message, "TIMER_DELIVER_MS"), "1795430202000");
    assert_ok(mqc_message_set_deliver_at(message, 0, &error));
    ck_assert_uint_eq(message->properties.size, 0);
    mqc_message_free(message);
}
END_TEST

START_TEST(times_out_of_range)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    assert_refused(mqc_message_set_delay_ms(message, -1, &error), "1 or more");
    assert_refused(mqc_message_set_delay_seconds(message, -1, &error), "1 or more");
    assert_refused(mqc_message_set_delay_seconds(message, INT64_MAX / 1000 + 1, &error), "3 days");
    assert_refused(mqc_message_set_deliver_at(message, -1, &error), "milliseconds");
    /* Seconds by mistake. */
    assert_refused(mqc_message_set_deliver_at(message, 1795430202, &error), "not seconds");
    ck_assert_uint_eq(message->properties.size, 0);
    ck_assert_int_eq(mqc_message_set_delay_ms(NULL, 1, &error), MQC_BAD_ARGUMENT);
    mqc_message_free(message);
}
END_TEST

/* Brokers would take one of them and say nothing of the other. */
START_TEST(one_kind_at_a_time)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    assert_ok(mqc_message_set_delay_level(message, 3, &error));
    assert_refused(mqc_message_set_delay_ms(message, 5, &error), "mqc_message_set_delay_level");
    assert_refused(mqc_message_set_delay_seconds(message, 5, &error), "delay level");
    assert_refused(mqc_message_set_deliver_at(message, 1795430202000, &error), "delay level");
    assert_ok(mqc_message_set_delay_ms(message, 0, &error)); /* nothing is removed from nothing */
    assert_ok(mqc_message_set_delay_level(message, 0, &error));
    assert_ok(mqc_message_set_deliver_at(message, 1795430202000, &error));
    assert_ok(mqc_message_set_deliver_at(message, 1795430203000, &error)); /* the same kind again */
    assert_refused(mqc_message_set_delay_level(message, 1, &error), "mqc_message_set_deliver_at");
    ck_assert_str_eq(mqc_message_property(message, "TIMER_DELIVER_MS"), "1795430203000");
    ck_assert_ptr_null(mqc_message_property(message, "DELAY"));
    mqc_message_free(message);
}
END_TEST

START_TEST(wait_stored)
{
    mqc_message *message = mqc_message_new("t", "b", 1);
    assert_ok(mqc_message_set_wait_stored(message, false, &error));
    ck_assert_str_eq(mqc_message_property(message, "WAIT"), "false");
    assert_ok(mqc_message_set_wait_stored(message, true, &error));
    ck_assert_ptr_null(mqc_message_property(message, "WAIT"));
    mqc_message_free(message);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("message_delay");
    UNIT_CASE(suite, "delay", levels, times, times_out_of_range, one_kind_at_a_time, wait_stored);
    return suite;
}

TEST_MAIN(suite)
