/* The consuming modes of mqc bench: how fast a new group reads a topic from its first message, how
 * long a message takes from its send to its listener, and what a consumer costs that gets none. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/bench.h"
#include "tools/mqc.h"
#include "tools/output.h"

enum { PATIENCE_S = 120 };

struct consumption {
    struct bench *bench;
    atomic_int got;
    sem_t done;
    char run_id[16]; /* latency: tells this run's messages from older ones */
};

static int consume(struct consumption *consumption, mqc_message_listener *listener,
                   int (*meanwhile)(struct consumption *consumption));
static bool wait_done(struct consumption *consumption);
static int wait_for_all(struct consumption *consumption);
static mqc_consume_status count(mqc_delivery *delivery, void *arg);
static int send_one_by_one(struct consumption *consumption);
static int send_timed(struct consumption *consumption, mqc_producer *producer);
static int stay(struct consumption *consumption);
static mqc_consume_status arrived(mqc_delivery *delivery, void *arg);

int bench_consume(struct bench *bench)
{
    struct consumption consumption = {.bench = bench};
    return consume(&consumption, count, wait_for_all);
}

int bench_latency(struct bench *bench)
{
    struct consumption consumption = {.bench = bench};
    snprintf(consumption.run_id, sizeof consumption.run_id, "%x.%x", (unsigned)time(NULL),
             (unsigned)getpid());
    return consume(&consumption, arrived, send_one_by_one);
}

int bench_idle(struct bench *bench)
{
    struct consumption consumption = {.bench = bench};
    return consume(&consumption, count, stay);
}

static mqc_status subscribe(const struct bench *bench, mqc_push_consumer *consumer,
                            mqc_error *error)
{
    char topic[64];
    mqc_status status = MQC_OK;
    for (int i = 0; i < bench->topics && !status; i++) {
        bench_topic(bench, i, topic);
        status = mqc_push_consumer_subscribe(consumer, topic, "*", error);
    }
    return status;
}

/* A new group with the defaults of the library. */
static int consume(struct consumption *consumption, mqc_message_listener *listener,
                   int (*meanwhile)(struct consumption *consumption))
{
    struct bench *bench = consumption->bench;
    char group[64];
    mqc_error error;
    snprintf(group, sizeof group, "cg_ours_%ld_%ld", (long)time(NULL), (long)getpid());
    sem_init(&consumption->done, 0, 0);
    mqc_push_consumer *consumer = mqc_push_consumer_new(
        &(mqc_push_consumer_options){.client = &bench->client,
                                     .group = group,
                                     .from = MQC_FROM_FIRST,
                                     .threads = bench->threads > 1 ? bench->threads : 0,
                                     .listener = listener,
                                     .listener_arg = consumption},
        &error);
    mqc_status status = consumer ? MQC_OK : error.status;
    if (!status) status = subscribe(bench, consumer, &error);
    if (!status) status = mqc_push_consumer_start(consumer, &error);
    int code = status ? library_failure("bench", "", &error) : meanwhile(consumption);
    mqc_push_consumer_free(consumer);
    sem_destroy(&consumption->done);
    return code;
}

static bool wait_done(struct consumption *consumption)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_S;
    return sem_timedwait(&consumption->done, &deadline) == 0;
}

/* ---- consume ---- */

static int wait_for_all(struct consumption *consumption)
{
    if (wait_done(consumption)) return EXIT_DONE;
    failure("bench", "only %d messages came within %d s: the topic needs %d",
            atomic_load(&consumption->got), PATIENCE_S,
            consumption->bench->warmup + consumption->bench->count);
    return EXIT_TIMEOUT;
}

/* Worker threads. */
static mqc_consume_status count(mqc_delivery *delivery, void *arg)
{
    struct consumption *consumption = arg;
    const struct bench *bench = consumption->bench;
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++) {
        mqc_view body = mqc_message_body(mqc_delivery_at(delivery, i));
        if (body.size != (size_t)bench->body_bytes)
            bench_wrong(bench->meter, "a message of another size");
        int got = atomic_fetch_add(&consumption->got, 1) + 1;
        if (got == bench->warmup + 1) bench_begin(bench->meter);
        if (got != bench->warmup + bench->count) continue;
        bench_end(bench->meter);
        sem_post(&consumption->done);
    }
    return MQC_CONSUME_SUCCESS;
}

/* ---- latency ---- */

static int send_one_by_one(struct consumption *consumption)
{
    struct bench *bench = consumption->bench;
    mqc_error error;
    mqc_producer_options options = bench->producer;
    options.client = &bench->client;
    options.group = "bench_ours";
    mqc_producer *producer = mqc_producer_new(&options, &error);
    int code = EXIT_DONE;
    if (!producer || mqc_producer_start(producer, &error))
        code = library_failure("bench", "", &error);
    else
        code = send_timed(consumption, producer);
    mqc_producer_free(producer);
    return code;
}

/* The next message leaves when the one before has reached the listener. */
static int send_timed(struct consumption *consumption, mqc_producer *producer)
{
    struct bench *bench = consumption->bench;
    for (int i = -bench->warmup; i < bench->count; i++) {
        mqc_error error = {.text = "out of memory"};
        mqc_send_result result;
        if (i == 0) bench_begin(bench->meter);
        int64_t began = bench_now_ns();
        mqc_message *message =
            mqc_message_new(bench->topic, bench->body, (size_t)bench->body_bytes);
        mqc_status status = MQC_NO_MEMORY;
        if (message) status = mqc_message_set_keys(message, consumption->run_id, &error);
        if (!status) status = mqc_producer_send(producer, message, NULL, &result, &error);
        mqc_message_free(message);
        if (status) return library_failure("bench", "", &error);
        if (!wait_done(consumption)) {
            failure("bench", "a message did not come within %d s", PATIENCE_S);
            return EXIT_TIMEOUT;
        }
        if (i >= 0) bench->meter->latency_ns[i] = (uint32_t)(bench_now_ns() - began);
    }
    bench_end(bench->meter);
    return EXIT_DONE;
}

/* Worker threads. */
static mqc_consume_status arrived(mqc_delivery *delivery, void *arg)
{
    struct consumption *consumption = arg;
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++) {
        const char *keys = mqc_message_keys(mqc_delivery_at(delivery, i));
        if (keys && strcmp(keys, consumption->run_id) == 0) sem_post(&consumption->done);
    }
    return MQC_CONSUME_SUCCESS;
}

/* ---- idle ---- */

/* The window is of seconds. */
static int stay(struct consumption *consumption)
{
    struct bench *bench = consumption->bench;
    sleep((unsigned)bench->warmup);
    bench_begin(bench->meter);
    sleep((unsigned)bench->count);
    bench_end(bench->meter);
    return EXIT_DONE;
}
