/* What the tools ask of a cluster: routes and lists, topics, groups, connections, statistics,
 * resets, forwarded calls, replies; at wire level. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/protocol/bodies.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/relaxed_json.h"
#include "lib/protocol/topic_route.h"
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire, *names;

static void set_up(void)
{
    cluster = cluster_start(NULL);
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    names = wire_open(mqc_embedded_name_servers(cluster));
}

static void tear_down(void)
{
    wire_close(wire);
    wire_close(names);
    mqc_embedded_stop(cluster);
}

/* The body of a successful answer as JSON; json_decref by the caller. */
static json_t *ask_json(struct wire *to, int32_t code, const struct header_layout *layout,
                        const void *header, struct slice body)
{
    struct wire_frame *answer = wire_call(to, code, layout, header, body);
    json_t *json;
    mqc_error error;
    ck_assert_msg(answer->command.code == RESPONSE_SUCCESS, "%d: %.*s", (int)answer->command.code,
                  SLICE_FORMAT(answer->command.remark));
    ck_assert_msg(relaxed_json_parse(answer->command.body, "answer", &json, &error) == MQC_OK, "%s",
                  error.text);
    wire_frame_free(answer);
    return json;
}

static struct create_topic_header topic_header(const char *topic, int queues)
{
    return (struct create_topic_header){.topic = slice_text(topic),
                                        .default_topic = SLICE_LITERAL("TBW102"),
                                        .read_queues = queues,
                                        .write_queues = queues,
                                        .permission = 6,
                                        .topic_filter_type = SLICE_LITERAL("SINGLE_TAG"),
                                        .attributes = SLICE_LITERAL("+message.type=FIFO")};
}

START_TEST(topics_are_made_listed_and_deleted)
{
    struct create_topic_header create = topic_header("orders", 3);
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC, &create_topic_layout, &create, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    struct get_topic_config_header get = {.topic = SLICE_LITERAL("orders")};
    json_t *json =
        ask_json(wire, REQUEST_GET_TOPIC_CONFIG, &get_topic_config_layout, &get, SLICE_ABSENT);
    ck_assert_int_eq(relaxed_json_number(json, "readQueueNums", 0), 3);
    ck_assert_str_eq(relaxed_json_text(json_object_get(json, "attributes"), "message.type", ""),
                     "FIFO");
    json_decref(json);
    json = ask_json(wire, REQUEST_GET_ALL_TOPIC_CONFIG, NULL, NULL, SLICE_ABSENT);
    ck_assert_ptr_nonnull(json_object_get(json_object_get(json, "topicConfigTable"), "orders"));
    json_decref(json);
    json = ask_json(names, REQUEST_GET_ALL_TOPIC_LIST_FROM_NAMESERVER, NULL, NULL, SLICE_ABSENT);
    ck_assert_uint_gt(json_array_size(json_object_get(json, "topicList")), 10);
    json_decref(json);
    struct delete_topic_header delete = {.topic = SLICE_LITERAL("orders")};
    wire_expect(wire, REQUEST_DELETE_TOPIC_IN_BROKER, &delete_topic_layout, &delete, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    struct get_route_header route = {.topic = SLICE_LITERAL("orders")};
    wire_expect(names, REQUEST_GET_ROUTEINFO_BY_TOPIC, &get_route_layout, &route, SLICE_ABSENT,
                RESPONSE_SUCCESS); /* until the name server is told, too */
    struct delete_topic_in_name_server_header forget = {.topic = SLICE_LITERAL("orders")};
    wire_expect(names, REQUEST_DELETE_TOPIC_IN_NAMESRV, &delete_topic_in_name_server_layout,
                &forget, SLICE_ABSENT, RESPONSE_SUCCESS);
    wire_expect(names, REQUEST_GET_ROUTEINFO_BY_TOPIC, &get_route_layout, &route, SLICE_ABSENT,
                RESPONSE_TOPIC_NOT_EXIST);
    create = topic_header("TBW102", 3);
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC, &create_topic_layout, &create, SLICE_ABSENT,
                RESPONSE_INVALID_PARAMETER);
    create = topic_header("orders", 2000000);
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC, &create_topic_layout, &create, SLICE_ABSENT,
                RESPONSE_INVALID_PARAMETER);
}
END_TEST

START_TEST(cluster_info_and_permissions)
{
    struct wire_frame *answer =
        wire_call(names, REQUEST_GET_BROKER_CLUSTER_INFO, NULL, NULL, SLICE_ABSENT);
    struct cluster_info info;
    ck_assert_int_eq(cluster_info_decode(answer->command.body, &info, NULL), MQC_OK);
    ck_assert_uint_eq(info.broker_count, 1);
    ck_assert_str_eq(broker_data_master(&info.brokers[0]), mqc_embedded_broker_address(cluster, 0));
    cluster_info_done(&info);
    wire_frame_free(answer);
    struct write_permission_of_broker_header header = {.broker_name = SLICE_LITERAL("broker-a")};
    answer = wire_call(names, REQUEST_WIPE_WRITE_PERM_OF_BROKER, &write_permission_of_broker_layout,
                       &header, SLICE_ABSENT);
    int32_t topics = 0;
    ck_assert(slice_to_int32(remoting_command_field(&answer->command, "wipeTopicCount"), &topics));
    ck_assert_int_gt(topics, 5);
    wire_frame_free(answer);
}
END_TEST

START_TEST(the_name_server_keeps_settings)
{
    struct put_kv_config_header put = {SLICE_LITERAL("space"), SLICE_LITERAL("key"),
                                       SLICE_LITERAL("value")};
    struct get_kv_config_header get = {SLICE_LITERAL("space"), SLICE_LITERAL("key")};
    struct get_kv_list_header list = {SLICE_LITERAL("space")};
    wire_expect(names, REQUEST_GET_KV_CONFIG, &get_kv_config_layout, &get, SLICE_ABSENT,
                RESPONSE_QUERY_NOT_FOUND);
    wire_expect(names, REQUEST_PUT_KV_CONFIG, &put_kv_config_layout, &put, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    wire_expect(names, REQUEST_PUT_KV_CONFIG, &put_kv_config_layout, &put, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    struct wire_frame *answer =
        wire_call(names, REQUEST_GET_KV_CONFIG, &get_kv_config_layout, &get, SLICE_ABSENT);
    assert_text(remoting_command_field(&answer->command, "value"), "value");
    wire_frame_free(answer);
    json_t *json =
        ask_json(names, REQUEST_GET_KVLIST_BY_NAMESPACE, &get_kv_list_layout, &list, SLICE_ABSENT);
    ck_assert_str_eq(relaxed_json_text(json_object_get(json, "table"), "key", ""), "value");
    json_decref(json);
    wire_expect(names, REQUEST_DELETE_KV_CONFIG, &delete_kv_config_layout, &get, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    wire_expect(names, REQUEST_GET_KVLIST_BY_NAMESPACE, &get_kv_list_layout, &list, SLICE_ABSENT,
                RESPONSE_QUERY_NOT_FOUND);
}
END_TEST

START_TEST(groups_are_configured)
{
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, NULL, NULL,
                SLICE_LITERAL("{\"groupName\":\"g\",\"retryMaxTimes\":3,\"consumeEnable\":false}"),
                RESPONSE_SUCCESS);
    struct get_subscription_group_config_header get = {.consumer_group = SLICE_LITERAL("g")};
    json_t *json = ask_json(wire, REQUEST_GET_SUBSCRIPTIONGROUP_CONFIG,
                            &get_subscription_group_config_layout, &get, SLICE_ABSENT);
    ck_assert_int_eq(relaxed_json_number(json, "retryMaxTimes", 0), 3);
    ck_assert(!relaxed_json_bool(json, "consumeEnable", true));
    json_decref(json);
    wire_put(wire, "orders", 0, NULL, "x");
    message_block_unref(wire_pull(wire, "g", "orders", 0, 0, RESPONSE_NO_PERMISSION));
    json = ask_json(wire, REQUEST_GET_ALL_SUBSCRIPTIONGROUP_CONFIG, NULL, NULL, SLICE_ABSENT);
    ck_assert_ptr_nonnull(json_object_get(json_object_get(json, "subscriptionGroupTable"), "g"));
    json_decref(json);
    struct delete_subscription_group_header delete = {.consumer_group = SLICE_LITERAL("g")};
    wire_expect(wire, REQUEST_DELETE_SUBSCRIPTIONGROUP, &delete_subscription_group_layout, &delete,
                SLICE_ABSENT, RESPONSE_SUCCESS);
    /* Asking makes it anew, as autoCreateSubscriptionGroup lets the real broker do. */
    struct wire_frame *answer =
        wire_call(wire, REQUEST_GET_SUBSCRIPTIONGROUP_CONFIG, &get_subscription_group_config_layout,
                  &get, SLICE_ABSENT);
    ck_assert(
        memmem(answer->command.body.data, answer->command.body.size, "\"retryMaxTimes\":16", 18));
    wire_frame_free(answer);
}
END_TEST

START_TEST(connections_are_shown)
{
    struct get_consumer_connections_header header = {.consumer_group = SLICE_LITERAL("g")};
    wire_expect(wire, REQUEST_GET_CONSUMER_CONNECTION_LIST, &get_consumer_connections_layout,
                &header, SLICE_ABSENT, RESPONSE_CONSUMER_NOT_ONLINE);
    wire_heartbeat(wire, "c1", "g", "orders", "a || b");
    json_t *json = ask_json(wire, REQUEST_GET_CONSUMER_CONNECTION_LIST,
                            &get_consumer_connections_layout, &header, SLICE_ABSENT);
    json_t *connection = json_array_get(json_object_get(json, "connectionSet"), 0);
    ck_assert_str_eq(relaxed_json_text(connection, "clientId", ""), "c1");
    ck_assert_str_eq(relaxed_json_text(connection, "language", ""), "CPP");
    ck_assert_int_eq(relaxed_json_number(connection, "version", 0), COMMAND_VERSION);
    ck_assert_str_eq(relaxed_json_text(json, "messageModel", ""), "CLUSTERING");
    ck_assert_ptr_nonnull(json_object_get(json_object_get(json, "subscriptionTable"), "orders"));
    json_decref(json);
    struct get_producer_connections_header producers = {.producer_group = SLICE_LITERAL("g")};
    json = ask_json(wire, REQUEST_GET_PRODUCER_CONNECTION_LIST, &get_producer_connections_layout,
                    &producers, SLICE_ABSENT);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "connectionSet")), 1);
    json_decref(json);
    struct query_topic_consume_by_who_header who = {.topic = SLICE_LITERAL("orders")};
    json = ask_json(wire, REQUEST_QUERY_TOPIC_CONSUME_BY_WHO, &query_topic_consume_by_who_layout,
                    &who, SLICE_ABSENT);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "groupList")), 1);
    json_decref(json);
}
END_TEST

static void commit(int64_t offset)
{
    struct update_consumer_offset_header header = {.consumer_group = SLICE_LITERAL("g"),
                                                   .topic = SLICE_LITERAL("orders"),
                                                   .commit_offset = offset};
    wire_expect(wire, REQUEST_UPDATE_CONSUMER_OFFSET, &update_consumer_offset_layout, &header,
                SLICE_ABSENT, RESPONSE_SUCCESS);
}

START_TEST(statistics_tell_the_lag)
{
    wire_heartbeat(wire, "c1", "g", "orders", "*");
    for (int i = 0; i < 6; i++) wire_put(wire, "orders", 0, NULL, "x");
    commit(3);
    struct get_consume_stats_header header = {.consumer_group = SLICE_LITERAL("g")};
    json_t *json =
        ask_json(wire, REQUEST_GET_CONSUME_STATS, &get_consume_stats_layout, &header, SLICE_ABSENT);
    const char *key;
    json_t *value;
    int found = 0;
    json_object_foreach(json_object_get(json, "offsetTable"), key, value)
    {
        if (!strstr(key, "\"queueId\":0")) continue;
        found++;
        ck_assert_int_eq(relaxed_json_number(value, "brokerOffset", 0), 6);
        ck_assert_int_eq(relaxed_json_number(value, "consumerOffset", 0), 3);
    }
    ck_assert_int_eq(found, 1);
    json_decref(json);
    struct get_topic_stats_header stats = {.topic = SLICE_LITERAL("orders")};
    json =
        ask_json(wire, REQUEST_GET_TOPIC_STATS_INFO, &get_topic_stats_layout, &stats, SLICE_ABSENT);
    ck_assert_uint_eq(json_object_size(json_object_get(json, "offsetTable")), 4);
    json_decref(json);
}
END_TEST

START_TEST(a_reset_is_told_by_the_next_pull)
{
    wire_heartbeat(wire, "c1", "g", "orders", "*");
    for (int i = 0; i < 3; i++) wire_put(wire, "orders", 0, NULL, "x");
    commit(3);
    struct reset_offset_header header = {.topic = SLICE_LITERAL("orders"),
                                         .consumer_group = SLICE_LITERAL("g"),
                                         .timestamp = 0,
                                         .force = true,
                                         .queue_id = 0,
                                         .offset = -1};
    json_decref(ask_json(wire, REQUEST_INVOKE_BROKER_TO_RESET_OFFSET, &reset_offset_layout, &header,
                         SLICE_ABSENT));
    commit(3); /* ignored until the consumer knows */
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 0);
    struct pull_message_header pull = wire_pull_header("g", "orders", 0, 3, 0);
    struct wire_frame *answer =
        wire_call(wire, REQUEST_PULL_MESSAGE, &pull_message_layout, &pull, SLICE_ABSENT);
    ck_assert_int_eq(answer->command.code, RESPONSE_PULL_OFFSET_MOVED);
    assert_text(answer->command.remark, "OFFSET_RESET");
    assert_text(remoting_command_field(&answer->command, "nextBeginOffset"), "0");
    wire_frame_free(answer);
    commit(2);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0), 2);
    header.offset = 100;
    wire_expect(wire, REQUEST_INVOKE_BROKER_TO_RESET_OFFSET, &reset_offset_layout, &header,
                SLICE_ABSENT, RESPONSE_SYSTEM_ERROR);
}
END_TEST

START_TEST(messages_are_found_by_id_and_key)
{
    wire_put(wire, "orders", 0, "UNIQ_KEY\1U1\2KEYS\1k1 k2\2", "one");
    wire_put(wire, "orders", 1, "UNIQ_KEY\1U2\2KEYS\1k2\2", "two");
    struct view_message_header view = {.commit_log_offset = 0};
    struct wire_frame *answer =
        wire_call(wire, REQUEST_VIEW_MESSAGE_BY_ID, &view_message_layout, &view, SLICE_ABSENT);
    struct message_block *block = wire_messages(answer);
    assert_text(block->messages[0].body, "one");
    message_block_unref(block);
    wire_frame_free(answer);
    view.commit_log_offset = 1;
    wire_expect(wire, REQUEST_VIEW_MESSAGE_BY_ID, &view_message_layout, &view, SLICE_ABSENT,
                RESPONSE_SYSTEM_ERROR);
    struct query_message_header query = {.topic = SLICE_LITERAL("orders"),
                                         .key = SLICE_LITERAL("k2"),
                                         .max_messages = 32,
                                         .end_timestamp = INT64_MAX};
    answer = wire_call(wire, REQUEST_QUERY_MESSAGE, &query_message_layout, &query, SLICE_ABSENT);
    block = wire_messages(answer);
    ck_assert_uint_eq(block->count, 2);
    message_block_unref(block);
    wire_frame_free(answer);
    query.key = SLICE_LITERAL("U1");
    query.unique_key_query = true;
    answer = wire_call(wire, REQUEST_QUERY_MESSAGE, &query_message_layout, &query, SLICE_ABSENT);
    block = wire_messages(answer);
    ck_assert_uint_eq(block->count, 1);
    message_block_unref(block);
    wire_frame_free(answer);
    query.key = SLICE_LITERAL("k1");
    wire_expect(wire, REQUEST_QUERY_MESSAGE, &query_message_layout, &query, SLICE_ABSENT,
                RESPONSE_QUERY_NOT_FOUND);
}
END_TEST

START_TEST(calls_are_passed_on_to_consumers)
{
    struct wire *consumer = wire_open(mqc_embedded_broker_address(cluster, 0));
    struct get_consumer_running_info_header header = {.consumer_group = SLICE_LITERAL("g"),
                                                      .client_id = SLICE_LITERAL("c1")};
    wire_expect(wire, REQUEST_GET_CONSUMER_RUNNING_INFO, &get_consumer_running_info_layout, &header,
                SLICE_ABSENT, RESPONSE_SYSTEM_ERROR);
    wire_heartbeat(consumer, "c1", "g", "orders", "*");
    int32_t opaque = wire_send(wire, REQUEST_GET_CONSUMER_RUNNING_INFO,
                               &get_consumer_running_info_layout, &header, SLICE_ABSENT);
    struct wire_frame *push = wire_receive_push(consumer, REQUEST_GET_CONSUMER_RUNNING_INFO);
    assert_text(remoting_command_field(&push->command, "clientId"), "c1");
    ck_assert(!remoting_command_is_oneway(&push->command));
    wire_answer(consumer, push, RESPONSE_SUCCESS, SLICE_LITERAL("{\"mqTable\":{}}"));
    struct wire_frame *answer = wire_receive(wire, opaque);
    assert_text(answer->command.body, "{\"mqTable\":{}}");
    wire_frame_free(answer);
    wire_frame_free(push);
    opaque = wire_send(wire, REQUEST_GET_CONSUMER_RUNNING_INFO, &get_consumer_running_info_layout,
                       &header, SLICE_ABSENT);
    wire_frame_free(wire_receive_push(consumer, REQUEST_GET_CONSUMER_RUNNING_INFO));
    wire_close(consumer); /* without an answer */
    answer = wire_receive(wire, opaque);
    ck_assert_int_eq(answer->command.code, RESPONSE_CONSUME_MSG_TIMEOUT);
    wire_frame_free(answer);
}
END_TEST

START_TEST(a_reply_reaches_who_asked)
{
    struct wire *requester = wire_open(mqc_embedded_broker_address(cluster, 0));
    wire_heartbeat(requester, "c1", "g", "orders", "*");
    struct send_message_header header = wire_send_header(
        "DefaultCluster_REPLY_TOPIC", 0, "REPLY_TO_CLIENT\1c1\2CORRELATION_ID\1id\2");
    int32_t opaque = wire_send(wire, REQUEST_SEND_REPLY_MESSAGE_V2, &send_message_layout, &header,
                               SLICE_LITERAL("reply"));
    struct wire_frame *push = wire_receive_push(requester, REQUEST_PUSH_REPLY_MESSAGE_TO_CLIENT);
    struct push_reply_message_header pushed;
    ck_assert_int_eq(header_decode(&push_reply_message_layout, &push->command, &pushed, NULL),
                     MQC_OK);
    assert_text(properties_find(pushed.properties, "CORRELATION_ID"), "id");
    assert_text(pushed.store_host, mqc_embedded_broker_address(cluster, 0));
    assert_text(push->command.body, "reply");
    wire_answer(requester, push, RESPONSE_SUCCESS, SLICE_ABSENT);
    struct wire_frame *answer = wire_receive(wire, opaque);
    ck_assert_int_eq(answer->command.code, RESPONSE_SUCCESS);
    ck_assert_uint_eq(remoting_command_field(&answer->command, "msgId").size, 32);
    wire_frame_free(answer);
    wire_frame_free(push);
    header.properties = SLICE_LITERAL("REPLY_TO_CLIENT\1nobody\2");
    answer = wire_call(wire, REQUEST_SEND_REPLY_MESSAGE_V2, &send_message_layout, &header,
                       SLICE_LITERAL("reply"));
    ck_assert_int_eq(answer->command.code, RESPONSE_SYSTEM_ERROR);
    assert_text(answer->command.remark, "push reply message fail, channel of <nobody> not found.");
    ck_assert_uint_eq(remoting_command_field(&answer->command, "msgId").size, 32);
    wire_frame_free(answer);
    wire_close(requester);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded admin");
    WIRE_CASE(s, "admin", set_up, tear_down, topics_are_made_listed_and_deleted,
              cluster_info_and_permissions, the_name_server_keeps_settings, groups_are_configured,
              connections_are_shown, statistics_tell_the_lag, a_reset_is_told_by_the_next_pull,
              messages_are_found_by_id_and_key, calls_are_passed_on_to_consumers,
              a_reply_reaches_who_asked);
    return s;
}
TEST_MAIN(suite)
