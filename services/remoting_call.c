/* The three kinds of calls: see remoting_client.h. A synchronous call is an asynchronous one whose
 * completion wakes the caller; a caller who finds nobody else waiting on the connection reads its
 * own answer and saves two thread switches. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "services/remoting_private.h"

enum { ACQUIRE_ATTEMPTS = 2 };

/* What a synchronous caller waits for; lives on its stack. */
struct waiter {
    struct bell finished;
    struct remoting_response *response;
    mqc_status status; /* MQC_OK with a response */
    mqc_error *error;  /* the caller's; may be NULL */
};

static mqc_status queue_request(struct remoting_client *client, const char *address,
                                const struct command_to_send *request, int64_t deadline_ms,
                                remoting_done *done, void *arg, struct remoting_connection **locked,
                                mqc_error *error) NO_LOCK_ANALYSIS;
static mqc_status call_once(struct remoting_client *client, const char *address,
                            const struct command_to_send *request, int64_t deadline_ms,
                            struct remoting_response *response, mqc_error *error);
static bool lease_take(struct remoting_connection *connection) REQUIRES(connection->lock);
static void lease_read(struct remoting_connection *connection, struct waiter *waiter,
                       int64_t deadline_ms);
static void wait_gathered(struct remoting_connection *connection, struct waiter *waiter);
static void waiter_complete(struct remoting_arrival *arrival, const mqc_error *error, void *arg);

mqc_status remoting_client_call(struct remoting_client *client, const char *address,
                                const struct command_to_send *request, int64_t deadline_ms,
                                struct remoting_response *response, mqc_error *error)
{
    if (client->dresser && !request->dressed)
        return remoting_dressed_call(client, address, request, deadline_ms, response, error);
    mqc_status status = call_once(client, address, request, deadline_ms, response, error);
    if (status != MQC_OK || response->command.code != RESPONSE_GO_AWAY) return status;
    /* The broker behind this connection shuts down: once more on a new one. */
    remoting_response_done(response);
    return call_once(client, address, request, deadline_ms, response, error);
}

NO_LOCK_ANALYSIS /* queue_request has locked */
    mqc_status
    remoting_client_call_async(struct remoting_client *client, const char *address,
                               const struct command_to_send *request, int64_t deadline_ms,
                               remoting_done *done, void *arg, mqc_error *error)
{
    if (client->dresser && !request->dressed)
        return remoting_dressed_async(client, address, request, deadline_ms, done, arg, error);
    struct remoting_connection *connection;
    mqc_status status =
        queue_request(client, address, request, deadline_ms, done, arg, &connection, error);
    if (status != MQC_OK) return status;
    lock_release(&connection->lock);
    remoting_io_due_by(client, deadline_ms);
    remoting_io_attend(connection);
    remoting_connection_unref(connection);
    return MQC_OK;
}

NO_LOCK_ANALYSIS /* queue_request has locked */
    mqc_status
    remoting_client_call_oneway(struct remoting_client *client, const char *address,
                                const struct command_to_send *request, int64_t deadline_ms,
                                mqc_error *error)
{
    if (client->dresser && !request->dressed)
        return remoting_dressed_oneway(client, address, request, deadline_ms, error);
    struct command_to_send oneway = *request;
    oneway.flag |= COMMAND_FLAG_ONEWAY;
    struct remoting_connection *connection;
    mqc_status status =
        queue_request(client, address, &oneway, deadline_ms, NULL, NULL, &connection, error);
    if (status != MQC_OK) return status;
    lock_release(&connection->lock);
    remoting_io_attend(connection);
    remoting_connection_unref(connection);
    return MQC_OK;
}

void remoting_client_cancel(struct remoting_client *client, remoting_done *done, void *arg)
{
    for (;;) {
        struct remoting_connection *found = NULL;
        struct pending_call call;
        lock_take(&client->lock);
        LIST_EACH(&client->all, item)
        {
            struct remoting_connection *connection =
                CONTAINER_OF(item, struct remoting_connection, in_all);
            lock_take(&connection->lock);
            if (!found && remoting_pending_take_of(connection, done, arg, &call))
                found = remoting_connection_ref(connection);
            lock_release(&connection->lock);
        }
        lock_release(&client->lock);
        if (!found) return;
        mqc_error why;
        error_set(&why, MQC_CANCELLED, "%s: the request is not waited for any more",
                  found->address_text);
        why.maybe_done = true;
        done(NULL, &why, arg);
        remoting_pending_completed(found);
        remoting_connection_unref(found);
    }
}

mqc_status remoting_connection_reply(struct remoting_connection *connection, int32_t opaque,
                                     const struct command_to_send *response, mqc_error *error)
{
    struct command_to_send reply = *response;
    reply.flag |= COMMAND_FLAG_RESPONSE;
    lock_take(&connection->lock);
    size_t before = connection->queued.size;
    mqc_status status =
        connection->state == CONNECTION_OPEN
            ? remoting_command_encode(&connection->queued, &reply, opaque, SERIALIZE_JSON, NULL,
                                      error)
            : error_set(error, MQC_NO_CONNECTION, "%s: closed before the answer to its request",
                        connection->address_text);
    connection->queued_total += connection->queued.size - before;
    lock_release(&connection->lock);
    if (status == MQC_OK) remoting_io_attend(connection);
    return status;
}

void remoting_response_done(struct remoting_response *response)
{
    if (!response->frame) return;
    remoting_command_done(&response->command);
    frame_unref(response->frame);
    response->frame = NULL;
}

/* Queues a request on a usable connection and returns that connection counted and locked. */
static mqc_status queue_request(struct remoting_client *client, const char *address,
                                const struct command_to_send *request, int64_t deadline_ms,
                                remoting_done *done, void *arg, struct remoting_connection **locked,
                                mqc_error *error)
{
    for (int attempt = 1;; attempt++) {
        struct remoting_connection *connection;
        mqc_status status = remoting_client_acquire(client, address, &connection, error);
        if (status != MQC_OK) return status;
        lock_take(&connection->lock);
        bool room = done || remoting_output_wait_for_room(connection, deadline_ms);
        enum connection_state state = connection->state;
        /* One that broke just now is replaced; one that breaks at once is the call's failure. */
        bool again = state >= CONNECTION_CONDEMNED && attempt < ACQUIRE_ATTEMPTS;
        if (!again && state == CONNECTION_FINISHED) {
            status = connection->failure.status;
            if (error) *error = connection->failure;
        } else if (!again && !room) {
            status = remoting_output_full(connection, error);
        } else if (!again) {
            status = remoting_pending_add(connection, request, deadline_ms, done, arg, error);
            if (status == MQC_OK) {
                *locked = connection;
                return MQC_OK;
            }
        }
        lock_release(&connection->lock);
        remoting_connection_unref(connection);
        if (!again) return status;
    }
}

NO_LOCK_ANALYSIS /* queue_request has locked */
    static mqc_status
    call_once(struct remoting_client *client, const char *address,
              const struct command_to_send *request, int64_t deadline_ms,
              struct remoting_response *response, mqc_error *error)
{
    struct waiter waiter = {.response = response, .error = error};
    response->frame = NULL;
    struct remoting_connection *connection;
    mqc_status status = queue_request(client, address, request, deadline_ms, waiter_complete,
                                      &waiter, &connection, error);
    if (status == MQC_OK) {
        bell_init(&waiter.finished, &connection->finished_calls);
        bool leased = lease_take(connection);
        bool gathered = request->gathers && !leased && remoting_output_may_gather(connection);
        bool first = connection->gathering_queued == 1;
        if (!gathered) remoting_output_flush(connection);
        lock_release(&connection->lock);
        remoting_io_due_by(client, deadline_ms);
        if (leased) lease_read(connection, &waiter, deadline_ms);
        if (gathered && first) wait_gathered(connection, &waiter);
        /* Without a limit of its own: the I/O thread completes every call at its deadline. */
        bell_wait_until(&waiter.finished, CLOCK_NEVER);
        status = waiter.status;
        remoting_connection_unref(connection);
    }
    return status;
}

/* Makes the caller the connection's reader if it is the only one who waits there, as those before
 * it were: with two callers the lease would go to and fro. */
static bool lease_take(struct remoting_connection *connection)
{
    bool lonely = connection->pending.count == 1 && !connection->reader_busy;
    connection->lonely_calls = lonely ? connection->lonely_calls + 1 : 0;
    if (connection->state != CONNECTION_OPEN || connection->lonely_calls < LEASE_AFTER_CALLS)
        return false;
    connection->reader_busy = true;
    if (!connection->leased) {
        connection->leased = true;
        remoting_io_update_interest(connection);
        remoting_io_due_by(connection->client, clock_now_ms() + LEASE_IDLE_MS);
    }
    return true;
}

/* Reads until the own answer has come; then others' answers, if any are awaited, are the I/O
 * thread's again. An unused lease returns there after LEASE_IDLE_MS. */
static void lease_read(struct remoting_connection *connection, struct waiter *waiter,
                       int64_t deadline_ms)
{
    while (!bell_struck(&waiter->finished) && socket_wait(connection->fd, false, deadline_ms)) {
        enum input_result result;
        do {
            result = remoting_input_read(connection);
        } while (result == INPUT_MORE);
        if (result == INPUT_BROKEN) break;
    }
    lock_take(&connection->lock);
    connection->reader_busy = false;
    connection->lease_used_ms = clock_now_ms();
    if (connection->pending.count > 0) {
        connection->leased = false;
        remoting_io_update_interest(connection);
    }
    lock_release(&connection->lock);
}

/* The caller whose frame is the first that waits for others sees to it that they do not wait long,
 * also when its own call has failed meanwhile. */
static void wait_gathered(struct remoting_connection *connection, struct waiter *waiter)
{
    if (bell_wait_until(&waiter->finished, clock_now_ms() + GATHER_MS) && waiter->status == MQC_OK)
        return;
    lock_take(&connection->lock);
    if (!connection->write_blocked) remoting_output_flush(connection);
    lock_release(&connection->lock);
}

static void waiter_complete(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct waiter *waiter = arg;
    struct frame *frame = arrival ? remoting_arrival_keep(arrival) : NULL;
    if (frame) {
        waiter->status = MQC_OK;
        waiter->response->frame = frame;
        remoting_command_move(&waiter->response->command, arrival->command);
    } else if (arrival) {
        waiter->status = error_no_memory(waiter->error);
    } else {
        waiter->status = error->status;
        if (waiter->error) *waiter->error = *error;
    }
    bell_strike(&waiter->finished);
}
