/* Synchronous sends that are gathered: the callers of one batch wait for it together, and one of
 * them leads, that is, sends it for all: who fills it, or who first sees that it is due. No other
 * thread takes part. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/producer/accumulation.h"

static mqc_status join_batch(struct accumulator *accumulator, struct accumulation_join *join,
                             mqc_error *error);
static bool wait_for_lead(struct accumulator *accumulator, struct accumulation *batch)
    REQUIRES(accumulator->lock);
static void lead(struct mqc_producer *producer, struct accumulation *batch,
                 const mqc_send_options *options, int64_t deadline_ms)
    EXCLUDES(producer->accumulator.lock);

mqc_status accumulator_send(struct mqc_producer *producer, const mqc_message *message,
                            const mqc_send_options *options, int64_t deadline_ms,
                            mqc_send_result *result, bool *taken, mqc_error *error)
{
    struct accumulator *accumulator = &producer->accumulator;
    struct send_place place;
    bool pinned = options && (options->queue || options->select || options->order_key);
    *taken = false;
    mqc_status status = MQC_OK;
    if (pinned)
        status =
            sender_place(&producer->sender, message, options, NULL, deadline_ms, &place, error);
    if (status != MQC_OK) return status;
    struct accumulation_join join = {
        .key = accumulation_key_of(message, true, pinned ? &place.queue : NULL),
        .message = message};
    status = join_batch(accumulator, &join, error);
    struct accumulation *batch = join.batch;
    if (!batch) return status;
    *taken = true;
    /* A key goes on to wait for its broker; what was selected is a queue from here on. */
    const mqc_send_options of_queue = {.queue = &place.queue};
    if (pinned && !options->order_key) options = &of_queue;
    lock_take(&accumulator->lock);
    if (join.filled || wait_for_lead(accumulator, batch)) {
        lock_release(&accumulator->lock);
        lead(producer, batch, options, deadline_ms);
        lock_take(&accumulator->lock);
        accumulator->held_bytes -= batch->body.size;
        batch->finished = true;
        condition_wake_all(&batch->changed);
    }
    status = batch->error.status;
    if (status == MQC_OK && result)
        accumulation_result(batch, join.number, &batch->result, result);
    else if (status != MQC_OK && error)
        *error = batch->error;
    bool last = --batch->callers == 0;
    lock_release(&accumulator->lock);
    if (last) accumulation_free(batch);
    return status;
}

static mqc_status join_batch(struct accumulator *accumulator, struct accumulation_join *join,
                             mqc_error *error)
{
    mqc_status status = MQC_OK;
    do {
        if (join->needs_spare) {
            join->spare = accumulation_new(&join->key, join->message);
            if (!join->spare) return error_no_memory(error);
        }
        lock_take(&accumulator->lock);
        status = accumulation_join(accumulator, join, error);
        if (join->batch) {
            join->batch->callers++;
            join->batch->led = join->batch->led || join->filled;
        }
        lock_release(&accumulator->lock);
    } while (join->needs_spare);
    accumulation_free(join->spare);
    return status;
}

/* True for the one who shall lead; for the others when the results are there. */
static bool wait_for_lead(struct accumulator *accumulator, struct accumulation *batch)
{
    while (!batch->finished) {
        bool due = accumulator->closing || clock_now_ms() >= batch->due_ms;
        if (!batch->led && due) {
            accumulation_close(batch);
            batch->led = true;
            return true;
        }
        condition_wait_until(&batch->changed, &accumulator->lock,
                             batch->led ? CLOCK_NEVER : batch->due_ms);
    }
    return false;
}

static void lead(struct mqc_producer *producer, struct accumulation *batch,
                 const mqc_send_options *options, int64_t deadline_ms)
{
    struct send_content content;
    accumulation_content(batch, &content);
    batch->error.status =
        sender_send_content(&producer->sender, &content, batch->first, options,
                            producer->options.retries, deadline_ms, &batch->result, &batch->error);
}
