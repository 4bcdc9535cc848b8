/* One listener call: what the application sees of it, and its verdict. Runs on a worker thread, or
 * on a callback thread when a broker has a message consumed directly. */
#include "lib/consumer/push_consumer.h"

size_t push_deliver(const struct mqc_push_consumer *consumer, struct mqc_delivery *delivery)
{
    delivery->done = delivery->count;
    delivery->retry_level = 0;
    mqc_consume_status status =
        consumer->options.listener(delivery, consumer->options.listener_arg);
    return status == MQC_CONSUME_SUCCESS ? delivery->done : 0;
}

/* Callback thread; neither offsets nor retries follow from it. */
const char *push_consume_directly(struct consumer *consumer, struct mqc_message *message)
{
    struct mqc_delivery delivery = {
        .queue = {message->topic, message->broker_name, message->queue_id},
        .messages = &message,
        .count = 1,
    };
    return push_deliver(push_consumer_of(consumer), &delivery) == 1 ? "CR_SUCCESS" : "CR_LATER";
}
