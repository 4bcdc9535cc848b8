/* Stands in for the consumer and the admin (fake_producer.c: the producer) of the library under the
 * tool, so that test/tool/check-tool can see how the tool behaves without a broker and in cases
 * that a broker does not produce at will. What the tool asks for is written to the file that
 * FAKE_LOG names.
 *
 *   FAKE_MESSAGES=N   a consumer is given N messages by its worker threads, then no more
 *   FAKE_BODY=TEXT    body of each message, with the message's number instead of '#' */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mqclient/mqclient.h>

#include "lib/base/error.h"
#include "lib/client/options.h"
#include "lib/protocol/message.h"
#include "lib/protocol/names.h"
#include "test/tool/fake.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

void note(const char *format, ...)
{
    const char *path = getenv("FAKE_LOG");
    if (!path) return;
    pthread_mutex_lock(&log_lock);
    FILE *file = fopen(path, "ae");
    va_list arguments;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fputc('\n', file);
    fclose(file);
    pthread_mutex_unlock(&log_lock);
}

/* ---- consumer ---- */

struct mqc_push_consumer {
    mqc_push_consumer_options options;
    int given, count;
    int done, refused;
    int running;
    bool paused, stopped;
    int thread_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t threads[64];
};

struct mqc_delivery {
    mqc_message **messages;
    size_t count, done;
};

mqc_push_consumer *mqc_push_consumer_new_sized(const mqc_push_consumer_options *options,
                                               size_t size, size_t client_size, mqc_error *error)
{
    (void)size;
    (void)client_size;
    if (options_check_push_consumer(options, error)) return NULL;
    mqc_push_consumer *consumer = calloc(1, sizeof *consumer);
    consumer->options = options_fill_push_consumer(options);
    const char *count = getenv("FAKE_MESSAGES");
    consumer->count = count ? atoi(count) : 0;
    pthread_mutex_init(&consumer->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&consumer->changed, &attributes);
    note("consumer group=%s threads=%d from=%d time=%lld", options->group,
         consumer->options.threads, options->from, (long long)options->from_unix_ms);
    if (options->model == MQC_BROADCASTING)
        note("model=%d memory=%d path=%s", options->model, options->offsets_in_memory,
             or_none(options->offset_store_path));
    return consumer;
}

mqc_status mqc_push_consumer_subscribe(mqc_push_consumer *consumer, const char *topic,
                                       const char *filter, mqc_error *error)
{
    (void)consumer;
    mqc_status status = names_check_topic(topic, error);
    if (!status) note("subscribe topic=%s filter=%s", topic, filter);
    return status;
}

mqc_status mqc_push_consumer_subscribe_sql(mqc_push_consumer *consumer, const char *topic,
                                           const char *expression, mqc_error *error)
{
    char filter[256];
    snprintf(filter, sizeof filter, "SQL92: %s", expression);
    return mqc_push_consumer_subscribe(consumer, topic, filter, error);
}

/* A body with the number in place of '#'; "\xNN" stays for bytes that the environment may hold. */
static mqc_message *message_numbered(int number)
{
    const char *pattern = getenv("FAKE_BODY");
    if (!pattern) pattern = "message #";
    char body[70000];
    size_t before = strcspn(pattern, "#");
    snprintf(body, sizeof body, "%.*s", (int)before, pattern);
    if (pattern[before])
        snprintf(body + before, sizeof body - before, "%d%s", number, pattern + before + 1);
    mqc_message *message = mqc_message_new("orders", body, strlen(body));
    message->broker_name = "broker-a";
    message->queue_id = number % 4;
    message->queue_offset = number / 4;
    message->born_unix_ms = 1709200800000;
    message->stored_unix_ms = 1709200800001;
    mqc_message_set_tag(message, "red", NULL);
    mqc_message_set_property(message, "colour", "bright", NULL);
    return message;
}

/* Takes the next messages of the listener's batch; 0 when the consumer is to stop. */
static int take_batch(mqc_push_consumer *consumer, int *first)
{
    pthread_mutex_lock(&consumer->lock);
    while (!consumer->stopped && (consumer->paused || consumer->given == consumer->count))
        pthread_cond_wait(&consumer->changed, &consumer->lock);
    int left = consumer->count - consumer->given;
    int size = left < consumer->options.listener_batch ? left : consumer->options.listener_batch;
    if (consumer->stopped) size = 0;
    *first = consumer->given;
    consumer->given += size;
    if (size > 0) consumer->running++;
    pthread_mutex_unlock(&consumer->lock);
    return size;
}

static void deliver(mqc_push_consumer *consumer, int first, int size)
{
    mqc_message *messages[1024];
    for (int i = 0; i < size; i++) messages[i] = message_numbered(first + i);
    struct mqc_delivery delivery = {messages, (size_t)size, (size_t)size};
    const mqc_push_consumer_options *options = &consumer->options;
    bool success =
        options->orderly_listener
            ? options->orderly_listener(&delivery, options->listener_arg) == MQC_ORDER_SUCCESS
            : options->listener(&delivery, options->listener_arg) == MQC_CONSUME_SUCCESS;
    int done = success ? (int)delivery.done : 0;
    for (int i = 0; i < size; i++) mqc_message_free(messages[i]);
    pthread_mutex_lock(&consumer->lock);
    consumer->done += done;
    consumer->refused += size - done;
    consumer->running--;
    pthread_cond_broadcast(&consumer->changed);
    pthread_mutex_unlock(&consumer->lock);
}

static void *work(void *arg)
{
    mqc_push_consumer *consumer = arg;
    int first, size;
    while ((size = take_batch(consumer, &first)) > 0) deliver(consumer, first, size);
    return NULL;
}

mqc_status mqc_push_consumer_start(mqc_push_consumer *consumer, mqc_error *error)
{
    (void)error;
    for (; consumer->thread_count < consumer->options.threads; consumer->thread_count++)
        pthread_create(&consumer->threads[consumer->thread_count], NULL, work, consumer);
    return MQC_OK;
}

mqc_status mqc_push_consumer_pause(mqc_push_consumer *consumer, mqc_error *error)
{
    (void)error;
    pthread_mutex_lock(&consumer->lock);
    consumer->paused = true;
    pthread_mutex_unlock(&consumer->lock);
    return MQC_OK;
}

mqc_status mqc_push_consumer_shutdown(mqc_push_consumer *consumer, int drain_ms, mqc_error *error)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += drain_ms / 1000;
    pthread_mutex_lock(&consumer->lock);
    consumer->stopped = true;
    pthread_cond_broadcast(&consumer->changed);
    int failed = 0;
    while (consumer->running > 0 && !failed)
        failed = pthread_cond_timedwait(&consumer->changed, &consumer->lock, &end);
    int running = consumer->running;
    note("shutdown done=%d refused=%d left=%d running=%d", consumer->done, consumer->refused,
         consumer->count - consumer->given, running);
    pthread_mutex_unlock(&consumer->lock);
    if (running > 0) return error_set(error, MQC_TIMEOUT, "%d listeners still run", running);
    for (int i = 0; i < consumer->thread_count; i++) pthread_join(consumer->threads[i], NULL);
    consumer->thread_count = 0;
    return MQC_OK;
}

void mqc_push_consumer_free(mqc_push_consumer *consumer)
{
    if (!consumer) return;
    if (consumer->thread_count > 0) mqc_push_consumer_shutdown(consumer, 3000, NULL);
    pthread_cond_destroy(&consumer->changed);
    pthread_mutex_destroy(&consumer->lock);
    note("consumer freed");
    free(consumer);
}

size_t mqc_delivery_count(const mqc_delivery *delivery)
{
    return delivery->count;
}

const mqc_message *mqc_delivery_at(const mqc_delivery *delivery, size_t index)
{
    return delivery->messages[index];
}

void mqc_delivery_done(mqc_delivery *delivery, size_t count)
{
    delivery->done = count;
}

/* ---- admin ---- */

struct mqc_admin {
    int unused;
};

mqc_admin *mqc_admin_new_sized(const mqc_client_options *options, size_t size, mqc_error *error)
{
    (void)size;
    return options_check_client(options, error) ? NULL : calloc(1, sizeof(mqc_admin));
}

void mqc_admin_free(mqc_admin *admin)
{
    free(admin);
}

mqc_status mqc_admin_create_topic_sized(mqc_admin *admin, const char *cluster, const char *topic,
                                        const mqc_topic_options *options, size_t size,
                                        mqc_error *error)
{
    (void)admin;
    (void)size;
    mqc_status status = names_check_topic(topic, error);
    if (!status)
        note("create topic=%s cluster=%s read=%d write=%d", topic, or_none(cluster),
             options->read_queues, options->write_queues);
    return status;
}

mqc_status mqc_admin_delete_topic(mqc_admin *admin, const char *cluster, const char *topic,
                                  mqc_error *error)
{
    (void)admin;
    (void)error;
    note("delete topic=%s cluster=%s", topic, or_none(cluster));
    return MQC_OK;
}

mqc_status mqc_admin_each_topic(mqc_admin *admin, mqc_topic_visitor *visit, void *arg,
                                mqc_error *error)
{
    (void)admin;
    (void)error;
    if (visit("orders", arg)) visit("TBW102", arg);
    return MQC_OK;
}

mqc_status mqc_admin_each_route(mqc_admin *admin, const char *topic, mqc_route_visitor *visit,
                                void *arg, mqc_error *error)
{
    static const mqc_topic_route_entry ENTRIES[] = {
        {"broker-a", "DefaultCluster", "127.0.0.1:10911", 1, 8, 8, 6},
        {"broker-b", "DefaultCluster", NULL, 0, 8, 4, 4},
    };
    (void)admin;
    if (strcmp(topic, "orders") != 0)
        return error_set(error, MQC_NO_ROUTE, "topic \"%s\": no route", topic);
    for (size_t i = 0; i < 2; i++)
        if (!visit(&ENTRIES[i], arg)) break;
    return MQC_OK;
}
