/* Order keys: messages of one key are in one queue, the one that the Java client takes, in the
 * order of their sends, and no retry changes that. Failures are scripted, on embedded clusters. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "test/contract/outcomes.h"

enum { SEND_MESSAGE_V2 = 310, SYSTEM_ERROR = 1, SYSTEM_BUSY = 2 };

static mqc_status send_keyed(mqc_producer *producer, const char *topic, const char *key,
                             const char *body, mqc_send_result *result, mqc_error *error)
{
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    mqc_send_options options = {.order_key = key};
    mqc_status status = mqc_producer_send(producer, message, &options, result, error);
    mqc_message_free(message);
    return status;
}

/* What SelectMessageQueueByHash of the Java client 5.5.0 answers for 8 queues. */
START_TEST(test_queue_is_that_of_java)
{
    static const struct {
        const char *key;
        int queue_id;
    } java[] = {{"order-1", 6}, {"order-2", 5}, {"A-42", 2}, {"客户", 5},
                {"😀", 3},       {"grüße", 7},   {"a", 1},    {"polygenelubricants", 0}};
    mqc_error error;
    mqc_send_result result;
    const char *topic = contract_topic(8);
    mqc_producer *producer = contract_producer(NULL);
    for (size_t i = 0; i < sizeof java / sizeof *java; i++) {
        for (int times = 0; times < 2; times++) {
            ck_ok(send_keyed(producer, topic, java[i].key, "body", &result, &error));
            ck_assert_msg(result.queue.queue_id == java[i].queue_id, "%s is in queue %d",
                          java[i].key, result.queue.queue_id);
            ck_assert_int_ge(result.queue_offset, times);
        }
    }
    mqc_producer_free(producer);
}
END_TEST

START_TEST(test_all_kinds_of_sends)
{
    mqc_error error;
    const char *topic = contract_topic(8);
    mqc_producer *producer = contract_producer(NULL);
    struct outcomes *outcomes = outcomes_new(1);
    mqc_message *message = mqc_message_new(topic, "body", 4);
    mqc_send_result result;
    mqc_send_options options = {.order_key = "order-1 of many", .order_key_bytes = 7};
    ck_ok(mqc_producer_send_oneway(producer, message, &options, &error));
    ck_ok(mqc_producer_send(producer, message, &options, &result, &error));
    ck_assert_int_eq(result.queue.queue_id, 6);
    ck_ok(mqc_producer_send_async(producer, message, &options, outcome_take,
                                  outcome_of(outcomes, 0), &error));
    outcomes_await(outcomes, 1);
    ck_assert(outcome_of(outcomes, 0)->accepted);
    ck_assert_int_eq(outcome_of(outcomes, 0)->result.queue.queue_id, 6);
    mqc_producer_free(producer);
    mqc_message_free(message);
    outcomes_free(outcomes);
}
END_TEST

/* Four threads, a key each: within a key the offsets rise as the sends did. */
enum { KEYS = 4, EACH = 30 };

struct line {
    pthread_t thread;
    mqc_producer *producer;
    const char *topic;
    int number, failed, out_of_order;
};

static void *send_line(void *arg)
{
    struct line *line = arg;
    char key[16];
    int64_t last = -1;
    snprintf(key, sizeof key, "key-%d", line->number);
    for (int i = 0; i < EACH; i++) {
        mqc_send_result result;
        if (send_keyed(line->producer, line->topic, key, "body", &result, NULL) != MQC_OK)
            line->failed++;
        line->out_of_order += result.queue_offset <= last;
        last = result.queue_offset;
    }
    return NULL;
}

START_TEST(test_order_within_a_key)
{
    struct line lines[KEYS];
    const char *topic = contract_topic(4);
    mqc_producer *producer = contract_producer(NULL);
    for (int i = 0; i < KEYS; i++) {
        lines[i] = (struct line){.producer = producer, .topic = topic, .number = i};
        pthread_create(&lines[i].thread, NULL, send_line, &lines[i]);
    }
    for (int i = 0; i < KEYS; i++) {
        pthread_join(lines[i].thread, NULL);
        ck_assert_int_eq(lines[i].failed, 0);
        ck_assert_int_eq(lines[i].out_of_order, 0);
    }
    mqc_producer_free(producer);
}
END_TEST

/* ---- brokers that fail, as they are told ---- */

struct pair {
    mqc_embedded *cluster;
    mqc_producer *producer;
};

static struct pair pair_start(int retries)
{
    mqc_error error;
    struct pair pair = {.cluster =
                            mqc_embedded_start(&(mqc_embedded_options){.brokers = 2}, &error)};
    ck_assert_msg(pair.cluster != NULL, "%s", error.text);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(pair.cluster)};
    mqc_producer_options options = {.client = &client,
                                    .group = "senders",
                                    .send_timeout_ms = CONTRACT_WAIT_MS,
                                    .retries = retries};
    pair.producer = mqc_producer_new(&options, &error);
    ck_assert_msg(pair.producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(pair.producer, &error));
    ck_ok(mqc_embedded_create_topic(pair.cluster, -1, "orders", 2, &error));
    return pair;
}

static void pair_end(struct pair *pair)
{
    mqc_producer_free(pair->producer);
    mqc_embedded_stop(pair->cluster);
}

static void add_fault(const struct pair *pair, mqc_embedded_fault fault)
{
    mqc_error error;
    fault.request_code = SEND_MESSAGE_V2;
    ck_ok(mqc_embedded_add_fault(pair->cluster, &fault, NULL, &error));
}

/* Of the broker of a key that was sent to before. */
static int broker_number(const mqc_send_result *result)
{
    return strcmp(result->queue.broker_name, "broker-b") == 0;
}

START_TEST(test_busy_is_waited_for_on_the_same_queue)
{
    mqc_error error;
    mqc_send_result first, second;
    struct pair pair = pair_start(0);
    ck_ok(send_keyed(pair.producer, "orders", "A", "1", &first, &error));
    /* More often than there are retries of other sends. */
    add_fault(&pair,
              (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY, .count = 5});
    ck_ok(send_keyed(pair.producer, "orders", "A", "2", &second, &error));
    ck_assert_str_eq(second.queue.broker_name, first.queue.broker_name);
    ck_assert_int_eq(second.queue.queue_id, first.queue.queue_id);
    ck_assert_int_eq(second.queue_offset, first.queue_offset + 1);
    ck_assert_int_eq(mqc_embedded_request_count(pair.cluster, SEND_MESSAGE_V2), 7);
    pair_end(&pair);
}
END_TEST

struct late {
    pthread_t thread;
    struct pair *pair;
    mqc_status status;
    mqc_send_result result;
    mqc_error error;
};

static void *send_late(void *arg)
{
    struct late *late = arg;
    late->status =
        send_keyed(late->pair->producer, "orders", "A", "2", &late->result, &late->error);
    return NULL;
}

/* Counts what the producer says when it tries again. */
static void count_repeats(const mqc_log_line *line, void *arg)
{
    atomic_int *repeats = arg;
    if (strstr(line->text, "send again topic=orders")) atomic_fetch_add(repeats, 1);
}

static bool repeated(void *arg)
{
    return atomic_load((atomic_int *)arg) > 0;
}

/* The other broker is there all the time, but the key's messages are not for it. */
START_TEST(test_a_broker_that_is_down_is_waited_for)
{
    mqc_error error;
    mqc_send_result first;
    struct pair pair = pair_start(0);
    ck_ok(send_keyed(pair.producer, "orders", "A", "1", &first, &error));
    int broker = broker_number(&first);
    ck_ok(mqc_embedded_broker_down(pair.cluster, broker, MQC_EMBEDDED_KEEP_ROUTE, &error));
    /* Keyless ones find the other broker; by then it is known that this one is gone. */
    for (int i = 0; i < 4; i++) {
        mqc_send_result result = contract_send(pair.producer, "orders", "no key");
        ck_assert_int_ne(broker_number(&result), broker);
    }
    static atomic_int repeats;
    mqc_log_to(count_repeats, &repeats, MQC_LOG_DEBUG);
    struct late late = {.pair = &pair};
    pthread_create(&late.thread, NULL, send_late, &late);
    contract_await("a keyed send that tries again", repeated, &repeats);
    ck_ok(mqc_embedded_broker_up(pair.cluster, broker, &error));
    pthread_join(late.thread, NULL);
    mqc_log_to(NULL, NULL, MQC_LOG_WARN);
    ck_assert_msg(late.status == MQC_OK, "%s", late.error.text);
    ck_assert_str_eq(late.result.queue.broker_name, first.queue.broker_name);
    ck_assert_int_eq(late.result.queue.queue_id, first.queue.queue_id);
    ck_assert_int_eq(late.result.queue_offset, first.queue_offset + 1);
    pair_end(&pair);
}
END_TEST

/* Once more could come behind the next message of the key, or twice: that is for the caller to know
 * and to decide. */
START_TEST(test_what_may_be_stored_is_not_repeated)
{
    mqc_error error;
    mqc_send_result result;
    struct pair pair = pair_start(0);
    ck_ok(send_keyed(pair.producer, "orders", "A", "1", &result, &error));
    add_fault(&pair, (mqc_embedded_fault){.kind = MQC_FAULT_DROP, .count = 1});
    ck_fails(send_keyed(pair.producer, "orders", "A", "2", &result, &error), MQC_NO_CONNECTION,
             "1 attempt");
    ck_assert(error.maybe_done);
    ck_assert_int_eq(mqc_embedded_message_count(pair.cluster, "orders"), 2);
    add_fault(&pair,
              (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_ERROR, .count = 1});
    ck_fails(send_keyed(pair.producer, "orders", "A", "3", &result, &error), MQC_REFUSED,
             "1 attempt");
    ck_assert_int_eq(mqc_embedded_request_count(pair.cluster, SEND_MESSAGE_V2), 3);
    pair_end(&pair);
}
END_TEST

START_TEST(test_without_retries_it_is_tried_once)
{
    mqc_error error;
    mqc_send_result result;
    struct pair pair = pair_start(-1);
    add_fault(&pair, (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY});
    ck_fails(send_keyed(pair.producer, "orders", "A", "1", &result, &error), MQC_REFUSED,
             "1 attempt");
    ck_assert_int_eq(mqc_embedded_request_count(pair.cluster, SEND_MESSAGE_V2), 1);
    pair_end(&pair);
}
END_TEST

START_TEST(test_a_timeout_ends_the_waiting)
{
    mqc_error error;
    struct pair pair = pair_start(0);
    add_fault(&pair, (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY});
    mqc_message *message = mqc_message_new("orders", "body", 4);
    mqc_send_options options = {.order_key = "A", .timeout_ms = 300};
    ck_fails(mqc_producer_send(pair.producer, message, &options, NULL, &error), MQC_REFUSED,
             "SYSTEM_BUSY");
    ck_assert(error.retryable);
    ck_assert_int_gt(mqc_embedded_request_count(pair.cluster, SEND_MESSAGE_V2), 1);
    mqc_message_free(message);
    pair_end(&pair);
}
END_TEST

/* The drain of a shutdown bounds the waiting too. */
START_TEST(test_a_shutdown_ends_the_waiting)
{
    mqc_error error;
    struct pair pair = pair_start(0);
    add_fault(&pair, (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY});
    struct late late = {.pair = &pair};
    pthread_create(&late.thread, NULL, send_late, &late);
    ck_ok(mqc_embedded_await_requests(pair.cluster, SEND_MESSAGE_V2, 2, CONTRACT_WAIT_MS, &error));
    mqc_status status = mqc_producer_shutdown(pair.producer, 0, &error);
    while (status == MQC_TIMEOUT) status = mqc_producer_shutdown(pair.producer, 1000, &error);
    ck_assert_int_eq(status, MQC_OK);
    pthread_join(late.thread, NULL);
    ck_assert_int_eq(late.status, MQC_REFUSED);
    pair_end(&pair);
}
END_TEST

START_TEST(test_bad_keys)
{
    mqc_error error;
    const char *topic = contract_topic(1);
    mqc_message_queue queue = contract_queue(topic, 0);
    mqc_producer *producer = contract_producer(NULL);
    mqc_message *message = mqc_message_new(topic, "body", 4);
    mqc_send_options empty = {.order_key = ""}, both = {.order_key = "A", .queue = &queue},
                     none = {.order_key_bytes = 3};
    ck_fails(mqc_producer_send(producer, message, &empty, NULL, &error), MQC_BAD_ARGUMENT,
             "order key is empty");
    ck_fails(mqc_producer_send(producer, message, &both, NULL, &error), MQC_BAD_ARGUMENT,
             "give one of them");
    ck_fails(mqc_producer_send_oneway(producer, message, &none, &error), MQC_BAD_ARGUMENT,
             "order_key_bytes is 3");
    mqc_message_free(message);
    mqc_producer_free(producer);
}
END_TEST

CONTRACT_MAIN("order key", test_queue_is_that_of_java, test_all_kinds_of_sends,
              test_order_within_a_key, test_busy_is_waited_for_on_the_same_queue,
              test_a_broker_that_is_down_is_waited_for, test_what_may_be_stored_is_not_repeated,
              test_without_retries_it_is_tried_once, test_a_timeout_ends_the_waiting,
              test_a_shutdown_ends_the_waiting, test_bad_keys)
