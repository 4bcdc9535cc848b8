/* One listener call: what the application sees of it, and its verdict. Runs on a worker thread, or
 * on a callback thread when a broker has a message consumed directly. */
#include "lib/base/error.h"
#include "lib/consumer/push_consumer_private.h"

enum { LEVEL_LEAST = -1, LEVEL_MOST = 18 };

size_t delivery_run(const struct mqc_push_consumer *consumer, struct mqc_delivery *delivery)
{
    delivery->done = delivery->count;
    delivery->retry_level = 0;
    mqc_consume_status status =
        consumer->options.listener(delivery, consumer->options.listener_arg);
    return status == MQC_CONSUME_SUCCESS ? delivery->done : 0;
}

/* The body's checksum is not checked, as in Java: the connection has its own. */
mqc_status delivery_prepare(struct mqc_message *message, mqc_error *error)
{
    mqc_status status = message_inflate(message, false, error);
    return status == MQC_OK ? message_restore_topic(message, error) : status;
}

size_t mqc_delivery_count(const mqc_delivery *delivery)
{
    return delivery->count;
}

const mqc_message *mqc_delivery_at(const mqc_delivery *delivery, size_t index)
{
    return index < delivery->count ? delivery->messages[index] : NULL;
}

mqc_message_queue mqc_delivery_queue(const mqc_delivery *delivery)
{
    return delivery->queue;
}

void mqc_delivery_done(mqc_delivery *delivery, size_t count)
{
    delivery->done = count < delivery->count ? count : delivery->count;
}

void mqc_delivery_retry_level(mqc_delivery *delivery, int level)
{
    delivery->retry_level = level < LEVEL_LEAST  ? LEVEL_LEAST
                            : level > LEVEL_MOST ? LEVEL_MOST
                                                 : level;
}
