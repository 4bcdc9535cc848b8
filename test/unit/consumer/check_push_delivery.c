/* A listener call: what it sees, and what its verdict comes to. */
#include "lib/consumer/push_consumer.h"
#include "test/unit/unit.h"

enum { COUNT = 4 };

static struct mqc_push_consumer consumer;
static struct mqc_message *messages[COUNT];
static struct mqc_delivery delivery;

/* What the listener is to do. */
static mqc_consume_status verdict;
static int done = -1;
static int level = 100;

static mqc_consume_status listener(mqc_delivery *given, void *arg)
{
    ck_assert_ptr_eq(arg, &delivery);
    ck_assert_uint_eq(mqc_delivery_count(given), COUNT);
    for (size_t i = 0; i < COUNT; i++) ck_assert_ptr_eq(mqc_delivery_at(given, i), messages[i]);
    ck_assert_ptr_null(mqc_delivery_at(given, COUNT));
    ck_assert_str_eq(mqc_delivery_queue(given).topic, "t");
    ck_assert_str_eq(mqc_delivery_queue(given).broker_name, "broker-a");
    ck_assert_int_eq(mqc_delivery_queue(given).queue_id, 7);
    if (done >= 0) mqc_delivery_done(given, (size_t)done);
    if (level != 100) mqc_delivery_retry_level(given, level);
    return verdict;
}

static size_t run(mqc_consume_status status, int done_count, int retry_level)
{
    verdict = status;
    done = done_count;
    level = retry_level;
    return push_deliver(&consumer, &delivery);
}

static void setup(void)
{
    consumer.options.listener = listener;
    consumer.options.listener_arg = &delivery;
    for (size_t i = 0; i < COUNT; i++) messages[i] = mqc_message_new("t", "x", 1);
    delivery =
        (struct mqc_delivery){.queue = {"t", "broker-a", 7}, .messages = messages, .count = COUNT};
}

static void teardown(void)
{
    for (size_t i = 0; i < COUNT; i++) mqc_message_free(messages[i]);
}

START_TEST(test_verdicts)
{
    setup();
    ck_assert_uint_eq(run(MQC_CONSUME_SUCCESS, -1, 100), COUNT);
    ck_assert_int_eq(delivery.retry_level, 0);
    ck_assert_uint_eq(run(MQC_RECONSUME_LATER, -1, 100), 0);
    ck_assert_uint_eq(run((mqc_consume_status)99, -1, 100), 0); /* no such verdict: not done */
    teardown();
}
END_TEST

START_TEST(test_only_the_first_are_done)
{
    setup();
    ck_assert_uint_eq(run(MQC_CONSUME_SUCCESS, 3, 100), 3);
    ck_assert_uint_eq(run(MQC_CONSUME_SUCCESS, 0, 100), 0);
    ck_assert_uint_eq(run(MQC_CONSUME_SUCCESS, COUNT + 1, 100), COUNT);
    ck_assert_uint_eq(run(MQC_RECONSUME_LATER, 3, 100), 0);
    ck_assert_uint_eq(run(MQC_CONSUME_SUCCESS, -1, 100), COUNT); /* nothing is left of the last */
    teardown();
}
END_TEST

START_TEST(test_retry_levels)
{
    static const int cases[][2] = {{-1, -1}, {0, 0}, {1, 1}, {18, 18}, {19, 18}, {-2, -1}};
    setup();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(MQC_RECONSUME_LATER, -1, cases[i][0]);
        ck_assert_int_eq(delivery.retry_level, cases[i][1]);
    }
    run(MQC_RECONSUME_LATER, -1, 100);
    ck_assert_int_eq(delivery.retry_level, 0);
    teardown();
}
END_TEST

START_TEST(test_damage_is_an_error)
{
    setup();
    mqc_error error = {0};
    messages[0]->sys_flag = 0x1; /* compressed, it says */
    ck_assert_int_eq(consumer_prepare_message(messages[0], &error), MQC_BAD_FRAME);
    ck_assert_int_eq(error.status, MQC_BAD_FRAME);
    ck_assert_int_eq(consumer_prepare_message(messages[1], &error), MQC_OK);
    teardown();
}
END_TEST

static Suite *push_delivery_suite(void)
{
    Suite *suite = suite_create("push_delivery");
    UNIT_CASE(suite, "verdict", test_verdicts, test_only_the_first_are_done, test_retry_levels,
              test_damage_is_an_error);
    return suite;
}

TEST_MAIN(push_delivery_suite)
