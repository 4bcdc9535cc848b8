/* Bodies about how things are configured, and tables of figures: see decode.h. */
#include <stdlib.h>

#include "lib/admin/decode.h"
#include "lib/base/error.h"
#include "lib/protocol/relaxed_json.h"

/* A value as a setting: texts as they are, all else as JSON. */
static bool add_json_setting(void *result, mqc_settings *settings, const char *name,
                             const json_t *value)
{
    if (json_is_string(value))
        return result_add_setting(result, settings, name,
                                  slice_of(json_string_value(value), json_string_length(value)));
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    bool added = text && result_add_setting(result, settings, name, slice_text(text));
    free(text);
    return added;
}

/* All members of an object; NULL: no memory. */
static const mqc_settings *read_settings(void *result, const json_t *object)
{
    mqc_settings *settings = result_add(result, 1, sizeof *settings);
    const char *name;
    json_t *value;
    if (!settings) return NULL;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (!add_json_setting(result, settings, name, value)) return NULL;
    }
    result_sort_settings(settings);
    return settings;
}

mqc_status topic_config_add(mqc_topic_configs *configs, const struct answer_origin *origin,
                            struct slice body, mqc_error *error)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "topic config", &json, error);
    if (status != MQC_OK) return status;
    const json_t *attributes = json_object_get(json, "attributes");
    mqc_topic_config *config = result_add(configs, 1, sizeof *config);
    if (!result_append(configs, &configs->configs, &configs->count, config)) {
        status = error_no_memory(error);
        goto out;
    }
    config->broker_name = result_text(configs, origin->broker_name);
    config->cluster = result_text(configs, origin->cluster);
    config->topic = result_text(configs, relaxed_json_text(json, "topicName", ""));
    config->message_type = result_text(configs, relaxed_json_text(attributes, "message.type", ""));
    config->attributes = read_settings(configs, attributes);
    config->read_queues = (int)relaxed_json_number(json, "readQueueNums", 0);
    config->write_queues = (int)relaxed_json_number(json, "writeQueueNums", 0);
    config->permission = (int)relaxed_json_number(json, "perm", 0);
    config->ordered = relaxed_json_bool(json, "order", false);
    if (!config->broker_name || !config->cluster || !config->topic || !config->message_type ||
        !config->attributes)
        status = error_no_memory(error);
out:
    json_decref(json);
    return status;
}

mqc_status group_config_add(mqc_group_configs *configs, const struct answer_origin *origin,
                            struct slice body, mqc_error *error)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "group config", &json, error);
    if (status != MQC_OK) return status;
    mqc_group_config *config = result_add(configs, 1, sizeof *config);
    if (!result_append(configs, &configs->configs, &configs->count, config)) {
        status = error_no_memory(error);
        goto out;
    }
    config->broker_name = result_text(configs, origin->broker_name);
    config->cluster = result_text(configs, origin->cluster);
    config->group = result_text(configs, relaxed_json_text(json, "groupName", ""));
    config->retry_max_times = (int)relaxed_json_number(json, "retryMaxTimes", 16);
    config->retry_queues = (int)relaxed_json_number(json, "retryQueueNums", 1);
    config->consume_timeout_minutes = (int)relaxed_json_number(json, "consumeTimeoutMinute", 15);
    config->consume = relaxed_json_bool(json, "consumeEnable", true);
    config->broadcast = relaxed_json_bool(json, "consumeBroadcastEnable", true);
    config->ordered = relaxed_json_bool(json, "consumeMessageOrderly", false);
    config->settings = read_settings(configs, json);
    if (!config->broker_name || !config->cluster || !config->group || !config->settings)
        status = error_no_memory(error);
out:
    json_decref(json);
    return status;
}

mqc_status group_names_add(mqc_name_list *groups, struct slice body, mqc_error *error)
{
    json_t *json, *config;
    const char *group;
    mqc_status status = relaxed_json_parse(body, "subscription groups", &json, error);
    if (status != MQC_OK) return status;
    json_object_foreach(json_object_get(json, "subscriptionGroupTable"), group, config)
    {
        if (status == MQC_OK && !result_add_name(groups, groups, slice_text(group)))
            status = error_no_memory(error);
    }
    json_decref(json);
    return status;
}

mqc_status names_add(void *result, mqc_name_list *list, const char *what, const char *member,
                     struct slice body, mqc_error *error)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(body, what, &json, error);
    if (status != MQC_OK) return status;
    const json_t *array = json_object_get(json, member);
    for (size_t i = 0; status == MQC_OK && i < json_array_size(array); i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (!name)
            status = error_set(error, MQC_BAD_FRAME, "%s: %s has a member that is no text", what,
                               member);
        else if (!result_add_name(result, list, slice_text(name)))
            status = error_no_memory(error);
    }
    json_decref(json);
    return status;
}

mqc_status table_read(void *result, mqc_settings *settings, struct slice body, mqc_error *error)
{
    json_t *json, *value;
    const char *name;
    mqc_status status = relaxed_json_parse(body, "table", &json, error);
    if (status != MQC_OK) return status;
    json_object_foreach(json_object_get(json, "table"), name, value)
    {
        if (status == MQC_OK && !add_json_setting(result, settings, name, value))
            status = error_no_memory(error);
    }
    json_decref(json);
    result_sort_settings(settings);
    return status;
}

mqc_status properties_text_read(void *result, mqc_settings *settings, struct slice body,
                                mqc_error *error)
{
    struct slice rest = body;
    while (rest.data) {
        struct slice value = slice_split(&rest, "\n");
        struct slice name = slice_trim(slice_split(&value, "="));
        if (name.size == 0 || name.data[0] == '#') continue;
        const char *text = result_slice(result, name);
        if (!text || !result_add_setting(result, settings, text, slice_trim(value)))
            return error_no_memory(error);
    }
    result_sort_settings(settings);
    return MQC_OK;
}
