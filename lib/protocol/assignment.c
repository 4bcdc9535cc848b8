/* Assignments and message request modes as JSON; pure functions. */
#include "lib/protocol/assignment.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/relaxed_json.h"

static void put_member(struct buffer *out, const char *name, const char *value)
{
    buffer_put_text(out, name);
    json_put_text(out, slice_text(value));
}

static void put_name(struct buffer *out, const char *member, const char *name_space,
                     const char *name)
{
    char room[NAME_BYTES];
    buffer_put_text(out, member);
    json_put_text(out, namespace_wrap(name_space, slice_text(name), room));
}

void assignment_query_encode(const char *name_space, const char *topic, const char *group,
                             const char *client_id, struct buffer *out)
{
    put_name(out, "{\"topic\":", name_space, topic);
    put_name(out, ",\"consumerGroup\":", name_space, group);
    put_member(out, ",\"clientId\":", client_id);
    buffer_put_text(out, ",\"strategyName\":\"AVG\",\"messageModel\":\"CLUSTERING\"}");
}

static bool visit_one(const json_t *assignment, assignment_visitor *visit, void *arg)
{
    const json_t *queue = json_object_get(assignment, "messageQueue");
    const char *broker_name = relaxed_json_text(queue, "brokerName", NULL);
    int64_t queue_id = relaxed_json_number(queue, "queueId", -2);
    if (!broker_name || queue_id < -1 || queue_id > INT32_MAX) return false;
    bool pop = strcmp(relaxed_json_text(assignment, "mode", "PULL"), "POP") == 0;
    if (visit) visit(slice_text(broker_name), (int32_t)queue_id, pop, arg);
    return true;
}

mqc_status assignment_decode(struct slice body, assignment_visitor *visit, void *arg, bool *known,
                             mqc_error *error)
{
    json_t *json;
    *known = false;
    if (body.size == 0) return MQC_OK;
    mqc_status status = relaxed_json_parse(body, "assignment", &json, error);
    if (status != MQC_OK) return status;
    const json_t *array = json_object_get(json, "messageQueueAssignments");
    size_t count = json_array_size(array);
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        good = visit_one(json_array_get(array, i), NULL, NULL);
    for (size_t i = 0; good && i < count; i++) visit_one(json_array_get(array, i), visit, arg);
    *known = good && json_is_array(array);
    json_decref(json);
    return good ? MQC_OK
                : error_set(error, MQC_BAD_FRAME, "assignment: a queue without broker or number");
}

void request_mode_encode(const char *name_space, const char *topic, const char *group, bool pop,
                         int share_queues, struct buffer *out)
{
    put_name(out, "{\"topic\":", name_space, topic);
    put_name(out, ",\"consumerGroup\":", name_space, group);
    put_member(out, ",\"mode\":", pop ? "POP" : "PULL");
    buffer_put_format(out, ",\"popShareQueueNum\":%d}", share_queues);
}
