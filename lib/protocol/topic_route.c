/* Routes and the cluster's brokers: the JSON of a name server made into sorted, immutable tables
 * (TopicRouteData.java, ClusterInfo.java). Pure functions; a route may be read by any thread. */
#include "lib/protocol/topic_route.h"

#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/java_text.h"
#include "lib/protocol/relaxed_json.h"
#include "lib/protocol/static_queues.h"

/* Of a topic on one broker, and on all: queues cost memory in every client. */
enum { QUEUES_MAX = 65536, QUEUES_MAX_IN_ALL = 4 * QUEUES_MAX };

static mqc_status decode_brokers(const json_t *array, struct topic_route *route, mqc_error *error);
static mqc_status decode_queues(const json_t *array, struct topic_route *route, mqc_error *error);
static mqc_status decode_broker(const json_t *json, const char *name, struct broker_data *out,
                                mqc_error *error);
static mqc_status decode_queue(const json_t *json, struct queue_data *out, mqc_error *error);
static void broker_done(struct broker_data *broker);
static void brokers_free(struct broker_data *brokers, size_t count);
static int compare_brokers(const void *a, const void *b);
static int compare_queues(const void *a, const void *b);

/* ---- decoding ---- */

mqc_status topic_route_decode(struct slice body, struct topic_route **out, mqc_error *error)
{
    *out = NULL;
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "topic route", &json, error);
    if (status != MQC_OK) return status;
    struct topic_route *route = memory_allocate_zero(1, sizeof *route);
    if (!route) {
        status = error_no_memory(error);
        goto out;
    }
    reference_init(&route->references);
    const char *order = relaxed_json_text(json, "orderTopicConf", NULL);
    route->order_topic_conf = memory_duplicate(order);
    if (order && !route->order_topic_conf) status = error_no_memory(error);
    if (status == MQC_OK)
        status = decode_brokers(json_object_get(json, "brokerDatas"), route, error);
    if (status == MQC_OK) status = decode_queues(json_object_get(json, "queueDatas"), route, error);
    if (status == MQC_OK)
        status =
            static_queues_decode(json_object_get(json, "topicQueueMappingByBroker"), route, error);
    if (status == MQC_OK)
        *out = route;
    else
        topic_route_unref(route);
out:
    json_decref(json);
    return status;
}

static mqc_status decode_brokers(const json_t *array, struct topic_route *route, mqc_error *error)
{
    size_t count = json_array_size(array);
    route->brokers = memory_allocate_zero(count, sizeof *route->brokers);
    if (!route->brokers) return error_no_memory(error);
    for (; route->broker_count < count; route->broker_count++) {
        const json_t *json = json_array_get(array, route->broker_count);
        mqc_status status = decode_broker(json, relaxed_json_text(json, "brokerName", NULL),
                                          &route->brokers[route->broker_count], error);
        if (status != MQC_OK) return status;
    }
    qsort(route->brokers, count, sizeof *route->brokers, compare_brokers);
    return MQC_OK;
}

static mqc_status decode_queues(const json_t *array, struct topic_route *route, mqc_error *error)
{
    size_t count = json_array_size(array);
    route->queues = memory_allocate_zero(count, sizeof *route->queues);
    if (!route->queues) return error_no_memory(error);
    int64_t in_all = 0;
    while (route->queue_count < count) {
        struct queue_data *queue = &route->queues[route->queue_count];
        mqc_status status = decode_queue(json_array_get(array, route->queue_count), queue, error);
        if (status != MQC_OK) return status;
        route->queue_count++;
        in_all +=
            queue->read_queues > queue->write_queues ? queue->read_queues : queue->write_queues;
        if (in_all > QUEUES_MAX_IN_ALL)
            return error_set(error, MQC_BAD_FRAME,
                             "topic route: more than %d queues on all brokers", QUEUES_MAX_IN_ALL);
    }
    qsort(route->queues, count, sizeof *route->queues, compare_queues);
    return MQC_OK;
}

static bool queues_in_range(int64_t count)
{
    return count >= 0 && count <= QUEUES_MAX;
}

static mqc_status decode_queue(const json_t *json, struct queue_data *out, mqc_error *error)
{
    const char *name = relaxed_json_text(json, "brokerName", NULL);
    if (!name) return error_set(error, MQC_BAD_FRAME, "topic route: queues without a brokerName");
    int64_t read = relaxed_json_number(json, "readQueueNums", 0);
    int64_t write = relaxed_json_number(json, "writeQueueNums", 0);
    if (!queues_in_range(read) || !queues_in_range(write))
        return error_set(error, MQC_BAD_FRAME,
                         "topic route: broker %s has %lld queues to read and %lld to write, each "
                         "should be 0 to %d",
                         name, (long long)read, (long long)write, QUEUES_MAX);
    out->read_queues = (int32_t)read;
    out->write_queues = (int32_t)write;
    out->permission = (int32_t)relaxed_json_number(json, "perm", 0);
    out->topic_sys_flag = (int32_t)relaxed_json_number(json, "topicSysFlag", 0);
    out->broker_name = memory_duplicate(name);
    return out->broker_name ? MQC_OK : error_no_memory(error);
}

static int compare_addresses(const void *a, const void *b)
{
    const struct broker_address *left = a, *right = b;
    return (left->broker_id > right->broker_id) - (left->broker_id < right->broker_id);
}

static mqc_status decode_addresses(const json_t *object, struct broker_data *out, mqc_error *error)
{
    size_t count = json_object_size(object);
    out->addresses = memory_allocate_zero(count, sizeof *out->addresses);
    if (!out->addresses) return error_no_memory(error);
    const char *id;
    json_t *address;
    json_object_foreach((json_t *)(uintptr_t)object, id, address)
    {
        struct broker_address *place = &out->addresses[out->address_count];
        if (!slice_to_int64(slice_text(id), &place->broker_id) || !json_is_string(address))
            return error_set(error, MQC_BAD_FRAME,
                             "broker %s: address '%.100s' is not a number with a text",
                             out->broker_name, id);
        place->address = memory_duplicate(json_string_value(address));
        if (!place->address) return error_no_memory(error);
        out->address_count++;
    }
    qsort(out->addresses, count, sizeof *out->addresses, compare_addresses);
    return MQC_OK;
}

/* On failure what was made is released here. */
static mqc_status decode_broker(const json_t *json, const char *name, struct broker_data *out,
                                mqc_error *error)
{
    if (!name) return error_set(error, MQC_BAD_FRAME, "broker data without a brokerName");
    out->broker_name = memory_duplicate(name);
    out->cluster = memory_duplicate(relaxed_json_text(json, "cluster", ""));
    out->enable_acting_master = relaxed_json_bool(json, "enableActingMaster", false);
    mqc_status status = MQC_OK;
    if (!out->broker_name || !out->cluster) status = error_no_memory(error);
    if (status == MQC_OK)
        status = decode_addresses(json_object_get(json, "brokerAddrs"), out, error);
    if (status != MQC_OK) broker_done(out);
    return status;
}

mqc_status cluster_info_decode(struct slice body, struct cluster_info *out, mqc_error *error)
{
    *out = (struct cluster_info){0};
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "cluster info", &json, error);
    if (status != MQC_OK) return status;
    json_t *table = json_object_get(json, "brokerAddrTable");
    out->brokers = memory_allocate_zero(json_object_size(table), sizeof *out->brokers);
    if (!out->brokers) status = error_no_memory(error);
    const char *name;
    json_t *broker;
    json_object_foreach(table, name, broker)
    {
        if (status == MQC_OK)
            status = decode_broker(broker, relaxed_json_text(broker, "brokerName", name),
                                   &out->brokers[out->broker_count], error);
        if (status != MQC_OK) break;
        out->broker_count++;
    }
    json_decref(json);
    if (status != MQC_OK)
        cluster_info_done(out);
    else
        qsort(out->brokers, out->broker_count, sizeof *out->brokers, compare_brokers);
    return status;
}

/* ---- life ---- */

struct topic_route *topic_route_ref(struct topic_route *route)
{
    reference_take(&route->references);
    return route;
}

void topic_route_unref(struct topic_route *route)
{
    if (!route || !reference_drop(&route->references)) return;
    brokers_free(route->brokers, route->broker_count);
    for (size_t i = 0; i < route->queue_count; i++) memory_free(route->queues[i].broker_name);
    memory_free(route->queues);
    static_queues_free(route);
    memory_free(route->order_topic_conf);
    memory_free(route);
}

void cluster_info_done(struct cluster_info *info)
{
    brokers_free(info->brokers, info->broker_count);
    *info = (struct cluster_info){0};
}

static void broker_done(struct broker_data *broker)
{
    for (size_t i = 0; i < broker->address_count; i++) memory_free(broker->addresses[i].address);
    memory_free(broker->addresses);
    memory_free(broker->broker_name);
    memory_free(broker->cluster);
    *broker = (struct broker_data){0};
}

static void brokers_free(struct broker_data *brokers, size_t count)
{
    for (size_t i = 0; i < count; i++) broker_done(&brokers[i]);
    memory_free(brokers);
}

/* ---- reading ---- */

static int compare_brokers(const void *a, const void *b)
{
    const struct broker_data *left = a, *right = b;
    return java_compare(slice_text(left->broker_name), slice_text(right->broker_name));
}

/* Entries of one broker in a fixed order, too: a route that only came in another is the same. */
static int compare_queues(const void *a, const void *b)
{
    const struct queue_data *left = a, *right = b;
    int order = java_compare(slice_text(left->broker_name), slice_text(right->broker_name));
    if (order == 0)
        order = (left->read_queues > right->read_queues) - (left->read_queues < right->read_queues);
    if (order == 0)
        order =
            (left->write_queues > right->write_queues) - (left->write_queues < right->write_queues);
    return order;
}

const struct broker_data *topic_route_broker(const struct topic_route *route, struct slice name)
{
    for (size_t i = 0; i < route->broker_count; i++) {
        if (slice_is(name, route->brokers[i].broker_name)) return &route->brokers[i];
    }
    return NULL;
}

const char *broker_data_master(const struct broker_data *broker)
{
    for (size_t i = 0; i < broker->address_count; i++) {
        if (broker->addresses[i].broker_id == BROKER_ID_MASTER) return broker->addresses[i].address;
    }
    return NULL;
}

static bool brokers_equal(const struct broker_data *a, const struct broker_data *b)
{
    if (strcmp(a->broker_name, b->broker_name) != 0 || strcmp(a->cluster, b->cluster) != 0 ||
        a->enable_acting_master != b->enable_acting_master || a->address_count != b->address_count)
        return false;
    for (size_t i = 0; i < a->address_count; i++) {
        if (a->addresses[i].broker_id != b->addresses[i].broker_id ||
            strcmp(a->addresses[i].address, b->addresses[i].address) != 0)
            return false;
    }
    return true;
}

static bool queues_equal(const struct queue_data *a, const struct queue_data *b)
{
    return strcmp(a->broker_name, b->broker_name) == 0 && a->read_queues == b->read_queues &&
           a->write_queues == b->write_queues && a->permission == b->permission &&
           a->topic_sys_flag == b->topic_sys_flag;
}

bool topic_route_equal(const struct topic_route *a, const struct topic_route *b)
{
    if (a == b) return true;
    if (a->broker_count != b->broker_count || a->queue_count != b->queue_count ||
        !slice_equal(slice_text(a->order_topic_conf), slice_text(b->order_topic_conf)))
        return false;
    for (size_t i = 0; i < a->broker_count; i++) {
        if (!brokers_equal(&a->brokers[i], &b->brokers[i])) return false;
    }
    for (size_t i = 0; i < a->queue_count; i++) {
        if (!queues_equal(&a->queues[i], &b->queues[i])) return false;
    }
    return static_queues_equal(a, b);
}

/* ---- encoding, in standard JSON ---- */

static void encode_broker(const struct broker_data *broker, struct buffer *out)
{
    buffer_put_text(out, "{\"brokerAddrs\":{");
    for (size_t i = 0; i < broker->address_count; i++) {
        buffer_put_text(out, i > 0 ? ",\"" : "\"");
        buffer_put_decimal(out, broker->addresses[i].broker_id);
        buffer_put_text(out, "\":");
        json_put_text(out, slice_text(broker->addresses[i].address));
    }
    buffer_put_text(out, "},\"brokerName\":");
    json_put_text(out, slice_text(broker->broker_name));
    buffer_put_text(out, ",\"cluster\":");
    json_put_text(out, slice_text(broker->cluster));
    buffer_put_text(out, ",\"enableActingMaster\":");
    buffer_put_text(out, broker->enable_acting_master ? "true}" : "false}");
}

static void encode_queue(const struct queue_data *queue, struct buffer *out)
{
    buffer_put_text(out, "{\"brokerName\":");
    json_put_text(out, slice_text(queue->broker_name));
    buffer_put_text(out, ",\"perm\":");
    buffer_put_decimal(out, queue->permission);
    buffer_put_text(out, ",\"readQueueNums\":");
    buffer_put_decimal(out, queue->read_queues);
    buffer_put_text(out, ",\"topicSysFlag\":");
    buffer_put_decimal(out, queue->topic_sys_flag);
    buffer_put_text(out, ",\"writeQueueNums\":");
    buffer_put_decimal(out, queue->write_queues);
    buffer_put_8(out, '}');
}

void topic_route_encode(const struct topic_route *route, struct buffer *out)
{
    buffer_put_text(out, "{\"brokerDatas\":[");
    for (size_t i = 0; i < route->broker_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        encode_broker(&route->brokers[i], out);
    }
    buffer_put_text(out, "],\"filterServerTable\":{}");
    if (route->order_topic_conf) {
        buffer_put_text(out, ",\"orderTopicConf\":");
        json_put_text(out, slice_text(route->order_topic_conf));
    }
    buffer_put_text(out, ",\"queueDatas\":[");
    for (size_t i = 0; i < route->queue_count; i++) {
        if (i > 0) buffer_put_8(out, ',');
        encode_queue(&route->queues[i], out);
    }
    buffer_put_text(out, "]}");
}
