/* Pops, their acknowledgements, and messages that come again, on the clock that tests advance. */
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
}

static void tear_down(void)
{
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

static struct pop_message_header pop_header(int64_t poll_ms)
{
    return (struct pop_message_header){.consumer_group = SLICE_LITERAL("g"),
                                       .topic = SLICE_LITERAL("orders"),
                                       .queue_id = -1,
                                       .max_messages = 32,
                                       .invisible_time_ms = 30000,
                                       .poll_time_ms = poll_ms,
                                       .born_timestamp = clock_unix_ms(),
                                       .expression_type = SLICE_LITERAL("TAG"),
                                       .expression = SLICE_LITERAL("*")};
}

static struct wire_frame *pop(int32_t code)
{
    struct pop_message_header header = pop_header(0);
    struct wire_frame *answer =
        wire_call(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    ck_assert_msg(answer->command.code == code, "%d: %.*s", (int)answer->command.code,
                  SLICE_FORMAT(answer->command.remark));
    return answer;
}

static void pop_nothing(void)
{
    wire_frame_free(pop(RESPONSE_POLLING_TIMEOUT));
}

static void acknowledge(const char *topic, int64_t offset, int32_t code)
{
    struct ack_message_header header = {.consumer_group = SLICE_LITERAL("g"),
                                        .topic = slice_text(topic),
                                        .extra_info = SLICE_LITERAL("0 0 30000 0 0 broker-a 0 0"),
                                        .queue_offset = offset};
    wire_expect(wire, REQUEST_ACK_MESSAGE, &ack_message_layout, &header, SLICE_ABSENT, code);
}

START_TEST(a_pop_hides_messages_until_they_are_acknowledged)
{
    for (int i = 0; i < 3; i++) wire_put(wire, "orders", 0, NULL, "x");
    struct wire_frame *answer = pop(RESPONSE_SUCCESS);
    assert_text(remoting_command_field(&answer->command, "startOffsetInfo"), "0 0 0");
    assert_text(remoting_command_field(&answer->command, "msgOffsetInfo"), "0 0 0,1,2");
    assert_text(remoting_command_field(&answer->command, "reviveQid"), "0");
    assert_text(remoting_command_field(&answer->command, "restNum"), "0");
    struct message_block *block = wire_messages(answer);
    ck_assert_uint_eq(block->count, 3);
    message_block_unref(block);
    wire_frame_free(answer);
    pop_nothing();
    for (int64_t i = 0; i < 3; i++) acknowledge("orders", i, RESPONSE_SUCCESS);
    acknowledge("orders", 1, RESPONSE_SUCCESS); /* again is fine */
    acknowledge("orders", 9, RESPONSE_NO_MESSAGE);
    acknowledge("nowhere", 0, RESPONSE_TOPIC_NOT_EXIST);
    mqc_embedded_advance_clock(cluster, 3600000);
    pop_nothing();
}
END_TEST

START_TEST(what_is_not_acknowledged_comes_again_with_its_receipt)
{
    wire_put(wire, "orders", 0, "UNIQ_KEY\1U\2", "again");
    wire_frame_free(pop(RESPONSE_SUCCESS));
    mqc_embedded_advance_clock(cluster, 29999);
    pop_nothing();
    mqc_embedded_advance_clock(cluster, 1);
    for (int times = 1; times <= 2; times++) {
        char begin[128], end[128];
        struct wire_frame *answer = pop(RESPONSE_SUCCESS);
        struct message_block *block = wire_messages(answer);
        const struct mqc_message *message = &block->messages[0];
        assert_text(message->stored_topic, "orders");
        assert_text(message->body, "again");
        ck_assert_int_eq(message->reconsume_times, times);
        snprintf(begin, sizeof begin, "%d %lld 30000 ", times - 1,
                 (long long)mqc_embedded_clock_unix_ms(cluster));
        snprintf(end, sizeof end, " 1 broker-a 0 %d", times - 1);
        struct slice receipt = properties_find(message->properties, "POP_CK");
        ck_assert(slice_begins_with(receipt, begin));
        assert_text(slice_of(receipt.data + receipt.size - strlen(end), strlen(end)), end);
        message_block_unref(block);
        wire_frame_free(answer);
        mqc_embedded_advance_clock(cluster, 30000);
    }
    wire_frame_free(pop(RESPONSE_SUCCESS));
    acknowledge("%RETRY%g_orders", 2, RESPONSE_SUCCESS);
    mqc_embedded_advance_clock(cluster, 30000);
    pop_nothing();
}
END_TEST

START_TEST(the_invisible_time_can_be_changed)
{
    wire_put(wire, "orders", 0, NULL, "x");
    wire_frame_free(pop(RESPONSE_SUCCESS));
    struct change_invisible_time_header header = {.consumer_group = SLICE_LITERAL("g"),
                                                  .topic = SLICE_LITERAL("orders"),
                                                  .extra_info = SLICE_LITERAL("0 0 30000 0"),
                                                  .invisible_time_ms = 60000};
    wire_expect(wire, REQUEST_CHANGE_MESSAGE_INVISIBLETIME, &change_invisible_time_layout, &header,
                SLICE_ABSENT, RESPONSE_SUCCESS);
    mqc_embedded_advance_clock(cluster, 59999);
    pop_nothing();
    mqc_embedded_advance_clock(cluster, 1);
    wire_frame_free(pop(RESPONSE_SUCCESS));
}
END_TEST

START_TEST(a_batch_acknowledges_by_bits)
{
    for (int i = 0; i < 4; i++) wire_put(wire, "orders", 0, NULL, "x");
    wire_frame_free(pop(RESPONSE_SUCCESS));
    wire_expect(
        wire, REQUEST_BATCH_ACK_MESSAGE, NULL, NULL,
        SLICE_LITERAL("{\"brokerName\":\"broker-a\",\"acks\":[{\"c\":\"g\",\"t\":\"orders\","
                      "\"r\":\"0\",\"so\":0,\"q\":0,\"rq\":0,\"pt\":1,\"it\":30000,"
                      "\"b\":\"BQ==\"}]}"), /* bits 0 and 2 */
        RESPONSE_SUCCESS);
    mqc_embedded_advance_clock(cluster, 30000);
    struct wire_frame *answer = pop(RESPONSE_SUCCESS);
    struct message_block *block = wire_messages(answer);
    ck_assert_uint_eq(block->count, 2);
    message_block_unref(block);
    wire_frame_free(answer);
}
END_TEST

START_TEST(a_pop_waits_for_messages_old_and_new)
{
    struct pop_message_header header = pop_header(60000);
    int32_t opaque =
        wire_send(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    struct polling_info_header info = {
        .consumer_group = SLICE_LITERAL("g"), .topic = SLICE_LITERAL("orders"), .queue_id = 0};
    struct wire_frame *answer =
        wire_call(wire, REQUEST_POLLING_INFO, &polling_info_layout, &info, SLICE_ABSENT);
    assert_text(remoting_command_field(&answer->command, "pollingNum"), "1");
    wire_frame_free(answer);
    wire_put(wire, "orders", 0, NULL, "new");
    answer = wire_receive(wire, opaque);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    wire_frame_free(answer);
    header = pop_header(60000);
    opaque = wire_send(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    mqc_embedded_await_requests(cluster, REQUEST_POP_MESSAGE, 2, 30000, NULL);
    mqc_embedded_advance_clock(cluster, 30000);
    answer = wire_receive(wire, opaque);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    wire_frame_free(answer);
}
END_TEST

START_TEST(two_pops_share_the_messages)
{
    struct pop_message_header header = pop_header(60000);
    header.max_messages = 1;
    int32_t first =
        wire_send(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    int32_t second =
        wire_send(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT);
    wire_put(wire, "orders", 0, NULL, "one");
    wire_frame_free(wire_receive(wire, first));
    ck_assert(!wire_has_answer(wire, second)); /* held on: the message is taken */
    wire_put(wire, "orders", 0, NULL, "two");
    struct wire_frame *answer = wire_receive(wire, second);
    struct message_block *block = wire_messages(answer);
    assert_text(block->messages[0].body, "two");
    message_block_unref(block);
    wire_frame_free(answer);
}
END_TEST

START_TEST(wrong_pops_are_refused)
{
    struct pop_message_header header = pop_header(0);
    header.born_timestamp -= 100000;
    wire_expect(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT,
                RESPONSE_POLLING_TIMEOUT);
    header = pop_header(0);
    header.max_messages = 33;
    wire_expect(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT,
                RESPONSE_INVALID_PARAMETER);
    header = pop_header(0);
    header.topic = SLICE_LITERAL("nowhere");
    wire_expect(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT,
                RESPONSE_TOPIC_NOT_EXIST);
    header = pop_header(0);
    header.queue_id = 1;
    wire_expect(wire, REQUEST_POP_MESSAGE, &pop_message_layout, &header, SLICE_ABSENT,
                RESPONSE_INVALID_PARAMETER);
}
END_TEST

START_TEST(wrong_receipts_are_refused)
{
    wire_put(wire, "orders", 0, NULL, "x");
    struct ack_message_header header = {.consumer_group = SLICE_LITERAL("g"),
                                        .topic = SLICE_LITERAL("orders"),
                                        .extra_info = SLICE_LITERAL("0 1 nonsense 0")};
    wire_expect(wire, REQUEST_ACK_MESSAGE, &ack_message_layout, &header, SLICE_ABSENT,
                RESPONSE_SYSTEM_ERROR);
    header.extra_info = SLICE_LITERAL("0 1 2");
    wire_expect(wire, REQUEST_ACK_MESSAGE, &ack_message_layout, &header, SLICE_ABSENT,
                RESPONSE_SYSTEM_ERROR);
    header.queue_id = 1;
    wire_expect(wire, REQUEST_ACK_MESSAGE, &ack_message_layout, &header, SLICE_ABSENT,
                RESPONSE_MESSAGE_ILLEGAL);
    static const char *const batches[] = {"", "{}", "{\"acks\":[]}"};
    for (size_t i = 0; i < 3; i++)
        wire_expect(wire, REQUEST_BATCH_ACK_MESSAGE, NULL, NULL, slice_text(batches[i]),
                    RESPONSE_NO_MESSAGE);
    wire_expect(wire, REQUEST_BATCH_ACK_MESSAGE, NULL, NULL, SLICE_LITERAL("{"),
                RESPONSE_SYSTEM_ERROR);
}
END_TEST

START_TEST(a_peek_takes_nothing)
{
    struct peek_message_header header = {.consumer_group = SLICE_LITERAL("g"),
                                         .topic = SLICE_LITERAL("orders"),
                                         .queue_id = -1,
                                         .max_messages = 2};
    wire_expect(wire, REQUEST_PEEK_MESSAGE, &peek_message_layout, &header, SLICE_ABSENT,
                RESPONSE_PULL_NOT_FOUND);
    for (int i = 0; i < 3; i++) wire_put(wire, "orders", 0, NULL, "x");
    for (int i = 0; i < 2; i++) {
        struct wire_frame *answer =
            wire_call(wire, REQUEST_PEEK_MESSAGE, &peek_message_layout, &header, SLICE_ABSENT);
        ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
        assert_text(remoting_command_field(&answer->command, "restNum"), "3");
        struct message_block *block = wire_messages(answer);
        ck_assert_uint_eq(block->count, 2);
        message_block_unref(block);
        wire_frame_free(answer);
    }
    wire_frame_free(pop(RESPONSE_SUCCESS));
    wire_expect(wire, REQUEST_PEEK_MESSAGE, &peek_message_layout, &header, SLICE_ABSENT,
                RESPONSE_PULL_NOT_FOUND);
    mqc_embedded_advance_clock(cluster, 30000); /* and to be popped again */
    wire_expect(wire, REQUEST_PEEK_MESSAGE, &peek_message_layout, &header, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    header.topic = SLICE_LITERAL("nowhere");
    wire_expect(wire, REQUEST_PEEK_MESSAGE, &peek_message_layout, &header, SLICE_ABSENT,
                RESPONSE_TOPIC_NOT_EXIST);
}
END_TEST

START_TEST(a_notification_tells_that_there_is_something)
{
    struct notification_header header = {.consumer_group = SLICE_LITERAL("g"),
                                         .topic = SLICE_LITERAL("orders"),
                                         .queue_id = -1,
                                         .born_timestamp = clock_unix_ms()};
    struct wire_frame *answer =
        wire_call(wire, REQUEST_NOTIFICATION, &notification_layout, &header, SLICE_ABSENT);
    assert_text(remoting_command_field(&answer->command, "hasMsg"), "false");
    wire_frame_free(answer);
    header.poll_time_ms = 60000;
    int32_t opaque =
        wire_send(wire, REQUEST_NOTIFICATION, &notification_layout, &header, SLICE_ABSENT);
    wire_put(wire, "orders", 0, NULL, "x");
    answer = wire_receive(wire, opaque);
    assert_text(remoting_command_field(&answer->command, "hasMsg"), "true");
    wire_frame_free(answer);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded pop");
    WIRE_CASE(s, "pop", set_up, tear_down, a_pop_hides_messages_until_they_are_acknowledged,
              what_is_not_acknowledged_comes_again_with_its_receipt,
              the_invisible_time_can_be_changed, a_batch_acknowledges_by_bits,
              a_pop_waits_for_messages_old_and_new, two_pops_share_the_messages,
              wrong_pops_are_refused, wrong_receipts_are_refused, a_peek_takes_nothing,
              a_notification_tells_that_there_is_something);
    return s;
}
TEST_MAIN(suite)
