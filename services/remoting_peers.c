/* What has come and gone at each address, for statistics. Connections count for themselves, under
 * their own lock; what is finished is added to its peer. */
#include "lib/base/memory.h"
#include "services/remoting_private.h"

static void add_connection(struct remoting_connection *connection,
                           struct remoting_traffic *traffic);

struct remoting_peer *remoting_peer_of(struct remoting_client *client, const char *address)
{
    struct slice key = slice_text(address);
    struct remoting_peer *peer = map_get(&client->peers, key);
    if (peer || !(peer = memory_allocate_zero(1, sizeof *peer))) return peer;
    if (map_put(&client->peers, key, peer, NULL)) return peer;
    memory_free(peer);
    return NULL;
}

void remoting_peers_done(struct remoting_client *client)
{
    struct map_entry entry;
    for (size_t at = 0; map_next(&client->peers, &at, &entry);) memory_free(entry.value);
    map_done(&client->peers);
}

void remoting_peer_keep(struct remoting_client *client, struct remoting_connection *connection,
                        bool cancelled)
{
    (void)client; /* whose lock is held */
    struct remoting_peer *peer = connection->peer;
    add_connection(connection, &peer->past);
    if (!cancelled && !connection->rested && !connection->retired)
        atomic_fetch_add(&peer->failures, 1);
}

void remoting_client_each_peer(struct remoting_client *client,
                               void (*visit)(const char *address,
                                             const struct remoting_traffic *traffic, void *arg),
                               void *arg)
{
    struct map_entry entry;
    lock_take(&client->lock);
    for (size_t at = 0; map_next(&client->peers, &at, &entry);) {
        struct remoting_peer *peer = entry.value;
        struct remoting_traffic traffic = peer->past;
        traffic.connections = traffic.in_flight = traffic.unwritten_bytes = 0;
        LIST_EACH(&client->all, item)
        {
            struct remoting_connection *connection =
                CONTAINER_OF(item, struct remoting_connection, in_all);
            if (connection->peer == peer) add_connection(connection, &traffic);
        }
        traffic.opened = atomic_load(&peer->opened);
        traffic.failures = atomic_load(&peer->failures);
        traffic.timeouts = atomic_load(&peer->timeouts);
        visit(entry.key, &traffic, arg);
    }
    lock_release(&client->lock);
}

static void add_connection(struct remoting_connection *connection, struct remoting_traffic *traffic)
{
    lock_take(&connection->lock);
    traffic->requests += connection->requests;
    traffic->written_bytes += connection->written_total;
    traffic->read_bytes += atomic_load(&connection->read_total);
    traffic->connections++;
    traffic->in_flight += connection->pending.count;
    traffic->unwritten_bytes += connection->queued_total - connection->written_total;
    lock_release(&connection->lock);
}
