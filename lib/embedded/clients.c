/* The tables of clients a broker knows: see clients.h. Called by client_handler.c. */
#include "lib/embedded/clients.h"

#include "lib/base/memory.h"

static void consumers_free(struct consumers *consumers);
static void producers_free(struct producers *producers);
static void members_free(struct link *members);

void clients_init(struct clients *clients)
{
    map_init(&clients->consumers);
    map_init(&clients->producers);
}

void clients_done(struct clients *clients)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&clients->consumers, &position, &entry)) consumers_free(entry.value);
    for (position = 0; map_next(&clients->producers, &position, &entry);)
        producers_free(entry.value);
    map_done(&clients->consumers);
    map_done(&clients->producers);
}

struct consumers *clients_consumers(const struct clients *clients, struct slice group)
{
    return group.data ? map_get(&clients->consumers, group) : NULL;
}

struct producers *clients_producers(const struct clients *clients, struct slice group)
{
    return group.data ? map_get(&clients->producers, group) : NULL;
}

/* ---- members ---- */

static void member_free(struct member *member)
{
    list_remove(&member->in_group);
    memory_free(member->client_id);
    memory_free(member);
}

static void members_free(struct link *members)
{
    LIST_EACH_SAFE(members, link) member_free(CONTAINER_OF(link, struct member, in_group));
}

static struct member *member_of(const struct link *members, const struct connection *connection)
{
    LIST_EACH(members, link)
    {
        struct member *member = CONTAINER_OF(link, struct member, in_group);
        if (member->connection == connection) return member;
    }
    return NULL;
}

struct member *clients_member(const struct link *members, struct slice client_id)
{
    LIST_EACH(members, link)
    {
        struct member *member = CONTAINER_OF(link, struct member, in_group);
        if (slice_is(client_id, member->client_id)) return member;
    }
    return NULL;
}

/* ConsumerGroupInfo.updateChannel: a connection is a member, whatever client id it shows. */
static enum clients_change put_member(struct link *members, const struct client *client)
{
    struct member *member = member_of(members, client->connection);
    bool same = member && slice_is(client->client_id, member->client_id);
    if (!same) {
        char *id = slice_duplicate(client->client_id);
        if (!member && id) member = memory_allocate_zero(1, sizeof *member);
        if (!member || !id) {
            memory_free(id);
            return CLIENTS_NO_MEMORY;
        }
        if (!member->connection) list_append(members, &member->in_group);
        memory_free(member->client_id);
        member->client_id = id;
    }
    bool changed = member->connection == NULL;
    member->connection = client->connection;
    member->language = client->language;
    member->version = client->version;
    member->beat_unix_ms = client->now_unix_ms;
    return changed ? CLIENTS_CHANGED : CLIENTS_SAME;
}

/* ---- consumers ---- */

static void subscriptions_clear(struct map *subscriptions)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(subscriptions, &position, &entry)) {
        subscription_done(entry.value);
        memory_free(entry.value);
    }
    map_done(subscriptions);
    map_init(subscriptions);
}

static void consumers_free(struct consumers *consumers)
{
    members_free(&consumers->members);
    subscriptions_clear(&consumers->subscriptions);
    memory_free(consumers->group);
    memory_free(consumers->consume_type);
    memory_free(consumers->message_model);
    memory_free(consumers->consume_from);
    memory_free(consumers);
}

static struct consumers *consumers_get(struct clients *clients, struct slice group)
{
    struct consumers *consumers = clients_consumers(clients, group);
    if (consumers) return consumers;
    consumers = memory_allocate_zero(1, sizeof *consumers);
    if (!consumers) return NULL;
    list_init(&consumers->members);
    map_init(&consumers->subscriptions);
    consumers->group = slice_duplicate(group);
    if (consumers->group && map_put(&clients->consumers, group, consumers, NULL)) return consumers;
    consumers_free(consumers);
    return NULL;
}

static bool replace_text(char **text, const char *with)
{
    if (*text && strcmp(*text, with) == 0) return true;
    char *copy = memory_duplicate(with);
    if (!copy) return false;
    memory_free(*text);
    *text = copy;
    return true;
}

static bool put_subscription(struct map *subscriptions, const struct subscription *from)
{
    struct subscription *copy = memory_allocate(sizeof *copy);
    void *old = NULL;
    if (!copy || subscription_copy(from, copy, NULL) != MQC_OK) {
        memory_free(copy);
        return false;
    }
    if (!map_put(subscriptions, slice_text(from->topic), copy, &old)) {
        subscription_done(copy);
        memory_free(copy);
        return false;
    }
    if (old) subscription_done(old);
    memory_free(old);
    return true;
}

static bool is_subscribed(const struct heartbeat_consumer *data, const char *topic)
{
    for (size_t i = 0; i < data->subscription_count; i++)
        if (strcmp(data->subscriptions[i].topic, topic) == 0) return true;
    return false;
}

/* Removes one topic that `data` does not name; false when there is none. */
static bool drop_one_subscription(struct map *subscriptions, const struct heartbeat_consumer *data)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(subscriptions, &position, &entry)) {
        struct subscription *subscription = entry.value;
        if (is_subscribed(data, subscription->topic)) continue;
        map_remove(subscriptions, slice_text(subscription->topic));
        subscription_done(subscription);
        memory_free(subscription);
        return true;
    }
    return false;
}

/* ConsumerGroupInfo.updateSubscription: topics that come or go are a change, a newer version of a
 * filter is not. */
static enum clients_change put_subscriptions(struct consumers *consumers,
                                             const struct heartbeat_consumer *data)
{
    enum clients_change change = CLIENTS_SAME;
    for (size_t i = 0; i < data->subscription_count; i++) {
        const struct subscription *new = &data->subscriptions[i];
        const struct subscription *old = map_get(&consumers->subscriptions, slice_text(new->topic));
        if (old && old->version >= new->version) continue;
        if (!old) change = CLIENTS_CHANGED;
        if (!put_subscription(&consumers->subscriptions, new)) return CLIENTS_NO_MEMORY;
    }
    while (drop_one_subscription(&consumers->subscriptions, data)) change = CLIENTS_CHANGED;
    return change;
}

enum clients_change clients_put_consumer(struct clients *clients, const struct client *client,
                                         const struct heartbeat_consumer *data,
                                         bool with_subscriptions)
{
    struct consumers *consumers = consumers_get(clients, slice_text(data->group));
    if (!consumers || !replace_text(&consumers->consume_type, data->consume_type) ||
        !replace_text(&consumers->message_model, data->message_model) ||
        !replace_text(&consumers->consume_from, data->consume_from))
        return CLIENTS_NO_MEMORY;
    enum clients_change joined = put_member(&consumers->members, client);
    if (joined == CLIENTS_NO_MEMORY || !with_subscriptions) return joined;
    enum clients_change subscribed = put_subscriptions(consumers, data);
    return subscribed == CLIENTS_SAME ? joined : subscribed;
}

bool clients_drop_consumer(struct clients *clients, struct slice group,
                           const struct connection *connection)
{
    struct consumers *consumers = clients_consumers(clients, group);
    struct member *member = consumers ? member_of(&consumers->members, connection) : NULL;
    if (!member) return false;
    member_free(member);
    if (list_empty(&consumers->members)) {
        map_remove(&clients->consumers, group);
        consumers_free(consumers);
    }
    return true;
}

/* ---- producers ---- */

static void producers_free(struct producers *producers)
{
    members_free(&producers->members);
    memory_free(producers->group);
    memory_free(producers);
}

enum clients_change clients_put_producer(struct clients *clients, const struct client *client,
                                         struct slice group)
{
    struct producers *producers = clients_producers(clients, group);
    if (!producers) {
        producers = memory_allocate_zero(1, sizeof *producers);
        if (!producers) return CLIENTS_NO_MEMORY;
        list_init(&producers->members);
        producers->group = slice_duplicate(group);
        if (!producers->group || !map_put(&clients->producers, group, producers, NULL)) {
            producers_free(producers);
            return CLIENTS_NO_MEMORY;
        }
    }
    return put_member(&producers->members, client);
}

bool clients_drop_producer(struct clients *clients, struct slice group,
                           const struct connection *connection)
{
    struct producers *producers = clients_producers(clients, group);
    struct member *member = producers ? member_of(&producers->members, connection) : NULL;
    if (!member) return false;
    member_free(member);
    if (list_empty(&producers->members)) {
        map_remove(&clients->producers, group);
        producers_free(producers);
    }
    return true;
}
