/* Assignments of queues and message request modes. */
#include "lib/protocol/assignment.h"

#include "test/unit/unit.h"

static int pops, pulls, any_queue;

static void visit(struct slice broker_name, int32_t queue_id, bool pop, void *arg)
{
    ck_assert_ptr_eq(arg, &pops);
    ck_assert_slice(broker_name, "broker-a");
    pop ? pops++ : pulls++;
    if (queue_id == -1) any_queue++;
}

static bool decode(const char *body)
{
    bool known;
    pops = pulls = any_queue = 0;
    ck_assert_int_eq(assignment_decode(slice_text(body), visit, &pops, &known, NULL), MQC_OK);
    return known;
}

START_TEST(test_answers)
{
    ck_assert(decode("{\"messageQueueAssignments\":[{\"messageQueue\":{\"brokerName\":\"broker-a\","
                     "\"queueId\":-1,\"topic\":\"t\"},\"mode\":\"POP\"},{\"messageQueue\":"
                     "{\"brokerName\":\"broker-a\",\"queueId\":2,\"topic\":\"t\"},"
                     "\"mode\":\"PULL\",\"attachments\":{}}]}"));
    ck_assert_int_eq(pops, 1);
    ck_assert_int_eq(pulls, 1);
    ck_assert_int_eq(any_queue, 1);
    ck_assert(decode("{\"messageQueueAssignments\":[]}"));
    ck_assert_int_eq(pops + pulls, 0);
    ck_assert(!decode("{}")); /* no answer yet */
    ck_assert(!decode(""));
}
END_TEST

START_TEST(test_damage_visits_nothing)
{
    static const char *const BAD[] = {
        "{\"messageQueueAssignments\":[{\"messageQueue\":{\"brokerName\":\"broker-a\","
        "\"queueId\":1}},{\"messageQueue\":{\"queueId\":1}}]}",
        "{\"messageQueueAssignments\":[{\"messageQueue\":{\"brokerName\":\"broker-a\","
        "\"queueId\":-2}}]}",
        "{\"messageQueueAssignments\":[7]}", "{\"mess"};
    mqc_error error;
    bool known;
    pops = pulls = 0;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        ck_assert_int_eq(assignment_decode(slice_text(BAD[i]), visit, &pops, &known, &error),
                         MQC_BAD_FRAME);
        ck_assert(!known);
    }
    ck_assert_int_eq(pops + pulls, 0);
}
END_TEST

START_TEST(test_requests)
{
    struct buffer body;
    buffer_init(&body);
    assignment_query_encode(NULL, "t", "g", "10.0.0.1@7", &body);
    ck_assert_slice(buffer_slice(&body),
                    "{\"topic\":\"t\",\"consumerGroup\":\"g\",\"clientId\":\"10.0.0.1@7\","
                    "\"strategyName\":\"AVG\",\"messageModel\":\"CLUSTERING\"}");
    buffer_done(&body);
    buffer_init(&body);
    request_mode_encode("ns", "t", "g", true, 3, &body);
    ck_assert_slice(buffer_slice(&body), "{\"topic\":\"ns%t\",\"consumerGroup\":\"ns%g\","
                                         "\"mode\":\"POP\",\"popShareQueueNum\":3}");
    buffer_done(&body);
}
END_TEST

static Suite *assignment_suite(void)
{
    Suite *suite = suite_create("assignment");
    UNIT_CASE(suite, "assignment", test_answers, test_damage_visits_nothing, test_requests);
    return suite;
}

TEST_MAIN(assignment_suite)
