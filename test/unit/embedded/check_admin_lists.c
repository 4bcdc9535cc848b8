/* Administration beyond single topics and groups: lists, offsets of groups, configuration, state,
 * and what is asked of consumers. */
#include "test/unit/embedded/wire_client.h"

static mqc_embedded *cluster;
static struct wire *wire, *name_server;

static void set_up(void)
{
    cluster = cluster_start(&(mqc_embedded_options){.virtual_clock = true});
    wire = wire_open(mqc_embedded_broker_address(cluster, 0));
    name_server = wire_open(mqc_embedded_name_servers(cluster));
    mqc_embedded_create_topic(cluster, -1, "orders", 2, NULL);
}

static void tear_down(void)
{
    wire_close(name_server);
    wire_close(wire);
    mqc_embedded_stop(cluster);
}

/* Sends, expects success, and that the answer's body holds each of the texts up to NULL. */
static void expect_body(struct wire *to, int32_t code, const struct header_layout *layout,
                        const void *header, const char *body, const char *const *texts)
{
    struct wire_frame *answer = wire_call(to, code, layout, header, slice_text(body));
    struct slice got = answer->command.body;
    ck_assert_msg(answer->command.code == RESPONSE_SUCCESS, "%.*s",
                  SLICE_FORMAT(answer->command.remark));
    for (; *texts; texts++)
        ck_assert_msg(memmem(got.data, got.size, *texts, strlen(*texts)), "no %s in %.*s", *texts,
                      SLICE_FORMAT(got));
    wire_frame_free(answer);
}
#define EXPECT_BODY(to, code, layout, header, body, ...)                                           \
    expect_body(to, code, layout, header, body, (const char *const[]){__VA_ARGS__, NULL})

static void commit(const char *group, int32_t queue_id, int64_t offset)
{
    struct update_consumer_offset_header header = {.consumer_group = slice_text(group),
                                                   .topic = SLICE_LITERAL("orders"),
                                                   .queue_id = queue_id,
                                                   .commit_offset = offset};
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, NULL, NULL,
                strcmp(group, "g") == 0 ? SLICE_LITERAL("{\"groupName\":\"g\"}")
                                        : SLICE_LITERAL("{\"groupName\":\"h\"}"),
                RESPONSE_SUCCESS);
    wire_expect(wire, REQUEST_UPDATE_CONSUMER_OFFSET, &update_consumer_offset_layout, &header,
                SLICE_ABSENT, RESPONSE_SUCCESS);
}

START_TEST(lists_of_topics_and_groups)
{
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC_LIST, NULL, NULL,
                SLICE_LITERAL("{\"topicConfigList\":[{\"topicName\":\"one\",\"readQueueNums\":3,"
                              "\"writeQueueNums\":3,\"attributes\":{\"+message.type\":\"FIFO\"}},"
                              "{\"topicName\":\"two\"}]}"),
                RESPONSE_SUCCESS);
    struct get_topic_config_header one = {.topic = SLICE_LITERAL("one")};
    EXPECT_BODY(wire, REQUEST_GET_TOPIC_CONFIG, &get_topic_config_layout, &one, NULL,
                "\"readQueueNums\":3", "{\"message.type\":\"FIFO\"}");
    struct get_topic_config_header two = {.topic = SLICE_LITERAL("two")};
    EXPECT_BODY(wire, REQUEST_GET_TOPIC_CONFIG, &get_topic_config_layout, &two, NULL,
                "\"readQueueNums\":16", "\"perm\":6");
    static const struct {
        int32_t request;
        const char *body;
        int32_t code;
    } wrong[] = {
        {REQUEST_UPDATE_AND_CREATE_TOPIC_LIST,
         "{\"topicConfigList\":[{\"topicName\":\"three\"},{\"topicName\":\"bad topic\"}]}",
         RESPONSE_INVALID_PARAMETER},
        {REQUEST_UPDATE_AND_CREATE_TOPIC_LIST, "{}", RESPONSE_SYSTEM_ERROR},
        {REQUEST_UPDATE_AND_CREATE_TOPIC_LIST, "", RESPONSE_SYSTEM_ERROR},
        {REQUEST_UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
         "{\"groupConfigList\":[{\"groupName\":\"bad group\"}]}", RESPONSE_INVALID_PARAMETER},
        {REQUEST_UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, "[", RESPONSE_SYSTEM_ERROR},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        wire_expect(wire, wrong[i].request, NULL, NULL, slice_text(wrong[i].body), wrong[i].code);
    struct get_topic_config_header three = {.topic = SLICE_LITERAL("three")};
    wire_expect(wire, REQUEST_GET_TOPIC_CONFIG, &get_topic_config_layout, &three, SLICE_ABSENT,
                RESPONSE_TOPIC_NOT_EXIST);
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, NULL, NULL,
                SLICE_LITERAL("{\"groupConfigList\":[{\"groupName\":\"g1\",\"retryMaxTimes\":3},"
                              "{\"groupName\":\"g2\"}]}"),
                RESPONSE_SUCCESS);
    struct get_subscription_group_config_header g1 = {.consumer_group = SLICE_LITERAL("g1")};
    EXPECT_BODY(wire, REQUEST_GET_SUBSCRIPTIONGROUP_CONFIG, &get_subscription_group_config_layout,
                &g1, NULL, "\"retryMaxTimes\":3");
    EXPECT_BODY(wire, REQUEST_GET_SYSTEM_TOPIC_LIST_FROM_BROKER, NULL, NULL, NULL, "\"TBW102\"",
                "\"SCHEDULE_TOPIC_XXXX\"");
}
END_TEST

START_TEST(attributes_of_topics_are_checked)
{
    struct create_topic_header header = {.topic = SLICE_LITERAL("one"),
                                         .default_topic = SLICE_LITERAL("TBW102"),
                                         .read_queues = 1,
                                         .write_queues = 1,
                                         .permission = 6,
                                         .topic_filter_type = SLICE_LITERAL("SINGLE_TAG"),
                                         .attributes = SLICE_LITERAL("+colour=red")};
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC, &create_topic_layout, &header, SLICE_ABSENT,
                RESPONSE_SYSTEM_ERROR);
    header.attributes = SLICE_LITERAL("+message.type=ODD");
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC, &create_topic_layout, &header, SLICE_ABSENT,
                RESPONSE_SYSTEM_ERROR);
    header.attributes = SLICE_LITERAL("+message.type=DELAY");
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC, &create_topic_layout, &header, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    header.attributes = SLICE_LITERAL("-message.type");
    wire_expect(wire, REQUEST_UPDATE_AND_CREATE_TOPIC, &create_topic_layout, &header, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    struct get_topic_config_header one = {.topic = SLICE_LITERAL("one")};
    EXPECT_BODY(wire, REQUEST_GET_TOPIC_CONFIG, &get_topic_config_layout, &one, NULL,
                "\"attributes\":{}");
}
END_TEST

START_TEST(offsets_of_groups_are_compared_and_cloned)
{
    for (int i = 0; i < 3; i++) {
        wire_put(wire, "orders", 0, NULL, "x");
        mqc_embedded_advance_clock(cluster, 100);
    }
    commit("g", 0, 2);
    struct query_consume_time_span_header span = {.topic = SLICE_LITERAL("orders"),
                                                  .consumer_group = SLICE_LITERAL("g")};
    EXPECT_BODY(wire, REQUEST_QUERY_CONSUME_TIME_SPAN, &query_consume_time_span_layout, &span, NULL,
                "\"delayTime\":100", "\"queueId\":1,\"topic\":\"orders\"},\"minTimeStamp\":-1}");
    span.topic = SLICE_LITERAL("nowhere");
    wire_expect(wire, REQUEST_QUERY_CONSUME_TIME_SPAN, &query_consume_time_span_layout, &span,
                SLICE_ABSENT, RESPONSE_TOPIC_NOT_EXIST);
    struct query_correction_offset_header correction = {.compare_group = SLICE_LITERAL("g"),
                                                        .topic = SLICE_LITERAL("orders")};
    EXPECT_BODY(wire, REQUEST_QUERY_CORRECTION_OFFSET, &query_correction_offset_layout, &correction,
                NULL, "{\"correctionOffsets\":{0:2}}");
    correction.filter_groups = SLICE_LITERAL("x,g");
    EXPECT_BODY(wire, REQUEST_QUERY_CORRECTION_OFFSET, &query_correction_offset_layout, &correction,
                NULL, "{\"correctionOffsets\":{}}");
    struct clone_group_offset_header clone = {.source_group = SLICE_LITERAL("g"),
                                              .destination_group = SLICE_LITERAL("h"),
                                              .topic = SLICE_LITERAL("orders")};
    wire_expect(wire, REQUEST_CLONE_GROUP_OFFSET, &clone_group_offset_layout, &clone, SLICE_ABSENT,
                RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_consumer_offset(cluster, "h", "orders", 0, 0), 2);
    commit("h", 0, 1);
    correction.filter_groups = SLICE_ABSENT;
    correction.compare_group = SLICE_LITERAL("h");
    EXPECT_BODY(wire, REQUEST_QUERY_CORRECTION_OFFSET, &query_correction_offset_layout, &correction,
                NULL, "{\"correctionOffsets\":{0:1}}");
    struct get_broker_consume_stats_header all = {.orderly = false};
    EXPECT_BODY(wire, REQUEST_GET_BROKER_CONSUME_STATS, &get_broker_consume_stats_layout, &all,
                NULL, "{\"g\":[{\"consumeTps\":0.0,", "\"totalDiff\":3,");
}
END_TEST

START_TEST(a_group_that_only_pulled_is_not_named)
{
    wire_put(wire, "orders", 0, NULL, "x");
    message_block_unref(wire_pull(wire, "puller", "orders", 0, 0, RESPONSE_SUCCESS));
    struct query_topic_consume_by_who_header who = {.topic = SLICE_LITERAL("orders")};
    EXPECT_BODY(wire, REQUEST_QUERY_TOPIC_CONSUME_BY_WHO, &query_topic_consume_by_who_layout, &who,
                NULL, "{\"groupList\":[]}");
    struct query_topics_by_consumer_header topics = {.consumer_group = SLICE_LITERAL("puller")};
    EXPECT_BODY(wire, REQUEST_QUERY_TOPICS_BY_CONSUMER, &query_topics_by_consumer_layout, &topics,
                NULL, "\"topicList\":[]}");
    struct get_consume_stats_header stats = {.consumer_group = SLICE_LITERAL("puller")};
    EXPECT_BODY(wire, REQUEST_GET_CONSUME_STATS, &get_consume_stats_layout, &stats, NULL,
                "\"offsetTable\":{}}");
}
END_TEST

START_TEST(a_queue_shows_its_places)
{
    for (int i = 0; i < 3; i++) wire_put(wire, "orders", 0, "TAGS\1a\2", "x");
    struct query_consume_queue_header header = {
        .topic = SLICE_LITERAL("orders"), .index = 1, .count = 5};
    EXPECT_BODY(wire, REQUEST_QUERY_CONSUME_QUEUE, &query_consume_queue_layout, &header, NULL,
                "{\"maxQueueIndex\":3,\"minQueueIndex\":0,", "\"tagsCode\":97}");
    header.consumer_group = SLICE_LITERAL("g");
    EXPECT_BODY(wire, REQUEST_QUERY_CONSUME_QUEUE, &query_consume_queue_layout, &header, NULL,
                "g@orders is not online!");
    header.index = 9;
    wire_expect(wire, REQUEST_QUERY_CONSUME_QUEUE, &query_consume_queue_layout, &header,
                SLICE_ABSENT, RESPONSE_SUCCESS);
    header.queue_id = 7;
    wire_expect(wire, REQUEST_QUERY_CONSUME_QUEUE, &query_consume_queue_layout, &header,
                SLICE_ABSENT, RESPONSE_SYSTEM_ERROR);
}
END_TEST

START_TEST(brokers_and_name_server_tell_of_themselves)
{
    wire_put(wire, "orders", 0, NULL, "x");
    EXPECT_BODY(wire, REQUEST_GET_BROKER_RUNTIME_INFO, NULL, NULL, NULL,
                "\"brokerVersionDesc\":\"V5_5_0\"", "\"msgPutTotalTodayNow\":\"1\"");
    wire_expect(wire, REQUEST_UPDATE_BROKER_CONFIG, NULL, NULL,
                SLICE_LITERAL("unknown=1\nenableRetryTopicV2=true\n"), RESPONSE_SUCCESS);
    wire_expect(wire, REQUEST_UPDATE_BROKER_CONFIG, NULL, NULL,
                SLICE_LITERAL("enableRetryTopicV2=maybe\n"), RESPONSE_SYSTEM_ERROR);
    EXPECT_BODY(wire, REQUEST_GET_BROKER_CONFIG, NULL, NULL, NULL, "brokerName=broker-a\n",
                "enableRetryTopicV2=true\n");
    EXPECT_BODY(name_server, REQUEST_GET_NAMESRV_CONFIG, NULL, NULL, NULL, "listenPort=");
    wire_expect(name_server, REQUEST_UPDATE_NAMESRV_CONFIG, NULL, NULL, SLICE_LITERAL("a=b"),
                RESPONSE_SUCCESS);
    struct view_broker_stats_data_header stats = {.stats_name = SLICE_LITERAL("TOPIC_PUT_NUMS"),
                                                  .stats_key = SLICE_LITERAL("orders")};
    EXPECT_BODY(wire, REQUEST_VIEW_BROKER_STATS_DATA, &view_broker_stats_data_layout, &stats, NULL,
                "\"statsMinute\"");
    stats.stats_name = SLICE_LITERAL("ODD");
    wire_expect(wire, REQUEST_VIEW_BROKER_STATS_DATA, &view_broker_stats_data_layout, &stats,
                SLICE_ABSENT, RESPONSE_SYSTEM_ERROR);
    wire_expect(wire, REQUEST_CLEAN_UNUSED_TOPIC, NULL, NULL, SLICE_ABSENT, RESPONSE_SUCCESS);
}
END_TEST

START_TEST(a_half_message_is_asked_for_again)
{
    char id[64];
    struct send_message_header header =
        wire_send_header("orders", 0, "UNIQ_KEY\1T\2TRAN_MSG\1true\2PGROUP\1p\2");
    struct wire_frame *answer = wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout,
                                          &header, SLICE_LITERAL("half"));
    struct slice given = remoting_command_field(&answer->command, "msgId");
    memcpy(id, given.data, given.size);
    struct resume_check_half_message_header resume = {.message_id = slice_of(id, given.size)};
    wire_frame_free(answer);
    wire_expect(wire, REQUEST_RESUME_CHECK_HALF_MESSAGE, &resume_check_half_message_layout, &resume,
                SLICE_ABSENT, RESPONSE_SUCCESS);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "RMQ_SYS_TRANS_HALF_TOPIC"), 2);
    resume.message_id = SLICE_LITERAL("nonsense");
    wire_expect(wire, REQUEST_RESUME_CHECK_HALF_MESSAGE, &resume_check_half_message_layout, &resume,
                SLICE_ABSENT, RESPONSE_SYSTEM_ERROR);
}
END_TEST

START_TEST(all_producers_are_listed)
{
    EXPECT_BODY(wire, REQUEST_GET_ALL_PRODUCER_INFO, NULL, NULL, NULL, "{\"data\":{}}");
    wire_expect(wire, REQUEST_HEART_BEAT, NULL, NULL,
                SLICE_LITERAL("{\"clientID\":\"c\",\"consumerDataSet\":[],\"producerDataSet\":[{"
                              "\"groupName\":\"p\"}]}"),
                RESPONSE_SUCCESS);
    EXPECT_BODY(wire, REQUEST_GET_ALL_PRODUCER_INFO, NULL, NULL, NULL, "\"p\":[{\"clientId\":\"c\"",
                "\"remoteIP\":\"/127.0.0.1:");
}
END_TEST

START_TEST(consumers_are_asked_for_their_offsets)
{
    static const char first[] =
        "{\"consumerTable\":{},\"messageQueueTable\":{{\"brokerName\":\"}{\",\"queueId\":0,"
        "\"topic\":\"orders\"}:7}}";
    struct wire *one = wire_open(mqc_embedded_broker_address(cluster, 0));
    struct wire *two = wire_open(mqc_embedded_broker_address(cluster, 0));
    struct get_consumer_status_header header = {.topic = SLICE_LITERAL("orders"),
                                                .consumer_group = SLICE_LITERAL("g")};
    int32_t code = REQUEST_INVOKE_BROKER_TO_GET_CONSUMER_STATUS;
    wire_expect(wire, code, &get_consumer_status_layout, &header, SLICE_ABSENT,
                RESPONSE_SYSTEM_ERROR);
    wire_heartbeat(one, "c1", "g", "orders", "*");
    wire_heartbeat(two, "c2", "g", "orders", "*");
    int32_t opaque = wire_send(wire, code, &get_consumer_status_layout, &header, SLICE_ABSENT);
    struct wire_frame *push = wire_receive_push(one, REQUEST_GET_CONSUMER_STATUS_FROM_CLIENT);
    wire_answer(one, push, RESPONSE_SUCCESS, slice_text(first));
    wire_frame_free(push);
    push = wire_receive_push(two, REQUEST_GET_CONSUMER_STATUS_FROM_CLIENT);
    wire_frame_free(push);
    wire_close(two); /* the round goes on without it */
    struct wire_frame *answer = wire_receive(wire, opaque);
    assert_text(answer->command.body,
                "{\"consumerTable\":{\"c1\":{{\"brokerName\":\"}{\",\"queueId\":0,\"topic\":"
                "\"orders\"}:7}},\"messageQueueTable\":{}}");
    wire_frame_free(answer);
    /* Who asked may go before the answer. */
    struct wire *asker = wire_open(mqc_embedded_broker_address(cluster, 0));
    wire_send(asker, code, &get_consumer_status_layout, &header, SLICE_ABSENT);
    push = wire_receive_push(one, REQUEST_GET_CONSUMER_STATUS_FROM_CLIENT);
    wire_close(asker);
    wire_answer(one, push, RESPONSE_SUCCESS, SLICE_LITERAL("{}"));
    wire_frame_free(push);
    wire_put(one, "orders", 0, NULL, "still there");
    wire_close(one);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("embedded admin lists");
    WIRE_CASE(s, "admin", set_up, tear_down, lists_of_topics_and_groups,
              attributes_of_topics_are_checked, offsets_of_groups_are_compared_and_cloned,
              a_group_that_only_pulled_is_not_named, a_queue_shows_its_places,
              brokers_and_name_server_tell_of_themselves, a_half_message_is_asked_for_again,
              all_producers_are_listed, consumers_are_asked_for_their_offsets);
    return s;
}
TEST_MAIN(suite)
