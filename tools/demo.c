/* mqc demo: the main job with something to look at. A producer sends numbered messages; two
 * consumers of one group share the queues until one leaves halfway and the other takes over. On the
 * embedded cluster in this process, or with -n on a cluster of the user's. */
#include "tools/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mqclient/embedded.h>

#include "tools/arguments.h"
#include "tools/mqc.h"
#include "tools/output.h"

#define DEMO_TOPIC "mqc_demo"

enum { FRAME_MS = 150, PATIENCE_S = 10, DRAIN_MS = 5000 };

struct consumer {
    struct demo_counts *counts;
    const char *group;
    int index;
    mqc_push_consumer *handle;
};

struct demo {
    struct demo_counts counts;
    mqc_embedded *cluster; /* NULL with -n */
    mqc_client_options client;
    char group[64];
    mqc_producer *producer;
    struct consumer consumers[2];
    int patience_s;
    bool live, quiet;
};

static int demonstrate(const struct arguments *arguments, int messages, int patience_s);
static int run(struct demo *demo, const char *name_servers);
static mqc_status set_up(struct demo *demo, const char *name_servers, mqc_error *error);
static mqc_status start_consumer(struct demo *demo, int index, mqc_error *error);
static void *produce(void *arg);
static mqc_consume_status consume(mqc_delivery *delivery, void *arg);
static void count_received(struct demo_counts *counts, int consumer, const mqc_message *message,
                           int number, int64_t sent_us);
static bool wait_for(struct demo *demo, int64_t received);
static void leave(struct demo *demo, int index);
static struct demo_queue *queue_of(struct demo_counts *counts, const char *broker, int id);
static void fail(struct demo_counts *counts, const char *what, const mqc_error *error);

int demo_command(int argc, char **argv)
{
    int messages = DEMO_MOST, patience_s = PATIENCE_S;
    const struct argument own[] = {
        {'m', "messages", "N", "send so many (default and most: 10000)", ARGUMENT_NUMBER, &messages,
         NULL},
        {0, "timeout", "S", "give up when nothing has come for S seconds (default: 10)",
         ARGUMENT_NUMBER, &patience_s, NULL},
    };
    struct arguments arguments = {
        .command = "demo",
        .synopsis = "[option]…",
        .about = "Sends numbered messages and consumes them with two members of a group, one of\n"
                 "which leaves halfway; on an embedded cluster, or with -n on one of yours.",
        .own = own,
        .own_count = sizeof own / sizeof own[0]};
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0 && arguments.rest_count > 0)
        code = usage_error("demo", "unexpected argument \"%s\"", arguments.rest[0]);
    if (code < 0 && messages > DEMO_MOST)
        code = usage_error("demo", "--messages is %d: at most %d are counted", messages, DEMO_MOST);
    if (code < 0) code = demonstrate(&arguments, messages, patience_s);
    arguments_done(&arguments);
    return code;
}

static int demonstrate(const struct arguments *arguments, int messages, int patience_s)
{
    struct demo *demo = calloc(1, sizeof *demo);
    if (!demo) return failure("demo", "out of memory");
    demo->counts.wanted = messages;
    demo->patience_s = patience_s;
    demo->quiet = arguments->quiet;
    demo->live = !arguments->quiet && isatty(STDOUT_FILENO);
    demo->client = arguments_client(arguments);
    int code = run(demo, demo->client.name_servers);
    free(demo);
    return code;
}

int64_t demo_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int run(struct demo *demo, const char *name_servers)
{
    struct demo_counts *counts = &demo->counts;
    mqc_error error;
    pthread_t sender;
    pthread_mutex_init(&counts->mutex, NULL);
    pthread_cond_init(&counts->changed, NULL);
    bool ready = set_up(demo, name_servers, &error) == MQC_OK;
    if (!ready) fail(counts, "starting", &error);
    counts->began_us = demo_now_us();
    if (ready && pthread_create(&sender, NULL, produce, demo) == 0) {
        if (wait_for(demo, counts->wanted / 2)) leave(demo, 1);
        wait_for(demo, counts->wanted);
        pthread_join(sender, NULL);
    }
    leave(demo, 0);
    leave(demo, 1);
    mqc_producer_free(demo->producer);
    pthread_mutex_lock(&counts->mutex);
    if (demo->live) demo_draw(counts);
    if (demo->live) puts("");
    bool good = demo_summary(counts, demo->quiet);
    pthread_mutex_unlock(&counts->mutex);
    if (demo->cluster && !demo->quiet)
        puts("\nThe same on a cluster of yours:\n"
             "  mqc topic create -n HOST:9876 -t " DEMO_TOPIC "\n  mqc demo -n HOST:9876");
    mqc_embedded_stop(demo->cluster);
    pthread_cond_destroy(&counts->changed);
    pthread_mutex_destroy(&counts->mutex);
    int finished = output_finish("demo");
    return good ? finished : EXIT_FAILED;
}

static mqc_status set_up(struct demo *demo, const char *name_servers, mqc_error *error)
{
    if (!name_servers) {
        demo->cluster = mqc_embedded_start(&(mqc_embedded_options){.brokers = 2}, error);
        if (!demo->cluster) return error->status;
        demo->client.name_servers = mqc_embedded_name_servers(demo->cluster);
        mqc_status status =
            mqc_embedded_create_topic(demo->cluster, -1, DEMO_TOPIC, DEMO_QUEUES / 2, error);
        if (status != MQC_OK) return status;
    }
    snprintf(demo->group, sizeof demo->group, "mqc_demo_%ld_%ld", (long)time(NULL), (long)getpid());
    demo->producer = mqc_producer_new(
        &(mqc_producer_options){.client = &demo->client, .group = "mqc_demo_producer"}, error);
    if (!demo->producer) return error->status;
    mqc_status status = mqc_producer_start(demo->producer, error);
    for (int i = 0; i < 2 && status == MQC_OK; i++) status = start_consumer(demo, i, error);
    return status;
}

/* One worker each, so that the order within a queue can be seen. */
static mqc_status start_consumer(struct demo *demo, int index, mqc_error *error)
{
    struct consumer *consumer = &demo->consumers[index];
    *consumer = (struct consumer){&demo->counts, demo->group, index, NULL};
    consumer->handle = mqc_push_consumer_new(
        &(mqc_push_consumer_options){.client = &demo->client,
                                     .group = demo->group,
                                     .listener = consume,
                                     .listener_arg = consumer,
                                     .from = MQC_FROM_TIME,
                                     .from_unix_ms = (int64_t)time(NULL) * 1000,
                                     .threads = 1},
        error);
    if (!consumer->handle) return error->status;
    mqc_status status = mqc_push_consumer_subscribe(consumer->handle, DEMO_TOPIC, "*", error);
    if (status == MQC_OK) status = mqc_push_consumer_start(consumer->handle, error);
    if (status == MQC_OK) demo->counts.consumer_runs[index] = true;
    return status;
}

/* Sends at a steady rate; each body is "group number microseconds". */
static void *produce(void *arg)
{
    struct demo *demo = arg;
    struct demo_counts *counts = &demo->counts;
    int64_t began = demo_now_us();
    for (int i = 0; i < counts->wanted; i++) {
        int64_t ahead_us = began + (int64_t)i * 1000000 / DEMO_RATE - demo_now_us();
        if (ahead_us > 2000) /* pacing is what the demonstration is about, so this may sleep */
            nanosleep(&(struct timespec){ahead_us / 1000000, ahead_us % 1000000 * 1000}, NULL);
        char body[128];
        int size =
            snprintf(body, sizeof body, "%s %d %lld", demo->group, i, (long long)demo_now_us());
        mqc_error error = {.text = "out of memory"};
        mqc_send_result result;
        mqc_message *message = mqc_message_new(DEMO_TOPIC, body, (size_t)size);
        bool sent =
            message && mqc_producer_send(demo->producer, message, NULL, &result, &error) == MQC_OK;
        mqc_message_free(message);
        if (!sent) {
            fail(counts, "sending", &error);
            return NULL;
        }
        pthread_mutex_lock(&counts->mutex);
        counts->sent++;
        struct demo_queue *queue =
            queue_of(counts, result.queue.broker_name, result.queue.queue_id);
        if (queue) queue->sent++;
        pthread_mutex_unlock(&counts->mutex);
    }
    return NULL;
}

static mqc_consume_status consume(mqc_delivery *delivery, void *arg)
{
    struct consumer *consumer = arg;
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++) {
        const mqc_message *message = mqc_delivery_at(delivery, i);
        mqc_view view = mqc_message_body(message);
        char body[128], group[65];
        int number;
        long long sent_us;
        snprintf(body, sizeof body, "%.*s", (int)view.size, (const char *)view.data);
        /* Messages of an earlier run on the same topic are not ours to count. */
        if (sscanf(body, "%64s %d %lld", group, &number, &sent_us) == 3 && number >= 0 &&
            number < consumer->counts->wanted && strcmp(group, consumer->group) == 0)
            count_received(consumer->counts, consumer->index, message, number, sent_us);
    }
    return MQC_CONSUME_SUCCESS;
}

static void count_received(struct demo_counts *counts, int consumer, const mqc_message *message,
                           int number, int64_t sent_us)
{
    int64_t now = demo_now_us(), offset = mqc_message_queue_offset(message);
    pthread_mutex_lock(&counts->mutex);
    struct demo_queue *queue =
        queue_of(counts, mqc_message_broker_name(message), mqc_message_queue_id(message));
    if (counts->seen[number]) {
        counts->duplicates++;
    } else {
        counts->seen[number] = true;
        counts->latency_us[number] = (int32_t)(now - sent_us);
        counts->received++;
        counts->by_consumer[consumer]++;
        if (queue) {
            queue->received++;
            queue->consumer = consumer;
            if (offset < queue->next_offset) counts->out_of_order++;
            queue->next_offset = offset + 1;
        }
    }
    pthread_cond_signal(&counts->changed);
    pthread_mutex_unlock(&counts->mutex);
}

/* Waits until so many were received, drawing meanwhile; false when the run failed or stands still.
 */
static bool wait_for(struct demo *demo, int64_t received)
{
    struct demo_counts *counts = &demo->counts;
    int64_t last = -1, moved_us = demo_now_us();
    pthread_mutex_lock(&counts->mutex);
    while (counts->received < received && !counts->failure[0]) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)FRAME_MS * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        int64_t frame_end = demo_now_us() + (int64_t)FRAME_MS * 1000;
        while (counts->received < received && demo_now_us() < frame_end)
            if (pthread_cond_timedwait(&counts->changed, &counts->mutex, &until) != 0) break;
        if (demo->live) demo_draw(counts);
        if (counts->received != last) moved_us = demo_now_us();
        last = counts->received;
        if (demo_now_us() - moved_us > (int64_t)demo->patience_s * 1000000)
            snprintf(counts->failure, sizeof counts->failure, "no message came for %d s",
                     demo->patience_s);
    }
    bool good = !counts->failure[0];
    pthread_mutex_unlock(&counts->mutex);
    return good;
}

static void leave(struct demo *demo, int index)
{
    mqc_push_consumer *handle = demo->consumers[index].handle;
    mqc_error error;
    if (!handle) return;
    if (mqc_push_consumer_shutdown(handle, DRAIN_MS, &error) != MQC_OK)
        fail(&demo->counts, "leaving", &error);
    mqc_push_consumer_free(handle);
    demo->consumers[index].handle = NULL;
    pthread_mutex_lock(&demo->counts.mutex);
    demo->counts.consumer_runs[index] = false;
    pthread_mutex_unlock(&demo->counts.mutex);
}

/* The queue's counts; NULL when there are more queues than are shown. Needs the mutex. */
static struct demo_queue *queue_of(struct demo_counts *counts, const char *broker, int id)
{
    for (int i = 0; i < counts->queue_count; i++)
        if (counts->queues[i].queue_id == id && strcmp(counts->queues[i].broker_name, broker) == 0)
            return &counts->queues[i];
    if (counts->queue_count == DEMO_QUEUES_MOST) return NULL;
    struct demo_queue *queue = &counts->queues[counts->queue_count++];
    snprintf(queue->broker_name, sizeof queue->broker_name, "%s", broker);
    queue->queue_id = id;
    return queue;
}

static void fail(struct demo_counts *counts, const char *what, const mqc_error *error)
{
    pthread_mutex_lock(&counts->mutex);
    if (!counts->failure[0])
        snprintf(counts->failure, sizeof counts->failure, "%s: %s", what, error->text);
    pthread_mutex_unlock(&counts->mutex);
}
