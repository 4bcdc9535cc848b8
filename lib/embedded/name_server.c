/* The name server's tables: see name_server.h. Brokers register directly, not over the wire;
 * clients ask through route_handler.c and settings_handler.c. */
#include "lib/embedded/name_server.h"

#include "lib/base/memory.h"
#include "lib/embedded/broker.h"

static void route_free(struct route *route)
{
    memory_free(route->shares);
    memory_free(route);
}

void name_server_init(struct name_server *name_server)
{
    map_init(&name_server->routes);
    map_init(&name_server->settings);
}

void name_server_done(struct name_server *name_server)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&name_server->routes, &position, &entry)) route_free(entry.value);
    map_done(&name_server->routes);
    for (position = 0; map_next(&name_server->settings, &position, &entry);)
        memory_free(entry.value);
    map_done(&name_server->settings);
}

static struct route *route_get(struct name_server *name_server, struct slice topic)
{
    struct route *route = map_get(&name_server->routes, topic);
    if (route) return route;
    route = memory_allocate_zero(1, sizeof *route);
    if (!route || map_put(&name_server->routes, topic, route, NULL)) return route;
    memory_free(route);
    return NULL;
}

static struct route_share *share_get(struct route *route, struct broker_data *broker)
{
    for (size_t i = 0; i < route->count; i++)
        if (route->shares[i].broker == broker) return &route->shares[i];
    if (!memory_reserve(&route->shares, &route->capacity, route->count + 1, sizeof *route->shares))
        return NULL;
    struct route_share *share = &route->shares[route->count++];
    *share = (struct route_share){.broker = broker};
    return share;
}

bool name_server_register_topic(struct name_server *name_server, struct broker_data *broker,
                                const struct topic *topic)
{
    struct route *route = route_get(name_server, slice_text(topic->name));
    struct route_share *share = route ? share_get(route, broker) : NULL;
    if (!share) return false;
    share->read_queues = topic->read_queues;
    share->write_queues = topic->write_queues;
    share->permission = topic->permission;
    share->sys_flag = topic->sys_flag;
    return true;
}

bool name_server_register_broker(struct name_server *name_server, struct broker_data *broker)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&broker->store.topics, &position, &entry))
        if (!name_server_register_topic(name_server, broker, entry.value)) return false;
    return true;
}

static void drop_share(struct route *route, const struct broker_data *broker)
{
    size_t kept = 0;
    for (size_t i = 0; i < route->count; i++)
        if (broker && route->shares[i].broker != broker) route->shares[kept++] = route->shares[i];
    route->count = kept;
}

static bool drop_one_empty_route(struct name_server *name_server)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&name_server->routes, &position, &entry)) {
        struct route *route = entry.value;
        if (route->count > 0) continue;
        map_remove(&name_server->routes, slice_of(entry.key, entry.key_size));
        route_free(route);
        return true;
    }
    return false;
}

void name_server_forget_broker(struct name_server *name_server, const struct broker_data *broker)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&name_server->routes, &position, &entry)) drop_share(entry.value, broker);
    while (drop_one_empty_route(name_server)) {
    }
}

void name_server_forget_topic(struct name_server *name_server, struct slice topic,
                              const struct broker_data *broker)
{
    struct route *route = map_get(&name_server->routes, topic);
    if (!route) return;
    drop_share(route, broker);
    if (route->count > 0) return;
    map_remove(&name_server->routes, topic);
    route_free(route);
}
