/* The smaller bodies, and what a consumer tells of itself. */
#include "lib/protocol/bodies.h"

#include <stdio.h>

#include "lib/base/memory.h"
#include "lib/protocol/relaxed_json.h"
#include "lib/protocol/subscription.h"
#include "test/unit/protocol/damage.h"

static mqc_error error;

START_TEST(consumer_list)
{
    struct name_list list;
    struct slice body = golden_body("consumer_list_response");
    assert_ok(consumer_list_decode(body, &list, &error), &error);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_str_eq(list.names[0], "127.0.0.1@golden-1");
    ck_assert_str_eq(list.names[1], "127.0.0.1@golden-2");
    struct buffer out;
    buffer_init(&out);
    consumer_list_encode(&list, &out);
    ck_assert(slice_equal(buffer_slice(&out), body));
    buffer_done(&out);
    name_list_done(&list);
    assert_ok(consumer_list_decode(golden_body("consumer_list_response_4_9_7"), &list, &error),
              &error);
    ck_assert_uint_ge(list.count, 1);
    name_list_done(&list);
    assert_ok(consumer_list_decode(SLICE_LITERAL("{}"), &list, &error), &error);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_int_eq(
        consumer_list_decode(SLICE_LITERAL("{\"consumerIdList\":[\"a\",1]}"), &list, &error),
        MQC_BAD_FRAME);
    ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(topic_list)
{
    struct name_list list;
    struct slice body = golden_body("topic_list_response");
    assert_ok(topic_list_decode(body, &list, &error), &error);
    ck_assert_uint_eq(list.count, 19);
    ck_assert_str_eq(list.names[0], "%RETRY%golden-group");
    ck_assert_str_eq(list.names[18], "broker-a");
    struct buffer out;
    buffer_init(&out);
    topic_list_encode(&list, &out);
    ck_assert(slice_equal(buffer_slice(&out), body));
    buffer_done(&out);
    name_list_done(&list);
    ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(name_lists_grow)
{
    long live = memory_live_blocks();
    struct name_list list = {0};
    for (int i = 0; i < 100; i++) {
        char name[10];
        snprintf(name, sizeof name, "n%d", i);
        ck_assert(name_list_add(&list, slice_text(name)));
    }
    ck_assert(name_list_add(&list, SLICE_ABSENT));
    ck_assert_uint_eq(list.count, 101);
    ck_assert_str_eq(list.names[0], "n0");
    ck_assert_str_eq(list.names[99], "n99");
    ck_assert_str_eq(list.names[100], "");
    memory_fail_from(1);
    ck_assert(!name_list_add(&list, SLICE_LITERAL("x")));
    memory_fail_from(0);
    ck_assert_uint_eq(list.count, 101);
    name_list_done(&list);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(consume_directly_result)
{
    struct buffer out;
    buffer_init(&out);
    consume_directly_result_encode("CR_SUCCESS", false, NULL, 1, &out);
    ck_assert_str_eq(buffer_text(&out), "{\"autoCommit\":true,\"consumeResult\":\"CR_SUCCESS\","
                                        "\"order\":false,\"spentTimeMills\":1}");
    buffer_clear(&out);
    consume_directly_result_encode("CR_LATER", true, "a\nb", INT64_MAX, &out);
    ck_assert_str_eq(buffer_text(&out),
                     "{\"autoCommit\":true,\"consumeResult\":\"CR_LATER\",\"order\":true,"
                     "\"remark\":\"a\\nb\",\"spentTimeMills\":9223372036854775807}");
    buffer_done(&out);
}
END_TEST

/* ---- running info ---- */

#define QUEUE_A "{\"brokerName\":\"b\",\"queueId\":0,\"topic\":\"t\"}"
#define QUEUE_B "{\"brokerName\":\"c\",\"queueId\":7,\"topic\":\"%RETRY%g\"}"

static const struct running_queue QUEUES[] = {
    {.topic = "t",
     .broker_name = "b",
     .commit_offset = 10,
     .cached_min_offset = 10,
     .cached_max_offset = 19,
     .cached_count = 9,
     .cached_mib = 1,
     .locked = true,
     .last_pull_unix_ms = 1795436413642,
     .last_consume_unix_ms = 1795436413643},
    {.topic = "%RETRY%g", .broker_name = "c", .queue_id = 7, .commit_offset = -1, .dropped = true},
};

static struct running_info sample_info(const struct subscription *subscription)
{
    return (struct running_info){
        .name_servers = "127.0.0.1:9876;",
        .consume_type = "CONSUME_PASSIVELY",
        .orderly = true,
        .threads = 20,
        .start_unix_ms = 1795436413000,
        .subscription_count = 1,
        .subscriptions = subscription,
        .queue_count = 2,
        .queues = QUEUES,
    };
}

START_TEST(running_info_in_fastjsons_form)
{
    struct subscription subscription;
    assert_ok(subscription_make("t", "*", 3, &subscription, &error), &error);
    struct running_info info = sample_info(&subscription);
    struct buffer out;
    buffer_init(&out);
    running_info_encode(&info, &out);
    ck_assert_ptr_nonnull(strstr(buffer_text(&out), "\"mqTable\":{" QUEUE_A ":{\"cached"));
    ck_assert_ptr_nonnull(strstr(buffer_text(&out), "}," QUEUE_B ":{\"cached"));
    json_t *json;
    assert_ok(relaxed_json_parse(buffer_slice(&out), "running info", &json, &error), &error);
    const json_t *properties = json_object_get(json, "properties");
    ck_assert_str_eq(relaxed_json_text(properties, "PROP_NAMESERVER_ADDR", ""), "127.0.0.1:9876;");
    ck_assert_str_eq(relaxed_json_text(properties, "PROP_CONSUME_TYPE", ""), "CONSUME_PASSIVELY");
    ck_assert_str_eq(relaxed_json_text(properties, "PROP_CONSUMEORDERLY", ""), "true");
    ck_assert_str_eq(relaxed_json_text(properties, "PROP_THREADPOOL_CORE_SIZE", ""), "20");
    ck_assert_str_eq(relaxed_json_text(properties, "PROP_CONSUMER_START_TIMESTAMP", ""),
                     "1795436413000");
    ck_assert_str_eq(relaxed_json_text(properties, "PROP_CLIENT_VERSION", ""), "V5_5_0");
    const json_t *table = json_object_get(json, "mqTable");
    ck_assert_uint_eq(json_object_size(table), 2);
    const json_t *queue = json_object_get(table, QUEUE_A);
    ck_assert_int_eq(relaxed_json_number(queue, "commitOffset", 0), 10);
    ck_assert_int_eq(relaxed_json_number(queue, "cachedMsgMinOffset", 0), 10);
    ck_assert_int_eq(relaxed_json_number(queue, "cachedMsgMaxOffset", 0), 19);
    ck_assert_int_eq(relaxed_json_number(queue, "cachedMsgCount", 0), 9);
    ck_assert_int_eq(relaxed_json_number(queue, "cachedMsgSizeInMiB", 0), 1);
    ck_assert_int_eq(relaxed_json_number(queue, "lastPullTimestamp", 0), 1795436413642);
    ck_assert_int_eq(relaxed_json_number(queue, "lastConsumeTimestamp", 0), 1795436413643);
    ck_assert(relaxed_json_bool(queue, "locked", false));
    ck_assert(!relaxed_json_bool(queue, "droped", true));
    const json_t *other = json_object_get(table, QUEUE_B);
    ck_assert(relaxed_json_bool(other, "droped", false));
    ck_assert(!relaxed_json_bool(other, "locked", true));
    ck_assert_int_eq(relaxed_json_number(other, "commitOffset", 0), -1);
    const json_t *subscriptions = json_object_get(json, "subscriptionSet");
    ck_assert_uint_eq(json_array_size(subscriptions), 1);
    ck_assert_str_eq(relaxed_json_text(json_array_get(subscriptions, 0), "subString", ""), "*");
    ck_assert(json_is_object(json_object_get(json, "mqPopTable")));
    ck_assert(json_is_object(json_object_get(json, "statusTable")));
    ck_assert(json_is_object(json_object_get(json, "userConsumerInfo")));
    json_decref(json);
    buffer_done(&out);
    subscription_done(&subscription);
}
END_TEST

START_TEST(running_info_of_popped_places_and_threads)
{
    static const struct running_queue queues[] = {
        {.topic = "t", .broker_name = "b", .commit_offset = 10},
        {.topic = "t",
         .broker_name = "c",
         .queue_id = -1,
         .pop = true,
         .unacknowledged = 3,
         .last_pull_unix_ms = 5},
    };
    static const struct running_note settings[] = {{"pullBatchSize", NULL, 32},
                                                   {"consumerGroup", "g", 0}};
    static const struct running_note notes[] = {{"paused", "false", 0}, {"stuckQueues", NULL, 2}};
    static const struct running_rates rates[] = {{"t", 1.5, 2.5, 0.25, 12.35, 7}};
    struct running_info info = sample_info(NULL);
    info.name_space = "ns";
    info.rates = rates;
    info.rate_count = 1;
    info.subscription_count = 0;
    info.queues = queues;
    info.settings = settings;
    info.notes = notes;
    info.setting_count = info.note_count = 2;
    info.threads_text = SLICE_LITERAL("mqc-io\nat \"work\"");
    struct buffer out;
    json_t *json;
    buffer_init(&out);
    running_info_encode(&info, &out);
    assert_ok(relaxed_json_parse(buffer_slice(&out), "running info", &json, &error), &error);
    ck_assert_uint_eq(json_object_size(json_object_get(json, "mqTable")), 1);
    const json_t *popped =
        json_object_get(json_object_get(json, "mqPopTable"),
                        "{\"brokerName\":\"c\",\"queueId\":-1,\"topic\":\"ns%t\"}");
    ck_assert_int_eq(relaxed_json_number(popped, "waitAckCount", 0), 3);
    ck_assert_int_eq(relaxed_json_number(popped, "lastPopTimestamp", 0), 5);
    ck_assert(!relaxed_json_bool(popped, "droped", true));
    const json_t *properties = json_object_get(json, "properties");
    ck_assert_str_eq(relaxed_json_text(properties, "pullBatchSize", ""), "32");
    ck_assert_str_eq(relaxed_json_text(properties, "consumerGroup", ""), "g");
    const json_t *told = json_object_get(json, "userConsumerInfo");
    ck_assert_str_eq(relaxed_json_text(told, "paused", ""), "false");
    ck_assert_str_eq(relaxed_json_text(told, "stuckQueues", ""), "2");
    const json_t *topic = json_object_get(json_object_get(json, "statusTable"), "ns%t");
    ck_assert_int_eq(relaxed_json_number(topic, "consumeFailedMsgs", 0), 7);
    ck_assert_double_eq(json_number_value(json_object_get(topic, "pullTPS")), 1.5);
    ck_assert_double_eq(json_number_value(json_object_get(topic, "consumeOKTPS")), 2.5);
    ck_assert_double_eq(json_number_value(json_object_get(topic, "consumeFailedTPS")), 0.25);
    ck_assert_double_eq(json_number_value(json_object_get(topic, "consumeRT")), 12.35);
    ck_assert_str_eq(relaxed_json_text(json, "jstack", ""), "mqc-io\nat \"work\"");
    json_decref(json);
    buffer_clear(&out);
    consumer_status_encode(&info, &out); /* the broker has the offsets of what is popped */
    ck_assert_str_eq(buffer_text(&out),
                     "{\"messageQueueTable\":{{\"brokerName\":\"b\",\"queueId\":0,\"topic\":"
                     "\"ns%t\"}:10}}");
    buffer_done(&out);
}
END_TEST

START_TEST(consumer_status)
{
    struct running_info info = sample_info(NULL);
    struct buffer out;
    buffer_init(&out);
    consumer_status_encode(&info, &out);
    ck_assert_str_eq(buffer_text(&out), "{\"messageQueueTable\":{" QUEUE_A ":10," QUEUE_B ":-1}}");
    buffer_clear(&out);
    info.queue_count = 0;
    consumer_status_encode(&info, &out);
    ck_assert_str_eq(buffer_text(&out), "{\"messageQueueTable\":{}}");
    buffer_done(&out);
}
END_TEST

/* ---- offsets by queue ---- */

static void note(struct slice topic, struct slice broker_name, int32_t queue_id, int64_t offset,
                 void *arg)
{
    buffer_put_format(arg, "%.*s@%.*s/%d=%lld;", SLICE_FORMAT(topic), SLICE_FORMAT(broker_name),
                      (int)queue_id, (long long)offset);
}

static void assert_offsets(const char *body, const char *expected)
{
    struct buffer out;
    buffer_init(&out);
    assert_ok(reset_offset_decode(slice_text(body), note, &out, &error), &error);
    ck_assert_str_eq(buffer_text(&out), expected);
    buffer_done(&out);
}

START_TEST(reset_offset_in_both_forms)
{
    assert_offsets("{\"offsetTable\":{" QUEUE_A ":123," QUEUE_B ":9223372036854775807}}",
                   "t@b/0=123;%RETRY%g@c/7=9223372036854775807;");
    assert_offsets("{\"offsetTable\":[{\"brokerName\":\"b\",\"offset\":123,\"queueId\":0,"
                   "\"topic\":\"t\"},{\"brokerName\":\"c\",\"offset\":0,\"queueId\":7,"
                   "\"topic\":\"t\"}]}",
                   "t@b/0=123;t@c/7=0;");
    assert_offsets("{\"offsetTable\":{}}", "");
    assert_offsets("{\"offsetTable\":[]}", "");
}
END_TEST

START_TEST(damaged_reset_offset_visits_nothing)
{
    const char *const bad[] = {
        "",
        "{}",
        "{\"offsetTable\":{" QUEUE_A ":1,\"x\":1}}",
        "{\"offsetTable\":{" QUEUE_A ":1," QUEUE_B ":-5}}",
        "{\"offsetTable\":{" QUEUE_A ":1," QUEUE_B ":\"1\"}}",
        "{\"offsetTable\":{" QUEUE_A ":1,{\"queueId\":0,\"topic\":\"t\"}:1}}",
        "{\"offsetTable\":{" QUEUE_A ":1,{\"brokerName\":\"b\",\"queueId\":0}:1}}",
        "{\"offsetTable\":{" QUEUE_A ":1,{\"brokerName\":\"b\",\"topic\":\"t\"}:1}}",
        "{\"offsetTable\":[{\"brokerName\":\"b\",\"offset\":1,\"queueId\":0,\"topic\":\"t\"},"
        "{\"brokerName\":\"b\",\"queueId\":0,\"topic\":\"t\"}]}",
        "{\"offsetTable\":[{\"brokerName\":\"b\",\"offset\":1,\"queueId\":0,\"topic\":\"t\"},5]}",
        "{\"offsetTable\":[{\"brokerName\":\"b\",\"offset\":1,\"queueId\":2147483648,"
        "\"topic\":\"t\"}]}",
    };
    struct buffer out;
    buffer_init(&out);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mqc_status status = reset_offset_decode(slice_text(bad[i]), note, &out, &error);
        ck_assert_msg(status == MQC_BAD_FRAME, "%s", bad[i]);
        ck_assert_uint_eq(out.size, 0);
    }
    buffer_done(&out);
}
END_TEST

static void decode_damaged(struct slice damaged, void *arg)
{
    struct buffer out;
    buffer_init(&out);
    mqc_status status = reset_offset_decode(damaged, note, &out, &error);
    ck_assert(status == MQC_OK || status == MQC_BAD_FRAME);
    if (damaged.size < *(size_t *)arg) ck_assert_int_eq(status, MQC_BAD_FRAME);
    if (status != MQC_OK) ck_assert_uint_eq(out.size, 0);
    buffer_done(&out);
    struct name_list list;
    status = consumer_list_decode(damaged, &list, &error);
    ck_assert(status == MQC_OK || status == MQC_BAD_FRAME);
    name_list_done(&list);
}

START_TEST(damaged)
{
    long live = memory_live_blocks();
    struct slice body = SLICE_LITERAL("{\"offsetTable\":{" QUEUE_A ":123," QUEUE_B ":5}}");
    damage_each(body, decode_damaged, &body.size);
    body = golden_body("consumer_list_response");
    damage_each(body, decode_damaged, &body.size);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bodies");
    UNIT_CASE(s, "lists", consumer_list, topic_list, name_lists_grow);
    UNIT_CASE(s, "answers", consume_directly_result, running_info_in_fastjsons_form,
              running_info_of_popped_places_and_threads, consumer_status);
    UNIT_CASE(s, "offsets", reset_offset_in_both_forms, damaged_reset_offset_visits_nothing,
              damaged);
    return s;
}
TEST_MAIN(suite)
