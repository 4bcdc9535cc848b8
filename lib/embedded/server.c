/* The cluster's one thread: waits for sockets and timers, accepts, and hands what is ready to
 * connection.c. It holds the cluster's lock except while it waits. */
#include "lib/embedded/server.h"

#include "lib/base/clock.h"
#include "lib/embedded/cluster.h"

enum { EVENTS_AT_ONCE = 64, REST_MS = 100 };

static int64_t next_deadline_ms(const struct mqc_embedded *cluster);
static void handle_event(const struct poll_event *event);
static void run_timers(struct mqc_embedded *cluster);
static void bury(struct mqc_embedded *cluster);

void server_run(void *arg)
{
    struct mqc_embedded *cluster = arg;
    struct poll_event events[EVENTS_AT_ONCE];
    while (!service_stopping(&cluster->service)) {
        lock_take(&cluster->lock);
        int64_t deadline_ms = next_deadline_ms(cluster);
        lock_release(&cluster->lock);
        size_t count = poller_wait(cluster->poller, events, EVENTS_AT_ONCE, deadline_ms);
        lock_take(&cluster->lock);
        for (size_t i = 0; i < count; i++) handle_event(&events[i]);
        run_timers(cluster);
        bury(cluster);
        condition_wake_all(&cluster->progress);
        lock_release(&cluster->lock);
    }
}

void server_interrupt(void *arg)
{
    struct mqc_embedded *cluster = arg;
    poller_wake(cluster->poller);
}

static int64_t next_deadline_ms(const struct mqc_embedded *cluster)
{
    int64_t deadline_ms = timers_next_ms(&cluster->held);
    int64_t due_ms = timers_next_ms(&cluster->schedule);
    if (due_ms == CLOCK_NEVER || cluster->virtual_clock) return deadline_ms;
    int64_t left_ms = due_ms - cluster_message_time(cluster);
    int64_t then_ms = clock_deadline_ms(left_ms > 0 ? left_ms : 0);
    return then_ms < deadline_ms ? then_ms : deadline_ms;
}

static void run_timers(struct mqc_embedded *cluster)
{
    struct timer *timer;
    while ((timer = timers_take_due(&cluster->held, clock_now_ms()))) timer->fire(timer);
    if (!cluster->virtual_clock) cluster_run_schedule(cluster);
}

/* No event of an earlier wait can name those any more. */
static void bury(struct mqc_embedded *cluster)
{
    struct link *link;
    while ((link = list_take_first(&cluster->graveyard)))
        connection_free(CONTAINER_OF(link, struct connection, in_cluster));
}

/* ---- sockets ---- */

mqc_status server_listen(struct listener *listener, int port, mqc_error *error)
{
    struct address address = {.port = (uint16_t)port};
    strcpy(address.host, listener->cluster->ipv6 ? EMBEDDED_HOST_6 : EMBEDDED_HOST);
    struct socket_address resolved;
    size_t count;
    mqc_status status = address_resolve(&address, &resolved, 1, &count, error);
    if (status == MQC_OK) status = socket_listen(&resolved, &listener->fd, &listener->port, error);
    if (status != MQC_OK) return status;
    status = poller_add(listener->cluster->poller, listener->fd, POLL_READABLE, listener, error);
    if (status == MQC_OK) return MQC_OK;
    socket_close(listener->fd);
    listener->fd = -1;
    return status;
}

static struct connection *first_connection(const struct listener *listener)
{
    LIST_EACH(&listener->cluster->connections, link)
    {
        struct connection *connection = CONTAINER_OF(link, struct connection, in_cluster);
        if (connection->listener == listener) return connection;
    }
    return NULL;
}

void server_close(struct listener *listener)
{
    if (listener->fd < 0) return;
    timer_cancel(&listener->cluster->held, &listener->rest);
    poller_remove(listener->cluster->poller, listener->fd);
    socket_close(listener->fd);
    listener->fd = -1;
    /* Closing one may close others: the walk begins anew each time. */
    struct connection *connection;
    while ((connection = first_connection(listener))) connection_close(connection);
}

static void end_rest(struct timer *timer)
{
    struct listener *listener = CONTAINER_OF(timer, struct listener, rest);
    poller_change(listener->cluster->poller, listener->fd, POLL_READABLE, listener);
}

/* What waits stays in the socket's queue: without descriptors the poller would say so for ever. */
static void begin_rest(struct listener *listener)
{
    struct mqc_embedded *cluster = listener->cluster;
    listener->rest.fire = end_rest;
    if (timer_set(&cluster->held, &listener->rest, clock_now_ms() + REST_MS))
        poller_change(cluster->poller, listener->fd, 0, listener);
}

static void accept_connections(struct listener *listener)
{
    int fd;
    enum io_result result;
    while ((result = socket_accept(listener->fd, &fd)) == IO_DONE) {
        const char *server = listener->broker ? listener->broker->data->name : EMBEDDED_NAME_SERVER;
        int fault = faults_match_connection(&listener->cluster->faults, server);
        if (fault == MQC_FAULT_REFUSE) {
            socket_close(fd);
            continue;
        }
        struct connection *connection = connection_new(listener, fd);
        if (connection) connection->stalled = fault == MQC_FAULT_STALL;
    }
    if (result == IO_FAILED) begin_rest(listener);
}

static void handle_event(const struct poll_event *event)
{
    enum watched watched = *(enum watched *)event->owner;
    if (watched == WATCHED_LISTENER) {
        struct listener *listener = event->owner;
        if (listener->fd >= 0) accept_connections(listener);
    } else {
        struct connection *connection = event->owner;
        if (connection->fd >= 0) connection_ready(connection, event->ready);
    }
}
