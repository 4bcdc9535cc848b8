/* The client layer as far as offset_store.c calls it, without network. */
#include "test/unit/consumer/fake_offsets.h"

#include <check.h>

#include "lib/base/error.h"

struct fake_offsets fake_offsets = {.lock = PTHREAD_MUTEX_INITIALIZER};

void fake_offsets_answer(int32_t code)
{
    struct remoting_command command = {.code = code};
    struct remoting_arrival arrival = {.command = &command};
    mqc_error late;
    error_set(&late, MQC_TIMEOUT, "no answer in time");
    pthread_mutex_lock(&fake_offsets.lock);
    remoting_done *done = fake_offsets.done;
    fake_offsets.done = NULL;
    pthread_mutex_unlock(&fake_offsets.lock);
    ck_assert_ptr_nonnull(done);
    if (code >= 0)
        done(&arrival, NULL, fake_offsets.arg);
    else
        done(NULL, &late, fake_offsets.arg);
}

struct intern *client_instance_names(struct client_instance *instance)
{
    (void)instance;
    return &fake_offsets.names;
}

struct client_api *client_instance_api(struct client_instance *instance)
{
    (void)instance;
    return NULL;
}

struct route_table *client_instance_routes(struct client_instance *instance)
{
    (void)instance;
    return NULL;
}

bool route_table_master(struct route_table *table, const char *broker_name,
                        char out[ADDRESS_TEXT_BYTES])
{
    (void)table;
    (void)broker_name;
    out[0] = '\0';
    return !fake_offsets.has_no_master;
}

bool route_table_readable(struct route_table *table, const char *broker_name, int64_t broker_id,
                          char out[ADDRESS_TEXT_BYTES], bool *is_slave)
{
    (void)broker_id;
    *is_slave = false;
    return route_table_master(table, broker_name, out);
}

mqc_status client_instance_master(struct client_instance *instance, const char *topic,
                                  const char *broker_name, int64_t deadline_ms,
                                  char out[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    (void)instance;
    (void)topic;
    (void)deadline_ms;
    if (route_table_master(NULL, broker_name, out)) return MQC_OK;
    return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", broker_name);
}

mqc_status client_api_refused(const struct remoting_command *answer, const char *address,
                              const char *doing, mqc_error *error)
{
    return error_set(error, MQC_REFUSED, "%s: %s answered %d", doing, address, (int)answer->code);
}

const char *remoting_connection_address(const struct remoting_connection *connection)
{
    (void)connection;
    return "broker:1";
}

mqc_status client_api_query_offset(struct client_api *api, const char *address,
                                   const struct offset_place *place, int64_t deadline_ms,
                                   int64_t *offset, mqc_error *error)
{
    (void)api;
    (void)address;
    (void)place;
    (void)deadline_ms;
    *offset = 7;
    (void)error;
    return MQC_OK;
}

static mqc_status note(int64_t offset, mqc_error *error)
{
    if (fake_offsets.refuses) return error_set(error, MQC_NO_CONNECTION, "the broker is down");
    ck_assert_msg(!fake_offsets.done, "two updates at a time");
    ck_assert_int_lt(fake_offsets.count, FAKE_OFFSETS_MOST);
    fake_offsets.told[fake_offsets.count++] = offset;
    return MQC_OK;
}

mqc_status client_api_update_offset_async(struct client_api *api, const char *address,
                                          const struct offset_place *place, int64_t offset,
                                          int64_t deadline_ms, remoting_done *done, void *arg,
                                          mqc_error *error)
{
    (void)api;
    (void)address;
    (void)deadline_ms;
    ck_assert_str_eq(place->group, "group");
    ck_assert_str_eq(place->topic, "topic");
    ck_assert_int_eq(place->queue_id, 3);
    pthread_mutex_lock(&fake_offsets.lock);
    mqc_status status = note(offset, error);
    if (status == MQC_OK) {
        fake_offsets.done = done;
        fake_offsets.arg = arg;
    }
    pthread_mutex_unlock(&fake_offsets.lock);
    return status;
}

mqc_status client_api_update_offset_sync(struct client_api *api, const char *address,
                                         const struct offset_place *place, int64_t offset,
                                         int64_t deadline_ms, mqc_error *error)
{
    (void)api;
    (void)address;
    (void)place;
    (void)deadline_ms;
    pthread_mutex_lock(&fake_offsets.lock);
    mqc_status status = note(offset, error);
    pthread_mutex_unlock(&fake_offsets.lock);
    return status;
}
