/* Dividing queues: the choice among the strategies, and those that need no more than counting
 * (AllocateMessageQueueAveragely.java, …AveragelyByCircle, …ByConfig). Called by the rebalance
 * service. */
#include "lib/consumer/allocate_strategy.h"

#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/protocol/java_text.h"
#include "lib/protocol/names.h"

static mqc_status averagely(const mqc_allocation *allocation, bool *mine, mqc_error *error);
static mqc_status by_circle(const mqc_allocation *allocation, bool *mine, mqc_error *error);
static mqc_status by_configuration(const mqc_allocate_options *options,
                                   const mqc_allocation *allocation, bool *mine, mqc_error *error);
static mqc_status by_application(const mqc_allocate_options *options,
                                 const mqc_allocation *allocation, bool *mine, mqc_error *error);
static int compare_queues(const void *a, const void *b);
static int compare_ids(const void *a, const void *b);

mqc_status allocate_queues(const mqc_allocate_options *options, const mqc_allocation *allocation,
                           bool *mine, mqc_error *error)
{
    for (size_t i = 0; i < allocation->queue_count; i++) mine[i] = false;
    if (options->own) return by_application(options, allocation, mine, error);
    switch (options->kind) {
    case MQC_ALLOCATE_AVERAGELY: break;
    case MQC_ALLOCATE_BY_CIRCLE: return by_circle(allocation, mine, error);
    case MQC_ALLOCATE_CONSISTENT_HASH:
        return allocate_by_hash(options->virtual_nodes, allocation, mine, error);
    case MQC_ALLOCATE_BY_CONFIGURATION: return by_configuration(options, allocation, mine, error);
    case MQC_ALLOCATE_BY_MACHINE_ROOM: return allocate_by_room(options, allocation, mine, error);
    case MQC_ALLOCATE_MACHINE_ROOM_NEARBY: return allocate_nearby(options, allocation, mine, error);
    }
    return averagely(allocation, mine, error);
}

bool allocate_own_index(const mqc_allocation *allocation, size_t *index)
{
    for (size_t i = 0; i < allocation->client_count; i++) {
        if (strcmp(allocation->client_ids[i], allocation->client_id) != 0) continue;
        *index = i;
        return true;
    }
    return false;
}

int allocate_compare_queues(const mqc_message_queue *left, const mqc_message_queue *right)
{
    int order = java_compare(slice_text(left->topic), slice_text(right->topic));
    if (order == 0)
        order = java_compare(slice_text(left->broker_name), slice_text(right->broker_name));
    if (order == 0) order = (left->queue_id > right->queue_id) - (left->queue_id < right->queue_id);
    return order;
}

void allocate_sort_queues(mqc_message_queue *queues, size_t count)
{
    if (count > 1) qsort(queues, count, sizeof *queues, compare_queues);
}

void allocate_sort_ids(struct name_list *ids)
{
    if (ids->count > 1) qsort(ids->names, ids->count, sizeof *ids->names, compare_ids);
}

mqc_status allocate_not_listed(const mqc_allocation *allocation, mqc_error *error)
{
    return error_set(error, MQC_NOT_FOUND, "the broker does not list us among %zu members",
                     allocation->client_count);
}

/* A run of neighbours each; the first of the ids get one more when it does not come out even. */
static mqc_status averagely(const mqc_allocation *allocation, bool *mine, mqc_error *error)
{
    size_t index;
    if (!allocate_own_index(allocation, &index)) return allocate_not_listed(allocation, error);
    size_t left_over = allocation->queue_count % allocation->client_count;
    size_t size = allocation->queue_count / allocation->client_count;
    size_t start = index * size + (index < left_over ? index : left_over);
    if (index < left_over) size++;
    for (size_t i = start; i < start + size; i++) mine[i] = true;
    return MQC_OK;
}

static mqc_status by_circle(const mqc_allocation *allocation, bool *mine, mqc_error *error)
{
    size_t index;
    if (!allocate_own_index(allocation, &index)) return allocate_not_listed(allocation, error);
    for (size_t i = index; i < allocation->queue_count; i += allocation->client_count)
        mine[i] = true;
    return MQC_OK;
}

/* Whoever the members are. In Java a list without the retry topic means that what was sent back is
 * never delivered again. */
static mqc_status by_configuration(const mqc_allocate_options *options,
                                   const mqc_allocation *allocation, bool *mine, mqc_error *error)
{
    bool named = false;
    for (size_t i = 0; i < options->queue_count; i++) {
        const mqc_message_queue *queue = &options->queues[i];
        if (strcmp(queue->topic, allocation->topic) != 0) continue;
        named = true;
        for (size_t at = 0; at < allocation->queue_count; at++) {
            if (allocate_compare_queues(queue, &allocation->queues[at]) == 0) mine[at] = true;
        }
    }
    if (!named && names_is_retry_topic(slice_text(allocation->topic)))
        return averagely(allocation, mine, error);
    return MQC_OK;
}

static mqc_status by_application(const mqc_allocate_options *options,
                                 const mqc_allocation *allocation, bool *mine, mqc_error *error)
{
    size_t index;
    if (!allocate_own_index(allocation, &index)) return allocate_not_listed(allocation, error);
    if (options->own(allocation, mine, options->arg)) return MQC_OK;
    return error_set(error, MQC_WRONG_STATE, "the application's own strategy cannot say now");
}

static int compare_queues(const void *a, const void *b)
{
    return allocate_compare_queues(a, b);
}

static int compare_ids(const void *a, const void *b)
{
    return java_compare(slice_text(*(char *const *)a), slice_text(*(char *const *)b));
}
