/* Writing: whoever finds frames and no writer becomes the writer and drains the queue with few
 * system calls; others only append. When the socket is full the I/O thread goes on later.
 *
 * Gathering, for many callers at a time: while the peer works on some calls, the frames of others
 * wait until its next answers are read, or enough of them are queued, or GATHER_MS have passed. So
 * bursts go out as bursts, and neither side has a system call a message. */
#include "lib/base/error.h"
#include "services/remoting_private.h"

enum {
    BUFFER_KEEP_BYTES = 512 << 10, /* larger buffers are given back when they are empty */
    QUEUE_MOST_BYTES = 256 << 10,  /* of frames that nobody waits for */
    GATHER_BYTES = 32 << 10,
    GATHER_CALLS = 4, /* so many calls keep the peer busy */
    /* So much may wait to be written to one peer, whether or not somebody still waits for its
     * answer: a peer that reads nothing must not cost all memory. */
    BACKLOG_MAX_BYTES = 64 << 20
};

static uint64_t backlog(const struct remoting_connection *connection) REQUIRES(connection->lock);
static enum io_result write_some(struct remoting_connection *connection, mqc_error *error);
static void give_back(struct buffer *buffer);

bool remoting_output_empty(const struct remoting_connection *connection)
{
    return connection->queued.size == 0 && connection->writing.size == 0;
}

bool remoting_output_may_gather(const struct remoting_connection *connection)
{
    return connection->gathering >= connection->gathering_queued + GATHER_CALLS &&
           connection->queued.size < GATHER_BYTES;
}

bool remoting_output_wait_for_room(struct remoting_connection *connection, int64_t deadline_ms)
{
    bool in_time = true;
    while (connection->queued.size >= QUEUE_MOST_BYTES &&
           connection->state < CONNECTION_CONDEMNED && in_time) {
        connection->waiting_for_room++;
        in_time = condition_wait_until(&connection->room, &connection->lock, deadline_ms);
        connection->waiting_for_room--;
    }
    return in_time || connection->queued.size < QUEUE_MOST_BYTES;
}

void remoting_output_room(struct remoting_connection *connection)
{
    if (connection->waiting_for_room > 0) condition_wake_all(&connection->room);
}

/* The writer at work has not counted yet: rather too much than too little. */
static uint64_t backlog(const struct remoting_connection *connection)
{
    return connection->queued_total - connection->written_total;
}

bool remoting_output_has_room(const struct remoting_connection *connection, size_t bytes)
{
    uint64_t waiting = backlog(connection);
    return waiting == 0 || waiting + bytes <= BACKLOG_MAX_BYTES;
}

mqc_status remoting_output_full(const struct remoting_connection *connection, mqc_error *error)
{
    error_set(error, MQC_BUSY,
              "%s: %llu bytes wait to be written, because the peer does not read them: try later, "
              "or send less at a time",
              connection->address_text, (unsigned long long)backlog(connection));
    error_mark_retryable(error);
    return MQC_BUSY;
}

uint64_t remoting_output_reach(const struct remoting_connection *connection)
{
    /* A writer at work has not counted yet: all that it took may have left. */
    return connection->writer_busy ? connection->queued_total - connection->queued.size
                                   : connection->written_total;
}

void remoting_output_flush(struct remoting_connection *connection)
{
    if (connection->writer_busy || connection->state != CONNECTION_OPEN) return;
    connection->writer_busy = true;
    enum io_result result = IO_DONE;
    mqc_error error;
    while (result == IO_DONE && connection->state == CONNECTION_OPEN) {
        if (connection->writing.size == 0) {
            if (connection->queued.size == 0) break;
            struct buffer empty = connection->writing;
            connection->writing = connection->queued;
            connection->queued = empty;
            connection->written = 0;
            connection->gathering_queued = 0;
            remoting_output_room(connection);
        }
        size_t before = connection->written;
        lock_release(&connection->lock);
        result = write_some(connection, &error);
        lock_take(&connection->lock);
        connection->written_total += connection->written - before;
        if (connection->written == connection->writing.size) {
            buffer_clear(&connection->writing);
            give_back(&connection->writing);
            connection->written = 0;
        }
    }
    connection->writer_busy = false;
    bool blocked = result == IO_WANT_WRITE || result == IO_WANT_READ;
    if (blocked != connection->write_blocked) {
        connection->write_blocked = blocked;
        remoting_io_update_interest(connection);
    }
    if (result == IO_CLOSED || result == IO_FAILED) {
        lock_release(&connection->lock);
        remoting_connection_condemn(connection, &error);
        lock_take(&connection->lock);
    }
}

/* Writes from `writing` until it is empty or the socket is full. The writer's role is held. */
static enum io_result write_some(struct remoting_connection *connection, mqc_error *error)
{
    enum io_result result = IO_DONE;
    while (result == IO_DONE && connection->written < connection->writing.size) {
        const char *at = connection->writing.data + connection->written;
        size_t left = connection->writing.size - connection->written, moved = 0;
        if (connection->tls) {
            lock_take(&connection->tls_lock);
            result = tls_session_write(connection->tls, at, left, &moved, error);
            lock_release(&connection->tls_lock);
        } else {
            result = socket_write(connection->fd, at, left, &moved);
        }
        /* A session that failed has said why; one that is closed, nothing. */
        if (result == IO_CLOSED || (result == IO_FAILED && !connection->tls)) {
            error_set(error, MQC_NO_CONNECTION, "%s: the connection broke while writing",
                      connection->address_text);
            error_mark_retryable(error);
        }
        connection->written += moved;
    }
    return result;
}

static void give_back(struct buffer *buffer)
{
    if (buffer->capacity <= BUFFER_KEEP_BYTES) return;
    buffer_done(buffer);
    buffer_init(buffer);
}
