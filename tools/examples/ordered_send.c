/* Sends the steps of several orders: the steps of one order stay in their order, as all messages of
 * an order key go to the same queue. orderly_consumer.c is who gets them.
 */
#include <mqclient/mqclient.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static const char *const steps[] = {"created", "paid", "packed", "sent"};
    static const char *const orders[] = {"order-1", "order-2", "order-3"};
    mqc_error error;
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL};
    const mqc_producer_options options = {.client = &client, .group = "ordered_send"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_status status = producer ? mqc_producer_start(producer, &error) : error.status;

    for (size_t step = 0; status == MQC_OK && step < 4; step++) {
        for (size_t order = 0; status == MQC_OK && order < 3; order++) {
            char body[64];
            int size = snprintf(body, sizeof body, "%s %s", orders[order], steps[step]);
            mqc_message *message = mqc_message_new("steps", body, (size_t)size);
            /* The next step of an order is sent when the one before has its result. A retry after
             * an unclear failure could change the order: error.maybe_done leaves it to us. */
            const mqc_send_options where = {.order_key = orders[order]};
            mqc_send_result result;
            if (!message) return 1;
            status = mqc_producer_send(producer, message, &where, &result, &error);
            if (status == MQC_OK) printf("queue %d: %s\n", result.queue.queue_id, body);
            mqc_message_free(message);
        }
    }
    if (status != MQC_OK) fprintf(stderr, "%s\n", error.text);
    mqc_producer_free(producer);
    return status != MQC_OK;
}
