/* Messages popped in order: the broker gives none of a queue to anybody while some of it are out,
 * so that a queue's messages come to the listener one call after the other without locks. What is
 * refused is hidden for a while with all that is behind it. (The Java client 5.5.0 never pops for
 * orderly listeners: RebalancePushImpl.clientRebalance; its ConsumeMessagePopOrderlyService is
 * empty.)
 */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/consumer/push_consumer.h"

enum { GIVE_BACK_MS = 1000, BATCH_MOST = 32 };

/* The messages of one queue; in the batch's room. */
struct order_piece {
    struct consume_task task;
    struct popped_batch *batch; /* counted */
    size_t first, count;        /* of the batch's messages: those that are not settled yet */
};
_Static_assert(sizeof(struct order_piece) <= PUSH_POP_BYTES, "PUSH_POP_BYTES is too small");

static void sort(struct popped_batch *batch);
static void piece_run(struct consume_task *task);
static void piece_discard(struct consume_task *task);
static void order_piece_end(struct order_piece *piece);
static bool step(struct order_piece *piece);
static size_t readable_from(struct order_piece *piece, size_t most);
static bool settle(struct order_piece *piece, const struct mqc_delivery *delivery,
                   mqc_order_status status);
static bool refuse(struct order_piece *piece, size_t count, int64_t suspend_ms);
static void acknowledge(struct order_piece *piece, size_t count);
static void pass(struct order_piece *piece, size_t count);
static void hide_all(struct order_piece *piece, int64_t ms);

/* The thread that reads. */
void push_pop_deliver_in_order(struct popped_batch *batch)
{
    struct mqc_push_consumer *consumer = push_consumer_of(batch->queue->consumer);
    struct link tasks;
    list_init(&tasks);
    if (!push_pop_begin(batch)) return;
    sort(batch);
    struct order_piece *piece = (struct order_piece *)batch->room;
    for (size_t at = 0; at < batch->count; at += piece++->count) {
        size_t end = at + 1;
        while (end < batch->count &&
               batch->messages[end]->queue_id == batch->messages[at]->queue_id)
            end++;
        *piece = (struct order_piece){.task = {.run = piece_run, .discard = piece_discard},
                                      .batch = batch,
                                      .first = at,
                                      .count = end - at};
        reference_take(&batch->references);
        list_append(&tasks, &piece->task.link);
    }
    consume_workers_submit_all(consumer->workers, &tasks);
    popped_batch_unref(batch);
}

static bool comes_before(const struct mqc_message *a, const struct mqc_message *b)
{
    return a->queue_id != b->queue_id ? a->queue_id < b->queue_id
                                      : a->queue_offset < b->queue_offset;
}

/* By queue and offset, as they nearly always are. */
static void sort(struct popped_batch *batch)
{
    for (size_t i = 1; i < batch->count; i++) {
        struct mqc_message *message = batch->messages[i];
        struct pop_ticket ticket = batch->tickets[i];
        size_t k = i;
        for (; k > 0 && comes_before(message, batch->messages[k - 1]); k--) {
            batch->messages[k] = batch->messages[k - 1];
            batch->tickets[k] = batch->tickets[k - 1];
        }
        batch->messages[k] = message;
        batch->tickets[k] = ticket;
    }
}

/* Worker thread. */
static void piece_run(struct consume_task *task)
{
    struct order_piece *piece = CONTAINER_OF(task, struct order_piece, task);
    struct consumer *core = piece->batch->queue->consumer;
    if (push_hold_back(push_consumer_of(core), task)) return;
    bool go_on = true;
    while (go_on && piece->count > 0 && consumer_running(core)) go_on = step(piece);
    if (go_on && piece->count > 0) hide_all(piece, GIVE_BACK_MS); /* the consumer ends */
    order_piece_end(piece);
}

/* The workers end: others are to have the messages soon, not when their time is over. */
static void piece_discard(struct consume_task *task)
{
    struct order_piece *piece = CONTAINER_OF(task, struct order_piece, task);
    hide_all(piece, GIVE_BACK_MS);
    order_piece_end(piece);
}

static void order_piece_end(struct order_piece *piece)
{
    atomic_fetch_sub(&piece->batch->queue->unacked, (int)piece->count);
    popped_batch_unref(piece->batch);
}

/* ---- one listener call ---- */

/* False: what is left of the piece comes again later. */
static bool step(struct order_piece *piece)
{
    struct popped_batch *batch = piece->batch;
    struct consumer_queue *queue = batch->queue;
    struct mqc_push_consumer *consumer = push_consumer_of(queue->consumer);
    size_t most = (size_t)consumer->options.listener_batch;
    struct mqc_delivery delivery = {.queue = queue->place,
                                    .messages = batch->messages + piece->first,
                                    .count = readable_from(piece, most),
                                    .meter = queue->meter};
    if (delivery.count == 0) return true; /* the first was damaged, and is settled */
    delivery.queue.queue_id = delivery.messages[0]->queue_id;
    mqc_order_status status = MQC_ORDER_SUCCESS;
    bool in_time = clock_now_ms() < batch->expires_ms;
    if (in_time) {
        push_delivery_begins(queue, &delivery);
        status = push_deliver_orderly(consumer, &delivery);
        in_time = clock_now_ms() < batch->expires_ms;
    }
    if (in_time) return settle(piece, &delivery, status);
    log_warn(LOG_CONSUMER,
             "group=%s topic=%s broker=%s queue=%d: %zu popped messages were not done in %d ms "
             "and come again",
             queue->consumer->group, queue->place.topic, queue->place.broker_name,
             delivery.queue.queue_id, piece->count, queue->consumer->settings.pop_invisible_ms);
    return false;
}

/* How many of the next messages the listener can be given. One that is damaged goes to the dead
 * letters when its turn comes. */
static size_t readable_from(struct order_piece *piece, size_t most)
{
    struct popped_batch *batch = piece->batch;
    struct consumer_queue *queue = batch->queue;
    size_t readable = 0;
    mqc_error error;
    while (readable < most && readable < piece->count &&
           consumer_prepare_message(batch->messages[piece->first + readable], &error) == MQC_OK)
        readable++;
    if (readable > 0) return readable;
    log_error(LOG_CONSUMER, "group=%s topic=%s broker=%s offset=%lld not readable: %s",
              queue->consumer->group, queue->place.topic, queue->place.broker_name,
              (long long)batch->messages[piece->first]->queue_offset, error.text);
    pop_refuse(push_consumer_of(queue->consumer), batch, piece->first, TO_DEAD_LETTERS);
    pass(piece, 1);
    return 0;
}

/* Each call's verdict is told at once: commits by hand have nothing to wait for, as the broker
 * gives nothing more of the queue meanwhile. */
static bool settle(struct order_piece *piece, const struct mqc_delivery *delivery,
                   mqc_order_status status)
{
    const mqc_push_consumer_options *options =
        &push_consumer_of(piece->batch->queue->consumer)->options;
    int64_t suspend_ms = delivery->suspend_ms > 0 ? delivery->suspend_ms : options->suspend_ms;
    size_t count = delivery->count;
    size_t done = status == MQC_ORDER_SUCCESS && delivery->done < count ? delivery->done : count;
    switch (status) {
    case MQC_ORDER_SUCCESS:
    case MQC_ORDER_COMMIT:
        acknowledge(piece, done);
        if (done == count) return true;
        break;
    case MQC_ORDER_SUSPEND: return refuse(piece, count, suspend_ms);
    case MQC_ORDER_ROLLBACK: break;
    }
    hide_all(piece, suspend_ms);
    return false;
}

/* Again after a while, but not for ever: true when all went to the dead letters. */
static bool refuse(struct order_piece *piece, size_t count, int64_t suspend_ms)
{
    struct popped_batch *batch = piece->batch;
    struct consumer *core = batch->queue->consumer;
    for (; count > 0; count--) {
        const struct mqc_message *message = batch->messages[piece->first];
        if (message->reconsume_times < core->settings.max_reconsume_times) break;
        pop_refuse(push_consumer_of(core), batch, piece->first, TO_DEAD_LETTERS);
        pass(piece, 1);
    }
    if (count == 0) return true;
    hide_all(piece, suspend_ms);
    return false;
}

/* The next `count` are done. */
static void acknowledge(struct order_piece *piece, size_t count)
{
    while (count > 0) {
        size_t indexes[BATCH_MOST], some = 0;
        for (; some < count && some < BATCH_MOST; some++) indexes[some] = piece->first + some;
        pop_acknowledge(push_consumer_of(piece->batch->queue->consumer), piece->batch, indexes,
                        some);
        pass(piece, some);
        count -= some;
    }
}

static void pass(struct order_piece *piece, size_t count)
{
    piece->first += count;
    piece->count -= count;
    atomic_fetch_sub(&piece->batch->queue->unacked, (int)count);
}

/* The queue is given out again when the time of all of them is over. */
static void hide_all(struct order_piece *piece, int64_t ms)
{
    for (size_t i = 0; i < piece->count; i++)
        pop_hide(push_consumer_of(piece->batch->queue->consumer), piece->batch, piece->first + i,
                 ms);
}
