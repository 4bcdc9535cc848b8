/* Request and reply: a message that one consumer answers, to the very client that asked. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/transactions.h"

enum { NO_REPLY_MS = 3000, LARGE_BYTES = 20000 };

/* A consumer that answers each request with "re: " and its body; or holds it until it is told. */
struct replier {
    mqc_push_consumer *consumer;
    mqc_producer *producer;
    bool hold;
    pthread_mutex_t lock; /* guards what follows */
    mqc_message *held;
    int requests;
    mqc_status status; /* of the last reply */
    mqc_error error;
};

static mqc_message *reply_to(const mqc_message *request, mqc_error *error)
{
    mqc_view body = mqc_message_body(request);
    char *text = malloc(body.size + 4);
    if (!text) abort();
    memcpy(text, "re: ", 4);
    memcpy(text + 4, body.data, body.size);
    mqc_message *reply = mqc_message_new_reply(request, text, body.size + 4, error);
    free(text);
    return reply;
}

static mqc_status send_reply(struct replier *replier, const mqc_message *request, mqc_error *error)
{
    mqc_message *reply = reply_to(request, error);
    if (!reply) return error->status;
    mqc_status status = mqc_message_set_property(reply, "answered-by", "us", error);
    if (!status) status = mqc_producer_send(replier->producer, reply, NULL, NULL, error);
    mqc_message_free(reply);
    return status;
}

static mqc_consume_status reply_or_hold(mqc_delivery *delivery, void *arg)
{
    struct replier *replier = arg;
    const mqc_message *request = mqc_delivery_at(delivery, 0);
    mqc_error error = {.text = ""};
    mqc_status status = MQC_OK;
    if (!replier->hold) status = send_reply(replier, request, &error);
    pthread_mutex_lock(&replier->lock);
    if (replier->hold && !replier->held) replier->held = mqc_message_ref(request);
    replier->status = status;
    replier->error = error;
    replier->requests++;
    pthread_mutex_unlock(&replier->lock);
    return MQC_CONSUME_SUCCESS;
}

static struct replier *replier_new(const char *topic, bool hold)
{
    struct replier *replier = calloc(1, sizeof *replier);
    ck_assert_ptr_nonnull(replier);
    pthread_mutex_init(&replier->lock, NULL);
    replier->hold = hold;
    replier->producer = contract_producer(NULL);
    mqc_push_consumer_options options = {.group = contract_name("repliers"),
                                         .listener = reply_or_hold,
                                         .listener_arg = replier,
                                         .from = MQC_FROM_FIRST};
    replier->consumer = contract_consumer(&options, topic, "*");
    return replier;
}

static void replier_free(struct replier *replier)
{
    contract_consumer_end(replier->consumer);
    mqc_producer_free(replier->producer);
    mqc_message_free(replier->held);
    pthread_mutex_destroy(&replier->lock);
    free(replier);
}

static bool holds_one(void *arg)
{
    struct replier *replier = arg;
    pthread_mutex_lock(&replier->lock);
    bool holds = replier->held != NULL;
    pthread_mutex_unlock(&replier->lock);
    return holds;
}

/* A client of its own, so that it is another one than the replier's. */
static mqc_producer *requester(void)
{
    mqc_client_options client = contract_client();
    client.instance_name = contract_name("instance");
    return contract_producer(&client);
}

static void assert_body_is(const mqc_message *message, const char *body)
{
    mqc_view view = mqc_message_body(message);
    ck_assert_msg(contract_text_is(message, body), "%.*s", (int)view.size, (const char *)view.data);
}

/* ---- replies ---- */

START_TEST(test_reply_comes)
{
    mqc_error error;
    const char *topic = contract_topic(2);
    struct replier *replier = replier_new(topic, false);
    mqc_producer *producer = requester();
    mqc_message *message = transactions_message(topic, "what?");
    ck_ok(mqc_message_set_property(message, "shop", "berlin", &error));
    for (int i = 0; i < 3; i++) {
        mqc_message *reply;
        ck_ok(mqc_producer_request(producer, message, NULL, &reply, &error));
        assert_body_is(reply, "re: what?");
        ck_assert_str_eq(mqc_message_property(reply, "answered-by"), "us");
        ck_assert_str_eq(mqc_message_property(reply, "MSG_TYPE"), "reply");
        ck_assert_ptr_nonnull(strstr(mqc_message_topic(reply), "_REPLY_TOPIC"));
        ck_assert_ptr_nonnull(mqc_message_property(reply, "ARRIVE_TIME"));
        ck_assert_ptr_nonnull(mqc_message_id(reply));
        ck_assert_int_gt(mqc_message_stored_unix_ms(reply), 0);
        ck_assert(!mqc_message_is_request(reply));
        mqc_message_free(reply);
    }
    ck_assert_ptr_null(mqc_message_property(message, "CORRELATION_ID")); /* it is the caller's */
    mqc_message_free(message);
    mqc_producer_free(producer);
    replier_free(replier);
}
END_TEST

/* Compressed on both ways. */
START_TEST(test_large_request_and_reply)
{
    mqc_error error;
    char expected[LARGE_BYTES + 5] = "re: ";
    memset(expected + 4, 'x', LARGE_BYTES);
    const char *topic = contract_topic(1);
    struct replier *replier = replier_new(topic, false);
    mqc_producer *producer = requester();
    mqc_message *message = transactions_message(topic, expected + 4), *reply;
    ck_ok(mqc_producer_request(producer, message, NULL, &reply, &error));
    ck_assert(contract_text_is(reply, expected));
    mqc_message_free(reply);
    mqc_message_free(message);
    mqc_producer_free(producer);
    replier_free(replier);
}
END_TEST

struct outcomes {
    pthread_mutex_t lock;
    pthread_t caller;
    int count, replies, wrong, on_caller;
    mqc_status last_status;
    bool last_maybe_done;
};

static void note_outcome(const mqc_message *reply, const mqc_error *error, void *arg)
{
    struct outcomes *outcomes = arg;
    pthread_mutex_lock(&outcomes->lock);
    outcomes->count++;
    outcomes->replies += reply != NULL;
    outcomes->wrong += !reply == !error || (reply && !contract_text_is(reply, "re: body"));
    outcomes->on_caller += pthread_equal(pthread_self(), outcomes->caller) != 0;
    outcomes->last_status = error ? error->status : MQC_OK;
    outcomes->last_maybe_done = error && error->maybe_done;
    pthread_mutex_unlock(&outcomes->lock);
}

struct expected_outcomes {
    struct outcomes *outcomes;
    int count;
};

static bool outcomes_came(void *arg)
{
    struct expected_outcomes *expected = arg;
    pthread_mutex_lock(&expected->outcomes->lock);
    bool came = expected->outcomes->count >= expected->count;
    pthread_mutex_unlock(&expected->outcomes->lock);
    return came;
}

static void await_outcomes(struct outcomes *outcomes, int count)
{
    struct expected_outcomes expected = {outcomes, count};
    contract_await("callbacks of requests", outcomes_came, &expected);
}

START_TEST(test_each_callback_comes_once)
{
    enum { REQUESTS = 50 };
    mqc_error error;
    const char *topic = contract_topic(4);
    struct replier *replier = replier_new(topic, false);
    struct outcomes outcomes = {.lock = PTHREAD_MUTEX_INITIALIZER, .caller = pthread_self()};
    /* Two producers on one client: replies come to the client. */
    mqc_client_options client = contract_client();
    client.instance_name = contract_name("instance");
    mqc_producer *producers[2] = {contract_producer(&client), contract_producer(&client)};
    mqc_message *message = transactions_message(topic, "body");
    mqc_send_options options = {.timeout_ms = CONTRACT_WAIT_MS};
    for (int i = 0; i < REQUESTS; i++)
        ck_ok(mqc_producer_request_async(producers[i % 2], message, &options, note_outcome,
                                         &outcomes, &error));
    await_outcomes(&outcomes, REQUESTS);
    mqc_message_free(message);
    mqc_producer_free(producers[0]);
    mqc_producer_free(producers[1]);
    replier_free(replier);
    ck_assert_int_eq(outcomes.count, REQUESTS);
    ck_assert_int_eq(outcomes.replies, REQUESTS);
    ck_assert_int_eq(outcomes.wrong, 0);
    ck_assert_int_eq(outcomes.on_caller, 0);
}
END_TEST

/* ---- no reply ---- */

/* That nobody answers in time is another thing than a request that could not be sent. */
START_TEST(test_no_reply_is_no_failed_send)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = requester();
    mqc_message *message = transactions_message(topic, "body"), *reply = message;
    mqc_send_options options = {.timeout_ms = NO_REPLY_MS};
    struct outcomes outcomes = {.lock = PTHREAD_MUTEX_INITIALIZER, .caller = pthread_self()};
    ck_ok(mqc_producer_request_async(producer, message, &options, note_outcome, &outcomes, &error));
    ck_fails(mqc_producer_request(producer, message, &options, &reply, &error), MQC_NO_REPLY, topic,
             "wait reply message timeout");
    ck_assert(error.maybe_done && error.retryable);
    ck_assert_ptr_null(reply);
    await_outcomes(&outcomes, 1);
    ck_assert_int_eq(outcomes.last_status, MQC_NO_REPLY);
    ck_assert(outcomes.last_maybe_done);
    options.queue = &(mqc_message_queue){.topic = topic, .broker_name = "nobody", .queue_id = 0};
    ck_fails(mqc_producer_request(producer, message, &options, &reply, &error), MQC_NO_ROUTE,
             "nobody");
    ck_assert(!error.maybe_done);
    ck_fails(
        mqc_producer_request_async(producer, message, &options, note_outcome, &outcomes, &error),
        MQC_NO_ROUTE, "nobody");
    mqc_message_free(message);
    mqc_producer_free(producer);
    ck_assert_int_eq(outcomes.count, 1);
}
END_TEST

START_TEST(test_late_reply_is_dropped)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    struct replier *replier = replier_new(topic, true);
    mqc_producer *producer = requester();
    mqc_message *message = transactions_message(topic, "body"), *reply;
    transactions_watch_log(MQC_LOG_INFO);
    ck_fails(mqc_producer_request(producer, message, &(mqc_send_options){.timeout_ms = NO_REPLY_MS},
                                  &reply, &error),
             MQC_NO_REPLY, topic);
    contract_await("the request", holds_one, replier);
    ck_ok(send_reply(replier, replier->held, &error)); /* the client has taken it */
    transactions_await_log("nobody waits for", "late=1");
    mqc_message_free(message);
    mqc_producer_free(producer);
    replier_free(replier);
}
END_TEST

START_TEST(test_reply_to_a_client_that_is_gone)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    struct replier *replier = replier_new(topic, true);
    struct outcomes outcomes = {.lock = PTHREAD_MUTEX_INITIALIZER, .caller = pthread_self()};
    mqc_producer *producer = requester();
    mqc_message *message = transactions_message(topic, "body");
    mqc_send_options options = {.timeout_ms = CONTRACT_WAIT_MS};
    ck_ok(mqc_producer_request_async(producer, message, &options, note_outcome, &outcomes, &error));
    contract_await("the request", holds_one, replier);
    ck_assert_int_eq(outcomes.count, 0);
    ck_ok(mqc_producer_shutdown(producer, 0, &error));
    ck_assert_int_eq(outcomes.count, 1); /* before the shutdown returns */
    ck_assert_int_eq(outcomes.last_status, MQC_CANCELLED);
    ck_assert(outcomes.last_maybe_done);
    ck_fails(send_reply(replier, replier->held, &error), MQC_REFUSED, "not found");
    mqc_message_free(message);
    mqc_producer_free(producer);
    replier_free(replier);
    ck_assert_int_eq(outcomes.count, 1);
}
END_TEST

struct asking {
    mqc_producer *producer;
    mqc_message *message;
    mqc_status status;
};

static void *ask(void *arg)
{
    struct asking *asking = arg;
    mqc_message *reply;
    mqc_send_options options = {.timeout_ms = CONTRACT_WAIT_MS};
    asking->status =
        mqc_producer_request(asking->producer, asking->message, &options, &reply, NULL);
    return NULL;
}

START_TEST(test_shutdown_wakes_who_waits)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    struct replier *replier = replier_new(topic, true);
    struct asking asking = {requester(), transactions_message(topic, "body"), MQC_OK};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, ask, &asking), 0);
    contract_await("the request", holds_one, replier);
    ck_ok(mqc_producer_shutdown(asking.producer, 0, &error));
    pthread_join(thread, NULL);
    ck_assert_int_eq(asking.status, MQC_CANCELLED);
    mqc_message_free(asking.message);
    mqc_producer_free(asking.producer);
    replier_free(replier);
}
END_TEST

/* ---- calls that cannot be ---- */

START_TEST(test_bad_calls)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = transactions_message(topic, "body"), *reply;
    struct outcomes outcomes = {.lock = PTHREAD_MUTEX_INITIALIZER};
    ck_fails(mqc_producer_request(producer, message, NULL, NULL, &error), MQC_BAD_ARGUMENT,
             "reply is NULL");
    ck_fails(mqc_producer_request(producer, NULL, NULL, &reply, &error), MQC_BAD_ARGUMENT,
             "the message is NULL");
    ck_fails(mqc_producer_request(NULL, message, NULL, &reply, &error), MQC_BAD_ARGUMENT,
             "the producer is NULL");
    ck_fails(mqc_producer_request(producer, message, &(mqc_send_options){.timeout_ms = -1}, &reply,
                                  &error),
             MQC_BAD_ARGUMENT, "timeout_ms is -1");
    ck_fails(mqc_producer_request_async(producer, message, NULL, NULL, NULL, &error),
             MQC_BAD_ARGUMENT, "done is NULL");
    ck_fails(mqc_producer_request_async(producer, NULL, NULL, note_outcome, &outcomes, &error),
             MQC_BAD_ARGUMENT, "the message is NULL");
    ck_assert(!mqc_message_is_request(message) && !mqc_message_is_request(NULL));
    ck_assert_ptr_null(mqc_message_new_reply(message, "x", 1, &error));
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "the message is no request"));
    ck_assert_ptr_null(mqc_message_new_reply(NULL, "x", 1, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "the request is NULL"));
    mqc_producer_free(producer);
    mqc_message_free(message);
    ck_assert_int_eq(outcomes.count, 0);
}
END_TEST

CONTRACT_MAIN("request", test_reply_comes, test_large_request_and_reply,
              test_each_callback_comes_once, test_no_reply_is_no_failed_send,
              test_late_reply_is_dropped, test_reply_to_a_client_that_is_gone,
              test_shutdown_wakes_who_waits, test_bad_calls)
