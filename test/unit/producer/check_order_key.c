/* Tests of lib/producer/order_key.c. */
#include "lib/producer/order_key.h"

#include "lib/base/error.h"
#include "lib/protocol/codes.h"
#include "test/unit/unit.h"

enum { COUNTS = 5 };

/* What SelectMessageQueueByHash of the Java client 5.5.0 answers for 1, 3, 4, 8 and 17 queues. */
static const struct {
    const char *key;
    size_t queues[COUNTS];
} JAVA[] = {
    {"order-1", {0, 2, 2, 6, 11}},
    {"order-2", {0, 1, 1, 5, 10}},
    {"A-42", {0, 2, 2, 2, 6}},
    {"客户", {0, 1, 1, 5, 6}},
    {"😀", {0, 1, 3, 3, 3}}, /* two UTF-16 units */
    {"grüße", {0, 1, 3, 7, 12}},
    {"polygenelubricants", {0, 2, 0, 0, 9}}, /* its hash is Integer.MIN_VALUE */
    {"a", {0, 1, 1, 1, 12}},
    {"17", {0, 2, 2, 6, 10}},
};

START_TEST(as_java)
{
    static const size_t counts[COUNTS] = {1, 3, 4, 8, 17};
    for (size_t i = 0; i < sizeof JAVA / sizeof *JAVA; i++) {
        for (size_t j = 0; j < COUNTS; j++) {
            size_t queue = order_key_queue(slice_text(JAVA[i].key), counts[j]);
            ck_assert_msg(queue == JAVA[i].queues[j], "%s of %zu: %zu, Java says %zu", JAVA[i].key,
                          counts[j], queue, JAVA[i].queues[j]);
        }
    }
}
END_TEST

START_TEST(key_of_options)
{
    ck_assert_ptr_null(order_key_of(NULL).data);
    mqc_send_options options = {0};
    ck_assert_ptr_null(order_key_of(&options).data);
    options.order_key = "order-1 and more";
    ck_assert_slice(order_key_of(&options), "order-1 and more");
    options.order_key_bytes = 7;
    ck_assert_slice(order_key_of(&options), "order-1");
}
END_TEST

static mqc_error failure_of(mqc_status status, int broker_code, bool maybe_done)
{
    return (mqc_error){.status = status, .broker_code = broker_code, .maybe_done = maybe_done};
}

static bool may_repeat(mqc_status status, int broker_code, bool maybe_done)
{
    mqc_error failure = failure_of(status, broker_code, maybe_done);
    return order_key_may_repeat(&failure);
}

START_TEST(repeats_only_what_was_surely_not_stored)
{
    ck_assert(may_repeat(MQC_NO_CONNECTION, 0, false));
    ck_assert(may_repeat(MQC_NO_ROUTE, 0, false));
    ck_assert(may_repeat(MQC_TIMEOUT, 0, false)); /* no connection in time */
    ck_assert(may_repeat(MQC_REFUSED, RESPONSE_SYSTEM_BUSY, false));
    ck_assert(may_repeat(MQC_REFUSED, RESPONSE_SERVICE_NOT_AVAILABLE, false));
    ck_assert(!may_repeat(MQC_NO_CONNECTION, 0, true));
    ck_assert(!may_repeat(MQC_TIMEOUT, 0, true));
    ck_assert(!may_repeat(MQC_REFUSED, RESPONSE_SYSTEM_BUSY, true));
    ck_assert(!may_repeat(MQC_REFUSED, RESPONSE_SYSTEM_ERROR, false));
    ck_assert(!may_repeat(MQC_REFUSED, RESPONSE_MESSAGE_ILLEGAL, false)); /* does not help */
    ck_assert(!may_repeat(MQC_BAD_FRAME, 0, false));
    ck_assert(!may_repeat(MQC_TOO_BIG, 0, false));
}
END_TEST

START_TEST(pauses_grow_to_a_limit)
{
    int64_t last = 0;
    for (int attempt = 1; attempt < 100; attempt++) {
        int64_t pause = order_key_pause_ms(attempt);
        ck_assert_int_ge(pause, last);
        ck_assert_int_le(pause, 500);
        last = pause;
    }
    ck_assert_int_eq(order_key_pause_ms(1), 20);
    ck_assert_int_eq(last, 500);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("order_key");
    UNIT_CASE(suite, "key", as_java, key_of_options);
    UNIT_CASE(suite, "again", repeats_only_what_was_surely_not_stored, pauses_grow_to_a_limit);
    return suite;
}

TEST_MAIN(suite)
