/* One listener call: what the application sees of it, and its verdict. Runs on a worker thread,
 * also for a message that a broker has consumed directly. */
#include "lib/base/clock.h"
#include "lib/consumer/push_consumer.h"
#include "services/service.h"

enum { SUSPEND_LEAST_MS = 10, SUSPEND_MOST_MS = 30000 };

static struct service_work work_of(const struct mqc_push_consumer *consumer,
                                   const struct mqc_delivery *delivery, int64_t now_us);

void push_delivery_begins(struct consumer_queue *queue, struct mqc_delivery *delivery)
{
    delivery->begun_unix_ms = clock_unix_ms();
    atomic_store_explicit(&queue->messages.last_consume_unix_ms, delivery->begun_unix_ms,
                          memory_order_relaxed);
}

size_t push_deliver(const struct mqc_push_consumer *consumer, struct mqc_delivery *delivery)
{
    delivery->done = delivery->count;
    delivery->retry_level = 0;
    struct consume_watched watched;
    int64_t began_us = clock_now_us();
    struct service_work work = work_of(consumer, delivery, began_us);
    service_work_begins(&work);
    consumer_figures_begin(delivery);
    bool looked_at = consume_watch_any(&consumer->watch);
    if (looked_at) {
        consume_watch_before(&consumer->watch, &watched, delivery);
        began_us = clock_now_us();
    }
    mqc_consume_status status =
        consumer->options.listener(delivery, consumer->options.listener_arg);
    size_t done = status == MQC_CONSUME_SUCCESS ? delivery->done : 0;
    consumer_figures_end(delivery, began_us, done);
    if (looked_at)
        consume_watch_after(&consumer->watch, &watched, delivery, done == delivery->count);
    service_work_ends();
    return done;
}

mqc_order_status push_deliver_orderly(const struct mqc_push_consumer *consumer,
                                      struct mqc_delivery *delivery)
{
    delivery->done = delivery->count;
    struct consume_watched watched;
    int64_t began_us = clock_now_us();
    struct service_work work = work_of(consumer, delivery, began_us);
    service_work_begins(&work);
    consumer_figures_begin(delivery);
    bool looked_at = consume_watch_any(&consumer->watch);
    if (looked_at) {
        consume_watch_before(&consumer->watch, &watched, delivery);
        began_us = clock_now_us();
    }
    mqc_order_status status =
        consumer->options.orderly_listener(delivery, consumer->options.listener_arg);
    bool success = status == MQC_ORDER_SUCCESS || status == MQC_ORDER_COMMIT;
    consumer_figures_end(delivery, began_us, success ? delivery->done : 0);
    if (looked_at) consume_watch_after(&consumer->watch, &watched, delivery, success);
    service_work_ends();
    return status;
}

/* For whoever looks at the threads meanwhile. */
static struct service_work work_of(const struct mqc_push_consumer *consumer,
                                   const struct mqc_delivery *delivery, int64_t now_us)
{
    return (struct service_work){
        .what = "in the listener",
        .group = consumer->options.group,
        .topic = delivery->queue.topic,
        .broker_name = delivery->queue.broker_name,
        .queue_id = delivery->queue.queue_id,
        .offset = delivery->messages[0]->queue_offset,
        .count = delivery->count,
        .since_ms = now_us / 1000,
    };
}

const char *push_consume_directly(struct consumer *consumer, struct mqc_message *message)
{
    struct mqc_delivery delivery = {
        .queue = {message->topic, message->broker_name, message->queue_id},
        .messages = &message,
        .count = 1,
    };
    return push_deliver(push_consumer_of(consumer), &delivery) == 1 ? "CR_SUCCESS" : "CR_LATER";
}

const char *push_consume_directly_orderly(struct consumer *consumer, struct mqc_message *message)
{
    struct mqc_delivery delivery = {
        .queue = {message->topic, message->broker_name, message->queue_id},
        .messages = &message,
        .count = 1,
    };
    switch (push_deliver_orderly(push_consumer_of(consumer), &delivery)) {
    case MQC_ORDER_SUCCESS: return "CR_SUCCESS";
    case MQC_ORDER_COMMIT: return "CR_COMMIT";
    case MQC_ORDER_ROLLBACK: return "CR_ROLLBACK";
    case MQC_ORDER_SUSPEND: break;
    }
    return "CR_LATER";
}

void mqc_delivery_suspend(mqc_delivery *delivery, int ms)
{
    delivery->suspend_ms = ms < SUSPEND_LEAST_MS  ? SUSPEND_LEAST_MS
                           : ms > SUSPEND_MOST_MS ? SUSPEND_MOST_MS
                                                  : ms;
}

void mqc_delivery_commit_by_hand(mqc_delivery *delivery)
{
    delivery->by_hand = true;
}
