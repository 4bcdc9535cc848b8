/* Telling the broker what became of popped messages: acknowledged, one by one or many at once;
 * hidden for a while, longer each time; or put into the dead letter queue. Workers, and the thread
 * that reads for what is filtered out. A lost acknowledgement means a delivery more. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/client/client_pop.h"
#include "lib/consumer/push_consumer.h"

enum { ACK_MS = 3000, GIVE_BACK_MS = 1000, BATCH_MOST = 32 };

static bool same_batch(const struct pop_ticket *a, const struct pop_ticket *b);
static void acknowledge_alike(struct mqc_push_consumer *consumer, struct popped_batch *batch,
                              const size_t *indexes, size_t count);
static void hide(struct mqc_push_consumer *consumer, struct client_instance *instance,
                 struct popped_batch *batch, size_t index, int64_t ms);
static void count_request(struct mqc_push_consumer *consumer);
static struct popped_place place_of(struct popped_batch *batch, size_t index);
static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);
static int64_t hidden_ms(const struct mqc_message *message, int level);

/* Those of one pop and queue go together. */
void pop_acknowledge(struct mqc_push_consumer *consumer, struct popped_batch *batch,
                     const size_t *indexes, size_t count)
{
    bool sent[BATCH_MOST] = {false};
    for (size_t i = 0; i < count; i++) {
        size_t alike[BATCH_MOST], alike_count = 0;
        if (sent[i]) continue;
        for (size_t k = i; k < count; k++) {
            if (sent[k] || !same_batch(&batch->tickets[indexes[i]], &batch->tickets[indexes[k]]))
                continue;
            alike[alike_count++] = indexes[k];
            sent[k] = true;
        }
        acknowledge_alike(consumer, batch, alike, alike_count);
    }
}

static bool same_batch(const struct pop_ticket *a, const struct pop_ticket *b)
{
    return a->begin == b->begin && a->popped_unix_ms == b->popped_unix_ms &&
           a->revive_queue_id == b->revive_queue_id && a->topic == b->topic &&
           a->queue_id == b->queue_id && b->offset >= b->begin &&
           b->offset - b->begin < POP_BATCH_SPAN;
}

static void acknowledge_alike(struct mqc_push_consumer *consumer, struct popped_batch *batch,
                              const size_t *indexes, size_t count)
{
    mqc_error error;
    int64_t offsets[BATCH_MOST];
    if (count == 0) return;
    struct popped_place place = place_of(batch, indexes[0]);
    struct client_instance *instance = consumer_enter(&consumer->core);
    if (!instance) return;
    count_request(consumer);
    for (size_t i = 0; i < count; i++) offsets[i] = batch->tickets[indexes[i]].offset;
    int64_t deadline_ms = consumer_deadline(&consumer->core, ACK_MS);
    mqc_status status =
        count == 1 ? client_pop_ack(instance, &place, deadline_ms, answered, consumer, &error)
                   : client_pop_ack_batch(instance, &place, offsets, count, deadline_ms, answered,
                                          consumer, &error);
    consumer_exit(&consumer->core);
    if (status != MQC_OK) answered(NULL, &error, consumer);
}

/* The listener does not want it now. The client puts it into the dead letter queue itself: brokers
 * would let it come again for ever, and the Java client acknowledges it as if it were done. */
void pop_refuse(struct mqc_push_consumer *consumer, struct popped_batch *batch, size_t index,
                int level)
{
    struct consumer *core = &consumer->core;
    struct mqc_message *message = batch->messages[index];
    bool dead = level < 0 || message->reconsume_times >= core->settings.max_reconsume_times;
    struct client_instance *instance = dead ? consumer_enter(core) : NULL;
    if (instance) {
        mqc_error error;
        mqc_status status = consumer_send_back(core, instance, message, -1, &error);
        consumer_exit(core);
        if (status == MQC_OK) {
            pop_acknowledge(consumer, batch, &index, 1);
            return;
        }
        log_warn(LOG_CONSUMER, "group=%s topic=%s offset=%lld is no dead letter yet: %s",
                 core->group, message->topic, (long long)message->queue_offset, error.text);
    }
    pop_hide(consumer, batch, index, hidden_ms(message, level));
}

void pop_give_back(struct mqc_push_consumer *consumer, struct popped_batch *batch, size_t index)
{
    pop_hide(consumer, batch, index, GIVE_BACK_MS);
}

void pop_hide(struct mqc_push_consumer *consumer, struct popped_batch *batch, size_t index,
              int64_t ms)
{
    struct client_instance *instance = consumer_enter(&consumer->core);
    if (!instance) return;
    hide(consumer, instance, batch, index, ms);
    consumer_exit(&consumer->core);
}

void pop_give_back_all(struct mqc_push_consumer *consumer, struct popped_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        hide(consumer, consumer->core.instance, batch, i, GIVE_BACK_MS);
}

static void hide(struct mqc_push_consumer *consumer, struct client_instance *instance,
                 struct popped_batch *batch, size_t index, int64_t ms)
{
    mqc_error error;
    struct popped_place place = place_of(batch, index);
    count_request(consumer);
    mqc_status status = client_pop_hide(instance, &place, ms, clock_deadline_ms(ACK_MS), answered,
                                        consumer, &error);
    if (status != MQC_OK) answered(NULL, &error, consumer);
}

static struct popped_place place_of(struct popped_batch *batch, size_t index)
{
    const struct consumer_queue *queue = batch->queue;
    return (struct popped_place){queue->consumer->group, queue->place.topic,
                                 queue->place.broker_name, &batch->tickets[index]};
}

/* DefaultMQPushConsumerImpl.popDelayLevel; level 0: by the times it was delivered. */
static int64_t hidden_ms(const struct mqc_message *message, int level)
{
    static const int SECONDS[] = {10,  30,  60,  120, 180,  240,  300,  360,
                                  420, 480, 540, 600, 1200, 1800, 3600, 7200};
    enum { LEVELS = sizeof SECONDS / sizeof *SECONDS };
    int at = level > 0 ? level : message->reconsume_times;
    if (at < 0) at = 0;
    return (int64_t)SECONDS[at < LEVELS ? at : LEVELS - 1] * 1000;
}

/* ---- answers ---- */

/* Its answer is waited for at the end. */
static void count_request(struct mqc_push_consumer *consumer)
{
    lock_take(&consumer->core.lock);
    consumer->unanswered++;
    lock_release(&consumer->core.lock);
    consumer_ref(&consumer->core);
}

static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct mqc_push_consumer *consumer = arg;
    struct consumer *core = &consumer->core;
    mqc_error refused;
    if (arrival && arrival->command->code != RESPONSE_SUCCESS) {
        client_api_refused(arrival->command, remoting_connection_address(arrival->connection),
                           "acknowledging", &refused);
        error = &refused;
    }
    if (error && error->status != MQC_CANCELLED)
        log_warn(LOG_CONSUMER, "group=%s: a popped message may come again: %s", core->group,
                 error->text);
    lock_take(&core->lock);
    if (--consumer->unanswered == 0) condition_wake_all(&core->changed);
    lock_release(&core->lock);
    consumer_unref(core);
}

void pop_await_answers(struct mqc_push_consumer *consumer, int64_t deadline_ms)
{
    struct consumer *core = &consumer->core;
    lock_take(&core->lock);
    while (consumer->unanswered > 0 &&
           condition_wait_until(&core->changed, &core->lock, deadline_ms)) {
    }
    lock_release(&core->lock);
}
