/* Shared by the files of orderly consumption only: push_orderly.c (turns, the listener's verdicts)
 * and push_locks.c (which queues may have turns). */
#ifndef CONSUMER_PUSH_ORDERLY_H
#define CONSUMER_PUSH_ORDERLY_H

#include "lib/consumer/push_consumer.h"
#include "lib/consumer/queue_lock.h"

/* A turn takes a queue's messages to the listener, one call after the other. A queue has at most
 * one: it waits for a worker, runs, or sleeps, and holds a reference of the queue. */
struct orderly_queue {
    struct consumer_queue core;
    struct queue_lock queue_lock;
    struct consume_task turn;   /* while it waits or runs */
    struct pull_request asleep; /* while it sleeps */
    struct lock lock;           /* guards the rest */
    bool has_turn;
    bool more;      /* something came since the turn last looked */
    bool listening; /* the listener is being called */
};

static inline struct orderly_queue *orderly_queue_of(struct consumer_queue *queue)
{
    return CONTAINER_OF(queue, struct orderly_queue, core);
}

/* ---- push_locks.c: parts of the kind ---- */
mqc_status push_locks_start(struct mqc_push_consumer *consumer, mqc_error *error);
mqc_status push_locks_gain(struct consumer_queue *queue, struct client_instance *instance,
                           mqc_error *error);
void push_locks_renew(struct consumer *core, struct client_instance *instance);
bool push_locks_let_go(struct consumer_queue *queue);
void push_locks_lost(struct consumer_queue *queue, struct client_instance *instance);
int64_t push_locks_pull_delay(struct consumer_queue *queue, enum queue_pause *why);
void push_locks_describe(struct consumer_queue *queue, struct running_queue *out);

#endif
