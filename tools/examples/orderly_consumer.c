/* Takes messages in order: of a queue one listener call at a time, in the whole group. What is
 * refused comes again before anything behind it. ./orderly_consumer [NAME_SERVERS [COUNT]]
 */
#include <mqclient/mqclient.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

static sem_t done;

/* The first message of each queue is refused once, to show that the others wait for it. */
static mqc_order_status handle(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    mqc_view body = mqc_message_body(message);
    bool again =
        mqc_message_queue_offset(message) == 0 && mqc_message_reconsume_times(message) == 0;
    printf("queue %d: %.*s%s\n", mqc_delivery_queue(delivery).queue_id, (int)body.size,
           (const char *)body.data, again ? " (not now)" : "");
    if (again) {
        mqc_delivery_suspend(delivery, 50); /* milliseconds until it comes again */
        return MQC_ORDER_SUSPEND;
    }
    sem_post(&done);
    return MQC_ORDER_SUCCESS;
}

int main(int argc, char **argv)
{
    mqc_error error;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_push_consumer_options options = {.client = &client,
                                               .group = "order_keepers",
                                               .orderly_listener = handle,
                                               .from = MQC_FROM_FIRST};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    int code = 1;

    sem_init(&done, 0, 0);
    if (!consumer || mqc_push_consumer_subscribe(consumer, "steps", "*", &error) ||
        mqc_push_consumer_start(consumer, &error)) {
        fprintf(stderr, "%s\n", error.text);
    } else {
        for (int left = argc > 2 ? atoi(argv[2]) : 12; left > 0; left--) sem_wait(&done);
        code = 0;
    }
    mqc_push_consumer_free(consumer);
    return code;
}
