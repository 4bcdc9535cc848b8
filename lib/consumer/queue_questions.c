/* Questions about single queues, asked from their masters (MQAdminImpl.java) on the application's
 * threads; by the lite and the pull consumer. */
#include "lib/consumer/queue_questions.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/names.h"

mqc_status queue_check(const mqc_message_queue *queue, mqc_error *error)
{
    if (!queue || !queue->broker_name || !queue->broker_name[0] || queue->queue_id < 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the queue has no broker name or a negative queue id: give one that "
                         "mqc_…_fetch_queues names");
    return names_check_topic(queue->topic, error);
}

bool queue_equal(const mqc_message_queue *a, const mqc_message_queue *b)
{
    return a->queue_id == b->queue_id && strcmp(a->broker_name, b->broker_name) == 0 &&
           strcmp(a->topic, b->topic) == 0;
}

mqc_status queue_ask_list(struct client_instance *instance, const char *topic, mqc_queue_list *list,
                          mqc_error *error)
{
    struct topic_queues *queues;
    mqc_status status = names_check_topic(topic, error);
    *list = (mqc_queue_list){0};
    int64_t deadline_ms = client_instance_request_deadline(instance);
    if (status == MQC_OK)
        status = client_instance_update_route(instance, topic, NULL, 0, deadline_ms, error);
    if (status == MQC_OK)
        status = client_instance_queues(instance, topic, deadline_ms, &queues, error);
    if (status != MQC_OK) return status;
    status = queue_list_copy(queues->subscribe, queues->subscribe_count, list, error);
    topic_queues_unref(queues);
    return status;
}

static mqc_status find_master(struct client_instance *instance, const mqc_message_queue *queue,
                              int64_t deadline_ms, char address[ADDRESS_TEXT_BYTES],
                              mqc_error *error)
{
    mqc_status status = queue_check(queue, error);
    if (status != MQC_OK) return status;
    return client_instance_queue_master(instance, queue, deadline_ms, address, error);
}

mqc_status queue_ask_range(struct client_instance *instance, const mqc_message_queue *queue,
                           int64_t *least, int64_t *next, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    struct client_api *api = client_instance_api(instance);
    int64_t deadline_ms = client_instance_request_deadline(instance);
    mqc_status status = find_master(instance, queue, deadline_ms, address, error);
    if (status != MQC_OK) return status;
    struct offset_place place = {NULL, queue->topic, queue->broker_name, queue->queue_id};
    status = client_api_min_offset(api, address, &place, deadline_ms, least, error);
    if (status != MQC_OK) return status;
    return client_api_max_offset(api, address, &place, deadline_ms, next, error);
}

mqc_status queue_ask_time(struct client_instance *instance, const mqc_message_queue *queue,
                          int64_t unix_ms, int64_t *offset, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    int64_t deadline_ms = client_instance_request_deadline(instance);
    if (unix_ms < 0)
        return error_set(error, MQC_BAD_ARGUMENT, "unix_ms is %lld: give milliseconds since 1970",
                         (long long)unix_ms);
    mqc_status status = find_master(instance, queue, deadline_ms, address, error);
    if (status != MQC_OK) return status;
    struct offset_place place = {NULL, queue->topic, queue->broker_name, queue->queue_id};
    return client_api_search_offset(client_instance_api(instance), address, &place, unix_ms,
                                    deadline_ms, offset, error);
}

mqc_status queue_list_copy(const mqc_message_queue *queues, size_t count, mqc_queue_list *list,
                           mqc_error *error)
{
    *list = (mqc_queue_list){.queues = memory_allocate_zero(count + 1, sizeof *list->queues)};
    for (size_t i = 0; list->queues && i < count; i++) {
        mqc_message_queue *copy = &list->queues[list->count++];
        *copy = (mqc_message_queue){memory_duplicate(queues[i].topic),
                                    memory_duplicate(queues[i].broker_name), queues[i].queue_id};
        if (!copy->topic || !copy->broker_name) mqc_queue_list_free(list);
    }
    return list->queues ? MQC_OK : error_no_memory(error);
}

void mqc_queue_list_free(mqc_queue_list *list)
{
    if (!list) return;
    for (size_t i = 0; i < list->count; i++) {
        memory_free((void *)(uintptr_t)list->queues[i].topic);
        memory_free((void *)(uintptr_t)list->queues[i].broker_name);
    }
    memory_free(list->queues);
    *list = (mqc_queue_list){0};
}
