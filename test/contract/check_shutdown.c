/* What a shutdown promises: to whom it answers, for whom it waits, and where it cannot be called.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "test/contract/collector.h"

static mqc_message *new_message(const char *topic)
{
    mqc_message *message = mqc_message_new(topic, "body", 4);
    ck_assert_ptr_nonnull(message);
    return message;
}

/* ---- not from a callback ---- */

struct inside {
    mqc_producer *producer;
    mqc_push_consumer *consumer;
    mqc_status producer_status, consumer_status;
    atomic_bool done;
};

static void shut_down_producer(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct inside *inside = arg;
    (void)result;
    (void)error;
    inside->producer_status = mqc_producer_shutdown(inside->producer, 100, NULL);
    atomic_store(&inside->done, true);
}

static mqc_consume_status shut_down_consumer(mqc_delivery *delivery, void *arg)
{
    struct inside *inside = arg;
    (void)delivery;
    inside->consumer_status = mqc_push_consumer_shutdown(inside->consumer, 100, NULL);
    return MQC_CONSUME_SUCCESS;
}

static bool is_done(void *arg)
{
    return atomic_load(&((struct inside *)arg)->done);
}

START_TEST(test_no_shutdown_in_a_callback)
{
    mqc_error error;
    static struct inside inside;
    const char *topic = contract_topic(1);
    inside.producer = contract_producer(NULL);
    mqc_message *message = new_message(topic);
    ck_ok(mqc_producer_send_async(inside.producer, message, NULL, shut_down_producer, &inside,
                                  &error));
    contract_await("the callback", is_done, &inside);
    ck_assert_int_eq(inside.producer_status, MQC_WRONG_STATE);
    ck_ok(mqc_producer_send(inside.producer, message, NULL, NULL, &error));
    mqc_message_free(message);
    mqc_producer_free(inside.producer);
}
END_TEST

START_TEST(test_no_shutdown_in_a_listener)
{
    mqc_error error;
    static struct inside inside;
    const char *topic = contract_topic(1);
    struct collector *collector = collector_new_judging(shut_down_consumer, &inside);
    mqc_client_options client = contract_client();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    inside.consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_ptr_nonnull(inside.consumer);
    ck_ok(mqc_push_consumer_subscribe(inside.consumer, topic, "*", &error));
    ck_ok(mqc_push_consumer_start(inside.consumer, &error));
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, topic, "first");
    collector_await(collector, 1);
    contract_send(producer, topic, "second");
    collector_await_body(collector, "second"); /* it has gone on */
    contract_consumer_end(inside.consumer);
    ck_assert_int_eq(inside.consumer_status, MQC_WRONG_STATE);
    mqc_producer_free(producer);
    collector_free(collector);
}
END_TEST

/* ---- what a shutdown promises ---- */

struct outcomes {
    atomic_int calls, sent, cancelled, others;
};

static void count_outcome(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct outcomes *outcomes = arg;
    atomic_fetch_add(result                           ? &outcomes->sent
                     : error->status == MQC_CANCELLED ? &outcomes->cancelled
                                                      : &outcomes->others,
                     1);
    atomic_fetch_add(&outcomes->calls, 1);
}

static void shut_down_amid_sends(int drain_ms, struct outcomes *outcomes)
{
    enum { COUNT = 300 };
    mqc_error error;
    const char *topic = contract_topic(4);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = new_message(topic);
    for (int i = 0; i < COUNT; i++)
        ck_ok(mqc_producer_send_async(producer, message, NULL, count_outcome, outcomes, &error));
    ck_ok(mqc_producer_shutdown(producer, drain_ms, &error));
    ck_assert_int_eq(atomic_load(&outcomes->calls), COUNT);
    ck_assert_int_eq(atomic_load(&outcomes->others), 0);
    mqc_producer_free(producer);
    ck_assert_int_eq(atomic_load(&outcomes->calls), COUNT);
    mqc_message_free(message);
}

START_TEST(test_shutdown_lets_sends_finish)
{
    static struct outcomes outcomes;
    shut_down_amid_sends(CONTRACT_WAIT_MS, &outcomes);
    ck_assert_int_eq(atomic_load(&outcomes.cancelled), 0);
}
END_TEST

START_TEST(test_shutdown_without_drain_answers_all)
{
    static struct outcomes outcomes;
    shut_down_amid_sends(0, &outcomes);
}
END_TEST

/* A listener that waits until it is let go. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool entered, open, left;
};

static mqc_consume_status wait_at_gate(mqc_delivery *delivery, void *arg)
{
    struct gate *gate = arg;
    (void)delivery;
    pthread_mutex_lock(&gate->lock);
    gate->entered = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open) pthread_cond_wait(&gate->changed, &gate->lock);
    gate->left = true;
    pthread_mutex_unlock(&gate->lock);
    return MQC_CONSUME_SUCCESS;
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static bool somebody_waits(void *arg)
{
    struct gate *gate = arg;
    pthread_mutex_lock(&gate->lock);
    bool entered = gate->entered;
    pthread_mutex_unlock(&gate->lock);
    return entered;
}

static mqc_push_consumer *consumer_at_gate(struct gate *gate)
{
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, topic, "body");
    mqc_producer_free(producer);
    mqc_push_consumer_options options = {.group = contract_name("group"),
                                         .listener = wait_at_gate,
                                         .listener_arg = gate,
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    contract_await("a listener", somebody_waits, gate);
    return consumer;
}

static void *open_gate_thread(void *gate)
{
    open_gate(gate);
    return NULL;
}

START_TEST(test_shutdown_waits_for_listeners)
{
    mqc_error error;
    pthread_t thread;
    static struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER};
    mqc_push_consumer *consumer = consumer_at_gate(&gate);
    ck_assert_int_eq(pthread_create(&thread, NULL, open_gate_thread, &gate), 0);
    ck_ok(mqc_push_consumer_shutdown(consumer, CONTRACT_WAIT_MS, &error));
    ck_assert(gate.left);
    pthread_join(thread, NULL);
    mqc_push_consumer_free(consumer);
}
END_TEST

START_TEST(test_shutdown_says_whom_it_left)
{
    mqc_error error;
    static struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER};
    mqc_push_consumer *consumer = consumer_at_gate(&gate);
    ck_fails(mqc_push_consumer_shutdown(consumer, 50, &error), MQC_TIMEOUT, "1 ", "listener");
    open_gate(&gate);
    mqc_push_consumer_free(consumer); /* waits for it */
    ck_assert(gate.left);
}
END_TEST

/* ---- two at once ---- */

struct closer {
    mqc_producer *producer;
    mqc_push_consumer *consumer;
    mqc_status producer_status, consumer_status;
};

static void *close_both(void *arg)
{
    struct closer *closer = arg;
    closer->producer_status = mqc_producer_shutdown(closer->producer, CONTRACT_WAIT_MS, NULL);
    closer->consumer_status = mqc_push_consumer_shutdown(closer->consumer, CONTRACT_WAIT_MS, NULL);
    return NULL;
}

START_TEST(test_shutdown_by_two_threads)
{
    enum { CLOSERS = 4 };
    struct collector *collector = collector_new();
    pthread_t threads[CLOSERS];
    struct closer closers[CLOSERS];
    mqc_producer *producer = contract_producer(NULL);
    mqc_push_consumer_options options = {.group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0)};
    mqc_push_consumer *consumer = contract_consumer(&options, contract_topic(1), "*");
    for (int i = 0; i < CLOSERS; i++) {
        closers[i] = (struct closer){.producer = producer, .consumer = consumer};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, close_both, &closers[i]), 0);
    }
    for (int i = 0; i < CLOSERS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(closers[i].producer_status, MQC_OK);
        ck_assert_int_eq(closers[i].consumer_status, MQC_OK);
    }
    mqc_producer_free(producer);
    mqc_push_consumer_free(consumer);
    collector_free(collector);
}
END_TEST

/* ---- a heartbeat that is still under way ---- */

enum { HEART_BEAT = 34, UNREGISTER_CLIENT = 35, HEARTBEAT_MS = 100 };

static bool note_time(const mqc_embedded_request *request, void *arg)
{
    *(int64_t *)arg = request->unix_ms;
    return true;
}

static int64_t time_of_last(int code)
{
    int64_t unix_ms = -1;
    mqc_embedded_each_request(contract_embedded(), code, 0, note_time, &unix_ms);
    return unix_ms;
}

/* Brokers have heartbeats and farewells in different thread pools: the farewell must wait, or the
 * group would have a ghost among its members, whose queues nobody consumes for two minutes. */
START_TEST(test_no_ghost_when_leaving_amid_a_heartbeat)
{
    mqc_error error;
    const char *topic = contract_topic(2), *group = contract_name("group");
    mqc_embedded_fault slow = {
        .kind = MQC_FAULT_DELAY, .value = HEARTBEAT_MS, .request_code = HEART_BEAT};
    struct collector *collector = collector_new();
    mqc_push_consumer_options options = {.group = group,
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    if (contract_embedded())
        ck_ok(mqc_embedded_add_fault(contract_embedded(), &slow, NULL, &error));
    ck_ok(mqc_push_consumer_subscribe(consumer, topic, "a", &error)); /* tells the brokers */
    contract_consumer_end(consumer);
    /* Two clocks that are both cut to whole milliseconds: hence one less. */
    if (contract_embedded())
        ck_assert_int_ge(time_of_last(UNREGISTER_CLIENT),
                         time_of_last(HEART_BEAT) + HEARTBEAT_MS - 1);
    consumer = contract_consumer(&options, topic, "*");
    mqc_producer *producer = contract_producer(NULL);
    for (int i = 0; i < 2; i++) {
        mqc_message_queue queue = contract_queue(topic, i);
        contract_send_to(producer, &queue, i == 0 ? "first queue" : "second queue");
    }
    collector_await_body(collector, "first queue");
    collector_await_body(collector, "second queue");
    mqc_producer_free(producer);
    contract_consumer_end(consumer);
    collector_free(collector);
}
END_TEST

CONTRACT_MAIN("shutdown", test_no_shutdown_in_a_callback, test_no_shutdown_in_a_listener,
              test_shutdown_lets_sends_finish, test_shutdown_without_drain_answers_all,
              test_shutdown_waits_for_listeners, test_shutdown_says_whom_it_left,
              test_shutdown_by_two_threads, test_no_ghost_when_leaving_amid_a_heartbeat)
