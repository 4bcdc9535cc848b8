/* The heartbeat's body. */
#include "lib/protocol/heartbeat.h"

#include "lib/base/memory.h"
#include "test/unit/protocol/damage.h"

static mqc_error error;

static void assert_round_trip(struct slice body)
{
    struct heartbeat heartbeat;
    assert_ok(heartbeat_decode(body, &heartbeat, &error), &error);
    struct buffer out;
    buffer_init(&out);
    heartbeat_encode(&heartbeat, &out);
    ck_assert_msg(slice_equal(buffer_slice(&out), body), "%s", buffer_text(&out));
    buffer_done(&out);
    heartbeat_decoded_done(&heartbeat);
}

/* Byte for byte what the Java client sends. */
START_TEST(as_java_writes_it)
{
    long live = memory_live_blocks();
    assert_round_trip(golden_body("java_heartbeat_request"));
    assert_round_trip(golden_body("java_binary_heartbeat_request"));
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(decodes)
{
    struct heartbeat heartbeat;
    assert_ok(heartbeat_decode(golden_body("java_heartbeat_request"), &heartbeat, &error), &error);
    ck_assert_str_eq(heartbeat.client_id, "192.0.2.2@31559#2594263800984");
    ck_assert_uint_eq(heartbeat.producer_count, 1);
    ck_assert_str_eq(heartbeat.producers[0], "CLIENT_INNER_PRODUCER");
    ck_assert_uint_eq(heartbeat.consumer_count, 1);
    const struct heartbeat_consumer *consumer = &heartbeat.consumers[0];
    ck_assert_str_eq(consumer->group, "golden-group");
    ck_assert_str_eq(consumer->consume_type, "CONSUME_PASSIVELY");
    ck_assert_str_eq(consumer->message_model, "CLUSTERING");
    ck_assert_str_eq(consumer->consume_from, "CONSUME_FROM_FIRST_OFFSET");
    ck_assert(!consumer->unit_mode);
    ck_assert_uint_eq(consumer->subscription_count, 2);
    ck_assert_str_eq(consumer->subscriptions[0].topic, "golden");
    ck_assert_str_eq(consumer->subscriptions[1].topic, "%RETRY%golden-group");
    ck_assert_int_eq(consumer->subscriptions[1].version, 1795436714821);
    heartbeat_decoded_done(&heartbeat);
}
END_TEST

START_TEST(encodes_several)
{
    struct subscription subscriptions[2];
    assert_ok(subscription_make("t", "a", 5, &subscriptions[0], &error), &error);
    assert_ok(subscription_make("u", NULL, 6, &subscriptions[1], &error), &error);
    struct heartbeat_consumer consumers[] = {
        {"g", "CONSUME_ACTIVELY", "BROADCASTING", "CONSUME_FROM_TIMESTAMP", true, 2, subscriptions},
        {"h", "CONSUME_PASSIVELY", "CLUSTERING", "CONSUME_FROM_LAST_OFFSET", false, 0, NULL},
    };
    const char *producers[] = {"p", "q\""};
    struct heartbeat heartbeat = {"10.0.0.1@x", 2, producers, 2, consumers};
    struct buffer out;
    buffer_init(&out);
    heartbeat_encode(&heartbeat, &out);
    ck_assert_str_eq(
        buffer_text(&out),
        "{\"clientID\":\"10.0.0.1@x\",\"consumerDataSet\":[{\"consumeFromWhere\":"
        "\"CONSUME_FROM_TIMESTAMP\",\"consumeType\":\"CONSUME_ACTIVELY\",\"groupName\":\"g\","
        "\"messageModel\":\"BROADCASTING\",\"subscriptionDataSet\":[{\"classFilterMode\":false,"
        "\"codeSet\":[97],\"expressionType\":\"TAG\",\"subString\":\"a\",\"subVersion\":5,"
        "\"tagsSet\":[\"a\"],\"topic\":\"t\"},{\"classFilterMode\":false,\"codeSet\":[],"
        "\"expressionType\":\"TAG\",\"subString\":\"*\",\"subVersion\":6,\"tagsSet\":[],"
        "\"topic\":\"u\"}],\"unitMode\":true},{\"consumeFromWhere\":\"CONSUME_FROM_LAST_OFFSET\","
        "\"consumeType\":\"CONSUME_PASSIVELY\",\"groupName\":\"h\",\"messageModel\":"
        "\"CLUSTERING\",\"subscriptionDataSet\":[],\"unitMode\":false}],\"heartbeatFingerprint\":0,"
        "\"producerDataSet\":[{\"groupName\":\"p\"},{\"groupName\":\"q\\\"\"}],"
        "\"withoutSub\":false}");
    assert_round_trip(buffer_slice(&out));
    buffer_done(&out);
    for (size_t i = 0; i < 2; i++) subscription_done(&subscriptions[i]);
}
END_TEST

START_TEST(sets_may_be_missing)
{
    struct heartbeat heartbeat;
    assert_ok(heartbeat_decode(SLICE_LITERAL("{\"clientID\":\"c\"}"), &heartbeat, &error), &error);
    ck_assert_uint_eq(heartbeat.producer_count, 0);
    ck_assert_uint_eq(heartbeat.consumer_count, 0);
    heartbeat_decoded_done(&heartbeat);
}
END_TEST

#define BAD_SUBSCRIPTION                                                                           \
    "{\"clientID\":\"c\",\"consumerDataSet\":[{\"groupName\":\"g\",\"subscriptionDataSet\":[{}]}]" \
    "}"

START_TEST(malformed)
{
    const char *const bad[] = {
        "",
        "{}",
        "{\"clientID\":5}",
        "{\"clientID\":\"c\",\"producerDataSet\":[{}]}",
        "{\"clientID\":\"c\",\"consumerDataSet\":[{}]}",
        "{\"clientID\":\"c\",\"consumerDataSet\":[{\"groupName\":\"g\"},7]}",
        BAD_SUBSCRIPTION,
    };
    long live = memory_live_blocks();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct heartbeat heartbeat;
        ck_assert_int_eq(heartbeat_decode(slice_text(bad[i]), &heartbeat, &error), MQC_BAD_FRAME);
        ck_assert_ptr_null(heartbeat.client_id);
    }
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

static void decode_damaged(struct slice damaged, void *arg)
{
    (void)arg;
    struct heartbeat heartbeat;
    mqc_status status = heartbeat_decode(damaged, &heartbeat, &error);
    ck_assert(status == MQC_OK || status == MQC_BAD_FRAME);
    if (status == MQC_OK) heartbeat_decoded_done(&heartbeat);
}

START_TEST(damaged)
{
    long live = memory_live_blocks();
    damage_each(golden_body("java_heartbeat_request"), decode_damaged, NULL);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

START_TEST(no_memory)
{
    struct slice body = golden_body("java_heartbeat_request");
    long live = memory_live_blocks();
    long nth = 1;
    for (mqc_status status = MQC_NO_MEMORY; status != MQC_OK; nth++) {
        struct heartbeat heartbeat;
        memory_fail_from(nth);
        status = heartbeat_decode(body, &heartbeat, &error);
        memory_fail_from(0);
        if (status == MQC_OK)
            heartbeat_decoded_done(&heartbeat);
        else
            ck_assert_int_eq(status, MQC_NO_MEMORY);
        ck_assert_int_eq(memory_live_blocks(), live);
    }
    ck_assert_int_gt(nth, 15);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("heartbeat");
    UNIT_CASE(s, "heartbeat", as_java_writes_it, decodes, encodes_several, sets_may_be_missing,
              malformed, damaged, no_memory);
    return s;
}
TEST_MAIN(suite)
