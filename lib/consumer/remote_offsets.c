/* Offsets at the master of each queue's broker, or a slave when the name servers name no master
 * (RemoteBrokerOffsetStore.java). Called through offset_record.c and start_offset.c; answers come
 * on the thread that reads. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/consumer/offset_record.h"

enum { UPDATE_MS = 5000 };

struct remote_offsets {
    struct offset_store store;
    struct client_instance *instance;
};

static mqc_status query(struct offset_store *store, const struct offset_place *place,
                        int64_t deadline_ms, int64_t *offset, mqc_error *error);
static mqc_status update(struct offset_store *store, const struct offset_place *place,
                         int64_t offset, int64_t deadline_ms, mqc_error *error);
static mqc_status begin_update(struct offset_store *store, const struct offset_place *place,
                               int64_t offset, struct offset_record *record, mqc_error *error);
static uint64_t news(struct offset_store *store, const struct offset_place *place);
static mqc_status find_keeper(struct client_instance *instance, const struct offset_place *place,
                              int64_t deadline_ms, char address[ADDRESS_TEXT_BYTES],
                              mqc_error *error);
static bool without_master(struct client_instance *instance, const struct offset_place *place,
                           int64_t deadline_ms, char address[ADDRESS_TEXT_BYTES]);
static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);
static void destroy(struct offset_store *store);

static const struct offset_store_type REMOTE_OFFSETS = {
    .query = query,
    .update = update,
    .begin_update = begin_update,
    .news = news,
    .may_lose_first = true,
    .destroy = destroy,
};

mqc_status remote_offsets_new(struct client_instance *instance, struct offset_store **out,
                              mqc_error *error)
{
    struct remote_offsets *offsets = memory_allocate_zero(1, sizeof *offsets);
    if (!offsets) return error_no_memory(error);
    offset_store_init(&offsets->store, &REMOTE_OFFSETS);
    offsets->instance = instance;
    *out = &offsets->store;
    return MQC_OK;
}

static struct client_instance *instance_of(struct offset_store *store)
{
    return CONTAINER_OF(store, struct remote_offsets, store)->instance;
}

static void destroy(struct offset_store *store)
{
    offset_store_done(store);
    memory_free(CONTAINER_OF(store, struct remote_offsets, store));
}

static const char *host_of(struct client_instance *instance, const struct offset_place *place)
{
    return route_table_host(client_instance_routes(instance), place->topic, place->broker_name,
                            place->queue_id);
}

static uint64_t news(struct offset_store *store, const struct offset_place *place)
{
    struct client_instance *instance = instance_of(store);
    return route_table_broker_news(client_instance_routes(instance), host_of(instance, place));
}

static mqc_status query(struct offset_store *store, const struct offset_place *place,
                        int64_t deadline_ms, int64_t *offset, mqc_error *error)
{
    struct client_instance *instance = instance_of(store);
    struct client_api *api = client_instance_api(instance);
    char address[ADDRESS_TEXT_BYTES];
    mqc_status status = find_keeper(instance, place, deadline_ms, address, error);
    if (status != MQC_OK) return status;
    status = client_api_query_offset(api, address, place, deadline_ms, offset, error);
    if (status == MQC_NO_CONNECTION && without_master(instance, place, deadline_ms, address))
        status = client_api_query_offset(api, address, place, deadline_ms, offset, error);
    return status;
}

static mqc_status update(struct offset_store *store, const struct offset_place *place,
                         int64_t offset, int64_t deadline_ms, mqc_error *error)
{
    struct client_instance *instance = instance_of(store);
    struct client_api *api = client_instance_api(instance);
    char address[ADDRESS_TEXT_BYTES];
    mqc_status status = find_keeper(instance, place, deadline_ms, address, error);
    if (status != MQC_OK) return status;
    status = client_api_update_offset_sync(api, address, place, offset, deadline_ms, error);
    if (status == MQC_NO_CONNECTION && without_master(instance, place, deadline_ms, address))
        status = client_api_update_offset_sync(api, address, place, offset, deadline_ms, error);
    return status;
}

/* UPDATE_CONSUMER_OFFSET (15), which Java sends oneway. */
static mqc_status begin_update(struct offset_store *store, const struct offset_place *place,
                               int64_t offset, struct offset_record *record, mqc_error *error)
{
    struct client_instance *instance = instance_of(store);
    char address[ADDRESS_TEXT_BYTES];
    bool is_slave;
    if (!route_table_readable(client_instance_routes(instance), host_of(instance, place),
                              BROKER_ID_MASTER, address, &is_slave))
        return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", place->broker_name);
    return client_api_update_offset_async(client_instance_api(instance), address, place, offset,
                                          clock_deadline_ms(UPDATE_MS), answered, record, error);
}

/* Without a master, its slaves know the offsets as of a few seconds ago. */
static mqc_status find_keeper(struct client_instance *instance, const struct offset_place *place,
                              int64_t deadline_ms, char address[ADDRESS_TEXT_BYTES],
                              mqc_error *error)
{
    bool is_slave;
    mqc_status status = client_instance_queue_master(
        instance, &(mqc_message_queue){place->topic, place->broker_name, place->queue_id},
        deadline_ms, address, error);
    if (status != MQC_OK &&
        route_table_readable(client_instance_routes(instance), host_of(instance, place),
                             BROKER_ID_MASTER, address, &is_slave))
        status = MQC_OK;
    return status;
}

/* The broker of our route cannot be reached: has a slave its place at the name servers by now? */
static bool without_master(struct client_instance *instance, const struct offset_place *place,
                           int64_t deadline_ms, char address[ADDRESS_TEXT_BYTES])
{
    bool is_slave = false;
    client_instance_update_route(instance, place->topic, NULL, 0, deadline_ms, NULL);
    return route_table_readable(client_instance_routes(instance), host_of(instance, place),
                                BROKER_ID_MASTER, address, &is_slave) &&
           is_slave;
}

static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    mqc_error refused;
    if (arrival && arrival->command->code != RESPONSE_SUCCESS) {
        client_api_refused(arrival->command, remoting_connection_address(arrival->connection),
                           "UPDATE_CONSUMER_OFFSET", &refused);
        error = &refused;
    }
    offset_record_stored(arg, error);
}
