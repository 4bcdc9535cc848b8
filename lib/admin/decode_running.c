/* What a consumer tells of itself (ConsumerRunningInfo.java, ProcessQueueInfo.java,
 * PopProcessQueueInfo.java, ConsumeStatus.java) and of a message it was given to consume
 * (ConsumeMessageDirectlyResult.java): see decode.h. */
#include "lib/admin/decode.h"
#include "lib/base/error.h"
#include "lib/protocol/relaxed_json.h"

static mqc_running_queue *new_queue(mqc_running_info *info, const mqc_message_queue *queue)
{
    mqc_running_queue *entry = result_add(info, 1, sizeof *entry);
    if (!result_append(info, &info->queues, &info->queue_count, entry)) return NULL;
    entry->queue = *queue;
    return entry;
}

static mqc_status add_queue(void *result, const mqc_message_queue *queue, const json_t *json,
                            mqc_error *error)
{
    mqc_running_queue *entry = new_queue(result, queue);
    if (!entry) return error_no_memory(error);
    entry->commit_offset = relaxed_json_number(json, "commitOffset", 0);
    entry->cached_messages = relaxed_json_number(json, "cachedMsgCount", 0);
    entry->cached_mib = relaxed_json_number(json, "cachedMsgSizeInMiB", 0);
    entry->cached_min_offset = relaxed_json_number(json, "cachedMsgMinOffset", 0);
    entry->cached_max_offset = relaxed_json_number(json, "cachedMsgMaxOffset", 0);
    entry->locked = relaxed_json_bool(json, "locked", false);
    entry->dropped = relaxed_json_bool(json, "droped", false); /* so Java spells it */
    entry->last_pull_unix_ms = relaxed_json_number(json, "lastPullTimestamp", 0);
    entry->last_consume_unix_ms = relaxed_json_number(json, "lastConsumeTimestamp", 0);
    entry->last_lock_unix_ms = relaxed_json_number(json, "lastLockTimestamp", 0);
    return MQC_OK;
}

static mqc_status add_pop_queue(void *result, const mqc_message_queue *queue, const json_t *json,
                                mqc_error *error)
{
    mqc_running_queue *entry = new_queue(result, queue);
    if (!entry) return error_no_memory(error);
    entry->pop = true;
    entry->unacknowledged = relaxed_json_number(json, "waitAckCount", 0);
    entry->dropped = relaxed_json_bool(json, "droped", false);
    entry->last_pull_unix_ms = relaxed_json_number(json, "lastPopTimestamp", 0);
    return MQC_OK;
}

static mqc_status add_properties(mqc_running_info *info, const json_t *table, mqc_error *error)
{
    mqc_settings *settings = result_add(info, 1, sizeof *settings);
    const char *name;
    json_t *value;
    if (!settings) return error_no_memory(error);
    info->properties = settings;
    json_object_foreach((json_t *)(uintptr_t)table, name, value)
    {
        if (!result_add_setting(info, settings, name, slice_text(json_string_value(value))))
            return error_no_memory(error);
    }
    result_sort_settings(settings);
    return MQC_OK;
}

static mqc_status add_subscriptions(mqc_running_info *info, const json_t *list, mqc_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *json = json_array_get(list, i);
        mqc_group_subscription *entry = result_add(info, 1, sizeof *entry);
        if (!result_append(info, &info->subscriptions, &info->subscription_count, entry))
            return error_no_memory(error);
        entry->topic = result_text(info, relaxed_json_text(json, "topic", ""));
        entry->expression = result_text(info, relaxed_json_text(json, "subString", "*"));
        entry->expression_type =
            result_text(info, relaxed_json_text(json, "expressionType", "TAG"));
        if (!entry->topic || !entry->expression || !entry->expression_type)
            return error_no_memory(error);
    }
    return MQC_OK;
}

static mqc_status add_topics(mqc_running_info *info, const json_t *table, mqc_error *error)
{
    const char *topic;
    json_t *json;
    json_object_foreach((json_t *)(uintptr_t)table, topic, json)
    {
        mqc_running_topic *entry = result_add(info, 1, sizeof *entry);
        if (!result_append(info, &info->topics, &info->topic_count, entry))
            return error_no_memory(error);
        entry->topic = result_text(info, topic);
        if (!entry->topic) return error_no_memory(error);
        entry->pull_ms = json_real_member(json, "pullRT");
        entry->pull_tps = json_real_member(json, "pullTPS");
        entry->consume_ms = json_real_member(json, "consumeRT");
        entry->consume_ok_tps = json_real_member(json, "consumeOKTPS");
        entry->consume_failed_tps = json_real_member(json, "consumeFailedTPS");
        entry->consume_failed_messages = relaxed_json_number(json, "consumeFailedMsgs", 0);
    }
    return MQC_OK;
}

static int compare_queues(const void *a, const void *b)
{
    return compare_message_queues(&(*(const mqc_running_queue *const *)a)->queue,
                                  &(*(const mqc_running_queue *const *)b)->queue);
}

static int compare_topics(const void *a, const void *b)
{
    return strcmp((*(const mqc_running_topic *const *)a)->topic,
                  (*(const mqc_running_topic *const *)b)->topic);
}

mqc_status running_info_read(mqc_running_info *info, struct slice body, mqc_error *error)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "running info", &json, error);
    if (status != MQC_OK) return status;
    status = add_properties(info, json_object_get(json, "properties"), error);
    if (status == MQC_OK)
        status = add_subscriptions(info, json_object_get(json, "subscriptionSet"), error);
    if (status == MQC_OK)
        status = queue_table_read(info, json_object_get(json, "mqTable"), add_queue, error);
    if (status == MQC_OK)
        status = queue_table_read(info, json_object_get(json, "mqPopTable"), add_pop_queue, error);
    if (status == MQC_OK) status = add_topics(info, json_object_get(json, "statusTable"), error);
    const char *stacks = relaxed_json_text(json, "jstack", NULL);
    if (status == MQC_OK && stacks && !(info->stacks = result_text(info, stacks)))
        status = error_no_memory(error);
    json_decref(json);
    result_sort(info->queues, info->queue_count, compare_queues);
    result_sort(info->topics, info->topic_count, compare_topics);
    return status;
}

mqc_status direct_result_read(mqc_direct_result *result, struct slice body, mqc_error *error)
{
    json_t *json;
    mqc_status status = relaxed_json_parse(body, "result of direct consumption", &json, error);
    if (status != MQC_OK) return status;
    result->result = result_text(result, relaxed_json_text(json, "consumeResult", ""));
    result->remark = result_text(result, relaxed_json_text(json, "remark", ""));
    result->ordered = relaxed_json_bool(json, "order", false);
    result->spent_ms = relaxed_json_number(json, "spentTimeMills", 0);
    json_decref(json);
    return result->result && result->remark ? MQC_OK : error_no_memory(error);
}
