/* Sending batches (DefaultMQProducer.send(Collection), which leaves dividing them to its users), on
 * the application's threads; asynchronous ones go on where answers are read. */
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/producer/async_send.h"
#include "lib/producer/batch_parts.h"

/* A batch whose answers come later. Everything is encoded when it begins: the messages are only
 * borrowed. */
struct batch_send {
    struct batch_parts parts; /* its messages: only the first one, which is kept */
    struct buffer body;       /* of all requests */
    size_t begin;             /* of the present request's in it */
    mqc_batch_sent *done;
    mqc_batch_item items[];
};

static mqc_status send_parts(struct mqc_producer *producer, struct batch_parts *parts,
                             const mqc_send_options *options, mqc_error *error);
static mqc_status send_async(struct mqc_producer *producer, const struct batch_parts *parts,
                             const mqc_send_options *options, mqc_batch_sent *done, void *arg,
                             mqc_error *error);
static mqc_status send_parts_seen(struct mqc_producer *producer, struct batch_parts *parts,
                                  const mqc_send_options *options, mqc_error *error);
static mqc_status send_async_seen(struct mqc_producer *producer, const struct batch_parts *parts,
                                  const mqc_send_options *options, mqc_batch_sent *done, void *arg,
                                  mqc_error *error);
static mqc_status batch_new(const struct batch_parts *parts, struct batch_send **out,
                            mqc_error *error);
static void batch_free(struct batch_send *batch);
static void put_content(struct async_send *send);
static void deliver(struct async_send *send);
static bool next(struct async_send *send);
static void empty(struct async_send *send);

static const struct async_send_type BATCH = {.deliver = deliver, .next = next, .empty = empty};

mqc_status mqc_producer_send_batch(mqc_producer *producer, const mqc_message *const *messages,
                                   size_t count, const mqc_send_options *options,
                                   mqc_batch_item *items, mqc_error *error)
{
    mqc_error failure;
    struct batch_parts parts = {
        .messages = messages, .count = count, .items = items, .request = -1};
    mqc_status status = producer_enter(producer, &failure);
    if (status == MQC_OK) {
        parts.limit = (size_t)producer->sender.max_message_bytes;
        status = batch_parts_check(&parts, options, &failure);
        if (status == MQC_OK)
            status = (send_watch_is_on(&producer->sender.watch) ? send_parts_seen : send_parts)(
                producer, &parts, options, &failure);
        else
            batch_parts_fail(&parts, false, &failure);
        producer_leave(producer);
    } else {
        batch_parts_fail(&parts, false, &failure);
    }
    if (status != MQC_OK && error) *error = failure;
    return status;
}

mqc_status mqc_producer_send_batch_async(mqc_producer *producer, const mqc_message *const *messages,
                                         size_t count, const mqc_send_options *options,
                                         mqc_batch_sent *done, void *arg, mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    struct batch_parts parts = {.messages = messages,
                                .count = count,
                                .limit = (size_t)producer->sender.max_message_bytes,
                                .request = -1};
    status = batch_parts_check(&parts, options, error);
    if (status == MQC_OK && !done)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "done is NULL: give the function that gets the result");
    if (status == MQC_OK)
        status = (send_watch_is_on(&producer->sender.watch) ? send_async_seen : send_async)(
            producer, &parts, options, done, arg, error);
    producer_leave(producer);
    return status;
}

/* ---- synchronous ---- */

/* One request after the other, each in the memory of the one before. */
static mqc_status send_parts(struct mqc_producer *producer, struct batch_parts *parts,
                             const mqc_send_options *options, mqc_error *error)
{
    int64_t deadline_ms = producer_deadline(producer, options);
    mqc_send_options same_queue = options ? *options : (mqc_send_options){0};
    struct send_content content;
    mqc_send_result result;
    struct buffer body;
    buffer_init(&body);
    mqc_status status = MQC_OK;
    bool encoded = true;
    while (status == MQC_OK && !batch_parts_done(parts)) {
        buffer_clear(&body);
        status = batch_parts_encode(parts, &body, error);
        encoded = status == MQC_OK;
        if (!encoded) break;
        batch_parts_content(parts, buffer_slice(&body), &content);
        status = sender_send_content(&producer->sender, &content, parts->messages[0], &same_queue,
                                     producer->options.retries, deadline_ms, &result, error);
        if (same_queue.select) {
            same_queue.select = NULL;
            same_queue.queue = &result.queue;
        }
    }
    if (status != MQC_OK) batch_parts_fail(parts, encoded, error);
    buffer_done(&body);
    return status;
}

/* With items of our own when the caller wants none: hooks get each message's result. */
static mqc_status send_parts_seen(struct mqc_producer *producer, struct batch_parts *parts,
                                  const mqc_send_options *options, mqc_error *error)
{
    struct watched_batch *watched;
    mqc_batch_item *own = NULL;
    mqc_status status = watched_batch_begin(&producer->sender.watch, parts->messages, parts->count,
                                            MQC_SEND_SYNC, &watched, error);
    if (status != MQC_OK) {
        batch_parts_fail(parts, false, error);
        return status;
    }
    parts->messages = watched_batch_messages(watched);
    if (!parts->items) parts->items = own = memory_allocate_zero(parts->count, sizeof *own);
    if (parts->items)
        status = send_parts(producer, parts, options, error);
    else
        status = error_no_memory(error);
    watched_batch_end(watched, parts->items, status == MQC_OK ? NULL : error);
    memory_free(own);
    return status;
}

/* ---- asynchronous ---- */

static mqc_status send_async_seen(struct mqc_producer *producer, const struct batch_parts *parts,
                                  const mqc_send_options *options, mqc_batch_sent *done, void *arg,
                                  mqc_error *error)
{
    struct watched_batch *watched;
    mqc_error failure;
    mqc_status status = watched_batch_begin(&producer->sender.watch, parts->messages, parts->count,
                                            MQC_SEND_ASYNC, &watched, error);
    if (status != MQC_OK) return status;
    watched_batch_callback(watched, done, arg);
    struct batch_parts to_send = *parts;
    to_send.messages = watched_batch_messages(watched);
    status = send_async(producer, &to_send, options, watched_batch_sent, watched, &failure);
    if (status == MQC_OK) return MQC_OK;
    watched_batch_end(watched, NULL, &failure);
    if (error) *error = failure;
    return status;
}

static mqc_status send_async(struct mqc_producer *producer, const struct batch_parts *parts,
                             const mqc_send_options *options, mqc_batch_sent *done, void *arg,
                             mqc_error *error)
{
    struct batch_send *batch = NULL;
    mqc_status status = batch_new(parts, &batch, error);
    if (status != MQC_OK) return status;
    int64_t deadline_ms = producer_deadline(producer, options);
    size_t bytes = batch->body.size;
    status = send_window_take(&producer->window, bytes, deadline_ms, error);
    if (status != MQC_OK) {
        batch_free(batch);
        return status;
    }
    struct async_send *send = async_send_take(producer, &BATCH);
    if (send) {
        send->message = mqc_message_ref(parts->messages[0]);
        send->batch = batch;
        send->deadline_ms = deadline_ms;
        send->arg = arg;
        batch->done = done;
        batch->parts.messages = (const mqc_message *const *)&send->message;
        put_content(send);
        status = async_send_begin(send, parts->messages[0], options, error);
    } else {
        batch_free(batch);
        status = error_no_memory(error);
    }
    if (status != MQC_OK) send_window_give_back(&producer->window, bytes);
    return status;
}

/* Encodes everything: the items know which request they belong to. */
static mqc_status batch_new(const struct batch_parts *parts, struct batch_send **out,
                            mqc_error *error)
{
    if (parts->count > SIZE_MAX / sizeof(mqc_batch_item) - 1) return error_no_memory(error);
    struct batch_send *batch =
        memory_allocate(sizeof *batch + parts->count * sizeof batch->items[0]);
    if (!batch) return error_no_memory(error);
    batch->parts = *parts;
    batch->parts.items = batch->items;
    batch->begin = 0;
    buffer_init(&batch->body);
    mqc_status status = MQC_OK;
    while (status == MQC_OK && !batch_parts_done(&batch->parts))
        status = batch_parts_encode(&batch->parts, &batch->body, error);
    if (status == MQC_OK) {
        batch->parts.first = batch->parts.next = 0;
        *out = batch;
    } else {
        batch_free(batch);
    }
    return status;
}

static void batch_free(struct batch_send *batch)
{
    buffer_done(&batch->body);
    memory_free(batch);
}

static uint32_t read_32(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The content of the request that begins with message `next`, at `begin` of the body, where every
 * message begins with its size. */
static void put_content(struct async_send *send)
{
    struct batch_send *batch = send->batch;
    struct batch_parts *parts = &batch->parts;
    parts->first = parts->next;
    parts->request = batch->items[parts->first].request;
    const char *begin = batch->body.data + batch->begin;
    size_t bytes = 0;
    while (!batch_parts_done(parts) && batch->items[parts->next].request == parts->request) {
        bytes += read_32(begin + bytes);
        parts->next++;
    }
    batch->begin += bytes;
    batch_parts_content(parts, slice_of(begin, bytes), &send->content);
}

static bool next(struct async_send *send)
{
    struct batch_send *batch = send->batch;
    if (batch_parts_done(&batch->parts)) return false;
    put_content(send);
    return true;
}

static void deliver(struct async_send *send)
{
    struct batch_send *batch = send->batch;
    bool failed = send->error.status != MQC_OK;
    if (failed) batch_parts_fail(&batch->parts, true, &send->error);
    send_window_hand(&send->producer->window, batch->body.size);
    batch->done(batch->items, batch->parts.count, failed ? &send->error : NULL, send->arg);
    send_window_hand_end();
}

static void empty(struct async_send *send)
{
    mqc_message_free(send->message);
    batch_free(send->batch);
}
