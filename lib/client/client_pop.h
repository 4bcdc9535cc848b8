/* Requests of consumers that pop: what the broker has them take, and what became of it. */
#ifndef CLIENT_CLIENT_POP_H
#define CLIENT_CLIENT_POP_H

#include "lib/client/client_instance.h"
#include "lib/protocol/assignment.h"
#include "lib/protocol/pop_ticket.h"

/* QUERY_ASSIGNMENT (400) to a broker of the topic; see assignment_decode. Blocks. */
mqc_status client_pop_assignment(struct client_instance *instance, const char *topic,
                                 const char *group, int64_t deadline_ms, assignment_visitor *visit,
                                 void *arg, bool *known, mqc_error *error);

/* A popped message, for the broker. */
struct popped_place {
    const char *group;
    const char *topic; /* as subscribed to */
    const char *broker_name;
    const struct pop_ticket *ticket;
};

/* ACK_MESSAGE (200051) and CHANGE_MESSAGE_INVISIBLETIME (200053) to the broker's master, without
 * waiting; `done` comes once after MQC_OK. */
mqc_status client_pop_ack(struct client_instance *instance, const struct popped_place *place,
                          int64_t deadline_ms, remoting_done *done, void *arg, mqc_error *error);
mqc_status client_pop_hide(struct client_instance *instance, const struct popped_place *place,
                           int64_t hide_ms, int64_t deadline_ms, remoting_done *done, void *arg,
                           mqc_error *error);
/* BATCH_ACK_MESSAGE (200151) for messages of one topic, queue and pop, which the first one's ticket
 * stands for; offsets lie within POP_BATCH_SPAN of its `begin`. */
enum { POP_BATCH_SPAN = 1024 };
mqc_status client_pop_ack_batch(struct client_instance *instance, const struct popped_place *first,
                                const int64_t *offsets, size_t count, int64_t deadline_ms,
                                remoting_done *done, void *arg, mqc_error *error);

#endif
