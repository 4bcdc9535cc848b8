/* What becomes of messages that a listener holds for too long, that cannot be sent back, and of
 * workers without work: what takes minutes else is made short from inside. The cluster is a library
 * of its own, and its time stands still until a test moves it. */
#include <stdatomic.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

#include "lib/base/clock.h"
#include "lib/consumer/push_consumer.h"
#include "test/unit/unit.h"

enum { WAIT_MS = 60000, MINUTE_MS = 60000, SEND_BACK = 36, SEND_MESSAGE = 310, SYSTEM_ERROR = 1 };
#define TOPIC "held"
#define RETRY "%RETRY%g"

static mqc_embedded *cluster;
static mqc_client_options client;
static mqc_producer *producer;
static mqc_push_consumer *consumer;
static mqc_error error;
static atomic_int calls, retried; /* listener calls, and those for what was sent back */
static atomic_int refusals;       /* how often the listener is still to refuse */
static atomic_bool closed;        /* a gate for first deliveries */

#define ok(call) ck_assert_msg((call) == MQC_OK, "%s: %s", #call, error.text)

static void await(const char *what, atomic_int *count, int least)
{
    int64_t deadline_ms = clock_deadline_ms(WAIT_MS);
    while (atomic_load(count) < least) {
        ck_assert_msg(clock_now_ms() < deadline_ms, "%s: %d, not %d", what, atomic_load(count),
                      least);
        clock_sleep_until(clock_now_ms() + 2);
    }
}

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    bool again = mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)) > 0;
    atomic_fetch_add(&calls, 1);
    while (!again && atomic_load(&closed)) clock_sleep_until(clock_now_ms() + 2);
    if (again) atomic_fetch_add(&retried, 1);
    int left = atomic_load(&refusals);
    while (left > 0 && !atomic_compare_exchange_weak(&refusals, &left, left - 1)) {
    }
    return left > 0 ? MQC_RECONSUME_LATER : MQC_CONSUME_SUCCESS;
}

static void no_lines(const mqc_log_line *line, void *arg)
{
    (void)line, (void)arg;
}

static void set_up(mqc_push_consumer_options options)
{
    cluster = mqc_embedded_start(&(mqc_embedded_options){.virtual_clock = true}, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    ok(mqc_embedded_create_topic(cluster, -1, TOPIC, 1, &error));
    mqc_log_to(no_lines, NULL, MQC_LOG_ERROR);
    client = (mqc_client_options){.name_servers = mqc_embedded_name_servers(cluster),
                                  .route_refresh_ms = 100,
                                  .persist_offsets_ms = 50};
    producer = mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "p"}, &error);
    ok(mqc_producer_start(producer, &error));
    options.client = &client;
    options.group = "g";
    options.from = MQC_FROM_FIRST;
    if (!options.polled) options.listener = take;
    consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    ok(mqc_push_consumer_subscribe(consumer, TOPIC, "*", &error));
}

/* All was done, and that is committed. */
static void tear_down(void)
{
    ok(mqc_push_consumer_shutdown(consumer, WAIT_MS, &error));
    ck_assert_int_eq(mqc_embedded_lag(cluster, "g", TOPIC), 0);
    ck_assert_int_eq(mqc_embedded_lag(cluster, "g", RETRY), 0);
    mqc_push_consumer_free(consumer);
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
}

static void send_some(int count)
{
    for (int i = 0; i < count; i++) {
        mqc_message *message = mqc_message_new(TOPIC, "body", 4);
        ok(mqc_producer_send(producer, message, NULL, NULL, &error));
        mqc_message_free(message);
    }
}

/* As if its timeout were over for whatever a listener has now. */
static void let_time_out(void)
{
    consumer->options.consume_timeout_minutes = 0;
    consumer_do_later(&consumer->core, CHORE_SWEEP);
    ok(mqc_embedded_await_requests(cluster, SEND_BACK, 1, WAIT_MS, &error));
    consumer->options.consume_timeout_minutes = 15;
}

START_TEST(held_for_too_long_comes_again)
{
    set_up((mqc_push_consumer_options){.threads = 4});
    ok(mqc_push_consumer_start(consumer, &error));
    atomic_store(&closed, true);
    send_some(1);
    await("calls", &calls, 1);
    let_time_out();
    mqc_embedded_advance_clock(cluster, MINUTE_MS);
    await("calls for what was sent back", &retried, 1);
    atomic_store(&refusals, 1); /* what the first call says has no effect */
    atomic_store(&closed, false);
    tear_down();
    ck_assert_int_eq(atomic_load(&refusals), 0);
    ck_assert_int_eq(atomic_load(&calls), 2);
}
END_TEST

static mqc_delivery *poll_one(void)
{
    mqc_delivery *delivery;
    ok(mqc_push_consumer_poll(consumer, WAIT_MS, &delivery, &error));
    ck_assert_ptr_nonnull(delivery);
    return delivery;
}

START_TEST(polled_and_not_finished_comes_again)
{
    set_up((mqc_push_consumer_options){.polled = true});
    ok(mqc_push_consumer_start(consumer, &error));
    send_some(1);
    mqc_delivery *first = poll_one();
    let_time_out();
    mqc_embedded_advance_clock(cluster, MINUTE_MS);
    mqc_delivery *second = poll_one();
    ck_assert_int_eq(mqc_message_reconsume_times(mqc_delivery_at(second, 0)), 1);
    ok(mqc_delivery_finish(second, MQC_CONSUME_SUCCESS, &error));
    ok(mqc_delivery_finish(first, MQC_RECONSUME_LATER, &error)); /* has no effect */
    tear_down();
}
END_TEST

static void refuse_sending_back(int *back, int *copies)
{
    mqc_embedded_fault fault = {
        .kind = MQC_FAULT_ANSWER, .value = SYSTEM_ERROR, .request_code = SEND_BACK};
    ok(mqc_embedded_add_fault(cluster, &fault, back, &error));
    fault.request_code = SEND_MESSAGE;
    fault.topic = RETRY;
    ok(mqc_embedded_add_fault(cluster, &fault, copies, &error));
}

/* The broker takes neither the message back nor its copy: it stays here, is delivered again here,
 * and the offset waits for it. */
START_TEST(what_cannot_be_sent_back_is_kept)
{
    int back, copies;
    set_up((mqc_push_consumer_options){0});
    consumer->again_ms = 20;
    refuse_sending_back(&back, &copies);
    ok(mqc_push_consumer_start(consumer, &error));
    atomic_store(&refusals, 3);
    send_some(1);
    await("calls", &calls, 3); /* all of them here */
    ck_assert_int_le(mqc_embedded_consumer_offset(cluster, "g", TOPIC, 0, 0), 0);
    ck_assert_int_ge(mqc_embedded_request_count(cluster, SEND_BACK), 2);
    await("calls", &calls, 4);
    ck_assert_int_eq(mqc_embedded_message_count(cluster, RETRY), 0);
    tear_down();
    ck_assert_int_eq(atomic_load(&calls), 4);
}
END_TEST

START_TEST(sending_back_is_tried_again)
{
    int back, copies;
    set_up((mqc_push_consumer_options){0});
    consumer->again_ms = 20;
    refuse_sending_back(&back, &copies);
    ok(mqc_push_consumer_start(consumer, &error));
    atomic_store(&refusals, 1000);
    send_some(1);
    await("calls", &calls, 2);
    int64_t before = mqc_embedded_request_count(cluster, SEND_MESSAGE);
    ck_assert(mqc_embedded_clear_fault(cluster, copies)); /* the copy works from now on */
    ok(mqc_embedded_await_requests(cluster, SEND_MESSAGE, before + 1, WAIT_MS, &error));
    int64_t deadline_ms = clock_deadline_ms(WAIT_MS);
    while (mqc_embedded_message_count(cluster, "SCHEDULE_TOPIC_XXXX") +
               mqc_embedded_message_count(cluster, RETRY) ==
           0)
        ck_assert_int_lt(clock_now_ms(), deadline_ms);
    atomic_store(&refusals, 0);
    mqc_embedded_advance_clock(cluster, 130 * MINUTE_MS);
    ck_assert_int_ge(mqc_embedded_message_count(cluster, RETRY), 1);
    ok(mqc_embedded_await_lag(cluster, "g", RETRY, 0, WAIT_MS, &error));
    tear_down();
}
END_TEST

/* A shutdown while a message could not be sent back: it is not committed, and comes to the next. */
START_TEST(kept_messages_survive_a_shutdown)
{
    int back, copies;
    set_up((mqc_push_consumer_options){0});
    refuse_sending_back(&back, &copies);
    ok(mqc_push_consumer_start(consumer, &error));
    atomic_store(&refusals, 1);
    send_some(2);
    await("calls", &calls, 2); /* one is refused and waits here, the other is done */
    ok(mqc_push_consumer_shutdown(consumer, WAIT_MS, &error));
    mqc_push_consumer_free(consumer);
    ck_assert_int_ge(mqc_embedded_lag(cluster, "g", TOPIC), 1);
    mqc_embedded_clear_faults(cluster);
    mqc_push_consumer_options options = {
        .client = &client, .group = "g", .listener = take, .from = MQC_FROM_FIRST};
    consumer = mqc_push_consumer_new(&options, &error);
    ok(mqc_push_consumer_subscribe(consumer, TOPIC, "*", &error));
    ok(mqc_push_consumer_start(consumer, &error));
    ok(mqc_embedded_await_lag(cluster, "g", TOPIC, 0, WAIT_MS, &error));
    tear_down();
    ck_assert_int_ge(atomic_load(&calls), 3);
}
END_TEST

START_TEST(workers_come_and_go)
{
    enum { MOST = 5, LEAST = 2 };
    set_up((mqc_push_consumer_options){.threads = MOST, .threads_min = LEAST});
    consume_workers_set_idle_ms(consumer->workers, 50);
    ok(mqc_push_consumer_start(consumer, &error));
    ck_assert_int_le(consume_workers_count(consumer->workers), 1); /* none is needed yet */
    atomic_store(&closed, true);
    send_some(2 * MOST);
    await("calls", &calls, MOST);
    ck_assert_int_eq(consume_workers_count(consumer->workers), MOST);
    ck_assert_int_eq(consume_workers_busy(consumer->workers), MOST);
    atomic_store(&closed, false);
    await("calls", &calls, 2 * MOST);
    int64_t deadline_ms = clock_deadline_ms(WAIT_MS);
    while (consume_workers_count(consumer->workers) > LEAST) {
        ck_assert_int_lt(clock_now_ms(), deadline_ms);
        clock_sleep_until(clock_now_ms() + 2);
    }
    send_some(1);
    await("calls", &calls, 2 * MOST + 1);
    ck_assert_int_ge(consume_workers_count(consumer->workers), LEAST);
    tear_down();
}
END_TEST

static Suite *suite(void)
{
    Suite *made = suite_create("delivery");
    TCase *tests = tcase_create("failures");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, held_for_too_long_comes_again);
    tcase_add_test(tests, polled_and_not_finished_comes_again);
    tcase_add_test(tests, what_cannot_be_sent_back_is_kept);
    tcase_add_test(tests, sending_back_is_tried_again);
    tcase_add_test(tests, kept_messages_survive_a_shutdown);
    tcase_add_test(tests, workers_come_and_go);
    suite_add_tcase(made, tests);
    return made;
}

TEST_MAIN(suite)
