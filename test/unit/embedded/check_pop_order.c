/* Ordered pops, on the clock that tests advance. The counts and codes are those of a real 5.5.0. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/protocol/properties.h"
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire;

static void set_up(void)
{
    cluster = cluster_start(&(mqc_embedded_options){.virtual_clock = true});
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    for (int i = 0; i < 4; i++) wire_put(wire, "orders", 0, NULL, "x");
}

static void tear_down(void)
{
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

static struct pop_message_header pop_header(void)
{
    return (struct pop_message_header){.consumer_group = SLICE_LITERAL("g"),
                                       .topic = SLICE_LITERAL("orders"),
                                       .queue_id = -1,
                                       .max_messages = 3,
                                       .invisible_time_ms = 5000,
                                       .born_timestamp = clock_unix_ms(),
                                       .orderly = true};
}

/* Pops and checks where it began and how often the messages were taken before. */
static void pop(const char *offsets, const char *counts)
{
    struct pop_message_header header = pop_header();
    struct wire_frame *answer =
        wire_call(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    assert_text(remoting_command_field(&answer->command, "reviveQid"), "999");
    assert_text(remoting_command_field(&answer->command, "msgOffsetInfo"), offsets);
    assert_text(remoting_command_field(&answer->command, "orderCountInfo"), counts);
    wire_frame_free(answer);
}

static void pop_nothing(void)
{
    struct pop_message_header header = pop_header();
    struct wire_frame *answer =
        wire_call(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    ck_assert_int_eq(answer->command.code, RESPONSE_POLLING_TIMEOUT);
    assert_text(remoting_command_field(&answer->command, "orderCountInfo"), "");
    wire_frame_free(answer);
}

static void receipt(int64_t popped, int64_t offset, char out[128])
{
    snprintf(out, 128, "0 %lld 5000 999 0 broker-a 0 %lld", (long long)popped, (long long)offset);
}

static void acknowledge(int64_t popped, int64_t offset, int32_t code)
{
    char text[128];
    receipt(popped, offset, text);
    struct ack_message_header header = {.consumer_group = SLICE_LITERAL("g"),
                                        .topic = SLICE_LITERAL("orders"),
                                        .extra_info = slice_text(text),
                                        .queue_offset = offset};
    wire_expect(wire, REQUEST_ACK_MESSAGE, &ack_message_layout, &header, SLICE_ABSENT, code);
}

START_TEST(the_queue_stands_until_its_messages_are_acknowledged)
{
    int64_t popped = mqc_embedded_clock_unix_ms(cluster);
    pop("0 0 0,1,2", "0 0 0");
    pop_nothing();
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 0);
    acknowledge(popped, 0, RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 1);
    acknowledge(popped, 2, RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 1);
    acknowledge(popped, 3, RESPONSE_MESSAGE_ILLEGAL);
    acknowledge(popped, 50, RESPONSE_NO_MESSAGE);
    acknowledge(popped, 0, RESPONSE_SUCCESS); /* once more: passed over */
    pop_nothing();
    acknowledge(popped, 1, RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 3);
    pop("0 0 3", "0 0 0");
}
END_TEST

START_TEST(what_is_not_acknowledged_comes_again_in_place)
{
    int64_t first = mqc_embedded_clock_unix_ms(cluster);
    pop("0 0 0,1,2", "0 0 0");
    acknowledge(first, 0, RESPONSE_SUCCESS);
    mqc_embedded_advance_clock(cluster, 4999);
    pop_nothing();
    mqc_embedded_advance_clock(cluster, 1);
    pop("0 0 1,2,3", "0 qo0%1 1;0 qo0%2 1;0 0 0");
    acknowledge(first, 1, RESPONSE_SUCCESS); /* of the pop before: passed over */
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 1);
    mqc_embedded_advance_clock(cluster, 5000);
    pop("0 0 1,2,3", "0 qo0%1 2;0 qo0%2 2;0 qo0%3 1;0 0 1");
}
END_TEST

START_TEST(the_same_attempt_is_not_held_up_and_counts_once)
{
    struct pop_message_header header = pop_header();
    header.attempt_id = SLICE_LITERAL("attempt");
    for (int i = 0; i < 2; i++) {
        struct wire_frame *answer =
            wire_call(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
        assert_text(remoting_command_field(&answer->command, "msgOffsetInfo"), "0 0 0,1,2");
        assert_text(remoting_command_field(&answer->command, "orderCountInfo"), "0 0 0");
        wire_frame_free(answer);
    }
    pop_nothing();
}
END_TEST

START_TEST(those_who_poll_are_woken_when_the_queue_is_free)
{
    int64_t popped = mqc_embedded_clock_unix_ms(cluster);
    pop("0 0 0,1,2", "0 0 0");
    struct pop_message_header header = pop_header();
    header.poll_time_ms = 60000;
    int32_t opaque =
        wire_send(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    acknowledge(popped, 0, RESPONSE_SUCCESS);
    acknowledge(popped, 1, RESPONSE_SUCCESS);
    ck_assert(!wire_has_answer(wire, opaque));
    acknowledge(popped, 2, RESPONSE_SUCCESS);
    struct wire_frame *answer = wire_receive(wire, opaque);
    assert_text(remoting_command_field(&answer->command, "msgOffsetInfo"), "0 0 3");
    wire_frame_free(answer);
    opaque = wire_send(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    mqc_embedded_await_requests(cluster, REQUEST_POP_MESSAGE, 3, WIRE_TIMEOUT_MS, NULL);
    mqc_embedded_advance_clock(cluster, 5000);
    answer = wire_receive(wire, opaque);
    assert_text(remoting_command_field(&answer->command, "orderCountInfo"), "0 qo0%3 1;0 0 1");
    wire_frame_free(answer);
}
END_TEST

START_TEST(the_invisible_time_can_be_changed)
{
    char text[128];
    int64_t popped = mqc_embedded_clock_unix_ms(cluster);
    pop("0 0 0,1,2", "0 0 0");
    acknowledge(popped, 1, RESPONSE_SUCCESS);
    acknowledge(popped, 2, RESPONSE_SUCCESS);
    receipt(popped, 0, text);
    mqc_embedded_advance_clock(cluster, 1000);
    struct change_invisible_time_header header = {.consumer_group = SLICE_LITERAL("g"),
                                                  .topic = SLICE_LITERAL("orders"),
                                                  .extra_info = slice_text(text),
                                                  .invisible_time_ms = 500};
    struct wire_frame *answer = wire_call(wire, REQUEST_CHANGE_MESSAGE_INVISIBLETIME,
                                          &change_invisible_time_layout, &header, SLICE_ABSENT);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    assert_text(remoting_command_field(&answer->command, "invisibleTime"), "1500");
    assert_text(remoting_command_field(&answer->command, "reviveQid"), "999");
    wire_frame_free(answer);
    mqc_embedded_advance_clock(cluster, 499);
    pop_nothing();
    mqc_embedded_advance_clock(cluster, 1);
    pop("0 0 0,1,2", "0 qo0%0 1;0 qo0%1 1;0 qo0%2 1;0 0 1");
}
END_TEST

START_TEST(a_reset_frees_the_queue)
{
    pop("0 0 0,1,2", "0 0 0");
    struct reset_offset_header header = {.topic = SLICE_LITERAL("orders"),
                                         .consumer_group = SLICE_LITERAL("g"),
                                         .timestamp = -1,
                                         .queue_id = 0,
                                         .offset = 2};
    wire_expect(wire, REQUEST_INVOKE_BROKER_TO_RESET_OFFSET, &reset_offset_layout, &header,
                SLICE_ABSENT, RESPONSE_SUCCESS);
    pop("0 0 2,3", "0 0 0");
    pop_nothing();
}
END_TEST

START_TEST(a_batch_acknowledges_in_order)
{
    char body[256];
    int64_t popped = mqc_embedded_clock_unix_ms(cluster);
    pop("0 0 0,1,2", "0 0 0");
    snprintf(body, sizeof body,
             "{\"brokerName\":\"broker-a\",\"acks\":[{\"c\":\"g\",\"t\":\"orders\",\"r\":\"0\","
             "\"so\":0,\"q\":0,\"rq\":999,\"pt\":%lld,\"it\":5000,\"b\":\"Aw==\"}]}",
             (long long)popped);
    wire_expect(wire, REQUEST_BATCH_ACK_MESSAGE, NULL, NULL, slice_text(body), RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 2);
}
END_TEST

START_TEST(what_was_popped_of_a_deleted_topic_is_forgotten)
{
    pop("0 0 0,1,2", "0 0 0");
    struct pop_message_header header = pop_header();
    header.orderly = false;
    header.consumer_group = SLICE_LITERAL("other");
    wire_expect(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_delete_topic(cluster, -1, "orders", NULL), MQC_OK);
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    wire_put(wire, "orders", 0, NULL, "x");
    pop("0 0 0", "0 0 0");
    mqc_embedded_advance_clock(cluster, 5000);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "%RETRY%other_orders"), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded ordered pop");
    WIRE_CASE(s, "order", set_up, tear_down, the_queue_stands_until_its_messages_are_acknowledged,
              what_is_not_acknowledged_comes_again_in_place,
              the_same_attempt_is_not_held_up_and_counts_once,
              those_who_poll_are_woken_when_the_queue_is_free, the_invisible_time_can_be_changed,
              a_reset_frees_the_queue, a_batch_acknowledges_in_order,
              what_was_popped_of_a_deleted_topic_is_forgotten);
    return s;
}
TEST_MAIN(suite)
