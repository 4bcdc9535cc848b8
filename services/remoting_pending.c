/* Calls that wait for their answers: the table by opaque of one connection. Entries are recycled,
 * so that a call costs no allocation in the steady state. Only the I/O thread lets calls expire. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "services/remoting_private.h"

static mqc_status no_time(const struct remoting_connection *connection, int32_t code,
                          mqc_error *error);
static struct pending_call *call_take_free(struct remoting_connection *connection);
static void call_recycle(struct remoting_connection *connection, struct pending_call *call);
static size_t collect(struct remoting_connection *connection, int64_t up_to_ms,
                      struct pending_call *out, size_t capacity) REQUIRES(connection->lock);
static void withdraw(struct remoting_connection *connection, struct pending_call *calls,
                     size_t count) REQUIRES(connection->lock);
static void complete_expired(struct remoting_connection *connection,
                             const struct pending_call *call, bool ended);

enum {
    EXPIRE_AT_ONCE = 32,
    /* Taking frames out of more than so much that waits would cost more than it is worth. */
    WITHDRAW_MOST_BYTES = 1 << 20
};

mqc_status remoting_pending_add(struct remoting_connection *connection,
                                const struct command_to_send *request, int64_t deadline_ms,
                                remoting_done *done, void *arg, mqc_error *error)
{
    mqc_status status = MQC_OK;
    if (!remoting_output_has_room(connection, request->body.size))
        return remoting_output_full(connection, error);
    int64_t now = clock_now_ms();
    if (done && deadline_ms <= now) return no_time(connection, request->code, error);
    int32_t opaque = connection->next_opaque;
    connection->next_opaque = opaque == INT32_MAX ? 1 : opaque + 1;
    connection->requests++;
    struct pending_call *call = NULL;
    if (done) {
        call = call_take_free(connection);
        if (!call) return error_no_memory(error);
        if (!id_map_put(&connection->pending, opaque, call)) {
            call_recycle(connection, call);
            return error_no_memory(error);
        }
    }
    size_t before = connection->queued.size;
    const struct credentials *credentials =
        request->own_credentials ? request->own_credentials : connection->client->credentials;
    status = remoting_command_encode(&connection->queued, request, opaque, SERIALIZE_ROCKETMQ,
                                     credentials, error);
    if (status == MQC_OK) {
        if (call) {
            *call = (struct pending_call){.opaque = opaque,
                                          .code = request->code,
                                          .sent_ms = now,
                                          .deadline_ms = deadline_ms,
                                          .frame_begin = connection->queued_total,
                                          .frame_bytes = connection->queued.size - before,
                                          .gathers = request->gathers,
                                          .done = done,
                                          .arg = arg};
            connection->gathering += request->gathers;
            connection->gathering_queued += request->gathers;
        }
        connection->queued_total += connection->queued.size - before;
        connection->last_used_ms = now;
    } else if (call) {
        id_map_remove(&connection->pending, opaque);
        call_recycle(connection, call);
    }
    return status;
}

/* What is not sent at all is surely not done. */
static mqc_status no_time(const struct remoting_connection *connection, int32_t code,
                          mqc_error *error)
{
    error_set(error, MQC_TIMEOUT, "%s: no time was left for %s", connection->address_text,
              request_code_name(code));
    error_mark_retryable(error);
    return MQC_TIMEOUT;
}

bool remoting_pending_take(struct remoting_connection *connection, int32_t opaque,
                           struct pending_call *out)
{
    struct pending_call *call = id_map_remove(&connection->pending, opaque);
    if (!call) return false;
    *out = *call;
    connection->gathering -= call->gathers;
    call_recycle(connection, call);
    return true;
}

bool remoting_pending_take_of(struct remoting_connection *connection, remoting_done *done,
                              void *arg, struct pending_call *out)
{
    struct id_map_entry entry;
    for (size_t at = 0; id_map_next(&connection->pending, &at, &entry);) {
        const struct pending_call *call = entry.value;
        if (call->done == done && call->arg == arg)
            return remoting_pending_take(connection, call->opaque, out);
    }
    return false;
}

void remoting_pending_expire(struct remoting_connection *connection, int64_t now_ms)
{
    struct pending_call expired[EXPIRE_AT_ONCE];
    size_t count;
    bool ended = remoting_client_calls_ended(connection->client);
    do {
        lock_take(&connection->lock);
        count = collect(connection, ended ? INT64_MAX : now_ms, expired, EXPIRE_AT_ONCE);
        withdraw(connection, expired, count);
        bool silent = false;
        int64_t last_read_ms = atomic_load(&connection->last_read_ms);
        for (size_t i = 0; i < count; i++) silent = silent || last_read_ms <= expired[i].sent_ms;
        silent = silent && connection->state == CONNECTION_OPEN &&
                 now_ms - last_read_ms >= connection->client->connect_timeout_ms;
        /* A caller that reads its own answer hears of its end when the socket does. */
        bool read_by_caller = ended && count > 0 && connection->reader_busy;
        lock_release(&connection->lock);
        /* Nothing at all came since the request left: the connection may be half open. */
        if (silent || read_by_caller) {
            mqc_error why;
            error_set(&why, MQC_NO_CONNECTION, "%s: closed because %s", connection->address_text,
                      silent ? "it stopped answering" : "the client is shutting down");
            error_mark_retryable(&why);
            remoting_connection_condemn(connection, &why);
        }
        /* Whoever tries again upon this gets another connection then. */
        if (count > 0) atomic_fetch_add(&connection->peer->timeouts, count);
        for (size_t i = 0; i < count; i++) complete_expired(connection, &expired[i], ended);
        remoting_pending_completed(connection);
    } while (count == EXPIRE_AT_ONCE);
}

void remoting_pending_fail_all(struct remoting_connection *connection, const mqc_error *why)
{
    struct pending_call failed[EXPIRE_AT_ONCE];
    size_t count;
    do {
        lock_take(&connection->lock);
        count = collect(connection, INT64_MAX, failed, EXPIRE_AT_ONCE);
        uint64_t reach = remoting_output_reach(connection);
        lock_release(&connection->lock);
        for (size_t i = 0; i < count; i++) {
            mqc_error error = *why;
            /* Who refuses our certificate has looked at nothing that came behind it. */
            error.maybe_done = why->status != MQC_TLS && failed[i].frame_begin < reach;
            failed[i].done(NULL, &error, failed[i].arg);
        }
        remoting_pending_completed(connection);
    } while (count == EXPIRE_AT_ONCE);
}

int64_t remoting_pending_earliest(const struct remoting_connection *connection)
{
    int64_t earliest = connection->pending.count > 0
                           ? atomic_load(&connection->client->calls_end_ms)
                           : CLOCK_NEVER;
    struct id_map_entry entry;
    for (size_t at = 0; id_map_next(&connection->pending, &at, &entry);) {
        const struct pending_call *call = entry.value;
        if (call->deadline_ms < earliest) earliest = call->deadline_ms;
    }
    return earliest;
}

void remoting_pending_completed(struct remoting_connection *connection)
{
    struct remoting_client *client = connection->client;
    if (client->completed) client->completed(client->completed_arg);
    bell_tower_sound(&connection->finished_calls);
}

void remoting_pending_done(struct remoting_connection *connection)
{
    while (connection->free_calls) {
        struct pending_call *call = connection->free_calls;
        connection->free_calls = call->next_free;
        memory_free(call);
    }
    id_map_done(&connection->pending);
}

static struct pending_call *call_take_free(struct remoting_connection *connection)
{
    struct pending_call *call = connection->free_calls;
    if (!call) return memory_allocate(sizeof *call);
    connection->free_calls = call->next_free;
    return call;
}

static void call_recycle(struct remoting_connection *connection, struct pending_call *call)
{
    call->next_free = connection->free_calls;
    connection->free_calls = call;
}

/* Takes up to `capacity` calls out whose deadline is not after `up_to_ms`. */
static size_t collect(struct remoting_connection *connection, int64_t up_to_ms,
                      struct pending_call *out, size_t capacity)
{
    size_t count = 0;
    struct id_map_entry entry;
    for (size_t at = 0; count < capacity && id_map_next(&connection->pending, &at, &entry);) {
        const struct pending_call *call = entry.value;
        if (call->deadline_ms <= up_to_ms) out[count++] = *call;
    }
    for (size_t i = 0; i < count; i++) remoting_pending_take(connection, out[i].opaque, &out[i]);
    return count;
}

/* What nobody waits for any more is not written after all, where it is not on its way yet: it has
 * surely not been done, and whoever sends it again sends it once. */
static void withdraw(struct remoting_connection *connection, struct pending_call *calls,
                     size_t count)
{
    struct buffer *queued = &connection->queued;
    for (size_t i = 0; i < count; i++) {
        struct pending_call *call = &calls[i];
        uint64_t queue_begin = connection->queued_total - queued->size;
        if (call->frame_begin < queue_begin || queued->size > WITHDRAW_MOST_BYTES) continue;
        char *frame = queued->data + (call->frame_begin - queue_begin);
        size_t behind = queued->size - (size_t)(frame - queued->data) - call->frame_bytes;
        memmove(frame, frame + call->frame_bytes, behind);
        queued->size -= call->frame_bytes;
        connection->queued_total -= call->frame_bytes;
        connection->gathering_queued -= call->gathers;
        call->withdrawn = true;
        struct id_map_entry entry;
        for (size_t at = 0; id_map_next(&connection->pending, &at, &entry);) {
            struct pending_call *other = entry.value;
            if (other->frame_begin > call->frame_begin) other->frame_begin -= call->frame_bytes;
        }
        for (size_t j = i + 1; j < count; j++)
            if (calls[j].frame_begin > call->frame_begin) calls[j].frame_begin -= call->frame_bytes;
    }
    remoting_output_room(connection);
}

static void complete_expired(struct remoting_connection *connection,
                             const struct pending_call *call, bool ended)
{
    mqc_error error;
    if (ended) {
        error_set(&error, MQC_CANCELLED, "%s: the client is shutting down",
                  connection->address_text);
    } else {
        error_set(&error, MQC_TIMEOUT, "%s: no answer to %s within %lld ms",
                  connection->address_text, request_code_name(call->code),
                  (long long)(call->deadline_ms - call->sent_ms));
        error_mark_retryable(&error);
    }
    if (!call->withdrawn) error_mark_maybe_done(&error); /* if not yet, it may still be written */
    call->done(NULL, &error, call->arg);
}
