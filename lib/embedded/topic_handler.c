/* Administration of topics on a broker (AdminBrokerProcessor.java). On the I/O thread. */
#include "lib/embedded/topic_handler.h"

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/long_poll.h"
#include "lib/embedded/topic_attributes.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

/* ---- creating and deleting ---- */

static bool replace(char **text, char *with)
{
    if (!with) return false;
    memory_free(*text);
    *text = with;
    return true;
}

/* TopicValidator.isSystemTopic */
static bool may_be_changed(struct request *request, struct slice name)
{
    if (!names_is_system_topic(name)) return true;
    request_refuse(request, RESPONSE_INVALID_PARAMETER,
                   "The topic[%.*s] is conflict with system topic.", SLICE_FORMAT(name));
    return false;
}

static bool create(struct request *request, const struct create_topic_header *header)
{
    struct broker_data *data = request->broker->data;
    struct topic *topic = message_store_put_topic(&data->store, header->topic, header->read_queues,
                                                  header->write_queues, header->permission);
    if (!topic) return false;
    topic->sys_flag = header->topic_sys_flag;
    topic->ordered = header->orderly;
    return replace(&topic->filter_type, slice_duplicate(header->topic_filter_type)) &&
           replace(&topic->attributes,
                   topic_attributes_merge(topic->attributes, header->attributes)) &&
           name_server_register_topic(&request->cluster->name_server, data, topic);
}

/* False when it is refused. */
static bool check_topic(struct request *request, const struct create_topic_header *header)
{
    char text[512];
    const char *fault = broker_topic_name_fault(header->topic, text, sizeof text);
    if (fault) {
        request_refuse(request, RESPONSE_INVALID_PARAMETER, "%s", fault);
        return false;
    }
    if (!may_be_changed(request, header->topic)) return false;
    fault = topic_attributes_fault(header->attributes, text, sizeof text);
    if (fault) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "%s", fault);
        return false;
    }
    if (header->read_queues >= 0 && header->write_queues >= 0 &&
        header->read_queues <= TOPIC_QUEUES_MAX && header->write_queues <= TOPIC_QUEUES_MAX)
        return true;
    request_refuse(request, RESPONSE_INVALID_PARAMETER,
                   "the embedded broker takes 0 to %d queues a topic", TOPIC_QUEUES_MAX);
    return false;
}

void topic_handle_create(struct request *request)
{
    struct create_topic_header header;
    if (!request_header(request, &create_topic_layout, &header)) return;
    if (!check_topic(request, &header)) return;
    if (create(request, &header))
        request_done(request);
    else
        request_no_memory(request);
}

/* One of a list, with the defaults of TopicConfig.java; `attributes` is what the result borrows. */
static struct create_topic_header listed_topic(const json_t *json, struct buffer *attributes)
{
    enum { QUEUES = 16, READ_WRITE = 6 };
    const char *name;
    json_t *value;
    buffer_clear(attributes);
    json_object_foreach(json_object_get(json, "attributes"), name, value) if (json_is_string(value))
        buffer_put_format(attributes, "%s%s=%s", attributes->size ? "," : "", name,
                          json_string_value(value));
    return (struct create_topic_header){
        .topic = slice_text(relaxed_json_text(json, "topicName", "")),
        .read_queues = (int32_t)relaxed_json_number(json, "readQueueNums", QUEUES),
        .write_queues = (int32_t)relaxed_json_number(json, "writeQueueNums", QUEUES),
        .permission = (int32_t)relaxed_json_number(json, "perm", READ_WRITE),
        .topic_filter_type = slice_text(relaxed_json_text(json, "topicFilterType", "SINGLE_TAG")),
        .topic_sys_flag = (int32_t)relaxed_json_number(json, "topicSysFlag", 0),
        .orderly = relaxed_json_bool(json, "order", false),
        .attributes = buffer_slice(attributes),
    };
}

/* UPDATE_AND_CREATE_TOPIC_LIST: all are checked before the first is made. */
void topic_handle_create_list(struct request *request)
{
    json_t *json = NULL;
    mqc_error error;
    struct buffer attributes;
    if (relaxed_json_parse(request->command->body, "list of topics", &json, &error) != MQC_OK ||
        !json_object_get(json, "topicConfigList")) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR,
                       "com.alibaba.fastjson2.JSONException: topicConfigList is needed");
        json_decref(json);
        return;
    }
    const json_t *list = json_object_get(json, "topicConfigList");
    bool fine = true, done = true;
    buffer_init(&attributes);
    for (size_t i = 0; fine && i < json_array_size(list); i++) {
        struct create_topic_header header = listed_topic(json_array_get(list, i), &attributes);
        fine = check_topic(request, &header);
    }
    for (size_t i = 0; fine && done && i < json_array_size(list); i++) {
        struct create_topic_header header = listed_topic(json_array_get(list, i), &attributes);
        done = create(request, &header);
    }
    if (fine && done)
        request_done(request);
    else if (fine)
        request_no_memory(request);
    buffer_done(&attributes);
    json_decref(json);
}

void topic_delete(struct broker_data *data, struct topic *topic)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&data->groups.by_name, &position, &entry))
        group_forget_topic(entry.value, slice_text(topic->name));
    pop_forget_topic(data, topic->name);
    /* Who waits is told that the topic is gone once it is. */
    struct link waiting;
    list_init(&waiting);
    list_move_all(&waiting, &topic->waiting);
    message_store_delete_topic(&data->store, topic);
    long_poll_release(&waiting);
}

void topic_handle_delete(struct request *request)
{
    struct delete_topic_header header;
    if (!request_header(request, &delete_topic_layout, &header)) return;
    struct broker_data *data = request->broker->data;
    if (slice_trim(header.topic).size == 0) {
        request_refuse(request, RESPONSE_INVALID_PARAMETER, "The specified topic is blank.");
        return;
    }
    if (!may_be_changed(request, header.topic)) return;
    struct topic *topic = message_store_topic(&data->store, header.topic);
    if (topic) topic_delete(data, topic);
    request_done(request);
}

/* ---- reading ---- */

static void put_config(struct buffer *out, const struct topic *topic)
{
    buffer_put_format(out, "{\"attributes\":%s,\"order\":%s,\"perm\":%d,\"readQueueNums\":%d,",
                      topic->attributes, topic->ordered ? "true" : "false", (int)topic->permission,
                      (int)topic->read_queues);
    buffer_put_text(out, "\"topicFilterType\":");
    json_put_text(out, slice_text(topic->filter_type));
    buffer_put_text(out, ",\"topicName\":");
    json_put_text(out, slice_text(topic->name));
    buffer_put_format(out, ",\"topicSysFlag\":%d,\"writeQueueNums\":%d}", (int)topic->sys_flag,
                      (int)topic->write_queues);
}

static void refuse_unknown(struct request *request, struct slice name)
{
    request_refuse(request, RESPONSE_TOPIC_NOT_EXIST, "No topic in this broker. topic: %.*s",
                   SLICE_FORMAT(name));
}

void topic_handle_get_config(struct request *request)
{
    struct get_topic_config_header header;
    if (!request_header(request, &get_topic_config_layout, &header)) return;
    const struct topic *topic = message_store_topic(&request->broker->data->store, header.topic);
    if (!topic) {
        refuse_unknown(request, header.topic);
        return;
    }
    struct buffer body;
    buffer_init(&body);
    put_config(&body, topic);
    request_answer_body(request, &body);
    buffer_done(&body);
}

void topic_handle_all_configs(struct request *request)
{
    struct buffer body;
    size_t position = 0, put = 0;
    struct map_entry entry;
    buffer_init(&body);
    buffer_put_text(&body, "{\"dataVersion\":{\"counter\":1,\"stateVersion\":0,\"timestamp\":0},"
                           "\"topicConfigTable\":{");
    while (map_next(&request->broker->data->store.topics, &position, &entry)) {
        const struct topic *topic = entry.value;
        if (put++ > 0) buffer_put_8(&body, ',');
        json_put_text(&body, slice_text(topic->name));
        buffer_put_8(&body, ':');
        put_config(&body, topic);
    }
    buffer_put_text(&body, "}}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

void topic_handle_system_list(struct request *request)
{
    struct buffer body;
    size_t position = 0, put = 0;
    struct map_entry entry;
    buffer_init(&body);
    buffer_put_text(&body, "{\"topicList\":[");
    while (map_next(&request->broker->data->store.topics, &position, &entry)) {
        struct slice name = slice_of(entry.key, entry.key_size);
        if (!names_is_system_topic(name)) continue;
        if (put++ > 0) buffer_put_8(&body, ',');
        json_put_text(&body, name);
    }
    buffer_put_text(&body, "]}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

void topic_handle_stats(struct request *request)
{
    struct get_topic_stats_header header;
    if (!request_header(request, &get_topic_stats_layout, &header)) return;
    const struct broker_data *data = request->broker->data;
    const struct topic *topic = message_store_topic(&data->store, header.topic);
    if (!topic) {
        request_refuse(request, RESPONSE_TOPIC_NOT_EXIST, "topic[%.*s] not exist",
                       SLICE_FORMAT(header.topic));
        return;
    }
    int32_t queues =
        topic->write_queues > topic->read_queues ? topic->write_queues : topic->read_queues;
    struct buffer body;
    buffer_init(&body);
    buffer_put_text(&body, "{\"offsetTable\":{");
    for (int32_t i = 0; i < queues; i++) {
        const struct store_queue *queue = topic_queue(topic, i);
        buffer_put_text(&body, i > 0 ? ",{\"brokerName\":" : "{\"brokerName\":");
        json_put_text(&body, slice_text(data->name));
        buffer_put_format(&body, ",\"queueId\":%d,\"topic\":", (int)i);
        json_put_text(&body, slice_text(topic->name));
        buffer_put_format(&body,
                          "}:{\"lastUpdateTimestamp\":%lld,\"maxOffset\":%lld,\"minOffset\":%lld}",
                          (long long)queue->last_stored_unix_ms,
                          (long long)store_queue_max_offset(queue), (long long)queue->min_offset);
    }
    buffer_put_text(&body, "},\"topicPutTps\":0.0}");
    request_answer_body(request, &body);
    buffer_done(&body);
}
