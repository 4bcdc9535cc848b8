/* Bounds on asynchronous sends that wait for their results: senders wait for room or are told that
 * there is none, and memory has a bound whatever the broker does. On embedded clusters that stall
 * as they are told. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/outcomes.h"
#include "test/contract/process_state.h"

enum { SEND_MESSAGE_V2 = 310 };

struct scene {
    mqc_embedded *cluster;
    mqc_producer *producer;
    struct outcomes *outcomes;
};

static struct scene scene_begin(mqc_producer_options options, int sends)
{
    mqc_error error;
    struct scene scene = {.cluster = mqc_embedded_start(NULL, &error),
                          .outcomes = outcomes_new(sends)};
    ck_assert_msg(scene.cluster != NULL, "%s", error.text);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(scene.cluster),
                                 .callback_threads = 1};
    options.client = &client;
    options.group = "senders";
    options.compress_above_bytes = -1; /* bodies of zeros are as large as they look */
    if (options.send_timeout_ms == 0) options.send_timeout_ms = CONTRACT_WAIT_MS;
    scene.producer = mqc_producer_new(&options, &error);
    ck_assert_msg(scene.producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(scene.producer, &error));
    ck_ok(mqc_embedded_create_topic(scene.cluster, -1, "orders", 4, &error));
    return scene;
}

/* Without a drain: what a stalled broker has will not be answered. When it is well again it hears
 * that the producer leaves. */
static void scene_end(struct scene *scene)
{
    mqc_error error;
    mqc_embedded_clear_faults(scene->cluster);
    mqc_embedded_disconnect(scene->cluster, NULL);
    mqc_producer_shutdown(scene->producer, 0, &error);
    mqc_producer_free(scene->producer);
    mqc_embedded_stop(scene->cluster);
    outcomes_free(scene->outcomes);
}

/* From now on requests go in and nothing comes out. */
static int stall(const struct scene *scene)
{
    mqc_error error;
    int id;
    mqc_embedded_fault fault = {.kind = MQC_FAULT_LOSE, .request_code = SEND_MESSAGE_V2};
    ck_ok(mqc_embedded_add_fault(scene->cluster, &fault, &id, &error));
    return id;
}

static mqc_status send_one(const struct scene *scene, int number, size_t bytes, int timeout_ms,
                           mqc_error *error)
{
    char *body = calloc(1, bytes);
    mqc_message *message = mqc_message_new("orders", body, bytes);
    mqc_send_options options = {.timeout_ms = timeout_ms};
    memset(error, 0, sizeof *error);
    mqc_status status = mqc_producer_send_async(scene->producer, message, &options, outcome_take,
                                                outcome_of(scene->outcomes, number), error);
    mqc_message_free(message);
    free(body);
    return status;
}

START_TEST(test_full_by_count_fails_at_once)
{
    mqc_error error;
    struct scene scene = scene_begin(
        (mqc_producer_options){.max_async_sends = 3, .when_full = MQC_WHEN_FULL_FAIL}, 4);
    stall(&scene);
    for (int i = 0; i < 3; i++) ck_ok(send_one(&scene, i, 10, 0, &error));
    ck_fails(send_one(&scene, 3, 10, 0, &error), MQC_BUSY, "3 asynchronous sends with 30 bytes",
             "max_async_sends");
    ck_assert(error.retryable);
    ck_assert(!error.maybe_done);
    mqc_producer_shutdown(scene.producer, 0, &error);
    /* What was refused has no callback. */
    ck_assert_int_eq(outcomes_count(scene.outcomes), 3);
    ck_assert_int_eq(outcome_of(scene.outcomes, 3)->calls, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(test_full_by_bytes_fails_at_once)
{
    mqc_error error;
    struct scene scene = scene_begin(
        (mqc_producer_options){.max_async_bytes = 1000, .when_full = MQC_WHEN_FULL_FAIL}, 3);
    stall(&scene);
    ck_ok(send_one(&scene, 0, 2000, 0, &error)); /* alone, although it is larger than the limit */
    ck_fails(send_one(&scene, 1, 1, 0, &error), MQC_BUSY, "2000 bytes", "max_async_bytes");
    scene_end(&scene);
}
END_TEST

START_TEST(test_waiting_ends_with_the_timeout)
{
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.max_async_sends = 1}, 2);
    stall(&scene);
    ck_ok(send_one(&scene, 0, 10, 0, &error));
    int64_t begin_ms = contract_unix_ms();
    ck_fails(send_one(&scene, 1, 10, 200, &error), MQC_BUSY, "no room within the timeout");
    ck_assert_int_ge(contract_unix_ms() - begin_ms, 190);
    scene_end(&scene);
}
END_TEST

/* With room for two, a hundred go through: each waits for an answer to an earlier one. */
START_TEST(test_room_comes_with_the_answers)
{
    enum { COUNT = 100 };
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.max_async_sends = 2}, COUNT);
    for (int i = 0; i < COUNT; i++) ck_ok(send_one(&scene, i, 10, 0, &error));
    outcomes_await(scene.outcomes, COUNT);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(outcome_of(scene.outcomes, i)->calls, 1);
        ck_assert(outcome_of(scene.outcomes, i)->accepted);
    }
    ck_assert_int_eq(mqc_embedded_message_count(scene.cluster, "orders"), COUNT);
    scene_end(&scene);
}
END_TEST

/* ---- a broker that stalls: what is held does not grow with what is sent ---- */

struct flood {
    pthread_t thread;
    struct scene *scene;
    int first, accepted;
};

enum { FLOODS = 4, FLOOD_SENDS = 60, FLOOD_BYTES = 10000, ALLOWED = 16 };

static void *flood(void *arg)
{
    struct flood *flood = arg;
    mqc_error error;
    for (int i = 0; i < FLOOD_SENDS; i++)
        flood->accepted +=
            send_one(flood->scene, flood->first + i, FLOOD_BYTES, 5, &error) == MQC_OK;
    return NULL;
}

START_TEST(test_a_stalled_broker_holds_no_more_than_the_bound)
{
    mqc_error error;
    struct flood floods[FLOODS];
    struct scene scene =
        scene_begin((mqc_producer_options){.max_async_sends = ALLOWED}, FLOODS * FLOOD_SENDS + 1);
    stall(&scene);
    for (int i = 0; i < FLOODS; i++) {
        floods[i] = (struct flood){.scene = &scene, .first = i * FLOOD_SENDS};
        pthread_create(&floods[i].thread, NULL, flood, &floods[i]);
    }
    int accepted = 0;
    for (int i = 0; i < FLOODS; i++) {
        pthread_join(floods[i].thread, NULL);
        accepted += floods[i].accepted;
    }
    outcomes_await(scene.outcomes, accepted); /* their own timeouts ended them */
    ck_assert_int_eq(outcomes_accepted(scene.outcomes), 0);
    for (int i = 0; i < accepted; i++) ck_assert_int_le(outcome_of(scene.outcomes, i)->calls, 1);
    /* Well again, it is used again. */
    mqc_embedded_clear_faults(scene.cluster);
    ck_ok(send_one(&scene, FLOODS * FLOOD_SENDS, 10, 0, &error));
    outcomes_await(scene.outcomes, accepted + 1);
    ck_assert_int_eq(outcomes_accepted(scene.outcomes), 1);
    scene_end(&scene);
}
END_TEST

/* The connection is accepted and never read: what cannot be written stays in this process, also of
 * sends that have timed out, and of those that nobody waits for. */
enum { BODY = 100000 };

static void stop_reading(const struct scene *scene)
{
    mqc_error error;
    contract_send(scene->producer, "orders", "so that the route is known");
    mqc_embedded_fault fault = {.kind = MQC_FAULT_STALL, .server = "broker-a"};
    ck_ok(mqc_embedded_add_fault(scene->cluster, &fault, NULL, &error));
    mqc_embedded_disconnect(scene->cluster, NULL);
}

/* Half of what was offered, whatever the allocator adds to the bound. */
static void check_memory(long before_kib, int offered)
{
    long grown_kib = process_memory_kib() - before_kib, most_kib = (long)offered * BODY / 1024 / 2;
    if (!PROCESS_SANITIZED)
        ck_assert_msg(grown_kib < most_kib, "memory grew by %ld KiB", grown_kib);
}

START_TEST(test_memory_when_a_broker_reads_nothing)
{
    enum { LIMIT = 4 << 20, OFFERED = 500 };
    mqc_error error;
    struct scene scene = scene_begin(
        (mqc_producer_options){.max_async_bytes = LIMIT, .when_full = MQC_WHEN_FULL_FAIL}, OFFERED);
    stop_reading(&scene);
    long before_kib = process_memory_kib();
    int accepted = 0, refused = 0;
    for (int i = 0; i < OFFERED; i++) {
        mqc_status status = send_one(&scene, i, BODY, CONTRACT_WAIT_MS, &error);
        accepted += status == MQC_OK;
        refused += status == MQC_BUSY;
        ck_assert_int_le(accepted - outcomes_count(scene.outcomes), LIMIT / BODY);
    }
    ck_assert_int_eq(accepted + refused, OFFERED);
    ck_assert_int_gt(accepted, 0);
    check_memory(before_kib, OFFERED);
    mqc_producer_shutdown(scene.producer, 0, &error);
    ck_assert_int_eq(outcomes_count(scene.outcomes), accepted);
    scene_end(&scene);
}
END_TEST

START_TEST(test_memory_when_sends_time_out_unread)
{
    enum { OFFERED = 2000 }; /* 64 MiB may wait to be written */
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.max_async_sends = 100}, OFFERED);
    stop_reading(&scene);
    long before_kib = process_memory_kib();
    int accepted = 0;
    for (int i = 0; i < OFFERED; i++)
        accepted += send_one(&scene, accepted, BODY, 10, &error) == MQC_OK;
    check_memory(before_kib, OFFERED);
    outcomes_await(scene.outcomes, accepted);
    ck_assert_int_eq(outcomes_accepted(scene.outcomes), 0);
    scene_end(&scene);
}
END_TEST

START_TEST(test_memory_when_oneway_sends_are_unread)
{
    enum { OFFERED = 500 };
    mqc_error error;
    char *body = calloc(1, BODY);
    struct scene scene = scene_begin((mqc_producer_options){0}, 1);
    stop_reading(&scene);
    long before_kib = process_memory_kib();
    int busy = 0;
    mqc_send_options hasty = {.timeout_ms = 1}; /* that it waits for room */
    for (int i = 0; i < OFFERED; i++) {
        mqc_message *message = mqc_message_new("orders", body, BODY);
        busy += mqc_producer_send_oneway(scene.producer, message, &hasty, &error) == MQC_BUSY;
        mqc_message_free(message);
    }
    ck_assert_int_gt(busy, 0);
    ck_assert_ptr_nonnull(strstr(error.text, "wait to be written"));
    check_memory(before_kib, OFFERED);
    free(body);
    scene_end(&scene);
}
END_TEST

/* ---- who else is affected ---- */

START_TEST(test_synchronous_sends_need_no_room)
{
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.max_async_sends = 1}, 1);
    int fault = stall(&scene);
    ck_ok(send_one(&scene, 0, 10, 0, &error));
    ck_ok(mqc_embedded_await_requests(scene.cluster, SEND_MESSAGE_V2, 1, CONTRACT_WAIT_MS, &error));
    mqc_embedded_clear_fault(scene.cluster, fault);
    contract_send(scene.producer, "orders", "synchronous");
    mqc_message *message = mqc_message_new("orders", "oneway", 6);
    ck_ok(mqc_producer_send_oneway(scene.producer, message, NULL, &error));
    mqc_message_free(message);
    ck_assert_int_eq(outcomes_count(scene.outcomes), 0);
    scene_end(&scene);
}
END_TEST

/* One send after the other, each from the callback of the one before, with room for one and one
 * callback thread: it takes the place of its predecessor. A second one from a callback does not
 * wait for what only its own thread could make. */
struct chain {
    struct scene *scene;
    int sent, length;
    mqc_status second;
};

static void go_on(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct chain *chain = arg;
    mqc_error failure;
    mqc_message *message = mqc_message_new("orders", "chain", 5);
    if (result && ++chain->sent < chain->length) {
        mqc_status status =
            mqc_producer_send_async(chain->scene->producer, message, NULL, go_on, chain, &failure);
        ck_assert_int_eq(status, MQC_OK);
        chain->second = mqc_producer_send_async(chain->scene->producer, message, NULL, outcome_take,
                                                outcome_of(chain->scene->outcomes, 1), &failure);
    } else {
        outcome_note(outcome_of(chain->scene->outcomes, 0), result != NULL, error);
    }
    mqc_message_free(message);
}

START_TEST(test_callbacks_may_send)
{
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.max_async_sends = 1}, 2);
    struct chain chain = {.scene = &scene, .length = 50};
    mqc_message *message = mqc_message_new("orders", "chain", 5);
    ck_ok(mqc_producer_send_async(scene.producer, message, NULL, go_on, &chain, &error));
    mqc_message_free(message);
    outcomes_await(scene.outcomes, 1);
    ck_assert_int_eq(chain.sent, 50);
    ck_assert_int_eq(chain.second, MQC_BUSY);
    ck_assert_int_eq(outcome_of(scene.outcomes, 1)->calls, 0);
    scene_end(&scene);
}
END_TEST

struct waiting {
    pthread_t thread;
    struct scene *scene;
    mqc_status status;
    mqc_error error;
};

static void *wait_for_room(void *arg)
{
    struct waiting *waiting = arg;
    waiting->status = send_one(waiting->scene, 1, 10, 0, &waiting->error);
    return NULL;
}

START_TEST(test_a_shutdown_ends_the_waiting)
{
    mqc_error error;
    struct scene scene = scene_begin((mqc_producer_options){.max_async_sends = 1}, 2);
    struct waiting waiting = {.scene = &scene};
    stall(&scene);
    ck_ok(send_one(&scene, 0, 10, 0, &error));
    pthread_create(&waiting.thread, NULL, wait_for_room, &waiting);
    /* Without a drain the last callbacks may still be on their way. */
    if (mqc_producer_shutdown(scene.producer, 0, &error) == MQC_TIMEOUT)
        ck_ok(mqc_producer_shutdown(scene.producer, CONTRACT_WAIT_MS, &error));
    pthread_join(waiting.thread, NULL);
    /* It was waiting, or came too late for that. */
    ck_assert_msg(waiting.status == MQC_CANCELLED || waiting.status == MQC_WRONG_STATE, "%s",
                  waiting.error.text);
    ck_assert_int_eq(outcomes_count(scene.outcomes), 1);
    ck_assert_int_eq(outcome_of(scene.outcomes, 0)->error.status, MQC_CANCELLED);
    scene_end(&scene);
}
END_TEST

CONTRACT_MAIN("back pressure", test_full_by_count_fails_at_once, test_full_by_bytes_fails_at_once,
              test_waiting_ends_with_the_timeout, test_room_comes_with_the_answers,
              test_a_stalled_broker_holds_no_more_than_the_bound,
              test_memory_when_a_broker_reads_nothing, test_memory_when_sends_time_out_unread,
              test_memory_when_oneway_sends_are_unread, test_synchronous_sends_need_no_room,
              test_callbacks_may_send, test_a_shutdown_ends_the_waiting)
