/* Tests of lib/producer/transaction_check.c: the line in which checks wait, on a producer whose
 * brokers are nowhere. */
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/producer/producer_private.h"
#include "test/unit/services/latch.h"
#include "test/unit/unit.h"

/* A listener that waits until it is let go on. */
static struct latch entered, gate;
static atomic_int calls, together, most_together;
static mqc_error error;

static mqc_transaction_state slow(const mqc_transaction *transaction, void *arg)
{
    (void)arg;
    ck_assert_ptr_nonnull(transaction->message);
    int now = atomic_fetch_add(&together, 1) + 1;
    if (now > atomic_load(&most_together)) atomic_store(&most_together, now);
    atomic_fetch_add(&calls, 1);
    latch_raise(&entered);
    latch_wait(&gate, 1);
    atomic_fetch_sub(&together, 1);
    return MQC_TRANSACTION_UNKNOWN;
}

static const char *dead_address(void)
{
    static char text[32];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(address.sin_port));
    return text;
}

static mqc_producer *make_producer(void)
{
    mqc_client_options client = {.name_servers = dead_address(), .callback_threads = 4};
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "g"}, &error);
    ck_assert_ptr_nonnull(producer);
    ck_assert_int_eq(mqc_producer_on_check(producer, slow, NULL, &error), MQC_OK);
    latch_init(&entered);
    latch_init(&gate);
    return producer;
}

static void check(mqc_producer *producer, int number)
{
    struct transaction_check *check = memory_allocate_zero(1, sizeof *check);
    list_init(&check->link);
    check->message = mqc_message_new("topic", "half", 4);
    snprintf(check->address, sizeof check->address, "%s", dead_address());
    snprintf(check->transaction_id, sizeof check->transaction_id, "t%d", number);
    transaction_check_take(&producer->role, check);
}

static size_t waiting(mqc_producer *producer)
{
    lock_take(&producer->transactions.lock);
    size_t count = producer->transactions.check_count;
    lock_release(&producer->transactions.lock);
    return count;
}

/* One runs, so many wait, the others are dropped; and a shutdown waits for the one alone. */
START_TEST(no_more_than_so_many_wait)
{
    mqc_producer *producer = make_producer();
    ck_assert_int_eq(mqc_producer_start(producer, &error), MQC_OK);
    mqc_producer_free(producer); /* what is kept for the process's life is there */
    long before = memory_live_blocks();
    producer = make_producer();
    ck_assert_int_eq(mqc_producer_start(producer, &error), MQC_OK);
    check(producer, 0);
    latch_wait(&entered, 1);
    ck_assert_uint_eq(waiting(producer), 0);
    for (int i = 1; i <= TRANSACTION_CHECKS_MOST; i++) check(producer, i);
    ck_assert_uint_eq(waiting(producer), TRANSACTION_CHECKS_MOST);
    for (int i = 0; i < 10; i++) check(producer, 10000 + i);
    ck_assert_uint_eq(waiting(producer), TRANSACTION_CHECKS_MOST);
    ck_assert_int_eq(mqc_producer_shutdown(producer, 0, &error), MQC_TIMEOUT);
    ck_assert_msg(strstr(error.text, "1 calls") != NULL, "%s", error.text);
    check(producer, 20000); /* dropped: it is being shut down */
    latch_raise(&gate);
    ck_assert_int_eq(mqc_producer_shutdown(producer, 60000, &error), MQC_OK);
    ck_assert_int_eq(atomic_load(&calls), 1);
    mqc_producer_free(producer);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(one_at_a_time_and_each_once)
{
    enum { CHECKS = 30 };
    mqc_producer *producer = make_producer();
    ck_assert_int_eq(mqc_producer_start(producer, &error), MQC_OK);
    latch_raise(&gate);
    for (int i = 0; i < CHECKS; i++) check(producer, i);
    /* The drain waits for those that stand in line. */
    ck_assert_int_eq(mqc_producer_shutdown(producer, 60000, &error), MQC_OK);
    ck_assert_int_eq(atomic_load(&calls), CHECKS);
    ck_assert_int_eq(atomic_load(&most_together), 1);
    mqc_producer_free(producer);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("producer/transaction_check");
    UNIT_CASE(suite, "line", no_more_than_so_many_wait, one_at_a_time_and_each_once);
    return suite;
}

TEST_MAIN(suite)
