/* Pulls at wire level: codes and offsets, filters, long polls. */
#include "lib/base/clock.h"
#include "lib/protocol/sys_flag.h"
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

static struct wire_frame *pull(const struct pull_message_header *header)
{
    return wire_call(wire, REQUEST_PULL_MESSAGE, &pull_message_layout, header, SLICE_ABSENT);
}

static void expect_pull(const struct pull_message_header *header, int32_t code, const char *remark,
                        int64_t next)
{
    struct pull_message_response_header result;
    struct wire_frame *answer = pull(header);
    ck_assert_int_eq(answer->command.code, code);
    assert_text(answer->command.remark, remark);
    ck_assert_int_eq(header_decode(&pull_message_response_layout, &answer->command, &result, NULL),
                     MQC_OK);
    ck_assert_int_eq(result.next_begin_offset, next);
    wire_frame_free(answer);
}

START_TEST(codes_and_offsets_are_the_real_brokers)
{
    struct pull_message_header header = wire_pull_header("g", "orders", 0, 0, 0);
    mqc_embedded_create_topic(cluster, -1, "orders", 4, NULL);
    expect_pull(&header, RESPONSE_PULL_NOT_FOUND, "NO_MESSAGE_IN_QUEUE", 0);
    header.queue_offset = 5;
    expect_pull(&header, RESPONSE_PULL_OFFSET_MOVED, "NO_MESSAGE_IN_QUEUE", 0);
    for (int i = 0; i < 6; i++) wire_put(wire, "orders", 0, "TAGS\1a\2", "x");
    header.queue_offset = 0;
    expect_pull(&header, RESPONSE_SUCCESS, "FOUND", 6);
    header.max_messages = 2;
    expect_pull(&header, RESPONSE_SUCCESS, "FOUND", 2);
    header.queue_offset = 6;
    expect_pull(&header, RESPONSE_PULL_NOT_FOUND, "OFFSET_OVERFLOW_ONE", 6);
    header.queue_offset = 600;
    expect_pull(&header, RESPONSE_PULL_OFFSET_MOVED, "OFFSET_OVERFLOW_BADLY", 6);
    header.queue_offset = 0;
    header.subscription = SLICE_LITERAL("b");
    header.max_messages = 32;
    expect_pull(&header, RESPONSE_PULL_RETRY_IMMEDIATELY, "NO_MATCHED_MESSAGE", 6);
}
END_TEST

static void expect_refusal(const struct pull_message_header *header, int32_t code)
{
    struct wire_frame *answer = pull(header);
    ck_assert_msg(answer->command.code == code, "code %d: %.*s", (int)answer->command.code,
                  SLICE_FORMAT(answer->command.remark));
    wire_frame_free(answer);
}

START_TEST(wrong_pulls_are_refused)
{
    struct pull_message_header header = wire_pull_header("g", "nowhere", 0, 0, 0);
    expect_refusal(&header, RESPONSE_TOPIC_NOT_EXIST);
    mqc_embedded_create_topic(cluster, -1, "orders", 2, NULL);
    header = wire_pull_header("g", "orders", 2, 0, 0);
    expect_refusal(&header, RESPONSE_INVALID_PARAMETER);
    header.queue_id = -1;
    expect_refusal(&header, RESPONSE_INVALID_PARAMETER);
    header = wire_pull_header("not a group", "orders", 0, 0, 0);
    expect_refusal(&header, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST);
    header = wire_pull_header("g", "orders", 0, 0, 0);
    header.subscription = SLICE_LITERAL("||");
    expect_refusal(&header, RESPONSE_SUBSCRIPTION_PARSE_FAILED);
}
END_TEST

START_TEST(without_its_own_the_heartbeats_subscription_counts)
{
    struct pull_message_header header = wire_pull_header("g", "orders", 0, 0, 0);
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    wire_put(wire, "orders", 0, "TAGS\1a\2", "first");
    wire_put(wire, "orders", 0, "TAGS\1b\2", "second");
    header.sys_flag = 0;
    expect_refusal(&header, RESPONSE_SUBSCRIPTION_NOT_EXIST);
    wire_heartbeat(wire, "c", "g", "orders", "b || c");
    struct wire_frame *answer = pull(&header);
    struct message_block *block = wire_messages(answer);
    ck_assert_uint_eq(block->count, 1);
    assert_text(block->messages[0].body, "second");
    message_block_unref(block);
    wire_frame_free(answer);
    header.subscription_version = 2;
    expect_refusal(&header, RESPONSE_SUBSCRIPTION_NOT_LATEST);
    header.topic = SLICE_LITERAL("%RETRY%g");
    expect_refusal(&header, RESPONSE_SUBSCRIPTION_NOT_EXIST);
}
END_TEST

START_TEST(a_held_pull_is_answered_by_the_message_it_wants)
{
    struct pull_message_header header = wire_pull_header("g", "orders", 1, 0, 60000);
    header.subscription = SLICE_LITERAL("wanted");
    mqc_embedded_create_topic(cluster, -1, "orders", 2, NULL);
    int32_t opaque =
        wire_send(wire, REQUEST_PULL_MESSAGE, &pull_message_layout, &header, SLICE_ABSENT);
    wire_put(wire, "orders", 0, "TAGS\1wanted\2", "other queue");
    wire_put(wire, "orders", 1, "TAGS\1other\2", "other tag");
    ck_assert(!wire_has_answer(wire, opaque));
    wire_put(wire, "orders", 1, "TAGS\1wanted\2", "it");
    struct wire_frame *answer = wire_receive(wire, opaque);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    struct message_block *block = wire_messages(answer);
    ck_assert_uint_eq(block->count, 1);
    assert_text(block->messages[0].body, "it");
    message_block_unref(block);
    wire_frame_free(answer);
}
END_TEST

START_TEST(a_held_pull_is_answered_when_its_time_is_over)
{
    struct pull_message_header header = wire_pull_header("g", "orders", 0, 0, 50);
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    int64_t begin = clock_now_ms();
    expect_pull(&header, RESPONSE_PULL_NOT_FOUND, "NO_MESSAGE_IN_QUEUE", 0);
    ck_assert_int_ge(clock_now_ms() - begin, 50);
}
END_TEST

START_TEST(held_pulls_end_with_connection_topic_and_cluster)
{
    struct pull_message_header header = wire_pull_header("g", "orders", 0, 0, 60000);
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    struct wire *other = wire_open(mqc_embedded_broker_address(cluster, 0));
    wire_send(other, REQUEST_PULL_MESSAGE, &pull_message_layout, &header, SLICE_ABSENT);
    wire_close(other);
    int32_t opaque =
        wire_send(wire, REQUEST_PULL_MESSAGE, &pull_message_layout, &header, SLICE_ABSENT);
    ck_assert_int_eq(mqc_embedded_await_requests(cluster, REQUEST_PULL_MESSAGE, 2, 30000, NULL),
                     MQC_OK);
    ck_assert_int_eq(mqc_embedded_delete_topic(cluster, -1, "orders", NULL), MQC_OK);
    struct wire_frame *answer = wire_receive(wire, opaque);
    ck_assert_int_eq(answer->command.code, RESPONSE_TOPIC_NOT_EXIST);
    wire_frame_free(answer);
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    wire_send(wire, REQUEST_PULL_MESSAGE, &pull_message_layout, &header, SLICE_ABSENT);
    ck_assert_int_eq(mqc_embedded_await_requests(cluster, REQUEST_PULL_MESSAGE, 3, 30000, NULL),
                     MQC_OK);
}
END_TEST

START_TEST(a_pull_may_commit)
{
    struct pull_message_header header = wire_pull_header("g", "orders", 0, 0, 0);
    wire_put(wire, "orders", 0, NULL, "x");
    header.sys_flag |= PULL_FLAG_COMMIT_OFFSET;
    header.commit_offset = 1;
    expect_pull(&header, RESPONSE_SUCCESS, "FOUND", 1);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 1);
    ck_assert_int_eq(mqc_embedded_lag(cluster, "g", "orders"), 0);
}
END_TEST

START_TEST(sql_filters_by_property)
{
    struct pull_message_header header = wire_pull_header("g", "orders", 0, 0, 0);
    wire_put(wire, "orders", 0, "price\0015\2", "cheap");
    wire_put(wire, "orders", 0, "price\00150\2", "dear");
    header.expression_type = SLICE_LITERAL("SQL92");
    header.subscription = SLICE_LITERAL("price > 10 AND price IS NOT NULL");
    struct wire_frame *answer = pull(&header);
    struct message_block *block = wire_messages(answer);
    ck_assert_uint_eq(block->count, 1);
    assert_text(block->messages[0].body, "dear");
    message_block_unref(block);
    wire_frame_free(answer);
    header.subscription = SLICE_LITERAL("price >");
    expect_refusal(&header, RESPONSE_SUBSCRIPTION_PARSE_FAILED);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded pull");
    WIRE_CASE(s, "pull", set_up, tear_down, codes_and_offsets_are_the_real_brokers,
              wrong_pulls_are_refused, without_its_own_the_heartbeats_subscription_counts,
              a_held_pull_is_answered_by_the_message_it_wants,
              a_held_pull_is_answered_when_its_time_is_over,
              held_pulls_end_with_connection_topic_and_cluster, a_pull_may_commit,
              sql_filters_by_property);
    return s;
}
TEST_MAIN(suite)
