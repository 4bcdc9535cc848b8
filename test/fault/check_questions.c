/* Offsets in memory as a member tells them through its broker (221), which only old tools ask for:
 * so the question is put by the insides of the client. */
#include <stdatomic.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

#include "lib/base/clock.h"
#include "lib/consumer/push_consumer.h"
#include "test/unit/unit.h"

enum { WAIT_MS = 60000 };

static mqc_embedded *cluster;
static mqc_error error;
static atomic_int consumed;

#define ok(call) ck_assert_msg((call) == MQC_OK, "%s: %s", #call, error.text)

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    atomic_fetch_add(&consumed, (int)mqc_delivery_count(delivery));
    return MQC_CONSUME_SUCCESS;
}

static void expect_offsets(mqc_push_consumer *consumer, const char *topic, const char *expected,
                           bool there)
{
    struct client_instance *instance = consumer->core.instance;
    struct get_consumer_status_header header = {.topic = slice_text(topic),
                                                .consumer_group = SLICE_LITERAL("g")};
    struct command_to_send request = {.code = REQUEST_INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
                                      .layout = &get_consumer_status_layout,
                                      .header = &header};
    struct remoting_response response;
    ok(remoting_client_call(client_instance_remoting(instance),
                            mqc_embedded_broker_address(cluster, 0), &request,
                            clock_deadline_ms(WAIT_MS), &response, &error));
    ck_assert_int_eq(response.command.code, RESPONSE_SUCCESS);
    struct slice body = response.command.body;
    bool found = memmem(body.data, body.size, expected, strlen(expected)) != NULL;
    ck_assert_msg(found == there, "%.*s", SLICE_FORMAT(body));
    remoting_response_done(&response);
}

START_TEST(offsets_in_memory_are_told)
{
    static const char orders[] =
        "{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"orders\"}:3";
    static const char others[] =
        "{\"brokerName\":\"broker-a\",\"queueId\":0,\"topic\":\"others\"}:0";
    cluster = mqc_embedded_start(NULL, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    ok(mqc_embedded_create_topic(cluster, -1, "orders", 1, &error));
    ok(mqc_embedded_create_topic(cluster, -1, "others", 1, &error));
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster),
                                 .persist_offsets_ms = 3600000};
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "p"}, &error);
    ok(mqc_producer_start(producer, &error));
    mqc_push_consumer_options options = {
        .client = &client, .group = "g", .listener = take, .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ok(mqc_push_consumer_subscribe(consumer, "orders", "*", &error));
    ok(mqc_push_consumer_subscribe(consumer, "others", "*", &error));
    ok(mqc_push_consumer_start(consumer, &error));
    mqc_message *message = mqc_message_new("orders", "body", 4);
    for (int i = 0; i < 3; i++) ok(mqc_producer_send(producer, message, NULL, NULL, &error));
    int64_t deadline_ms = clock_deadline_ms(WAIT_MS);
    struct consumer_queue *queue = NULL;
    mqc_message_queue places[] = {{"orders", "broker-a", 0}, {"others", "broker-a", 0}};
    for (size_t i = 0; i < 2; i++) {
        while (!(queue = consumer_queues_find(&consumer->core, &places[i])) ||
               offset_record_read(queue->offset) < (i == 0 ? 3 : 0)) {
            consumer_queue_unref(queue);
            ck_assert_int_lt(clock_now_ms(), deadline_ms);
            clock_sleep_until(clock_now_ms() + 2);
        }
        consumer_queue_unref(queue);
    }
    expect_offsets(consumer, "orders", orders, true);
    expect_offsets(consumer, "orders", others, false);
    expect_offsets(consumer, "", orders, true); /* all topics */
    expect_offsets(consumer, "", others, true);
    ck_assert_int_le(mqc_embedded_consumer_offset(cluster, "g", "orders", 0, 0),
                     0); /* not stored */
    mqc_message_free(message);
    mqc_push_consumer_free(consumer);
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
}
END_TEST

static Suite *suite(void)
{
    Suite *made = suite_create("questions");
    TCase *tests = tcase_create("offsets");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, offsets_in_memory_are_told);
    suite_add_tcase(made, tests);
    return made;
}

TEST_MAIN(suite)
