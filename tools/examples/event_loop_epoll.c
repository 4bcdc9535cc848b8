/* A consumer in an event loop of one's own: its descriptor is readable while there is something to
 * be polled. Here the loop is epoll; event_loop_uv.c is the same for libuv.
 * ./event_loop_epoll [NAME_SERVERS [COUNT]]
 */
#include <mqclient/mqclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static int left;

/* Takes what there is, without waiting. A verdict may be given at any time, by any thread. */
static mqc_status on_readable(mqc_push_consumer *consumer, mqc_error *error)
{
    mqc_delivery *delivery;
    mqc_status status = mqc_push_consumer_poll(consumer, 0, &delivery, error);
    if (status != MQC_OK || !delivery) return status;
    mqc_view body = mqc_message_body(mqc_delivery_at(delivery, 0));
    printf("%.*s\n", (int)body.size, (const char *)body.data);
    left--;
    return mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, error);
}

int main(int argc, char **argv)
{
    mqc_error error;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_push_consumer_options options = {
        .client = &client, .group = "loops", .polled = true, .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    mqc_status status =
        consumer ? mqc_push_consumer_subscribe(consumer, "orders", "*", &error) : error.status;
    if (status == MQC_OK) status = mqc_push_consumer_start(consumer, &error);

    left = argc > 2 ? atoi(argv[2]) : 1;
    int loop = epoll_create1(EPOLL_CLOEXEC);
    if (status == MQC_OK) {
        int fd = mqc_push_consumer_fd(consumer, &error);
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = consumer};
        if (fd < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &wanted) != 0) return 1;
    }
    while (status == MQC_OK && left > 0) {
        struct epoll_event event; /* … and those of all other descriptors of the program */
        if (epoll_wait(loop, &event, 1, -1) > 0) status = on_readable(event.data.ptr, &error);
    }
    if (status != MQC_OK) fprintf(stderr, "%s\n", error.text);
    close(loop); /* before the consumer, whose descriptor it watches */
    mqc_push_consumer_free(consumer);
    return status != MQC_OK;
}
