/* Tests of lib/producer/batch_body.c. */
#include "lib/producer/batch_body.h"

#include "lib/base/memory.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"
#include "test/unit/unit.h"

static mqc_error error;

static mqc_message *make(const char *topic, const char *body)
{
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    ck_assert_ptr_nonnull(message);
    return message;
}

static void put(mqc_message *message, const char *name, const char *value)
{
    ck_assert_msg(message_put_property(message, name, value, &error) == MQC_OK, "%s", error.text);
}

START_TEST(bytes_are_java_s)
{
    mqc_message *first = make("golden", "hello"), *second = make("golden", "world!");
    put(first, "UNIQ_KEY", "C0A8000100002A9F0000000000000001");
    put(second, "shop", "berlin");
    put(second, "KEYS", "k1 k2");
    put(second, "UNIQ_KEY", "C0A8000100002A9F0000000000000002");
    put(second, "WAIT", "true");
    put(second, "TAGS", "TagA");
    mqc_message_set_flag(second, -7);
    struct buffer body;
    char id[MESSAGE_ID_BYTES];
    buffer_init(&body);
    ck_assert_int_eq(batch_body_append(&body, first, id, &error), MQC_OK);
    ck_assert_str_eq(id, "C0A8000100002A9F0000000000000001");
    ck_assert_int_eq(batch_body_append(&body, second, id, &error), MQC_OK);
    ck_assert_str_eq(id, "C0A8000100002A9F0000000000000002");
    ck_assert(slice_equal(buffer_slice(&body), golden_bytes("bodies/batch_java_5_5_0")));
    buffer_done(&body);
    mqc_message_free(first);
    mqc_message_free(second);
}
END_TEST

START_TEST(every_message_gets_an_id)
{
    mqc_message *message = make("t", "b");
    struct buffer body;
    buffer_init(&body);
    char ids[3][MESSAGE_ID_BYTES];
    for (int i = 0; i < 3; i++) {
        size_t before = body.size;
        ck_assert_int_eq(batch_body_append(&body, message, ids[i], &error), MQC_OK);
        ck_assert_uint_le(body.size - before, batch_message_room(message));
        ck_assert_uint_eq(strlen(ids[i]), 32);
    }
    ck_assert_str_ne(ids[0], ids[1]);
    ck_assert_str_ne(ids[1], ids[2]);
    ck_assert_uint_eq(message->properties.size, 0); /* unchanged */
    /* Without wanting to know it. */
    ck_assert_int_eq(batch_body_append(&body, message, NULL, &error), MQC_OK);
    buffer_done(&body);
    mqc_message_free(message);
}
END_TEST

START_TEST(failures_leave_the_body_as_it_was)
{
    mqc_message *message = make("t", "b");
    struct buffer body;
    char id[MESSAGE_ID_BYTES];
    buffer_init(&body);
    ck_assert_int_eq(batch_body_append(&body, message, id, &error), MQC_OK);
    size_t size = body.size;
    char value[PROPERTIES_MAX_BYTES];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 4] = '\0';
    mqc_message *large = make("t", "b");
    put(large, "p", value); /* with the id it is too much */
    ck_assert_int_eq(batch_body_append(&body, large, id, &error), MQC_TOO_BIG);
    ck_assert_ptr_nonnull(strstr(error.text, "32767"));
    ck_assert_uint_eq(body.size, size);
    memory_fail_from(1);
    mqc_status status = MQC_OK;
    for (int i = 0; i < 1000 && status == MQC_OK; i++)
        status = batch_body_append(&body, message, id, &error);
    memory_fail_from(0);
    ck_assert_int_eq(status, MQC_NO_MEMORY);
    ck_assert(!body.failed);
    ck_assert_int_eq(batch_body_append(&body, message, id, &error), MQC_OK);
    buffer_done(&body);
    mqc_message_free(large);
    mqc_message_free(message);
}
END_TEST

static void assert_refused(const mqc_message *message, const mqc_message *first, const char *part)
{
    ck_assert_int_eq(batch_message_check(message, first, &error), MQC_BAD_ARGUMENT);
    ck_assert_msg(strstr(error.text, part) != NULL, "\"%s\" does not say \"%s\"", error.text, part);
}

START_TEST(what_goes_into_one_batch)
{
    mqc_message *first = make("t", "a"), *same = make("t", "b"), *other = make("u", "c"),
                *retry = make("%RETRY%g", "d"), *hasty = make("t", "e");
    ck_assert_int_eq(batch_message_check(first, first, &error), MQC_OK);
    ck_assert_int_eq(batch_message_check(same, first, &error), MQC_OK);
    assert_refused(other, first, "one topic");
    assert_refused(retry, retry, "retry topic");
    ck_assert_int_eq(mqc_message_set_wait_stored(hasty, false, &error), MQC_OK);
    assert_refused(hasty, first, "wait_stored");
    assert_refused(first, hasty, "wait_stored");
    ck_assert_int_eq(batch_message_check(hasty, hasty, &error), MQC_OK);
    ck_assert(!batch_message_waits(hasty));
    ck_assert(batch_message_waits(first));
    put(hasty, "WAIT", "true"); /* said or not, it is the same */
    ck_assert_int_eq(batch_message_check(hasty, first, &error), MQC_OK);
    mqc_message *const all[] = {first, same, other, retry, hasty};
    for (int i = 0; i < 5; i++) mqc_message_free(all[i]);
}
END_TEST

START_TEST(delays_stay_alone)
{
    mqc_message *message = make("t", "a");
    ck_assert_int_eq(mqc_message_set_delay_level(message, 3, &error), MQC_OK);
    assert_refused(message, message, "DELAY");
    ck_assert_int_eq(mqc_message_set_delay_level(message, 0, &error), MQC_OK);
    ck_assert_int_eq(mqc_message_set_delay_ms(message, 3, &error), MQC_OK);
    assert_refused(message, message, "TIMER_DELAY_MS");
    ck_assert_int_eq(mqc_message_set_delay_ms(message, 0, &error), MQC_OK);
    ck_assert_int_eq(mqc_message_set_delay_seconds(message, 3, &error), MQC_OK);
    assert_refused(message, message, "TIMER_DELAY_SEC");
    ck_assert_int_eq(mqc_message_set_delay_seconds(message, 0, &error), MQC_OK);
    ck_assert_int_eq(mqc_message_set_deliver_at(message, 1795430202000, &error), MQC_OK);
    assert_refused(message, message, "TIMER_DELIVER_MS");
    mqc_message_free(message);
    static const char *const others[] = {"TRAN_MSG", "MSG_TYPE", "CORRELATION_ID"};
    for (int i = 0; i < 3; i++) {
        message = make("t", "a");
        put(message, others[i], "x");
        assert_refused(message, message, others[i]);
        mqc_message_free(message);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("batch_body");
    UNIT_CASE(suite, "body", bytes_are_java_s, every_message_gets_an_id,
              failures_leave_the_body_as_it_was);
    UNIT_CASE(suite, "rules", what_goes_into_one_batch, delays_stay_alone);
    return suite;
}

TEST_MAIN(suite)
