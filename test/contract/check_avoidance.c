/* What a send makes of brokers that refuse, are slow or are gone: another one is tried, the error
 * names what happened, and bad brokers are left alone until they are well. On embedded clusters of
 * two brokers, which do as they are told. */
#include <stdio.h>

#include "test/contract/contract.h"

enum { SEND_MESSAGE_V2 = 310, SYSTEM_BUSY = 2, MESSAGE_ILLEGAL = 13, GO_AWAY = 1500 };

struct pair {
    mqc_embedded *cluster;
    mqc_producer *producer;
    const char *topic;
};

static struct pair pair_start(mqc_producer_options options)
{
    mqc_error error;
    struct pair pair = {.cluster =
                            mqc_embedded_start(&(mqc_embedded_options){.brokers = 2}, &error),
                        .topic = contract_name("topic")};
    ck_assert_msg(pair.cluster != NULL, "%s", error.text);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(pair.cluster),
                                 .connect_timeout_ms = 30000};
    options.client = &client;
    options.group = "senders";
    if (options.send_timeout_ms == 0) options.send_timeout_ms = CONTRACT_WAIT_MS;
    pair.producer = mqc_producer_new(&options, &error);
    ck_assert_msg(pair.producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(pair.producer, &error));
    ck_ok(mqc_embedded_create_topic(pair.cluster, -1, pair.topic, 2, &error));
    return pair;
}

static void pair_end(struct pair *pair)
{
    mqc_producer_free(pair->producer);
    mqc_embedded_stop(pair->cluster);
}

static int add_fault(const struct pair *pair, mqc_embedded_fault fault)
{
    mqc_error error;
    int id;
    fault.request_code = SEND_MESSAGE_V2;
    ck_ok(mqc_embedded_add_fault(pair->cluster, &fault, &id, &error));
    return id;
}

/* One send with the producer's settings: its status; where it went, or why it failed. */
static mqc_status send_one(const struct pair *pair, mqc_send_result *result, mqc_error *error)
{
    mqc_message *message = mqc_message_new(pair->topic, "body", 4);
    memset(error, 0, sizeof *error);
    mqc_status status = mqc_producer_send(pair->producer, message, NULL, result, error);
    mqc_message_free(message);
    return status;
}

/* ---- asynchronous sends ---- */

struct outcome {
    mqc_producer *producer;
    int calls;
    mqc_send_result result;
    mqc_error error;
};

static void take(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct outcome *outcome = arg;
    outcome->calls++;
    if (result) outcome->result = *result;
    if (error) outcome->error = *error;
}

/* Sends `count` messages and waits for them by shutting the producer down. */
static void send_async_and_end(struct pair *pair, struct outcome *outcomes, int count)
{
    mqc_error error;
    for (int i = 0; i < count; i++) {
        mqc_message *message = mqc_message_new(pair->topic, "body", 4);
        outcomes[i] = (struct outcome){.calls = 0};
        ck_ok(mqc_producer_send_async(pair->producer, message, NULL, take, &outcomes[i], &error));
        mqc_message_free(message);
    }
    ck_ok(mqc_producer_shutdown(pair->producer, CONTRACT_WAIT_MS, &error));
    for (int i = 0; i < count; i++) ck_assert_int_eq(outcomes[i].calls, 1);
}

/* ---- retries ---- */

START_TEST(test_refused_by_one_stored_by_the_other)
{
    enum { COUNT = 8 };
    mqc_error error;
    mqc_send_result result;
    struct outcome outcomes[COUNT];
    struct pair pair = pair_start((mqc_producer_options){0});
    add_fault(&pair, (mqc_embedded_fault){
                         .kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY, .server = "broker-a"});
    for (int i = 0; i < COUNT; i++) {
        ck_ok(send_one(&pair, &result, &error));
        ck_assert_str_eq(result.queue.broker_name, "broker-b");
    }
    send_async_and_end(&pair, outcomes, COUNT);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_msg(outcomes[i].error.status == MQC_OK, "%s", outcomes[i].error.text);
        ck_assert_str_eq(outcomes[i].result.queue.broker_name, "broker-b");
    }
    ck_assert_int_eq(mqc_embedded_message_count(pair.cluster, pair.topic), 2 * COUNT);
    pair_end(&pair);
}
END_TEST

START_TEST(test_what_no_broker_takes_is_tried_once)
{
    mqc_error error;
    struct outcome outcome;
    struct pair pair = pair_start((mqc_producer_options){0});
    add_fault(&pair, (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = MESSAGE_ILLEGAL});
    ck_fails(send_one(&pair, NULL, &error), MQC_REFUSED, "1 attempt in", "MESSAGE_ILLEGAL");
    ck_assert_int_eq(error.broker_code, MESSAGE_ILLEGAL);
    ck_assert(!error.retryable);
    send_async_and_end(&pair, &outcome, 1);
    ck_assert_int_eq(outcome.error.status, MQC_REFUSED);
    ck_assert_int_eq(outcome.error.broker_code, MESSAGE_ILLEGAL);
    ck_assert_int_eq(mqc_embedded_request_count(pair.cluster, SEND_MESSAGE_V2), 2);
    pair_end(&pair);
}
END_TEST

/* Both kinds of sends name every broker, and own up to what an earlier attempt may have done. */
START_TEST(test_error_tells_the_whole_story)
{
    mqc_error error;
    struct outcome outcome;
    struct pair pair = pair_start((mqc_producer_options){.retries = 1, .async_retries = 1});
    for (int i = 0; i < 2; i++) {
        add_fault(&pair, (mqc_embedded_fault){.kind = MQC_FAULT_CLOSE, .count = 1});
        add_fault(&pair,
                  (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY, .count = 1});
        if (i == 0) {
            ck_fails(send_one(&pair, NULL, &error), MQC_REFUSED, "2 attempts in", "broker-a",
                     "broker-b", "SYSTEM_BUSY");
        } else {
            send_async_and_end(&pair, &outcome, 1);
            error = outcome.error;
            ck_assert_int_eq(error.status, MQC_REFUSED);
            ck_assert_ptr_nonnull(strstr(error.text, "2 attempts in"));
            ck_assert_ptr_nonnull(strstr(error.text, "broker-a"));
            ck_assert_ptr_nonnull(strstr(error.text, "broker-b"));
        }
        ck_assert_int_eq(error.broker_code, SYSTEM_BUSY);
        ck_assert(error.retryable);
        ck_assert(error.maybe_done); /* a connection that ends has said nothing of its request */
    }
    pair_end(&pair);
}
END_TEST

/* What was refused was not stored: nothing may have been done. */
START_TEST(test_refusals_are_certain)
{
    mqc_error error;
    struct outcome outcome;
    struct pair pair = pair_start((mqc_producer_options){0});
    add_fault(&pair, (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY});
    ck_fails(send_one(&pair, NULL, &error), MQC_REFUSED, "3 attempts in", "SYSTEM_BUSY");
    ck_assert(!error.maybe_done);
    send_async_and_end(&pair, &outcome, 1);
    ck_assert_ptr_nonnull(strstr(outcome.error.text, "3 attempts in"));
    ck_assert(!outcome.error.maybe_done);
    ck_assert_int_eq(mqc_embedded_request_count(pair.cluster, SEND_MESSAGE_V2), 6);
    pair_end(&pair);
}
END_TEST

/* A cap on each attempt leaves time for another one when the first is never answered. */
START_TEST(test_hung_broker_leaves_time)
{
    mqc_error error;
    mqc_send_result result;
    struct outcome outcome;
    struct pair pair = pair_start((mqc_producer_options){.attempt_timeout_ms = 300});
    add_fault(&pair, (mqc_embedded_fault){.kind = MQC_FAULT_LOSE, .server = "broker-a"});
    for (int i = 0; i < 2; i++) {
        ck_ok(send_one(&pair, &result, &error));
        ck_assert_str_eq(result.queue.broker_name, "broker-b");
    }
    send_async_and_end(&pair, &outcome, 1);
    ck_assert_msg(outcome.error.status == MQC_OK, "%s", outcome.error.text);
    ck_assert_str_eq(outcome.result.queue.broker_name, "broker-b");
    pair_end(&pair);
}
END_TEST

/* A broker that goes away asks for the same again on a new connection: also of the only attempt
 * that a send to a given queue has. */
START_TEST(test_going_away_is_not_counted)
{
    mqc_error error;
    struct outcome outcome = {.calls = 0};
    struct pair pair = pair_start((mqc_producer_options){.retries = -1, .async_retries = -1});
    mqc_message_queue queue = {pair.topic, "broker-a", 1};
    mqc_send_options options = {.queue = &queue};
    mqc_send_result result;
    mqc_message *message = mqc_message_new(pair.topic, "body", 4);
    for (int i = 0; i < 2; i++)
        add_fault(&pair, (mqc_embedded_fault){
                             .kind = MQC_FAULT_ANSWER, .value = GO_AWAY, .skip = i, .count = 1});
    ck_ok(mqc_producer_send(pair.producer, message, &options, &result, &error));
    ck_assert_int_eq(result.queue.queue_id, 1);
    ck_ok(mqc_producer_send_async(pair.producer, message, &options, take, &outcome, &error));
    mqc_message_free(message);
    ck_ok(mqc_producer_shutdown(pair.producer, CONTRACT_WAIT_MS, &error));
    ck_assert_int_eq(outcome.calls, 1);
    ck_assert_msg(outcome.error.status == MQC_OK, "%s", outcome.error.text);
    ck_assert_int_eq(outcome.result.queue.queue_id, 1);
    pair_end(&pair);
}
END_TEST

/* ---- avoidance ---- */

/* From one failure on for longer than a test takes, or for so short that it sees the end. */
static const mqc_latency_step FOR_LONG[] = {{0, 0}, {10000, 600000}};
static const mqc_latency_step SHORTLY[] = {{0, 0}, {10000, 50}};

static int64_t sends_at(const struct pair *pair)
{
    return mqc_embedded_request_count(pair->cluster, SEND_MESSAGE_V2);
}

START_TEST(test_refusing_broker_is_left_alone)
{
    enum { COUNT = 20 };
    mqc_error error;
    mqc_send_result result;
    struct pair pair = pair_start((mqc_producer_options){
        .avoid_slow_brokers = true, .latency_steps = FOR_LONG, .latency_step_count = 2});
    add_fault(&pair, (mqc_embedded_fault){
                         .kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY, .server = "broker-a"});
    for (int i = 0; i < COUNT; i++) {
        ck_ok(send_one(&pair, &result, &error));
        ck_assert_str_eq(result.queue.broker_name, "broker-b");
    }
    ck_assert_int_le(sends_at(&pair), COUNT + 1); /* one at most was sacrificed */
    pair_end(&pair);
}
END_TEST

static bool goes_to_a(void *arg)
{
    mqc_error error;
    mqc_send_result result;
    ck_ok(send_one(arg, &result, &error));
    return strcmp(result.queue.broker_name, "broker-a") == 0;
}

START_TEST(test_it_comes_back)
{
    mqc_error error;
    mqc_send_result result;
    struct pair pair = pair_start((mqc_producer_options){
        .avoid_slow_brokers = true, .latency_steps = SHORTLY, .latency_step_count = 2});
    int id = add_fault(
        &pair,
        (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY, .server = "broker-a"});
    for (int i = 0; i < 4; i++) ck_ok(send_one(&pair, &result, &error));
    ck_assert(mqc_embedded_clear_fault(pair.cluster, id));
    contract_await("broker-a to be used again", goes_to_a, &pair);
    pair_end(&pair);
}
END_TEST

/* Slow enough to be avoided, but there is no other: it is used all the same. */
START_TEST(test_bad_ones_are_better_than_none)
{
    mqc_error error;
    mqc_send_result result;
    struct pair pair = pair_start((mqc_producer_options){
        .avoid_slow_brokers = true, .latency_steps = FOR_LONG, .latency_step_count = 2});
    add_fault(&pair,
              (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_BUSY, .count = 3});
    ck_fails(send_one(&pair, NULL, &error), MQC_REFUSED, "3 attempts");
    for (int i = 0; i < 4; i++) ck_ok(send_one(&pair, &result, &error));
    pair_end(&pair);
}
END_TEST

/* A broker that is gone costs no send more than the first, and is back when a probe finds it. */
START_TEST(test_probes_bring_a_dead_broker_back)
{
    enum { COUNT = 10 };
    mqc_error error;
    mqc_send_result result;
    struct pair pair = pair_start((mqc_producer_options){.avoid_slow_brokers = true,
                                                         .detect_brokers = true,
                                                         .detect_interval_ms = 50,
                                                         .detect_timeout_ms = 10000,
                                                         .latency_steps = SHORTLY,
                                                         .latency_step_count = 2});
    ck_ok(mqc_embedded_broker_down(pair.cluster, 0, MQC_EMBEDDED_KEEP_ROUTE, &error));
    for (int i = 0; i < COUNT; i++) {
        ck_ok(send_one(&pair, &result, &error));
        ck_assert_str_eq(result.queue.broker_name, "broker-b");
    }
    ck_ok(mqc_embedded_broker_up(pair.cluster, 0, &error));
    contract_await("broker-a to be used again", goes_to_a, &pair);
    pair_end(&pair);
}
END_TEST

START_TEST(test_wrong_settings)
{
    mqc_error error;
    static const mqc_latency_step falling[] = {{100, 1}, {50, 1}};
    const struct {
        mqc_producer_options options;
        const char *part;
    } wrong[] = {
        {{.detect_brokers = true}, "startDetectorEnable"},
        {{.latency_steps = FOR_LONG, .latency_step_count = 2}, "sendLatencyFaultEnable"},
        {{.avoid_slow_brokers = true, .latency_steps = falling, .latency_step_count = 2},
         "latency_steps[1]"},
        {{.avoid_slow_brokers = true, .latency_steps = falling}, "latency_step_count"},
        {{.avoid_slow_brokers = true, .latency_step_count = 2}, "latency_step_count"},
        {{.detect_interval_ms = -1}, "detectInterval"},
        {{.detect_timeout_ms = 600001}, "detectTimeout"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mqc_client_options client = contract_client();
        mqc_producer_options options = wrong[i].options;
        options.client = &client;
        options.group = "group";
        ck_assert_ptr_null(mqc_producer_new(&options, &error));
        ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
        ck_assert_msg(strstr(error.text, wrong[i].part) != NULL, "%s", error.text);
    }
}
END_TEST

CONTRACT_MAIN("avoidance", test_refused_by_one_stored_by_the_other,
              test_what_no_broker_takes_is_tried_once, test_error_tells_the_whole_story,
              test_refusals_are_certain, test_hung_broker_leaves_time,
              test_going_away_is_not_counted, test_refusing_broker_is_left_alone,
              test_it_comes_back, test_bad_ones_are_better_than_none,
              test_probes_bring_a_dead_broker_back, test_wrong_settings)
