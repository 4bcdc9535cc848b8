/* The bodies of locking and unlocking queues. */
#include "lib/protocol/lock_bodies.h"

#include "test/unit/unit.h"

static const mqc_message_queue QUEUES[] = {{"orders", "broker-a", 0}, {"orders", "broker-a", 3}};

START_TEST(test_request)
{
    struct buffer body;
    buffer_init(&body);
    lock_request_encode(NULL, "g\"roup", "10.0.0.1@7", QUEUES, 2, &body);
    ck_assert_slice(buffer_slice(&body),
                    "{\"clientId\":\"10.0.0.1@7\",\"consumerGroup\":\"g\\\"roup\",\"mqSet\":["
                    "{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"orders\"},"
                    "{\"brokerName\":\"broker-a\",\"queueId\":3,\"topic\":\"orders\"}],"
                    "\"onlyThisBroker\":false}");
    buffer_done(&body);
}
END_TEST

static void decode(const char *body, bool first, bool second)
{
    bool locked[2] = {true, true};
    ck_assert_int_eq(lock_response_decode(slice_text(body), NULL, QUEUES, 2, locked, NULL), MQC_OK);
    ck_assert_int_eq(locked[0], first);
    ck_assert_int_eq(locked[1], second);
}

START_TEST(test_response)
{
    decode("{\"lockOKMQSet\":[]}", false, false);
    decode("{}", false, false);
    decode("{\"lockOKMQSet\":[{\"brokerName\":\"broker-a\",\"queueId\":3,\"topic\":\"orders\"}]}",
           false, true);
    decode("{\"lockOKMQSet\":[{\"brokerName\":\"broker-a\",\"queueId\":3,\"topic\":\"orders\"},"
           "{\"topic\":\"orders\",\"queueId\":0,\"brokerName\":\"broker-a\"}]}",
           true, true);
    /* Others' queues, and what is none. */
    decode("{\"lockOKMQSet\":[{\"brokerName\":\"broker-b\",\"queueId\":0,\"topic\":\"orders\"},"
           "{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"other\"},7,{}]}",
           false, false);
}
END_TEST

START_TEST(test_namespace)
{
    struct buffer body;
    bool locked[2];
    buffer_init(&body);
    lock_request_encode("ns", "g", "c", QUEUES, 1, &body);
    ck_assert_slice(buffer_slice(&body),
                    "{\"clientId\":\"c\",\"consumerGroup\":\"ns%g\",\"mqSet\":["
                    "{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"ns%orders\"}],"
                    "\"onlyThisBroker\":false}");
    buffer_done(&body);
    ck_assert_int_eq(
        lock_response_decode(slice_text("{\"lockOKMQSet\":[{\"brokerName\":\"broker-a\","
                                        "\"queueId\":3,\"topic\":\"ns%orders\"}]}"),
                             "ns", QUEUES, 2, locked, NULL),
        MQC_OK);
    ck_assert(!locked[0] && locked[1]);
}
END_TEST

START_TEST(test_damage)
{
    bool locked[2] = {true, true};
    mqc_error error;
    ck_assert_int_eq(lock_response_decode(slice_text("{\"lock"), NULL, QUEUES, 2, locked, &error),
                     MQC_BAD_FRAME);
    ck_assert(!locked[0] && !locked[1]);
}
END_TEST

static Suite *lock_bodies_suite(void)
{
    Suite *suite = suite_create("lock_bodies");
    UNIT_CASE(suite, "lock_bodies", test_request, test_response, test_namespace, test_damage);
    return suite;
}

TEST_MAIN(lock_bodies_suite)
