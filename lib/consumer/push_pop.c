/* Popped messages on their way through the workers (ConsumeMessagePopConcurrentlyService.java):
 * pieces of at most listener_batch; what is done is acknowledged, what is refused is hidden for a
 * while. What was popped is this member's until its time is over, also when its place is not. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/consumer/push_consumer.h"

enum { BATCH_MOST = 32 };

/* One listener call; in the batch's room. */
struct pop_piece {
    struct consume_task task;
    struct popped_batch *batch; /* counted */
    size_t first, count;        /* of the batch's messages */
};
_Static_assert(sizeof(struct pop_piece) <= PUSH_POP_BYTES, "PUSH_POP_BYTES is too small");

static void settle_filtered(struct popped_batch *batch);
static void piece_run(struct consume_task *task);
static void piece_discard(struct consume_task *task);
static void piece_done(struct pop_piece *piece);
static size_t shorten_to_readable(struct pop_piece *piece);
static void settle(struct pop_piece *piece, size_t done, size_t readable, int retry_level);

/* The thread that reads. */
void push_pop_deliver(struct popped_batch *batch)
{
    struct mqc_push_consumer *consumer = push_consumer_of(batch->queue->consumer);
    size_t most = (size_t)consumer->options.listener_batch;
    struct link tasks;
    list_init(&tasks);
    if (!push_pop_begin(batch)) return;
    struct pop_piece *piece = (struct pop_piece *)batch->room;
    for (size_t at = 0; at < batch->count; at += piece->count, piece++) {
        *piece = (struct pop_piece){
            .task = {.run = piece_run, .discard = piece_discard},
            .batch = batch,
            .first = at,
            .count = batch->count - at < most ? batch->count - at : most,
        };
        reference_take(&batch->references);
        list_append(&tasks, &piece->task.link);
    }
    consume_workers_submit_all(consumer->workers, &tasks);
    popped_batch_unref(batch);
}

bool push_pop_begin(struct popped_batch *batch)
{
    struct mqc_push_consumer *consumer = push_consumer_of(batch->queue->consumer);
    if (consumer_running(&consumer->core)) {
        settle_filtered(batch);
        return true;
    }
    pop_give_back_all(consumer, batch); /* a poll that was answered after the end */
    atomic_fetch_sub(&batch->queue->unacked, (int)batch->count);
    popped_batch_unref(batch);
    return false;
}

/* The broker compares hash codes of tags only: what is not wanted is done. */
static void settle_filtered(struct popped_batch *batch)
{
    struct consumer_queue *queue = batch->queue;
    struct topic_subscription *subscription =
        subscriptions_get(&queue->consumer->subscriptions, queue->place.topic);
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (!subscription || consumer_wants(subscription, batch->messages[i])) {
            batch->messages[kept] = batch->messages[i];
            batch->tickets[kept++] = batch->tickets[i];
        } else {
            pop_acknowledge(push_consumer_of(queue->consumer), batch, &i, 1);
        }
    }
    atomic_fetch_sub(&queue->unacked, (int)(batch->count - kept));
    batch->count = kept;
    topic_subscription_unref(subscription);
}

/* Worker thread. */
static void piece_run(struct consume_task *task)
{
    struct pop_piece *piece = CONTAINER_OF(task, struct pop_piece, task);
    struct popped_batch *batch = piece->batch;
    struct consumer_queue *queue = batch->queue;
    struct mqc_push_consumer *consumer = push_consumer_of(queue->consumer);
    if (push_hold_back(consumer, task)) return;
    bool in_time = clock_now_ms() < batch->expires_ms;
    if (in_time) {
        size_t readable = shorten_to_readable(piece);
        struct mqc_delivery delivery = {.queue = queue->place,
                                        .messages = batch->messages + piece->first,
                                        .count = readable,
                                        .meter = queue->meter};
        delivery.queue.queue_id = batch->messages[piece->first]->queue_id;
        push_delivery_begins(queue, &delivery);
        size_t done = readable > 0 ? push_deliver(consumer, &delivery) : 0;
        in_time = clock_now_ms() < batch->expires_ms;
        if (in_time) settle(piece, done, readable, delivery.retry_level);
        for (size_t i = 0; i < readable; i++) message_deflate(delivery.messages[i]);
    }
    if (!in_time)
        log_warn(LOG_CONSUMER,
                 "group=%s topic=%s broker=%s: %zu popped messages were not done in "
                 "%d ms and come again",
                 queue->consumer->group, queue->place.topic, queue->place.broker_name, piece->count,
                 queue->consumer->settings.pop_invisible_ms);
    piece_done(piece);
}

/* The workers end: others are to have the messages soon, not when their time is over. */
static void piece_discard(struct consume_task *task)
{
    struct pop_piece *piece = CONTAINER_OF(task, struct pop_piece, task);
    struct mqc_push_consumer *consumer = push_consumer_of(piece->batch->queue->consumer);
    for (size_t i = 0; i < piece->count; i++)
        pop_give_back(consumer, piece->batch, piece->first + i);
    piece_done(piece);
}

static void piece_done(struct pop_piece *piece)
{
    atomic_fetch_sub(&piece->batch->queue->unacked, (int)piece->count);
    popped_batch_unref(piece->batch);
}

/* Puts the readable messages in front and returns their number. */
static size_t shorten_to_readable(struct pop_piece *piece)
{
    struct popped_batch *batch = piece->batch;
    struct mqc_message **messages = batch->messages + piece->first;
    struct pop_ticket *tickets = batch->tickets + piece->first;
    size_t readable = 0;
    for (size_t i = 0; i < piece->count; i++) {
        mqc_error error;
        if (consumer_prepare_message(messages[i], &error) != MQC_OK) {
            log_error(LOG_CONSUMER, "group=%s topic=%s broker=%s offset=%lld not readable: %s",
                      batch->queue->consumer->group, batch->queue->place.topic,
                      batch->queue->place.broker_name, (long long)messages[i]->queue_offset,
                      error.text);
            continue;
        }
        struct mqc_message *message = messages[readable];
        struct pop_ticket ticket = tickets[readable];
        messages[readable] = messages[i];
        tickets[readable++] = tickets[i];
        messages[i] = message;
        tickets[i] = ticket;
    }
    return readable;
}

static void settle(struct pop_piece *piece, size_t done, size_t readable, int retry_level)
{
    struct popped_batch *batch = piece->batch;
    struct mqc_push_consumer *consumer = push_consumer_of(batch->queue->consumer);
    size_t indexes[BATCH_MOST], count = 0;
    for (size_t i = 0; i < done; i++) {
        indexes[count++] = piece->first + i;
        if (count < BATCH_MOST && i + 1 < done) continue;
        pop_acknowledge(consumer, batch, indexes, count);
        count = 0;
    }
    for (size_t i = done; i < piece->count; i++)
        pop_refuse(consumer, batch, piece->first + i, i < readable ? retry_level : TO_DEAD_LETTERS);
}
