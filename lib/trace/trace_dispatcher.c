/* The queue of trace records and its thread: see trace_dispatcher.h. */
#include "lib/trace/trace_dispatcher.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "services/service.h"

enum {
    LINGER_MS = 5000,
    SEND_TIMEOUT_MS = 5000,
    KEYS_BYTES = 16384 /* of one trace message: its properties have room for them */
};

struct entry {
    struct link link;
    size_t id_bytes, keys_bytes, record_bytes;
    char bytes[]; /* message id, keys, record */
};

struct trace_dispatcher {
    struct service service;
    trace_send *send;
    void *sender;
    int linger_ms;
    struct lock lock; /* guards everything below */
    struct condition changed;
    struct link entries;
    size_t count;
    int64_t first_put_ms; /* of the oldest entry */
    int64_t dropped;
    bool stopping;
    int64_t stop_deadline_ms;
};

static void dispatcher_main(void *arg);
static void dispatcher_interrupt(void *arg);
static bool wait_for_batch(struct trace_dispatcher *dispatcher, struct link *batch);
static void send_batch(struct trace_dispatcher *dispatcher, struct link *batch);
static bool add_entry(const struct entry *entry, struct buffer *body, struct buffer *keys);
static void add_key(struct buffer *keys, struct slice key);
static void send_one(struct trace_dispatcher *dispatcher, struct buffer *body, struct buffer *keys);

mqc_status trace_dispatcher_start(trace_send *send, void *sender, int linger_ms,
                                  struct trace_dispatcher **out, mqc_error *error)
{
    struct trace_dispatcher *dispatcher = memory_allocate_zero(1, sizeof *dispatcher);
    if (!dispatcher) return error_no_memory(error);
    dispatcher->send = send;
    dispatcher->sender = sender;
    dispatcher->linger_ms = linger_ms > 0 ? linger_ms : LINGER_MS;
    service_init(&dispatcher->service, "mqc-trace", dispatcher_main, dispatcher_interrupt,
                 dispatcher);
    lock_init(&dispatcher->lock, LOCK_RANK_TRACE);
    condition_init(&dispatcher->changed);
    list_init(&dispatcher->entries);
    dispatcher->stop_deadline_ms = CLOCK_NEVER;
    mqc_status status = service_start(&dispatcher->service, error);
    if (status == MQC_OK)
        *out = dispatcher;
    else
        trace_dispatcher_free(dispatcher);
    return status;
}

void trace_dispatcher_put(struct trace_dispatcher *dispatcher, const struct buffer *record,
                          struct slice message_id, struct slice keys)
{
    struct entry *entry = NULL;
    if (!record->failed)
        entry = memory_allocate(sizeof *entry + message_id.size + keys.size + record->size);
    if (entry) {
        entry->id_bytes = message_id.size;
        entry->keys_bytes = keys.size;
        entry->record_bytes = record->size;
        if (message_id.size > 0) memcpy(entry->bytes, message_id.data, message_id.size);
        if (keys.size > 0) memcpy(entry->bytes + message_id.size, keys.data, keys.size);
        memcpy(entry->bytes + message_id.size + keys.size, record->data, record->size);
    }
    lock_take(&dispatcher->lock);
    bool taken = entry && dispatcher->count < TRACE_QUEUE_MOST && !dispatcher->stopping;
    if (taken) {
        if (dispatcher->count++ == 0) dispatcher->first_put_ms = clock_now_ms();
        list_append(&dispatcher->entries, &entry->link);
        if (dispatcher->count == 1 || dispatcher->count == TRACE_BATCH_MOST)
            condition_wake_all(&dispatcher->changed);
    } else {
        dispatcher->dropped++;
    }
    lock_release(&dispatcher->lock);
    if (!taken) memory_free(entry);
}

void trace_dispatcher_stop(struct trace_dispatcher *dispatcher, int64_t deadline_ms)
{
    if (!dispatcher) return;
    lock_take(&dispatcher->lock);
    dispatcher->stop_deadline_ms = deadline_ms;
    lock_release(&dispatcher->lock);
    service_stop(&dispatcher->service);
    service_join(&dispatcher->service);
}

void trace_dispatcher_free(struct trace_dispatcher *dispatcher)
{
    if (!dispatcher) return;
    for (struct link *item; (item = list_take_first(&dispatcher->entries)); dispatcher->dropped++)
        memory_free(CONTAINER_OF(item, struct entry, link));
    if (dispatcher->dropped > 0)
        log_warn(LOG_LIFECYCLE, "%lld trace records were dropped", (long long)dispatcher->dropped);
    condition_done(&dispatcher->changed);
    lock_done(&dispatcher->lock);
    service_done(&dispatcher->service);
    memory_free(dispatcher);
}

static void dispatcher_main(void *arg)
{
    struct trace_dispatcher *dispatcher = arg;
    struct link batch;
    list_init(&batch);
    while (wait_for_batch(dispatcher, &batch)) send_batch(dispatcher, &batch);
}

static void dispatcher_interrupt(void *arg)
{
    struct trace_dispatcher *dispatcher = arg;
    lock_take(&dispatcher->lock);
    dispatcher->stopping = true;
    condition_wake_all(&dispatcher->changed);
    lock_release(&dispatcher->lock);
}

/* Takes the next entries out; false at the end, when all are sent or there is no time left. */
static bool wait_for_batch(struct trace_dispatcher *dispatcher, struct link *batch)
{
    lock_take(&dispatcher->lock);
    while (!dispatcher->stopping && dispatcher->count < TRACE_BATCH_MOST) {
        int64_t due_ms =
            dispatcher->count > 0 ? dispatcher->first_put_ms + dispatcher->linger_ms : CLOCK_NEVER;
        if (clock_now_ms() >= due_ms) break;
        condition_wait_until(&dispatcher->changed, &dispatcher->lock, due_ms);
    }
    bool late = dispatcher->stopping && clock_now_ms() >= dispatcher->stop_deadline_ms;
    size_t taken = 0;
    struct link *item;
    while (!late && taken < TRACE_BATCH_MOST && (item = list_take_first(&dispatcher->entries))) {
        list_append(batch, item);
        taken++;
    }
    dispatcher->count -= taken;
    dispatcher->first_put_ms = clock_now_ms();
    lock_release(&dispatcher->lock);
    return taken > 0;
}

/* In one message, or several when it would be too large. */
static void send_batch(struct trace_dispatcher *dispatcher, struct link *batch)
{
    struct buffer body, keys;
    buffer_init(&body);
    buffer_init(&keys);
    for (struct link *item; (item = list_take_first(batch));) {
        struct entry *entry = CONTAINER_OF(item, struct entry, link);
        if (!add_entry(entry, &body, &keys)) {
            send_one(dispatcher, &body, &keys);
            add_entry(entry, &body, &keys); /* one fits always, its keys perhaps not */
        }
        memory_free(entry);
    }
    send_one(dispatcher, &body, &keys);
    buffer_done(&body);
    buffer_done(&keys);
}

/* False when it does not fit behind what is there. */
static bool add_entry(const struct entry *entry, struct buffer *body, struct buffer *keys)
{
    bool large = entry->keys_bytes > KEYS_BYTES / 2; /* found by its id, then */
    size_t keys_bytes = entry->id_bytes + 2 + (large ? 0 : entry->keys_bytes);
    if (body->size > 0 && (body->size + entry->record_bytes > TRACE_BODY_BYTES ||
                           keys->size + keys_bytes > KEYS_BYTES))
        return false;
    struct slice rest = slice_of(entry->bytes + entry->id_bytes, entry->keys_bytes);
    add_key(keys, slice_of(entry->bytes, entry->id_bytes));
    while (!large && rest.data) add_key(keys, slice_split(&rest, " "));
    buffer_put(body, entry->bytes + entry->id_bytes + entry->keys_bytes, entry->record_bytes);
    return true;
}

/* Each key once. */
static void add_key(struct buffer *keys, struct slice key)
{
    if (key.size == 0) return;
    struct slice rest = buffer_slice(keys);
    while (rest.data)
        if (slice_equal(slice_split(&rest, " "), key)) return;
    if (keys->size > 0) buffer_put_8(keys, ' ');
    buffer_put_slice(keys, key);
}

static void send_one(struct trace_dispatcher *dispatcher, struct buffer *body, struct buffer *keys)
{
    mqc_error error;
    const char *text = buffer_text(keys);
    if (body->size > 0) {
        int64_t deadline_ms = clock_deadline_ms(SEND_TIMEOUT_MS);
        lock_take(&dispatcher->lock);
        if (dispatcher->stop_deadline_ms < deadline_ms) deadline_ms = dispatcher->stop_deadline_ms;
        lock_release(&dispatcher->lock);
        mqc_status status = body->failed || !text
                                ? error_no_memory(&error)
                                : dispatcher->send(dispatcher->sender, buffer_slice(body), text,
                                                   deadline_ms, &error);
        if (status != MQC_OK) log_warn(LOG_LIFECYCLE, "trace not sent: %s", error.text);
    }
    buffer_clear(body);
    buffer_clear(keys);
}
