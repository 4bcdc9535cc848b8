/* Asynchronous sends and batches that hooks and the trace see: see send_watch.h. Only made when
 * somebody looks on. Callbacks run on callback threads. */
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/producer/send_watch.h"

struct watched_async {
    const struct send_watch *watch; /* the producer's, which lives longer */
    mqc_message *message;           /* counted */
    struct send_watched watched;
    mqc_sent *done;
    void *arg;
};

struct watched_batch {
    const struct send_watch *watch;
    mqc_batch_sent *done; /* NULL: synchronous */
    void *arg;
    size_t count;                /* that have begun */
    const mqc_message **to_send; /* of each, behind the last */
    struct watched_message {
        mqc_message *message; /* counted; as the application gave it */
        struct send_watched watched;
    } messages[];
};

mqc_status watched_async_begin(const struct send_watch *watch, const mqc_message *message,
                               mqc_sent *done, void *arg, struct watched_async **out,
                               mqc_error *error)
{
    struct watched_async *watched = memory_allocate(sizeof *watched);
    if (!watched) return error_no_memory(error);
    *watched = (struct watched_async){.watch = watch, .done = done, .arg = arg};
    mqc_status status = send_watch_before(watch, &watched->watched, message, MQC_SEND_ASYNC, error);
    if (status == MQC_OK) {
        watched->message = mqc_message_ref(message);
        *out = watched;
    } else {
        memory_free(watched);
    }
    return status;
}

const mqc_message *watched_async_message(const struct watched_async *watched)
{
    return send_watched_message(watched->watch, &watched->watched, watched->message);
}

void watched_sent(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct watched_async *watched = arg;
    send_watch_after(watched->watch, &watched->watched, watched->message, result, error);
    mqc_sent *done = watched->done;
    void *done_arg = watched->arg;
    mqc_message_free(watched->message);
    memory_free(watched);
    done(result, error, done_arg);
}

void watched_async_failed(struct watched_async *watched, const mqc_error *failure)
{
    send_watch_after(watched->watch, &watched->watched, watched->message, NULL, failure);
    mqc_message_free(watched->message);
    memory_free(watched);
}

mqc_status watched_batch_begin(const struct send_watch *watch, const mqc_message *const *messages,
                               size_t count, mqc_send_mode mode, struct watched_batch **out,
                               mqc_error *error)
{
    struct watched_batch *batch = memory_allocate_zero(
        1, sizeof *batch + count * (sizeof batch->messages[0] + sizeof batch->to_send[0]));
    if (!batch) return error_no_memory(error);
    batch->watch = watch;
    batch->to_send = (const mqc_message **)&batch->messages[count];
    mqc_error failure;
    mqc_status status = MQC_OK;
    for (; batch->count < count; batch->count++) {
        struct watched_message *place = &batch->messages[batch->count];
        status = send_watch_before(watch, &place->watched, messages[batch->count], mode, &failure);
        if (status != MQC_OK) break;
        place->message = mqc_message_ref(messages[batch->count]);
        batch->to_send[batch->count] = send_watched_message(watch, &place->watched, place->message);
    }
    if (status == MQC_OK) {
        *out = batch;
        return MQC_OK;
    }
    watched_batch_end(batch, NULL, &failure);
    if (error) *error = failure;
    return status;
}

const mqc_message *const *watched_batch_messages(const struct watched_batch *watched)
{
    return watched->to_send;
}

void watched_batch_callback(struct watched_batch *watched, mqc_batch_sent *done, void *arg)
{
    watched->done = done;
    watched->arg = arg;
}

void watched_batch_sent(const mqc_batch_item *items, size_t count, const mqc_error *error,
                        void *arg)
{
    struct watched_batch *watched = arg;
    mqc_batch_sent *done = watched->done;
    void *done_arg = watched->arg;
    watched_batch_end(watched, items, error);
    done(items, count, error, done_arg);
}

/* A message's own result, as a single send would have it. */
static void end_one(const struct watched_batch *batch, struct watched_message *place,
                    const mqc_batch_item *item, const mqc_error *error)
{
    if (!item || item->status != MQC_OK) {
        mqc_error own = *error;
        if (item) own.maybe_done = item->maybe_done;
        send_watch_after(batch->watch, &place->watched, place->message, NULL, &own);
        return;
    }
    mqc_send_result result = {.status = item->send_status,
                              .queue = item->queue,
                              .queue_offset = item->queue_offset,
                              .region = "DefaultRegion",
                              .trace_on = true};
    memcpy(result.message_id, item->message_id, sizeof result.message_id);
    memcpy(result.offset_message_id, item->offset_message_id, sizeof result.offset_message_id);
    send_watch_after(batch->watch, &place->watched, place->message, &result, NULL);
}

void watched_batch_end(struct watched_batch *watched, const mqc_batch_item *items,
                       const mqc_error *error)
{
    for (size_t i = 0; i < watched->count; i++) {
        end_one(watched, &watched->messages[i], items ? &items[i] : NULL, error);
        mqc_message_free(watched->messages[i].message);
    }
    memory_free(watched);
}
