/* QUERY_ASSIGNMENT and SET_MESSAGE_REQUEST_MODE: which queues a member of a group is to pull or to
 * pop, as the broker divides them (QueryAssignmentProcessor.java). On the I/O thread. */
#include "lib/embedded/assignment_handler.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/bodies.h"
#include "lib/protocol/java_text.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

enum { READ = 4, MODES_MAX = 10000 };

/* How a group gets the messages of a topic. */
struct request_mode {
    bool pop;
    int64_t share_queues; /* so many members behind one share its queues; 0: all share all */
};

struct place {
    const char *broker_name;
    int32_t queue_id;
};

/* One query while it is being answered. */
struct query {
    struct slice topic, group, strategy;
    const char *client_id;
    struct request_mode mode;
    struct place *places; /* of the topic, sorted; owned */
    size_t place_count;
    struct name_list members; /* client ids, sorted */
    bool *mine;               /* by place; owned */
};

/* ---- modes ---- */

static void put_key(struct buffer *out, struct slice topic, struct slice group)
{
    buffer_init(out);
    buffer_put_slice(out, topic);
    buffer_put_8(out, ' ');
    buffer_put_slice(out, group);
}

void request_modes_forget_all(struct broker_data *data)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&data->request_modes, &position, &entry)) memory_free(entry.value);
    map_done(&data->request_modes);
    map_init(&data->request_modes);
}

static struct request_mode mode_of(const struct broker_data *data, struct slice topic,
                                   struct slice group)
{
    struct buffer key;
    put_key(&key, topic, group);
    const struct request_mode *mode =
        key.failed ? NULL : map_get(&data->request_modes, buffer_slice(&key));
    buffer_done(&key);
    return mode ? *mode : (struct request_mode){0};
}

static bool set_mode(struct broker_data *data, struct slice topic, struct slice group,
                     struct request_mode mode)
{
    struct buffer key;
    void *old = NULL;
    struct request_mode *copy = memory_copy(&mode, sizeof mode);
    put_key(&key, topic, group);
    bool stored = copy && !key.failed && data->request_modes.count < MODES_MAX &&
                  map_put(&data->request_modes, buffer_slice(&key), copy, &old);
    memory_free(stored ? old : copy);
    buffer_done(&key);
    return stored;
}

/* The parsed body, or NULL when the request was refused. */
static json_t *parse_body(struct request *request, const char *what)
{
    json_t *json = NULL;
    if (relaxed_json_parse(request->command->body, what, &json, NULL) == MQC_OK &&
        json_object_get(json, "topic") && json_object_get(json, "consumerGroup"))
        return json;
    json_decref(json);
    request_refuse(request, RESPONSE_SYSTEM_ERROR,
                   "com.alibaba.fastjson2.JSONException: %s with topic and consumerGroup", what);
    return NULL;
}

void assignment_handle_set_mode(struct request *request)
{
    struct broker_data *data = request->broker->data;
    json_t *json = parse_body(request, "message request mode");
    if (!json) return;
    struct slice topic = slice_text(relaxed_json_text(json, "topic", ""));
    struct slice group = slice_text(relaxed_json_text(json, "consumerGroup", ""));
    struct request_mode mode = {
        .pop = strcmp(relaxed_json_text(json, "mode", "PULL"), "POP") == 0,
        .share_queues = relaxed_json_number(json, "popShareQueueNum", 0),
    };
    if (names_is_retry_topic(topic))
        request_refuse(request, RESPONSE_NO_PERMISSION, "retry topic is not allowed to set mode");
    else if (!message_store_topic(&data->store, topic))
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST, "topic[%.*s] not exist",
                       SLICE_FORMAT(topic));
    else if (!groups_get(&data->groups, group))
        request_refuse(request, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST,
                       "subscription group does not exist");
    else if (!set_mode(data, topic, group, mode))
        request_no_memory(request);
    else
        request_done(request);
    json_decref(json);
}

/* ---- what is to be divided ---- */

static int compare_places(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    int order = strcmp(left->broker_name, right->broker_name);
    return order ? order : (left->queue_id > right->queue_id) - (left->queue_id < right->queue_id);
}

static int compare_ids(const void *a, const void *b)
{
    return java_compare(slice_text(*(char *const *)a), slice_text(*(char *const *)b));
}

/* The topic's queues on all brokers of the cluster. False: no memory. */
static bool find_places(struct query *query, const struct mqc_embedded *cluster)
{
    const struct route *route = map_get(&cluster->name_server.routes, query->topic);
    size_t count = 0;
    for (size_t i = 0; route && i < route->count; i++)
        if (route->shares[i].permission & READ) count += (size_t)route->shares[i].read_queues;
    query->places = memory_allocate_zero(count + 1, sizeof *query->places);
    query->mine = memory_allocate_zero(count + 1, sizeof *query->mine);
    if (!query->places || !query->mine) return false;
    for (size_t i = 0; route && i < route->count; i++) {
        const struct route_share *share = &route->shares[i];
        if (!(share->permission & READ)) continue;
        for (int32_t queue_id = 0; queue_id < share->read_queues; queue_id++)
            query->places[query->place_count++] = (struct place){share->broker->name, queue_id};
    }
    qsort(query->places, query->place_count, sizeof *query->places, compare_places);
    return true;
}

static bool find_members(struct query *query, const struct consumers *consumers)
{
    LIST_EACH(&consumers->members, link)
    {
        const struct member *member = CONTAINER_OF(link, struct member, in_group);
        if (!name_list_add(&query->members, slice_text(member->client_id))) return false;
    }
    qsort(query->members.names, query->members.count, sizeof *query->members.names, compare_ids);
    return true;
}

/* ---- dividing ---- */

/* AllocateMessageQueueAveragely and ByCircle: what is the member's is added to `mine`. False for a
 * strategy that brokers do not know. */
static bool divide(struct query *query, size_t index)
{
    size_t places = query->place_count, members = query->members.count;
    if (slice_is(query->strategy, "AVG_BY_CIRCLE")) {
        for (size_t i = index; i < places; i += members) query->mine[i] = true;
        return true;
    }
    if (!slice_is(query->strategy, "AVG")) return false;
    size_t over = places % members, size = places / members;
    size_t start = index * size + (index < over ? index : over);
    for (size_t i = start; i < start + size + (index < over); i++) query->mine[i] = true;
    return true;
}

/* The member and those behind it whose queues it shares (allocate4Pop). */
static bool divide_shared(struct query *query, size_t index)
{
    size_t members = query->members.count;
    if (members > query->place_count) {
        query->mine[index % query->place_count] = true;
        return true;
    }
    for (int64_t i = 0; i <= query->mode.share_queues; i++)
        if (!divide(query, (index + (size_t)i) % members)) return false;
    return true;
}

static void put_assignment(const struct query *query, const struct place *place, int32_t queue_id,
                           struct buffer *out)
{
    if (out->data[out->size - 1] != '[') buffer_put_8(out, ',');
    buffer_put_text(out, "{\"messageQueue\":{\"brokerName\":");
    json_put_text(out, slice_text(place->broker_name));
    buffer_put_format(out, ",\"queueId\":%d,\"topic\":", (int)queue_id);
    json_put_text(out, query->topic);
    buffer_put_format(out, "},\"mode\":\"%s\"}", query->mode.pop ? "POP" : "PULL");
}

/* Every broker once, with any of its queues: all members pop everywhere. */
static void put_brokers(const struct query *query, struct buffer *out)
{
    for (size_t i = 0; !out->failed && i < query->place_count; i++)
        if (i == 0 || strcmp(query->places[i].broker_name, query->places[i - 1].broker_name) != 0)
            put_assignment(query, &query->places[i], -1, out);
}

static void put_mine(const struct query *query, struct buffer *out)
{
    for (size_t i = 0; !out->failed && i < query->place_count; i++)
        if (query->mine[i])
            put_assignment(query, &query->places[i], query->places[i].queue_id, out);
}

/* False: the client is told nothing and keeps what it has. */
static bool put_clustering(struct query *query, struct buffer *out)
{
    size_t members = query->members.count, index = 0;
    bool pop = query->mode.pop;
    if (!slice_is(query->strategy, "AVG") && !slice_is(query->strategy, "AVG_BY_CIRCLE"))
        return false;
    if (pop &&
        (query->mode.share_queues <= 0 || query->mode.share_queues >= (int64_t)members - 1)) {
        put_brokers(query, out);
        return true;
    }
    while (index < members && strcmp(query->members.names[index], query->client_id) != 0) index++;
    if (index == members) return true;
    if (pop ? divide_shared(query, index) : divide(query, index)) put_mine(query, out);
    return true;
}

static void answer_query(struct request *request, struct query *query, bool broadcasting)
{
    struct buffer body;
    bool told = false;
    const struct consumers *consumers = clients_consumers(&request->broker->clients, query->group);
    buffer_init(&body);
    buffer_put_text(&body, "{\"messageQueueAssignments\":[");
    if (!find_places(query, request->cluster)) {
        body.failed = true;
    } else if (query->place_count > 0 && broadcasting) {
        for (size_t i = 0; i < query->place_count; i++) query->mine[i] = true;
        put_mine(query, &body);
        told = true;
    } else if (query->place_count > 0 && consumers) {
        if (!find_members(query, consumers)) body.failed = true;
        told = !body.failed && put_clustering(query, &body);
    }
    buffer_put_text(&body, "]}");
    if (!told && !body.failed) {
        buffer_clear(&body);
        buffer_put_text(&body, "{}");
    }
    request_answer_body(request, &body);
    buffer_done(&body);
}

void assignment_handle_query(struct request *request)
{
    json_t *json = parse_body(request, "query of assignments");
    if (!json) return;
    struct query query = {
        .topic = slice_text(relaxed_json_text(json, "topic", "")),
        .group = slice_text(relaxed_json_text(json, "consumerGroup", "")),
        .strategy = slice_text(relaxed_json_text(json, "strategyName", "")),
        .client_id = relaxed_json_text(json, "clientId", ""),
    };
    const char *model = relaxed_json_text(json, "messageModel", "CLUSTERING");
    query.mode = mode_of(request->broker->data, query.topic, query.group);
    answer_query(request, &query, strcmp(model, "BROADCASTING") == 0);
    memory_free(query.places);
    memory_free(query.mine);
    name_list_done(&query.members);
    json_decref(json);
}
