/* How many allocations messages cost, on an embedded cluster: a library of its own, whose memory is
 * not counted. What else the client does meanwhile (heartbeats, a rebalance) allocates too: there
 * is room for that, but none for one allocation more a message. */
#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

enum { MESSAGES = 1280, PULL = 32, SENDS = 500, ROOM_PERCENT = 25 };

static mqc_embedded *cluster;
static mqc_client_options client;
static mqc_producer *producer;
static mqc_error error;
static sem_t done;
static atomic_int left;
static long first, last; /* allocations at the first and the last listener call */

static void ok(mqc_status status)
{
    ck_assert_msg(status == MQC_OK, "%s", error.text);
}

static void set_up(void)
{
    mqc_log_set_level(MQC_LOG_OFF);
    memory_allocations();
    sem_init(&done, 0, 0);
    cluster = mqc_embedded_start(NULL, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    ok(mqc_embedded_create_topic(cluster, 0, "t", 1, &error));
    client = (mqc_client_options){.name_servers = mqc_embedded_name_servers(cluster)};
    producer = mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "p"}, &error);
    ck_assert_ptr_nonnull(producer);
    ok(mqc_producer_start(producer, &error));
}

static void tear_down(void)
{
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
    sem_destroy(&done);
}

static void wait_done(void)
{
    while (sem_wait(&done) != 0) {
    }
}

/* ---- consuming ---- */

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    ck_assert_uint_eq(mqc_message_body(mqc_delivery_at(delivery, 0)).size, 100);
    int before = atomic_fetch_sub(&left, 1);
    if (before == MESSAGES) first = memory_allocations();
    if (before == 1) {
        last = memory_allocations();
        sem_post(&done);
    }
    return MQC_CONSUME_SUCCESS;
}

/* Allocations from the first message's listener call to the last one's. */
static long consume(const char *group, int pull)
{
    atomic_store(&left, MESSAGES);
    mqc_push_consumer *consumer =
        mqc_push_consumer_new(&(mqc_push_consumer_options){.client = &client,
                                                           .group = group,
                                                           .from = MQC_FROM_FIRST,
                                                           .threads = 1,
                                                           .pull_batch = pull,
                                                           .listener = take},
                              &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    ok(mqc_push_consumer_subscribe(consumer, "t", "*", &error));
    ok(mqc_push_consumer_start(consumer, &error));
    wait_done();
    mqc_push_consumer_free(consumer);
    return last - first;
}

START_TEST(pulled_messages_cost_none)
{
    char body[100] = {0};
    for (int i = 0; i < MESSAGES; i++) {
        mqc_message *message = mqc_message_new("t", body, sizeof body);
        ok(mqc_producer_send(producer, message, NULL, NULL, &error));
        mqc_message_free(message);
    }
    long of_many = consume("many", PULL), of_one = consume("one", 1);
    printf("allocations: %ld in pulls of %d messages, %ld in pulls of one\n", of_many, PULL,
           of_one);
    ck_assert_int_lt(of_many, MESSAGES * ROOM_PERCENT / 100);
}
END_TEST

/* ---- sending ---- */

static mqc_status send_sync(mqc_message *message)
{
    return mqc_producer_send(producer, message, NULL, NULL, &error);
}

static mqc_status send_oneway(mqc_message *message)
{
    return mqc_producer_send_oneway(producer, message, NULL, &error);
}

static void answered(const mqc_send_result *result, const mqc_error *failure, void *arg)
{
    (void)failure, (void)arg;
    ck_assert_ptr_nonnull(result);
    sem_post(&done);
}

static mqc_status send_async(mqc_message *message)
{
    mqc_status status = mqc_producer_send_async(producer, message, NULL, answered, NULL, &error);
    if (status == MQC_OK) wait_done();
    return status;
}

/* What SENDS sends allocate beside the one message, after some that warm up. */
static long count(mqc_status (*send)(mqc_message *message))
{
    char body[100] = {0};
    mqc_message *message = mqc_message_new("t", body, sizeof body);
    long before = 0;
    for (int i = -10; i < SENDS; i++) {
        if (i == 0) before = memory_allocations();
        ok(send(message));
    }
    long after = memory_allocations();
    mqc_message_free(message);
    return after - before;
}

START_TEST(sends_cost_one_at_most)
{
    long sync = count(send_sync), async = count(send_async), oneway = count(send_oneway);
    printf("allocations of %d sends: %ld sync, %ld async, %ld oneway\n", SENDS, sync, async,
           oneway);
    ck_assert_int_lt(sync, SENDS + SENDS * ROOM_PERCENT / 100); /* the answer */
    /* None, but for those whose callback was quicker than their return: their records are not kept,
     * and how many that are is the machine's doing. */
    ck_assert_int_lt(async, SENDS + SENDS * ROOM_PERCENT / 100);
    ck_assert_int_lt(oneway, SENDS * ROOM_PERCENT / 100);
}
END_TEST

static Suite *suite(void)
{
    Suite *made = suite_create("memory");
    TCase *tests = tcase_create("allocations");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, pulled_messages_cost_none);
    tcase_add_test(tests, sends_cost_one_at_most);
    suite_add_tcase(made, tests);
    return made;
}

TEST_MAIN(suite)
