/* Sends at wire level: creation of topics, the answers, what is stored, batches, refusals. */
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/protocol/properties.h"
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire;

static void set_up(void)
{
    cluster = cluster_start(NULL);
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
}

static void tear_down(void)
{
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

static void expect_code(const struct send_message_header *header, const char *body, int32_t code)
{
    wire_expect(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout, header, slice_text(body),
                code);
}

START_TEST(a_first_send_makes_the_topic)
{
    struct send_message_header header = wire_send_header(
        "orders", 2, "UNIQ_KEY\1C0A80001000018B4AAC273E3E4FE0000\2TAGS\1first\2colour\1blue\2");
    struct wire_frame *answer = wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout,
                                          &header, SLICE_LITERAL("hello"));
    struct send_message_response_header result;
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    ck_assert_int_eq(header_decode(&send_message_response_layout, &answer->command, &result, NULL),
                     MQC_OK);
    ck_assert_int_eq(result.queue_id, 2);
    ck_assert_int_eq(result.queue_offset, 0);
    assert_text(result.transaction_id, "C0A80001000018B4AAC273E3E4FE0000");
    assert_text(result.region, "DefaultRegion");
    assert_text(result.trace_on, "true");
    ck_assert_uint_eq(result.message_id.size, 32);
    ck_assert(slice_begins_with(result.message_id, "7F000001"));
    wire_frame_free(answer);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
}
END_TEST

START_TEST(the_stored_message_is_as_the_real_broker_writes_it)
{
    wire_put(wire, "orders", 0, "UNIQ_KEY\1K1\2TAGS\1a\2KEYS\1k1 k2\2POP_CK\1no\2", "hello");
    struct message_block *block = wire_pull(wire, "g", "orders", 0, 0, RESPONSE_SUCCESS);
    const struct mqc_message *message = &block->messages[0];
    ck_assert_uint_eq(block->count, 1);
    assert_text(message->body, "hello");
    assert_text(properties_find(message->properties, "TAGS"), "a");
    assert_text(properties_find(message->properties, "KEYS"), "k1 k2");
    assert_text(properties_find(message->properties, "UNIQ_KEY"), "K1");
    assert_text(properties_find(message->properties, "MSG_REGION"), "DefaultRegion");
    assert_text(properties_find(message->properties, "CLUSTER"), "DefaultCluster");
    assert_text(properties_find(message->properties, "TRACE_ON"), "true");
    ck_assert_ptr_null(properties_find(message->properties, "POP_CK").data);
    char host[HOST_TEXT_BYTES];
    host_format(&message->store_host, host);
    ck_assert_str_eq(host, mqc_embedded_broker_address(cluster, 0));
    ck_assert_int_eq(message->born_host.address[0], 127);
    message_block_unref(block);
}
END_TEST

START_TEST(the_long_form_stores_the_same)
{
    struct send_message_long_header header = {
        .producer_group = SLICE_LITERAL("producers"),
        .topic = SLICE_LITERAL("orders"),
        .default_topic = SLICE_LITERAL("TBW102"),
        .default_topic_queues = 2,
        .queue_id = 1,
        .flag = 7,
        .born_timestamp = 12345,
        .properties = SLICE_LITERAL("a\1b\2"),
        .max_reconsume_times = -1,
    };
    wire_expect(wire, REQUEST_SEND_MESSAGE, &send_message_long_layout, &header,
                SLICE_LITERAL("long"), RESPONSE_SUCCESS);
    struct message_block *block = wire_pull(wire, "g", "orders", 1, 0, RESPONSE_SUCCESS);
    assert_text(block->messages[0].body, "long");
    ck_assert_int_eq(block->messages[0].flag, 7);
    ck_assert_int_eq(block->messages[0].born_unix_ms, 12345);
    assert_text(properties_find(block->messages[0].properties, "a"), "b");
    ck_assert_uint_eq(properties_find(block->messages[0].properties, "UNIQ_KEY").size, 32);
    message_block_unref(block);
}
END_TEST

START_TEST(a_binary_request_is_understood)
{
    wire->type = SERIALIZE_ROCKETMQ;
    ck_assert_int_eq(wire_put(wire, "orders", 0, "a\1b\2", "binary"), 0);
    ck_assert_int_eq(wire_put(wire, "orders", 0, "a\1b\2", "binary"), 1);
}
END_TEST

START_TEST(the_java_clients_frames_are_understood)
{
    static const char *const names[] = {"java_send_request", "java_binary_send_request"};
    for (int i = 0; i < 2; i++) {
        struct slice frame = golden_bytes(names[i]);
        struct remoting_command command;
        ck_assert_int_eq(remoting_command_decode(&command, frame, NULL), MQC_OK);
        wire_send_bytes(wire, frame);
        struct wire_frame *answer = wire_receive(wire, command.opaque);
        ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
        wire_frame_free(answer);
        remoting_command_done(&command);
    }
}
END_TEST

START_TEST(wrong_sends_are_refused)
{
    char large[140], *huge = calloc(1, (4 << 20) + 2);
    struct send_message_header header = wire_send_header("bad topic!", 0, NULL);
    expect_code(&header, "x", RESPONSE_INVALID_PARAMETER);
    memset(large, 't', 130);
    large[130] = '\0';
    header = wire_send_header(large, 0, NULL);
    expect_code(&header, "x", RESPONSE_INVALID_PARAMETER);
    header = wire_send_header("SCHEDULE_TOPIC_XXXX", 0, NULL);
    expect_code(&header, "x", RESPONSE_NO_PERMISSION);
    header = wire_send_header("orders", 4, NULL);
    expect_code(&header, "x", RESPONSE_INVALID_PARAMETER);
    header = wire_send_header("orders", 0, NULL);
    expect_code(&header, "", RESPONSE_SYSTEM_ERROR);
    memset(huge, 'b', (4 << 20) + 1);
    expect_code(&header, huge, RESPONSE_MESSAGE_ILLEGAL);
    huge[33000] = '\0';
    huge[1] = '\1';
    header.properties = slice_text(huge);
    expect_code(&header, "x", RESPONSE_MESSAGE_ILLEGAL);
    header = wire_send_header("orders", -1, NULL);
    expect_code(&header, "x", RESPONSE_SUCCESS);
    free(huge);
}
END_TEST

START_TEST(without_auto_creation_an_unknown_topic_is_17)
{
    mqc_embedded *other = cluster_start(&(mqc_embedded_options){.no_auto_create_topics = true});
    struct wire *to = wire_open(mqc_embedded_broker_address(other, 0));
    struct send_message_header header = wire_send_header("orders", 0, NULL);
    wire_expect(to, REQUEST_SEND_MESSAGE_V2, &send_message_layout, &header, SLICE_LITERAL("x"),
                RESPONSE_TOPIC_NOT_EXIST);
    ck_assert_int_eq(mqc_embedded_create_topic(other, -1, "orders", 1, NULL), MQC_OK);
    ck_assert_int_eq(wire_put(to, "orders", 0, NULL, "x"), 0);
    wire_close(to);
    mqc_embedded_stop(other);
}
END_TEST

static void put_part(struct buffer *out, const char *body, const char *properties)
{
    size_t start = out->size;
    buffer_put_32(out, 0);
    buffer_put_32(out, 0);
    buffer_put_32(out, 0);
    buffer_put_32(out, 5); /* flag */
    buffer_put_32(out, (uint32_t)strlen(body));
    buffer_put_text(out, body);
    buffer_put_16(out, (uint16_t)strlen(properties));
    buffer_put_text(out, properties);
    buffer_patch_32(out, start, (uint32_t)(out->size - start));
}

START_TEST(a_batch_is_stored_message_by_message)
{
    struct buffer body;
    buffer_init(&body);
    put_part(&body, "one", "UNIQ_KEY\1A\2TAGS\1x\2");
    put_part(&body, "two", "UNIQ_KEY\1B\2");
    struct send_message_header header = wire_send_header("orders", 3, "UNIQ_KEY\1E\2");
    header.batch = true;
    struct wire_frame *answer = wire_call(wire, REQUEST_SEND_BATCH_MESSAGE, &send_message_layout,
                                          &header, buffer_slice(&body));
    struct send_message_response_header result;
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    header_decode(&send_message_response_layout, &answer->command, &result, NULL);
    ck_assert_uint_eq(result.message_id.size, 65);
    assert_text(result.transaction_id, "E");
    wire_frame_free(answer);
    struct message_block *block = wire_pull(wire, "g", "orders", 3, 0, RESPONSE_SUCCESS);
    ck_assert_uint_eq(block->count, 2);
    assert_text(block->messages[1].body, "two");
    ck_assert_int_eq(block->messages[1].queue_offset, 1);
    ck_assert_int_eq(block->messages[1].flag, 5);
    assert_text(block->messages[0].properties, "UNIQ_KEY\1A\2TAGS\1x\2");
    message_block_unref(block);
    buffer_truncate(&body, body.size - 1);
    wire_expect(wire, REQUEST_SEND_BATCH_MESSAGE, &send_message_layout, &header,
                buffer_slice(&body), RESPONSE_SYSTEM_ERROR);
    header.properties = SLICE_LITERAL("DELAY\0013\2");
    wire_expect(wire, REQUEST_SEND_BATCH_MESSAGE, &send_message_layout, &header,
                buffer_slice(&body), RESPONSE_MESSAGE_ILLEGAL);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 2);
    buffer_done(&body);
}
END_TEST

START_TEST(the_oldest_messages_go_first)
{
    mqc_embedded *other = cluster_start(&(mqc_embedded_options){.retention_messages = 3});
    struct wire *to = wire_open(mqc_embedded_broker_address(other, 0));
    for (int i = 0; i < 5; i++) wire_put(to, "orders", 0, NULL, "x");
    ck_assert_int_eq(mqc_embedded_message_count(other, "orders"), 3);
    message_block_unref(wire_pull(to, "g", "orders", 0, 0, RESPONSE_PULL_OFFSET_MOVED));
    struct message_block *block = wire_pull(to, "g", "orders", 0, 2, RESPONSE_SUCCESS);
    ck_assert_uint_eq(block->count, 3);
    message_block_unref(block);
    wire_close(to);
    mqc_embedded_stop(other);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded send");
    WIRE_CASE(s, "send", set_up, tear_down, a_first_send_makes_the_topic,
              the_stored_message_is_as_the_real_broker_writes_it, the_long_form_stores_the_same,
              a_binary_request_is_understood, the_java_clients_frames_are_understood,
              wrong_sends_are_refused, without_auto_creation_an_unknown_topic_is_17,
              a_batch_is_stored_message_by_message, the_oldest_messages_go_first);
    return s;
}
TEST_MAIN(suite)
