/* Messages with properties of their own over another's topic and body, and what is made of a
 * request: lib/protocol/dressed_message.c, reply_message.c, pushed_message.c. */
#include <mqclient/request.h>

#include "lib/base/memory.h"
#include "lib/protocol/headers.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"
#include "test/unit/unit.h"

static mqc_error error;

static void put(mqc_message *message, const char *name, const char *value)
{
    ck_assert_msg(message_put_property(message, name, value, &error) == MQC_OK, "%s", error.text);
}

/* ---- dressed ---- */

START_TEST(a_dressed_message_shares_the_body_and_nothing_else)
{
    long before = memory_live_blocks();
    mqc_message *message = mqc_message_new("orders", "hello", 5);
    put(message, "shop", "berlin");
    put(message, "TAGS", "sale");
    mqc_message_set_flag(message, 7);
    mqc_message *dressed = message_dressed(message, &error);
    ck_assert_ptr_nonnull(dressed);
    put(dressed, "TRAN_MSG", "true");
    put(dressed, "shop", "paris");
    ck_assert_ptr_eq(mqc_message_body(dressed).data, mqc_message_body(message).data);
    ck_assert_str_eq(mqc_message_property(message, "shop"), "berlin");
    ck_assert_ptr_null(mqc_message_property(message, "TRAN_MSG"));
    /* The application may let go of its own at once. */
    mqc_message_free(message);
    ck_assert_str_eq(mqc_message_topic(dressed), "orders");
    ck_assert_int_eq(memcmp(mqc_message_body(dressed).data, "hello", 5), 0);
    ck_assert_str_eq(mqc_message_tag(dressed), "sale");
    ck_assert_str_eq(mqc_message_property(dressed, "shop"), "paris");
    ck_assert_int_eq(mqc_message_flag(dressed), 7);
    mqc_message_free(dressed);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

/* What a consumer was given may be sent on: without what brokers have added. */
START_TEST(of_a_received_message_only_the_sender_s_properties_are_taken)
{
    struct buffer record;
    buffer_init(&record);
    mqc_message *message = mqc_message_new("orders", "hello", 5);
    put(message, "KEYS", "k1");
    put(message, "UNIQ_KEY", "0A0B");
    put(message, "REPLY_TO_CLIENT", "someone");
    put(message, "colour", "blue");
    message_record_encode(message, &record);
    mqc_message_free(message);
    struct message_block *block;
    ck_assert_int_eq(message_block_decode(NULL, buffer_slice(&record), &block, &error), MQC_OK);
    mqc_message *dressed = message_dressed(&block->messages[0], &error);
    message_block_unref(block);
    ck_assert_slice(dressed->properties, "KEYS\1k1\2colour\1blue\2");
    ck_assert_str_eq(mqc_message_topic(dressed), "orders");
    mqc_message_free(dressed);
    buffer_done(&record);
}
END_TEST

START_TEST(without_memory_there_is_no_dressed_message)
{
    mqc_message *message = mqc_message_new("orders", "hello", 5);
    put(message, "shop", "berlin");
    long before = memory_live_blocks();
    for (int i = 1; i <= 2; i++) {
        memory_fail_from(i);
        ck_assert_ptr_null(message_dressed(message, &error));
        memory_fail_from(0);
        ck_assert_int_eq(error.status, MQC_NO_MEMORY);
        ck_assert_int_eq(memory_live_blocks(), before);
    }
    mqc_message_free(message);
}
END_TEST

/* ---- replies ---- */

static struct message_block *received(const char *const (*properties)[2], size_t count)
{
    struct buffer record;
    buffer_init(&record);
    mqc_message *message = mqc_message_new("questions", "what?", 5);
    for (size_t i = 0; i < count; i++) put(message, properties[i][0], properties[i][1]);
    message_record_encode(message, &record);
    mqc_message_free(message);
    struct frame *frame = frame_copy(buffer_slice(&record));
    buffer_done(&record);
    struct message_block *block;
    ck_assert_int_eq(
        message_block_decode(frame, slice_of(frame->bytes, frame->size), &block, &error), MQC_OK);
    frame_unref(frame);
    return block;
}

static const char *const REQUEST[][2] = {{"CLUSTER", "DefaultCluster"},
                                         {"CORRELATION_ID", "12-34"},
                                         {"REPLY_TO_CLIENT", "10.0.0.1@7"},
                                         {"TTL", "3000"}};

START_TEST(a_reply_goes_to_its_cluster_s_topic)
{
    long before = memory_live_blocks();
    struct message_block *block = received(REQUEST, 4);
    ck_assert(mqc_message_is_request(&block->messages[0]));
    mqc_message *reply = mqc_message_new_reply(&block->messages[0], "that", 4, &error);
    message_block_unref(block);
    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(mqc_message_topic(reply), "DefaultCluster_REPLY_TOPIC");
    ck_assert_slice(reply->properties, "MSG_TYPE\1reply\2CORRELATION_ID\1"
                                       "12-34\2"
                                       "REPLY_TO_CLIENT\1"
                                       "10.0.0.1@7\2TTL\1"
                                       "3000\2");
    ck_assert_uint_eq(mqc_message_body(reply).size, 4);
    ck_assert(!mqc_message_is_request(reply));
    mqc_message_free(reply);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(what_is_no_request_has_no_reply)
{
    for (size_t left_out = 0; left_out < 3; left_out++) {
        const char *properties[3][2];
        for (size_t i = 0, at = 0; i < 4; i++) {
            if (i == left_out) continue;
            properties[at][0] = REQUEST[i][0];
            properties[at++][1] = REQUEST[i][1];
        }
        struct message_block *block =
            received((const char *const(*)[2])(const void *)properties, 3);
        ck_assert(!mqc_message_is_request(&block->messages[0]));
        ck_assert_ptr_null(mqc_message_new_reply(&block->messages[0], "x", 1, &error));
        ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
        message_block_unref(block);
    }
    mqc_message *built = mqc_message_new("questions", "what?", 5);
    for (size_t i = 0; i < 4; i++) put(built, REQUEST[i][0], REQUEST[i][1]);
    ck_assert(!mqc_message_is_request(built)); /* nobody has received it */
    mqc_message_free(built);
}
END_TEST

/* ---- pushed ---- */

static mqc_message *pushed(struct push_reply_message_header *header)
{
    struct frame *frame = frame_copy(SLICE_LITERAL("that"));
    mqc_message *message;
    ck_assert_int_eq(
        message_of_push(frame, header, slice_of(frame->bytes, frame->size), &message, &error),
        MQC_OK);
    frame_unref(frame); /* the message keeps it */
    return message;
}

START_TEST(a_pushed_message_is_what_the_header_says)
{
    long before = memory_live_blocks();
    char properties[] = "MSG_TYPE\1reply\2UNIQ_KEY\1"
                        "0A0B"; /* the last pair is not whole */
    struct push_reply_message_header header = {.topic = SLICE_LITERAL("c_REPLY_TOPIC"),
                                               .queue_id = 3,
                                               .flag = 9,
                                               .born_timestamp = 1000,
                                               .store_timestamp = 2000,
                                               .properties = slice_text(properties),
                                               .born_host = SLICE_LITERAL("10.0.0.1:4711"),
                                               .store_host = SLICE_LITERAL("fe80::1:10911")};
    mqc_message *message = pushed(&header);
    memset(properties, 'X', sizeof properties - 1); /* the command is gone by now */
    ck_assert_str_eq(mqc_message_topic(message), "c_REPLY_TOPIC");
    ck_assert_int_eq(memcmp(mqc_message_body(message).data, "that", 4), 0);
    ck_assert_str_eq(mqc_message_id(message), "0A0B");
    ck_assert_str_eq(mqc_message_property(message, "MSG_TYPE"), "reply");
    ck_assert_uint_gt(strlen(mqc_message_property(message, "ARRIVE_TIME")), 12);
    ck_assert_int_eq(mqc_message_queue_id(message), 3);
    ck_assert_int_eq(mqc_message_queue_offset(message), -1);
    ck_assert_int_eq(mqc_message_flag(message), 9);
    ck_assert_int_eq(mqc_message_born_unix_ms(message), 1000);
    ck_assert_int_eq(mqc_message_stored_unix_ms(message), 2000);
    ck_assert_str_eq(mqc_message_born_host(message), "10.0.0.1:4711");
    ck_assert_str_eq(mqc_message_stored_host(message), "[fe80::1]:10911");
    mqc_message_free(message);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(hosts_that_are_none_do_no_harm)
{
    const char *const hosts[] = {
        "",
        ":",
        "1.2.3.4",
        "1.2.3.4:",
        "x:1",
        "[::1]",
        "[:1",
        "1.2.3.4:99999999999",
        "123456789012345678901234567890123456789012345678901234567890123:1"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct push_reply_message_header header = {.born_host = slice_text(hosts[i])};
        mqc_message *message = pushed(&header);
        ck_assert_str_eq(mqc_message_born_host(message), "0.0.0.0:0");
        ck_assert_str_eq(mqc_message_topic(message), "");
        mqc_message_free(message);
    }
    struct push_reply_message_header header = {.born_host = SLICE_LITERAL("[::1]:5")};
    mqc_message *message = pushed(&header);
    ck_assert_str_eq(mqc_message_born_host(message), "[::1]:5");
    mqc_message_free(message);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("protocol/dressed_message");
    UNIT_CASE(suite, "dressed", a_dressed_message_shares_the_body_and_nothing_else,
              of_a_received_message_only_the_sender_s_properties_are_taken,
              without_memory_there_is_no_dressed_message);
    UNIT_CASE(suite, "reply", a_reply_goes_to_its_cluster_s_topic, what_is_no_request_has_no_reply);
    UNIT_CASE(suite, "pushed", a_pushed_message_is_what_the_header_says,
              hosts_that_are_none_do_no_harm);
    return suite;
}

TEST_MAIN(suite)
