/* Every allocation of a scenario fails once: the first in one run, the second in the next, until a
 * run needs no more. Each run must end with what it is for or with an error, lose no memory, and a
 * send that was said to have worked must be at the broker. The cluster is a library of its own and
 * has all the memory that it needs. */
#include <stdatomic.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

enum { TIMEOUT_MS = 5000, RUNS_MOST = 5000 };
#define TOPIC "allocations"

static mqc_embedded *cluster;
static mqc_client_options client;
static atomic_int acknowledged; /* sends that the producer says are stored */
static atomic_int called_back;
static atomic_int consumed;

/* Does all it can; MQC_OK when everything worked. */
typedef mqc_status scenario(mqc_error *error);

static mqc_status send_one(mqc_producer *producer, mqc_error *error)
{
    mqc_message *message = mqc_message_new(TOPIC, "body", 4);
    mqc_status status =
        message ? mqc_message_set_property(message, "name", "value", error) : MQC_NO_MEMORY;
    if (status == MQC_OK) status = mqc_producer_send(producer, message, NULL, NULL, error);
    if (status == MQC_OK) atomic_fetch_add(&acknowledged, 1);
    mqc_message_free(message);
    return status;
}

static mqc_status send_sync(mqc_error *error)
{
    mqc_producer_options options = {
        .client = &client, .group = "producers", .send_timeout_ms = TIMEOUT_MS};
    mqc_producer *producer = mqc_producer_new(&options, error);
    mqc_status status = producer ? mqc_producer_start(producer, error) : MQC_NO_MEMORY;
    for (int i = 0; i < 2 && status == MQC_OK; i++) status = send_one(producer, error);
    mqc_producer_free(producer);
    return status;
}

static void sent(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    atomic_int *status = arg; /* several callback threads */
    if (result)
        atomic_fetch_add(&acknowledged, 1);
    else
        atomic_store(status, (int)error->status);
    atomic_fetch_add(&called_back, 1);
}

static mqc_status send_async(mqc_error *error)
{
    mqc_producer_options options = {
        .client = &client, .group = "producers", .send_timeout_ms = TIMEOUT_MS};
    mqc_producer *producer = mqc_producer_new(&options, error);
    mqc_status status = producer ? mqc_producer_start(producer, error) : MQC_NO_MEMORY;
    atomic_int answer = MQC_OK;
    int accepted = 0;
    for (int i = 0; i < 3 && status == MQC_OK; i++) {
        mqc_message *message = mqc_message_new(TOPIC, "body", 4);
        status = message ? mqc_producer_send_async(producer, message, NULL, sent, &answer, error)
                         : MQC_NO_MEMORY;
        if (status == MQC_OK) accepted++;
        mqc_message_free(message);
    }
    mqc_producer_free(producer); /* waits for those under way */
    ck_assert_int_eq(atomic_exchange(&called_back, 0), accepted);
    return status == MQC_OK ? (mqc_status)atomic_load(&answer) : status;
}

static mqc_consume_status consume(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++)
        ck_assert_uint_eq(mqc_message_body(mqc_delivery_at(delivery, i)).size, 4);
    atomic_fetch_add(&consumed, (int)mqc_delivery_count(delivery));
    return MQC_CONSUME_SUCCESS;
}

/* Also when an allocation fails in the midst: what was sent is consumed at last. */
static mqc_status consume_what_is_there(mqc_error *error)
{
    mqc_push_consumer_options options = {.client = &client,
                                         .group = "consumers",
                                         .listener = consume,
                                         .from = MQC_FROM_FIRST,
                                         .threads = 2};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, error);
    mqc_status status =
        consumer ? mqc_push_consumer_subscribe(consumer, TOPIC, "*", error) : MQC_NO_MEMORY;
    if (status == MQC_OK) status = mqc_push_consumer_start(consumer, error);
    if (status == MQC_OK) {
        mqc_error late;
        ck_assert_msg(mqc_embedded_await_lag(cluster, "consumers", TOPIC, 0, 60000, &late) ==
                              MQC_OK ||
                          mqc_embedded_lag(cluster, "consumers", TOPIC) == 0,
                      "%s", late.text);
    }
    mqc_push_consumer_free(consumer);
    return status;
}

static void start(void)
{
    mqc_error error;
    mqc_log_set_level(MQC_LOG_OFF);
    cluster = mqc_embedded_start(NULL, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    ck_assert_int_eq(mqc_embedded_create_topic(cluster, 0, TOPIC, 2, &error), MQC_OK);
    client = (mqc_client_options){.name_servers = mqc_embedded_name_servers(cluster)};
}

static void stop(void)
{
    mqc_embedded_stop(cluster);
}

static void sweep(scenario *run)
{
    mqc_error error;
    /* What is made once for the process is made before. */
    ck_assert_int_eq(run(&error), MQC_OK);
    long live = memory_live_blocks(), nth = 0;
    bool came = true;
    for (; came && nth < RUNS_MOST;) {
        error = (mqc_error){0};
        memory_fail_once(++nth);
        mqc_status status = run(&error);
        came = memory_fail_once(0);
        ck_assert_msg(came || status == MQC_OK, "without a failure: %s", error.text);
        ck_assert_msg(memory_live_blocks() == live, "allocation %ld: %ld blocks are left", nth,
                      memory_live_blocks() - live);
        ck_assert_int_ge(mqc_embedded_message_count(cluster, TOPIC), atomic_load(&acknowledged));
    }
    ck_assert_int_lt(nth, RUNS_MOST);
}

START_TEST(test_sync_sends)
{
    sweep(send_sync);
}
END_TEST

START_TEST(test_async_sends)
{
    sweep(send_async);
}
END_TEST

START_TEST(test_push_consumer)
{
    mqc_error error;
    ck_assert_int_eq(send_sync(&error), MQC_OK);
    sweep(consume_what_is_there);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("allocations");
    TCase *tcase = tcase_create("each fails once");
    tcase_set_timeout(tcase, 240);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, test_sync_sends);
    tcase_add_test(tcase, test_async_sends);
    tcase_add_test(tcase, test_push_consumer);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(suite)
