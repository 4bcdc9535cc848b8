/* Reading: bytes from the socket through the splitter to whole frames, answers to their calls,
 * requests to the handler. Run by whoever has the reader's role, with no lock held. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "services/remoting_private.h"

static enum io_result read_some(struct remoting_connection *connection, char *at, size_t bytes,
                                size_t *moved, bool *more, mqc_error *error);
static mqc_status dispatch_frames(struct remoting_connection *connection, mqc_error *error);
static void dispatch(struct remoting_connection *connection, struct remoting_arrival *arrival);
static void flush_gathered(struct remoting_connection *connection);
static void retire(struct remoting_connection *connection);
static void log_frame(const struct remoting_connection *connection,
                      const struct remoting_command *command);

enum input_result remoting_input_read(struct remoting_connection *connection)
{
    mqc_error error;
    char *at;
    size_t space, moved = 0;
    bool more = false;
    mqc_status status = frame_splitter_space(&connection->splitter, &at, &space, &error);
    enum io_result result = IO_FAILED;
    if (status == MQC_OK) {
        result = read_some(connection, at, space, &moved, &more, &error);
        if (moved > 0) {
            connection->heard = true;
            atomic_fetch_add_explicit(&connection->read_total, moved, memory_order_relaxed);
            frame_splitter_filled(&connection->splitter, moved);
            status = dispatch_frames(connection, &error);
            flush_gathered(connection);
            remoting_pending_completed(connection);
        }
    }
    if (status != MQC_OK || result == IO_FAILED || result == IO_CLOSED) {
        remoting_connection_condemn(connection, &error);
        return INPUT_BROKEN;
    }
    if (result == IO_WANT_READ || result == IO_WANT_WRITE) return INPUT_NOTHING_LEFT;
    return more ? INPUT_MORE : INPUT_NOTHING_LEFT;
}

struct frame *remoting_arrival_keep(struct remoting_arrival *arrival)
{
    struct frame *frame = frame_splitter_keep(&arrival->connection->splitter, arrival->frame);
    if (frame) remoting_command_rebase(arrival->command, arrival->frame, frame->bytes);
    return frame;
}

/* `more`: there may be more to read without waiting. */
static enum io_result read_some(struct remoting_connection *connection, char *at, size_t bytes,
                                size_t *moved, bool *more, mqc_error *error)
{
    enum io_result result;
    if (connection->tls) {
        lock_take(&connection->tls_lock);
        result = tls_session_read(connection->tls, at, bytes, moved, error);
        *more = *moved == bytes || tls_session_ended(connection->tls);
        lock_release(&connection->tls_lock);
        if (result != IO_CLOSED) return result;
    } else {
        result = socket_read(connection->fd, at, bytes, moved);
        *more = *moved == bytes; /* a short read has emptied the socket */
    }
    if (result == IO_CLOSED || result == IO_FAILED) {
        const char *what = "the connection broke while reading";
        if (result == IO_CLOSED) what = "the peer closed the connection";
        if (result == IO_CLOSED && !connection->heard && !connection->tls)
            what = "the peer closed the connection before it said anything: does it ask for TLS?";
        error_set(error, MQC_NO_CONNECTION, "%s: %s", connection->address_text, what);
        error_mark_retryable(error);
    }
    return result;
}

static mqc_status dispatch_frames(struct remoting_connection *connection, mqc_error *error)
{
    atomic_store_explicit(&connection->last_read_ms, clock_now_ms(), memory_order_relaxed);
    for (;;) {
        struct remoting_command command;
        struct remoting_arrival arrival = {.command = &command, .connection = connection};
        mqc_status status = frame_splitter_next(&connection->splitter, &arrival.frame, error);
        if (status != MQC_OK || !arrival.frame.data) return status;
        status = remoting_command_decode(&command, arrival.frame, error);
        if (status != MQC_OK) return status;
        dispatch(connection, &arrival);
        remoting_command_done(&command);
    }
}

static void dispatch(struct remoting_connection *connection, struct remoting_arrival *arrival)
{
    struct remoting_client *client = connection->client;
    struct remoting_command *command = arrival->command;
    log_frame(connection, command);
    if (!remoting_command_is_response(command)) {
        client->handler(arrival, client->handler_arg);
        return;
    }
    if (command->code == RESPONSE_GO_AWAY) retire(connection);
    struct pending_call call;
    lock_take(&connection->lock);
    bool found = remoting_pending_take(connection, command->opaque, &call);
    bool over = connection->retired && connection->pending.count == 0;
    lock_release(&connection->lock);
    /* An answer that came after its deadline has nobody who waits for it. */
    if (found) call.done(arrival, NULL, call.arg);
    if (over) {
        mqc_error why;
        error_set(&why, MQC_NO_CONNECTION, "%s: the broker is going away",
                  connection->address_text);
        error_mark_retryable(&why);
        remoting_connection_condemn(connection, &why);
    }
}

/* What callers have left to leave with others goes now that the peer has less to do. */
static void flush_gathered(struct remoting_connection *connection)
{
    lock_take(&connection->lock);
    if (connection->gathering_queued > 0 && !connection->write_blocked)
        remoting_output_flush(connection);
    lock_release(&connection->lock);
}

/* The broker shuts down: answers still come here, new calls open a connection of their own. */
static void retire(struct remoting_connection *connection)
{
    atomic_store(&connection->usable, false);
    lock_take(&connection->lock);
    connection->retired = true;
    lock_release(&connection->lock);
}

static void log_frame(const struct remoting_connection *connection,
                      const struct remoting_command *command)
{
    if (log_level_now < MQC_LOG_WIRE) return;
    struct buffer text;
    buffer_init(&text);
    remoting_command_describe(command, &text);
    const char *line = buffer_text(&text);
    log_wire(LOG_REMOTING, "%s <- %s", connection->address_text, line ? line : "?");
    buffer_done(&text);
}
