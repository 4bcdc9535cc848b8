/* Which broker has which queue of a static topic, out of what each broker says of itself: the one
 * with the highest epoch is right (ClientMetadata.topicRouteData2EndpointsForStaticTopic). Pure
 * functions.
 */
#include "lib/protocol/static_queues.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

enum { QUEUES_MAX = 4096 };

static mqc_status decode_mapping(const json_t *mapping, struct topic_route *route, size_t *capacity,
                                 mqc_error *error);
static mqc_status complete(const json_t *mappings, struct topic_route *route, size_t *capacity,
                           mqc_error *error);
static mqc_status put(struct topic_route *route, size_t *capacity, const char *broker_name,
                      int32_t queue_id, const char *host, int64_t epoch, mqc_error *error);
static void mock_name(const json_t *mapping, char out[NAME_BYTES]);
static int compare(const void *a, const void *b);

mqc_status static_queues_decode(const json_t *mappings, struct topic_route *route, mqc_error *error)
{
    size_t capacity = 0;
    mqc_status status = MQC_OK;
    const char *broker_name;
    json_t *mapping;
    json_object_foreach((json_t *)(uintptr_t)mappings, broker_name, mapping)
    {
        if (status == MQC_OK) status = decode_mapping(mapping, route, &capacity, error);
    }
    if (status == MQC_OK) status = complete(mappings, route, &capacity, error);
    if (status == MQC_OK && route->static_count > 0)
        qsort(route->statics, route->static_count, sizeof *route->statics, compare);
    return status;
}

static mqc_status decode_mapping(const json_t *mapping, struct topic_route *route, size_t *capacity,
                                 mqc_error *error)
{
    char name[NAME_BYTES];
    const char *host = relaxed_json_text(mapping, "bname", NULL);
    int64_t epoch = relaxed_json_number(mapping, "epoch", 0);
    mqc_status status = MQC_OK;
    const char *logical;
    json_t *physical;
    mock_name(mapping, name);
    if (!host) return error_set(error, MQC_BAD_FRAME, "topic route: a queue mapping without bname");
    json_object_foreach(json_object_get(mapping, "currIdMap"), logical, physical)
    {
        int32_t id;
        if (!slice_to_int32(slice_text(logical), &id) || id < 0 || id >= QUEUES_MAX)
            return error_set(error, MQC_BAD_FRAME,
                             "topic route: '%.50s' is no queue of a static topic", logical);
        status = put(route, capacity, name, id, host, epoch, error);
        if (status != MQC_OK) break;
    }
    return status;
}

/* Queues that nobody has are queues all the same. */
static mqc_status complete(const json_t *mappings, struct topic_route *route, size_t *capacity,
                           mqc_error *error)
{
    mqc_status status = MQC_OK;
    char name[NAME_BYTES];
    const char *broker_name;
    json_t *mapping;
    json_object_foreach((json_t *)(uintptr_t)mappings, broker_name, mapping)
    {
        int64_t total = relaxed_json_number(mapping, "totalQueues", 0);
        if (total < 0 || total > QUEUES_MAX)
            return error_set(error, MQC_BAD_FRAME, "topic route: %lld queues of a static topic",
                             (long long)total);
        mock_name(mapping, name);
        for (int32_t id = 0; status == MQC_OK && id < (int32_t)total; id++)
            status = put(route, capacity, name, id, STATIC_NO_BROKER, INT64_MIN, error);
    }
    return status;
}

static mqc_status put(struct topic_route *route, size_t *capacity, const char *broker_name,
                      int32_t queue_id, const char *host, int64_t epoch, mqc_error *error)
{
    struct static_queue *queue =
        (struct static_queue *)(uintptr_t)topic_route_static(route, broker_name, queue_id);
    if (queue && queue->epoch > epoch) return MQC_OK;
    if (!queue) {
        if (!memory_reserve(&route->statics, capacity, route->static_count + 1,
                            sizeof *route->statics))
            return error_no_memory(error);
        queue = &route->statics[route->static_count];
        *queue = (struct static_queue){.broker_name = memory_duplicate(broker_name),
                                       .queue_id = queue_id};
        if (!queue->broker_name) return error_no_memory(error);
        route->static_count++;
    }
    memory_free(queue->host);
    queue->host = memory_duplicate(host);
    queue->epoch = epoch;
    return queue->host ? MQC_OK : error_no_memory(error);
}

/* TopicQueueMappingUtils.getMockBrokerName: "__global__" loses what would stand there twice. */
static void mock_name(const json_t *mapping, char out[NAME_BYTES])
{
    const char *scope = relaxed_json_text(mapping, "scope", "__global__");
    if (strcmp(scope, "__global__") == 0) scope += 2;
    snprintf(out, NAME_BYTES, STATIC_BROKER_PREFIX "%s", scope);
}

static int compare(const void *a, const void *b)
{
    const struct static_queue *left = a, *right = b;
    int order = strcmp(left->broker_name, right->broker_name);
    return order != 0 ? order
                      : (left->queue_id > right->queue_id) - (left->queue_id < right->queue_id);
}

const struct static_queue *topic_route_static(const struct topic_route *route,
                                              const char *broker_name, int32_t queue_id)
{
    for (size_t i = 0; i < route->static_count; i++)
        if (route->statics[i].queue_id == queue_id &&
            strcmp(route->statics[i].broker_name, broker_name) == 0)
            return &route->statics[i];
    return NULL;
}

/* Epochs only say which of two is right. */
bool static_queues_equal(const struct topic_route *a, const struct topic_route *b)
{
    bool same = a->static_count == b->static_count;
    for (size_t i = 0; same && i < a->static_count; i++)
        same = compare(&a->statics[i], &b->statics[i]) == 0 &&
               strcmp(a->statics[i].host, b->statics[i].host) == 0;
    return same;
}

void static_queues_free(struct topic_route *route)
{
    for (size_t i = 0; i < route->static_count; i++) {
        memory_free(route->statics[i].broker_name);
        memory_free(route->statics[i].host);
    }
    memory_free(route->statics);
}
