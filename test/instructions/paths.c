/* Sends to and consumes from an embedded cluster, for test/instructions/check, which counts the
 * instructions of single functions meanwhile. One thread sends, so that counts repeat.
 *   paths SCENARIO COUNT [TOPICS [PRODUCERS]] */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

enum { BODY_BYTES = 1024, WARMUP = 64, PRODUCERS_MOST = 64, PATIENCE_MS = 300000 };

static char body[BODY_BYTES];
static mqc_embedded *cluster;
static mqc_producer *producers[PRODUCERS_MOST];
static int producer_count = 1, topic_count = 1;
static sem_t done;
static atomic_int left;

static void must(bool good, const char *what, const mqc_error *error)
{
    if (good) return;
    fprintf(stderr, "paths: %s: %s\n", what, error ? error->text : "failed");
    exit(1);
}

static void start_producers(void)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster)};
    for (int i = 0; i < producer_count; i++) {
        char group[32];
        snprintf(group, sizeof group, "paths_%d", i);
        producers[i] = mqc_producer_new(
            &(mqc_producer_options){.client = &client, .group = group, .send_timeout_ms = 60000},
            &error);
        must(producers[i] != NULL, "producer", &error);
        must(mqc_producer_start(producers[i], &error) == MQC_OK, "start", &error);
    }
}

static void topic_of(int i, char name[32])
{
    snprintf(name, 32, "paths_%d", i % topic_count);
}

static void sent(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)arg;
    must(result != NULL, "send", error);
    if (atomic_fetch_sub(&left, 1) == 1) sem_post(&done);
}

static void send_one(const char *how, int i)
{
    char topic[32];
    mqc_error error;
    topic_of(i, topic);
    mqc_producer *producer = producers[i % producer_count];
    mqc_message *message = mqc_message_new(topic, body, sizeof body);
    mqc_status status = MQC_NO_MEMORY;
    if (message && strcmp(how, "sync") == 0)
        status = mqc_producer_send(producer, message, NULL, NULL, &error);
    else if (message && strcmp(how, "async") == 0)
        status = mqc_producer_send_async(producer, message, NULL, sent, NULL, &error);
    else if (message)
        status = mqc_producer_send_oneway(producer, message, NULL, &error);
    must(status == MQC_OK, how, &error);
    mqc_message_free(message);
}

/* Bursts of 32, each behind the answers to the one before. */
static void send_async(int count)
{
    for (int i = 0; i < count; i += 32) {
        int burst = count - i < 32 ? count - i : 32;
        atomic_store(&left, burst);
        for (int k = 0; k < burst; k++) send_one("async", i + k);
        while (sem_wait(&done) != 0) {
        }
    }
}

static void send_batches(int count)
{
    enum { BATCH = 32 };
    mqc_error error;
    mqc_message *messages[BATCH];
    for (int i = 0; i < BATCH; i++) {
        messages[i] = mqc_message_new("paths_0", body, sizeof body);
        must(messages[i] != NULL, "message", NULL);
    }
    for (int sent_count = 0; sent_count < count; sent_count += BATCH)
        must(mqc_producer_send_batch(producers[0], (const mqc_message *const *)messages, BATCH,
                                     NULL, NULL, &error) == MQC_OK,
             "batch", &error);
    for (int i = 0; i < BATCH; i++) mqc_message_free(messages[i]);
}

/* Warms up over all topics by synchronous sends, which check-instructions does not count but in
 * the scenario that is of them. */
static void send_many(const char *how, int count)
{
    int warmup = topic_count > WARMUP ? topic_count : WARMUP;
    start_producers();
    if (strcmp(how, "sync") != 0)
        for (int i = 0; i < warmup; i++) send_one("sync", i);
    if (strcmp(how, "async") == 0)
        send_async(count);
    else if (strcmp(how, "batch") == 0)
        send_batches(count);
    else
        for (int i = 0; i < count; i++) send_one(how, i);
    for (int i = 0; i < producer_count; i++) mqc_producer_free(producers[i]);
}

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    if (atomic_fetch_sub(&left, (int)mqc_delivery_count(delivery)) == 1) sem_post(&done);
    return MQC_CONSUME_SUCCESS;
}

/* All messages are there before the consumer starts, so that every pull is a full one. */
static void consume(int count)
{
    mqc_error error;
    topic_count = 1;
    send_many("oneway", count - WARMUP);
    must(mqc_embedded_await_requests(cluster, 310, count, PATIENCE_MS, &error) == MQC_OK,
         "messages", &error);
    atomic_store(&left, count);
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster)};
    mqc_push_consumer *consumer =
        mqc_push_consumer_new(&(mqc_push_consumer_options){.client = &client,
                                                           .group = "paths",
                                                           .from = MQC_FROM_FIRST,
                                                           .threads = 1,
                                                           .listener = take},
                              &error);
    must(consumer != NULL, "consumer", &error);
    must(mqc_push_consumer_subscribe(consumer, "paths_0", "*", &error) == MQC_OK, "subscribe",
         &error);
    must(mqc_push_consumer_start(consumer, &error) == MQC_OK, "start", &error);
    while (sem_wait(&done) != 0) {
    }
    mqc_push_consumer_free(consumer);
}

/* A consumer gets all queues of ten large topics. */
static void rebalance(int queues)
{
    enum { LARGE = 10 };
    mqc_error error;
    char topic[32];
    mqc_client_options client = {.name_servers = mqc_embedded_name_servers(cluster)};
    mqc_push_consumer *consumer = mqc_push_consumer_new(
        &(mqc_push_consumer_options){.client = &client, .group = "paths", .listener = take},
        &error);
    must(consumer != NULL, "consumer", &error);
    for (int i = 0; i < LARGE; i++) {
        snprintf(topic, sizeof topic, "large_%d", i);
        must(mqc_embedded_create_topic(cluster, -1, topic, queues / LARGE, &error) == MQC_OK,
             "large topic", &error);
        must(mqc_push_consumer_subscribe(consumer, topic, "*", &error) == MQC_OK, "subscribe",
             &error);
    }
    must(mqc_push_consumer_start(consumer, &error) == MQC_OK, "start", &error);
    /* PULL_MESSAGE, once a queue: by then all of them have been handed out. */
    must(mqc_embedded_await_requests(cluster, 11, queues, PATIENCE_MS, &error) == MQC_OK, "pulls",
         &error);
    mqc_push_consumer_free(consumer);
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    int count = atoi(argv[2]);
    if (argc > 3) topic_count = atoi(argv[3]);
    if (argc > 4) producer_count = atoi(argv[4]);
    mqc_error error;
    sem_init(&done, 0, 0);
    cluster = mqc_embedded_start(NULL, &error);
    must(cluster != NULL, "cluster", &error);
    for (int i = 0; i < topic_count; i++) {
        char topic[32];
        topic_of(i, topic);
        must(mqc_embedded_create_topic(cluster, -1, topic, 4, &error) == MQC_OK, "topic", &error);
    }
    if (strcmp(argv[1], "consume") == 0)
        consume(count);
    else if (strcmp(argv[1], "rebalance") == 0)
        rebalance(count);
    else
        send_many(argv[1], count);
    mqc_embedded_stop(cluster);
    return 0;
}
