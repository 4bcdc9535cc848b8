/* The name server's answers on routes, the cluster and topic lists (ClientRequestProcessor.java,
 * DefaultRequestProcessor.java). On the I/O thread. */
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/bodies.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

enum { VERSION_STANDARD_JSON = 401 /* V4_9_4 */ };

static void put_text_member(struct buffer *out, const char *name, const char *value)
{
    buffer_put_format(out, "\"%s\":", name);
    json_put_text(out, slice_text(value));
}

static bool in_route(const struct broker *broker, const struct broker_data *data)
{
    return broker->data == data && broker->in_route;
}

/* The broker's id as clients see it: without a master, the slave of the least id is taken for one
 * if the settings say so (RouteInfoManager.pickupTopicRouteData). */
static int64_t shown_id(const struct mqc_embedded *cluster, const struct broker *broker)
{
    if (!broker->data->settings.acting_master) return broker->broker_id;
    for (size_t i = 0; i < cluster->broker_count; i++) {
        const struct broker *other = cluster->brokers[i];
        if (in_route(other, broker->data) && other->broker_id < broker->broker_id)
            return broker->broker_id;
    }
    return 0;
}

/* {"brokerAddrs":{0:"…"},…}; whether ids are quoted depends on who asks. */
static void put_broker_data(struct buffer *out, const struct mqc_embedded *cluster,
                            const struct broker_data *data, bool quoted)
{
    buffer_put_text(out, "{\"brokerAddrs\":{");
    bool first = true;
    for (size_t i = 0; i < cluster->broker_count; i++) {
        const struct broker *broker = cluster->brokers[i];
        if (!in_route(broker, data)) continue;
        buffer_put_format(out, quoted ? "%s\"%lld\":" : "%s%lld:", first ? "" : ",",
                          (long long)shown_id(cluster, broker));
        json_put_text(out, slice_text(broker->address));
        first = false;
    }
    buffer_put_text(out, "},");
    put_text_member(out, "brokerName", data->name);
    buffer_put_8(out, ',');
    put_text_member(out, "cluster", cluster->name);
    buffer_put_format(out, ",\"enableActingMaster\":%s}",
                      data->settings.acting_master ? "true" : "false");
}

static bool has_address(const struct mqc_embedded *cluster, const struct broker_data *data)
{
    for (size_t i = 0; i < cluster->broker_count; i++)
        if (in_route(cluster->brokers[i], data)) return true;
    return false;
}

/* An acting master cannot be written to. */
static int32_t shown_permission(const struct mqc_embedded *cluster, const struct route_share *share)
{
    enum { WRITE = 2 };
    if (!share->broker->settings.acting_master) return share->permission;
    for (size_t i = 0; i < cluster->broker_count; i++) {
        const struct broker *broker = cluster->brokers[i];
        if (in_route(broker, share->broker) && broker->broker_id == 0) return share->permission;
    }
    return share->permission & ~WRITE;
}

static void put_route(struct buffer *out, const struct mqc_embedded *cluster,
                      const struct route *route, bool quoted)
{
    buffer_put_text(out, "{\"brokerDatas\":[");
    for (size_t i = 0, put = 0; i < route->count; i++) {
        if (!has_address(cluster, route->shares[i].broker)) continue;
        if (put++ > 0) buffer_put_8(out, ',');
        put_broker_data(out, cluster, route->shares[i].broker, quoted);
    }
    buffer_put_text(out, "],\"filterServerTable\":{},\"queueDatas\":[");
    for (size_t i = 0; i < route->count; i++) {
        const struct route_share *share = &route->shares[i];
        buffer_put_text(out, i > 0 ? ",{" : "{");
        put_text_member(out, "brokerName", share->broker->name);
        buffer_put_format(out,
                          ",\"perm\":%d,\"readQueueNums\":%d,\"topicSysFlag\":%d,"
                          "\"writeQueueNums\":%d}",
                          (int)shown_permission(cluster, share), (int)share->read_queues,
                          (int)share->sys_flag, (int)share->write_queues);
    }
    buffer_put_text(out, "]}");
}

static bool any_broker_of(const struct mqc_embedded *cluster, const struct route *route)
{
    for (size_t i = 0; i < route->count; i++)
        if (has_address(cluster, route->shares[i].broker)) return true;
    return false;
}

void route_handle_get(struct request *request)
{
    struct get_route_header header;
    if (!request_header(request, &get_route_layout, &header)) return;
    struct mqc_embedded *cluster = request->cluster;
    const struct route *route = map_get(&cluster->name_server.routes, header.topic);
    if (!route || !any_broker_of(cluster, route)) {
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST,
                       "No topic route info in name server for the topic: %.*s" FAQ_HINT,
                       SLICE_FORMAT(header.topic));
        return;
    }
    struct buffer body;
    buffer_init(&body);
    put_route(&body, cluster, route,
              request->command->version >= VERSION_STANDARD_JSON ||
                  header.accept_standard_json_only);
    request_answer_body(request, &body);
    buffer_done(&body);
}

void route_handle_cluster_info(struct request *request)
{
    struct mqc_embedded *cluster = request->cluster;
    struct buffer body, names;
    buffer_init(&body);
    buffer_init(&names);
    buffer_put_text(&body, "{\"brokerAddrTable\":{");
    LIST_EACH(&cluster->stores, link)
    {
        const struct broker_data *data = CONTAINER_OF(link, struct broker_data, in_cluster);
        if (!has_address(cluster, data)) continue;
        if (names.size > 0) {
            buffer_put_8(&names, ',');
            buffer_put_8(&body, ',');
        }
        json_put_text(&names, slice_text(data->name));
        json_put_text(&body, slice_text(data->name));
        buffer_put_8(&body, ':');
        put_broker_data(&body, cluster, data, false);
    }
    buffer_put_text(&body, "},\"clusterAddrTable\":{");
    if (names.size > 0) {
        json_put_text(&body, slice_text(cluster->name));
        buffer_put_text(&body, ":[");
        buffer_put_slice(&body, buffer_slice(&names));
        buffer_put_8(&body, ']');
    }
    buffer_put_text(&body, "}}");
    if (names.failed) body.failed = true;
    request_answer_body(request, &body);
    buffer_done(&names);
    buffer_done(&body);
}

/* ---- topic lists ---- */

enum topic_kind { ALL_TOPICS, SYSTEM_TOPICS };

static void answer_topics(struct request *request, enum topic_kind kind)
{
    struct name_list topics = {0};
    struct buffer body;
    buffer_init(&body);
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&request->cluster->name_server.routes, &position, &entry)) {
        struct slice name = slice_of(entry.key, entry.key_size);
        if (kind == SYSTEM_TOPICS && !names_is_system_topic(name)) continue;
        if (!name_list_add(&topics, name)) body.failed = true;
    }
    topic_list_encode(&topics, &body);
    request_answer_body(request, &body);
    name_list_done(&topics);
    buffer_done(&body);
}

void route_handle_all_topics(struct request *request)
{
    answer_topics(request, ALL_TOPICS);
}

void route_handle_system_topics(struct request *request)
{
    answer_topics(request, SYSTEM_TOPICS);
}

void route_handle_topics_by_cluster(struct request *request)
{
    struct get_topics_by_cluster_header header;
    if (!request_header(request, &get_topics_by_cluster_layout, &header)) return;
    if (slice_is(header.cluster_name, request->cluster->name)) {
        answer_topics(request, ALL_TOPICS);
        return;
    }
    request_answer(request, &(struct answer){.body = SLICE_LITERAL("{\"topicList\":[]}")});
}

void route_handle_delete_topic(struct request *request)
{
    struct delete_topic_in_name_server_header header;
    if (!request_header(request, &delete_topic_in_name_server_layout, &header)) return;
    name_server_forget_topic(&request->cluster->name_server, header.topic, NULL);
    request_done(request);
}

/* ---- permissions ---- */

static int32_t change_permission(struct request *request, struct slice broker_name, bool wipe)
{
    enum { WRITE = 2, READ = 4 };
    int32_t topics = 0;
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&request->cluster->name_server.routes, &position, &entry)) {
        struct route *route = entry.value;
        for (size_t i = 0; i < route->count; i++) {
            struct route_share *share = &route->shares[i];
            if (!slice_is(broker_name, share->broker->name)) continue;
            share->permission = wipe ? share->permission & ~WRITE : READ | WRITE;
            topics++;
        }
    }
    return topics;
}

void route_handle_wipe_write(struct request *request)
{
    struct write_permission_of_broker_header header;
    if (!request_header(request, &write_permission_of_broker_layout, &header)) return;
    struct wipe_write_permission_response_header answer = {
        .topic_count = change_permission(request, header.broker_name, true)};
    request_answer(request, &(struct answer){.layout = &wipe_write_permission_response_layout,
                                             .header = &answer});
}

void route_handle_add_write(struct request *request)
{
    struct write_permission_of_broker_header header;
    if (!request_header(request, &write_permission_of_broker_layout, &header)) return;
    struct add_write_permission_response_header answer = {
        .topic_count = change_permission(request, header.broker_name, false)};
    request_answer(request, &(struct answer){.layout = &add_write_permission_response_layout,
                                             .header = &answer});
}
