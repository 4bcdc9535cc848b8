/* How an application is tested with the embedded cluster: orders.c runs as it is, over the real
 * protocol; the test scripts the broker's outages and moves its clock. Nothing sleeps. */
#include <check.h>
#include <mqclient/embedded.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "orders.h"

/* RocketMQ's codes of the requests and the answer that the tests are about. */
enum { SEND_MESSAGE = 310, SEND_BACK = 36, SYSTEM_BUSY = 2 };

enum { WAIT_S = 60, MINUTE_MS = 60000 }; /* WAIT_S: only a test that fails waits so long */

/* ---- a payment provider that fails as often as it is told, and charges once for a number ---- */

static struct provider {
    pthread_mutex_t lock;
    pthread_cond_t called;
    int failures; /* still to come */
    int calls;
    int paid;
    long cents;
    char numbers[256]; /* that are paid; all of one length */
} provider = {.lock = PTHREAD_MUTEX_INITIALIZER, .called = PTHREAD_COND_INITIALIZER};

static bool charge(const char *number, long cents, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&provider.lock);
    bool fails = provider.failures > 0;
    provider.calls++;
    if (fails) {
        provider.failures--;
    } else if (!strstr(provider.numbers, number)) {
        strcat(strcat(provider.numbers, number), " ");
        provider.paid++;
        provider.cents += cents;
    }
    pthread_cond_signal(&provider.called);
    pthread_mutex_unlock(&provider.lock);
    return !fails;
}

/* Waits until one of the provider's numbers is as high as that. */
static void await(const int *number, int expected)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_S;
    pthread_mutex_lock(&provider.lock);
    int late = 0;
    while (*number < expected && late == 0)
        late = pthread_cond_timedwait(&provider.called, &provider.lock, &deadline);
    int last = *number;
    pthread_mutex_unlock(&provider.lock);
    ck_assert_int_eq(last, expected);
}

/* ---- each test has a cluster and the application of its own ---- */

static mqc_embedded *cluster;
static struct orders *orders;
static mqc_error error;

static void open_shop(void)
{
    provider.failures = provider.calls = provider.paid = 0;
    provider.cents = 0;
    provider.numbers[0] = '\0';
    /* The time of delayed messages stands still until a test moves it. */
    cluster = mqc_embedded_start(&(mqc_embedded_options){.virtual_clock = true}, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    ck_assert_int_eq(mqc_embedded_create_topic(cluster, -1, ORDERS_TOPIC, 4, &error), MQC_OK);
    /* A new group's retry topic is found when the routes are next looked up: let it be soon. */
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster),
                                 .route_refresh_ms = 100};
    orders = orders_open(&client, charge, NULL, &error);
    ck_assert_msg(orders != NULL, "%s", error.text);
}

/* Closing commits what was done: nothing is left for the next start. */
static void close_shop(void)
{
    orders_close(orders);
    ck_assert_int_eq(mqc_embedded_lag(cluster, ORDERS_GROUP, ORDERS_TOPIC), 0);
    ck_assert_int_eq(mqc_embedded_lag(cluster, ORDERS_GROUP, "%RETRY%" ORDERS_GROUP), 0);
    mqc_embedded_stop(cluster);
}

static void place(const char *number, long cents)
{
    ck_assert_msg(orders_place(orders, number, cents, &error) == MQC_OK, "%s", error.text);
}

/* Waits until the application has given an order back for the `count`th time. */
static void await_given_back(int count)
{
    ck_assert_msg(mqc_embedded_await_requests(cluster, SEND_BACK, count, WAIT_S * 1000, &error) ==
                      MQC_OK,
                  "%s", error.text);
}

/* ---- the tests ---- */

START_TEST(an_order_is_paid)
{
    place("A-1", 1999);
    await(&provider.paid, 1);
    ck_assert_int_eq(provider.cents, 1999);
}
END_TEST

START_TEST(a_busy_broker_is_asked_again)
{
    mqc_embedded_fault busy = {
        .kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY, .request_code = SEND_MESSAGE, .count = 2};
    ck_assert_int_eq(mqc_embedded_add_fault(cluster, &busy, NULL, &error), MQC_OK);
    place("A-1", 1999);
    await(&provider.paid, 1);
    ck_assert_int_eq(mqc_embedded_request_count(cluster, SEND_MESSAGE), 3);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, ORDERS_TOPIC), 1);
}
END_TEST

START_TEST(a_lost_answer_charges_nobody_twice)
{
    /* The broker stores the order, but its answer is cut off: the producer sends again. */
    mqc_embedded_fault lost = {.kind = MQC_FAULT_DROP, .request_code = SEND_MESSAGE, .count = 1};
    ck_assert_int_eq(mqc_embedded_add_fault(cluster, &lost, NULL, &error), MQC_OK);
    place("A-1", 1999);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, ORDERS_TOPIC), 2);
    await(&provider.calls, 2);
    ck_assert_int_eq(provider.cents, 1999);
}
END_TEST

START_TEST(an_outage_loses_no_order)
{
    place("A-1", 1);
    await(&provider.paid, 1);
    /* As after a crash: the name server still names the broker. */
    ck_assert_int_eq(mqc_embedded_broker_down(cluster, 0, MQC_EMBEDDED_KEEP_ROUTE, &error), MQC_OK);
    ck_assert_int_ne(orders_place(orders, "A-2", 10, &error), MQC_OK);
    ck_assert_msg(error.retryable, "the customer may try again: %s", error.text);
    ck_assert_int_eq(mqc_embedded_broker_up(cluster, 0, &error), MQC_OK);
    place("A-2", 10);
    place("A-3", 100);
    await(&provider.paid, 3);
    ck_assert_int_eq(provider.cents, 111); /* each of them once */
}
END_TEST

START_TEST(a_failed_payment_is_tried_again)
{
    provider.failures = 2;
    place("A-1", 1999);
    await_given_back(1);
    mqc_embedded_advance_clock(cluster, MINUTE_MS);
    await_given_back(2);
    mqc_embedded_advance_clock(cluster, MINUTE_MS);
    await(&provider.paid, 1);
    ck_assert_int_eq(provider.calls, 3);
    ck_assert_int_eq(provider.cents, 1999);
}
END_TEST

START_TEST(a_hopeless_payment_is_a_dead_letter)
{
    provider.failures = 1000;
    place("A-1", 1999);
    for (int retry = 1; retry <= ORDERS_PAYMENT_RETRIES; retry++) {
        await_given_back(retry);
        mqc_embedded_advance_clock(cluster, MINUTE_MS);
    }
    await_given_back(ORDERS_PAYMENT_RETRIES + 1);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, "%DLQ%" ORDERS_GROUP), 1);
    ck_assert_int_eq(provider.paid, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("orders");
    TCase *tests = tcase_create("with an embedded cluster");
    tcase_set_timeout(tests, 2 * WAIT_S);
    tcase_add_checked_fixture(tests, open_shop, close_shop);
    tcase_add_test(tests, an_order_is_paid);
    tcase_add_test(tests, a_busy_broker_is_asked_again);
    tcase_add_test(tests, a_lost_answer_charges_nobody_twice);
    tcase_add_test(tests, an_outage_loses_no_order);
    tcase_add_test(tests, a_failed_payment_is_tried_again);
    tcase_add_test(tests, a_hopeless_payment_is_a_dead_letter);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
