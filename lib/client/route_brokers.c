/* Where brokers are: the addresses of masters and slaves, out of the routes that were stored last;
 * see route_table.h. */
#include "lib/base/error.h"
#include "lib/base/process.h"
#include "lib/client/route_table.h"

static const struct broker_address *with_id(const struct broker_data *data, int64_t broker_id);
static void copy_address(char out[ADDRESS_TEXT_BYTES], const char *address);

const char *route_table_host(struct route_table *table, const char *topic, const char *broker_name,
                             int32_t queue_id)
{
    if (strncmp(broker_name, STATIC_BROKER_PREFIX, sizeof STATIC_BROKER_PREFIX - 1) != 0)
        return broker_name;
    struct topic_queues *queues = route_table_get(table, topic);
    const struct static_queue *queue =
        queues ? topic_route_static(queues->route, broker_name, queue_id) : NULL;
    const char *host = queue ? intern_name(table->names, slice_text(queue->host)) : NULL;
    topic_queues_unref(queues);
    return host;
}

bool route_table_master(struct route_table *table, const char *broker_name,
                        char out[ADDRESS_TEXT_BYTES])
{
    lock_take(&table->lock);
    const struct known_broker *known = map_get(&table->brokers, slice_text(broker_name));
    const char *master = known ? broker_data_master(known->data) : NULL;
    if (master) copy_address(out, master);
    lock_release(&table->lock);
    return master != NULL;
}

bool route_table_readable(struct route_table *table, const char *broker_name, int64_t broker_id,
                          char out[ADDRESS_TEXT_BYTES], bool *is_slave)
{
    const struct broker_address *chosen = NULL;
    lock_take(&table->lock);
    const struct known_broker *known = map_get(&table->brokers, slice_text(broker_name));
    if (known) chosen = with_id(known->data, broker_id);
    if (known && !chosen && broker_id != BROKER_ID_MASTER)
        chosen = with_id(known->data, broker_id + 1);
    if (known && !chosen && known->data->address_count > 0) chosen = &known->data->addresses[0];
    if (chosen) {
        copy_address(out, chosen->address);
        *is_slave = chosen->broker_id != BROKER_ID_MASTER;
    }
    lock_release(&table->lock);
    return chosen != NULL;
}

int64_t route_table_other_id(struct route_table *table, const char *broker_name, int64_t broker_id)
{
    int64_t first = broker_id, next = broker_id;
    lock_take(&table->lock);
    const struct known_broker *known = map_get(&table->brokers, slice_text(broker_name));
    for (size_t i = 0; known && i < known->data->address_count; i++) {
        int64_t id = known->data->addresses[i].broker_id;
        if (i == 0) first = id;
        if (id <= broker_id) continue;
        next = id;
        break;
    }
    lock_release(&table->lock);
    return next > broker_id ? next : first;
}

/* Its master's address, or another one's; NULL when there is none. */
static const char *address_of(const struct broker_data *broker)
{
    const char *master = broker_data_master(broker);
    return !master && broker->address_count > 0 ? broker->addresses[0].address : master;
}

/* Since when it has answered without a break, in numbers of news. */
static uint64_t steady_since(struct route_table *table, const char *broker_name)
    REQUIRES(table->lock)
{
    const struct known_broker *known = map_get(&table->brokers, slice_text(broker_name));
    if (!known) return UINT64_MAX;
    return known->silent > known->news ? known->silent : known->news;
}

bool route_table_any_of_topic(struct route_table *table, const char *topic, bool steadiest,
                              char out[ADDRESS_TEXT_BYTES])
{
    struct topic_queues *queues = route_table_get(table, topic);
    const char *address = NULL;
    uint64_t best = 0;
    size_t count = queues ? queues->route->broker_count : 0;
    size_t first = count > 0 ? random_below((uint32_t)count) : 0;
    lock_take(&table->lock);
    for (size_t i = 0; i < count; i++) {
        const struct broker_data *broker = &queues->route->brokers[(first + i) % count];
        uint64_t since = steadiest ? steady_since(table, broker->broker_name) : 0;
        if (!address_of(broker) || (address && since >= best)) continue;
        address = address_of(broker);
        best = since;
    }
    lock_release(&table->lock);
    if (address) copy_address(out, address);
    topic_queues_unref(queues);
    return address != NULL;
}

mqc_status route_table_addresses(struct route_table *table, bool masters_only,
                                 struct name_list *out, mqc_error *error)
{
    bool done = true;
    *out = (struct name_list){0};
    struct map_entry entry;
    lock_take(&table->lock);
    for (size_t at = 0; done && map_next(&table->brokers, &at, &entry);) {
        const struct broker_data *data = ((struct known_broker *)entry.value)->data;
        for (size_t i = 0; done && i < data->address_count; i++)
            if (!masters_only || data->addresses[i].broker_id == BROKER_ID_MASTER)
                done = name_list_add(out, slice_text(data->addresses[i].address));
    }
    lock_release(&table->lock);
    if (done) return MQC_OK;
    name_list_done(out);
    return error_no_memory(error);
}

static bool is_at(const struct known_broker *known, const char *address)
{
    for (size_t i = 0; i < known->data->address_count; i++)
        if (strcmp(known->data->addresses[i].address, address) == 0) return true;
    return false;
}

void route_table_broker_opened(struct route_table *table, const char *address)
{
    struct map_entry entry;
    lock_take(&table->lock);
    for (size_t at = 0; map_next(&table->brokers, &at, &entry);)
        if (is_at(entry.value, address)) ((struct known_broker *)entry.value)->news = ++table->news;
    lock_release(&table->lock);
}

void route_table_broker_silent(struct route_table *table, const char *address)
{
    struct map_entry entry;
    lock_take(&table->lock);
    for (size_t at = 0; map_next(&table->brokers, &at, &entry);)
        if (is_at(entry.value, address))
            ((struct known_broker *)entry.value)->silent = ++table->news;
    lock_release(&table->lock);
}

uint64_t route_table_broker_news(struct route_table *table, const char *broker_name)
{
    lock_take(&table->lock);
    const struct known_broker *known = map_get(&table->brokers, slice_text(broker_name));
    uint64_t news = known ? known->news : 0;
    lock_release(&table->lock);
    return news;
}

const char *route_table_broker_at(struct route_table *table, const char *address)
{
    const char *name = NULL;
    struct map_entry entry;
    lock_take(&table->lock);
    for (size_t at = 0; !name && map_next(&table->brokers, &at, &entry);) {
        const struct broker_data *data = ((struct known_broker *)entry.value)->data;
        for (size_t i = 0; !name && i < data->address_count; i++)
            if (strcmp(data->addresses[i].address, address) == 0)
                name = intern_name(table->names, slice_text(data->broker_name));
    }
    lock_release(&table->lock);
    return name;
}

static const struct broker_address *with_id(const struct broker_data *data, int64_t broker_id)
{
    for (size_t i = 0; i < data->address_count; i++)
        if (data->addresses[i].broker_id == broker_id) return &data->addresses[i];
    return NULL;
}

static void copy_address(char out[ADDRESS_TEXT_BYTES], const char *address)
{
    size_t size = strlen(address);
    if (size >= ADDRESS_TEXT_BYTES) size = ADDRESS_TEXT_BYTES - 1;
    memcpy(out, address, size);
    out[size] = '\0';
}
