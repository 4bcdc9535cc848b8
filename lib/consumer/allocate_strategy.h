/* How the queues of a topic are divided among the members of a group (AllocateMessageQueueStrategy
 * and its implementations): allocate_strategy.c (the choice, and what needs no more than counting),
 * allocate_hash.c, allocate_rooms.c, allocate_options.c. Every member works it out alone from the
 * same two lists, so order and arithmetic are exactly Java's. Pure; rebalance service. */
#ifndef CONSUMER_ALLOCATE_STRATEGY_H
#define CONSUMER_ALLOCATE_STRATEGY_H

#include <mqclient/allocate.h>

#include "lib/protocol/bodies.h"

/* Sets mine[i] for every queue that is the member's own, and clears it for the others. Both lists
 * are sorted. MQC_NOT_FOUND, and no queue is, when client_id is not among the ids; MQC_WRONG_STATE
 * when it cannot be said now, and then `mine` means nothing. `options` have been checked. */
mqc_status allocate_queues(const mqc_allocate_options *options, const mqc_allocation *allocation,
                           bool *mine, mqc_error *error);

/* Java's order: MessageQueue.compareTo (topic, broker, id), String.compareTo. */
int allocate_compare_queues(const mqc_message_queue *left, const mqc_message_queue *right);
void allocate_sort_queues(mqc_message_queue *queues, size_t count);
void allocate_sort_ids(struct name_list *ids);

/* ---- allocate_options.c ---- */

/* MQC_BAD_ARGUMENT for what cannot be, or does not go together; "allocate." is before the fields.
 */
mqc_status allocate_options_check(const mqc_allocate_options *options, mqc_error *error);
/* A copy that owns its texts and lists, with defaults filled in. */
mqc_status allocate_options_copy(const mqc_allocate_options *options, mqc_allocate_options *out,
                                 mqc_error *error);
void allocate_options_done(mqc_allocate_options *options);
/* As Java's getName; "OWN" for the application's. The text of a nearby strategy is made in
 * `buffer`. */
const char *allocate_name(const mqc_allocate_options *options, char buffer[64]);

/* ---- shared by the strategies ---- */

/* The place of the member among the ids; false when it has none. */
bool allocate_own_index(const mqc_allocation *allocation, size_t *index);
mqc_status allocate_not_listed(const mqc_allocation *allocation, mqc_error *error);
/* AllocateMessageQueueConsistentHash.java. MQC_SYSTEM when OpenSSL has no MD5. */
mqc_status allocate_by_hash(int virtual_nodes, const mqc_allocation *allocation, bool *mine,
                            mqc_error *error);
/* AllocateMessageQueueByMachineRoom.java, AllocateMachineRoomNearby.java */
mqc_status allocate_by_room(const mqc_allocate_options *options, const mqc_allocation *allocation,
                            bool *mine, mqc_error *error);
mqc_status allocate_nearby(const mqc_allocate_options *options, const mqc_allocation *allocation,
                           bool *mine, mqc_error *error);

#endif
