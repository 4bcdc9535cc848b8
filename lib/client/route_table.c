/* Routes and brokers' addresses: see route_table.h. Entries are replaced as a whole, never changed.
 */
#include "lib/client/route_table.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"

/* A wanted topic; without queues until its route is known. */
struct known_topic {
    struct topic_queues *queues;
};

static struct topic_queues *queues_make(struct route_table *table, const char *topic,
                                        struct topic_route *route, int max_queues);
static bool fill_publish(struct route_table *table, struct topic_queues *queues, const char *topic,
                         int max_queues);
static bool fill_static(struct route_table *table, struct topic_queues *queues, const char *topic);
static bool fill_ordered(struct route_table *table, struct topic_queues *queues, const char *topic);
static bool fill_subscribe(struct route_table *table, struct topic_queues *queues,
                           const char *topic);
static bool add_queues(struct route_table *table, mqc_message_queue **list, size_t *count,
                       const char *topic, struct slice broker_name, int32_t queues);
static struct known_topic *topic_entry(struct route_table *table, const char *topic)
    REQUIRES(table->lock);
static bool remember_brokers(struct route_table *table, struct topic_route *route)
    REQUIRES(table->lock);
static bool same_addresses(const struct broker_data *a, const struct broker_data *b);

struct topic_queues *topic_queues_ref(struct topic_queues *queues)
{
    reference_take(&queues->references);
    return queues;
}

void topic_queues_unref(struct topic_queues *queues)
{
    if (!queues || !reference_drop(&queues->references)) return;
    topic_route_unref(queues->route);
    memory_free(queues->publish);
    memory_free(queues->subscribe);
    memory_free(queues);
}

void route_table_init(struct route_table *table, struct intern *names)
{
    lock_init(&table->lock, LOCK_RANK_ROUTE);
    map_init(&table->topics);
    map_init(&table->brokers);
    table->news = 0;
    table->names = names;
}

void route_table_done(struct route_table *table)
{
    struct map_entry entry;
    for (size_t at = 0; map_next(&table->topics, &at, &entry);) {
        struct known_topic *known = entry.value;
        topic_queues_unref(known->queues);
        memory_free(known);
    }
    for (size_t at = 0; map_next(&table->brokers, &at, &entry);) {
        struct known_broker *known = entry.value;
        topic_route_unref(known->route);
        memory_free(known);
    }
    map_done(&table->topics);
    map_done(&table->brokers);
    lock_done(&table->lock);
}

mqc_status route_table_want(struct route_table *table, const char *topic, mqc_error *error)
{
    lock_take(&table->lock);
    bool done = topic_entry(table, topic) != NULL;
    lock_release(&table->lock);
    return done ? MQC_OK : error_no_memory(error);
}

mqc_status route_table_topics(struct route_table *table, struct name_list *out, mqc_error *error)
{
    bool done = true;
    *out = (struct name_list){0};
    struct map_entry entry;
    lock_take(&table->lock);
    for (size_t at = 0; done && map_next(&table->topics, &at, &entry);)
        done = name_list_add(out, slice_of(entry.key, entry.key_size));
    lock_release(&table->lock);
    if (done) return MQC_OK;
    name_list_done(out);
    return error_no_memory(error);
}

struct topic_queues *route_table_get(struct route_table *table, const char *topic)
{
    lock_take(&table->lock);
    struct known_topic *known = map_get(&table->topics, slice_text(topic));
    struct topic_queues *queues = known && known->queues ? topic_queues_ref(known->queues) : NULL;
    lock_release(&table->lock);
    return queues;
}

mqc_status route_table_put(struct route_table *table, const char *topic, struct topic_route *route,
                           int max_queues, bool *changed, mqc_error *error)
{
    struct topic_queues *fresh = queues_make(table, topic, topic_route_ref(route), max_queues);
    if (!fresh) return error_no_memory(error);
    struct topic_queues *old = NULL;
    bool differs = true;
    lock_take(&table->lock);
    struct known_topic *known = topic_entry(table, topic);
    bool done = known && remember_brokers(table, route);
    if (done) {
        old = known->queues;
        differs = !old || old->from_default_topic != fresh->from_default_topic ||
                  !topic_route_equal(old->route, route);
        /* A real route never gives way to one made after the default topic. */
        if (old && max_queues > 0 && !old->from_default_topic) differs = false;
        if (differs) {
            known->queues = fresh;
            fresh = NULL;
        } else {
            old = NULL;
        }
    }
    lock_release(&table->lock);
    topic_queues_unref(fresh);
    topic_queues_unref(old);
    if (changed) *changed = differs;
    return done ? MQC_OK : error_no_memory(error);
}

void route_table_clean_brokers(struct route_table *table)
{
    struct known_broker *gone;
    do {
        gone = NULL;
        struct map_entry broker, topic;
        lock_take(&table->lock);
        for (size_t at = 0; !gone && map_next(&table->brokers, &at, &broker);) {
            struct slice name = slice_of(broker.key, broker.key_size);
            bool used = false;
            for (size_t t = 0; !used && map_next(&table->topics, &t, &topic);) {
                const struct topic_queues *queues = ((struct known_topic *)topic.value)->queues;
                used = queues && topic_route_broker(queues->route, name);
            }
            if (!used) gone = map_remove(&table->brokers, name);
        }
        lock_release(&table->lock);
        if (gone) topic_route_unref(gone->route);
        memory_free(gone);
    } while (gone);
}

/* Works the queues out; takes the route's reference over. NULL: no memory. */
static struct topic_queues *queues_make(struct route_table *table, const char *topic,
                                        struct topic_route *route, int max_queues)
{
    struct topic_queues *queues = memory_allocate_zero(1, sizeof *queues);
    if (!queues) {
        topic_route_unref(route);
        return NULL;
    }
    reference_init(&queues->references);
    queues->route = route;
    queues->from_default_topic = max_queues > 0;
    const char *name = intern_name(table->names, slice_text(topic));
    bool ordered = max_queues == 0 && route->order_topic_conf && route->order_topic_conf[0];
    bool is_static = max_queues == 0 && route->static_count > 0;
    bool done = name && (ordered     ? fill_ordered(table, queues, name)
                         : is_static ? fill_static(table, queues, name)
                                     : fill_publish(table, queues, name, max_queues));
    /* A topic that does not exist yet has nothing to consume. */
    if (done && max_queues == 0 && (!is_static || ordered))
        done = fill_subscribe(table, queues, name);
    if (done) return queues;
    topic_queues_unref(queues);
    return NULL;
}

static bool fill_publish(struct route_table *table, struct topic_queues *queues, const char *topic,
                         int max_queues)
{
    bool done = true;
    for (size_t i = 0; done && i < queues->route->queue_count; i++) {
        const struct queue_data *data = &queues->route->queues[i];
        struct slice name = slice_text(data->broker_name);
        const struct broker_data *broker = topic_route_broker(queues->route, name);
        if (!(data->permission & ROUTE_PERMISSION_WRITE) || !broker || !broker_data_master(broker))
            continue;
        int32_t count = data->write_queues;
        if (max_queues > 0) {
            /* MQClientInstance.updateTopicRouteInfoFromNameServer: of the read queues' number. */
            count = data->read_queues < max_queues ? data->read_queues : max_queues;
        }
        done = add_queues(table, &queues->publish, &queues->publish_count, topic, name, count);
    }
    return done;
}

/* All queues are there to be divided, in the same way by all members, also those that nobody has.
 */
static bool fill_static(struct route_table *table, struct topic_queues *queues, const char *topic)
{
    const struct topic_route *route = queues->route;
    queues->subscribe = memory_allocate_zero(route->static_count, sizeof *queues->subscribe);
    queues->publish = memory_allocate_zero(route->static_count, sizeof *queues->publish);
    if (!queues->subscribe || !queues->publish) return false;
    for (size_t i = 0; i < route->static_count; i++) {
        const struct static_queue *queue = &route->statics[i];
        const struct broker_data *host = topic_route_broker(route, slice_text(queue->host));
        const char *name = intern_name(table->names, slice_text(queue->broker_name));
        if (!name) return false;
        mqc_message_queue place = {topic, name, queue->queue_id};
        queues->subscribe[queues->subscribe_count++] = place;
        if (host && broker_data_master(host)) queues->publish[queues->publish_count++] = place;
    }
    return true;
}

/* "broker:n;broker:n": the order of an ordered topic does not change with brokers that come and go.
 */
static bool fill_ordered(struct route_table *table, struct topic_queues *queues, const char *topic)
{
    bool done = true;
    struct slice rest = slice_text(queues->route->order_topic_conf);
    while (done && rest.data) {
        struct slice number = slice_split(&rest, ";");
        struct slice name = slice_split(&number, ":");
        int32_t count;
        if (number.data && slice_to_int32(number, &count) && count > 0)
            done = add_queues(table, &queues->publish, &queues->publish_count, topic, name, count);
    }
    return done;
}

static bool fill_subscribe(struct route_table *table, struct topic_queues *queues,
                           const char *topic)
{
    bool done = true;
    for (size_t i = 0; done && i < queues->route->queue_count; i++) {
        const struct queue_data *data = &queues->route->queues[i];
        if (!(data->permission & ROUTE_PERMISSION_READ)) continue;
        done = add_queues(table, &queues->subscribe, &queues->subscribe_count, topic,
                          slice_text(data->broker_name), data->read_queues);
    }
    return done;
}

static bool add_queues(struct route_table *table, mqc_message_queue **list, size_t *count,
                       const char *topic, struct slice broker_name, int32_t queues)
{
    if (queues <= 0) return true;
    const char *name = intern_name(table->names, broker_name);
    size_t needed = *count + (size_t)queues;
    mqc_message_queue *grown = memory_resize(*list, needed * sizeof **list);
    if (grown) *list = grown;
    if (!name || !grown) return false;
    for (int32_t id = 0; id < queues; id++)
        grown[(*count)++] = (mqc_message_queue){topic, name, id};
    return true;
}

static struct known_topic *topic_entry(struct route_table *table, const char *topic)
{
    struct slice key = slice_text(topic);
    struct known_topic *known = map_get(&table->topics, key);
    if (known) return known;
    known = memory_allocate_zero(1, sizeof *known);
    if (known && map_put(&table->topics, key, known, NULL)) return known;
    memory_free(known);
    return NULL;
}

static bool remember_brokers(struct route_table *table, struct topic_route *route)
{
    for (size_t i = 0; i < route->broker_count; i++) {
        struct slice name = slice_text(route->brokers[i].broker_name);
        struct known_broker *known = map_get(&table->brokers, name);
        if (!known) {
            known = memory_allocate_zero(1, sizeof *known);
            if (!known || !map_put(&table->brokers, name, known, NULL)) {
                memory_free(known);
                return false;
            }
        }
        struct topic_route *old = known->route;
        if (!known->data || !same_addresses(known->data, &route->brokers[i]))
            known->news = ++table->news;
        known->route = topic_route_ref(route);
        known->data = &route->brokers[i];
        topic_route_unref(old);
    }
    return true;
}

static bool same_addresses(const struct broker_data *a, const struct broker_data *b)
{
    bool same = a->address_count == b->address_count;
    for (size_t i = 0; same && i < a->address_count; i++)
        same = a->addresses[i].broker_id == b->addresses[i].broker_id &&
               strcmp(a->addresses[i].address, b->addresses[i].address) == 0;
    return same;
}
