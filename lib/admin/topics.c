/* Topics: create, change, delete (MQAdminImpl.java, TopicCommandUtil of the tools). On the
 * application's threads; each request has the client's request timeout. What only asks is in
 * topic_status.c. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/sized_struct.h"

#include "lib/admin/admin_private.h"
#include "lib/admin/decode.h"
#include "lib/protocol/names.h"

enum {
    DEFAULT_QUEUES = 8,
    MOST_QUEUES = 65535,
    BOTH_PERMISSIONS = MQC_PERMISSION_READ | MQC_PERMISSION_WRITE,
    FIRST_PAUSE_MS = 2,
    LONGEST_PAUSE_MS = 100,
    ATTRIBUTES_BYTES = 64
};

/* A topic that is created or changed on several brokers. */
struct topic_change {
    const char *topic, *cluster;
    mqc_topic_options options;
    char attributes[ATTRIBUTES_BYTES]; /* "+message.type=FIFO" */
    bool update;                       /* what the options do not say stays as it is */
    int changed;                       /* brokers that have it now, or had it before an update */
};

static mqc_status change_topic(mqc_admin *admin, struct topic_change *change,
                               const mqc_topic_options *options, size_t size, mqc_error *error);
static mqc_status check_options(struct topic_change *change, mqc_error *error);
static mqc_status change_on_broker(struct mqc_admin *admin, const struct broker_data *broker,
                                   const char *address, void *arg, mqc_error *error);
static mqc_status wait_for_route(struct mqc_admin *admin, const struct cluster_info *info,
                                 const struct topic_change *change, mqc_error *error);
static bool route_is_complete(const struct topic_route *route, const struct cluster_info *info,
                              const struct topic_change *change);

mqc_status mqc_admin_create_topic_sized(mqc_admin *admin, const char *cluster, const char *topic,
                                        const mqc_topic_options *options, size_t size,
                                        mqc_error *error)
{
    struct topic_change change = {.topic = topic, .cluster = cluster};
    return change_topic(admin, &change, options, size, error);
}

mqc_status mqc_admin_update_topic_sized(mqc_admin *admin, const char *cluster, const char *topic,
                                        const mqc_topic_options *options, size_t size,
                                        mqc_error *error)
{
    struct topic_change change = {.topic = topic, .cluster = cluster, .update = true};
    return change_topic(admin, &change, options, size, error);
}

static mqc_status change_topic(mqc_admin *admin, struct topic_change *change,
                               const mqc_topic_options *options, size_t size, mqc_error *error)
{
    struct cluster_info info;
    mqc_status status = admin_check_topic(admin, change->topic, error);
    if (status == MQC_OK)
        status = sized_struct_copy(&change->options, sizeof change->options, options, size, error);
    if (status == MQC_OK) status = check_options(change, error);
    if (status == MQC_OK) status = admin_cluster(admin, &info, error);
    if (status != MQC_OK) return status;
    status = admin_change_masters(admin, &info, change->cluster, change->options.broker_name,
                                  change_on_broker, change, error);
    if (status == MQC_OK && change->changed == 0)
        status =
            error_set(error, MQC_NOT_FOUND, "no broker%s%.100s has topic %.127s: create it instead",
                      change->cluster ? " of cluster " : "", change->cluster ? change->cluster : "",
                      change->topic);
    if (status == MQC_OK) status = wait_for_route(admin, &info, change, error);
    cluster_info_done(&info);
    return status;
}

static mqc_status check_numbers(const mqc_topic_options *options, mqc_error *error)
{
    int read = options->read_queues, write = options->write_queues;
    if (read < 0 || read > MOST_QUEUES || write < 0 || write > MOST_QUEUES)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%d read queues and %d write queues: give 1 to %d of each", read, write,
                         MOST_QUEUES);
    if (options->permission & ~BOTH_PERMISSIONS)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "permission %d: give MQC_PERMISSION_READ (4), MQC_PERMISSION_WRITE (2) or "
                         "their sum",
                         options->permission);
    return MQC_OK;
}

/* TopicMessageType.java; the broker checks it only when enableMixedMessageType or a proxy does. */
static mqc_status check_message_type(struct topic_change *change, mqc_error *error)
{
    static const char *const TYPES[] = {"NORMAL",      "FIFO",  "DELAY",
                                        "TRANSACTION", "MIXED", "PRIORITY"};
    const char *type = change->options.message_type;
    if (!type) return MQC_OK;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (strcmp(type, TYPES[i]) != 0) continue;
        strcpy(change->attributes, "+message.type=");
        strcat(change->attributes, TYPES[i]);
        return MQC_OK;
    }
    return error_set(error, MQC_BAD_ARGUMENT,
                     "message type %.50s: give NORMAL, FIFO, DELAY, TRANSACTION, MIXED or PRIORITY",
                     type);
}

static mqc_status check_options(struct topic_change *change, mqc_error *error)
{
    mqc_topic_options *options = &change->options;
    mqc_status status = check_numbers(options, error);
    if (status == MQC_OK) status = check_message_type(change, error);
    if (status != MQC_OK || change->update) return status;
    if (names_is_system_topic(slice_text(change->topic)))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "The topic[%s] is conflict with system topic: take another name",
                         change->topic);
    if (options->read_queues == 0) options->read_queues = DEFAULT_QUEUES;
    if (options->write_queues == 0) options->write_queues = DEFAULT_QUEUES;
    if (options->permission == 0) options->permission = BOTH_PERMISSIONS;
    return MQC_OK;
}

/* The topic as this broker has it, for what the options leave as it is; *found is false when it has
 * none. */
static mqc_status read_present(struct mqc_admin *admin, const char *address, const char *topic,
                               struct create_topic_header *header, bool *found, mqc_error *error)
{
    struct get_topic_config_header ask;
    header_init(&get_topic_config_layout, &ask);
    ask.topic = slice_text(topic);
    struct command_to_send request = {
        .code = REQUEST_GET_TOPIC_CONFIG, .layout = &get_topic_config_layout, .header = &ask};
    struct remoting_response response;
    mqc_error refused;
    mqc_status status = admin_call(admin, address, &request, &response, &refused);
    *found = status == MQC_OK;
    if (status == MQC_REFUSED && refused.broker_code == RESPONSE_TOPIC_NOT_EXIST) return MQC_OK;
    if (status != MQC_OK) {
        if (error) *error = refused;
        return status;
    }
    mqc_topic_configs *configs = result_new(sizeof *configs);
    struct answer_origin origin = {"", ""};
    status = configs ? topic_config_add(configs, &origin, response.command.body, error)
                     : error_no_memory(error);
    if (status == MQC_OK) {
        const mqc_topic_config *config = configs->configs[0];
        if (header->read_queues == 0) header->read_queues = config->read_queues;
        if (header->write_queues == 0) header->write_queues = config->write_queues;
        if (header->permission == 0) header->permission = config->permission;
        header->orderly = header->orderly || config->ordered;
    }
    mqc_admin_result_free(configs);
    remoting_response_done(&response);
    return status;
}

static mqc_status change_on_broker(struct mqc_admin *admin, const struct broker_data *broker,
                                   const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct topic_change *change = arg;
    struct create_topic_header header;
    header_init(&create_topic_layout, &header);
    header.topic = slice_text(change->topic);
    header.default_topic = SLICE_LITERAL(NAME_DEFAULT_TOPIC);
    header.read_queues = change->options.read_queues;
    header.write_queues = change->options.write_queues;
    header.permission = change->options.permission;
    header.topic_filter_type = SLICE_LITERAL("SINGLE_TAG");
    header.orderly = change->options.ordered;
    if (*change->attributes) header.attributes = slice_text(change->attributes);
    if (change->update) {
        bool found;
        mqc_status status = read_present(admin, address, change->topic, &header, &found, error);
        if (status != MQC_OK || !found) return status;
    }
    change->changed++;
    return client_api_create_topic(client_instance_api(admin->instance), address, &header,
                                   admin_deadline(admin), error);
}

/* Brokers answer before they have told the name servers, which takes them milliseconds. Asks again,
 * at first often, for at most one request timeout. */
static mqc_status wait_for_route(struct mqc_admin *admin, const struct cluster_info *info,
                                 const struct topic_change *change, mqc_error *error)
{
    int64_t deadline_ms = admin_deadline(admin);
    for (int pause_ms = FIRST_PAUSE_MS;; pause_ms *= 2) {
        struct topic_route *route;
        mqc_status status = client_api_route(client_instance_api(admin->instance), change->topic,
                                             deadline_ms, &route, error);
        if (status == MQC_OK) {
            bool complete = route_is_complete(route, info, change);
            topic_route_unref(route);
            if (complete) return MQC_OK;
        } else if (status != MQC_NO_ROUTE) {
            return status;
        }
        if (clock_now_ms() >= deadline_ms) break;
        if (pause_ms > LONGEST_PAUSE_MS) pause_ms = LONGEST_PAUSE_MS;
        admin_pause(clock_deadline_ms(pause_ms));
    }
    error_set(error, MQC_TIMEOUT,
              "the brokers have topic %.127s, but the name server does not know it yet",
              change->topic);
    error_mark_retryable(error);
    error_mark_maybe_done(error);
    return MQC_TIMEOUT;
}

static bool is_as_wished(const struct queue_data *queues, const mqc_topic_options *options)
{
    return (!options->read_queues || queues->read_queues == options->read_queues) &&
           (!options->write_queues || queues->write_queues == options->write_queues) &&
           (!options->permission || queues->permission == options->permission);
}

static bool route_is_complete(const struct topic_route *route, const struct cluster_info *info,
                              const struct topic_change *change)
{
    for (size_t i = 0; i < info->broker_count; i++) {
        const struct broker_data *broker = &info->brokers[i];
        if (!broker_data_master(broker) ||
            !admin_is_wanted(broker, change->cluster, change->options.broker_name))
            continue;
        bool found = change->update; /* then brokers without it stay so */
        for (size_t q = 0; q < route->queue_count; q++)
            if (strcmp(route->queues[q].broker_name, broker->broker_name) == 0)
                found = is_as_wished(&route->queues[q], &change->options);
        if (!found) return false;
    }
    return true;
}

/* ---- delete ---- */

static mqc_status delete_on_broker(struct mqc_admin *admin, const struct broker_data *broker,
                                   const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    return client_api_delete_topic(client_instance_api(admin->instance), address, arg,
                                   admin_deadline(admin), error);
}

/* DELETE_TOPIC_IN_NAMESRV (216) */
static mqc_status delete_on_name_server(struct mqc_admin *admin, const char *address, void *arg,
                                        mqc_error *error)
{
    struct command_to_send request = {.code = REQUEST_DELETE_TOPIC_IN_NAMESRV,
                                      .layout = &delete_topic_in_name_server_layout,
                                      .header = arg};
    return admin_call_empty(admin, address, &request, error);
}

mqc_status admin_delete_topic(struct mqc_admin *admin, const char *cluster, const char *topic,
                              mqc_error *error)
{
    struct cluster_info info;
    mqc_status status = admin_cluster(admin, &info, error);
    if (status != MQC_OK) return status;
    status = admin_change_masters(admin, &info, cluster, NULL, delete_on_broker,
                                  (void *)(uintptr_t)topic, error);
    cluster_info_done(&info);
    if (status != MQC_OK) return status;
    /* Brokers first: one that still has the topic would register it again. */
    struct delete_topic_in_name_server_header header;
    header_init(&delete_topic_in_name_server_layout, &header);
    header.topic = slice_text(topic);
    header.cluster_name = slice_text(cluster);
    return admin_each_name_server(admin, delete_on_name_server, &header, error);
}

mqc_status mqc_admin_delete_topic(mqc_admin *admin, const char *cluster, const char *topic,
                                  mqc_error *error)
{
    mqc_status status = admin_check_topic(admin, topic, error);
    return status == MQC_OK ? admin_delete_topic(admin, cluster, topic, error) : status;
}
