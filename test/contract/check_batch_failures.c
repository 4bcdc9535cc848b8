/* Batches whose requests fail in the midst of it: what was accepted, what may be, and what was
 * never sent. On embedded clusters, which do as they are told. */
#include <stdio.h>

#include "test/contract/batches.h"

enum { SEND_BATCH_MESSAGE = 320, SYSTEM_ERROR = 1, MESSAGE_ILLEGAL = 13 };

struct scene {
    mqc_embedded *cluster;
    mqc_producer *producer;
};

static struct scene scene_begin(int retries)
{
    mqc_error error;
    struct scene scene = {.cluster = mqc_embedded_start(NULL, &error)};
    ck_assert_msg(scene.cluster != NULL, "%s", error.text);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(scene.cluster)};
    mqc_producer_options options = {.client = &client,
                                    .group = "senders",
                                    .send_timeout_ms = CONTRACT_WAIT_MS,
                                    .retries = retries,
                                    .async_retries = retries,
                                    .max_message_bytes = 1000};
    scene.producer = mqc_producer_new(&options, &error);
    ck_assert_msg(scene.producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(scene.producer, &error));
    ck_ok(mqc_embedded_create_topic(scene.cluster, -1, "orders", 4, &error));
    return scene;
}

static void scene_end(struct scene *scene)
{
    mqc_producer_free(scene->producer);
    mqc_embedded_stop(scene->cluster);
}

static void fail_after_two(const struct scene *scene, mqc_embedded_fault fault)
{
    mqc_error error;
    fault.request_code = SEND_BATCH_MESSAGE;
    fault.skip = 2;
    ck_ok(mqc_embedded_add_fault(scene->cluster, &fault, NULL, &error));
}

/* Two requests are accepted, the third is not, and no other is sent. */
static void check_stopped(const struct batch *batch, mqc_status status, bool maybe_done,
                          const mqc_error *error)
{
    size_t accepted = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const mqc_batch_item *item = &batch->items[i];
        if (i > 0) ck_assert(item->status != MQC_OK || item[-1].status == MQC_OK);
        if (item->status == MQC_OK) {
            accepted++;
            ck_assert_int_lt(item->request, 2);
        } else {
            ck_assert_int_eq(item->status, status);
            ck_assert(item->request == 2 || item->request == -1);
            ck_assert_int_eq(item->maybe_done, maybe_done && item->request == 2);
            ck_assert_uint_eq(strlen(item->message_id), item->request == 2 ? 32 : 0);
        }
    }
    ck_assert_uint_gt(accepted, 0);
    char text[64];
    snprintf(text, sizeof text, "%zu of %zu messages were accepted, then: ", accepted,
             batch->count);
    ck_assert_msg(strstr(error->text, text) == error->text, "%s", error->text);
    ck_assert_int_eq(error->maybe_done, maybe_done);
}

START_TEST(test_failure_in_the_midst_of_it)
{
    mqc_error error;
    struct scene scene = scene_begin(-1);
    fail_after_two(&scene,
                   (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = MESSAGE_ILLEGAL});
    struct batch *batch = batch_new("orders", "m", 30, 100);
    ck_fails(batch_send(scene.producer, batch, NULL, &error), MQC_REFUSED, "MESSAGE_ILLEGAL");
    check_stopped(batch, MQC_REFUSED, false, &error);
    ck_assert_int_eq(error.broker_code, MESSAGE_ILLEGAL);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_BATCH_MESSAGE), 3);
    batch_free(batch);
    scene_end(&scene);
}
END_TEST

START_TEST(test_lost_answer_in_the_midst_of_it)
{
    mqc_error error;
    struct scene scene = scene_begin(-1);
    fail_after_two(&scene, (mqc_embedded_fault){.kind = MQC_FAULT_DROP});
    struct batch *batch = batch_new("orders", "m", 30, 100);
    ck_fails(batch_send(scene.producer, batch, NULL, &error), MQC_NO_CONNECTION, "accepted");
    check_stopped(batch, MQC_NO_CONNECTION, true, &error);
    batch_free(batch);
    scene_end(&scene);
}
END_TEST

START_TEST(test_asynchronous_failure_in_the_midst_of_it)
{
    mqc_error error;
    struct scene scene = scene_begin(-1);
    struct outcomes *outcomes = outcomes_new(1);
    fail_after_two(&scene, (mqc_embedded_fault){.kind = MQC_FAULT_DROP});
    struct batch_answer answer = {outcome_of(outcomes, 0), batch_new("orders", "m", 30, 100)};
    ck_ok(mqc_producer_send_batch_async(scene.producer, answer.batch->messages, 30, NULL,
                                        batch_take_answer, &answer, &error));
    outcomes_await(outcomes, 1);
    check_stopped(answer.batch, MQC_NO_CONNECTION, true, &answer.outcome->error);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_BATCH_MESSAGE), 3);
    batch_free(answer.batch);
    scene_end(&scene);
    outcomes_free(outcomes);
}
END_TEST

/* Each request is tried again by itself, and what it carries has the same ids. */
START_TEST(test_requests_are_retried)
{
    mqc_error error;
    struct scene scene = scene_begin(0);
    fail_after_two(
        &scene, (mqc_embedded_fault){.kind = MQC_FAULT_ANSWER, .value = SYSTEM_ERROR, .count = 2});
    struct batch *batch = batch_new("orders", "m", 30, 100);
    ck_ok(batch_send(scene.producer, batch, NULL, &error));
    int requests = batch_check_items(batch);
    ck_assert_int_eq(mqc_embedded_request_count(scene.cluster, SEND_BATCH_MESSAGE), requests + 2);
    ck_assert_int_eq(mqc_embedded_message_count(scene.cluster, "orders"), 30);
    fail_after_two(&scene, (mqc_embedded_fault){.kind = MQC_FAULT_DROP, .count = 1});
    struct outcomes *outcomes = outcomes_new(1);
    struct batch_answer answer = {outcome_of(outcomes, 0), batch};
    ck_ok(mqc_producer_send_batch_async(scene.producer, batch->messages, 30, NULL,
                                        batch_take_answer, &answer, &error));
    outcomes_await(outcomes, 1);
    ck_assert_int_eq(batch_check_items(batch), requests);
    ck_assert_int_gt(mqc_embedded_message_count(scene.cluster, "orders"), 60); /* one twice */
    batch_free(batch);
    scene_end(&scene);
    outcomes_free(outcomes);
}
END_TEST

START_TEST(test_cancelled_by_a_shutdown)
{
    mqc_error error;
    struct scene scene = scene_begin(0);
    struct outcomes *outcomes = outcomes_new(1);
    fail_after_two(&scene, (mqc_embedded_fault){.kind = MQC_FAULT_LOSE});
    struct batch_answer answer = {outcome_of(outcomes, 0), batch_new("orders", "m", 30, 100)};
    ck_ok(mqc_producer_send_batch_async(scene.producer, answer.batch->messages, 30, NULL,
                                        batch_take_answer, &answer, &error));
    ck_ok(mqc_embedded_await_requests(scene.cluster, SEND_BATCH_MESSAGE, 3, CONTRACT_WAIT_MS,
                                      &error));
    ck_ok(mqc_producer_shutdown(scene.producer, 0, &error));
    ck_assert_int_eq(outcomes_count(outcomes), 1);
    check_stopped(answer.batch, MQC_CANCELLED, true, &answer.outcome->error);
    batch_free(answer.batch);
    scene_end(&scene);
    outcomes_free(outcomes);
}
END_TEST

CONTRACT_MAIN("batch failures", test_failure_in_the_midst_of_it,
              test_lost_answer_in_the_midst_of_it, test_asynchronous_failure_in_the_midst_of_it,
              test_requests_are_retried, test_cancelled_by_a_shutdown)
