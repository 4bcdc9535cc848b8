/* Fifty rounds of eight sending threads, synchronous and asynchronous, while brokers are killed and
 * restarted, stall, answer nothing or nonsense, and connections are cut in the middle of frames:
 * no acknowledged message is lost, no callback is missed or doubled, and what is said not to be
 * stored is not.
 *
 * On a real cluster, MQC_STORM_CONTROL is the command that kills and pauses its broker
 * ("test/broker/cluster"), MQC_STORM_CLUSTER the cluster's name there; without them the sea is
 * calm. MQC_STORM_ROUNDS: how many rounds. */
#include <stdio.h>
#include <stdlib.h>

#include "test/contract/storm.h"

enum { SEND_MESSAGE_V2 = 310, CALM_ROUNDS = 5 };

static mqc_producer *new_producer(const mqc_client_options *client, int attempt_timeout_ms)
{
    mqc_error error;
    mqc_producer_options options = {.client = client,
                                    .group = contract_name("storm"),
                                    .send_timeout_ms = 3 * attempt_timeout_ms,
                                    .attempt_timeout_ms = attempt_timeout_ms};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    return producer;
}

static int rounds_wanted(int usual)
{
    const char *text = getenv("MQC_STORM_ROUNDS");
    return text ? atoi(text) : usual;
}

/* ---- embedded ---- */

struct sea {
    mqc_embedded *cluster;
    struct storm *storm;
    int round;
};

static void fault(const struct sea *sea, mqc_embedded_fault fault)
{
    mqc_error error;
    if (fault.kind != MQC_FAULT_STALL) fault.request_code = SEND_MESSAGE_V2;
    ck_ok(mqc_embedded_add_fault(sea->cluster, &fault, NULL, &error));
}

/* The rest of the round, in trouble that ends by itself. */
static void go_through(const struct sea *sea)
{
    storm_go_on(sea->storm);
    storm_await(sea->storm, STORM_ROUND);
}

/* Down in the middle of the round, and up again when some that began then have ended. */
static void kill_and_restart(const struct sea *sea, int first, int last, int how)
{
    mqc_error error;
    for (int i = first; i <= last; i++)
        ck_ok(mqc_embedded_broker_down(sea->cluster, i, how, &error));
    storm_go_on(sea->storm);
    storm_await(sea->storm, STORM_ROUND / 2 + STORM_THREADS);
    for (int i = first; i <= last; i++) ck_ok(mqc_embedded_broker_up(sea->cluster, i, &error));
}

static void kill_one(const struct sea *sea)
{
    kill_and_restart(sea, 0, 0, MQC_EMBEDDED_KEEP_ROUTE);
}

static void kill_one_for_all_to_know(const struct sea *sea)
{
    kill_and_restart(sea, 1, 1, 0);
}

static void kill_all(const struct sea *sea)
{
    mqc_error error;
    for (int i = 0; i < 2; i++)
        ck_ok(mqc_embedded_broker_down(sea->cluster, i, MQC_EMBEDDED_KEEP_ROUTE, &error));
    go_through(sea);
    for (int i = 0; i < 2; i++) ck_ok(mqc_embedded_broker_up(sea->cluster, i, &error));
}

static void stall(const struct sea *sea)
{
    fault(sea, (mqc_embedded_fault){.kind = MQC_FAULT_STALL, .server = "broker-a"});
    mqc_embedded_disconnect(sea->cluster, NULL);
    storm_go_on(sea->storm);
    storm_await(sea->storm, STORM_ROUND / 2 + STORM_THREADS);
}

static void hold_all_answers(const struct sea *sea)
{
    fault(sea, (mqc_embedded_fault){.kind = MQC_FAULT_NO_ANSWER});
    storm_go_on(sea->storm);
    storm_await(sea->storm, STORM_ROUND / 2 + STORM_THREADS);
}

static void lose_requests(const struct sea *sea)
{
    fault(sea, (mqc_embedded_fault){.kind = MQC_FAULT_LOSE, .count = 10});
    go_through(sea);
}

/* Somewhere in an answer: in its length, its header, its fields. */
static void cut_answers(const struct sea *sea)
{
    fault(sea,
          (mqc_embedded_fault){.kind = MQC_FAULT_DROP, .value = sea->round * 7 % 200, .count = 10});
    go_through(sea);
}

/* And wherever requests are, some of them half written. */
static void cut_requests(const struct sea *sea)
{
    storm_go_on(sea->storm);
    for (int ended = STORM_THREADS; ended < STORM_ROUND; ended += STORM_THREADS) {
        mqc_embedded_disconnect(sea->cluster, NULL);
        storm_await(sea->storm, ended);
    }
}

static void answer_nonsense(const struct sea *sea)
{
    fault(sea, (mqc_embedded_fault){.kind = MQC_FAULT_GARBAGE, .count = 3});
    fault(sea, (mqc_embedded_fault){.kind = MQC_FAULT_WRONG_OPAQUE, .count = 3});
    fault(sea, (mqc_embedded_fault){.kind = MQC_FAULT_DUPLICATE, .count = 10});
    go_through(sea);
}

static void answer_late(const struct sea *sea)
{
    fault(sea, (mqc_embedded_fault){.kind = MQC_FAULT_DELAY, .value = 80, .count = 10});
    go_through(sea);
}

static void troubled_sea(mqc_embedded *cluster)
{
    typedef void trouble(const struct sea *sea);
    static trouble *const troubles[] = {
        kill_one,      cut_answers,      stall,    kill_one_for_all_to_know,
        cut_requests,  hold_all_answers, kill_all, answer_nonsense,
        lose_requests, answer_late};
    mqc_error error;
    int rounds = rounds_wanted(50);
    mqc_log_to(NULL, NULL, MQC_LOG_OFF); /* of so much trouble */
    ck_ok(mqc_embedded_add_broker(cluster, NULL, &error));
    const char *topic = contract_topic(4);
    mqc_client_options client = contract_client();
    client.connect_timeout_ms = 50;
    mqc_producer *producer = new_producer(&client, 50);
    struct sea sea = {cluster, storm_new(producer, topic, rounds), 0};
    for (; sea.round < rounds; sea.round++) {
        storm_begin_round(sea.storm);
        storm_await(sea.storm, STORM_THREADS); /* all are at it */
        troubles[(size_t)sea.round % (sizeof troubles / sizeof troubles[0])](&sea);
        mqc_embedded_clear_faults(cluster);
        storm_await(sea.storm, STORM_ROUND);
    }
    struct storm_totals totals = storm_check(sea.storm);
    printf("%d acknowledged, %d failed, %d perhaps stored\n", totals.acknowledged, totals.failed,
           totals.perhaps);
    ck_assert_int_gt(totals.acknowledged, rounds);
    ck_assert_int_gt(totals.failed, 0);
    ck_assert_int_gt(totals.perhaps, 0);
    mqc_producer_free(producer);
    storm_free(sea.storm);
}

/* ---- real brokers ---- */

static void control(const char *what)
{
    char command[512];
    const char *program = getenv("MQC_STORM_CONTROL"), *name = getenv("MQC_STORM_CLUSTER");
    if (!program || !name) return;
    snprintf(command, sizeof command, "%s %s %s >/dev/null", program, what, name);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void real_sea(void)
{
    bool controlled = getenv("MQC_STORM_CONTROL") != NULL;
    int rounds = controlled ? rounds_wanted(4) : CALM_ROUNDS;
    const char *topic = contract_topic(4);
    mqc_client_options client = contract_client();
    client.connect_timeout_ms = 1000;
    mqc_producer *producer = new_producer(&client, controlled ? 500 : CONTRACT_WAIT_MS);
    struct storm *storm = storm_new(producer, topic, rounds);
    for (int round = 0; round < rounds; round++) {
        storm_begin_round(storm);
        storm_await(storm, STORM_THREADS);
        control(round % 2 ? "pause-broker" : "kill-broker");
        storm_go_on(storm);
        if (controlled) storm_await(storm, STORM_ROUND / 2 + STORM_THREADS);
        control(round % 2 ? "resume-broker" : "start-broker");
        storm_await(storm, STORM_ROUND);
    }
    /* The last word is a broker's that is well. */
    mqc_producer *calm = contract_producer(NULL);
    char body[] = "0:";
    contract_send(calm, topic, body);
    mqc_producer_free(calm);
    struct storm_totals totals = storm_check(storm);
    printf("%d acknowledged, %d failed, %d perhaps stored\n", totals.acknowledged, totals.failed,
           totals.perhaps);
    ck_assert_int_gt(totals.acknowledged, 0);
    if (!controlled) ck_assert_int_eq(totals.acknowledged, rounds * STORM_ROUND);
    mqc_producer_free(producer);
    storm_free(storm);
}

START_TEST(test_eight_threads_through_broker_trouble)
{
    mqc_embedded *cluster = contract_embedded();
    if (cluster)
        troubled_sea(cluster);
    else
        real_sea();
}
END_TEST

CONTRACT_MAIN("storm", test_eight_threads_through_broker_trouble)
