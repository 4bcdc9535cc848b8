/* Administration of subscription groups (AdminBrokerProcessor.java). On the I/O thread. */
#include <stdio.h>

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/relaxed_json.h"

enum { RETRY_QUEUES_MAX = 64, GROUP_NAME_MAX = 255 };

/* ---- configurations ---- */

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void put_config(struct buffer *out, const struct group *group)
{
    buffer_put_format(out,
                      "{\"attributes\":{},\"brokerId\":%lld,\"consumeBroadcastEnable\":%s,"
                      "\"consumeEnable\":%s,\"consumeFromMinEnable\":%s,"
                      "\"consumeMessageOrderly\":%s,\"consumeTimeoutMinute\":%lld,\"groupName\":",
                      (long long)group->broker_id, truth(group->consume_broadcast_enable),
                      truth(group->consume_enable), truth(group->consume_from_min_enable),
                      truth(group->consume_orderly), (long long)group->consume_timeout_minutes);
    json_put_text(out, slice_text(group->name));
    buffer_put_format(out,
                      ",\"groupRetryPolicy\":{\"type\":\"CUSTOMIZED\"},\"groupSysFlag\":0,"
                      "\"notifyConsumerIdsChangedEnable\":%s,\"retryMaxTimes\":%d,"
                      "\"retryQueueNums\":%d,\"whichBrokerWhenConsumeSlowly\":%lld}",
                      truth(group->notify_changes), (int)group->retry_max_times,
                      (int)group->retry_queues, (long long)group->broker_when_slow);
}

static int32_t small(const json_t *json, const char *name, int64_t fallback, int64_t most)
{
    int64_t value = relaxed_json_number(json, name, fallback);
    return (int32_t)(value < 0 ? 0 : value > most ? most : value);
}

/* Members that are missing take their defaults, as Java's object does. */
static void read_config(const json_t *json, struct group *group)
{
    group->consume_enable = relaxed_json_bool(json, "consumeEnable", true);
    group->consume_from_min_enable = relaxed_json_bool(json, "consumeFromMinEnable", true);
    group->consume_broadcast_enable = relaxed_json_bool(json, "consumeBroadcastEnable", true);
    group->consume_orderly = relaxed_json_bool(json, "consumeMessageOrderly", false);
    group->notify_changes = relaxed_json_bool(json, "notifyConsumerIdsChangedEnable", true);
    group->retry_queues = small(json, "retryQueueNums", 1, RETRY_QUEUES_MAX);
    group->retry_max_times = small(json, "retryMaxTimes", 16, INT32_MAX);
    group->consume_timeout_minutes = relaxed_json_number(json, "consumeTimeoutMinute", 15);
    group->broker_id = relaxed_json_number(json, "brokerId", 0);
    group->broker_when_slow = relaxed_json_number(json, "whichBrokerWhenConsumeSlowly", 1);
}

/* The parsed body, or NULL when the request was refused. */
static json_t *parse_body(struct request *request)
{
    json_t *json;
    mqc_error error;
    if (relaxed_json_parse(request->command->body, "subscription group", &json, &error) == MQC_OK)
        return json;
    request_refuse(request, RESPONSE_SYSTEM_ERROR, "com.alibaba.fastjson2.JSONException: %s",
                   error.text);
    return NULL;
}

/* False when it is refused. */
static bool check_name(struct request *request, const json_t *json)
{
    char text[512];
    struct slice name = slice_text(relaxed_json_text(json, "groupName", ""));
    if (!broker_topic_name_fault(name, text, sizeof text) && name.size <= GROUP_NAME_MAX)
        return true;
    request_refuse(request, RESPONSE_INVALID_PARAMETER,
                   "The specified group: %.*s, is blank, too long or contains illegal characters, "
                   "allowing only ^[%%|a-zA-Z0-9_-]+$",
                   name.size < 300 ? (int)name.size : 300, name.data);
    return false;
}

static bool update(struct request *request, const json_t *json)
{
    struct group *group = groups_get(&request->broker->data->groups,
                                     slice_text(relaxed_json_text(json, "groupName", "")));
    if (group) read_config(json, group);
    return group != NULL;
}

void group_handle_update(struct request *request)
{
    json_t *json = parse_body(request);
    if (!json) return;
    if (check_name(request, json)) {
        if (update(request, json))
            request_done(request);
        else
            request_no_memory(request);
    }
    json_decref(json);
}

/* All are checked before the first is made. */
void group_handle_update_list(struct request *request)
{
    json_t *json = parse_body(request);
    if (!json) return;
    const json_t *list = json_object_get(json, "groupConfigList");
    bool fine = true, done = true;
    for (size_t i = 0; fine && i < json_array_size(list); i++)
        fine = check_name(request, json_array_get(list, i));
    for (size_t i = 0; fine && done && i < json_array_size(list); i++)
        done = update(request, json_array_get(list, i));
    if (fine && done)
        request_done(request);
    else if (fine)
        request_no_memory(request);
    json_decref(json);
}

void group_handle_get(struct request *request)
{
    struct get_subscription_group_config_header header;
    if (!request_header(request, &get_subscription_group_config_layout, &header)) return;
    const struct group *group = groups_get(&request->broker->data->groups, header.consumer_group);
    if (!group) {
        request_refuse(request, RESPONSE_SUBSCRIPTION_GROUP_NOT_EXIST,
                       "No group in this broker. group: %.*s", SLICE_FORMAT(header.consumer_group));
        return;
    }
    struct buffer body;
    buffer_init(&body);
    put_config(&body, group);
    request_answer_body(request, &body);
    buffer_done(&body);
}

void group_handle_all(struct request *request)
{
    struct buffer body;
    size_t position = 0, put = 0;
    struct map_entry entry;
    buffer_init(&body);
    buffer_put_text(&body, "{\"dataVersion\":{\"counter\":1,\"stateVersion\":0,\"timestamp\":0},"
                           "\"forbiddenTable\":{},\"subscriptionGroupTable\":{");
    while (map_next(&request->broker->data->groups.by_name, &position, &entry)) {
        const struct group *group = entry.value;
        if (put++ > 0) buffer_put_8(&body, ',');
        json_put_text(&body, slice_text(group->name));
        buffer_put_8(&body, ':');
        put_config(&body, group);
    }
    buffer_put_text(&body, "}}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

void group_handle_delete(struct request *request)
{
    struct delete_subscription_group_header header;
    if (!request_header(request, &delete_subscription_group_layout, &header)) return;
    struct groups *groups = &request->broker->data->groups;
    struct group *group = groups_find(groups, header.consumer_group);
    if (group) groups_remove(groups, group);
    request_done(request);
}

/* ---- who consumes what ---- */

/* A JSON list whose members are put one by one. */
static void put_member(struct buffer *out, struct slice name)
{
    if (out->size > 0 && out->data && out->data[out->size - 1] != '[') buffer_put_8(out, ',');
    json_put_text(out, name);
}

void group_handle_by_topic(struct request *request)
{
    struct query_topic_consume_by_who_header header;
    if (!request_header(request, &query_topic_consume_by_who_layout, &header)) return;
    struct buffer body;
    size_t position = 0;
    struct map_entry entry;
    buffer_init(&body);
    buffer_put_text(&body, "{\"groupList\":[");
    while (map_next(&request->broker->data->groups.by_name, &position, &entry)) {
        const struct group *group = entry.value;
        const struct consumers *consumers =
            clients_consumers(&request->broker->clients, slice_text(group->name));
        if (group_has_offset(group, header.topic) ||
            (consumers && map_get(&consumers->subscriptions, header.topic)))
            put_member(&body, slice_text(group->name));
    }
    buffer_put_text(&body, "]}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

void group_handle_topics(struct request *request)
{
    struct query_topics_by_consumer_header header;
    if (!request_header(request, &query_topics_by_consumer_layout, &header)) return;
    struct buffer body;
    size_t position = 0;
    struct map_entry entry;
    const struct group *group = groups_find(&request->broker->data->groups, header.consumer_group);
    buffer_init(&body);
    buffer_put_text(&body, "{\"brokerAddr\":");
    json_put_text(&body, slice_text(request->broker->address));
    buffer_put_text(&body, ",\"topicList\":[");
    while (group && map_next(&group->topics, &position, &entry)) {
        struct slice name = slice_of(entry.key, entry.key_size);
        if (group_has_offset(group, name)) put_member(&body, name);
    }
    buffer_put_text(&body, "]}");
    request_answer_body(request, &body);
    buffer_done(&body);
}
