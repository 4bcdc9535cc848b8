/* What a consumer does about pulls that are lost, which must not happen: here they are taken from
 * it. The cluster is a library of its own. */
#include <stdatomic.h>
#include <stdio.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

#include "lib/base/clock.h"
#include "lib/consumer/push_consumer.h"
#include "test/unit/unit.h"

enum { WAIT_MS = 60000, STUCK_MS = 200 };
#define TOPIC "lost"

static mqc_embedded *cluster;
static mqc_client_options client;
static mqc_producer *producer;
static mqc_push_consumer *consumer;
static mqc_error error;
static atomic_int consumed, named;
static atomic_bool lose; /* the next pull request of the topic's queue */

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    atomic_fetch_add(&consumed, (int)mqc_delivery_count(delivery));
    return MQC_CONSUME_SUCCESS;
}

static void note(const mqc_log_line *line, void *arg)
{
    (void)arg;
    if (line->level == MQC_LOG_ERROR && strstr(line->text, "its pulls have stopped"))
        atomic_fetch_add(&named, 1);
}

static void lost(struct pull_request *request)
{
    queue_pull_end(CONTAINER_OF(request, struct consumer_queue, pull));
}

/* On the pull thread, which has the pull request. */
static int64_t lose_pull(struct consumer_queue *queue, enum queue_pause *why)
{
    (void)why;
    if (strcmp(queue->place.topic, TOPIC) != 0 || !atomic_exchange(&lose, false)) return 0;
    queue->pull.pull = lost;
    return 1;
}

static void await(const char *what, atomic_int *count, int least)
{
    int64_t deadline_ms = clock_deadline_ms(WAIT_MS);
    while (atomic_load(count) < least) {
        ck_assert_msg(clock_now_ms() < deadline_ms, "%s: %d, not %d", what, atomic_load(count),
                      least);
        clock_sleep_until(clock_now_ms() + 5);
    }
}

static void send_one(void)
{
    mqc_message *message = mqc_message_new(TOPIC, "body", 4);
    ck_assert_msg(mqc_producer_send(producer, message, NULL, NULL, &error) == MQC_OK, "%s",
                  error.text);
    mqc_message_free(message);
}

static void set_up(void)
{
    static struct consumer_kind kind;
    cluster = mqc_embedded_start(NULL, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    mqc_embedded_create_topic(cluster, -1, TOPIC, 1, &error);
    mqc_log_to(note, NULL, MQC_LOG_WARN);
    client = (mqc_client_options){.name_servers = mqc_embedded_name_servers(cluster)};
    producer = mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "p"}, &error);
    ck_assert_int_eq(mqc_producer_start(producer, &error), MQC_OK);
    mqc_push_consumer_options options = {.client = &client,
                                         .group = "g",
                                         .listener = take,
                                         .from = MQC_FROM_FIRST,
                                         .stuck_after_ms = STUCK_MS};
    consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_msg(consumer != NULL, "%s", error.text);
    kind = PUSH_CONCURRENTLY;
    kind.pull_delay = lose_pull;
    consumer->core.kind = &kind;
    ck_assert_int_eq(mqc_push_consumer_subscribe(consumer, TOPIC, "*", &error), MQC_OK);
    ck_assert_int_eq(mqc_push_consumer_start(consumer, &error), MQC_OK);
}

static void tear_down(void)
{
    mqc_push_consumer_free(consumer);
    mqc_producer_free(producer);
    mqc_embedded_stop(cluster);
}

START_TEST(lost_pulls_are_begun_anew)
{
    mqc_consumer_health health;
    set_up();
    send_one();
    await("consumed", &consumed, 1);
    for (int round = 1; round <= 2; round++) {
        atomic_store(&lose, true);
        send_one(); /* with it the pull comes round, and is lost */
        await("named", &named, round);
        send_one();
        await("consumed", &consumed, 1 + 2 * round);
    }
    ck_assert_int_eq(mqc_push_consumer_health(consumer, &health, &error), MQC_OK);
    ck_assert_int_eq(health.restarted, 2);
    ck_assert_int_eq(health.stuck_in_all, 2);
    ck_assert_int_eq(mqc_push_consumer_shutdown(consumer, WAIT_MS, &error), MQC_OK);
    ck_assert_int_eq(mqc_embedded_lag(cluster, "g", TOPIC), 0);
    ck_assert_int_eq(atomic_load(&consumed), 5); /* each once */
    tear_down();
}
END_TEST

static Suite *suite(void)
{
    Suite *made = suite_create("watchdog");
    TCase *tests = tcase_create("pulls");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, lost_pulls_are_begun_anew);
    suite_add_tcase(made, tests);
    return made;
}

TEST_MAIN(suite)
