/* See scenarios.h. The cluster is a library of its own, in which nothing fails. */
#include "test/fault/scenarios.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "services/service.h"

enum { TIMEOUT_MS = 5000, AWAIT_MS = 60000, RUNS_MOST = 5000 };
#define TOPIC      "all"
#define BROADCASTS "broadcasts"

static mqc_embedded *cluster;
static mqc_client_options client;
static char name_servers[64], offsets[] = "/tmp/mqc-fault-XXXXXX";
static atomic_int acknowledged; /* sends that the producer says are stored */
static atomic_int called_back;
static atomic_int broadcasts, seen; /* messages that were sent, and the next to be consumed */
static long blocks_before;
static int descriptors_before;
static char when[64] = "without a failure"; /* for texts */

static int count_descriptors(void);

void scenarios_start(const char *host)
{
    mqc_error error;
    mqc_log_set_level(MQC_LOG_OFF);
    cluster = mqc_embedded_start(NULL, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    ck_assert_int_eq(mqc_embedded_create_topic(cluster, 0, TOPIC, 2, &error), MQC_OK);
    ck_assert_int_eq(mqc_embedded_create_topic(cluster, 0, BROADCASTS, 1, &error), MQC_OK);
    snprintf(name_servers, sizeof name_servers, "%s%s", host,
             strchr(mqc_embedded_name_servers(cluster), ':'));
    client = (mqc_client_options){.name_servers = name_servers, .persist_offsets_ms = 20};
    ck_assert_ptr_nonnull(mkdtemp(offsets));
}

void scenarios_stop(void)
{
    char command[sizeof offsets + 16];
    snprintf(command, sizeof command, "rm -r %s", offsets);
    ck_assert_int_eq(system(command), 0);
    mqc_embedded_stop(cluster);
}

/* ---- sending ---- */

static mqc_status send_one(mqc_producer *producer, const char *topic, const char *body,
                           mqc_error *error)
{
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    mqc_status status =
        message ? mqc_message_set_property(message, "name", "value", error) : MQC_NO_MEMORY;
    if (status == MQC_OK) status = mqc_producer_send(producer, message, NULL, NULL, error);
    if (status == MQC_OK) atomic_fetch_add(&acknowledged, 1);
    mqc_message_free(message);
    return status;
}

/* The status of what came to nothing. */
static mqc_status status_of(const mqc_error *error)
{
    ck_assert_int_ne(error->status, MQC_OK);
    ck_assert_str_ne(error->text, "");
    return error->status;
}

static mqc_status start_producer(mqc_producer **producer, mqc_error *error)
{
    mqc_producer_options options = {
        .client = &client, .group = "producers", .send_timeout_ms = TIMEOUT_MS};
    *producer = mqc_producer_new(&options, error);
    return *producer ? mqc_producer_start(*producer, error) : status_of(error);
}

mqc_status send_sync(mqc_error *error)
{
    mqc_producer *producer;
    mqc_status status = start_producer(&producer, error);
    /* The later ones read their answers themselves. */
    for (int i = 0; i < 12 && status == MQC_OK; i++)
        status = send_one(producer, TOPIC, "body", error);
    mqc_producer_free(producer);
    return status;
}

static void sent(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    atomic_int *status = arg; /* several callback threads */
    if (result)
        atomic_fetch_add(&acknowledged, 1);
    else
        atomic_store(status, (int)error->status);
    atomic_fetch_add(&called_back, 1);
}

mqc_status send_async(mqc_error *error)
{
    mqc_producer *producer;
    mqc_status status = start_producer(&producer, error);
    atomic_int answer = MQC_OK;
    int accepted = 0;
    for (int i = 0; i < 3 && status == MQC_OK; i++) {
        mqc_message *message = mqc_message_new(TOPIC, "body", 4);
        status = message ? mqc_producer_send_async(producer, message, NULL, sent, &answer, error)
                         : MQC_NO_MEMORY;
        if (status == MQC_OK) accepted++;
        mqc_message_free(message);
    }
    mqc_producer_free(producer); /* waits for those under way */
    ck_assert_int_eq(atomic_exchange(&called_back, 0), accepted);
    return status == MQC_OK ? (mqc_status)atomic_load(&answer) : status;
}

/* ---- consuming ---- */

static mqc_consume_status consume(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++)
        ck_assert_uint_eq(mqc_message_body(mqc_delivery_at(delivery, i)).size, 4);
    return MQC_CONSUME_SUCCESS;
}

static mqc_status start_consumer(const mqc_push_consumer_options *options, const char *topic,
                                 mqc_push_consumer **consumer, mqc_error *error)
{
    *consumer = mqc_push_consumer_new(options, error);
    mqc_status status =
        *consumer ? mqc_push_consumer_subscribe(*consumer, topic, "*", error) : status_of(error);
    return status == MQC_OK ? mqc_push_consumer_start(*consumer, error) : status;
}

/* Also when something fails in the midst: what was sent is consumed at last. */
mqc_status consume_what_is_there(mqc_error *error)
{
    mqc_push_consumer *consumer;
    mqc_push_consumer_options options = {.client = &client,
                                         .group = "consumers",
                                         .listener = consume,
                                         .from = MQC_FROM_FIRST,
                                         .threads = 2};
    mqc_status status = start_consumer(&options, TOPIC, &consumer, error);
    if (status == MQC_OK) {
        mqc_error late;
        ck_assert_msg(mqc_embedded_await_lag(cluster, "consumers", TOPIC, 0, AWAIT_MS, &late) ==
                              MQC_OK ||
                          mqc_embedded_lag(cluster, "consumers", TOPIC) == 0,
                      "%s: %s", when, late.text);
    }
    mqc_push_consumer_free(consumer);
    return status;
}

mqc_status send_and_consume(mqc_error *error)
{
    mqc_producer *producer;
    mqc_status status = start_producer(&producer, error);
    if (status == MQC_OK) status = send_one(producer, TOPIC, "body", error);
    mqc_producer_free(producer);
    return status == MQC_OK ? consume_what_is_there(error) : status;
}

/* Again is fine; what comes behind one that did not come is not. */
static mqc_consume_status consume_in_turn(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++) {
        const char *body = mqc_message_body(mqc_delivery_at(delivery, i)).data;
        int number = (int)strtol(body, NULL, 10);
        ck_assert_int_le(number, atomic_load(&seen));
        if (number == atomic_load(&seen)) atomic_fetch_add(&seen, 1);
    }
    return MQC_CONSUME_SUCCESS;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

mqc_status consume_broadcasts(mqc_error *error)
{
    char body[16];
    mqc_push_consumer *consumer = NULL;
    mqc_producer *producer;
    mqc_push_consumer_options options = {.client = &client,
                                         .group = "everybody",
                                         .listener = consume_in_turn,
                                         .model = MQC_BROADCASTING,
                                         .offset_store_path = offsets,
                                         .from =
                                             atomic_load(&seen) ? MQC_FROM_LAST : MQC_FROM_FIRST,
                                         .threads = 1};
    mqc_status status = start_producer(&producer, error);
    snprintf(body, sizeof body, "%d.", atomic_load(&broadcasts));
    if (status == MQC_OK) status = send_one(producer, BROADCASTS, body, error);
    mqc_producer_free(producer);
    /* Perhaps stored twice, or without the producer knowing it. */
    int64_t stored = mqc_embedded_message_count(cluster, BROADCASTS);
    if (status == MQC_OK) atomic_fetch_add(&broadcasts, 1);
    mqc_status started = start_consumer(&options, BROADCASTS, &consumer, error);
    int64_t deadline_ms = clock_now_ms() + AWAIT_MS;
    while (started == MQC_OK && atomic_load(&seen) < atomic_load(&broadcasts)) {
        ck_assert_msg(clock_now_ms() < deadline_ms, "%s: message %d of %d, %lld stored", when,
                      atomic_load(&seen), atomic_load(&broadcasts), (long long)stored);
        nap();
    }
    mqc_push_consumer_free(consumer);
    return started == MQC_OK ? status : started;
}

mqc_status poll_what_is_there(mqc_error *error)
{
    mqc_push_consumer *consumer;
    mqc_push_consumer_options options = {
        .client = &client, .group = "pollers", .polled = true, .from = MQC_FROM_FIRST};
    mqc_status status = start_consumer(&options, TOPIC, &consumer, error);
    if (status == MQC_OK && mqc_push_consumer_fd(consumer, error) < 0) status = status_of(error);
    int64_t deadline_ms = clock_now_ms() + AWAIT_MS;
    while (status == MQC_OK && mqc_embedded_lag(cluster, "pollers", TOPIC) > 0) {
        mqc_delivery *delivery = NULL;
        status = mqc_push_consumer_poll(consumer, 10, &delivery, error);
        if (delivery) mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, NULL);
        ck_assert_msg(clock_now_ms() < deadline_ms, "%s: not everything has come", when);
    }
    mqc_push_consumer_free(consumer);
    return status;
}

/* ---- sweeping ---- */

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(folder);
    int count = 0;
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

void check_nothing_is_left(void)
{
    ck_assert_msg(memory_live_blocks() == blocks_before, "%s: %ld blocks are left", when,
                  memory_live_blocks() - blocks_before);
    ck_assert_msg(service_live_count() == 0, "%s: %d threads are left", when, service_live_count());
    /* The cluster's ends of the connections close a moment later. */
    int64_t deadline_ms = clock_now_ms() + AWAIT_MS;
    while (count_descriptors() > descriptors_before) {
        ck_assert_msg(clock_now_ms() < deadline_ms, "%s: %d descriptors are left", when,
                      count_descriptors() - descriptors_before);
        nap();
    }
    ck_assert_int_ge(mqc_embedded_message_count(cluster, TOPIC) +
                         mqc_embedded_message_count(cluster, BROADCASTS),
                     atomic_load(&acknowledged));
}

void run_first(scenario *run)
{
    mqc_error error = {.status = MQC_OK};
    descriptors_before = count_descriptors();
    ck_assert_msg(run(&error) == MQC_OK, "%s", error.text);
    blocks_before = memory_live_blocks();
    check_nothing_is_left();
}

void sweep(scenario *run, const char *what, bool (*fail_once)(long nth))
{
    mqc_error error;
    long nth = 0;
    for (bool came = true; came && nth < RUNS_MOST;) {
        error = (mqc_error){.status = MQC_OK};
        snprintf(when, sizeof when, "failure of %s %ld", what, nth + 1);
        fail_once(++nth);
        mqc_status status = run(&error);
        came = fail_once(0);
        ck_assert_msg(came || status == MQC_OK, "%s did not come, and yet: %s", when, error.text);
        check_nothing_is_left();
    }
    ck_assert_int_lt(nth, RUNS_MOST);
}
