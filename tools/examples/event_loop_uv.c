/* A consumer in a libuv loop; build it with -luv beside -lmqclient.
 * ./event_loop_uv [NAME_SERVERS [COUNT]]
 */
#include <mqclient/mqclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct reader {
    uv_poll_t poll;
    mqc_push_consumer *consumer;
    int left;
};

/* On the loop's thread: takes what there is, without waiting. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct reader *reader = poll->data;
    mqc_error error;
    mqc_delivery *delivery;
    (void)events;
    if (status < 0 || mqc_push_consumer_poll(reader->consumer, 0, &delivery, &error) != MQC_OK) {
        uv_poll_stop(poll);
        return;
    }
    if (!delivery) return;
    mqc_view body = mqc_message_body(mqc_delivery_at(delivery, 0));
    printf("%.*s\n", (int)body.size, (const char *)body.data);
    mqc_delivery_finish(delivery, MQC_CONSUME_SUCCESS, &error);
    if (--reader->left <= 0) uv_poll_stop(poll); /* nothing is left in the loop: it ends */
}

int main(int argc, char **argv)
{
    mqc_error error;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_push_consumer_options options = {
        .client = &client, .group = "uv_loops", .polled = true, .from = MQC_FROM_FIRST};
    struct reader reader = {.left = argc > 2 ? atoi(argv[2]) : 1};
    reader.consumer = mqc_push_consumer_new(&options, &error);
    mqc_status status = reader.consumer
                            ? mqc_push_consumer_subscribe(reader.consumer, "orders", "*", &error)
                            : error.status;
    if (status == MQC_OK) status = mqc_push_consumer_start(reader.consumer, &error);
    if (status == MQC_OK) {
        uv_loop_t *loop = uv_default_loop();
        reader.poll.data = &reader;
        uv_poll_init(loop, &reader.poll, mqc_push_consumer_fd(reader.consumer, &error));
        uv_poll_start(&reader.poll, UV_READABLE, on_readable);
        uv_run(loop, UV_RUN_DEFAULT);
        uv_close((uv_handle_t *)&reader.poll, NULL);
        uv_run(loop, UV_RUN_DEFAULT);
    } else {
        fprintf(stderr, "%s\n", error.text);
    }
    mqc_push_consumer_free(reader.consumer);
    return status != MQC_OK || reader.left > 0;
}
