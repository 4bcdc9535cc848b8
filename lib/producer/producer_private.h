/* The producer's object, shared by producer.c (life) and send_async.c (sends in flight). */
#ifndef PRODUCER_PRODUCER_PRIVATE_H
#define PRODUCER_PRODUCER_PRIVATE_H

#include "lib/producer/accumulator.h"
#include "lib/producer/send_window.h"
#include "lib/producer/sender.h"
#include "lib/producer/transactions.h"

struct mqc_producer {
    struct client_role role;
    struct sender sender;
    struct send_window window;
    struct accumulator accumulator;
    struct meters meters;
    struct intern names;            /* the strings in results live as long as the producer */
    mqc_producer_options options;   /* filled; texts are owned, .client is unused */
    mqc_client_options client;      /* filled; texts are owned */
    struct scheduled_task *probe;   /* of brokers that cannot be reached; NULL: none */
    struct client_instance *probed; /* by it: the sender's, from before calls are let in */
    unsigned fork_generation;
    atomic_uint gate; /* calls inside, and PRODUCER_CLOSED */
    struct lock lock; /* guards everything below */
    struct condition changed;
    enum client_state state; /* START_FAILED also while a start is under way */
    bool busy;               /* a start or shutdown is under way */
    struct link sends;       /* struct async_send: accepted and not yet called back */
    struct link free_sends;  /* for reuse */
    size_t free_send_count;
    struct transactions transactions; /* with a lock of its own */
    struct map reply_topics;          /* topics whose brokers bring replies; values say nothing */
};

/* Lets a call in; MQC_WRONG_STATE unless the producer is running, in the process that made it. A
 * call that was let in keeps the producer and its instance until producer_leave. */
mqc_status producer_enter(struct mqc_producer *producer, mqc_error *error);
/* One more call inside, by somebody who keeps the producer alive anyway. */
void producer_hold(struct mqc_producer *producer);
void producer_leave(struct mqc_producer *producer);

/* producer_role.c */
extern const struct client_role_type PRODUCER_ROLE;

/* The end of a send that begins now. */
int64_t producer_deadline(const struct mqc_producer *producer, const mqc_send_options *options);

/* Looks up the routes of the topics in the options and tells their brokers of the group; what fails
 * is logged, and tried again by the instance's tasks. request_places.c */
void producer_look_up_topics(struct mqc_producer *producer);

/* Makes sure that whichever broker of the topic's clusters a reply is sent to knows this client.
 * request_places.c */
mqc_status producer_expect_replies(struct mqc_producer *producer, const char *topic,
                                   int64_t deadline_ms, mqc_error *error);

/* Fails all requests that wait for a reply with MQC_CANCELLED. request_reply.c */
void producer_requests_cancel(struct mqc_producer *producer);

/* Fails all sends that wait for a broker with MQC_CANCELLED: their callbacks are on their way when
 * this returns, and late answers find nobody. */
void async_sends_cancel(struct mqc_producer *producer) EXCLUDES(producer->lock);
void async_sends_free(struct mqc_producer *producer); /* the spare ones, at the producer's end */

#endif
