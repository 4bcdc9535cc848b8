/* A push consumer without a listener, driven by the application's own loop: a descriptor, polls,
 * and verdicts that come later, from any thread. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#include "test/contract/contract.h"

enum { MESSAGES = 60, ONE_SECOND_LEVEL = 1 };

static mqc_producer *producer;
static const char *topic, *group;

static void begin(void)
{
    producer = contract_producer(NULL);
    topic = contract_topic(2);
    group = contract_name("group");
}

static mqc_push_consumer *start_polled(const mqc_push_consumer_options *more)
{
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = {0};
    client.route_refresh_ms = 200; /* the retry topic is found soon */
    if (more) options = *more;
    options.client = &client;
    options.group = group;
    options.from = MQC_FROM_FIRST;
    options.polled = true;
    return contract_consumer(&options, topic, "*");
}

static mqc_delivery *poll_one(mqc_push_consumer *consumer)
{
    mqc_error error;
    mqc_delivery *delivery = NULL;
    int slice_ms = contract_slice_ms();
    for (int left_ms = CONTRACT_WAIT_MS; !delivery && left_ms > 0; left_ms -= slice_ms) {
        ck_ok(mqc_push_consumer_poll(consumer, slice_ms, &delivery, &error));
        if (!delivery) contract_slice_over();
    }
    ck_assert_ptr_nonnull(delivery);
    return delivery;
}

static void expect(mqc_push_consumer *consumer, const char *body, mqc_consume_status status)
{
    mqc_error error;
    mqc_delivery *delivery = poll_one(consumer);
    mqc_view view = mqc_message_body(mqc_delivery_at(delivery, 0));
    ck_assert_msg(contract_text_is(mqc_delivery_at(delivery, 0), body), "'%.*s' came",
                  (int)view.size, (const char *)view.data);
    mqc_delivery_retry_level(delivery, ONE_SECOND_LEVEL);
    ck_ok(mqc_delivery_finish(delivery, status, &error));
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    ck_assert_int_ge(poll(&one, 1, timeout_ms), 0);
    return (one.revents & POLLIN) != 0;
}

START_TEST(test_loop_over_a_descriptor)
{
    mqc_error error;
    int count = 0;
    begin();
    mqc_push_consumer *consumer = start_polled(NULL);
    int fd = mqc_push_consumer_fd(consumer, &error);
    ck_assert_int_ge(fd, 0);
    ck_assert(!is_readable(fd, 0));
    contract_send_many(producer, topic, "message ", MESSAGES);
    while (count < MESSAGES) {
        ck_assert(is_readable(fd, CONTRACT_WAIT_MS));
        for (;;) {
            mqc_delivery *delivery;
            ck_ok(mqc_push_consumer_poll(consumer, 0, &delivery, &error));
            if (!delivery) break;
            count += (int)mqc_delivery_count(delivery);
            ck_ok(mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error));
        }
    }
    ck_assert_int_eq(count, MESSAGES);
    ck_assert(!is_readable(fd, 0));
    contract_consumer_end(consumer);
    /* All of it was committed: the next one gets what is new. */
    contract_send(producer, topic, "next");
    consumer = start_polled(NULL);
    expect(consumer, "next", MQC_CONSUME_SUCCESS);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_refused_delivery_comes_again)
{
    begin();
    contract_hurry();
    mqc_push_consumer *consumer = start_polled(NULL);
    contract_send(producer, topic, "refused");
    expect(consumer, "refused", MQC_RECONSUME_LATER);
    mqc_delivery *delivery = poll_one(consumer);
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    ck_assert(contract_text_is(message, "refused"));
    ck_assert_int_eq(mqc_message_reconsume_times(message), 1);
    ck_assert_str_eq(mqc_message_topic(message), topic);
    mqc_delivery_retry_level(delivery, ONE_SECOND_LEVEL);
    mqc_delivery_free(delivery); /* as a refusal */
    delivery = poll_one(consumer);
    ck_assert_int_eq(mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)), 2);
    mqc_error error;
    ck_ok(mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error));
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_batch_done_in_part)
{
    mqc_error error;
    begin();
    contract_hurry();
    contract_send_many(producer, topic, "message ", 8);
    mqc_push_consumer_options options = {.listener_batch = 8, .pull_batch = 8};
    mqc_push_consumer *consumer = start_polled(&options);
    int first = 0, again = 0;
    while (first + again < 8 || again == 0 || first < 8) {
        mqc_delivery *delivery = poll_one(consumer);
        size_t count = mqc_delivery_count(delivery);
        bool retried = mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)) > 0;
        if (retried) {
            again += (int)count;
        } else {
            first += (int)count;
            mqc_delivery_done(delivery, count - 1); /* all but the last */
            mqc_delivery_retry_level(delivery, ONE_SECOND_LEVEL);
        }
        ck_ok(mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error));
    }
    ck_assert_int_eq(first, 8);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- later, elsewhere ---- */

static void *finish_elsewhere(void *arg)
{
    mqc_error error;
    mqc_delivery **deliveries = arg;
    for (int i = MESSAGES - 1; i >= 0; i--)
        ck_ok(mqc_delivery_finish(deliveries[i], MQC_CONSUME_SUCCESS, &error));
    return NULL;
}

START_TEST(test_finished_later_by_another_thread)
{
    pthread_t thread;
    mqc_delivery *deliveries[MESSAGES];
    begin();
    mqc_push_consumer *consumer = start_polled(NULL);
    contract_send_many(producer, topic, "message ", MESSAGES);
    for (int i = 0; i < MESSAGES; i++) deliveries[i] = poll_one(consumer);
    ck_assert_int_eq(pthread_create(&thread, NULL, finish_elsewhere, deliveries), 0);
    contract_consumer_end(consumer); /* waits for them */
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    contract_send(producer, topic, "next");
    consumer = start_polled(NULL);
    expect(consumer, "next", MQC_CONSUME_SUCCESS);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

static void *consume_some(void *arg)
{
    mqc_error error;
    mqc_delivery *delivery;
    mqc_status status;
    intptr_t count = 0;
    while ((status = mqc_push_consumer_poll(arg, -1, &delivery, &error)) == MQC_OK) {
        count++;
        ck_ok(mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error));
    }
    ck_assert(status == MQC_CANCELLED || status == MQC_WRONG_STATE);
    return (void *)count;
}

static bool all_done(void *arg)
{
    if (!contract_embedded()) {
        mqc_error error;
        mqc_pull_consumer *puller = arg;
        int64_t done = 0;
        for (int i = 0; i < 2; i++) {
            mqc_message_queue queue = contract_queue(topic, i);
            int64_t offset;
            ck_ok(mqc_pull_consumer_fetch_offset(puller, &queue, &offset, &error));
            if (offset > 0) done += offset;
        }
        return done == MESSAGES;
    }
    return mqc_embedded_lag(contract_embedded(), group, topic) == 0;
}

START_TEST(test_several_threads_poll)
{
    mqc_error error;
    pthread_t threads[3];
    intptr_t sum = 0;
    begin();
    contract_send_many(producer, topic, "message ", MESSAGES);
    mqc_client_options client = contract_client();
    client.persist_offsets_ms = 50;
    mqc_push_consumer_options options = {
        .client = &client, .group = group, .from = MQC_FROM_FIRST, .polled = true};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    mqc_pull_consumer *puller = mqc_pull_consumer_new(
        &(mqc_pull_consumer_options){.client = &client, .group = group}, &error);
    ck_assert_ptr_nonnull(puller);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, consume_some, consumer), 0);
    contract_await("all is done and committed", all_done, puller);
    ck_ok(mqc_push_consumer_shutdown(consumer, CONTRACT_WAIT_MS, &error));
    for (int i = 0; i < 3; i++) {
        void *count;
        ck_assert_int_eq(pthread_join(threads[i], &count), 0);
        sum += (intptr_t)count;
    }
    ck_assert_int_eq(sum, MESSAGES);
    mqc_push_consumer_free(consumer);
    mqc_pull_consumer_free(puller);
    mqc_producer_free(producer);
}
END_TEST

/* ---- pausing ---- */

START_TEST(test_polled_and_paused)
{
    mqc_error error;
    mqc_delivery *delivery;
    begin();
    mqc_push_consumer *consumer = start_polled(NULL);
    int fd = mqc_push_consumer_fd(consumer, &error);
    contract_send(producer, topic, "first");
    ck_assert(is_readable(fd, CONTRACT_WAIT_MS));
    ck_ok(mqc_push_consumer_pause(consumer, &error));
    ck_assert(!is_readable(fd, 0));
    ck_ok(mqc_push_consumer_poll(consumer, 0, &delivery, &error));
    ck_assert_ptr_null(delivery);
    ck_ok(mqc_push_consumer_resume(consumer, &error));
    ck_assert(is_readable(fd, 0));
    expect(consumer, "first", MQC_CONSUME_SUCCESS);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* ---- the end ---- */

START_TEST(test_deliveries_out_at_the_end)
{
    mqc_error error;
    begin();
    mqc_push_consumer *consumer = start_polled(NULL);
    int fd = mqc_push_consumer_fd(consumer, &error);
    contract_send(producer, topic, "out");
    mqc_delivery *delivery = poll_one(consumer);
    ck_fails(mqc_push_consumer_shutdown(consumer, 10, &error), MQC_TIMEOUT,
             "1 polled delivery is not finished");
    ck_assert(is_readable(fd, 0)); /* loops find out */
    mqc_push_consumer_free(consumer);
    /* It is still there, and finishing it has no effect: it comes again. */
    ck_assert(contract_text_is(mqc_delivery_at(delivery, 0), "out"));
    ck_assert_str_eq(mqc_delivery_queue(delivery).topic, topic);
    ck_ok(mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error));
    consumer = start_polled(NULL);
    expect(consumer, "out", MQC_CONSUME_SUCCESS);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

/* What was refused and not given back yet, and what was never polled, come again too. */
START_TEST(test_not_polled_at_the_end)
{
    mqc_error error;
    begin();
    contract_send_many(producer, topic, "message ", 4);
    mqc_push_consumer *consumer = start_polled(NULL);
    mqc_delivery *delivery = poll_one(consumer);
    ck_ok(mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error));
    contract_consumer_end(consumer);
    consumer = start_polled(NULL);
    for (int i = 0; i < 3; i++)
        ck_ok(mqc_delivery_finish(poll_one(consumer), MQC_CONSUME_SUCCESS, &error));
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
}
END_TEST

static mqc_consume_status listen(mqc_delivery *delivery, void *arg)
{
    mqc_error error;
    ck_fails(mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error), MQC_WRONG_STATE,
             "return the status instead");
    __atomic_store_n((bool *)arg, true, __ATOMIC_SEQ_CST);
    return MQC_CONSUME_SUCCESS;
}

static bool is_set(void *arg)
{
    return __atomic_load_n((bool *)arg, __ATOMIC_SEQ_CST);
}

START_TEST(test_bad_polls)
{
    mqc_error error;
    mqc_delivery *delivery;
    bool heard = false;
    begin();
    mqc_push_consumer_options options = {
        .group = group, .listener = listen, .listener_arg = &heard, .from = MQC_FROM_FIRST};
    mqc_push_consumer *listening = contract_consumer(&options, topic, "*");
    ck_fails(mqc_push_consumer_poll(listening, 0, &delivery, &error), MQC_WRONG_STATE,
             "has a listener");
    ck_assert_int_eq(mqc_push_consumer_fd(listening, &error), -1);
    ck_assert_int_eq(error.status, MQC_WRONG_STATE);
    contract_send(producer, topic, "heard");
    contract_await("the listener was called", is_set, &heard);
    contract_consumer_end(listening);
    mqc_push_consumer *consumer = start_polled(NULL);
    ck_fails(mqc_push_consumer_poll(consumer, 0, NULL, &error), MQC_BAD_ARGUMENT,
             "delivery is NULL");
    ck_fails(mqc_push_consumer_poll(NULL, 0, &delivery, &error), MQC_BAD_ARGUMENT,
             "the push consumer is NULL");
    ck_assert_int_eq(mqc_push_consumer_fd(NULL, &error), -1);
    ck_fails(mqc_delivery_finish(NULL, MQC_CONSUME_SUCCESS, &error), MQC_BAD_ARGUMENT, "NULL");
    ck_ok(mqc_push_consumer_shutdown(consumer, CONTRACT_WAIT_MS, &error));
    ck_fails(mqc_push_consumer_poll(consumer, 0, &delivery, &error), MQC_WRONG_STATE,
             "mqc_push_consumer_poll before that");
    mqc_push_consumer_free(consumer);
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("polled", test_loop_over_a_descriptor, test_refused_delivery_comes_again,
              test_batch_done_in_part, test_finished_later_by_another_thread,
              test_several_threads_poll, test_polled_and_paused, test_deliveries_out_at_the_end,
              test_not_polled_at_the_end, test_bad_polls)
