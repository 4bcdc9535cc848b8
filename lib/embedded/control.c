/* The public API's calls that change a running cluster: topics, brokers, time, faults. Each takes
 * the cluster's lock, does its work and wakes the I/O thread. */
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/topic_handler.h"
#include "lib/protocol/names.h"

enum { ALL_BROKERS = -1, READ_WRITE = 6 };

static void begin(struct mqc_embedded *cluster) ACQUIRES(cluster->lock)
{
    lock_take(&cluster->lock);
}

/* Timers may be due earlier now, and closed connections are to be freed. */
static mqc_status finish(struct mqc_embedded *cluster, mqc_status status) RELEASES(cluster->lock)
{
    condition_wake_all(&cluster->progress);
    lock_release(&cluster->lock);
    poller_wake(cluster->poller);
    return status;
}

static mqc_status no_broker(const struct mqc_embedded *cluster, int number, mqc_error *error)
{
    return error_set(error, MQC_BAD_ARGUMENT, "broker %d: there are brokers 0 to %zu", number,
                     cluster->broker_count - 1);
}

const char *mqc_embedded_name_servers(const mqc_embedded *cluster)
{
    return cluster->name_server_address;
}

const char *mqc_embedded_broker_address(mqc_embedded *cluster, int number)
{
    lock_take(&cluster->lock);
    const struct broker *broker = cluster_broker(cluster, number);
    lock_release(&cluster->lock);
    return broker ? broker->address : NULL;
}

const char *mqc_embedded_broker_name(mqc_embedded *cluster, int number)
{
    lock_take(&cluster->lock);
    const struct broker *broker = cluster_broker(cluster, number);
    lock_release(&cluster->lock);
    return broker ? broker->data->name : NULL;
}

/* ---- topics ---- */

static bool chosen(const struct broker *broker, size_t number, int wanted)
{
    return wanted == ALL_BROKERS ? broker->broker_id == 0 : (int)number == wanted;
}

static mqc_status put_topic(struct broker *broker, struct slice name, int queues, mqc_error *error)
{
    struct broker_data *data = broker->data;
    struct topic *topic = message_store_put_topic(&data->store, name, queues, queues, READ_WRITE);
    if (!topic) return error_no_memory(error);
    if (broker->in_route && !name_server_register_topic(&broker->cluster->name_server, data, topic))
        return error_no_memory(error);
    return MQC_OK;
}

mqc_status mqc_embedded_create_topic(mqc_embedded *cluster, int number, const char *topic,
                                     int queues, mqc_error *error)
{
    mqc_status status = names_check_topic(topic, error);
    if (status != MQC_OK) return status;
    if (queues < 1 || queues > TOPIC_QUEUES_MAX)
        return error_set(error, MQC_BAD_ARGUMENT, "topic \"%s\": %d queues, must be 1 to %d", topic,
                         queues, TOPIC_QUEUES_MAX);
    begin(cluster);
    if (number != ALL_BROKERS && !cluster_broker(cluster, number))
        status = no_broker(cluster, number, error);
    for (size_t i = 0; status == MQC_OK && i < cluster->broker_count; i++)
        if (chosen(cluster->brokers[i], i, number))
            status = put_topic(cluster->brokers[i], slice_text(topic), queues, error);
    return finish(cluster, status);
}

mqc_status mqc_embedded_delete_topic(mqc_embedded *cluster, int number, const char *name,
                                     mqc_error *error)
{
    mqc_status status = MQC_OK;
    bool found = false;
    begin(cluster);
    if (number != ALL_BROKERS && !cluster_broker(cluster, number))
        status = no_broker(cluster, number, error);
    for (size_t i = 0; status == MQC_OK && i < cluster->broker_count; i++) {
        if (!chosen(cluster->brokers[i], i, number)) continue;
        struct broker_data *data = cluster->brokers[i]->data;
        struct topic *topic = message_store_topic(&data->store, slice_text(name));
        if (!topic) continue;
        found = true;
        name_server_forget_topic(&cluster->name_server, slice_text(name), data);
        topic_delete(data, topic);
    }
    if (status == MQC_OK && !found)
        status = error_set(error, MQC_NOT_FOUND, "topic \"%s\": no broker has it", name);
    return finish(cluster, status);
}

/* ---- brokers ---- */

mqc_status mqc_embedded_broker_down(mqc_embedded *cluster, int number, int how, mqc_error *error)
{
    mqc_status status = MQC_OK;
    begin(cluster);
    struct broker *broker = cluster_broker(cluster, number);
    if (!broker)
        status = no_broker(cluster, number, error);
    else if (!broker->up)
        status = error_set(error, MQC_WRONG_STATE, "broker %d is down already", number);
    else
        broker_take_down(broker, how & MQC_EMBEDDED_KEEP_ROUTE, how & MQC_EMBEDDED_LOSE_DATA);
    return finish(cluster, status);
}

mqc_status mqc_embedded_broker_up(mqc_embedded *cluster, int number, mqc_error *error)
{
    mqc_status status = MQC_OK;
    begin(cluster);
    struct broker *broker = cluster_broker(cluster, number);
    if (!broker)
        status = no_broker(cluster, number, error);
    else if (broker->up)
        status = error_set(error, MQC_WRONG_STATE, "broker %d is up already", number);
    else
        status = broker_bring_up(broker, 0, error);
    return finish(cluster, status);
}

mqc_status mqc_embedded_add_broker(mqc_embedded *cluster, int *number, mqc_error *error)
{
    mqc_status status = MQC_OK;
    size_t masters = 0;
    begin(cluster);
    for (size_t i = 0; i < cluster->broker_count; i++)
        if (cluster->brokers[i]->broker_id == 0) masters++;
    if (masters == EMBEDDED_BROKERS_MAX)
        status = error_set(error, MQC_BUSY, "there are %d masters, more are not possible",
                           EMBEDDED_BROKERS_MAX);
    struct broker *broker = status == MQC_OK ? broker_new(cluster, NULL, error) : NULL;
    if (status == MQC_OK) status = broker ? broker_bring_up(broker, 0, error) : MQC_NO_MEMORY;
    if (status == MQC_OK && number) *number = (int)cluster->broker_count - 1;
    return finish(cluster, status);
}

/* ---- time ---- */

void mqc_embedded_advance_clock(mqc_embedded *cluster, int64_t ms)
{
    begin(cluster);
    if (ms > 0 && ms < INT64_MAX / 4 && cluster->advanced_ms < INT64_MAX / 4)
        cluster->advanced_ms += ms;
    cluster_run_schedule(cluster);
    finish(cluster, MQC_OK);
}

int64_t mqc_embedded_clock_unix_ms(mqc_embedded *cluster)
{
    lock_take(&cluster->lock);
    int64_t now = cluster_message_time(cluster);
    lock_release(&cluster->lock);
    return now;
}

/* ---- faults ---- */

mqc_status mqc_embedded_add_fault(mqc_embedded *cluster, const mqc_embedded_fault *fault, int *id,
                                  mqc_error *error)
{
    begin(cluster);
    return finish(cluster, faults_add(&cluster->faults, fault, id, error));
}

mqc_status mqc_embedded_add_fault_text(mqc_embedded *cluster, const char *text, int *id,
                                       mqc_error *error)
{
    mqc_embedded_fault fault;
    char *words = memory_duplicate(text);
    if (!words) return error_no_memory(error);
    mqc_status status = fault_parse(words, &fault, error);
    if (status == MQC_OK) status = mqc_embedded_add_fault(cluster, &fault, id, error);
    memory_free(words);
    return status;
}

bool mqc_embedded_clear_fault(mqc_embedded *cluster, int id)
{
    begin(cluster);
    bool cleared = faults_clear(&cluster->faults, id);
    finish(cluster, MQC_OK);
    return cleared;
}

void mqc_embedded_clear_faults(mqc_embedded *cluster)
{
    begin(cluster);
    faults_done(&cluster->faults);
    finish(cluster, MQC_OK);
}

/* The first connection of a client, or of anybody (NULL). */
static struct connection *connection_of(const struct mqc_embedded *cluster, const char *client_id)
{
    LIST_EACH(&cluster->connections, link)
    {
        struct connection *connection = CONTAINER_OF(link, struct connection, in_cluster);
        if (!client_id || (connection->client_id && strcmp(connection->client_id, client_id) == 0))
            return connection;
    }
    return NULL;
}

int mqc_embedded_disconnect(mqc_embedded *cluster, const char *client_id)
{
    int count = 0;
    struct connection *connection;
    begin(cluster);
    for (; (connection = connection_of(cluster, client_id)); count++) connection_close(connection);
    finish(cluster, MQC_OK);
    return count;
}
