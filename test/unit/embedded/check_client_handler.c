/* Heartbeats, groups and their members, notifications, offsets, locks, at wire level. */
#include <stdio.h>

#include "lib/protocol/bodies.h"
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *first, *second;

static void set_up(void)
{
    cluster = cluster_start(NULL);
    first = wire_open(mqc_embedded_broker_address(cluster, 0));
    second = wire_open(mqc_embedded_broker_address(cluster, 0));
}

static void tear_down(void)
{
    wire_close(first);
    if (second) wire_close(second);
    mqc_embedded_stop(cluster);
}

static void expect_members(const char *group, size_t count)
{
    struct get_consumer_list_header header = {.consumer_group = slice_text(group)};
    struct wire_frame *answer = wire_call(first, REQUEST_GET_CONSUMER_LIST_BY_GROUP,
                                          &get_consumer_list_layout, &header, SLICE_ABSENT);
    struct name_list ids;
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    ck_assert_int_eq(consumer_list_decode(answer->command.body, &ids, NULL), MQC_OK);
    ck_assert_uint_eq(ids.count, count);
    name_list_done(&ids);
    wire_frame_free(answer);
}

static void expect_notice(struct wire *wire, const char *group)
{
    struct wire_frame *push = wire_receive_push(wire, REQUEST_NOTIFY_CONSUMER_IDS_CHANGED);
    assert_text(remoting_command_field(&push->command, "consumerGroup"), group);
    ck_assert(remoting_command_is_oneway(&push->command));
    wire_frame_free(push);
}

START_TEST(members_are_told_of_each_other)
{
    wire_heartbeat(first, "c1", "g", "orders", "*");
    expect_notice(first, "g");
    wire_heartbeat(second, "c2", "g", "orders", "*");
    expect_notice(first, "g");
    expect_notice(second, "g");
    expect_members("g", 2);
    ck_assert_int_eq(mqc_embedded_member_count(cluster, 0, "g"), 2);
    wire_heartbeat(second, "c2", "g", "orders", "*"); /* nothing new: nobody is told */
    ck_assert_uint_eq(second->kept_count, 0);
    struct unregister_client_header header = {.client_id = SLICE_LITERAL("c2"),
                                              .consumer_group = SLICE_LITERAL("g")};
    wire_expect(second, REQUEST_UNREGISTER_CLIENT, &unregister_client_layout, &header, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    expect_notice(first, "g");
    expect_members("g", 1);
}
END_TEST

START_TEST(a_lost_connection_leaves_its_groups)
{
    wire_heartbeat(first, "c1", "g", "orders", "*");
    wire_heartbeat(second, "c2", "g", "orders", "*");
    expect_notice(first, "g");
    expect_notice(first, "g");
    wire_close(second);
    second = NULL;
    expect_notice(first, "g");
    expect_members("g", 1);
}
END_TEST

START_TEST(a_client_can_be_disconnected)
{
    wire_heartbeat(second, "c2", "g", "orders", "*");
    ck_assert_int_eq(mqc_embedded_disconnect(cluster, "nobody"), 0);
    ck_assert_int_eq(mqc_embedded_disconnect(cluster, "c2"), 1);
    wire_expect_end(second);
    ck_assert_int_eq(mqc_embedded_member_count(cluster, 0, "g"), 0);
}
END_TEST

START_TEST(nobody_online_is_code_1)
{
    struct get_consumer_list_header header = {.consumer_group = SLICE_LITERAL("golden-nobody")};
    struct wire_frame *answer = wire_call(first, REQUEST_GET_CONSUMER_LIST_BY_GROUP,
                                          &get_consumer_list_layout, &header, SLICE_ABSENT);
    ck_assert_int_eq(answer->command.code, RESPONSE_SYSTEM_ERROR);
    assert_text(answer->command.remark, "no consumer for this group, golden-nobody");
    wire_frame_free(answer);
}
END_TEST

START_TEST(the_java_clients_heartbeats_are_understood)
{
    static const char *const names[] = {"java_heartbeat_request"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct slice frame = golden_bytes(names[i]);
        struct remoting_command command;
        ck_assert_int_eq(remoting_command_decode(&command, frame, NULL), MQC_OK);
        wire_send_bytes(first, frame);
        struct wire_frame *answer = wire_receive(first, command.opaque);
        ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
        assert_text(remoting_command_field(&answer->command, "IS_SUPPORT_HEART_BEAT_V2"), "true");
        assert_text(remoting_command_field(&answer->command, "IS_SUB_CHANGE"), "true");
        wire_frame_free(answer);
        remoting_command_done(&command);
    }
}
END_TEST

/* ---- offsets ---- */

static int64_t ask_offset(int32_t code, const struct header_layout *layout, const void *header,
                          int32_t expected_code)
{
    struct offset_response_header result = {.offset = -1};
    struct wire_frame *answer = wire_call(first, code, layout, header, SLICE_ABSENT);
    ck_assert_int_eq(answer->command.code, expected_code);
    if (expected_code == RESPONSE_SUCCESS)
        ck_assert_int_eq(header_decode(&offset_response_layout, &answer->command, &result, NULL),
                         MQC_OK);
    wire_frame_free(answer);
    return result.offset;
}

static int64_t query(const char *group, bool zero, int32_t code)
{
    struct query_consumer_offset_header header = {.consumer_group = slice_text(group),
                                                  .topic = SLICE_LITERAL("orders"),
                                                  .set_zero_if_not_found = zero};
    return ask_offset(REQUEST_QUERY_CONSUMER_OFFSET, &query_consumer_offset_layout, &header, code);
}

START_TEST(offsets_are_kept_and_found)
{
    struct update_consumer_offset_header update = {
        .consumer_group = SLICE_LITERAL("g"), .topic = SLICE_LITERAL("orders"), .commit_offset = 2};
    wire_expect(first, REQUEST_UPDATE_CONSUMER_OFFSET, &update_consumer_offset_layout, &update,
                SLICE_ABSENT, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST);
    wire_heartbeat(first, "c1", "g", "orders", "*");
    wire_expect(first, REQUEST_UPDATE_CONSUMER_OFFSET, &update_consumer_offset_layout, &update,
                SLICE_ABSENT, RESPONSE_TOPIC_NOT_EXIST);
    for (int i = 0; i < 3; i++) wire_put(first, "orders", 0, NULL, "x");
    query("g", false, RESPONSE_QUERY_NOT_FOUND);
    ck_assert_int_eq(query("g", true, RESPONSE_SUCCESS), 0);
    wire_expect(first, REQUEST_UPDATE_CONSUMER_OFFSET, &update_consumer_offset_layout, &update,
                SLICE_ABSENT, RESPONSE_SUCCESS);
    ck_assert_int_eq(query("g", false, RESPONSE_SUCCESS), 2);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 2);
    ck_assert_int_eq(mqc_embedded_lag(cluster, "g", "orders"), 1);
    struct get_max_offset_header max = {.topic = SLICE_LITERAL("orders"), .committed = true};
    ck_assert_int_eq(
        ask_offset(REQUEST_GET_MAX_OFFSET, &get_max_offset_layout, &max, RESPONSE_SUCCESS), 3);
    struct get_min_offset_header min = {.topic = SLICE_LITERAL("orders")};
    ck_assert_int_eq(
        ask_offset(REQUEST_GET_MIN_OFFSET, &get_min_offset_layout, &min, RESPONSE_SUCCESS), 0);
    struct search_offset_header search = {.topic = SLICE_LITERAL("orders"), .timestamp = INT64_MAX};
    ck_assert_int_eq(ask_offset(REQUEST_SEARCH_OFFSET_BY_TIMESTAMP, &search_offset_layout, &search,
                                RESPONSE_SUCCESS),
                     3);
    search.boundary = SLICE_LITERAL("upper");
    ck_assert_int_eq(ask_offset(REQUEST_SEARCH_OFFSET_BY_TIMESTAMP, &search_offset_layout, &search,
                                RESPONSE_SUCCESS),
                     2);
}
END_TEST

/* ---- locks ---- */

static void lock(const char *client_id, const char *expected)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"clientId\":\"%s\",\"consumerGroup\":\"g\",\"mqSet\":[{\"brokerName\":\"broker-a\","
             "\"queueId\":0,\"topic\":\"orders\"}],\"onlyThisBroker\":false}",
             client_id);
    struct wire_frame *answer =
        wire_call(first, REQUEST_LOCK_BATCH_MQ, NULL, NULL, slice_text(body));
    assert_text(answer->command.body, expected);
    wire_frame_free(answer);
}

START_TEST(a_queue_is_locked_by_one_client)
{
    static const char held[] =
        "{\"lockOKMQSet\":[{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"orders\"}]}";
    lock("c1", held);
    lock("c1", held);
    lock("c2", "{\"lockOKMQSet\":[]}");
    wire_expect(first, REQUEST_UNLOCK_BATCH_MQ, NULL, NULL,
                SLICE_LITERAL("{\"clientId\":\"c1\",\"consumerGroup\":\"g\",\"mqSet\":[{"
                              "\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"orders\"}]}"),
                RESPONSE_SUCCESS);
    lock("c2", held);
    mqc_embedded_advance_clock(cluster, 59000);
    lock("c1", "{\"lockOKMQSet\":[]}");
    mqc_embedded_advance_clock(cluster, 60001);
    lock("c1", held);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded clients");
    WIRE_CASE(s, "clients", set_up, tear_down, members_are_told_of_each_other,
              a_lost_connection_leaves_its_groups, a_client_can_be_disconnected,
              nobody_online_is_code_1, the_java_clients_heartbeats_are_understood,
              offsets_are_kept_and_found, a_queue_is_locked_by_one_client);
    return s;
}
TEST_MAIN(suite)
