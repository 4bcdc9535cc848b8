/* The producer of a chaos run: threads that send numbered messages of their own keys, the next one
 * of a key when the one before was acknowledged, and tell the journal of each result. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test/chaos/chaos.h"

enum { THREADS = 4, PAUSE_MS = 20 };

static atomic_bool ending;
static mqc_producer *producer;
static const char *topic;
static int pause_us; /* between two messages of a thread */

/* "A": it is stored. "U": perhaps it is. "N": it is not, for sure. */
static bool send(int key, int number)
{
    mqc_error error;
    char body[BODY_BYTES], name[16];
    mqc_message *message = mqc_message_new(topic, body, body_of(key, number, body));
    if (!message) abort();
    snprintf(name, sizeof name, "%d", key);
    must(mqc_message_set_keys(message, name, &error), "keys", &error);
    mqc_send_options options = {.order_key = name};
    mqc_status status = mqc_producer_send(producer, message, &options, NULL, &error);
    mqc_message_free(message);
    if (status == MQC_OK)
        journal_write(JOURNAL_FD, "A %d %d", key, number);
    else
        journal_write(JOURNAL_FD, "%s %d %d %s: %s", error.maybe_done ? "U" : "N", key, number,
                      mqc_status_name(status), error.text);
    return status == MQC_OK;
}

static void *run(void *arg)
{
    int first = *(const int *)arg;
    for (int number = 0; !atomic_load(&ending); number++)
        for (int key = first; key < KEYS && !atomic_load(&ending); key += THREADS) {
            while (!send(key, number) && !atomic_load(&ending)) usleep(PAUSE_MS * 1000);
            usleep((useconds_t)pause_us);
        }
    return NULL;
}

/* sender RATE SERVERS TOPIC [NAME=VALUE]…: RATE messages a second at most. */
int sender_main(int count, char **arguments)
{
    mqc_error error;
    pthread_t threads[THREADS];
    int firsts[THREADS];
    if (count < 3) return 2;
    wait_for_end_only();
    int rate = atoi(arguments[0]);
    pause_us = THREADS * 1000000 / (rate > 0 ? rate : 1);
    topic = arguments[2];
    mqc_options *options = take_options(count - 3, arguments + 3);
    mqc_client_options client = {0};
    mqc_producer_options producer_options = {.client = &client, .group = "chaos-sender"};
    mqc_options_to_client(options, &client);
    client.name_servers = arguments[1];
    producer = mqc_producer_new(&producer_options, &error);
    must(producer ? MQC_OK : error.status, "producer", &error);
    must(mqc_producer_start(producer, &error), "start", &error);
    for (int i = 0; i < THREADS; i++) {
        firsts[i] = i;
        if (pthread_create(&threads[i], NULL, run, &firsts[i]) != 0) abort();
    }
    await_end();
    atomic_store(&ending, true);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    must(mqc_producer_shutdown(producer, 10000, &error), "shutdown", &error);
    mqc_producer_free(producer);
    mqc_options_free(options);
    return 0;
}
