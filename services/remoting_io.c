/* The I/O thread: waits for all sockets at once; connects, reads, goes on writing where a socket
 * was full, lets calls expire, closes what is idle or broken. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "services/remoting_private.h"

enum { EVENTS_AT_ONCE = 64, READS_AT_ONCE = 16 };

static void attend_all(struct remoting_client *client);
static void attend(struct remoting_connection *connection);
static void tick_all(struct remoting_client *client);
static void tick(struct remoting_connection *connection, int64_t now_ms);
static void wait_and_handle(struct remoting_client *client, bool draining);
static void handle(struct remoting_connection *connection, int ready);
static void read_input(struct remoting_connection *connection);
static bool output_left(struct remoting_client *client);
static void close_all(struct remoting_client *client);
static struct remoting_connection *any_connection(struct remoting_client *client);
static size_t snapshot(struct remoting_client *client, struct remoting_connection ***out);
static void snapshot_release(struct remoting_connection **connections, size_t count);

void remoting_io_main(void *arg)
{
    struct remoting_client *client = arg;
    while (!service_stopping(&client->io)) {
        attend_all(client);
        if (clock_now_ms() >= atomic_load(&client->next_due_ms)) tick_all(client);
        wait_and_handle(client, false);
    }
    attend_all(client);
    /* What can be written at once is: only a full socket is waited for. */
    while (output_left(client) && clock_now_ms() < client->stop_deadline_ms) {
        wait_and_handle(client, true);
        attend_all(client);
    }
    close_all(client);
}

void remoting_io_interrupt(void *arg)
{
    struct remoting_client *client = arg;
    if (atomic_exchange(&client->io_waiting, false)) poller_wake(client->poller);
}

void remoting_io_attend(struct remoting_connection *connection)
{
    struct remoting_client *client = connection->client;
    if (atomic_exchange(&connection->attention, true)) return;
    lock_take(&client->lock);
    list_append(&client->attention, &remoting_connection_ref(connection)->in_attention);
    lock_release(&client->lock);
    atomic_store(&client->attention_any, true);
    remoting_io_interrupt(client);
}

void remoting_io_due_by(struct remoting_client *client, int64_t time_ms)
{
    int64_t present = atomic_load(&client->next_due_ms);
    while (time_ms < present) {
        if (!atomic_compare_exchange_weak(&client->next_due_ms, &present, time_ms)) continue;
        if (!service_is_current(&client->io)) remoting_io_interrupt(client);
        return;
    }
}

void remoting_io_update_interest(struct remoting_connection *connection)
{
    if (connection->state != CONNECTION_OPEN) return;
    int interest =
        (connection->leased ? 0 : POLL_READABLE) | (connection->write_blocked ? POLL_WRITABLE : 0);
    poller_change(connection->client->poller, connection->fd, interest, connection);
}

static void attend_all(struct remoting_client *client)
{
    if (!atomic_exchange(&client->attention_any, false)) return;
    struct link taken, *item;
    list_init(&taken);
    lock_take(&client->lock);
    list_move_all(&taken, &client->attention);
    lock_release(&client->lock);
    while ((item = list_take_first(&taken))) {
        struct remoting_connection *connection =
            CONTAINER_OF(item, struct remoting_connection, in_attention);
        /* Cleared first: what is asked for from here on must not be missed. */
        atomic_store(&connection->attention, false);
        attend(connection);
        remoting_connection_unref(connection);
    }
}

static void attend(struct remoting_connection *connection)
{
    lock_take(&connection->lock);
    if (!connection->write_blocked) remoting_output_flush(connection);
    bool condemned = connection->state == CONNECTION_CONDEMNED;
    lock_release(&connection->lock);
    if (condemned) remoting_connection_finish(connection);
}

/* Looks at every connection's deadlines and finds the next one. */
static void tick_all(struct remoting_client *client)
{
    atomic_store(&client->next_due_ms, CLOCK_NEVER);
    struct remoting_connection **connections;
    size_t count = snapshot(client, &connections);
    int64_t now = clock_now_ms();
    for (size_t i = 0; i < count; i++) tick(connections[i], now);
    snapshot_release(connections, count);
}

static void tick(struct remoting_connection *connection, int64_t now_ms)
{
    struct remoting_client *client = connection->client;
    remoting_pending_expire(connection, now_ms);
    remoting_connection_hurry(connection, now_ms);
    mqc_error why;
    bool close = false;
    lock_take(&connection->lock);
    int64_t due = remoting_pending_earliest(connection);
    if (connection->state < CONNECTION_OPEN) {
        close = now_ms >= connection->connect_deadline_ms;
        error_set(&why, MQC_NO_CONNECTION, "%s: no connection within %d ms",
                  connection->address_text, client->connect_timeout_ms);
        if (connection->connect_deadline_ms < due) due = connection->connect_deadline_ms;
        if (connection->candidate_deadline_ms < due) due = connection->candidate_deadline_ms;
    } else if (connection->state == CONNECTION_OPEN) {
        int64_t read = atomic_load(&connection->last_read_ms);
        int64_t used = connection->last_used_ms > read ? connection->last_used_ms : read;
        int64_t idle = client->idle_close_ms < 0 ? CLOCK_NEVER : used + client->idle_close_ms;
        close = connection->rested = connection->pending.count == 0 && now_ms >= idle;
        error_set(&why, MQC_NO_CONNECTION, "%s: idle for %d ms", connection->address_text,
                  client->idle_close_ms);
        if (idle <= now_ms) idle = now_ms + client->idle_close_ms;
        if (idle < due) due = idle;
        if (connection->leased && !connection->reader_busy &&
            now_ms - connection->lease_used_ms >= LEASE_IDLE_MS) {
            connection->leased = false;
            remoting_io_update_interest(connection);
        }
        if (connection->leased && now_ms + LEASE_IDLE_MS < due) due = now_ms + LEASE_IDLE_MS;
    }
    lock_release(&connection->lock);
    if (close) {
        error_mark_retryable(&why);
        remoting_connection_condemn(connection, &why);
    } else {
        remoting_io_due_by(client, due);
    }
}

static void wait_and_handle(struct remoting_client *client, bool draining)
{
    struct poll_event events[EVENTS_AT_ONCE];
    /* First say that we wait, then look once more: who comes between the two wakes us. */
    atomic_store(&client->io_waiting, true);
    int64_t deadline_ms = draining ? client->stop_deadline_ms : atomic_load(&client->next_due_ms);
    if (atomic_load(&client->attention_any) || (!draining && service_stopping(&client->io)))
        deadline_ms = 0;
    size_t count = poller_wait(client->poller, events, EVENTS_AT_ONCE, deadline_ms);
    atomic_store(&client->io_waiting, false);
    for (size_t i = 0; i < count; i++) handle(events[i].owner, events[i].ready);
}

/* Only this thread finishes connections, so that the owner of an event is alive: a connection
 * finished earlier in the same round is held by nobody else but was removed from the poller, and
 * finishing happens in attend_all, never between events. */
static void handle(struct remoting_connection *connection, int ready)
{
    lock_take(&connection->lock);
    bool open = connection->state == CONNECTION_OPEN;
    if (open && connection->write_blocked && (ready & (POLL_WRITABLE | POLL_BROKEN))) {
        remoting_output_flush(connection);
    }
    lock_release(&connection->lock);
    if (!open)
        remoting_connection_progress(connection);
    else if (ready & (POLL_READABLE | POLL_BROKEN))
        read_input(connection);
}

static void read_input(struct remoting_connection *connection)
{
    lock_take(&connection->lock);
    bool mine = !connection->reader_busy && connection->state == CONNECTION_OPEN;
    if (mine) connection->reader_busy = true;
    lock_release(&connection->lock);
    if (!mine) return;
    for (int i = 0; i < READS_AT_ONCE; i++)
        if (remoting_input_read(connection) != INPUT_MORE) break;
    lock_take(&connection->lock);
    connection->reader_busy = false;
    lock_release(&connection->lock);
}

static bool output_left(struct remoting_client *client)
{
    bool left = false;
    struct remoting_connection **connections;
    size_t count = snapshot(client, &connections);
    for (size_t i = 0; i < count; i++) {
        lock_take(&connections[i]->lock);
        left = left ||
               (connections[i]->state == CONNECTION_OPEN && !remoting_output_empty(connections[i]));
        lock_release(&connections[i]->lock);
    }
    snapshot_release(connections, count);
    return left;
}

/* One by one, without memory that might not be there: every call must be told its end. */
static void close_all(struct remoting_client *client)
{
    struct remoting_connection *connection;
    while ((connection = any_connection(client))) {
        mqc_error why;
        error_set(&why, MQC_CANCELLED, "%s: the client is shutting down", connection->address_text);
        remoting_connection_condemn(connection, &why);
        remoting_connection_finish(connection);
        remoting_connection_unref(connection);
    }
    attend_all(client); /* what has asked for attention until now is referred to from there */
}

static struct remoting_connection *any_connection(struct remoting_client *client)
{
    lock_take(&client->lock);
    struct link *item = list_empty(&client->all) ? NULL : client->all.next;
    struct remoting_connection *connection =
        item ? remoting_connection_ref(CONTAINER_OF(item, struct remoting_connection, in_all))
             : NULL;
    lock_release(&client->lock);
    return connection;
}

/* Counted pointers to all connections. Without memory there are none, and the next tick tries
 * again. */
static size_t snapshot(struct remoting_client *client, struct remoting_connection ***out)
{
    size_t capacity = 0, count = 0;
    *out = NULL;
    lock_take(&client->lock);
    LIST_EACH(&client->all, item) capacity++;
    *out = memory_allocate((capacity + 1) * sizeof **out);
    if (*out) {
        LIST_EACH(&client->all, item)
        {
            struct remoting_connection *connection =
                CONTAINER_OF(item, struct remoting_connection, in_all);
            (*out)[count++] = remoting_connection_ref(connection);
        }
    } else {
        atomic_store(&client->next_due_ms, clock_deadline_ms(LEASE_IDLE_MS));
    }
    lock_release(&client->lock);
    return count;
}

static void snapshot_release(struct remoting_connection **connections, size_t count)
{
    for (size_t i = 0; i < count; i++) remoting_connection_unref(connections[i]);
    memory_free(connections);
}
