/* lib/admin/decode*.c: bodies as a broker and a name server 5.5.0 have sent them, and what is made
 * of damaged ones. */
#include "lib/admin/decode.h"
#include "test/unit/unit.h"

static const char TOPIC_STATUS[] =
    "{\"offsetTable\":{{\"brokerName\":\"broker-a\",\"queueId\":1,\"topic\":\"golden\"}:"
    "{\"lastUpdateTimestamp\":1795447793485,\"maxOffset\":2,\"minOffset\":0},{\"brokerName\":"
    "\"broker-a\",\"queueId\":0,\"topic\":\"golden\"}:{\"lastUpdateTimestamp\":1795447793467,"
    "\"maxOffset\":1,\"minOffset\":0}},\"topicPutTps\":0.3}";
static const char PROGRESS[] =
    "{\"consumeTps\":0.3,\"offsetTable\":{{\"brokerName\":\"broker-a\",\"queueId\":1,\"topic\":"
    "\"golden\"}:{\"brokerOffset\":2,\"consumerOffset\":2,\"lastTimestamp\":1795447793485,"
    "\"pullOffset\":2},{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"golden\"}:"
    "{\"brokerOffset\":1,\"consumerOffset\":0,\"lastTimestamp\":0,\"pullOffset\":1}}}";
static const char MEMBERS[] =
    "{\"connectionSet\":[{\"clientAddr\":\"127.0.0.1:55458\",\"clientId\":\"192.0.2.2@6483#8a\","
    "\"language\":\"CPP\",\"version\":513}],\"consumeFromWhere\":\"CONSUME_FROM_FIRST_OFFSET\","
    "\"consumeType\":\"CONSUME_PASSIVELY\",\"messageModel\":\"CLUSTERING\",\"subscriptionTable\":"
    "{\"golden\":{\"classFilterMode\":false,\"codeSet\":[],\"expressionType\":\"TAG\","
    "\"subString\":"
    "\"*\",\"subVersion\":1795447793627,\"tagsSet\":[],\"topic\":\"golden\"},"
    "\"%RETRY%golden-group\":{\"classFilterMode\":false,\"codeSet\":[],\"expressionType\":\"TAG\","
    "\"subString\":\"*\",\"subVersion\":1795447793627,\"tagsSet\":[],\"topic\":"
    "\"%RETRY%golden-group\"}}}";
static const char PRODUCERS[] =
    "{\"data\":{\"CLIENT_INNER_PRODUCER\":[{\"clientId\":\"192.0.2.2@6483#8a\",\"language\":"
    "\"CPP\",\"lastUpdateTimestamp\":1795447794505,\"remoteIP\":\"/127.0.0.1:55458\",\"version\":"
    "513}]}}";
static const char TOPIC_CONFIG[] =
    "{\"attributes\":{\"message.type\":\"FIFO\"},\"order\":false,\"perm\":6,\"readQueueNums\":2,"
    "\"topicFilterType\":\"SINGLE_TAG\",\"topicName\":\"golden\",\"topicSysFlag\":0,"
    "\"writeQueueNums\":3}";
static const char GROUP_CONFIG[] =
    "{\"attributes\":{},\"brokerId\":0,\"consumeBroadcastEnable\":true,\"consumeEnable\":true,"
    "\"consumeFromMinEnable\":true,\"consumeMessageOrderly\":false,\"consumeTimeoutMinute\":15,"
    "\"groupName\":\"golden-group\",\"groupRetryPolicy\":{\"type\":\"CUSTOMIZED\"},"
    "\"groupSysFlag\":0,\"notifyConsumerIdsChangedEnable\":true,\"retryMaxTimes\":16,"
    "\"retryQueueNums\":1,\"whichBrokerWhenConsumeSlowly\":1}";
static const char RESET[] =
    "{\"offsetTable\":{{\"brokerName\":\"broker-a\",\"queueId\":1,\"topic\":"
    "\"golden\"}:7,{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":"
    "\"golden\"}:0}}";
static const char RESET_FOR_C[] =
    "{\"offsetTable\":[{\"brokerName\":\"broker-a\",\"offset\":9,\"queueId\":0,\"topic\":\"t\"}]}";
static const char RUNNING[] =
    "{\"mqPopTable\":{{\"brokerName\":\"broker-a\",\"queueId\":2,\"topic\":\"golden\"}:{\"droped\":"
    "false,\"lastPopTimestamp\":1795447793000,\"waitAckCount\":5}},\"mqTable\":{{\"brokerName\":"
    "\"broker-a\",\"queueId\":1,\"topic\":\"golden\"}:{\"cachedMsgCount\":3,\"cachedMsgMaxOffset\":"
    "9,"
    "\"cachedMsgMinOffset\":7,\"cachedMsgSizeInMiB\":1,\"commitOffset\":7,"
    "\"lastConsumeTimestamp\":1795447793647,\"lastLockTimestamp\":4,\"lastPullTimestamp\":"
    "1795447793648,\"transactionMsgCount\":0,\"transactionMsgMaxOffset\":0,"
    "\"transactionMsgMinOffset\":0,\"tryUnlockTimes\":0,\"droped\":true,\"locked\":true},"
    "{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"%RETRY%golden-group\"}:{"
    "\"cachedMsgCount\":0,\"commitOffset\":0,\"droped\":false,\"locked\":false}},\"properties\":{"
    "\"PROP_CLIENT_VERSION\":\"V5_5_0\",\"PROP_CONSUMEORDERLY\":\"false\"},\"statusTable\":{"
    "\"golden\":{\"consumeFailedMsgs\":4,\"consumeFailedTPS\":0.5,\"consumeOKTPS\":2.5,"
    "\"consumeRT\":"
    "1.25,\"pullRT\":3.5,\"pullTPS\":7.0}},\"subscriptionSet\":[{\"classFilterMode\":false,"
    "\"codeSet\":[],\"expressionType\":\"TAG\",\"subString\":\"a || "
    "b\",\"subVersion\":1,\"tagsSet\":"
    "[],\"topic\":\"golden\"}],\"userConsumerInfo\":{},\"jstack\":\"main\"}";

static mqc_error error;

#define ck_good(call) ck_assert_msg((call) == MQC_OK, "%s: %s", #call, error.text)

START_TEST(queues_of_a_topic)
{
    mqc_topic_status *status = result_new(sizeof *status);
    ck_good(topic_status_add(status, slice_text(TOPIC_STATUS), &error));
    topic_status_finish(status);
    ck_assert_uint_eq(status->count, 2);
    ck_assert_int_eq(status->messages, 3);
    ck_assert_double_eq_tol(status->put_tps, 0.3, 1e-9);
    ck_assert_int_eq(status->queues[0]->queue.queue_id, 0); /* sorted */
    ck_assert_str_eq(status->queues[0]->queue.topic, "golden");
    ck_assert_str_eq(status->queues[0]->queue.broker_name, "broker-a");
    ck_assert_int_eq(status->queues[1]->max_offset, 2);
    ck_assert_int_eq(status->queues[1]->last_update_unix_ms, 1795447793485);
    mqc_admin_result_free(status);
}
END_TEST

START_TEST(progress_of_a_group)
{
    mqc_group_progress *progress = result_new(sizeof *progress);
    ck_good(group_progress_add(progress, slice_text(PROGRESS), &error));
    group_progress_finish(progress);
    ck_assert_uint_eq(progress->count, 2);
    ck_assert_int_eq(progress->lag, 1);
    ck_assert_int_eq(progress->inflight, 1);
    ck_assert_int_eq(progress->queues[0]->lag, 1);
    ck_assert_int_eq(progress->queues[0]->pull_offset, 1);
    ck_assert_int_eq(progress->queues[1]->lag, 0);
    ck_assert_int_eq(progress->queues[1]->last_unix_ms, 1795447793485);
    ck_assert_ptr_null(progress->queues[1]->client_id);
    mqc_admin_result_free(progress);
}
END_TEST

/* Brokers of 4.x tell no pull offset. */
START_TEST(progress_without_pull_offsets)
{
    mqc_group_progress *progress = result_new(sizeof *progress);
    ck_good(group_progress_add(
        progress,
        SLICE_LITERAL("{\"offsetTable\":{{\"brokerName\":\"b\",\"queueId\":0,\"topic\":\"t\"}:"
                      "{\"brokerOffset\":9,\"consumerOffset\":4,\"lastTimestamp\":1}}}"),
        &error));
    ck_assert_int_eq(progress->lag, 5);
    ck_assert_int_eq(progress->inflight, 0);
    mqc_admin_result_free(progress);
}
END_TEST

START_TEST(new_offsets_in_both_forms)
{
    mqc_offsets *offsets = result_new(sizeof *offsets);
    ck_good(offsets_add(offsets, slice_text(RESET), &error));
    ck_good(offsets_add(offsets, slice_text(RESET_FOR_C), &error));
    offsets_finish(offsets);
    ck_assert_uint_eq(offsets->count, 3);
    ck_assert_int_eq(offsets->offsets[1]->queue.queue_id, 1);
    ck_assert_int_eq(offsets->offsets[1]->offset, 7);
    ck_assert_str_eq(offsets->offsets[2]->queue.topic, "t");
    ck_assert_int_eq(offsets->offsets[2]->offset, 9);
    mqc_admin_result_free(offsets);
}
END_TEST

START_TEST(members_of_a_group)
{
    mqc_group_members *members = result_new(sizeof *members);
    ck_good(group_members_add(members, "golden-group", slice_text(MEMBERS), &error));
    ck_good(group_members_add(members, "golden-group", slice_text(MEMBERS), &error)); /* once */
    group_members_finish(members);
    ck_assert_uint_eq(members->count, 1);
    ck_assert_str_eq(members->members[0]->client_id, "192.0.2.2@6483#8a");
    ck_assert_str_eq(members->members[0]->address, "127.0.0.1:55458");
    ck_assert_str_eq(members->members[0]->language, "CPP");
    ck_assert_int_eq(members->members[0]->version, 513);
    ck_assert_str_eq(members->members[0]->version_name, "V5_5_0");
    ck_assert_str_eq(members->members[0]->group, "golden-group");
    ck_assert_str_eq(members->consume_type, "CONSUME_PASSIVELY");
    ck_assert_str_eq(members->message_model, "CLUSTERING");
    ck_assert_str_eq(members->consume_from, "CONSUME_FROM_FIRST_OFFSET");
    ck_assert_uint_eq(members->subscription_count, 2);
    ck_assert_str_eq(members->subscriptions[0]->topic, "%RETRY%golden-group");
    ck_assert_str_eq(members->subscriptions[1]->expression, "*");
    mqc_admin_result_free(members);
}
END_TEST

START_TEST(producers_of_all_groups)
{
    mqc_producers *producers = result_new(sizeof *producers);
    ck_good(producer_table_add(producers, slice_text(PRODUCERS), &error));
    ck_good(producers_add(producers, "a-group", slice_text(MEMBERS), &error));
    producers_finish(producers);
    ck_assert_uint_eq(producers->count, 2);
    ck_assert_str_eq(producers->members[0]->group, "CLIENT_INNER_PRODUCER");
    ck_assert_str_eq(producers->members[0]->address, "127.0.0.1:55458");
    ck_assert_str_eq(producers->members[1]->group, "a-group");
    mqc_admin_result_free(producers);
}
END_TEST

START_TEST(names_of_versions)
{
    static const struct {
        int version;
        const char *name;
    } NAMES[] = {{213, "V4_0_0"}, {233, "V4_1_0"}, {401, "V4_9_4"}, {407, "V4_9_7"},
                 {413, "V5_0_0"}, {441, "V5_1_4"}, {513, "V5_5_0"}, {512, "V5_5_0_SNAPSHOT"},
                 {611, "V5_9_9"}, {79, "V3 (79)"}, {0, "V3 (0)"},   {612, "HIGHER_VERSION"},
                 {-5, "V3 (-5)"}};
    void *result = result_new(1);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        ck_assert_str_eq(version_name(result, NAMES[i].version), NAMES[i].name);
    mqc_admin_result_free(result);
}
END_TEST

START_TEST(configurations)
{
    struct answer_origin origin = {"DefaultCluster", "broker-a"};
    mqc_topic_configs *topics = result_new(sizeof *topics);
    ck_good(topic_config_add(topics, &origin, slice_text(TOPIC_CONFIG), &error));
    const mqc_topic_config *topic = topics->configs[0];
    ck_assert_str_eq(topic->broker_name, "broker-a");
    ck_assert_str_eq(topic->cluster, "DefaultCluster");
    ck_assert_str_eq(topic->topic, "golden");
    ck_assert_str_eq(topic->message_type, "FIFO");
    ck_assert_str_eq(mqc_settings_value(topic->attributes, "message.type"), "FIFO");
    ck_assert_int_eq(topic->read_queues, 2);
    ck_assert_int_eq(topic->write_queues, 3);
    ck_assert_int_eq(topic->permission, 6);
    mqc_group_configs *groups = result_new(sizeof *groups);
    ck_good(group_config_add(groups, &origin, slice_text(GROUP_CONFIG), &error));
    const mqc_group_config *group = groups->configs[0];
    ck_assert_str_eq(group->group, "golden-group");
    ck_assert_int_eq(group->retry_max_times, 16);
    ck_assert(group->consume && group->broadcast && !group->ordered);
    ck_assert_str_eq(mqc_settings_value(group->settings, "groupRetryPolicy"),
                     "{\"type\":\"CUSTOMIZED\"}");
    ck_assert_str_eq(mqc_settings_value(group->settings, "consumeEnable"), "true");
    ck_assert_ptr_null(mqc_settings_value(group->settings, "noSuchSetting"));
    mqc_admin_result_free(topics);
    mqc_admin_result_free(groups);
}
END_TEST

START_TEST(a_consumers_own_words)
{
    mqc_running_info *info = result_new(sizeof *info);
    ck_good(running_info_read(info, slice_text(RUNNING), &error));
    ck_assert_str_eq(mqc_settings_value(info->properties, "PROP_CLIENT_VERSION"), "V5_5_0");
    ck_assert_str_eq(info->subscriptions[0]->expression, "a || b");
    ck_assert_uint_eq(info->queue_count, 3);
    const mqc_running_queue *queue = info->queues[1];
    ck_assert_str_eq(queue->queue.topic, "golden");
    ck_assert_int_eq(queue->commit_offset, 7);
    ck_assert_int_eq(queue->cached_messages, 3);
    ck_assert_int_eq(queue->cached_mib, 1);
    ck_assert_int_eq(queue->cached_max_offset, 9);
    ck_assert(queue->locked && queue->dropped && !queue->pop);
    ck_assert_int_eq(queue->last_pull_unix_ms, 1795447793648);
    ck_assert(info->queues[2]->pop);
    ck_assert_int_eq(info->queues[2]->unacknowledged, 5);
    ck_assert_uint_eq(info->topic_count, 1);
    ck_assert_double_eq_tol(info->topics[0]->consume_ms, 1.25, 1e-9);
    ck_assert_int_eq(info->topics[0]->consume_failed_messages, 4);
    ck_assert_str_eq(info->stacks, "main");
    mqc_admin_result_free(info);
    mqc_direct_result *direct = result_new(sizeof *direct);
    ck_good(direct_result_read(
        direct,
        SLICE_LITERAL("{\"autoCommit\":true,\"consumeResult\":\"CR_LATER\",\"order\":true,"
                      "\"remark\":\"why\",\"spentTimeMills\":12}"),
        &error));
    ck_assert_str_eq(direct->result, "CR_LATER");
    ck_assert_str_eq(direct->remark, "why");
    ck_assert(direct->ordered);
    ck_assert_int_eq(direct->spent_ms, 12);
    mqc_admin_result_free(direct);
}
END_TEST

START_TEST(figures_of_a_broker)
{
    mqc_broker_status *status = result_new(sizeof *status);
    ck_good(broker_status_read(
        status,
        SLICE_LITERAL("{\"table\":{\"msgPutTotalTodayNow\":\"5\",\"msgPutTotalTodayMorning\":\"2\","
                      "\"msgPutTotalYesterdayMorning\":\"1\",\"brokerActive\":\"true\",\"putTps\":"
                      "\"0.2996 0.082 0.008\",\"getTransferredTps\":\"1.5 0 0\","
                      "\"commitLogDiskRatio\":\"0.22\",\"brokerVersionDesc\":\"V5_5_0\","
                      "\"earliestMessageTimeStamp\":\"1795447775143\",\"timerCongestNum\":\"0\","
                      "\"sendThreadPoolQueueSize\":\"3\",\"timerDequeueTps\":\"0.5\"}}"),
        &error));
    ck_assert_str_eq(status->version, "V5_5_0");
    ck_assert(status->active);
    ck_assert_double_eq_tol(status->put_tps, 0.2996, 1e-9);
    ck_assert_double_eq_tol(status->get_tps, 1.5, 1e-9);
    ck_assert_double_eq_tol(status->disk_ratio, 0.22, 1e-9);
    ck_assert_int_eq(status->put_today, 3);
    ck_assert_int_eq(status->put_yesterday, 1);
    ck_assert_int_eq(status->get_today, 0); /* not told */
    ck_assert_int_eq(status->oldest_message_unix_ms, 1795447775143);
    ck_assert_int_eq(status->send_queue, 3);
    ck_assert_double_eq_tol(status->timer_dequeue_tps, 0.5, 1e-9);
    ck_assert_str_eq(mqc_settings_value(status->all, "putTps"), "0.2996 0.082 0.008");
    mqc_admin_result_free(status);
}
END_TEST

START_TEST(lines_of_properties)
{
    mqc_settings *settings = result_new(sizeof *settings);
    ck_good(properties_text_read(
        settings, settings,
        SLICE_LITERAL("z=1\n#comment\n\nconfigBlackList=a;b\nempty=\nurl=x=y\r\nnoValue"), &error));
    ck_assert_uint_eq(settings->count, 5);
    ck_assert_str_eq(settings->settings[0]->name, "configBlackList");
    ck_assert_str_eq(mqc_settings_value(settings, "empty"), "");
    ck_assert_str_eq(mqc_settings_value(settings, "url"), "x=y");
    ck_assert_str_eq(mqc_settings_value(settings, "noValue"), "");
    mqc_admin_result_free(settings);
}
END_TEST

START_TEST(lists_of_names)
{
    mqc_name_list *list = result_new(sizeof *list);
    ck_good(names_add(list, list, "group list", "groupList",
                      SLICE_LITERAL("{\"groupList\":[\"b\",\"a\",\"b\"]}"), &error));
    ck_good(group_names_add(
        list, SLICE_LITERAL("{\"subscriptionGroupTable\":{\"c\":{\"groupName\":\"c\"}}}"), &error));
    result_sort_names(list);
    ck_assert_uint_eq(list->count, 3);
    ck_assert_str_eq(list->names[0], "a");
    ck_assert_str_eq(list->names[2], "c");
    ck_assert_int_eq(names_add(list, list, "group list", "groupList",
                               SLICE_LITERAL("{\"groupList\":[1]}"), &error),
                     MQC_BAD_FRAME);
    mqc_admin_result_free(list);
}
END_TEST

/* Whatever is cut off: an error or less, never a crash. */
START_TEST(damaged_bodies)
{
    static const char *const BODIES[] = {TOPIC_STATUS, PROGRESS,     MEMBERS, PRODUCERS,
                                         TOPIC_CONFIG, GROUP_CONFIG, RESET,   RUNNING};
    struct answer_origin origin = {"c", "b"};
    for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++)
        for (size_t size = 0; size < strlen(BODIES[i]); size++) {
            struct slice body = slice_of(BODIES[i], size);
            void *result = result_new(512);
            ck_assert_int_ne(topic_status_add(result, body, &error), MQC_OK);
            ck_assert_int_ne(running_info_read(result, body, &error), MQC_OK);
            ck_assert_int_ne(topic_config_add(result, &origin, body, &error), MQC_OK);
            ck_assert_int_ne(group_members_add(result, "g", body, &error), MQC_OK);
            ck_assert_int_ne(offsets_add(result, body, &error), MQC_OK);
            mqc_admin_result_free(result);
        }
    mqc_offsets *offsets = result_new(sizeof *offsets);
    ck_assert_int_eq(
        offsets_add(offsets, SLICE_LITERAL("{\"offsetTable\":{{\"queueId\":0,\"topic\":\"t\"}:1}}"),
                    &error),
        MQC_BAD_FRAME);
    ck_assert_int_eq(
        offsets_add(offsets,
                    SLICE_LITERAL("{\"offsetTable\":{{\"brokerName\":\"b\",\"queueId\":0,\"topic\":"
                                  "\"t\"}:\"x\"}}"),
                    &error),
        MQC_BAD_FRAME);
    mqc_admin_result_free(offsets);
}
END_TEST

static Suite *decode_suite(void)
{
    Suite *suite = suite_create("admin/decode");
    UNIT_CASE(suite, "queues", queues_of_a_topic, progress_of_a_group,
              progress_without_pull_offsets, new_offsets_in_both_forms);
    UNIT_CASE(suite, "members", members_of_a_group, producers_of_all_groups, names_of_versions,
              a_consumers_own_words);
    UNIT_CASE(suite, "configurations", configurations, figures_of_a_broker, lines_of_properties,
              lists_of_names);
    UNIT_CASE(suite, "damage", damaged_bodies);
    return suite;
}

TEST_MAIN(decode_suite)
