/* How the queues of a topic are divided among the members of a consumer group. Every member works
 * it out alone from the same two lists, so all members of a group must use the same strategy. The
 * results are those of the Java client's strategies, with which a group may be mixed. */
#ifndef MQCLIENT_ALLOCATE_H
#define MQCLIENT_ALLOCATE_H

#include <mqclient/message.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mqc_allocate_kind {
    MQC_ALLOCATE_AVERAGELY, /* AVG: neighbouring queues, as many for everybody as can be */
    MQC_ALLOCATE_BY_CIRCLE, /* AVG_BY_CIRCLE: in turn, so that everybody has some on each broker */
    /* CONSISTENT_HASH: few queues change hands when members come and go; shares are uneven */
    MQC_ALLOCATE_CONSISTENT_HASH,
    /* CONFIG: this member has those of `queues` that the topic has. The others must be configured
     * to have the rest. A retry topic that `queues` does not name is divided averagely. */
    MQC_ALLOCATE_BY_CONFIGURATION,
    /* MACHINE_ROOM: averagely, but only the queues of brokers named "room@name" whose room is one
     * of `rooms`; all others are nobody's */
    MQC_ALLOCATE_BY_MACHINE_ROOM,
    /* MACHINE_ROOM_NEARBY: the queues of a room go to the members in that room, those of a room
     * without members to everybody; within either as `within` says */
    MQC_ALLOCATE_MACHINE_ROOM_NEARBY
} mqc_allocate_kind;

/* What is to be divided. Both lists are in the same order for all members. */
typedef struct mqc_allocation {
    const char *group;
    const char *topic;
    const char *client_id; /* this member's own, one of client_ids */
    const char *const *client_ids;
    size_t client_count;
    const mqc_message_queue *queues;
    size_t queue_count;
} mqc_allocation;

/* A strategy of the application's own: sets mine[i], which are false at first, for each queue that
 * is this member's. False: that cannot be said now; nothing changes, and it is asked again in a
 * second. Runs on the client's rebalance thread with no lock held; it must not block for long,
 * since the other consumers of the process wait for it, nor shut its consumer down. */
typedef bool mqc_allocate_function(const mqc_allocation *allocation, bool *mine, void *arg);

/* The room of a broker or a client: a text that is read before the next call and may then change;
 * NULL or "" when it is not known, which leaves everything as it is. As mqc_allocate_function. */
typedef const char *mqc_room_function(const char *broker_name_or_client_id, void *arg);

/* Zero means default. All lists and texts are copied. */
typedef struct mqc_allocate_options {
    mqc_allocate_kind kind;
    int virtual_nodes;               /* MQC_ALLOCATE_CONSISTENT_HASH: a member; default 10 */
    const char *rooms;               /* MQC_ALLOCATE_BY_MACHINE_ROOM: "room;room" */
    const mqc_message_queue *queues; /* MQC_ALLOCATE_BY_CONFIGURATION */
    size_t queue_count;
    mqc_allocate_kind within; /* MQC_ALLOCATE_MACHINE_ROOM_NEARBY: one of the first three kinds */
    mqc_room_function *room_of_broker; /* … required */
    mqc_room_function *room_of_client; /* … required */
    mqc_allocate_function *own;        /* instead of a kind */
    void *arg;                         /* for the functions */
} mqc_allocate_options;

/* Called when the queues that this consumer has of a topic have changed, and the change has taken
 * effect; not for the group's retry topic. Runs as a mqc_allocate_function. The lists are valid
 * during the call. */
typedef void mqc_queue_listener(const char *topic, const mqc_message_queue *all, size_t all_count,
                                const mqc_message_queue *mine, size_t mine_count, void *arg);

#ifdef __cplusplus
}
#endif
#endif
