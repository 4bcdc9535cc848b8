/* Which broker has which queue of a static topic, out of what each broker says of itself: the one
 * with the highest epoch is right (ClientMetadata.topicRouteData2EndpointsForStaticTopic). What all
 * say is gathered, sorted, and the first of each queue kept. Pure functions.
 */
#include "lib/protocol/static_queues.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

/* Of a topic; and what all brokers together may say of it: it is memory and time in every client.
 */
enum { QUEUES_MAX = 4096, CLAIMS_MAX = 65536 };

/* A broker says that it has a queue, or that there is one. Texts are the JSON's. */
struct claim {
    const char *scope;
    const char *host;
    int32_t queue_id;
    uint32_t place; /* of two with the same epoch the later one is right */
    int64_t epoch;
};

struct claims {
    struct claim *claims;
    size_t count, capacity;
    const char *scope; /* of the mapping before, and how many queues are known in it */
    int32_t total;
};

static mqc_status claim_mapping(struct claims *claims, const json_t *mapping, mqc_error *error);
static mqc_status claim_absent(struct claims *claims, const json_t *mapping, mqc_error *error);
static mqc_status add(struct claims *claims, struct claim claim, mqc_error *error);
static mqc_status merge(struct claims *claims, struct topic_route *route, mqc_error *error);
static mqc_status keep(const struct claim *claim, struct topic_route *route, mqc_error *error);
static const char *scope_of(const json_t *mapping);
static int compare_claims(const void *a, const void *b);
static int compare(const void *a, const void *b);

mqc_status static_queues_decode(const json_t *mappings, struct topic_route *route, mqc_error *error)
{
    struct claims claims = {0};
    mqc_status status = MQC_OK;
    const char *broker_name;
    json_t *mapping;
    json_object_foreach((json_t *)(uintptr_t)mappings, broker_name, mapping)
    {
        if (status == MQC_OK) status = claim_mapping(&claims, mapping, error);
        if (status == MQC_OK) status = claim_absent(&claims, mapping, error);
    }
    if (status == MQC_OK && claims.count > 0) status = merge(&claims, route, error);
    memory_free(claims.claims);
    return status;
}

static mqc_status claim_mapping(struct claims *claims, const json_t *mapping, mqc_error *error)
{
    const char *host = relaxed_json_text(mapping, "bname", NULL), *scope = scope_of(mapping);
    int64_t epoch = relaxed_json_number(mapping, "epoch", 0);
    mqc_status status = MQC_OK;
    const char *logical;
    json_t *physical;
    if (!host) return error_set(error, MQC_BAD_FRAME, "topic route: a queue mapping without bname");
    if (strlen(host) >= NAME_BYTES || strlen(scope) >= NAME_BYTES - strlen(STATIC_BROKER_PREFIX))
        return error_set(error, MQC_BAD_FRAME,
                         "topic route: a queue mapping with the name '%.50s…' or the scope "
                         "'%.50s…', they should have less than %d bytes",
                         host, scope, NAME_BYTES);
    json_object_foreach(json_object_get(mapping, "currIdMap"), logical, physical)
    {
        int32_t id;
        if (!slice_to_int32(slice_text(logical), &id) || id < 0 || id >= QUEUES_MAX)
            return error_set(error, MQC_BAD_FRAME,
                             "topic route: '%.50s' is no queue of a static topic", logical);
        status = add(claims,
                     (struct claim){.scope = scope, .host = host, .queue_id = id, .epoch = epoch},
                     error);
        if (status != MQC_OK) break;
    }
    return status;
}

/* Queues that nobody has are queues all the same. Every broker says how many there are: those that
 * the one before has told of need not be told of again. */
static mqc_status claim_absent(struct claims *claims, const json_t *mapping, mqc_error *error)
{
    mqc_status status = MQC_OK;
    int64_t total = relaxed_json_number(mapping, "totalQueues", 0);
    if (total < 0 || total > QUEUES_MAX)
        return error_set(error, MQC_BAD_FRAME, "topic route: %lld queues of a static topic",
                         (long long)total);
    struct claim absent = {
        .scope = scope_of(mapping), .host = STATIC_NO_BROKER, .epoch = INT64_MIN};
    if (claims->scope && strcmp(claims->scope, absent.scope) == 0) absent.queue_id = claims->total;
    for (; status == MQC_OK && absent.queue_id < (int32_t)total; absent.queue_id++)
        status = add(claims, absent, error);
    claims->scope = absent.scope;
    claims->total = absent.queue_id;
    return status;
}

static mqc_status add(struct claims *claims, struct claim claim, mqc_error *error)
{
    if (claims->count == CLAIMS_MAX)
        return error_set(
            error, MQC_BAD_FRAME,
            "topic route: brokers name the queues of a static topic more than %d times",
            CLAIMS_MAX);
    if (!memory_reserve(&claims->claims, &claims->capacity, claims->count + 1,
                        sizeof *claims->claims))
        return error_no_memory(error);
    claim.place = (uint32_t)claims->count;
    claims->claims[claims->count++] = claim;
    return MQC_OK;
}

static bool same_queue(const struct claim *a, const struct claim *b)
{
    return a->queue_id == b->queue_id && strcmp(a->scope, b->scope) == 0;
}

static mqc_status merge(struct claims *claims, struct topic_route *route, mqc_error *error)
{
    size_t queues = 0;
    qsort(claims->claims, claims->count, sizeof *claims->claims, compare_claims);
    for (size_t i = 0; i < claims->count; i++)
        if (i == 0 || !same_queue(&claims->claims[i], &claims->claims[queues - 1]))
            claims->claims[queues++] = claims->claims[i];
    route->statics = memory_allocate_zero(queues, sizeof *route->statics);
    if (!route->statics) return error_no_memory(error);
    mqc_status status = MQC_OK;
    for (size_t i = 0; status == MQC_OK && i < queues; i++)
        status = keep(&claims->claims[i], route, error);
    return status;
}

/* TopicQueueMappingUtils.getMockBrokerName */
static mqc_status keep(const struct claim *claim, struct topic_route *route, mqc_error *error)
{
    char name[NAME_BYTES];
    struct static_queue *queue = &route->statics[route->static_count++];
    snprintf(name, sizeof name, STATIC_BROKER_PREFIX "%s", claim->scope);
    *queue = (struct static_queue){.broker_name = memory_duplicate(name),
                                   .queue_id = claim->queue_id,
                                   .host = memory_duplicate(claim->host),
                                   .epoch = claim->epoch};
    return queue->broker_name && queue->host ? MQC_OK : error_no_memory(error);
}

/* "__global__" loses what would stand twice in the name that is made of it. */
static const char *scope_of(const json_t *mapping)
{
    const char *scope = relaxed_json_text(mapping, "scope", "__global__");
    return strcmp(scope, "__global__") == 0 ? scope + 2 : scope;
}

/* The right one of a queue comes first. */
static int compare_claims(const void *a, const void *b)
{
    const struct claim *left = a, *right = b;
    int order = strcmp(left->scope, right->scope);
    if (order == 0) order = (left->queue_id > right->queue_id) - (left->queue_id < right->queue_id);
    if (order == 0) order = (left->epoch < right->epoch) - (left->epoch > right->epoch);
    if (order == 0) order = (left->place < right->place) - (left->place > right->place);
    return order;
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
    struct static_queue wanted = {.broker_name = (char *)(uintptr_t)broker_name,
                                  .queue_id = queue_id};
    return route->static_count == 0 ? NULL
                                    : bsearch(&wanted, route->statics, route->static_count,
                                              sizeof *route->statics, compare);
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
