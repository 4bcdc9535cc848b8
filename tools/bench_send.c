/* The sending modes of mqc bench. Each message is made, sent and freed anew, and every result is
 * looked at, as applications do and as the programs of the other clients do. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench.h"
#include "tools/mqc.h"
#include "tools/output.h"

enum {
    BATCH = 32,
    REFILL = 32 /* asynchronous sends go on when so many more may be in flight */
};

struct run {
    struct bench *bench;
    mqc_producer **producers;
    int producer_count;
    char (*topics)[64];
    int count; /* messages of this round */
    bool measured;
    atomic_int next;
    atomic_int in_flight;
    atomic_int wanted; /* the sender waits until no more than this are in flight; -1: it does not */
    sem_t room;
};

static mqc_status start_producers(struct run *run, mqc_error *error);
static int run_rounds(struct run *run);
static void send_all(struct run *run);
static void send_sync(struct run *run);
static void *sync_thread(void *arg);
static void send_async(struct run *run);
static void sent(const mqc_send_result *result, const mqc_error *error, void *arg);
static void wait_until(struct run *run, int in_flight);
static void send_oneway(struct run *run);
static void send_batches(struct run *run);
static void check(struct run *run, mqc_status status, const mqc_send_result *result,
                  const mqc_error *error);

int bench_send(struct bench *bench)
{
    struct run run = {.bench = bench, .producer_count = bench->connections * bench->producers};
    mqc_error error = {0};
    run.producers = calloc((size_t)run.producer_count, sizeof(mqc_producer *));
    run.topics = calloc((size_t)bench->topics, sizeof run.topics[0]);
    sem_init(&run.room, 0, 0);
    atomic_init(&run.wanted, -1);
    for (int i = 0; run.topics && i < bench->topics; i++) bench_topic(bench, i, run.topics[i]);
    int code = EXIT_DONE;
    if (!run.producers || !run.topics)
        code = failure("bench", "out of memory");
    else if (start_producers(&run, &error))
        code = library_failure("bench", "", &error);
    else
        code = run_rounds(&run);
    for (int i = 0; run.producers && i < run.producer_count; i++)
        mqc_producer_free(run.producers[i]);
    sem_destroy(&run.room);
    free(run.topics);
    free(run.producers);
    return code;
}

static mqc_status start_producers(struct run *run, mqc_error *error)
{
    const struct bench *bench = run->bench;
    for (int i = 0; i < run->producer_count; i++) {
        char instance[32], group[32];
        snprintf(instance, sizeof instance, "bench_%d", i % bench->connections);
        snprintf(group, sizeof group, "bench_ours_%d", i / bench->connections);
        mqc_client_options client = bench->client;
        if (bench->connections > 1) client.instance_name = instance;
        mqc_producer_options options = bench->producer;
        options.client = &client;
        options.group = group;
        run->producers[i] = mqc_producer_new(&options, error);
        mqc_status status =
            run->producers[i] ? mqc_producer_start(run->producers[i], error) : error->status;
        if (status) return status;
    }
    return MQC_OK;
}

/* Warm-up, with each topic's route looked up once at least, and the window. */
static int run_rounds(struct run *run)
{
    struct bench *bench = run->bench;
    run->count = bench->warmup;
    send_all(run);
    atomic_store(&bench->meter->errors, 0);
    run->count = bench->count;
    run->measured = true;
    bench_begin(bench->meter);
    send_all(run);
    bench_end(bench->meter);
    return EXIT_DONE;
}

static void send_all(struct run *run)
{
    const char *mode = run->bench->mode;
    atomic_store(&run->next, 0);
    if (strcmp(mode, "send-sync") == 0)
        send_sync(run);
    else if (strcmp(mode, "send-async") == 0 || strcmp(mode, "send-auto-batch") == 0)
        send_async(run);
    else if (strcmp(mode, "send-batch") == 0)
        send_batches(run);
    else
        send_oneway(run);
}

static mqc_message *make_message(const struct run *run, int index)
{
    const struct bench *bench = run->bench;
    return mqc_message_new(run->topics[index % bench->topics], bench->body,
                           (size_t)bench->body_bytes);
}

static mqc_producer *producer_of(const struct run *run, int index)
{
    return run->producers[index % run->producer_count];
}

static void check(struct run *run, mqc_status status, const mqc_send_result *result,
                  const mqc_error *error)
{
    if (status != MQC_OK)
        bench_wrong(run->bench->meter, error->text);
    else if (result && result->status != MQC_SEND_OK)
        bench_wrong(run->bench->meter, "the broker has not stored a message as well as it should");
}

/* ---- synchronous ---- */

static void send_sync(struct run *run)
{
    int threads = run->bench->threads;
    pthread_t *others = calloc((size_t)threads, sizeof *others);
    int started = 0;
    while (others && started < threads - 1 &&
           pthread_create(&others[started], NULL, sync_thread, run) == 0)
        started++;
    if (started < threads - 1) bench_wrong(run->bench->meter, "the threads could not be started");
    sync_thread(run);
    for (int i = 0; i < started; i++) pthread_join(others[i], NULL);
    free(others);
}

static void *sync_thread(void *arg)
{
    struct run *run = arg;
    uint32_t *latency_ns = run->measured ? run->bench->meter->latency_ns : NULL;
    for (int i; (i = atomic_fetch_add(&run->next, 1)) < run->count;) {
        mqc_error error;
        mqc_send_result result;
        int64_t began = bench_now_ns();
        mqc_message *message = make_message(run, i);
        check(run, mqc_producer_send(producer_of(run, i), message, NULL, &result, &error), &result,
              &error);
        mqc_message_free(message);
        if (latency_ns) latency_ns[i] = (uint32_t)(bench_now_ns() - began);
    }
    return NULL;
}

/* ---- asynchronous ---- */

static void send_async(struct run *run)
{
    int most = run->bench->in_flight;
    for (int i = 0; i < run->count; i++) {
        if (atomic_load(&run->in_flight) >= most)
            wait_until(run, most > 2 * REFILL ? most - REFILL : most / 2);
        atomic_fetch_add(&run->in_flight, 1);
        mqc_error error;
        mqc_message *message = make_message(run, i);
        mqc_status status =
            mqc_producer_send_async(producer_of(run, i), message, NULL, sent, run, &error);
        mqc_message_free(message);
        if (status != MQC_OK) {
            check(run, status, NULL, &error);
            atomic_fetch_sub(&run->in_flight, 1);
        }
    }
    wait_until(run, 0);
}

/* Callback thread. */
static void sent(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct run *run = arg;
    check(run, error ? error->status : MQC_OK, result, error);
    int left = atomic_fetch_sub(&run->in_flight, 1) - 1;
    int wanted = atomic_load(&run->wanted);
    if (wanted >= 0 && left <= wanted && atomic_compare_exchange_strong(&run->wanted, &wanted, -1))
        sem_post(&run->room);
}

/* First says what it waits for, then looks: a callback in between does not go unnoticed. */
static void wait_until(struct run *run, int in_flight)
{
    int wanted = in_flight;
    atomic_store(&run->wanted, wanted);
    bool there = atomic_load(&run->in_flight) <= in_flight;
    /* Who takes the wish back need not wait; otherwise somebody has seen it and posts. */
    if (there && atomic_compare_exchange_strong(&run->wanted, &wanted, -1)) return;
    while (sem_wait(&run->room) != 0) {
    }
}

/* ---- oneway ---- */

/* The last one is synchronous, so that all frames have left on the connection before it; however
 * long the broker takes to read them. */
static void send_oneway(struct run *run)
{
    const mqc_send_options patient = {.timeout_ms = 60000};
    mqc_error error;
    for (int i = 0; i < run->count; i++) {
        mqc_message *message = make_message(run, i);
        check(run, mqc_producer_send_oneway(producer_of(run, i), message, NULL, &error), NULL,
              &error);
        mqc_message_free(message);
    }
    for (int i = 0; i < run->producer_count; i++) {
        mqc_send_result result;
        mqc_message *message = make_message(run, 0);
        check(run, mqc_producer_send(producer_of(run, i), message, &patient, &result, &error),
              &result, &error);
        mqc_message_free(message);
    }
}

/* ---- batches ---- */

static void send_batches(struct run *run)
{
    for (int i = 0; i < run->count; i += BATCH) {
        mqc_error error;
        mqc_batch_item items[BATCH];
        mqc_message *messages[BATCH];
        int size = run->count - i < BATCH ? run->count - i : BATCH;
        for (int k = 0; k < size; k++) messages[k] = make_message(run, i / BATCH);
        mqc_producer_send_batch(producer_of(run, i / BATCH), (const mqc_message *const *)messages,
                                (size_t)size, NULL, items, &error);
        for (int k = 0; k < size; k++) {
            if (items[k].status != MQC_OK)
                bench_wrong(run->bench->meter, error.text);
            else if (items[k].send_status != MQC_SEND_OK)
                bench_wrong(run->bench->meter, "the broker has not stored a batch well");
            mqc_message_free(messages[k]);
        }
    }
}
