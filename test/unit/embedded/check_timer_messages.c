/* Timer messages, taking them back, and priorities, as a real 5.5.0 does them. */
#include <openssl/evp.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/protocol/properties.h"
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire;

static void set_up(void)
{
    cluster = cluster_start(&(mqc_embedded_options){.virtual_clock = true,
                                                    .broker_config = "recallMessageEnable=true"});
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    mqc_embedded_create_topic(cluster, -1, "orders", 3, NULL);
}

static void tear_down(void)
{
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

/* Sends with properties; copies the handle, "" for none, and returns the queue. */
__attribute__((format(printf, 4, 5))) static int put(const char *topic, int32_t code,
                                                     char handle[512], const char *format, ...)
{
    char properties[512];
    int32_t queue_id = -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(properties, sizeof properties, format, arguments);
    va_end(arguments);
    struct send_message_header header = wire_send_header(topic, 0, properties);
    struct wire_frame *answer =
        wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout, &header, SLICE_LITERAL("x"));
    ck_assert_msg(answer->command.code == code, "%.*s", SLICE_FORMAT(answer->command.remark));
    struct slice given = remoting_command_field(&answer->command, "recallHandle");
    if (handle) snprintf(handle, 512, "%.*s", SLICE_FORMAT(given));
    slice_to_int32(remoting_command_field(&answer->command, "queueId"), &queue_id);
    wire_frame_free(answer);
    return queue_id;
}

static void recall(const char *topic, const char *handle, int32_t code)
{
    struct recall_message_header header = {.producer_group = SLICE_LITERAL("p"),
                                           .topic = slice_text(topic),
                                           .recall_handle = slice_text(handle)};
    wire_expect(wire, REQUEST_RECALL_MESSAGE, &recall_message_layout, &header, SLICE_ABSENT, code);
}

/* In the form of a handle. */
__attribute__((format(printf, 1, 2))) static const char *encoded(const char *format, ...)
{
    static char coded[1024];
    char plain[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(plain, sizeof plain, format, arguments);
    va_end(arguments);
    EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)plain, size);
    return coded;
}

START_TEST(a_delivered_one_tells_its_times)
{
    int64_t sent = mqc_embedded_clock_unix_ms(cluster);
    put("orders", RESPONSE_SUCCESS, NULL,
        "UNIQ_KEY\1U\2TIMER_DELAY_SEC\0012\2TIMER_DELAY_MS\00199");
    mqc_embedded_advance_clock(cluster, 1000);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 0);
    mqc_embedded_advance_clock(cluster, 2000);
    struct message_block *block = wire_pull(wire, "g", "orders", 0, 0, RESPONSE_SUCCESS);
    struct slice properties = block->messages[0].properties;
    int64_t out, came, went;
    ck_assert(slice_to_int64(properties_find(properties, "TIMER_OUT_MS"), &out));
    ck_assert(slice_to_int64(properties_find(properties, "TIMER_ENQUEUE_MS"), &came));
    ck_assert(slice_to_int64(properties_find(properties, "TIMER_DEQUEUE_MS"), &went));
    ck_assert_int_eq(came, sent / 1000 * 1000);
    ck_assert_int_ge(out, sent + 1000);
    ck_assert_int_eq(went, sent + 3000);
    assert_text(properties_find(properties, "REAL_TOPIC"), "orders");
    message_block_unref(block);
}
END_TEST

START_TEST(a_delay_level_wins_and_wrong_times_are_refused)
{
    char handle[512];
    int64_t now = mqc_embedded_clock_unix_ms(cluster);
    put("orders", RESPONSE_SUCCESS, handle, "UNIQ_KEY\1U\2DELAY\0011\2TIMER_DELAY_SEC\00160");
    ck_assert_str_eq(handle, "");
    mqc_embedded_advance_clock(cluster, 1000);
    struct message_block *block = wire_pull(wire, "g", "orders", 0, 0, RESPONSE_SUCCESS);
    ck_assert_ptr_null(properties_find(block->messages[0].properties, "TIMER_DELAY_SEC").data);
    message_block_unref(block);
    put("orders", RESPONSE_MESSAGE_ILLEGAL, NULL, "TIMER_DELIVER_MS\1soon");
    put("orders", RESPONSE_MESSAGE_ILLEGAL, NULL, "TIMER_DELIVER_MS\1%lld",
        (long long)now + 259300000);
    put("orders", RESPONSE_MESSAGE_ILLEGAL, NULL,
        "TIMER_DELIVER_MS\1%lld\2TIMER_DEL_UNIQKEY\1orders+U", (long long)now - 1000);
}
END_TEST

START_TEST(one_that_was_recalled_does_not_come)
{
    char first[512], second[512];
    put("orders", RESPONSE_SUCCESS, first, "UNIQ_KEY\1ONE\2TIMER_DELAY_SEC\00160");
    put("orders", RESPONSE_SUCCESS, second, "UNIQ_KEY\1TWO\2TIMER_DELAY_SEC\00160");
    recall("orders", first, RESPONSE_SUCCESS);
    recall("orders", first, RESPONSE_SUCCESS); /* again is fine */
    mqc_embedded_advance_clock(cluster, 61000);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
    recall("orders", second, RESPONSE_ILLEGAL_OPERATION); /* too late */
    int64_t now = mqc_embedded_clock_unix_ms(cluster);
    put("orders", RESPONSE_SUCCESS, NULL, "UNIQ_KEY\1THREE\2TIMER_DELIVER_MS\1%lld",
        (long long)now + 30000);
    put("orders", RESPONSE_SUCCESS, NULL, "TIMER_DEL_UNIQKEY\1orders+THREE\2TIMER_DELIVER_MS\1%lld",
        (long long)now + 30000);
    mqc_embedded_advance_clock(cluster, 61000);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
}
END_TEST

START_TEST(wrong_handles_are_refused)
{
    long long soon = mqc_embedded_clock_unix_ms(cluster) + 60000;
    recall("nowhere", encoded("v1 nowhere broker-a %lld U", soon), RESPONSE_TOPIC_NOT_EXIST);
    recall("orders", encoded("v1 other broker-a %lld U", soon), RESPONSE_ILLEGAL_OPERATION);
    recall("orders", encoded("v1 orders broker-b %lld U", soon), RESPONSE_ILLEGAL_OPERATION);
    recall("orders", encoded("v2 orders broker-a %lld U", soon), RESPONSE_ILLEGAL_OPERATION);
    recall("orders", encoded("v1 orders broker-a %lld", soon), RESPONSE_ILLEGAL_OPERATION);
    recall("orders", encoded("v1 orders broker-a soon U"), RESPONSE_ILLEGAL_OPERATION);
    recall("orders", encoded("v1 orders broker-a %lld U", soon + 300000000),
           RESPONSE_ILLEGAL_OPERATION);
    recall("orders", "!!!!", RESPONSE_ILLEGAL_OPERATION);
    recall("orders", "", RESPONSE_ILLEGAL_OPERATION);
    recall("orders", encoded("v1 orders broker-a %lld UNKNOWN", soon), RESPONSE_SUCCESS);
}
END_TEST

START_TEST(recalls_are_off_unless_the_setting_says_so)
{
    mqc_embedded *other = cluster_start(NULL);
    struct wire *line = wire_open(mqc_embedded_broker_address(other, 0));
    struct recall_message_header header = {.topic = SLICE_LITERAL("orders"),
                                           .recall_handle = SLICE_LITERAL("x")};
    wire_expect(line, REQUEST_RECALL_MESSAGE, &recall_message_layout, &header, SLICE_ABSENT,
                RESPONSE_NO_PERMISSION);
    wire_close(line);
    mqc_embedded_stop(other);
}
END_TEST

START_TEST(priorities_choose_the_queue)
{
    ck_assert_int_eq(put("orders", RESPONSE_SUCCESS, NULL, "_SYS_MSG_PRIORITY_\0011"), 1);
    ck_assert_int_eq(put("orders", RESPONSE_SUCCESS, NULL, "_SYS_MSG_PRIORITY_\0019"), 2);
    ck_assert_int_eq(put("orders", RESPONSE_SUCCESS, NULL, "_SYS_MSG_PRIORITY_\1-1"), 0);
    ck_assert_int_eq(put("orders", RESPONSE_SUCCESS, NULL, "_SYS_MSG_PRIORITY_\1high"), 0);
    ck_assert_int_eq(
        put("orders", RESPONSE_SUCCESS, NULL, "__SHARDINGKEY\1k\2_SYS_MSG_PRIORITY_\0012"), 0);
    struct message_block *block = wire_pull(wire, "g", "orders", 0, 2, RESPONSE_SUCCESS);
    ck_assert_ptr_null(properties_find(block->messages[0].properties, "_SYS_MSG_PRIORITY_").data);
    message_block_unref(block);
}
END_TEST

START_TEST(the_highest_priority_is_popped_first)
{
    struct create_topic_header topic = {.topic = SLICE_LITERAL("urgent"),
                                        .default_topic = SLICE_LITERAL("TBW102"),
                                        .read_queues = 3,
                                        .write_queues = 3,
                                        .permission = 6,
                                        .topic_filter_type = SLICE_LITERAL("SINGLE_TAG"),
                                        .attributes = SLICE_LITERAL("+message.type=PRIORITY")};
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC, &create_topic_layout, &topic, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    for (int i = 0; i < 3; i++) put("urgent", RESPONSE_SUCCESS, NULL, "_SYS_MSG_PRIORITY_\1%d", i);
    for (int i = 2; i >= 0; i--) {
        char places[32];
        struct pop_message_header header = {.consumer_group = SLICE_LITERAL("g"),
                                            .topic = SLICE_LITERAL("urgent"),
                                            .queue_id = -1,
                                            .max_messages = 1,
                                            .invisible_time_ms = 30000,
                                            .born_timestamp = clock_unix_ms()};
        struct wire_frame *answer =
            wire_call(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
        snprintf(places, sizeof places, "0 %d 0", i);
        assert_text(remoting_command_field(&answer->command, "msgOffsetInfo"), places);
        wire_frame_free(answer);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded timer messages");
    WIRE_CASE(s, "timers", set_up, tear_down, a_delivered_one_tells_its_times,
              a_delay_level_wins_and_wrong_times_are_refused, one_that_was_recalled_does_not_come,
              wrong_handles_are_refused, recalls_are_off_unless_the_setting_says_so,
              priorities_choose_the_queue, the_highest_priority_is_popped_first);
    return s;
}
TEST_MAIN(suite)
