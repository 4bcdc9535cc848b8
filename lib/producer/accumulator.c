/* The accumulator's life and its asynchronous sends: gathered on sending threads, sent by the one
 * who fills a batch or by the accumulator's thread, called back like any other asynchronous send.
 */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/producer/accumulation.h"
#include "lib/producer/batch_body.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"

static void run(void *accumulator);
static struct accumulation *take_due(struct accumulator *accumulator, int64_t now_ms);
static mqc_status make(struct mqc_producer *producer, struct accumulation_join *join,
                       const mqc_send_options *options, struct send_place *place,
                       int64_t deadline_ms, mqc_error *error);
static void begin(struct accumulation *accumulation);
static void deliver(struct async_send *send);
static void empty(struct async_send *send);

static const struct async_send_type ACCUMULATED = {.deliver = deliver, .empty = empty};

/* ---- life ---- */

void accumulator_init(struct accumulator *accumulator, const mqc_producer_options *filled)
{
    accumulator->enabled = filled->auto_batch;
    accumulator->batch_bytes = (size_t)filled->batch_max_bytes;
    accumulator->total_bytes = (size_t)filled->batch_total_bytes;
    accumulator->delay_ms = filled->batch_max_delay_ms;
    service_init(&accumulator->service, "mqc-batch", run, NULL, accumulator);
    lock_init(&accumulator->lock, LOCK_RANK_LEAF);
    for (int i = 0; i < ACCUMULATOR_BUCKETS; i++) list_init(&accumulator->buckets[i]);
    list_init(&accumulator->open);
    accumulator->held_bytes = 0;
    accumulator->wakes_ms = CLOCK_NEVER;
    accumulator->closing = false;
}

void accumulator_done(struct accumulator *accumulator)
{
    lock_done(&accumulator->lock);
    service_done(&accumulator->service);
}

mqc_status accumulator_start(struct accumulator *accumulator, mqc_error *error)
{
    return accumulator->enabled ? service_start(&accumulator->service, error) : MQC_OK;
}

void accumulator_close(struct accumulator *accumulator)
{
    if (!accumulator->enabled) return;
    lock_take(&accumulator->lock);
    accumulator->closing = true;
    for (int i = 0; i < ACCUMULATOR_BUCKETS; i++) {
        LIST_EACH(&accumulator->buckets[i], link)
        {
            /* Synchronous ones are sent by those who wait for them. */
            condition_wake_all(&CONTAINER_OF(link, struct accumulation, in_bucket)->changed);
        }
    }
    lock_release(&accumulator->lock);
    accumulator_flush(accumulator);
    service_stop(&accumulator->service);
    service_join(&accumulator->service);
}

void accumulator_flush(struct accumulator *accumulator)
{
    for (struct accumulation *next; (next = take_due(accumulator, CLOCK_NEVER));) begin(next);
}

/* The thread: sends what is due. */
static void run(void *arg)
{
    struct accumulator *accumulator = arg;
    int64_t wakes_ms;
    do {
        for (struct accumulation *due; (due = take_due(accumulator, clock_now_ms()));) begin(due);
        lock_take(&accumulator->lock);
        bool none = list_empty(&accumulator->open);
        wakes_ms = none
                       ? CLOCK_NEVER
                       : CONTAINER_OF(accumulator->open.next, struct accumulation, in_open)->due_ms;
        accumulator->wakes_ms = wakes_ms;
        lock_release(&accumulator->lock);
    } while (service_wait(&accumulator->service, wakes_ms));
}

/* The oldest one if it is due by then, closed; NULL: none. */
static struct accumulation *take_due(struct accumulator *accumulator, int64_t now_ms)
{
    struct accumulation *due = NULL;
    lock_take(&accumulator->lock);
    if (!list_empty(&accumulator->open)) {
        due = CONTAINER_OF(accumulator->open.next, struct accumulation, in_open);
        if (due->due_ms <= now_ms)
            accumulation_close(due);
        else
            due = NULL;
    }
    lock_release(&accumulator->lock);
    return due;
}

/* ---- sending ---- */

bool accumulator_wants(const struct accumulator *accumulator, const mqc_message *message,
                       const mqc_send_options *options)
{
    if (!accumulator->enabled || (options && options->timeout_ms > 0)) return false;
    return batch_message_room(message) <= accumulator->batch_bytes &&
           message_property(message, PROPERTY_TAGS).size < ACCUMULATION_TAG_BYTES &&
           batch_message_check(message, message, NULL) == MQC_OK;
}

mqc_status accumulator_send_async(struct mqc_producer *producer, const mqc_message *message,
                                  const mqc_send_options *options, int64_t deadline_ms,
                                  mqc_sent *done, void *arg, bool *taken, mqc_error *error)
{
    struct accumulator *accumulator = &producer->accumulator;
    const struct accumulated callback = {done, arg, mqc_message_body(message).size};
    struct send_place place = {.queue.broker_name = NULL};
    bool pinned = options && (options->queue || options->select || options->order_key);
    *taken = false;
    mqc_status status = MQC_OK;
    if (pinned)
        status =
            sender_place(&producer->sender, message, options, NULL, deadline_ms, &place, error);
    if (status != MQC_OK) return status;
    struct accumulation_join join = {
        .key = accumulation_key_of(message, false, pinned ? &place.queue : NULL),
        .message = message,
        .callback = &callback,
    };
    bool wake = false;
    do {
        if (join.needs_spare) status = make(producer, &join, options, &place, deadline_ms, error);
        if (status != MQC_OK) break;
        lock_take(&accumulator->lock);
        status = accumulation_join(accumulator, &join, error);
        wake = join.opened && join.batch && join.batch->due_ms < accumulator->wakes_ms;
        lock_release(&accumulator->lock);
        if (join.overfull) begin(join.overfull);
        join.overfull = NULL;
    } while (join.needs_spare);
    if (join.spare) async_send_drop(join.spare->send);
    if (join.filled)
        begin(join.batch);
    else if (wake)
        service_wake(&accumulator->service);
    *taken = join.batch != NULL;
    return status;
}

/* A spare batch, ready to begin. */
static mqc_status make(struct mqc_producer *producer, struct accumulation_join *join,
                       const mqc_send_options *options, struct send_place *place,
                       int64_t deadline_ms, mqc_error *error)
{
    bool pinned = place->queue.broker_name != NULL;
    if (!pinned) {
        /* The route must be known when the batch goes out, where nothing can wait for it. */
        struct send_place any;
        mqc_status status =
            sender_place(&producer->sender, join->message, options, NULL, deadline_ms, &any, error);
        if (status != MQC_OK) return status;
    }
    struct accumulation *spare = accumulation_new(&join->key, join->message);
    struct async_send *send = spare ? async_send_take(producer, &ACCUMULATED) : NULL;
    if (!send) {
        accumulation_free(spare);
        return error_no_memory(error);
    }
    send->batch = spare;
    send->place = *place;
    send->pinned = pinned;
    send->deadline_ms = deadline_ms;
    spare->send = send;
    join->spare = spare;
    return MQC_OK;
}

/* Whoever has closed it. */
static void begin(struct accumulation *accumulation)
{
    accumulation_content(accumulation, &accumulation->send->content);
    async_send_begin_known(accumulation->send);
}

/* ---- results ---- */

static void deliver(struct async_send *send)
{
    struct accumulation *batch = send->batch;
    struct mqc_producer *producer = send->producer;
    bool failed = send->error.status != MQC_OK;
    lock_take(&producer->accumulator.lock);
    producer->accumulator.held_bytes -= batch->body.size;
    lock_release(&producer->accumulator.lock);
    for (size_t i = 0; i < batch->count; i++) {
        const struct accumulated *callback = &batch->callbacks[i];
        mqc_send_result result;
        if (!failed) accumulation_result(batch, i, &send->result, &result);
        send_window_hand(&producer->window, callback->bytes);
        callback->done(failed ? NULL : &result, failed ? &send->error : NULL, callback->arg);
        send_window_hand_end();
    }
}

static void empty(struct async_send *send)
{
    accumulation_free(send->batch);
}
