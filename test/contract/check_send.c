/* Sending: what comes back from the three ways to send, and who chooses the queue. */
#include <pthread.h>
#include <stdio.h>

#include "test/contract/collector.h"

static mqc_message *new_message(const char *topic, const char *body)
{
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    ck_assert_ptr_nonnull(message);
    return message;
}

static bool is_hex(const char *text)
{
    size_t digits = strspn(text, "0123456789ABCDEF");
    return digits > 0 && text[digits] == '\0';
}

/* Everything that a topic's messages can be told by, with a group of its own. */
static mqc_push_consumer *consume_all(struct collector *collector, const char *topic)
{
    mqc_push_consumer_options options = {.group = contract_name("readers"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    return contract_consumer(&options, topic, "*");
}

START_TEST(test_sync_result)
{
    const char *topic = contract_topic(1);
    mqc_message_queue queue = contract_queue(topic, 0);
    mqc_producer *producer = contract_producer(NULL);
    for (int i = 0; i < 3; i++) {
        mqc_send_result result = contract_send(producer, topic, "body");
        ck_assert_int_eq(result.status, MQC_SEND_OK);
        ck_assert_str_eq(result.queue.topic, topic);
        ck_assert_str_eq(result.queue.broker_name, queue.broker_name);
        ck_assert_int_eq(result.queue.queue_id, 0);
        ck_assert_int_eq(result.queue_offset, i);
        ck_assert_msg(is_hex(result.message_id), "message id %s", result.message_id);
        ck_assert_uint_ge(strlen(result.message_id), 32);
        ck_assert_msg(is_hex(result.offset_message_id), "offset id %s", result.offset_message_id);
        ck_assert_uint_eq(strlen(result.offset_message_id), 32);
        ck_assert_str_eq(result.region, "DefaultRegion");
        ck_assert(result.trace_on);
    }
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_message_ids_are_unique)
{
    enum { COUNT = 50 };
    const char *topic = contract_topic(4);
    mqc_producer *producer = contract_producer(NULL);
    mqc_send_result results[COUNT];
    for (int i = 0; i < COUNT; i++) {
        results[i] = contract_send(producer, topic, "same body");
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(results[i].message_id, results[j].message_id);
            ck_assert_str_ne(results[i].offset_message_id, results[j].offset_message_id);
        }
    }
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_queues_take_turns)
{
    enum { QUEUES = 4, ROUNDS = 5 };
    const char *topic = contract_topic(QUEUES);
    mqc_producer *producer = contract_producer(NULL);
    int sent[QUEUES] = {0}, last = -1;
    for (int i = 0; i < QUEUES * ROUNDS; i++) {
        mqc_send_result result = contract_send(producer, topic, "body");
        ck_assert_int_ge(result.queue.queue_id, 0);
        ck_assert_int_lt(result.queue.queue_id, QUEUES);
        if (last >= 0) ck_assert_int_eq(result.queue.queue_id, (last + 1) % QUEUES);
        last = result.queue.queue_id;
        ck_assert_int_eq(result.queue_offset, sent[last]);
        sent[last]++;
    }
    mqc_producer_free(producer);
}
END_TEST

/* ---- asynchronous sends ---- */

struct answers {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t caller;
    int calls, results, on_caller, both_or_neither;
    struct answer {
        int calls;
        mqc_send_result result;
    } by_message[256];
};

struct question {
    struct answers *answers;
    int number;
};

static void take_answer(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct question *question = arg;
    struct answers *answers = question->answers;
    struct answer *answer = &answers->by_message[question->number];
    pthread_mutex_lock(&answers->lock);
    answers->calls++;
    answers->results += result != NULL;
    answers->on_caller += pthread_equal(pthread_self(), answers->caller) != 0;
    answers->both_or_neither += !result == !error;
    answer->calls++;
    if (result) answer->result = *result;
    pthread_cond_broadcast(&answers->changed);
    pthread_mutex_unlock(&answers->lock);
}

static bool all_answered(void *arg)
{
    struct answers *answers = ((struct question *)arg)->answers;
    pthread_mutex_lock(&answers->lock);
    bool all = answers->calls >= ((struct question *)arg)->number;
    pthread_mutex_unlock(&answers->lock);
    return all;
}

static void answers_init(struct answers *answers)
{
    memset(answers, 0, sizeof *answers);
    pthread_mutex_init(&answers->lock, NULL);
    pthread_cond_init(&answers->changed, NULL);
    answers->caller = pthread_self();
}

static void await_answers(struct answers *answers, int count)
{
    struct question all = {.answers = answers, .number = count};
    contract_await("all callbacks", all_answered, &all);
}

START_TEST(test_async_each_answered_once)
{
    enum { COUNT = 200 };
    static struct answers answers;
    static struct question questions[COUNT];
    mqc_error error;
    answers_init(&answers);
    const char *topic = contract_topic(4);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    for (int i = 0; i < COUNT; i++) {
        char body[32];
        snprintf(body, sizeof body, "async %d", i);
        mqc_message *message = new_message(topic, body);
        questions[i] = (struct question){.answers = &answers, .number = i};
        ck_ok(mqc_producer_send_async(producer, message, NULL, take_answer, &questions[i], &error));
        mqc_message_free(message); /* it was borrowed until the call returned */
    }
    await_answers(&answers, COUNT);
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(collector, "async ", COUNT);
    ck_assert_int_eq(answers.calls, COUNT);
    ck_assert_int_eq(answers.results, COUNT);
    ck_assert_int_eq(answers.on_caller, 0);
    ck_assert_int_eq(answers.both_or_neither, 0);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(answers.by_message[i].calls, 1);
        ck_assert_int_eq(answers.by_message[i].result.status, MQC_SEND_OK);
        ck_assert_uint_ge(strlen(answers.by_message[i].result.message_id), 32);
    }
    collector_free(collector);
}
END_TEST

START_TEST(test_async_refused_is_not_answered)
{
    static struct answers answers;
    struct question question = {.answers = &answers, .number = 0};
    mqc_error error;
    answers_init(&answers);
    const char *topic = contract_topic(1);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = mqc_message_new(topic, "", 0);
    ck_fails(mqc_producer_send_async(producer, message, NULL, take_answer, &question, &error),
             MQC_BAD_ARGUMENT, "body");
    mqc_message_free(message);
    mqc_producer_free(producer); /* whatever was accepted has been answered by now */
    ck_assert_int_eq(answers.calls, 0);
}
END_TEST

START_TEST(test_async_to_nobody_fails_in_the_callback_or_at_once)
{
    static struct answers answers;
    struct question question = {.answers = &answers, .number = 0};
    mqc_error error;
    answers_init(&answers);
    mqc_client_options client = contract_client();
    client.name_servers = "127.0.0.1:9"; /* the discard port: nobody listens */
    mqc_producer *producer = contract_producer(&client);
    mqc_message *message = new_message("topic", "body");
    mqc_send_options options = {.timeout_ms = 2000};
    mqc_status status =
        mqc_producer_send_async(producer, message, &options, take_answer, &question, &error);
    if (status == MQC_OK) await_answers(&answers, 1);
    mqc_message_free(message);
    mqc_producer_free(producer);
    ck_assert_int_eq(answers.calls, status == MQC_OK ? 1 : 0);
    ck_assert_int_eq(answers.results, 0);
    ck_assert_int_eq(answers.both_or_neither, 0);
}
END_TEST

/* ---- oneway ---- */

START_TEST(test_oneway)
{
    enum { COUNT = 50 };
    mqc_error error;
    const char *topic = contract_topic(4);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    for (int i = 0; i < COUNT; i++) {
        char body[32];
        snprintf(body, sizeof body, "oneway %d", i);
        mqc_message *message = new_message(topic, body);
        ck_ok(mqc_producer_send_oneway(producer, message, NULL, &error));
        mqc_message_free(message);
    }
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, COUNT);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(collector, "oneway ", COUNT);
    collector_free(collector);
}
END_TEST

/* ---- the queue ---- */

START_TEST(test_given_queue)
{
    static struct answers answers;
    struct question question = {.answers = &answers, .number = 0};
    mqc_error error;
    answers_init(&answers);
    const char *topic = contract_topic(4);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    mqc_message_queue queue = contract_queue(topic, 2);
    mqc_send_options options = {.queue = &queue};
    mqc_send_result result = contract_send_to(producer, &queue, "sync");
    ck_assert_int_eq(result.queue.queue_id, 2);
    ck_assert_str_eq(result.queue.broker_name, queue.broker_name);
    mqc_message *async = new_message(topic, "async"), *oneway = new_message(topic, "oneway");
    ck_ok(mqc_producer_send_async(producer, async, &options, take_answer, &question, &error));
    await_answers(&answers, 1);
    ck_assert_int_eq(answers.by_message[0].result.queue.queue_id, 2);
    ck_ok(mqc_producer_send_oneway(producer, oneway, &options, &error));
    mqc_message_free(async);
    mqc_message_free(oneway);
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, 3);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(mqc_message_queue_id(collector_at(collector, i).message), 2);
    collector_free(collector);
}
END_TEST

struct selection {
    const mqc_message *message;
    const char *topic;
    size_t wish, calls, count;
    bool as_expected;
};

static size_t select_wish(const mqc_message_queue *queues, size_t count, const mqc_message *message,
                          void *arg)
{
    struct selection *selection = arg;
    selection->calls++;
    selection->count = count;
    selection->as_expected = message == selection->message;
    for (size_t i = 0; i < count; i++)
        selection->as_expected =
            selection->as_expected && strcmp(queues[i].topic, selection->topic) == 0;
    return selection->wish;
}

START_TEST(test_selected_queue)
{
    mqc_error error;
    mqc_send_result result;
    const char *topic = contract_topic(4);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = new_message(topic, "body");
    struct selection selection = {.message = message, .topic = topic};
    mqc_send_options options = {.select = select_wish, .select_arg = &selection};
    for (selection.wish = 0; selection.wish < 4; selection.wish++) {
        selection.calls = 0;
        ck_ok(mqc_producer_send(producer, message, &options, &result, &error));
        ck_assert_uint_eq(selection.calls, 1);
        ck_assert_uint_eq(selection.count, 4);
        ck_assert(selection.as_expected);
        ck_assert_int_eq(result.queue.queue_id, (int)selection.wish);
    }
    selection.wish = 4;
    ck_fails(mqc_producer_send(producer, message, &options, &result, &error), MQC_BAD_ARGUMENT,
             "4");
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

/* ---- several threads ---- */

enum { SENDERS = 8, EACH = 25 };

struct sender {
    mqc_producer *producer;
    const char *topic;
    int number, failed;
};

static void *send_some(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < EACH; i++) {
        char body[32];
        snprintf(body, sizeof body, "shared %d", sender->number * EACH + i);
        mqc_message *message = mqc_message_new(sender->topic, body, strlen(body));
        sender->failed += mqc_producer_send(sender->producer, message, NULL, NULL, NULL) != MQC_OK;
        mqc_message_free(message);
    }
    return NULL;
}

START_TEST(test_one_producer_many_threads)
{
    pthread_t threads[SENDERS];
    struct sender senders[SENDERS];
    const char *topic = contract_topic(4);
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.producer = producer, .topic = topic, .number = i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_some, &senders[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(senders[i].failed, 0);
    }
    mqc_push_consumer *consumer = consume_all(collector, topic);
    collector_await(collector, SENDERS * EACH);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_check_each_once(collector, "shared ", SENDERS * EACH);
    collector_free(collector);
}
END_TEST

CONTRACT_MAIN("send", test_sync_result, test_message_ids_are_unique, test_queues_take_turns,
              test_async_each_answered_once, test_async_refused_is_not_answered,
              test_async_to_nobody_fails_in_the_callback_or_at_once, test_oneway, test_given_queue,
              test_selected_queue, test_one_producer_many_threads)
