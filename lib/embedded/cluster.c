/* Starting and stopping an embedded cluster, its clocks, and the lookups that its files share. */
#include "lib/embedded/cluster.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/sized_struct.h"
#include "lib/embedded/client_handler.h"
#include "lib/embedded/server.h"

enum { EXPIRY_MS = 5000, DEFAULT_QUEUES = 4, DEFAULT_RETENTION_MESSAGES = 1000000 };
static const int64_t DEFAULT_RETENTION_BYTES = INT64_C(256) << 20;

static mqc_status check(const mqc_embedded_options *options, mqc_error *error);
static mqc_status set_up(struct mqc_embedded *cluster, const mqc_embedded_options *options,
                         mqc_error *error);
static mqc_status open_brokers(struct mqc_embedded *cluster, const mqc_embedded_options *options,
                               mqc_error *error);
static void expire(struct timer *timer);
static void cluster_free(struct mqc_embedded *cluster);

void mqc_embedded_log_to(mqc_log_sink *sink, void *arg, mqc_log_level level)
{
    mqc_log_to(sink, arg, level);
}

/* ---- start and stop ---- */

mqc_embedded *mqc_embedded_start_sized(const mqc_embedded_options *given, size_t size,
                                       mqc_error *error)
{
    mqc_embedded_options options;
    if (sized_struct_copy(&options, sizeof options, given, size, error) != MQC_OK ||
        check(&options, error) != MQC_OK)
        return NULL;
    struct mqc_embedded *cluster = memory_allocate_zero(1, sizeof *cluster);
    if (!cluster) {
        error_no_memory(error);
        return NULL;
    }
    lock_init(&cluster->lock, LOCK_RANK_EMBEDDED);
    condition_init(&cluster->progress);
    service_init(&cluster->service, "mqc-embedded", server_run, server_interrupt, cluster);
    cluster->name_listener =
        (struct listener){.watched = WATCHED_LISTENER, .cluster = cluster, .fd = -1};
    timers_init(&cluster->held);
    timers_init(&cluster->schedule);
    name_server_init(&cluster->name_server);
    list_init(&cluster->stores);
    list_init(&cluster->connections);
    list_init(&cluster->graveyard);
    list_init(&cluster->forwarded);
    faults_init(&cluster->faults);
    request_log_init(&cluster->log);
    lock_take(&cluster->lock);
    mqc_status status = set_up(cluster, &options, error);
    lock_release(&cluster->lock);
    if (status == MQC_OK) status = service_start(&cluster->service, error);
    if (status == MQC_OK) {
        log_info(LOG_EMBEDDED, "embedded cluster started name_server=%s brokers=%zu",
                 cluster->name_server_address, cluster->broker_count);
        return cluster;
    }
    cluster_free(cluster);
    return NULL;
}

static mqc_status check(const mqc_embedded_options *options, mqc_error *error)
{
    if (options->brokers < 0 || options->brokers > EMBEDDED_BROKERS_MAX)
        return error_set(error, MQC_BAD_ARGUMENT, "brokers is %d, must be 1 to %d",
                         options->brokers, EMBEDDED_BROKERS_MAX);
    if (options->slaves < 0 || options->slaves > EMBEDDED_SLAVES_MAX)
        return error_set(error, MQC_BAD_ARGUMENT, "slaves is %d, must be 0 to %d", options->slaves,
                         EMBEDDED_SLAVES_MAX);
    int processes = (options->brokers ? options->brokers : 1) * (options->slaves + 1);
    if (options->name_server_port < 0 || options->name_server_port > UINT16_MAX ||
        options->broker_port < 0 || options->broker_port + processes - 1 > UINT16_MAX)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "name_server_port %d or broker_port %d: ports are 1 to 65535",
                         options->name_server_port, options->broker_port);
    if (options->topic_queues < 0 || options->topic_queues > TOPIC_QUEUES_MAX)
        return error_set(error, MQC_BAD_ARGUMENT, "topic_queues is %d, must be 1 to %d",
                         options->topic_queues, TOPIC_QUEUES_MAX);
    if (options->retention_bytes < 0 || options->retention_messages < 0)
        return error_set(error, MQC_BAD_ARGUMENT, "retention must not be negative");
    if (!options->certificate_file != !options->key_file)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "certificate_file and key_file: both or neither are needed");
    if (!options->certificate_file && (options->tls_only || options->client_ca_file))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "tls_only and client_ca_file need certificate_file and key_file");
    char text[512];
    const char *name = options->cluster ? options->cluster : "DefaultCluster";
    if (strlen(name) > 60 || broker_topic_name_fault(slice_text(name), text, sizeof text))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "cluster: 1 to 60 letters, digits, %%, |, - and _ are needed");
    return MQC_OK;
}

static mqc_status set_up(struct mqc_embedded *cluster, const mqc_embedded_options *options,
                         mqc_error *error)
{
    cluster->name = memory_duplicate(options->cluster ? options->cluster : "DefaultCluster");
    if (!cluster->name) return error_no_memory(error);
    cluster->tls_only = options->tls_only;
    cluster->auto_create_topics = !options->no_auto_create_topics;
    cluster->virtual_clock = options->virtual_clock;
    cluster->ipv6 = options->ipv6;
    cluster->start_unix_ms = clock_unix_ms();
    cluster->serialize_type = options->binary_headers ? SERIALIZE_ROCKETMQ : SERIALIZE_JSON;
    cluster->topic_queues = options->topic_queues ? options->topic_queues : DEFAULT_QUEUES;
    cluster->retention_bytes =
        options->retention_bytes ? options->retention_bytes : DEFAULT_RETENTION_BYTES;
    cluster->retention_messages =
        options->retention_messages ? options->retention_messages : DEFAULT_RETENTION_MESSAGES;
    broker_settings_init(&cluster->settings);
    mqc_status status =
        broker_settings_read(&cluster->settings, slice_text(options->broker_config), true, error);
    if (status == MQC_OK)
        status = acl_init(&cluster->acl, options->users, options->user_count, error);
    if (status == MQC_OK && options->certificate_file)
        status = tls_context_new_server(options->certificate_file, options->key_file,
                                        options->client_ca_file, &cluster->tls, error);
    if (status == MQC_OK) status = poller_new(&cluster->poller, error);
    if (status == MQC_OK)
        status = server_listen(&cluster->name_listener, options->name_server_port, error);
    if (status != MQC_OK) return status;
    snprintf(cluster->name_server_address, sizeof cluster->name_server_address, "%s:%d",
             cluster->ipv6 ? "[" EMBEDDED_HOST_6 "]" : EMBEDDED_HOST,
             (int)cluster->name_listener.port);
    cluster->expiry.fire = expire;
    if (!timer_set(&cluster->held, &cluster->expiry, clock_now_ms() + EXPIRY_MS))
        return error_no_memory(error);
    return open_brokers(cluster, options, error);
}

/* Masters first, then the slaves of each, as brokers are numbered. */
static mqc_status open_brokers(struct mqc_embedded *cluster, const mqc_embedded_options *options,
                               mqc_error *error)
{
    int masters = options->brokers ? options->brokers : 1;
    for (int i = 0; i < masters * (options->slaves + 1); i++) {
        struct broker_data *data = i < masters ? NULL : cluster->brokers[i % masters]->data;
        struct broker *broker = broker_new(cluster, data, error);
        if (!broker) return MQC_NO_MEMORY;
        int port = options->broker_port ? options->broker_port + i : 0;
        mqc_status status = broker_bring_up(broker, (uint16_t)port, error);
        if (status != MQC_OK) return status;
    }
    return MQC_OK;
}

void mqc_embedded_stop(mqc_embedded *cluster)
{
    if (!cluster) return;
    service_stop(&cluster->service);
    service_join(&cluster->service);
    log_info(LOG_EMBEDDED, "embedded cluster stopped name_server=%s", cluster->name_server_address);
    cluster_free(cluster);
}

static void free_connections(struct mqc_embedded *cluster)
{
    struct link *link;
    while (!list_empty(&cluster->connections))
        connection_close(CONTAINER_OF(cluster->connections.next, struct connection, in_cluster));
    while ((link = list_take_first(&cluster->graveyard)))
        connection_free(CONTAINER_OF(link, struct connection, in_cluster));
}

/* Its thread has ended or never ran; the lock is taken for those who check that it is. */
static void cluster_free(struct mqc_embedded *cluster)
{
    lock_take(&cluster->lock);
    cluster->stopping = true;
    for (size_t i = 0; i < cluster->broker_count; i++) server_close(&cluster->brokers[i]->listener);
    server_close(&cluster->name_listener);
    free_connections(cluster);
    while (!list_empty(&cluster->stores))
        broker_data_free(CONTAINER_OF(cluster->stores.next, struct broker_data, in_cluster));
    for (size_t i = 0; i < cluster->broker_count; i++) broker_free(cluster->brokers[i]);
    memory_free(cluster->brokers);
    name_server_done(&cluster->name_server);
    faults_done(&cluster->faults);
    request_log_done(&cluster->log);
    timers_done(&cluster->held);
    timers_done(&cluster->schedule);
    lock_release(&cluster->lock);
    acl_done(&cluster->acl);
    tls_context_free(cluster->tls);
    poller_free(cluster->poller);
    service_done(&cluster->service);
    condition_done(&cluster->progress);
    lock_done(&cluster->lock);
    memory_free(cluster->name);
    memory_free(cluster);
}

static void expire(struct timer *timer)
{
    struct mqc_embedded *cluster = CONTAINER_OF(timer, struct mqc_embedded, expiry);
    timer_set(&cluster->held, timer, clock_now_ms() + EXPIRY_MS);
    client_expire(cluster);
}

/* ---- time ---- */

int64_t cluster_message_time(const struct mqc_embedded *cluster)
{
    int64_t now = cluster->virtual_clock ? cluster->start_unix_ms : clock_unix_ms();
    return now + cluster->advanced_ms;
}

void cluster_run_schedule(struct mqc_embedded *cluster)
{
    struct timer *timer;
    while ((timer = timers_take_due(&cluster->schedule, cluster_message_time(cluster))))
        timer->fire(timer);
}

/* ---- lookups ---- */

struct broker *cluster_broker(struct mqc_embedded *cluster, int number)
{
    if (number < 0 || (size_t)number >= cluster->broker_count) return NULL;
    return cluster->brokers[number];
}

struct broker *cluster_find_broker(const struct mqc_embedded *cluster, struct slice name,
                                   int64_t broker_id)
{
    for (size_t i = 0; i < cluster->broker_count; i++) {
        struct broker *broker = cluster->brokers[i];
        if (broker->up && broker->broker_id == broker_id && slice_is(name, broker->data->name))
            return broker;
    }
    return NULL;
}
