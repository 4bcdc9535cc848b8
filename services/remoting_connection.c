/* One connection's life: resolving, connecting, TLS handshake, open, condemned, finished. Anybody
 * may condemn a connection; only the I/O thread finishes it, so that failed calls are completed
 * there and never inside the call that found the failure. */
#include "services/remoting_private.h"

#include <sys/socket.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"

static void resolve(struct remoting_connection *connection);
static resolver_answered resolved;
static resolver_wanted wanted;
static void use_addresses(struct remoting_connection *connection,
                          const struct socket_address *found, size_t count, const mqc_error *error);
static int64_t share_of_time(const struct remoting_connection *connection)
    REQUIRES(connection->lock);
static void connect_next(struct remoting_connection *connection, const mqc_error *earlier);
static void connected(struct remoting_connection *connection);
static void handshake(struct remoting_connection *connection);
static void opened(struct remoting_connection *connection);

mqc_status remoting_connection_new(struct remoting_client *client, const char *address,
                                   struct remoting_connection **out, mqc_error *error)
{
    struct remoting_connection *connection = memory_allocate_zero(1, sizeof *connection);
    if (!connection) return error_no_memory(error);
    mqc_status status = address_parse(slice_text(address), &connection->address, error);
    if (status != MQC_OK) {
        memory_free(connection);
        return status;
    }
    /* The text as it was given is the key in the table. */
    size_t size = strlen(address);
    memcpy(connection->address_text, address,
           size < ADDRESS_TEXT_BYTES ? size : ADDRESS_TEXT_BYTES - 1);
    reference_init(&connection->references);
    connection->client = client;
    list_init(&connection->in_all);
    list_init(&connection->in_attention);
    atomic_init(&connection->attention, false);
    atomic_init(&connection->usable, true);
    lock_init(&connection->lock, LOCK_RANK_CONNECTION);
    lock_init(&connection->tls_lock, LOCK_RANK_TLS_SESSION);
    connection->fd = -1;
    connection->next_opaque = 1;
    connection->last_used_ms = clock_now_ms();
    atomic_init(&connection->last_read_ms, connection->last_used_ms);
    connection->connect_deadline_ms = clock_deadline_ms(client->connect_timeout_ms);
    connection->candidate_deadline_ms = CLOCK_NEVER;
    buffer_init(&connection->queued);
    buffer_init(&connection->writing);
    id_map_init(&connection->pending);
    bell_tower_init(&connection->finished_calls);
    condition_init(&connection->room);
    frame_splitter_init(&connection->splitter);
    *out = connection;
    return MQC_OK;
}

struct remoting_connection *remoting_connection_ref(struct remoting_connection *connection)
{
    reference_take(&connection->references);
    return connection;
}

void remoting_connection_unref(struct remoting_connection *connection)
{
    if (!connection || !reference_drop(&connection->references)) return;
    tls_session_free(connection->tls);
    if (connection->fd >= 0) socket_close(connection->fd);
    remoting_pending_done(connection);
    bell_tower_done(&connection->finished_calls);
    condition_done(&connection->room);
    buffer_done(&connection->queued);
    buffer_done(&connection->writing);
    frame_splitter_done(&connection->splitter);
    lock_done(&connection->tls_lock);
    lock_done(&connection->lock);
    memory_free(connection);
}

const char *remoting_connection_address(const struct remoting_connection *connection)
{
    return connection->address_text;
}

/* Begins to connect: at once for numbers, on the resolver's thread for names. */
void remoting_connection_open(struct remoting_connection *connection)
{
    struct remoting_client *client = connection->client;
    remoting_io_due_by(client, connection->connect_deadline_ms);
    if (address_is_numeric(&connection->address)) {
        resolve(connection);
        return;
    }
    mqc_error error;
    remoting_connection_ref(connection);
    if (resolver_ask(client->resolver, &connection->address, resolved, wanted, connection,
                     &error) == MQC_OK)
        return;
    remoting_connection_condemn(connection, &error);
    remoting_connection_unref(connection);
}

void remoting_connection_progress(struct remoting_connection *connection)
{
    lock_take(&connection->lock);
    enum connection_state state = connection->state;
    lock_release(&connection->lock);
    if (state == CONNECTION_CONNECTING)
        connected(connection);
    else if (state == CONNECTION_HANDSHAKING)
        handshake(connection);
}

void remoting_connection_condemn(struct remoting_connection *connection, const mqc_error *why)
{
    atomic_store(&connection->usable, false);
    lock_take(&connection->lock);
    bool first = connection->state < CONNECTION_CONDEMNED;
    if (first) {
        connection->state = CONNECTION_CONDEMNED;
        connection->failure = *why;
        remoting_output_room(connection);
        /* Ends the wait of a caller that reads; the number stays taken until the last reference. */
        if (connection->fd >= 0) shutdown(connection->fd, SHUT_RDWR);
    }
    lock_release(&connection->lock);
    if (first) remoting_io_attend(connection);
}

void remoting_connection_finish(struct remoting_connection *connection)
{
    struct remoting_client *client = connection->client;
    lock_take(&connection->lock);
    bool first = connection->state == CONNECTION_CONDEMNED;
    connection->state = CONNECTION_FINISHED;
    int fd = connection->fd;
    mqc_error why = connection->failure;
    lock_release(&connection->lock);
    if (!first) return;

    struct slice key = slice_text(connection->address_text);
    lock_take(&client->lock);
    bool in_table = map_get(&client->connections, key) == connection;
    if (in_table) map_remove(&client->connections, key);
    list_remove(&connection->in_all);
    remoting_peer_keep(client, connection, why.status == MQC_CANCELLED);
    lock_release(&client->lock);
    if (fd >= 0) poller_remove(client->poller, fd);
    if (why.status != MQC_CANCELLED) log_info(LOG_REMOTING, "connection closed: %s", why.text);
    remoting_pending_fail_all(connection, &why);
    if (in_table) remoting_connection_unref(connection);
    remoting_connection_unref(connection);
}

static void resolve(struct remoting_connection *connection)
{
    mqc_error error;
    struct socket_address found;
    size_t count = 0;
    bool done = address_resolve(&connection->address, &found, 1, &count, &error) == MQC_OK;
    use_addresses(connection, &found, count, done ? NULL : &error);
}

/* On the resolver's thread, or when it stops. */
static void resolved(const struct socket_address *found, size_t count, const mqc_error *error,
                     void *arg)
{
    struct remoting_connection *connection = arg;
    use_addresses(connection, found, count, error);
    remoting_connection_unref(connection);
}

static bool wanted(void *arg)
{
    struct remoting_connection *connection = arg;
    return atomic_load(&connection->usable);
}

static void use_addresses(struct remoting_connection *connection,
                          const struct socket_address *found, size_t count, const mqc_error *error)
{
    if (error) {
        remoting_connection_condemn(connection, error);
        return;
    }
    lock_take(&connection->lock);
    memcpy(connection->candidates, found, count * sizeof found[0]);
    connection->candidate_count = count;
    lock_release(&connection->lock);
    connect_next(connection, NULL);
}

void remoting_connection_hurry(struct remoting_connection *connection, int64_t now_ms)
{
    lock_take(&connection->lock);
    bool slow =
        connection->state == CONNECTION_CONNECTING && now_ms >= connection->candidate_deadline_ms;
    lock_release(&connection->lock);
    if (!slow) return;
    mqc_error error;
    error_set(&error, MQC_NO_CONNECTION, "%s: no connection to any of its addresses in time",
              connection->address_text);
    error_mark_retryable(&error);
    connect_next(connection, &error);
}

/* Tries the next of the addresses that the name has; condemns the connection after the last. */
static void connect_next(struct remoting_connection *connection, const mqc_error *earlier)
{
    struct remoting_client *client = connection->client;
    mqc_error error;
    error_set(&error, MQC_NO_CONNECTION, "%s: no address to connect to", connection->address_text);
    error_mark_retryable(&error);
    if (earlier) error = *earlier;
    bool begun = false;
    lock_take(&connection->lock);
    if (connection->fd >= 0) {
        poller_remove(client->poller, connection->fd);
        socket_close(connection->fd);
        connection->fd = -1;
    }
    while (!begun && connection->state < CONNECTION_CONDEMNED &&
           connection->candidate_next < connection->candidate_count) {
        int fd;
        mqc_error failed;
        const struct socket_address *next = &connection->candidates[connection->candidate_next++];
        if (socket_connect(next, &fd, &failed) != MQC_OK) {
            error_set(&error, MQC_NO_CONNECTION, "%s: %s", connection->address_text, failed.text);
            error_mark_retryable(&error);
            continue;
        }
        connection->fd = fd;
        connection->state = CONNECTION_CONNECTING;
        connection->candidate_deadline_ms = share_of_time(connection);
        begun = poller_add(client->poller, fd, POLL_WRITABLE, connection, &error) == MQC_OK;
    }
    int64_t due_ms = connection->candidate_deadline_ms;
    lock_release(&connection->lock);
    if (!begun)
        remoting_connection_condemn(connection, &error);
    else
        remoting_io_due_by(client, due_ms);
}

/* The end of the present address's try: an equal part of the time for each that is left, so that
 * one where nobody answers does not use up the others' time. The last one has it all. */
static int64_t share_of_time(const struct remoting_connection *connection)
{
    int64_t others = (int64_t)(connection->candidate_count - connection->candidate_next);
    if (others == 0 || connection->connect_deadline_ms == CLOCK_NEVER) return CLOCK_NEVER;
    int64_t now_ms = clock_now_ms();
    return now_ms + (connection->connect_deadline_ms - now_ms) / (others + 1);
}

static void connected(struct remoting_connection *connection)
{
    mqc_error error;
    if (socket_connect_result(connection->fd, connection->address_text, &error) != MQC_OK) {
        connect_next(connection, &error);
        return;
    }
    struct remoting_client *client = connection->client;
    if (!client->tls) {
        opened(connection);
        return;
    }
    mqc_status status = tls_session_new(client->tls, connection->fd, connection->address.host,
                                        &connection->tls, &error);
    if (status != MQC_OK) {
        remoting_connection_condemn(connection, &error);
        return;
    }
    lock_take(&connection->lock);
    if (connection->state == CONNECTION_CONNECTING) connection->state = CONNECTION_HANDSHAKING;
    lock_release(&connection->lock);
    handshake(connection);
}

static void handshake(struct remoting_connection *connection)
{
    mqc_error error;
    enum io_result result = tls_session_handshake(connection->tls, &error);
    if (result == IO_DONE) {
        opened(connection);
    } else if (result == IO_WANT_READ || result == IO_WANT_WRITE) {
        poller_change(connection->client->poller, connection->fd,
                      result == IO_WANT_READ ? POLL_READABLE : POLL_WRITABLE, connection);
    } else {
        remoting_connection_condemn(connection, &error);
    }
}

static void opened(struct remoting_connection *connection)
{
    struct remoting_client *client = connection->client;
    lock_take(&connection->lock);
    bool open = connection->state < CONNECTION_OPEN;
    if (open) {
        connection->state = CONNECTION_OPEN;
        remoting_io_update_interest(connection);
        remoting_output_flush(connection);
    }
    lock_release(&connection->lock);
    if (!open) return;
    atomic_fetch_add(&connection->peer->opened, 1);
    log_info(LOG_REMOTING, "connection open: %s", connection->address_text);
    if (client->opened) client->opened(connection->address_text, client->opened_arg);
}
