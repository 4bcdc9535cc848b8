/* Orderly consumption (ConsumeMessageOrderlyService.java): the messages of a queue come to the
 * listener in their order, one call at a time, and a message that is refused holds up those behind
 * it. Turns run on the consumer's workers; no lock is held around the listener. */
#include "lib/consumer/push_orderly.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum {
    TURN_MS = 100, /* then other queues' turns that wait for a worker come first */
    LOCK_WAIT_MS = 100,
    BATCH_MOST = 1024,
    GO_ON = 0,
    NOTHING_TO_DO = -1
};

/* The messages of one listener call. */
struct call {
    struct orderly_queue *queue;
    struct mqc_message *messages[BATCH_MOST];
    size_t count;
    mqc_delivery delivery;
};

static mqc_status start(struct consumer *core, mqc_error *error);
static void queue_init(struct consumer_queue *core);
static void queue_done(struct consumer_queue *core);
static void deliver(struct pulled_batch *batch);
static void resume(struct consumer *core);
static void turn_begin(struct orderly_queue *queue);
static void turn_run(struct consume_task *turn);
static void turn_discard(struct consume_task *turn);
static void turn_sleep(struct orderly_queue *queue, int64_t ms);
static void turn_wake(struct pull_request *asleep);
static void turn_not_woken(struct pull_request *asleep);
static void turn_end(struct orderly_queue *queue);
static int64_t step(struct orderly_queue *queue);
static bool begin_listening(struct orderly_queue *queue);
static void end_listening(struct orderly_queue *queue);
static int64_t consume(struct call *call);
static bool shorten_to_readable(struct call *call);
static void put_back(struct call *call, size_t first);
static int64_t settle(struct call *call, mqc_order_status status);
static int64_t refuse(struct call *call);
static bool give_up(struct consumer_queue *queue, struct mqc_message *message, bool damaged);
static int64_t suspend_ms(const struct call *call);

const struct consumer_kind PUSH_ORDERLY = {
    .what = "push consumer",
    .prefix = "mqc_push_consumer",
    .consume_type = "CONSUME_PASSIVELY",
    .orderly = true,
    .message_bytes = PUSH_POP_BYTES,
    .queue_bytes = sizeof(struct orderly_queue),
    .start = start,
    .stop = push_stop,
    .destroy = push_destroy,
    .deliver = deliver,
    .deliver_popped = push_pop_deliver_in_order,
    .resume = resume,
    .sweep = push_locks_renew,
    .consume_directly = push_consume_directly_orderly,
    .submit = push_submit,
    .threads = push_threads,
    .busy = push_busy,
    .queue_init = queue_init,
    .queue_done = queue_done,
    .gain = push_locks_gain,
    .pull_delay = push_locks_pull_delay,
    .let_go = push_locks_let_go,
    .lost = push_locks_lost,
    .describe = push_locks_describe,
};

static mqc_status start(struct consumer *core, mqc_error *error)
{
    struct mqc_push_consumer *consumer = push_consumer_of(core);
    mqc_status status = push_locks_start(consumer, error);
    return status == MQC_OK ? push_start_workers(consumer, error) : status;
}

static void queue_init(struct consumer_queue *core)
{
    struct orderly_queue *queue = orderly_queue_of(core);
    lock_init(&queue->lock, LOCK_RANK_LEAF);
    queue_lock_init(&queue->queue_lock, push_consumer_of(core->consumer)->options.lock_renew_ms);
    queue->turn = (struct consume_task){.run = turn_run, .discard = turn_discard};
    queue->asleep = (struct pull_request){.pull = turn_wake, .discard = turn_not_woken};
}

static void queue_done(struct consumer_queue *core)
{
    lock_done(&orderly_queue_of(core)->lock);
}

/* The messages are in the process queue, from where turns take them. */
static void deliver(struct pulled_batch *batch)
{
    turn_begin(orderly_queue_of(batch->queue));
    pulled_batch_unref(batch);
}

static void resume(struct consumer *core)
{
    push_resume_parked(core);
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(core, NULL, &count);
    for (size_t i = 0; i < count; i++) turn_begin(orderly_queue_of(queues[i]));
    consumer_queues_release(queues, count);
}

/* ---- turns ---- */

/* There is something to do: the queue's turn sees to it, or a new one. */
static void turn_begin(struct orderly_queue *queue)
{
    lock_take(&queue->lock);
    bool begin = !queue->has_turn;
    queue->has_turn = queue->more = true;
    lock_release(&queue->lock);
    if (!begin) return;
    consumer_queue_ref(&queue->core);
    consume_workers_submit(push_consumer_of(queue->core.consumer)->workers, &queue->turn);
}

/* Worker thread. */
static void turn_run(struct consume_task *turn)
{
    struct orderly_queue *queue = CONTAINER_OF(turn, struct orderly_queue, turn);
    int64_t end_ms = clock_deadline_ms(TURN_MS);
    int64_t next = GO_ON;
    while (next == GO_ON && clock_now_ms() < end_ms) {
        lock_take(&queue->lock);
        queue->more = false;
        lock_release(&queue->lock);
        next = step(queue);
    }
    if (next == NOTHING_TO_DO)
        turn_end(queue);
    else if (next == GO_ON)
        consume_workers_submit(push_consumer_of(queue->core.consumer)->workers, turn);
    else
        turn_sleep(queue, next);
}

/* What came meanwhile found a turn, and relies on it. */
static void turn_end(struct orderly_queue *queue)
{
    lock_take(&queue->lock);
    bool go_on = queue->more;
    queue->has_turn = go_on;
    lock_release(&queue->lock);
    if (go_on)
        consume_workers_submit(push_consumer_of(queue->core.consumer)->workers, &queue->turn);
    else
        consumer_queue_unref(&queue->core);
}

/* The workers end. */
static void turn_discard(struct consume_task *turn)
{
    struct orderly_queue *queue = CONTAINER_OF(turn, struct orderly_queue, turn);
    lock_take(&queue->lock);
    queue->has_turn = false;
    lock_release(&queue->lock);
    consumer_queue_unref(&queue->core);
}

static void turn_sleep(struct orderly_queue *queue, int64_t ms)
{
    struct consumer *core = queue->core.consumer;
    struct client_instance *instance = consumer_enter(core);
    if (!instance) {
        turn_discard(&queue->turn);
        return;
    }
    pull_service_execute_later(client_instance_pull_service(instance), &queue->asleep, ms);
    consumer_exit(core);
}

/* Pull thread, which only passes the turn on. */
static void turn_wake(struct pull_request *asleep)
{
    struct orderly_queue *queue = CONTAINER_OF(asleep, struct orderly_queue, asleep);
    struct consumer *core = queue->core.consumer;
    consumer_ref(core); /* the workers outlive their discarding of the turn */
    consume_workers_submit(push_consumer_of(core)->workers, &queue->turn);
    consumer_unref(core);
}

static void turn_not_woken(struct pull_request *asleep)
{
    turn_discard(&CONTAINER_OF(asleep, struct orderly_queue, asleep)->turn);
}

/* ---- one listener call ---- */

/* GO_ON, NOTHING_TO_DO, or the milliseconds to sleep. */
static int64_t step(struct orderly_queue *queue)
{
    struct consumer *core = queue->core.consumer;
    if (queue_pull_over(&queue->core) || atomic_load(&core->paused)) return NOTHING_TO_DO;
    if (!queue_lock_held(&queue->queue_lock, clock_now_ms())) {
        struct client_instance *instance = consumer_enter(core);
        if (!instance) return NOTHING_TO_DO;
        consumer_do_later(core, CHORE_SWEEP);
        consumer_exit(core);
        return LOCK_WAIT_MS;
    }
    if (!begin_listening(queue)) return NOTHING_TO_DO;
    struct call call = {.queue = queue};
    size_t most = (size_t)push_consumer_of(core)->options.listener_batch;
    call.count = process_queue_take(&queue->core.messages, most < BATCH_MOST ? most : BATCH_MOST,
                                    clock_now_ms(), call.messages);
    size_t taken = call.count;
    int64_t next = taken > 0 ? consume(&call) : NOTHING_TO_DO;
    for (size_t i = 0; i < taken; i++) mqc_message_free(call.messages[i]);
    end_listening(queue);
    return next;
}

/* False when the queue is leaving: whoever has set that looks at `listening` next. */
static bool begin_listening(struct orderly_queue *queue)
{
    lock_take(&queue->lock);
    queue->listening = !atomic_load(&queue->core.leaving);
    bool begin = queue->listening;
    lock_release(&queue->lock);
    return begin;
}

static void end_listening(struct orderly_queue *queue)
{
    struct consumer *core = queue->core.consumer;
    lock_take(&queue->lock);
    queue->listening = false;
    lock_release(&queue->lock);
    if (!atomic_load(&queue->core.leaving)) return;
    struct client_instance *instance = consumer_enter(core);
    if (!instance) return;
    client_instance_wake_rebalance(instance);
    consumer_exit(core);
}

static int64_t consume(struct call *call)
{
    struct consumer_queue *queue = &call->queue->core;
    if (!shorten_to_readable(call)) return suspend_ms(call);
    if (call->count == 0) return GO_ON;
    call->delivery = (mqc_delivery){.queue = queue->place,
                                    .messages = call->messages,
                                    .count = call->count,
                                    .meter = queue->meter};
    push_delivery_begins(queue, &call->delivery);
    mqc_order_status status =
        push_deliver_orderly(push_consumer_of(queue->consumer), &call->delivery);
    /* Of a queue that was lost meanwhile nothing counts: its next owner delivers again. */
    int64_t next_ms =
        process_queue_dropped(&queue->messages) ? NOTHING_TO_DO : settle(call, status);
    for (size_t i = 0; i < call->count; i++) message_deflate(call->messages[i]);
    return next_ms;
}

/* The listener gets the messages before the first damaged one; that one, when it is the first, goes
 * to the dead letters. False when that cannot be done now. */
static bool shorten_to_readable(struct call *call)
{
    struct consumer_queue *queue = &call->queue->core;
    size_t readable = 0;
    mqc_error error;
    while (readable < call->count &&
           consumer_prepare_message(call->messages[readable], &error) == MQC_OK)
        readable++;
    if (readable == call->count) return true;
    if (readable > 0) {
        put_back(call, readable);
        call->count = readable;
        return true;
    }
    struct mqc_message *message = call->messages[0];
    log_error(LOG_CONSUMER, "group=%s topic=%s broker=%s queue=%d offset=%lld not readable: %s",
              queue->consumer->group, queue->place.topic, queue->place.broker_name,
              queue->place.queue_id, (long long)message->queue_offset, error.text);
    bool gone = error.status != MQC_NO_MEMORY && give_up(queue, message, true);
    put_back(call, gone ? 1 : 0);
    call->count = 0;
    return gone;
}

static void put_back(struct call *call, size_t first)
{
    for (size_t i = first; i < call->count; i++)
        process_queue_put_back(&call->queue->core.messages, call->messages[i]->queue_offset);
}

static int64_t settle(struct call *call, mqc_order_status status)
{
    struct consumer_queue *queue = &call->queue->core;
    bool commits_alone = !call->delivery.by_hand;
    size_t done = call->delivery.done;
    if (status == MQC_ORDER_SUCCESS && done < call->count) {
        put_back(call, done);
        for (size_t i = 0; commits_alone && i < done; i++)
            consumer_queue_finished(queue, call->messages[i]);
        return suspend_ms(call);
    }
    if (status == MQC_ORDER_COMMIT || (status == MQC_ORDER_SUCCESS && commits_alone)) {
        int64_t commit = process_queue_finish_taken(&queue->messages);
        if (commit >= 0) offset_record_raise(queue->offset, commit);
        return GO_ON;
    }
    if (status == MQC_ORDER_SUCCESS) return GO_ON; /* until COMMIT or ROLLBACK */
    if (status == MQC_ORDER_ROLLBACK) {
        process_queue_put_back_taken(&queue->messages);
        return suspend_ms(call);
    }
    return refuse(call);
}

/* Again after a while, but not for ever. */
static int64_t refuse(struct call *call)
{
    struct consumer_queue *queue = &call->queue->core;
    bool again = false;
    for (size_t i = 0; i < call->count; i++) {
        struct mqc_message *message = call->messages[i];
        if (message->reconsume_times >= queue->consumer->settings.max_reconsume_times &&
            give_up(queue, message, false))
            continue;
        message->reconsume_times++;
        process_queue_put_back(&queue->messages, message->queue_offset);
        again = true;
    }
    return again ? suspend_ms(call) : GO_ON;
}

/* To the dead letters: the broker puts what a group that holds locks sends to its retry topic there
 * at once. A damaged message can only be sent back as it is. */
static bool give_up(struct consumer_queue *queue, struct mqc_message *message, bool damaged)
{
    struct consumer *core = queue->consumer;
    mqc_error error;
    mqc_status status = MQC_OK;
    struct client_instance *instance = consumer_enter(core);
    if (!instance) return false;
    if (core->settings.model == MQC_BROADCASTING) /* nobody else of the group has it to deliver */
        log_error(LOG_CONSUMER, "group=%s topic=%s broker=%s queue=%d offset=%lld given up",
                  core->group, queue->place.topic, queue->place.broker_name, queue->place.queue_id,
                  (long long)message->queue_offset);
    else
        status = damaged ? consumer_send_back(core, instance, message, -1, &error)
                         : consumer_send_copy(core, instance, message, &error);
    consumer_exit(core);
    if (status == MQC_OK && core->settings.model == MQC_CLUSTERING)
        meter_add(queue->meter, METER_SENT_BACK_MESSAGES, 1);
    if (status == MQC_OK)
        consumer_queue_finished(queue, message);
    else
        log_warn(LOG_CONSUMER,
                 "group=%s topic=%s broker=%s queue=%d offset=%lld could not be given up, again "
                 "in a while: %s",
                 core->group, queue->place.topic, queue->place.broker_name, queue->place.queue_id,
                 (long long)message->queue_offset, error.text);
    return status == MQC_OK;
}

static int64_t suspend_ms(const struct call *call)
{
    if (call->delivery.suspend_ms > 0) return call->delivery.suspend_ms;
    return push_consumer_of(call->queue->core.consumer)->options.suspend_ms;
}
