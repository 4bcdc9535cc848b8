/* Counting what sends come to: see send_figures.h. */
#include "lib/producer/send_figures.h"

#include "lib/base/clock.h"

static size_t messages_of(const struct send_content *content)
{
    return content->count > 0 ? content->count : 1;
}

void send_figures_sent(struct sender *sender, const struct send_content *content,
                       const mqc_message_queue *queue, const struct send_trail *trail)
{
    if (!sender->meters) return;
    struct meter *meter =
        meters_of(sender->meters, queue->topic, queue->broker_name, queue->queue_id);
    meter_add(meter, METER_SENT_MESSAGES, messages_of(content));
    meter_add(meter, METER_SENT_BYTES, content->body.size);
    if (trail->attempts > 1) meter_add(meter, METER_SEND_RETRIES, (uint64_t)trail->attempts - 1);
    meter_time(meter, TIMER_SEND_LATENCY, clock_now_us() - trail->began_us);
}

void send_figures_oneway(struct sender *sender, const struct send_content *content,
                         const mqc_message_queue *queue)
{
    if (!sender->meters) return;
    struct meter *meter =
        meters_of(sender->meters, queue->topic, queue->broker_name, queue->queue_id);
    meter_add(meter, METER_SENT_MESSAGES, messages_of(content));
    meter_add(meter, METER_SENT_BYTES, content->body.size);
}

void send_figures_failed(struct sender *sender, const struct send_content *content,
                         const char *last_broker, const struct send_trail *trail)
{
    if (!sender->meters) return;
    const char *topic = intern_name(sender->names, slice_text(content->topic));
    if (!last_broker) last_broker = intern_name(sender->names, SLICE_LITERAL(""));
    if (!topic || !last_broker) return;
    struct meter *meter = meters_of(sender->meters, topic, last_broker, -1);
    meter_add(meter, METER_SEND_FAILURES, messages_of(content));
    if (trail->attempts > 1) meter_add(meter, METER_SEND_RETRIES, (uint64_t)trail->attempts - 1);
}
