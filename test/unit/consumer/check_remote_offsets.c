/* Offsets at brokers: which broker is asked, and what its answers come to. The client layer is
 * played by this file. */
#include <stdio.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/consumer/offset_record.h"
#include "test/unit/unit.h"

enum { DEADLINE_MS = 5 };

static bool has_master, has_slave;
static bool master_is_dead; /* though named */
static uint64_t broker_news;
static int look_ups;
static int64_t given; /* the last update */
static char given_to[ADDRESS_TEXT_BYTES];
static remoting_done *done;
static void *done_arg;
static const struct offset_place PLACE = {"group", "topic", "broker-a", 3};

/* ---- the client layer ---- */

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
    ck_assert_str_eq(broker_name, "broker-a");
    strcpy(out, "master:1");
    return has_master;
}

bool route_table_readable(struct route_table *table, const char *broker_name, int64_t broker_id,
                          char out[ADDRESS_TEXT_BYTES], bool *is_slave)
{
    (void)table;
    (void)broker_name;
    ck_assert_int_eq(broker_id, 0);
    strcpy(out, has_master ? "master:1" : "slave:1");
    *is_slave = !has_master;
    return has_master || has_slave;
}

const char *route_table_host(struct route_table *table, const char *topic, const char *broker_name,
                             int32_t queue_id)
{
    (void)table;
    ck_assert_str_eq(topic, "topic");
    ck_assert_int_eq(queue_id, 3);
    return broker_name;
}

mqc_status client_instance_queue_master(struct client_instance *instance,
                                        const mqc_message_queue *queue, int64_t deadline_ms,
                                        char out[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    (void)instance;
    ck_assert_str_eq(queue->topic, "topic");
    ck_assert_int_eq(deadline_ms, DEADLINE_MS);
    if (route_table_master(NULL, queue->broker_name, out)) return MQC_OK;
    return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", queue->broker_name);
}

mqc_status client_api_refused(const struct remoting_command *answer, const char *address,
                              const char *doing, mqc_error *error)
{
    return error_set(error, MQC_REFUSED, "%s: %s answered %d", doing, address, (int)answer->code);
}

const char *remoting_connection_address(const struct remoting_connection *connection)
{
    (void)connection;
    return "master:1";
}

mqc_status client_api_query_offset(struct client_api *api, const char *address,
                                   const struct offset_place *place, int64_t deadline_ms,
                                   int64_t *offset, mqc_error *error)
{
    (void)api;
    ck_assert_ptr_eq(place, &PLACE);
    ck_assert_int_eq(deadline_ms, DEADLINE_MS);
    bool at_master = strcmp(address, "master:1") == 0;
    if (at_master && master_is_dead) return error_set(error, MQC_NO_CONNECTION, "refused");
    *offset = at_master ? 100 : 90;
    return MQC_OK;
}

mqc_status client_api_update_offset_async(struct client_api *api, const char *address,
                                          const struct offset_place *place, int64_t offset,
                                          int64_t deadline_ms, remoting_done *callback, void *arg,
                                          mqc_error *error)
{
    (void)api;
    (void)place;
    (void)deadline_ms;
    if (strcmp(address, "master:1") == 0 && master_is_dead)
        return error_set(error, MQC_NO_CONNECTION, "refused");
    snprintf(given_to, sizeof given_to, "%s", address);
    given = offset;
    done = callback;
    done_arg = arg;
    return MQC_OK;
}

mqc_status client_api_update_offset_sync(struct client_api *api, const char *address,
                                         const struct offset_place *place, int64_t offset,
                                         int64_t deadline_ms, mqc_error *error)
{
    (void)deadline_ms;
    return client_api_update_offset_async(api, address, place, offset, DEADLINE_MS, NULL, NULL,
                                          error);
}

uint64_t route_table_broker_news(struct route_table *table, const char *broker_name)
{
    (void)table;
    ck_assert_str_eq(broker_name, "broker-a");
    return broker_news;
}

/* The name server has heard of it by now. */
mqc_status client_instance_update_route(struct client_instance *instance, const char *topic,
                                        const char *default_topic, int default_queues,
                                        int64_t deadline_ms, mqc_error *error)
{
    (void)instance;
    (void)default_topic;
    (void)default_queues;
    (void)deadline_ms;
    (void)error;
    ck_assert_str_eq(topic, "topic");
    look_ups++;
    has_master = false;
    return MQC_OK;
}

/* ---- tests ---- */

static struct offset_store *store_new(void)
{
    struct offset_store *store;
    ck_assert_int_eq(remote_offsets_new(NULL, &store, NULL), MQC_OK);
    return store;
}

START_TEST(test_query)
{
    mqc_error error;
    int64_t offset = -5;
    struct offset_store *store = store_new();
    ck_assert_int_eq(store->type->query(store, &PLACE, DEADLINE_MS, &offset, &error), MQC_NO_ROUTE);
    ck_assert_int_eq(offset, -5); /* a failure is no number */
    has_slave = true;
    ck_assert_int_eq(store->type->query(store, &PLACE, DEADLINE_MS, &offset, &error), MQC_OK);
    ck_assert_int_eq(offset, 90);
    has_master = true;
    ck_assert_int_eq(store->type->query(store, &PLACE, DEADLINE_MS, &offset, &error), MQC_OK);
    ck_assert_int_eq(offset, 100);
    offset_store_unref(store);
}
END_TEST

START_TEST(test_updates_go_to_masters_while_there_are)
{
    mqc_error error;
    struct offset_store *store = store_new();
    ck_assert_int_eq(store->type->update(store, &PLACE, 4, DEADLINE_MS, &error), MQC_NO_ROUTE);
    ck_assert_int_eq(store->type->begin_update(store, &PLACE, 4, NULL, &error), MQC_NO_ROUTE);
    ck_assert_str_eq(error.text, "The broker[broker-a] not exist");
    has_slave = true;
    ck_assert_int_eq(store->type->update(store, &PLACE, 4, DEADLINE_MS, &error), MQC_OK);
    ck_assert_int_eq(given, 4);
    ck_assert_str_eq(given_to, "slave:1");
    ck_assert_int_eq(store->type->begin_update(store, &PLACE, 5, NULL, &error), MQC_OK);
    ck_assert_int_eq(given, 5);
    has_master = true;
    ck_assert_int_eq(store->type->begin_update(store, &PLACE, 6, NULL, &error), MQC_OK);
    ck_assert_str_eq(given_to, "master:1");
    ck_assert_int_eq(store->type->update(store, &PLACE, 7, DEADLINE_MS, &error), MQC_OK);
    ck_assert_int_eq(given, 7);
    ck_assert_str_eq(given_to, "master:1");
    ck_assert_int_eq(look_ups, 0);
    offset_store_unref(store);
}
END_TEST

START_TEST(test_master_that_died_just_now)
{
    mqc_error error;
    int64_t offset = -1;
    struct offset_store *store = store_new();
    has_master = master_is_dead = true;
    ck_assert_int_eq(store->type->update(store, &PLACE, 4, DEADLINE_MS, &error), MQC_NO_CONNECTION);
    ck_assert_int_eq(look_ups, 1);
    has_master = has_slave = true;
    ck_assert_int_eq(store->type->update(store, &PLACE, 4, DEADLINE_MS, &error), MQC_OK);
    ck_assert_str_eq(given_to, "slave:1");
    has_master = true;
    ck_assert_int_eq(store->type->query(store, &PLACE, DEADLINE_MS, &offset, &error), MQC_OK);
    ck_assert_int_eq(offset, 90);
    ck_assert_int_eq(look_ups, 3);
    offset_store_unref(store);
}
END_TEST

START_TEST(test_news_of_the_broker)
{
    struct offset_store *store = store_new();
    broker_news = 7;
    ck_assert_uint_eq(store->type->news(store, &PLACE), 7);
    offset_store_unref(store);
}
END_TEST

START_TEST(test_answers)
{
    struct remoting_command command = {.code = RESPONSE_SYSTEM_ERROR};
    struct remoting_arrival arrival = {.command = &command};
    mqc_error error;
    struct offset_record *record;
    struct offset_store *store = store_new();
    has_master = true;
    ck_assert_int_eq(offset_record_new(store, &PLACE, 0, &record, &error), MQC_OK);
    offset_store_unref(store); /* the record keeps it */
    offset_record_raise(record, 8);
    offset_record_persist(record);
    ck_assert_int_eq(given, 8);
    given = -1;
    done(&arrival, NULL, done_arg); /* refused: told anew the next time */
    offset_record_persist(record);
    ck_assert_int_eq(given, 8);
    command.code = RESPONSE_SUCCESS;
    done(&arrival, NULL, done_arg);
    offset_record_raise(record, 9);
    offset_record_persist(record);
    offset_record_unref(record);
    ck_assert_int_eq(given, 9);
    error_set(&error, MQC_CANCELLED, "the instance ends");
    done(NULL, &error, done_arg); /* the last to hold it */
}
END_TEST

static Suite *remote_offsets_suite(void)
{
    Suite *suite = suite_create("remote_offsets");
    UNIT_CASE(suite, "remote_offsets", test_query, test_updates_go_to_masters_while_there_are,
              test_master_that_died_just_now, test_news_of_the_broker, test_answers);
    return suite;
}

TEST_MAIN(remote_offsets_suite)
