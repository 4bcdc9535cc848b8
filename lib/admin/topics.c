/* Topics: create, delete, list, look up (MQAdminImpl.java, TopicCommandUtil of the tools). On the
 * application's threads; each request has the client's request timeout. */
#include "lib/base/clock.h"
#include "lib/base/error.h"

#include "lib/admin/admin_private.h"
#include "lib/protocol/names.h"

enum {
    DEFAULT_QUEUES = 8,
    MOST_QUEUES = 65535,
    BOTH_PERMISSIONS = MQC_PERMISSION_READ | MQC_PERMISSION_WRITE,
    FIRST_PAUSE_MS = 2,
    LONGEST_PAUSE_MS = 100
};

/* A request that goes to the master of every broker of a cluster. */
typedef mqc_status broker_request(struct client_api *api, const char *address, const void *arg,
                                  int64_t deadline_ms, mqc_error *error);

static mqc_status fill_header(const char *topic, const mqc_topic_options *options,
                              struct create_topic_header *header, mqc_error *error);
static bool is_of_cluster(const struct broker_data *broker, const char *cluster);
static mqc_status ask_masters(struct mqc_admin *admin, const struct cluster_info *info,
                              const char *cluster, broker_request *ask, const void *arg,
                              mqc_error *error);
static mqc_status no_broker(const struct cluster_info *info, const char *cluster, mqc_error *error);
static mqc_status wait_for_route(struct mqc_admin *admin, const struct cluster_info *info,
                                 const char *cluster, const struct create_topic_header *header,
                                 const char *topic, mqc_error *error);
static bool route_is_complete(const struct topic_route *route, const struct cluster_info *info,
                              const char *cluster, const struct create_topic_header *header);
static void pause_until(int64_t deadline_ms);
static mqc_status delete_from_name_servers(struct mqc_admin *admin, const char *cluster,
                                           const char *topic, mqc_error *error);

static mqc_status ask_create(struct client_api *api, const char *address, const void *arg,
                             int64_t deadline_ms, mqc_error *error)
{
    return client_api_create_topic(api, address, arg, deadline_ms, error);
}

static mqc_status ask_delete(struct client_api *api, const char *address, const void *arg,
                             int64_t deadline_ms, mqc_error *error)
{
    return client_api_delete_topic(api, address, arg, deadline_ms, error);
}

mqc_status mqc_admin_create_topic(mqc_admin *admin, const char *cluster, const char *topic,
                                  const mqc_topic_options *options, mqc_error *error)
{
    struct create_topic_header header;
    mqc_status status = admin_check(admin, error);
    if (status == MQC_OK) status = fill_header(topic, options, &header, error);
    if (status != MQC_OK) return status;
    struct client_instance *instance = admin->instance;
    struct cluster_info info;
    status = client_api_cluster_info(client_instance_api(instance),
                                     client_instance_request_deadline(instance), &info, error);
    if (status != MQC_OK) return status;
    status = ask_masters(admin, &info, cluster, ask_create, &header, error);
    if (status == MQC_OK) status = wait_for_route(admin, &info, cluster, &header, topic, error);
    cluster_info_done(&info);
    return status;
}

mqc_status mqc_admin_delete_topic(mqc_admin *admin, const char *cluster, const char *topic,
                                  mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    if (status == MQC_OK) status = names_check_topic(topic, error);
    if (status != MQC_OK) return status;
    struct client_instance *instance = admin->instance;
    struct cluster_info info;
    status = client_api_cluster_info(client_instance_api(instance),
                                     client_instance_request_deadline(instance), &info, error);
    if (status != MQC_OK) return status;
    status = ask_masters(admin, &info, cluster, ask_delete, topic, error);
    cluster_info_done(&info);
    /* Brokers first: one that still has the topic would register it again. */
    return status == MQC_OK ? delete_from_name_servers(admin, cluster, topic, error) : status;
}

mqc_status mqc_admin_each_topic(mqc_admin *admin, mqc_topic_visitor *visit, void *arg,
                                mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    if (status != MQC_OK) return status;
    struct name_list topics;
    status =
        client_api_topic_list(client_instance_api(admin->instance),
                              client_instance_request_deadline(admin->instance), &topics, error);
    if (status != MQC_OK) return status;
    for (size_t i = 0; i < topics.count && visit(topics.names[i], arg); i++) {
    }
    name_list_done(&topics);
    return MQC_OK;
}

mqc_status mqc_admin_each_route(mqc_admin *admin, const char *topic, mqc_route_visitor *visit,
                                void *arg, mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    if (status == MQC_OK) status = names_check_topic(topic, error);
    if (status != MQC_OK) return status;
    struct topic_route *route;
    status = client_api_route(client_instance_api(admin->instance), topic,
                              client_instance_request_deadline(admin->instance), &route, error);
    if (status != MQC_OK) return status;
    bool more = true;
    for (size_t i = 0; more && i < route->queue_count; i++) {
        const struct queue_data *queues = &route->queues[i];
        const struct broker_data *broker =
            topic_route_broker(route, slice_text(queues->broker_name));
        const char *master = broker ? broker_data_master(broker) : NULL;
        mqc_topic_route_entry entry = {
            .broker_name = queues->broker_name,
            .cluster = broker ? broker->cluster : NULL,
            .master_address = master,
            .slaves = broker ? (int)broker->address_count - (master != NULL) : 0,
            .read_queues = queues->read_queues,
            .write_queues = queues->write_queues,
            .permission = queues->permission,
        };
        more = visit(&entry, arg);
    }
    topic_route_unref(route);
    return MQC_OK;
}

static mqc_status fill_header(const char *topic, const mqc_topic_options *options,
                              struct create_topic_header *header, mqc_error *error)
{
    static const mqc_topic_options ALL_DEFAULTS;
    if (!options) options = &ALL_DEFAULTS;
    mqc_status status = names_check_topic(topic, error);
    if (status != MQC_OK) return status;
    if (names_is_system_topic(slice_text(topic)))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "The topic[%s] is conflict with system topic: take another name", topic);
    int read = options->read_queues ? options->read_queues : DEFAULT_QUEUES;
    int write = options->write_queues ? options->write_queues : DEFAULT_QUEUES;
    int permission = options->permission ? options->permission : BOTH_PERMISSIONS;
    if (read < 1 || read > MOST_QUEUES || write < 1 || write > MOST_QUEUES)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%d read queues and %d write queues: give 1 to %d of each", read, write,
                         MOST_QUEUES);
    if (permission & ~BOTH_PERMISSIONS)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "permission %d: give MQC_PERMISSION_READ (4), MQC_PERMISSION_WRITE (2) or "
                         "their sum",
                         permission);
    header_init(&create_topic_layout, header);
    header->topic = slice_text(topic);
    header->default_topic = SLICE_LITERAL(NAME_DEFAULT_TOPIC);
    header->read_queues = read;
    header->write_queues = write;
    header->permission = permission;
    header->topic_filter_type = SLICE_LITERAL("SINGLE_TAG");
    header->orderly = options->ordered;
    return MQC_OK;
}

static bool is_of_cluster(const struct broker_data *broker, const char *cluster)
{
    return !cluster || (broker->cluster && strcmp(broker->cluster, cluster) == 0);
}

/* Asks all, also when one fails: what remains to be done is then as little as can be. */
static mqc_status ask_masters(struct mqc_admin *admin, const struct cluster_info *info,
                              const char *cluster, broker_request *ask, const void *arg,
                              mqc_error *error)
{
    mqc_error failure = {.status = MQC_OK};
    int asked = 0, failed = 0;
    for (size_t i = 0; i < info->broker_count; i++) {
        const struct broker_data *broker = &info->brokers[i];
        const char *address = broker_data_master(broker);
        if (!address || !is_of_cluster(broker, cluster)) continue;
        asked++;
        mqc_error each;
        if (ask(client_instance_api(admin->instance), address, arg,
                client_instance_request_deadline(admin->instance), &each) == MQC_OK)
            continue;
        failed++;
        failure = each;
    }
    if (asked == 0) return no_broker(info, cluster, error);
    if (failed == 0) return MQC_OK;
    mqc_status status = failure.status;
    error_set(error, status, "%d of %d brokers failed, do it again: the last one said: %s", failed,
              asked, failure.text);
    if (!error) return status;
    error->broker_code = failure.broker_code;
    error->retryable = failure.retryable;
    error->maybe_done = failure.maybe_done || failed < asked;
    return status;
}

/* Says which clusters there are. */
static mqc_status no_broker(const struct cluster_info *info, const char *cluster, mqc_error *error)
{
    struct buffer known;
    buffer_init(&known);
    for (size_t i = 0; i < info->broker_count; i++) {
        const struct broker_data *broker = &info->brokers[i];
        bool first = broker->cluster && broker_data_master(broker);
        for (size_t earlier = 0; first && earlier < i; earlier++)
            first = !broker_data_master(&info->brokers[earlier]) ||
                    !is_of_cluster(&info->brokers[earlier], broker->cluster);
        if (first) buffer_put_format(&known, "%s%s", known.size > 0 ? ", " : "", broker->cluster);
    }
    const char *names = known.size > 0 ? buffer_text(&known) : NULL;
    if (cluster && names)
        error_set(error, MQC_NOT_FOUND,
                  "no broker with a master is registered in cluster %.100s at the name server: "
                  "there is %.200s",
                  cluster, names);
    else
        error_set(error, MQC_NOT_FOUND,
                  "no broker with a master is registered at the name server: start one");
    buffer_done(&known);
    return MQC_NOT_FOUND;
}

/* Brokers answer before they have told the name servers, which takes them milliseconds. Asks again,
 * at first often, for at most one request timeout. */
static mqc_status wait_for_route(struct mqc_admin *admin, const struct cluster_info *info,
                                 const char *cluster, const struct create_topic_header *header,
                                 const char *topic, mqc_error *error)
{
    int64_t deadline_ms = client_instance_request_deadline(admin->instance);
    for (int pause_ms = FIRST_PAUSE_MS;; pause_ms *= 2) {
        struct topic_route *route;
        mqc_status status = client_api_route(client_instance_api(admin->instance), topic,
                                             deadline_ms, &route, error);
        if (status == MQC_OK) {
            bool complete = route_is_complete(route, info, cluster, header);
            topic_route_unref(route);
            if (complete) return MQC_OK;
        } else if (status != MQC_NO_ROUTE) {
            return status;
        }
        if (clock_now_ms() >= deadline_ms) break;
        if (pause_ms > LONGEST_PAUSE_MS) pause_ms = LONGEST_PAUSE_MS;
        pause_until(clock_deadline_ms(pause_ms));
    }
    error_set(error, MQC_TIMEOUT,
              "the brokers have topic %.127s, but the name server does not know it yet", topic);
    error_mark_retryable(error);
    error_mark_maybe_done(error);
    return MQC_TIMEOUT;
}

static bool route_is_complete(const struct topic_route *route, const struct cluster_info *info,
                              const char *cluster, const struct create_topic_header *header)
{
    for (size_t i = 0; i < info->broker_count; i++) {
        const struct broker_data *broker = &info->brokers[i];
        if (!broker_data_master(broker) || !is_of_cluster(broker, cluster)) continue;
        bool found = false;
        for (size_t q = 0; !found && q < route->queue_count; q++) {
            const struct queue_data *queues = &route->queues[q];
            found = strcmp(queues->broker_name, broker->broker_name) == 0 &&
                    queues->read_queues == header->read_queues &&
                    queues->write_queues == header->write_queues &&
                    queues->permission == header->permission;
        }
        if (!found) return false;
    }
    return true;
}

/* The one way to wait there is in the library, here for nothing but the time. */
static void pause_until(int64_t deadline_ms)
{
    struct lock lock; /* guards nothing: conditions need one */
    struct condition never;
    lock_init(&lock, LOCK_RANK_LEAF);
    condition_init(&never);
    lock_take(&lock);
    while (condition_wait_until(&never, &lock, deadline_ms)) {
    }
    lock_release(&lock);
    condition_done(&never);
    lock_done(&lock);
}

/* DELETE_TOPIC_IN_NAMESRV (216) to each of them: they do not tell one another. */
static mqc_status delete_from_name_servers(struct mqc_admin *admin, const char *cluster,
                                           const char *topic, mqc_error *error)
{
    struct delete_topic_in_name_server_header header;
    header_init(&delete_topic_in_name_server_layout, &header);
    header.topic = slice_text(topic);
    header.cluster_name = slice_text(cluster);
    struct command_to_send request = {.code = REQUEST_DELETE_TOPIC_IN_NAMESRV,
                                      .layout = &delete_topic_in_name_server_layout,
                                      .header = &header};
    struct client_api *api = client_instance_api(admin->instance);
    char list[NAME_SERVERS_MOST * ADDRESS_TEXT_BYTES];
    name_servers_format(api->name_servers, list, sizeof list);
    mqc_status result = MQC_OK;
    struct slice rest = slice_text(list);
    while (rest.data) {
        struct slice part = slice_split(&rest, ";");
        char address[ADDRESS_TEXT_BYTES];
        if (part.size == 0 || part.size >= sizeof address) continue;
        memcpy(address, part.data, part.size);
        address[part.size] = '\0';
        struct remoting_response response;
        mqc_status status =
            client_api_call(api, address, &request,
                            client_instance_request_deadline(admin->instance), &response, error);
        if (status == MQC_OK)
            remoting_response_done(&response);
        else
            result = status;
    }
    return result;
}
