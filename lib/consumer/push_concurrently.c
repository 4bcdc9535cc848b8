/* Concurrent consumption (ConsumeMessageConcurrentlyService): each pull's messages are cut into
 * pieces of at most listener_batch for the worker threads. A piece that was not taken up is dropped
 * without loss, since its messages stay unfinished in the process queue: the commit offset does not
 * pass them. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/consumer/push_consumer.h"

static void piece_run(struct consume_task *task);
static void piece_discard(struct consume_task *task);
static void piece_submit_again(struct pull_request *later);
static void piece_discard_later(struct pull_request *later);
static void settle(struct piece *piece, size_t good, size_t done, int retry_level);
static int level_of_damaged(struct mqc_message *message);
static bool give_back(struct consumer_queue *queue, struct mqc_message *message, int level);
static bool keep(struct consumer_queue *queue, struct mqc_message *message, int level);
static void deliver_later(struct piece *piece);
static void hand_over(struct mqc_push_consumer *consumer, struct link *tasks);

const struct consumer_kind PUSH_CONCURRENTLY = {
    .what = "push consumer",
    .prefix = "mqc_push_consumer",
    .consume_type = "CONSUME_PASSIVELY",
    .queue_bytes = sizeof(struct consumer_queue),
    .message_bytes = sizeof(struct piece) > PUSH_POP_BYTES ? sizeof(struct piece) : PUSH_POP_BYTES,
    .start = push_start,
    .stop = push_stop,
    .destroy = push_destroy,
    .deliver = push_deliver_pieces,
    .deliver_popped = push_pop_deliver,
    .resume = push_resume_parked,
    .sweep = push_timeout_sweep,
    .consume_directly = push_consume_directly,
    .submit = push_submit,
    .threads = push_threads,
    .busy = push_busy,
};

void push_deliver_pieces(struct pulled_batch *batch)
{
    struct mqc_push_consumer *consumer = push_consumer_of(batch->queue->consumer);
    size_t most = (size_t)consumer->options.listener_batch;
    struct link tasks;
    list_init(&tasks);
    struct piece *piece = (struct piece *)batch->room;
    for (size_t at = 0; at < batch->count; at += piece->count, piece++) {
        *piece = (struct piece){
            .task = {.run = piece_run, .discard = piece_discard},
            .later = {.pull = piece_submit_again, .discard = piece_discard_later},
            .batch = batch,
            .messages = batch->messages + at,
            .count = batch->count - at < most ? batch->count - at : most,
        };
        reference_take(&batch->references);
        list_append(&tasks, &piece->task.link);
    }
    hand_over(consumer, &tasks);
    pulled_batch_unref(batch);
}

/* To the workers, or to whoever polls. */
static void hand_over(struct mqc_push_consumer *consumer, struct link *tasks)
{
    if (!consumer->options.polled)
        consume_workers_submit_all(consumer->workers, tasks);
    else if (!mailbox_put(&consumer->mailbox, tasks)) /* it ends */
        push_discard_tasks(tasks);
}

void push_discard_tasks(struct link *tasks)
{
    for (struct link *item; (item = list_take_first(tasks));) {
        struct consume_task *task = CONTAINER_OF(item, struct consume_task, link);
        task->discard(task);
    }
}

/* ---- pieces ---- */

/* Worker thread. */
static void piece_run(struct consume_task *task)
{
    struct piece *piece = CONTAINER_OF(task, struct piece, task);
    struct consumer_queue *queue = piece->batch->queue;
    struct mqc_push_consumer *consumer = push_consumer_of(queue->consumer);
    if (process_queue_dropped(&queue->messages)) {
        pulled_batch_unref(piece->batch);
        return;
    }
    if (push_hold_back(consumer, task)) return;
    size_t good = piece_prepare(piece);
    struct mqc_delivery delivery = {
        .queue = queue->place, .messages = piece->messages, .count = good, .meter = queue->meter};
    push_delivery_begins(queue, &delivery);
    size_t done = good > 0 ? push_deliver(consumer, &delivery) : 0;
    piece_end(piece, good, done, delivery.retry_level);
}

void piece_end(struct piece *piece, size_t good, size_t done, int retry_level)
{
    /* Of a queue that was lost meanwhile nothing counts: its next owner delivers again. */
    if (process_queue_dropped(&piece->batch->queue->messages))
        piece->count = 0;
    else
        settle(piece, good, done, retry_level);
    if (piece->count > 0)
        deliver_later(piece);
    else
        pulled_batch_unref(piece->batch);
}

static void piece_discard(struct consume_task *task)
{
    pulled_batch_unref(CONTAINER_OF(task, struct piece, task)->batch);
}

size_t piece_prepare(struct piece *piece)
{
    struct consumer_queue *queue = piece->batch->queue;
    struct mqc_message **messages = piece->messages;
    int64_t now = clock_now_ms();
    size_t good = 0, untried = piece->count;
    while (untried > 0) {
        struct mqc_message *message = messages[good];
        mqc_error error;
        bool ours = process_queue_begin(&queue->messages, message->queue_offset, now);
        untried--;
        if (ours && consumer_prepare_message(message, &error) == MQC_OK) {
            good++;
            continue;
        }
        memmove(&messages[good], &messages[good + 1], (piece->count - good - 1) * sizeof *messages);
        if (ours) {
            messages[piece->count - 1] = message;
            log_error(LOG_CONSUMER,
                      "group=%s topic=%s broker=%s queue=%d offset=%lld not readable: %s",
                      queue->consumer->group, queue->place.topic, queue->place.broker_name,
                      queue->place.queue_id, (long long)message->queue_offset, error.text);
        } else {
            piece->count--;
        }
    }
    return good;
}

/* After the listener: what is done is done, the rest is given back. What could not be given back
 * remains in the piece. */
static void settle(struct piece *piece, size_t good, size_t done, int retry_level)
{
    struct consumer_queue *queue = piece->batch->queue;
    size_t remain = 0;
    for (size_t i = 0; i < done; i++) {
        consumer_queue_finished(queue, piece->messages[i]);
        message_deflate(piece->messages[i]);
    }
    for (size_t i = done; i < piece->count; i++) {
        struct mqc_message *message = piece->messages[i];
        int level = retry_level;
        if (i >= good) level = level_of_damaged(message);
        if (!give_back(queue, message, level)) piece->messages[remain++] = message;
        message_deflate(message);
    }
    piece->count = remain;
}

/* Damage never heals; want of memory may. */
static int level_of_damaged(struct mqc_message *message)
{
    mqc_status status = consumer_prepare_message(message, NULL);
    return status == MQC_OK || status == MQC_NO_MEMORY ? 0 : TO_DEAD_LETTERS;
}

/* False: it has to be delivered again from here. */
static bool give_back(struct consumer_queue *queue, struct mqc_message *message, int level)
{
    struct consumer *consumer = queue->consumer;
    /* After a timeout somebody else sees to it. */
    if (!process_queue_claim(&queue->messages, message->queue_offset)) return true;
    if (consumer->settings.model == MQC_BROADCASTING) return !keep(queue, message, level);
    struct client_instance *instance = consumer_enter(consumer);
    if (!instance) return true; /* shut down: not committed, so delivered again elsewhere */
    mqc_error error;
    mqc_status status = consumer_send_back(consumer, instance, message, level, &error);
    consumer_exit(consumer);
    if (status == MQC_OK) {
        meter_add(queue->meter, METER_SENT_BACK_MESSAGES, 1);
        consumer_queue_finished(queue, message);
        return true;
    }
    log_warn(LOG_CONSUMER,
             "group=%s topic=%s broker=%s queue=%d offset=%lld could not be sent back, again here "
             "in %lld ms: %s",
             consumer->group, queue->place.topic, queue->place.broker_name, queue->place.queue_id,
             (long long)message->queue_offset, (long long)push_consumer_of(consumer)->again_ms,
             error.text);
    message->reconsume_times++;
    process_queue_again(&queue->messages, message->queue_offset);
    return false;
}

/* Nobody else has a broadcast message to deliver: it comes again from here, as often as one that is
 * sent back would. In Java it is dropped at once. False: enough. */
static bool keep(struct consumer_queue *queue, struct mqc_message *message, int level)
{
    const struct consumer *consumer = queue->consumer;
    bool again = level != TO_DEAD_LETTERS &&
                 message->reconsume_times < consumer->settings.max_reconsume_times;
    LOG_AT(again ? MQC_LOG_WARN : MQC_LOG_ERROR, LOG_CONSUMER,
           "group=%s topic=%s broker=%s queue=%d offset=%lld was refused %d times: %s",
           consumer->group, queue->place.topic, queue->place.broker_name, queue->place.queue_id,
           (long long)message->queue_offset, message->reconsume_times + 1,
           again ? "again in 5 s" : "given up, as nobody else of a broadcasting group has it");
    if (again) {
        message->reconsume_times++;
        process_queue_again(&queue->messages, message->queue_offset);
    } else {
        consumer_queue_finished(queue, message);
    }
    return again;
}

/* ---- later ---- */

static void deliver_later(struct piece *piece)
{
    struct consumer *consumer = piece->batch->queue->consumer;
    struct client_instance *instance = consumer_enter(consumer);
    if (!instance) {
        pulled_batch_unref(piece->batch);
        return;
    }
    pull_service_execute_later(client_instance_pull_service(instance), &piece->later,
                               push_consumer_of(consumer)->again_ms);
    consumer_exit(consumer);
}

/* Pull thread, which only passes the piece on. */
static void piece_submit_again(struct pull_request *later)
{
    struct piece *piece = CONTAINER_OF(later, struct piece, later);
    struct consumer_queue *queue = piece->batch->queue;
    struct link tasks;
    list_init(&tasks);
    list_append(&tasks, &piece->task.link);
    consumer_queue_ref(queue); /* the workers outlive their discarding of the piece */
    hand_over(push_consumer_of(queue->consumer), &tasks);
    consumer_queue_unref(queue);
}

static void piece_discard_later(struct pull_request *later)
{
    pulled_batch_unref(CONTAINER_OF(later, struct piece, later)->batch);
}

/* ---- pause ---- */
