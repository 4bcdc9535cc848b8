/* The remoting client's life and its table of connections: see remoting_client.h. Calls are in
 * remoting_call.c. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "services/remoting_private.h"

enum { ACQUIRE_ATTEMPTS = 2, RESOLVER_GRACE_MS = 500 };

mqc_status remoting_client_new(const struct remoting_options *options,
                               remoting_request_handler *handler, void *handler_arg,
                               struct remoting_client **out, mqc_error *error)
{
    struct remoting_client *client = memory_allocate_zero(1, sizeof *client);
    if (!client) return error_no_memory(error);
    client->credentials = options->credentials;
    client->connect_timeout_ms = options->connect_timeout_ms;
    client->idle_close_ms = options->idle_close_ms;
    client->handler = handler;
    client->handler_arg = handler_arg;
    service_init(&client->io, "mqc-io", remoting_io_main, remoting_io_interrupt, client);
    lock_init(&client->lock, LOCK_RANK_REMOTING);
    map_init(&client->connections);
    map_init(&client->peers);
    list_init(&client->all);
    list_init(&client->attention);
    atomic_init(&client->attention_any, false);
    atomic_init(&client->io_waiting, false);
    atomic_init(&client->next_due_ms, CLOCK_NEVER);
    atomic_init(&client->calls_end_ms, CLOCK_NEVER);
    mqc_status status = poller_new(&client->poller, error);
    if (status == MQC_OK) status = resolver_new(&client->resolver, error);
    if (status == MQC_OK && options->tls && options->tls->enabled)
        status = tls_context_new(options->tls, options->tls_crl_file, &client->tls, error);
    if (status == MQC_OK)
        *out = client;
    else
        remoting_client_free(client);
    return status;
}

void remoting_client_on_open(struct remoting_client *client, remoting_opened *opened, void *arg)
{
    client->opened = opened;
    client->opened_arg = arg;
}

void remoting_client_on_completed(struct remoting_client *client, remoting_completed *completed,
                                  void *arg)
{
    client->completed = completed;
    client->completed_arg = arg;
}

mqc_status remoting_client_start(struct remoting_client *client, mqc_error *error)
{
    return service_start(&client->io, error);
}

void remoting_client_end_calls(struct remoting_client *client, int64_t deadline_ms)
{
    atomic_store(&client->calls_end_ms, deadline_ms);
    remoting_io_due_by(client, deadline_ms);
}

bool remoting_client_calls_ended(const struct remoting_client *client)
{
    int64_t end_ms = atomic_load_explicit(&client->calls_end_ms, memory_order_relaxed);
    return end_ms != CLOCK_NEVER && clock_now_ms() >= end_ms;
}

void remoting_client_stop(struct remoting_client *client, int64_t deadline_ms)
{
    lock_take(&client->lock);
    client->stopping = true;
    client->stop_deadline_ms = deadline_ms;
    lock_release(&client->lock);
    service_stop(&client->io);
    /* Nobody needs what is looked up now, but an orderly end is worth a moment. */
    int64_t resolver_ms = clock_deadline_ms(RESOLVER_GRACE_MS);
    resolver_stop(client->resolver, resolver_ms < deadline_ms ? resolver_ms : deadline_ms);
    service_join(&client->io);
}

void remoting_client_free(struct remoting_client *client)
{
    if (!client) return;
    poller_free(client->poller);
    tls_context_free(client->tls);
    /* Who asked for attention when nobody gave it any more. */
    for (struct link *item; (item = list_take_first(&client->attention));)
        remoting_connection_unref(CONTAINER_OF(item, struct remoting_connection, in_attention));
    map_done(&client->connections);
    remoting_peers_done(client);
    resolver_free(client->resolver);
    lock_done(&client->lock);
    service_done(&client->io);
    memory_free(client);
}

void remoting_client_close_if(struct remoting_client *client,
                              bool (*unwanted)(const char *address, void *arg), void *arg)
{
    struct map_entry entry;
    for (;;) {
        struct remoting_connection *found = NULL;
        lock_take(&client->lock);
        for (size_t at = 0; !found && map_next(&client->connections, &at, &entry);) {
            struct remoting_connection *connection = entry.value;
            if (atomic_load(&connection->usable) && unwanted(entry.key, arg))
                found = remoting_connection_ref(connection);
        }
        lock_release(&client->lock);
        if (!found) return;
        mqc_error why;
        error_set(&why, MQC_NO_CONNECTION, "%s: left the list of addresses", found->address_text);
        error_mark_retryable(&why);
        remoting_connection_condemn(found, &why);
        remoting_connection_unref(found);
    }
}

size_t remoting_client_connections(struct remoting_client *client)
{
    size_t count = 0;
    lock_take(&client->lock);
    LIST_EACH(&client->all, item) count++;
    lock_release(&client->lock);
    return count;
}

mqc_status remoting_client_acquire(struct remoting_client *client, const char *address,
                                   struct remoting_connection **out, mqc_error *error)
{
    struct slice key = slice_text(address);
    struct remoting_connection *connection, *created = NULL, *replaced = NULL;
    mqc_status status = MQC_OK;
    lock_take(&client->lock);
    connection = map_get(&client->connections, key);
    if (client->stopping || remoting_client_calls_ended(client)) {
        status = error_set(error, MQC_CANCELLED, "%s: the client is shutting down", address);
    } else if (!connection || !atomic_load(&connection->usable)) {
        struct remoting_peer *peer = remoting_peer_of(client, address);
        status = peer ? remoting_connection_new(client, address, &created, error)
                      : error_no_memory(error);
        if (status == MQC_OK) created->peer = peer;
        if (status == MQC_OK && !map_put(&client->connections, key, created, (void **)&replaced)) {
            remoting_connection_unref(created);
            status = error_no_memory(error);
        } else if (status == MQC_OK) {
            list_append(&client->all, &remoting_connection_ref(created)->in_all);
            connection = created;
        }
    }
    if (status == MQC_OK) *out = remoting_connection_ref(connection);
    lock_release(&client->lock);
    remoting_connection_unref(replaced);
    if (status == MQC_OK && created) remoting_connection_open(created);
    return status;
}
