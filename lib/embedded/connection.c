/* Bytes of one connection: reading, splitting into frames, writing, TLS. See connection.h. Frames
 * go to dispatch.c. */
#include "lib/embedded/connection.h"

#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/embedded/client_handler.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/request.h"

enum {
    READS_A_TURN = 16,           /* then other connections get theirs */
    OUTPUT_MAX_BYTES = 64 << 20, /* kept for a client that does not read: then nothing is read */
    TLS_HANDSHAKE_BYTE = 0x16
};

static void fire_trickle(struct timer *timer);
static void decide_tls(struct connection *connection);
static void shake_hands(struct connection *connection);
static void read_frames(struct connection *connection);
static void write_output(struct connection *connection);
static void tell_poller(struct connection *connection);

struct connection *connection_new(struct listener *listener, int fd)
{
    struct mqc_embedded *cluster = listener->cluster;
    struct connection *connection = memory_allocate_zero(1, sizeof *connection);
    if (!connection) {
        socket_close(fd);
        return NULL;
    }
    connection->watched = WATCHED_CONNECTION;
    connection->listener = listener;
    connection->fd = fd;
    connection->tls_decided = !cluster->tls;
    connection->interest = connection->read_wants = POLL_READABLE;
    connection->trickle.fire = fire_trickle;
    connection->active_ms = clock_now_ms();
    frame_splitter_init(&connection->splitter);
    buffer_init(&connection->output);
    list_init(&connection->bonds);
    list_append(&cluster->connections, &connection->in_cluster);
    socket_peer_host(fd, connection->peer);
    struct address peer;
    struct socket_address end = {.size = sizeof end.storage};
    if (getpeername(fd, (struct sockaddr *)&end.storage, &end.size) == 0) {
        address_of_socket(&end, &peer);
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&end.storage;
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&end.storage;
        connection->peer_host.ipv6 = end.storage.ss_family == AF_INET6;
        if (connection->peer_host.ipv6)
            memcpy(connection->peer_host.address, &v6->sin6_addr, 16);
        else
            memcpy(connection->peer_host.address, &v4->sin_addr, 4);
        connection->peer_host.port = peer.port;
    }
    if (poller_add(cluster->poller, fd, POLL_READABLE, connection, NULL) == MQC_OK)
        return connection;
    connection_close(connection);
    return NULL;
}

void connection_free(struct connection *connection)
{
    list_remove(&connection->in_cluster);
    frame_splitter_done(&connection->splitter);
    buffer_done(&connection->output);
    memory_free(connection->client_id);
    memory_free(connection);
}

void connection_close(struct connection *connection)
{
    struct mqc_embedded *cluster = connection->listener->cluster;
    if (connection->fd < 0) return;
    poller_remove(cluster->poller, connection->fd);
    if (connection->tls) tls_session_say_goodbye(connection->tls);
    tls_session_free(connection->tls);
    connection->tls = NULL;
    socket_close(connection->fd);
    connection->fd = -1;
    timer_cancel(&cluster->held, &connection->trickle);
    list_remove(&connection->in_cluster);
    list_append(&cluster->graveyard, &connection->in_cluster);
    while (!list_empty(&connection->bonds)) {
        struct bond *bond = CONTAINER_OF(connection->bonds.next, struct bond, in_connection);
        list_remove(&bond->in_connection);
        bond->lost(bond);
    }
    client_connection_lost(connection);
    condition_wake_all(&cluster->progress);
}

void connection_add_bond(struct connection *connection, struct bond *bond,
                         void (*lost)(struct bond *bond))
{
    bond->lost = lost;
    list_append(&connection->bonds, &bond->in_connection);
}

void connection_ready(struct connection *connection, int ready)
{
    if (connection->stalled) {
        if (ready & POLL_BROKEN) connection_close(connection);
        return;
    }
    if (ready & POLL_BROKEN) ready |= POLL_READABLE | POLL_WRITABLE;
    if (!connection->tls_decided) decide_tls(connection);
    if (connection->handshaking) shake_hands(connection);
    if (connection->fd >= 0 && connection->tls_decided && !connection->handshaking) {
        if (ready & connection->write_wants) write_output(connection);
        if (connection->fd >= 0 && ready & connection->read_wants) read_frames(connection);
    }
    tell_poller(connection);
}

/* ---- TLS ---- */

/* NettyRemotingServer.TlsModeHandler: the first byte tells what the client speaks. */
static void decide_tls(struct connection *connection)
{
    struct mqc_embedded *cluster = connection->listener->cluster;
    unsigned char first;
    ssize_t got = recv(connection->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0) return; /* not yet there */
    bool is_tls = got == 1 && first == TLS_HANDSHAKE_BYTE;
    if (got == 0 || (!is_tls && cluster->tls_only) ||
        (is_tls &&
         tls_session_new(cluster->tls, connection->fd, "", &connection->tls, NULL) != MQC_OK)) {
        connection_close(connection);
        return;
    }
    connection->tls_decided = true;
    connection->handshaking = is_tls;
}

static void shake_hands(struct connection *connection)
{
    connection->write_wants = 0;
    switch (tls_session_handshake(connection->tls, NULL)) {
    case IO_DONE:
        connection->handshaking = false;
        connection->read_wants = POLL_READABLE;
        break;
    case IO_WANT_READ: connection->read_wants = POLL_READABLE; break;
    case IO_WANT_WRITE: connection->read_wants = POLL_WRITABLE; break;
    case IO_CLOSED:
    case IO_FAILED: connection_close(connection); break;
    }
}

/* ---- reading ---- */

static enum io_result read_some(struct connection *connection, char *at, size_t bytes,
                                size_t *moved)
{
    if (connection->tls) return tls_session_read(connection->tls, at, bytes, moved, NULL);
    return socket_read(connection->fd, at, bytes, moved);
}

/* False when the connection is over. */
static bool take_frames(struct connection *connection)
{
    for (;;) {
        struct slice frame;
        if (frame_splitter_next(&connection->splitter, &frame, NULL) != MQC_OK) {
            connection_close(connection); /* as Netty's decoder does */
            return false;
        }
        if (!frame.data) return true;
        dispatch_frame(connection, frame);
        if (connection->fd < 0) return false;
    }
}

static void read_frames(struct connection *connection)
{
    connection->read_wants = POLL_READABLE;
    connection->active_ms = clock_now_ms();
    /* A session may hold bytes that the socket no longer announces: it is read to the end. */
    for (int turn = 0; turn < READS_A_TURN || connection->tls; turn++) {
        char *at;
        size_t bytes, moved = 0;
        if (frame_splitter_space(&connection->splitter, &at, &bytes, NULL) != MQC_OK) {
            connection_close(connection);
            return;
        }
        enum io_result result = read_some(connection, at, bytes, &moved);
        frame_splitter_filled(&connection->splitter, moved);
        if (moved > 0 && !take_frames(connection)) return;
        switch (result) {
        case IO_DONE: break;
        case IO_WANT_READ: return;
        case IO_WANT_WRITE: connection->read_wants = POLL_WRITABLE; return;
        case IO_CLOSED:
        case IO_FAILED: connection_close(connection); return;
        }
    }
}

/* ---- writing ---- */

static size_t waiting(const struct connection *connection)
{
    return connection->output.size - connection->written;
}

static enum io_result write_some(struct connection *connection, size_t *moved)
{
    const char *at = connection->output.data + connection->written;
    size_t bytes = connection->trickle_ms > 0 ? 1 : waiting(connection);
    if (connection->tls) return tls_session_write(connection->tls, at, bytes, moved, NULL);
    return socket_write(connection->fd, at, bytes, moved);
}

static void output_is_written(struct connection *connection)
{
    buffer_clear(&connection->output);
    connection->written = 0;
    connection->trickle_ms = 0;
    if (connection->close_when_written) connection_close(connection);
}

static void write_output(struct connection *connection)
{
    struct mqc_embedded *cluster = connection->listener->cluster;
    connection->write_wants = 0;
    connection->active_ms = clock_now_ms();
    while (connection->fd >= 0 && waiting(connection) > 0) {
        size_t moved = 0;
        enum io_result result = write_some(connection, &moved);
        connection->written += moved;
        if (result == IO_WANT_READ || result == IO_WANT_WRITE) {
            connection->write_wants = result == IO_WANT_READ ? POLL_READABLE : POLL_WRITABLE;
            return;
        }
        if (result != IO_DONE) {
            connection_close(connection);
            return;
        }
        if (connection->trickle_ms > 0 && waiting(connection) > 0) {
            timer_set(&cluster->held, &connection->trickle,
                      clock_now_ms() + connection->trickle_ms);
            return;
        }
    }
    if (connection->fd >= 0) output_is_written(connection);
}

static void fire_trickle(struct timer *timer)
{
    struct connection *connection = CONTAINER_OF(timer, struct connection, trickle);
    write_output(connection);
    tell_poller(connection);
}

void connection_send(struct connection *connection, struct slice bytes)
{
    if (connection->fd < 0 || connection->close_when_written) return;
    if (connection->written > 0 && connection->written >= connection->output.size / 2) {
        buffer_drop_front(&connection->output, connection->written);
        connection->written = 0;
    }
    buffer_put_slice(&connection->output, bytes);
    if (connection->output.failed) {
        connection_close(connection);
        return;
    }
    if (connection->write_wants == 0 && connection->trickle.place == 0) write_output(connection);
    tell_poller(connection);
}

void connection_finish(struct connection *connection)
{
    connection->close_when_written = true;
    if (connection->fd >= 0 && waiting(connection) == 0) connection_close(connection);
}

static void tell_poller(struct connection *connection)
{
    if (connection->fd < 0) return;
    int interest = connection->write_wants;
    if (waiting(connection) < OUTPUT_MAX_BYTES && !connection->stalled)
        interest |= connection->read_wants;
    if (interest == connection->interest) return;
    connection->interest = interest;
    poller_change(connection->listener->cluster->poller, connection->fd, interest, connection);
}
