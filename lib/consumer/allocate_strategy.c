/* Dividing queues; called by the rebalance service. */
#include "lib/consumer/allocate_strategy.h"

#include <stdlib.h>

#include "lib/protocol/java_text.h"

static bool allocate_averagely(const char *own_id, const struct name_list *ids,
                               const mqc_message_queue *queues, size_t queue_count, bool *mine);
static int compare_queues(const void *a, const void *b);
static int compare_ids(const void *a, const void *b);

const struct allocate_strategy ALLOCATE_AVERAGELY = {"AVG", allocate_averagely};

void allocate_sort_queues(mqc_message_queue *queues, size_t count)
{
    if (count > 1) qsort(queues, count, sizeof *queues, compare_queues);
}

void allocate_sort_ids(struct name_list *ids)
{
    if (ids->count > 1) qsort(ids->names, ids->count, sizeof *ids->names, compare_ids);
}

/* A run of neighbours each; the first of the ids get one more when it does not come out even. */
static bool allocate_averagely(const char *own_id, const struct name_list *ids,
                               const mqc_message_queue *queues, size_t queue_count, bool *mine)
{
    (void)queues;
    for (size_t i = 0; i < queue_count; i++) mine[i] = false;
    size_t index = 0;
    while (index < ids->count && strcmp(ids->names[index], own_id) != 0) index++;
    if (index == ids->count) return false;
    size_t left_over = queue_count % ids->count;
    size_t size = queue_count / ids->count;
    size_t start = index * size + (index < left_over ? index : left_over);
    if (index < left_over) size++;
    for (size_t i = start; i < start + size; i++) mine[i] = true;
    return true;
}

static int compare_queues(const void *a, const void *b)
{
    const mqc_message_queue *left = a;
    const mqc_message_queue *right = b;
    int order = java_compare(slice_text(left->topic), slice_text(right->topic));
    if (order == 0)
        order = java_compare(slice_text(left->broker_name), slice_text(right->broker_name));
    if (order == 0) order = (left->queue_id > right->queue_id) - (left->queue_id < right->queue_id);
    return order;
}

static int compare_ids(const void *a, const void *b)
{
    return java_compare(slice_text(*(char *const *)a), slice_text(*(char *const *)b));
}
