/* Messages that come again: send-back, delay levels, dead letters, timer messages, transactions,
 * all on the clock that tests advance. */
#include <stdio.h>

#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire;

static void set_up(void)
{
    cluster = cluster_start(&(mqc_embedded_options){.virtual_clock = true});
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
}

static void tear_down(void)
{
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

static void send_back(int64_t commit_log_offset, int level, int most, int32_t code)
{
    struct consumer_send_message_back_header header = {
        .commit_log_offset = commit_log_offset,
        .consumer_group = SLICE_LITERAL("g"),
        .delay_level = level,
        .max_reconsume_times = most,
    };
    wire_expect(wire, REQUEST_CONSUMER_SEND_MSG_BACK, &consumer_send_message_back_layout, &header,
                SLICE_ABSENT, code);
}

static struct message_block *only(const char *topic, int64_t offset)
{
    struct message_block *block = wire_pull(wire, "g", topic, 0, offset, RESPONSE_SUCCESS);
    ck_assert_uint_eq(block->count, 1);
    return block;
}

START_TEST(a_message_sent_back_comes_again_after_its_level)
{
    wire_put(wire, "orders", 0, "UNIQ_KEY\1U\2TAGS\1a\2", "hello");
    struct message_block *block = only("orders", 0);
    send_back(block->messages[0].commit_log_offset, 0, 16, RESPONSE_SUCCESS);
    mqc_embedded_advance_clock(cluster, 9999);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "%RETRY%g"), 0);
    mqc_embedded_advance_clock(cluster, 1);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "%RETRY%g"), 1);
    struct message_block *retry = only("%RETRY%g", 0);
    const struct mqc_message *message = &retry->messages[0];
    ck_assert_int_eq(message->reconsume_times, 1);
    assert_text(message->body, "hello");
    assert_text(properties_find(message->properties, "RETRY_TOPIC"), "orders");
    assert_text(properties_find(message->properties, "UNIQ_KEY"), "U");
    assert_text(properties_find(message->properties, "DELAY"), "3");
    assert_text(properties_find(message->properties, "REAL_TOPIC"), "%RETRY%g");
    ck_assert_uint_eq(properties_find(message->properties, "ORIGIN_MESSAGE_ID").size, 32);
    send_back(message->commit_log_offset, 0, 16, RESPONSE_SUCCESS);
    mqc_embedded_advance_clock(cluster, 30000); /* level 4 */
    struct message_block *third = only("%RETRY%g", 1);
    ck_assert_int_eq(third->messages[0].reconsume_times, 2);
    assert_text(properties_find(third->messages[0].properties, "RETRY_TOPIC"), "orders");
    message_block_unref(third);
    message_block_unref(retry);
    message_block_unref(block);
}
END_TEST

START_TEST(too_many_tries_end_with_the_dead_letters)
{
    wire_put(wire, "orders", 0, NULL, "hello");
    struct message_block *block = only("orders", 0);
    send_back(block->messages[0].commit_log_offset, 0, 0, RESPONSE_SUCCESS);
    send_back(block->messages[0].commit_log_offset, -1, 16, RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "%DLQ%g"), 2);
    send_back(12345, 0, 16, RESPONSE_SYSTEM_ERROR);
    message_block_unref(block);
}
END_TEST

START_TEST(an_unknown_group_cannot_send_back)
{
    wire_put(wire, "orders", 0, NULL, "hello");
    send_back(0, 0, 16, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST);
}
END_TEST

START_TEST(a_delayed_message_waits_for_its_level)
{
    wire_put(wire, "orders", 1, "DELAY\0012\2", "later");
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 0);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "SCHEDULE_TOPIC_XXXX"), 1);
    mqc_embedded_advance_clock(cluster, 5000);
    struct message_block *block = wire_pull(wire, "g", "orders", 1, 0, RESPONSE_SUCCESS);
    assert_text(block->messages[0].body, "later");
    message_block_unref(block);
}
END_TEST

START_TEST(a_held_pull_gets_a_delayed_message)
{
    struct pull_message_header header = wire_pull_header("g", "orders", 0, 0, 60000);
    mqc_embedded_create_topic(cluster, -1, "orders", 1, NULL);
    wire_put(wire, "orders", 0, "DELAY\00118\2", "later");
    int32_t opaque =
        wire_send(wire, REQUEST_PULL_MESSAGE, &pull_message_layout, &header, SLICE_ABSENT);
    ck_assert_int_eq(mqc_embedded_await_requests(cluster, REQUEST_PULL_MESSAGE, 1, 30000, NULL),
                     MQC_OK);
    mqc_embedded_advance_clock(cluster, 7200000);
    struct wire_frame *answer = wire_receive(wire, opaque);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    wire_frame_free(answer);
}
END_TEST

START_TEST(what_is_due_while_the_broker_is_down_comes_when_it_is_up)
{
    wire_put(wire, "orders", 0, "DELAY\0011\2", "later");
    ck_assert_int_eq(mqc_embedded_broker_down(cluster, 0, 0, NULL), MQC_OK);
    mqc_embedded_advance_clock(cluster, 60000);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 0);
    ck_assert_int_eq(mqc_embedded_broker_up(cluster, 0, NULL), MQC_OK);
    mqc_embedded_advance_clock(cluster, 0);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
}
END_TEST

START_TEST(a_timer_message_comes_at_its_time)
{
    char properties[64];
    int64_t now = mqc_embedded_clock_unix_ms(cluster);
    snprintf(properties, sizeof properties, "TIMER_DELIVER_MS\1%lld\2",
             (long long)(now / 1000 * 1000 + 5000));
    struct send_message_header header = wire_send_header("orders", 0, properties);
    struct wire_frame *answer = wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout,
                                          &header, SLICE_LITERAL("timed"));
    ck_assert_uint_gt(remoting_command_field(&answer->command, "recallHandle").size, 20);
    wire_frame_free(answer);
    mqc_embedded_advance_clock(cluster, 3000);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 0);
    mqc_embedded_advance_clock(cluster, 2000);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
    struct message_block *block = only("orders", 0);
    assert_text(properties_find(block->messages[0].properties, "REAL_TOPIC"), "orders");
    message_block_unref(block);
    header = wire_send_header("orders", 0, "TIMER_DELAY_SEC\001259201\2");
    wire_expect(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout, &header, SLICE_LITERAL("x"),
                RESPONSE_MESSAGE_ILLEGAL);
}
END_TEST

/* ---- transactions ---- */

static struct end_transaction_header send_half(void)
{
    struct send_message_header header =
        wire_send_header("orders", 2, "UNIQ_KEY\1T\2TRAN_MSG\1true\2PGROUP\1g\2");
    header.sys_flag = MESSAGE_FLAG_PREPARED;
    struct wire_frame *answer = wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout,
                                          &header, SLICE_LITERAL("half"));
    struct send_message_response_header result;
    struct host host;
    int64_t offset;
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    header_decode(&send_message_response_layout, &answer->command, &result, NULL);
    ck_assert_int_eq(offset_id_parse(result.message_id, &host, &offset, NULL), MQC_OK);
    struct end_transaction_header end = {
        .producer_group = SLICE_LITERAL("g"),
        .transaction_table_offset = result.queue_offset,
        .commit_log_offset = offset,
        .commit_or_rollback = MESSAGE_FLAG_COMMIT,
        .message_id = SLICE_LITERAL("T"),
    };
    wire_frame_free(answer);
    return end;
}

static void end_transaction(const struct end_transaction_header *end, int32_t code)
{
    wire_expect(wire, REQUEST_END_TRANSACTION, &end_transaction_layout, end, SLICE_ABSENT, code);
}

START_TEST(a_half_message_shows_only_when_committed)
{
    struct end_transaction_header end = send_half();
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 0);
    end.producer_group = SLICE_LITERAL("other");
    end_transaction(&end, RESPONSE_SYSTEM_ERROR);
    end.producer_group = SLICE_LITERAL("g");
    end_transaction(&end, RESPONSE_SUCCESS);
    struct message_block *block = wire_pull(wire, "g", "orders", 2, 0, RESPONSE_SUCCESS);
    assert_text(block->messages[0].body, "half");
    ck_assert_int_eq(block->messages[0].sys_flag & MESSAGE_FLAG_TRANSACTION, MESSAGE_FLAG_COMMIT);
    message_block_unref(block);
    end = send_half();
    end.commit_or_rollback = MESSAGE_FLAG_ROLLBACK;
    end_transaction(&end, RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
}
END_TEST

START_TEST(the_producer_is_asked_with_new_offsets_each_time)
{
    wire_heartbeat(wire, "c", "g", "orders", "*");
    struct end_transaction_header end = send_half();
    int64_t before = end.commit_log_offset;
    for (int times = 1; times <= 2; times++) {
        mqc_embedded_advance_clock(cluster, times == 1 ? 6000 : 30000);
        struct wire_frame *push = wire_receive_push(wire, REQUEST_CHECK_TRANSACTION_STATE);
        struct check_transaction_state_header check;
        ck_assert(remoting_command_is_oneway(&push->command));
        ck_assert_int_eq(
            header_decode(&check_transaction_state_layout, &push->command, &check, NULL), MQC_OK);
        assert_text(check.topic, "RMQ_SYS_TRANS_HALF_TOPIC");
        assert_text(check.message_id, "T");
        assert_text(check.broker_name, "broker-a");
        ck_assert_int_gt(check.commit_log_offset, before);
        before = end.commit_log_offset = check.commit_log_offset;
        end.transaction_table_offset = check.transaction_table_offset;
        struct message_block *block = wire_messages(push);
        assert_text(block->messages[0].stored_topic, "orders");
        ck_assert_int_eq(block->messages[0].queue_id, 2);
        message_block_unref(block);
        wire_frame_free(push);
    }
    end.from_transaction_check = true;
    end_transaction(&end, RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
    mqc_embedded_advance_clock(cluster, 3600000);
    wire_expect(wire, 9999, NULL, NULL, SLICE_ABSENT, RESPONSE_REQUEST_CODE_NOT_SUPPORTED);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "orders"), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded retry");
    WIRE_CASE(s, "back", set_up, tear_down, a_message_sent_back_comes_again_after_its_level,
              too_many_tries_end_with_the_dead_letters, an_unknown_group_cannot_send_back,
              a_delayed_message_waits_for_its_level, a_held_pull_gets_a_delayed_message,
              what_is_due_while_the_broker_is_down_comes_when_it_is_up,
              a_timer_message_comes_at_its_time);
    WIRE_CASE(s, "transactions", set_up, tear_down, a_half_message_shows_only_when_committed,
              the_producer_is_asked_with_new_offsets_each_time);
    return s;
}
TEST_MAIN(suite)
