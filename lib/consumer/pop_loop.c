/* Asking for messages by popping (DefaultMQPushConsumerImpl.popMessage): as pull_loop.c, but the
 * broker keeps the offsets, and hides what it has given from others for a while. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/consumer/consumer.h"

enum {
    FULL_MS = 50,
    POLL_MS = 15000, /* that the broker keeps a pop without messages */
    TIMEOUT_MS = 25000,
    BATCH_MOST = 32,
    ATTEMPT_BYTES = 128,
    SAY_EVERY = 1000 /* pauses for flow control */
};

static bool is_full(struct consumer_queue *queue);
static queue_asker ask;
static struct slice attempt_of(const struct consumer_queue *queue, char out[ATTEMPT_BYTES]);

void queue_pop(struct consumer_queue *queue)
{
    if (is_full(queue)) {
        atomic_store(&queue->watch.pause, QUEUE_FULL);
        queue_pull_again(queue, FULL_MS);
        return;
    }
    queue_pull_ask(queue, ask);
}

static bool is_full(struct consumer_queue *queue)
{
    int unacked = atomic_load(&queue->unacked);
    bool full = unacked > queue->consumer->settings.pop_max_unacked;
    if (full) meter_add(queue->meter, METER_PULL_PAUSES, 1);
    if (!full)
        queue->pauses = 0;
    else if (queue->pauses++ % SAY_EVERY == 0)
        log_warn(LOG_PULL,
                 "flow control: group=%s topic=%s broker=%s queue=%d unacknowledged=%d: popping "
                 "pauses until the listener has caught up",
                 queue->consumer->group, queue->place.topic, queue->place.broker_name,
                 queue->place.queue_id, unacked);
    return full;
}

/* POP_MESSAGE (200050), which masters answer. Does not block. */
static mqc_status ask(struct consumer_queue *queue, const struct topic_subscription *subscription,
                      mqc_error *error)
{
    const struct consumer *consumer = queue->consumer;
    const struct consumer_settings *settings = &consumer->settings;
    struct client_instance *instance = consumer->instance;
    char address[ADDRESS_TEXT_BYTES];
    if (!route_table_master(client_instance_routes(instance), queue->place.broker_name, address))
        return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", queue->place.broker_name);
    struct pop_message_header header;
    char attempt[ATTEMPT_BYTES];
    header_init(&pop_message_layout, &header);
    header.consumer_group = slice_text(consumer->group);
    header.topic = slice_text(queue->place.topic);
    header.queue_id = queue->place.queue_id;
    header.max_messages = settings->pull_batch < BATCH_MOST ? settings->pull_batch : BATCH_MOST;
    header.invisible_time_ms = settings->pop_invisible_ms;
    header.poll_time_ms = POLL_MS;
    header.born_timestamp = clock_unix_ms();
    header.init_mode = settings->from == MQC_FROM_FIRST ? 0 : 1;
    header.expression_type = slice_text(subscription->data.expression_type);
    header.expression = slice_text(subscription->data.expression);
    header.broker_name = slice_text(queue->place.broker_name);
    header.orderly = consumer->kind->orderly;
    if (header.orderly) header.attempt_id = attempt_of(queue, attempt);
    struct command_to_send request = {
        .code = REQUEST_POP_MESSAGE, .layout = &pop_message_layout, .header = &header};
    queue->asked_ms = clock_now_ms();
    return remoting_client_call_async(client_instance_remoting(instance), address, &request,
                                      clock_deadline_ms(TIMEOUT_MS), queue_pop_answered, queue,
                                      error);
}

/* Of an ordered pop whose answer was lost the next one has the same name: else the broker would
 * keep the queues that it has given out to itself until their time is over. */
static struct slice attempt_of(const struct consumer_queue *queue, char out[ATTEMPT_BYTES])
{
    snprintf(out, ATTEMPT_BYTES, "%s-%llx-%d-%u", client_instance_id(queue->consumer->instance),
             (unsigned long long)queue->consumer->start_unix_ms, queue->place.queue_id,
             queue->attempt);
    return slice_text(out);
}
