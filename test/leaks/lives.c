/* lives N: N producers and, every tenth time, a push consumer are made, used and shut down on an
 * embedded cluster. Threads and file descriptors must be as many at the end as near the beginning;
 * under valgrind (`make valgrind`) no memory may be lost either. */
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

enum { WARM_UP = 10, DRAIN_MS = 10000, WAITS = 1000 };

static mqc_client_options client;
static mqc_error error;

static int entries(const char *folder)
{
    int count = 0;
    DIR *opened = opendir(folder);
    while (opened && readdir(opened)) count++;
    if (opened) closedir(opened);
    return count;
}

static mqc_consume_status consume(mqc_delivery *delivery, void *arg)
{
    (void)delivery, (void)arg;
    return MQC_CONSUME_SUCCESS;
}

static mqc_status producer_life(void)
{
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "lives"}, &error);
    mqc_message *message = mqc_message_new("lives", "body", 4);
    mqc_status status = producer && message ? mqc_producer_start(producer, &error) : MQC_NO_MEMORY;
    if (status == MQC_OK) status = mqc_producer_send(producer, message, NULL, NULL, &error);
    if (status == MQC_OK) status = mqc_producer_shutdown(producer, DRAIN_MS, &error);
    mqc_message_free(message);
    mqc_producer_free(producer);
    return status;
}

static mqc_status consumer_life(void)
{
    mqc_push_consumer *consumer = mqc_push_consumer_new(
        &(mqc_push_consumer_options){.client = &client, .group = "lives", .listener = consume},
        &error);
    mqc_status status =
        consumer ? mqc_push_consumer_subscribe(consumer, "lives", "*", &error) : MQC_NO_MEMORY;
    if (status == MQC_OK) status = mqc_push_consumer_start(consumer, &error);
    if (status == MQC_OK) status = mqc_push_consumer_shutdown(consumer, DRAIN_MS, &error);
    mqc_push_consumer_free(consumer);
    return status;
}

int main(int argc, char **argv)
{
    int lives = argc > 1 ? atoi(argv[1]) : 100;
    int files = 0, threads = 0;
    mqc_embedded *cluster = mqc_embedded_start(NULL, &error);
    mqc_status status = cluster ? MQC_OK : error.status;
    if (cluster) client.name_servers = mqc_embedded_name_servers(cluster);
    for (int i = 0; i < lives && status == MQC_OK; i++) {
        status = producer_life();
        if (status == MQC_OK && i % 10 == 0) status = consumer_life();
        if (i == WARM_UP) {
            poll(NULL, 0, 100); /* as at the end */
            files = entries("/proc/self/fd");
            threads = entries("/proc/self/task");
        }
    }
    int files_left = entries("/proc/self/fd"), threads_left = entries("/proc/self/task");
    /* The cluster, in this process too, closes its end of the last connections a moment later. */
    for (int i = 0; i < WAITS && files_left > files && lives > WARM_UP; i++) {
        poll(NULL, 0, 10);
        files_left = entries("/proc/self/fd");
    }
    mqc_embedded_stop(cluster);
    if (status != MQC_OK) fprintf(stderr, "lives: %s: %s\n", mqc_status_name(status), error.text);
    printf("%d lives: files %d -> %d, threads %d -> %d\n", lives, files, files_left, threads,
           threads_left);
    bool good =
        status == MQC_OK && (lives <= WARM_UP || (files == files_left && threads == threads_left));
    printf("%d passed, %d failed\n", good, !good);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
