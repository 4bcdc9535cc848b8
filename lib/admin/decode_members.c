/* Bodies about who is connected: see decode.h. */
#include "lib/admin/decode.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/protocol/relaxed_json.h"

enum { FIRST_VERSION_4 = 213, FIRST_VERSION_5 = 413, HIGHEST_VERSION = 611, PATCHES = 10 };

/* From 4.0.0 on every release takes two numbers, the odd one being the release itself, and every
 * minor version has ten patches. */
const char *version_name(void *result, int version)
{
    char name[32];
    if (version > HIGHEST_VERSION) return result_text(result, "HIGHER_VERSION");
    if (version < FIRST_VERSION_4 - 1) {
        snprintf(name, sizeof name, "V3 (%d)", version);
        return result_text(result, name);
    }
    int release = (version - FIRST_VERSION_4 + 1) / 2;
    int major = version < FIRST_VERSION_5 - 1 ? 4 : 5;
    int minor = release / PATCHES - (major == 5 ? (FIRST_VERSION_5 - FIRST_VERSION_4) / 20 : 0);
    snprintf(name, sizeof name, "V%d_%d_%d%s", major, minor, release % PATCHES,
             version % 2 ? "" : "_SNAPSHOT");
    return result_text(result, name);
}

static bool is_listed(const mqc_group_member *const *members, size_t count, const char *group,
                      const char *client_id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i]->client_id, client_id) == 0 && strcmp(members[i]->group, group) == 0)
            return true;
    return false;
}

/* A Connection.java or ProducerInfo.java; NULL: no memory. */
static const mqc_group_member *read_member(void *result, const char *group, const char *address_key,
                                           const json_t *json)
{
    mqc_group_member *member = result_add(result, 1, sizeof *member);
    if (!member) return NULL;
    member->version = (int)relaxed_json_number(json, "version", 0);
    member->client_id = result_text(result, relaxed_json_text(json, "clientId", ""));
    const char *address = relaxed_json_text(json, address_key, "");
    member->address = result_text(result, address + (*address == '/')); /* as Java prints one */
    member->language = result_text(result, relaxed_json_text(json, "language", "OTHER"));
    member->version_name = version_name(result, member->version);
    member->group = result_text(result, group);
    bool whole = member->client_id && member->address && member->language && member->version_name &&
                 member->group;
    return whole ? member : NULL;
}

static mqc_status add_members(void *result, const void *array, size_t *count, const char *group,
                              const char *address_key, const json_t *list, mqc_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *json = json_array_get(list, i);
        const mqc_group_member *const *members;
        memcpy(&members, array, sizeof members);
        if (is_listed(members, *count, group, relaxed_json_text(json, "clientId", ""))) continue;
        if (!result_append(result, (void *)(uintptr_t)array, count,
                           read_member(result, group, address_key, json)))
            return error_no_memory(error);
    }
    return MQC_OK;
}

static bool is_subscribed(const mqc_group_members *members, const char *topic)
{
    for (size_t i = 0; i < members->subscription_count; i++)
        if (strcmp(members->subscriptions[i]->topic, topic) == 0) return true;
    return false;
}

/* SubscriptionData.java; NULL: no memory. */
static const mqc_group_subscription *read_subscription(void *result, const json_t *json)
{
    mqc_group_subscription *subscription = result_add(result, 1, sizeof *subscription);
    if (!subscription) return NULL;
    subscription->topic = result_text(result, relaxed_json_text(json, "topic", ""));
    subscription->expression = result_text(result, relaxed_json_text(json, "subString", "*"));
    subscription->expression_type =
        result_text(result, relaxed_json_text(json, "expressionType", "TAG"));
    bool whole = subscription->topic && subscription->expression && subscription->expression_type;
    return whole ? subscription : NULL;
}

static mqc_status add_subscriptions(mqc_group_members *members, const json_t *table,
                                    mqc_error *error)
{
    const char *topic;
    json_t *json;
    json_object_foreach((json_t *)(uintptr_t)table, topic, json)
    {
        if (is_subscribed(members, relaxed_json_text(json, "topic", topic))) continue;
        if (!result_append(members, &members->subscriptions, &members->subscription_count,
                           read_subscription(members, json)))
            return error_no_memory(error);
    }
    return MQC_OK;
}

mqc_status group_members_add(mqc_group_members *members, const char *group, struct slice body,
                             mqc_error *error)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "consumer connections", &json, error);
    if (status != MQC_OK) return status;
    if (!members->consume_type) {
        members->consume_type = result_text(members, relaxed_json_text(json, "consumeType", ""));
        members->message_model = result_text(members, relaxed_json_text(json, "messageModel", ""));
        members->consume_from =
            result_text(members, relaxed_json_text(json, "consumeFromWhere", ""));
        if (!members->consume_type || !members->message_model || !members->consume_from)
            status = error_no_memory(error);
    }
    if (status == MQC_OK)
        status = add_members(members, &members->members, &members->count, group, "clientAddr",
                             json_object_get(json, "connectionSet"), error);
    if (status == MQC_OK)
        status = add_subscriptions(members, json_object_get(json, "subscriptionTable"), error);
    json_decref(json);
    return status;
}

static int compare_members(const void *a, const void *b)
{
    const mqc_group_member *left = *(const mqc_group_member *const *)a;
    const mqc_group_member *right = *(const mqc_group_member *const *)b;
    int order = strcmp(left->group, right->group);
    return order ? order : strcmp(left->client_id, right->client_id);
}

static int compare_subscriptions(const void *a, const void *b)
{
    return strcmp((*(const mqc_group_subscription *const *)a)->topic,
                  (*(const mqc_group_subscription *const *)b)->topic);
}

void group_members_finish(mqc_group_members *members)
{
    result_sort(members->members, members->count, compare_members);
    result_sort(members->subscriptions, members->subscription_count, compare_subscriptions);
}

mqc_status producers_add(mqc_producers *producers, const char *group, struct slice body,
                         mqc_error *error)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "producer connections", &json, error);
    if (status != MQC_OK) return status;
    status = add_members(producers, &producers->members, &producers->count, group, "clientAddr",
                         json_object_get(json, "connectionSet"), error);
    json_decref(json);
    return status;
}

mqc_status producer_table_add(mqc_producers *producers, struct slice body, mqc_error *error)
{
    json_t *json, *list;
    const char *group;
    mqc_status status = relaxed_json_parse(body, "producer table", &json, error);
    if (status != MQC_OK) return status;
    json_object_foreach(json_object_get(json, "data"), group, list)
    {
        status = add_members(producers, &producers->members, &producers->count, group, "remoteIP",
                             list, error);
        if (status != MQC_OK) break;
    }
    json_decref(json);
    return status;
}

void producers_finish(mqc_producers *producers)
{
    result_sort(producers->members, producers->count, compare_members);
}
