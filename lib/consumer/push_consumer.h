/* Shared by the files of the push consumer only: push_consumer.c (the public functions),
 * push_concurrently.c and push_timeout.c (a kind), push_orderly.c and push_locks.c, push_polled.c
 * (others), push_delivery.c (one listener call). */
#ifndef CONSUMER_PUSH_CONSUMER_H
#define CONSUMER_PUSH_CONSUMER_H

#include "lib/consumer/consume_watch.h"
#include "lib/consumer/consumer.h"
#include "lib/consumer/delivery.h"
#include "lib/consumer/mailbox.h"
#include "lib/producer/tracing.h"
#include "services/consume_workers.h"

struct mqc_push_consumer {
    struct consumer core;
    mqc_push_consumer_options options; /* filled; `client` and `group` are the core's */
    struct consume_workers *workers;
    struct link parked; /* guarded by core.lock: consume_task.link of what came up while paused */
    struct scheduled_task *sweep;
    struct mailbox mailbox; /* consume_task.link of what waits to be polled */
    int out;                /* guarded by core.lock: deliveries that were polled, not finished */
    int unanswered;         /* guarded by core.lock: acknowledgements; core.changed tells */
    int64_t again_ms;       /* until a message that could not be sent back is delivered again */
    struct consume_watch watch;
    struct tracing *tracing; /* NULL: none */
};

static inline struct mqc_push_consumer *push_consumer_of(struct consumer *consumer)
{
    return CONTAINER_OF(consumer, struct mqc_push_consumer, core);
}

/* ---- push_consumer.c: what the kinds share ---- */
mqc_status push_start(struct consumer *consumer, mqc_error *error);
/* After consumer->sweep was started, which is cancelled on failure. */
mqc_status push_start_workers(struct mqc_push_consumer *consumer, mqc_error *error);
int push_stop(struct consumer *consumer, int64_t deadline_ms);
/* While paused: keeps the task until resumed, or discards it. False: it is to run. */
bool push_hold_back(struct mqc_push_consumer *consumer, struct consume_task *task);
void push_destroy(struct consumer *consumer);
int push_threads(struct consumer *consumer);
int push_busy(struct consumer *consumer);
void push_submit(struct consumer *consumer, struct consume_task *task);

void push_resume_parked(struct consumer *consumer); /* what push_hold_back has kept */

/* ---- push_concurrently.c, push_orderly.c ---- */
extern const struct consumer_kind PUSH_ORDERLY;
extern const struct consumer_kind PUSH_CONCURRENTLY;

/* One listener call, or one poll; in the batch's room. */
struct piece {
    struct consume_task task;
    struct pull_request later;  /* for a delivery from here after a while */
    struct pulled_batch *batch; /* counted */
    struct mqc_message **messages;
    size_t count;
};
void push_deliver_pieces(struct pulled_batch *batch);
void push_discard_tasks(struct link *tasks);
/* Puts the messages that the application may be given in front and returns their number; behind
 * them come the damaged ones. Those that are no longer ours to deliver are taken out. */
size_t piece_prepare(struct piece *piece);
/* The verdict: of those that were good, the first `done` are. The rest is given back, which blocks.
 */
void piece_end(struct piece *piece, size_t good, size_t done, int retry_level);

/* ---- push_polled.c ---- */
extern const struct consumer_kind PUSH_POLLED;
void push_hold_mailbox(struct consumer *core); /* while it is paused */

/* ---- push_delivery.c ---- */
/* The application gets the delivery now. */
void push_delivery_begins(struct consumer_queue *queue, struct mqc_delivery *delivery);
/* Calls the listener and returns how many of the messages are done. */
size_t push_deliver(const struct mqc_push_consumer *consumer, struct mqc_delivery *delivery);
const char *push_consume_directly(struct consumer *consumer, struct mqc_message *message);
mqc_order_status push_deliver_orderly(const struct mqc_push_consumer *consumer,
                                      struct mqc_delivery *delivery);
const char *push_consume_directly_orderly(struct consumer *consumer, struct mqc_message *message);

/* ---- push_pop.c ---- */
enum { PUSH_POP_BYTES = 64 }; /* of what push_pop.c wants beside each message */
void push_pop_deliver(struct popped_batch *batch);
/* Acknowledges what is filtered out. False: the consumer has ended, and the batch is given back. */
bool push_pop_begin(struct popped_batch *batch);
/* ---- push_pop_order.c ---- */
void push_pop_deliver_in_order(struct popped_batch *batch);

/* ---- pop_settle.c ---- */
enum { TO_DEAD_LETTERS = -1 }; /* a retry level */
/* What became of a message, told to the broker without waiting. */
void pop_acknowledge(struct mqc_push_consumer *consumer, struct popped_batch *batch,
                     const size_t *indexes, size_t count);
void pop_refuse(struct mqc_push_consumer *consumer, struct popped_batch *batch, size_t index,
                int level);
void pop_give_back(struct mqc_push_consumer *consumer, struct popped_batch *batch, size_t index);
/* It comes again after so long. */
void pop_hide(struct mqc_push_consumer *consumer, struct popped_batch *batch, size_t index,
              int64_t ms);
/* On the thread that reads, which the instance outlives: also when the consumer has left it. */
void pop_give_back_all(struct mqc_push_consumer *consumer, struct popped_batch *batch);
/* Waits until the broker has answered all of it. */
void pop_await_answers(struct mqc_push_consumer *consumer, int64_t deadline_ms);

/* ---- push_timeout.c ---- */
mqc_status push_timeout_start(struct mqc_push_consumer *consumer, mqc_error *error);
void push_timeout_sweep(struct consumer *consumer, struct client_instance *instance);

#endif
