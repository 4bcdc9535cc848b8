/* A message that a listener holds for too long is sent back, so that somebody else can try; the
 * listener is not interrupted, and what it says later about the message does not count
 * (ProcessQueue.cleanExpiredMsg). The scheduled executor ticks, a callback thread does the work. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/consumer/push_consumer.h"

enum { RETRY_LEVEL = 3, MOST_A_QUEUE = 16, MINUTE_MS = 60000, PERIODS = 4 };

static void tick(void *arg);
static void sweep_queue(struct mqc_push_consumer *consumer, struct consumer_queue *queue,
                        struct client_instance *instance, int64_t since_ms);

/* Java looks only once in each timeout, so that a message is held up to twice as long. */
mqc_status push_timeout_start(struct mqc_push_consumer *consumer, mqc_error *error)
{
    int64_t period_ms = (int64_t)consumer->options.consume_timeout_minutes * MINUTE_MS / PERIODS;
    if (period_ms > MINUTE_MS) period_ms = MINUTE_MS;
    return scheduled_executor_add(client_instance_scheduler(consumer->core.instance),
                                  "consume timeout", period_ms, period_ms, tick, &consumer->core,
                                  &consumer->sweep, error);
}

static void tick(void *arg)
{
    consumer_do_later(arg, CHORE_SWEEP);
}

void push_timeout_sweep(struct consumer *core, struct client_instance *instance)
{
    struct mqc_push_consumer *consumer = push_consumer_of(core);
    int64_t since_ms =
        clock_now_ms() - (int64_t)consumer->options.consume_timeout_minutes * MINUTE_MS;
    size_t count;
    if (core->settings.model == MQC_BROADCASTING) return; /* there is nobody else to try */
    struct consumer_queue **queues = consumer_queues_list(core, NULL, &count);
    for (size_t i = 0; i < count; i++) sweep_queue(consumer, queues[i], instance, since_ms);
    consumer_queues_release(queues, count);
}

static void sweep_queue(struct mqc_push_consumer *consumer, struct consumer_queue *queue,
                        struct client_instance *instance, int64_t since_ms)
{
    struct consumer *core = queue->consumer;
    for (int i = 0; i < MOST_A_QUEUE && consumer_running(core); i++) {
        struct mqc_message *message = process_queue_expired(&queue->messages, since_ms);
        if (!message) return;
        mqc_error error;
        mqc_status status = consumer_send_back(core, instance, message, RETRY_LEVEL, &error);
        log_warn(
            LOG_CONSUMER,
            "group=%s topic=%s broker=%s queue=%d offset=%lld: held by the listener for more "
            "than %d minutes, %s%s",
            core->group, queue->place.topic, queue->place.broker_name, queue->place.queue_id,
            (long long)message->queue_offset, consumer->options.consume_timeout_minutes,
            status == MQC_OK ? "sent back" : "not sent back: ", status == MQC_OK ? "" : error.text);
        if (status == MQC_OK) {
            meter_add(queue->meter, METER_SENT_BACK_MESSAGES, 1);
            meter_add(queue->meter, METER_CONSUME_TIMEOUTS, 1);
            consumer_queue_finished(queue, message);
        } else
            process_queue_unclaim(&queue->messages, message->queue_offset);
        mqc_message_free(message);
        if (status != MQC_OK) return;
    }
}
