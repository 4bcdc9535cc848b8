/* Heartbeats, goodbyes, and who is in a group (ClientManageProcessor.java,
 * ConsumerManageProcessor.java). On the I/O thread, under the cluster's lock. */
#include "lib/embedded/client_handler.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/message_filter.h"
#include "lib/protocol/bodies.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

enum { CLIENT_EXPIRES_MS = 120000, CONNECTION_IDLE_MS = 120000 };

static void notify_members(struct broker *broker, struct slice group);

/* ---- heartbeat ---- */

/* What the heartbeat's second kind adds (HeartbeatData.java). */
struct beat_kind {
    int64_t fingerprint; /* 0: the first kind */
    bool without_subscriptions;
};

static struct beat_kind beat_kind_of(struct slice body)
{
    struct beat_kind kind = {0};
    json_t *json;
    if (relaxed_json_parse(body, "heartbeat", &json, NULL) != MQC_OK) return kind;
    kind.fingerprint = relaxed_json_number(json, "heartbeatFingerprint", 0);
    kind.without_subscriptions = relaxed_json_bool(json, "withoutSub", false);
    json_decref(json);
    return kind;
}

static void remember_client_id(struct connection *connection, const char *client_id)
{
    if (connection->client_id && strcmp(connection->client_id, client_id) == 0) return;
    char *copy = memory_duplicate(client_id);
    if (!copy) return;
    memory_free(connection->client_id);
    connection->client_id = copy;
}

/* False: no memory. *changed: the group's fingerprint is another than before. */
static bool put_consumer(struct broker *broker, const struct client *client,
                         const struct heartbeat_consumer *data, const struct beat_kind *kind,
                         bool *changed)
{
    char retry[NAME_BYTES * 2];
    struct group *group = groups_get(&broker->data->groups, slice_text(data->group));
    if (!group) return true; /* a name that is none: passed over, as Java does */
    snprintf(retry, sizeof retry, "%s%s", NAME_RETRY_PREFIX, group->name);
    if (!broker_topic_for_retry(broker->data, slice_text(retry), group->retry_queues)) return false;
    enum clients_change change =
        clients_put_consumer(&broker->clients, client, data, !kind->without_subscriptions);
    if (change == CLIENTS_NO_MEMORY) return false;
    struct consumers *consumers = clients_consumers(&broker->clients, slice_text(data->group));
    if (consumers->has_fingerprint && consumers->fingerprint != kind->fingerprint) *changed = true;
    consumers->fingerprint = kind->fingerprint;
    consumers->has_fingerprint = true;
    if (change == CLIENTS_CHANGED && group->notify_changes &&
        strcmp(consumers->message_model, "BROADCASTING") != 0)
        notify_members(broker, slice_text(data->group));
    return true;
}

void client_handle_heartbeat(struct request *request)
{
    struct broker *broker = request->broker;
    struct heartbeat beat;
    mqc_error error;
    if (heartbeat_decode(request->command->body, &beat, &error) != MQC_OK) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "com.alibaba.fastjson.JSONException: %s",
                       error.text);
        return;
    }
    struct beat_kind kind = beat_kind_of(request->command->body);
    struct client client = {
        .connection = request->connection,
        .client_id = slice_text(beat.client_id),
        .language = request->command->language,
        .version = request->command->version,
        .now_unix_ms = clock_unix_ms(),
    };
    remember_client_id(request->connection, beat.client_id);
    bool enough = true, changed = kind.fingerprint == 0;
    for (size_t i = 0; enough && i < beat.consumer_count; i++)
        enough = put_consumer(broker, &client, &beat.consumers[i], &kind, &changed);
    for (size_t i = 0; enough && i < beat.producer_count; i++)
        enough = clients_put_producer(&broker->clients, &client, slice_text(beat.producers[i])) !=
                 CLIENTS_NO_MEMORY;
    heartbeat_decoded_done(&beat);
    const struct command_field fields[] = {
        {SLICE_LITERAL("IS_SUPPORT_HEART_BEAT_V2"), SLICE_LITERAL("true")},
        {SLICE_LITERAL("IS_SUB_CHANGE"), changed ? SLICE_LITERAL("true") : SLICE_LITERAL("false")},
    };
    if (enough)
        request_answer(request, &(struct answer){.extra = fields, .extra_count = 2});
    else
        request_no_memory(request);
    condition_wake_all(&request->cluster->progress);
}

/* ---- telling the members ---- */

/* A connection that breaks meanwhile changes the list: who is to be told is noted first. */
static void notify_members(struct broker *broker, struct slice group)
{
    enum { AT_ONCE = 1024 };
    struct connection *told[AT_ONCE];
    size_t count = 0;
    const struct consumers *consumers = clients_consumers(&broker->clients, group);
    if (!consumers) return;
    LIST_EACH(&consumers->members, link)
    {
        struct member *member = CONTAINER_OF(link, struct member, in_group);
        if (count < AT_ONCE) told[count++] = member->connection;
    }
    struct notify_consumer_ids_changed_header header = {.consumer_group = group};
    for (size_t i = 0; i < count; i++)
        if (told[i]->fd >= 0)
            push_oneway(told[i], REQUEST_NOTIFY_CONSUMER_IDS_CHANGED,
                        &notify_consumer_ids_changed_layout, &header, SLICE_ABSENT);
}

static void drop_consumer(struct broker *broker, struct slice group,
                          const struct connection *connection)
{
    const struct group *config = groups_find(&broker->data->groups, group);
    if (clients_drop_consumer(&broker->clients, group, connection) &&
        (!config || config->notify_changes))
        notify_members(broker, group);
}

/* ---- goodbye ---- */

void client_handle_unregister(struct request *request)
{
    struct unregister_client_header header;
    if (!request_header(request, &unregister_client_layout, &header)) return;
    if (header.producer_group.data)
        clients_drop_producer(&request->broker->clients, header.producer_group,
                              request->connection);
    if (header.consumer_group.data)
        drop_consumer(request->broker, header.consumer_group, request->connection);
    request_done(request);
    condition_wake_all(&request->cluster->progress);
}

/* A group the connection is in: its name's copy is the caller's to free; NULL when none is left.
 */
static char *group_of(const struct map *groups, bool consumers, const struct connection *connection)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(groups, &position, &entry)) {
        const struct consumers *a = entry.value;
        const struct producers *b = entry.value;
        const struct link *members = consumers ? &a->members : &b->members;
        LIST_EACH(members, link)
        {
            const struct member *member = CONTAINER_OF(link, struct member, in_group);
            if (member->connection == connection)
                return slice_duplicate(slice_of(entry.key, entry.key_size));
        }
    }
    return NULL;
}

void client_connection_lost(struct connection *connection)
{
    struct broker *broker = connection->listener->broker;
    char *group;
    if (!broker) return;
    while ((group = group_of(&broker->clients.producers, false, connection))) {
        clients_drop_producer(&broker->clients, slice_text(group), connection);
        memory_free(group);
    }
    while ((group = group_of(&broker->clients.consumers, true, connection))) {
        drop_consumer(broker, slice_text(group), connection);
        memory_free(group);
    }
}

/* The first member that has not beaten for too long. */
static struct connection *expired_member(const struct broker *broker, int64_t now_unix_ms)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&broker->clients.consumers, &position, &entry)) {
        const struct consumers *consumers = entry.value;
        LIST_EACH(&consumers->members, link)
        {
            const struct member *member = CONTAINER_OF(link, struct member, in_group);
            if (now_unix_ms - member->beat_unix_ms > CLIENT_EXPIRES_MS) return member->connection;
        }
    }
    return NULL;
}

static struct connection *idle_connection(const struct mqc_embedded *cluster)
{
    int64_t now_ms = clock_now_ms();
    LIST_EACH(&cluster->connections, link)
    {
        struct connection *connection = CONTAINER_OF(link, struct connection, in_cluster);
        if (now_ms - connection->active_ms > CONNECTION_IDLE_MS) return connection;
    }
    return NULL;
}

void client_expire(struct mqc_embedded *cluster)
{
    struct connection *connection;
    for (size_t i = 0; i < cluster->broker_count; i++)
        while ((connection = expired_member(cluster->brokers[i], clock_unix_ms())))
            connection_close(connection);
    while ((connection = idle_connection(cluster))) connection_close(connection);
}

/* ---- questions ---- */

void client_handle_consumer_list(struct request *request)
{
    struct get_consumer_list_header header;
    if (!request_header(request, &get_consumer_list_layout, &header)) return;
    const struct consumers *consumers =
        clients_consumers(&request->broker->clients, header.consumer_group);
    if (!consumers || list_empty(&consumers->members)) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "no consumer for this group, %.*s",
                       SLICE_FORMAT(header.consumer_group));
        return;
    }
    struct name_list ids = {0};
    struct buffer body;
    buffer_init(&body);
    LIST_EACH(&consumers->members, link)
    {
        const struct member *member = CONTAINER_OF(link, struct member, in_group);
        if (!name_list_add(&ids, slice_text(member->client_id))) body.failed = true;
    }
    consumer_list_encode(&ids, &body);
    request_answer_body(request, &body);
    name_list_done(&ids);
    buffer_done(&body);
}

/* CHECK_CLIENT_CONFIG: whether the filter can be used here. */
void client_handle_check_config(struct request *request)
{
    json_t *json;
    mqc_error error;
    if (relaxed_json_parse(request->command->body, "client config", &json, &error) != MQC_OK) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "com.alibaba.fastjson.JSONException: %s",
                       error.text);
        return;
    }
    const json_t *data = json_object_get(json, "subscriptionData");
    struct slice type = slice_text(relaxed_json_text(data, "expressionType", "TAG"));
    struct message_filter filter = {0};
    mqc_status status = MQC_OK;
    bool supported = slice_is(type, "TAG") || request->broker->data->settings.property_filter;
    if (!supported)
        request_refuse(request, RESPONSE_SYSTEM_ERROR,
                       "The broker does not support consumer to filter message by %.*s",
                       SLICE_FORMAT(type));
    if (supported && !slice_is(type, "TAG"))
        status = message_filter_parse(SLICE_LITERAL("any"),
                                      slice_text(relaxed_json_text(data, "subString", "")), type,
                                      &filter, &error);
    message_filter_done(&filter);
    json_decref(json);
    if (!supported) return;
    if (status == MQC_OK)
        request_done(request);
    else
        request_refuse(request, RESPONSE_SUBSCRIPTION_PARSE_FAILED, "%s", error.text);
}
