/* Looking routes up at the name servers: on demand for a topic that is new, and every 30 s for all
 * topics in use (MQClientInstance.updateTopicRouteInfoFromNameServer). */
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/client/client_instance_private.h"

static mqc_status store(struct client_instance *instance, const char *topic,
                        struct topic_route *route, int max_queues, mqc_error *error);
static bool left_the_list(const char *address, void *arg);

mqc_status client_instance_update_route(struct client_instance *instance, const char *topic,
                                        const char *default_topic, int default_queues,
                                        int64_t deadline_ms, mqc_error *error)
{
    struct topic_route *route = NULL;
    mqc_status status = route_table_want(&instance->routes, topic, error);
    if (status != MQC_OK) return status;
    status = client_api_route(&instance->api, topic, deadline_ms, &route, error);
    int max_queues = 0;
    if (status == MQC_NO_ROUTE && default_topic) {
        mqc_error ignored; /* that the user's topic is missing says more than the default's */
        mqc_status other =
            client_api_route(&instance->api, default_topic, deadline_ms, &route, &ignored);
        if (other == MQC_OK) {
            status = MQC_OK;
            max_queues = default_queues;
        }
    }
    if (status != MQC_OK) return status;
    status = store(instance, topic, route, max_queues, error);
    topic_route_unref(route);
    return status;
}

mqc_status client_instance_queues(struct client_instance *instance, const char *topic,
                                  int64_t deadline_ms, struct topic_queues **out, mqc_error *error)
{
    *out = route_table_get(&instance->routes, topic);
    if (*out) return MQC_OK;
    mqc_status status = client_instance_update_route(instance, topic, NULL, 0, deadline_ms, error);
    if (status != MQC_OK) return status;
    *out = route_table_get(&instance->routes, topic);
    return *out ? MQC_OK : error_set(error, MQC_NO_ROUTE, "No route info of this topic: %s", topic);
}

mqc_status client_instance_master(struct client_instance *instance, const char *topic,
                                  const char *broker_name, int64_t deadline_ms,
                                  char out[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    if (route_table_master(&instance->routes, broker_name, out)) return MQC_OK;
    mqc_status status = client_instance_update_route(instance, topic, NULL, 0, deadline_ms, error);
    if (route_table_master(&instance->routes, broker_name, out)) return MQC_OK;
    if (status != MQC_OK && status != MQC_NO_ROUTE) return status;
    error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", broker_name);
    error_mark_retryable(error);
    return MQC_NO_ROUTE;
}

mqc_status client_instance_queue_master(struct client_instance *instance,
                                        const mqc_message_queue *queue, int64_t deadline_ms,
                                        char out[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    const char *host =
        route_table_host(&instance->routes, queue->topic, queue->broker_name, queue->queue_id);
    if (!host) {
        client_instance_update_route(instance, queue->topic, NULL, 0, deadline_ms, NULL);
        host =
            route_table_host(&instance->routes, queue->topic, queue->broker_name, queue->queue_id);
    }
    return client_instance_master(instance, queue->topic, host ? host : queue->broker_name,
                                  deadline_ms, out, error);
}

void client_routes_refresh(void *arg)
{
    struct client_instance *instance = arg;
    struct name_list topics;
    mqc_error error;
    if (route_table_topics(&instance->routes, &topics, NULL) != MQC_OK) return;
    for (size_t i = 0; i < topics.count; i++) {
        mqc_status status = client_instance_update_route(
            instance, topics.names[i], NULL, 0, client_instance_request_deadline(instance), &error);
        /* What the name server does not know stays as it is: an unknown topic may be on its way,
         * and brokers serve on while the name server forgets. */
        if (status == MQC_OK || status == MQC_NO_ROUTE) continue;
        log_warn(LOG_ROUTE, "refresh of topic=%s failed: %s", topics.names[i], error.text);
        /* The others would fail alike and hold up the heartbeats behind this task. */
        if (status != MQC_REFUSED && status != MQC_BAD_FRAME) break;
    }
    name_list_done(&topics);
}

void client_routes_fetch_name_servers(void *arg)
{
    struct client_instance *instance = arg;
    char url[1024], list[1024];
    bool changed = false;
    mqc_error error;
    name_servers_url(instance->options.name_server_domain, instance->options.unit_name, url,
                     sizeof url);
    struct name_servers before;
    name_servers_init(&before);
    name_servers_format(&instance->name_servers, list, sizeof list);
    if (name_servers_set(&before, list, NULL, NULL) == MQC_OK &&
        name_servers_fetch(&instance->name_servers, url, instance->options.request_timeout_ms,
                           &changed, &error) != MQC_OK) {
        log_warn(LOG_ROUTE, "name server list not refreshed: %s", error.text);
    }
    if (changed) {
        struct name_servers *lists[2] = {&before, &instance->name_servers};
        remoting_client_close_if(instance->remoting, left_the_list, lists);
        name_servers_format(&instance->name_servers, list, sizeof list);
        log_info(LOG_ROUTE, "name servers changed: %s", list);
    }
    name_servers_done(&before);
}

/* Stores a route and lets consumers divide its queues at once when it has changed. */
static mqc_status store(struct client_instance *instance, const char *topic,
                        struct topic_route *route, int max_queues, mqc_error *error)
{
    bool changed = false;
    mqc_status status =
        route_table_put(&instance->routes, topic, route, max_queues, &changed, error);
    if (status != MQC_OK || !changed) return status;
    log_info(LOG_ROUTE, "route of topic=%s changed: brokers=%zu%s", topic, route->broker_count,
             max_queues > 0 ? " (after the default topic)" : "");
    if (client_roles_has_consumer(instance)) client_instance_wake_rebalance(instance);
    return MQC_OK;
}

static bool left_the_list(const char *address, void *arg)
{
    struct name_servers **lists = arg;
    return name_servers_contain(lists[0], address) && !name_servers_contain(lists[1], address);
}
