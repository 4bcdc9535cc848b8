/* How the queues of a topic are divided among the members of a group (AllocateMessageQueueStrategy
 * and its implementations). Every member works it out alone from the same two lists, so order and
 * arithmetic are exactly Java's; all members must use the same strategy. Pure. */
#ifndef CONSUMER_ALLOCATE_STRATEGY_H
#define CONSUMER_ALLOCATE_STRATEGY_H

#include <mqclient/message.h>

#include "lib/protocol/bodies.h"

struct allocate_strategy {
    const char *name; /* as Java's getName */
    /* Sets mine[i] for every queue that is the caller's. False, and none is, when `own_id` is not
     * among the ids. Both lists are sorted. */
    bool (*allocate)(const char *own_id, const struct name_list *ids,
                     const mqc_message_queue *queues, size_t queue_count, bool *mine);
};

extern const struct allocate_strategy ALLOCATE_AVERAGELY; /* AllocateMessageQueueAveragely.java */

/* Java's order: MessageQueue.compareTo (topic, broker, id), String.compareTo. */
void allocate_sort_queues(mqc_message_queue *queues, size_t count);
void allocate_sort_ids(struct name_list *ids);

#endif
