/* Shared by the files of the lite pull consumer only: lite_consumer.c (the object), lite_queues.c
 * (subscribing, assigning, pausing), lite_watch.c, lite_poll.c (messages), lite_offsets.c (seeking,
 * committing). */
#ifndef CONSUMER_LITE_CONSUMER_H
#define CONSUMER_LITE_CONSUMER_H

#include <mqclient/lite_consumer.h>

#include "lib/consumer/consume_watch.h"
#include "lib/consumer/consumer.h"
#include "lib/consumer/mailbox.h"
#include "lib/producer/tracing.h"
#include "services/scheduled_executor.h"

enum lite_mode { LITE_UNDECIDED, LITE_SUBSCRIBES, LITE_ASSIGNS };

struct mqc_lite_consumer {
    struct consumer core;
    mqc_lite_consumer_options options; /* filled */
    struct mailbox mailbox;            /* struct lite_batch */
    atomic_size_t held;                /* messages that were pulled and not polled yet */
    struct scheduled_task *watcher;
    struct consume_watch watch;
    struct tracing *tracing; /* NULL: none */

    /* guarded by core.lock: */
    enum lite_mode mode;
    mqc_queue_list assigned;
    uint64_t assigned_round; /* of `assigned`: grows with each call */
    uint64_t pass_round;     /* that the rebalance service sees to now */
    uint64_t divided_round;  /* that it has seen to */
    int64_t next_commit_ms;
    struct link watches;
};

struct lite_queue {
    struct consumer_queue core;
    atomic_bool paused;
    /* guarded by core.lock of the consumer: */
    struct link parked; /* struct lite_batch that came up while it was paused */
    int64_t position;   /* of the next message to be polled */
    int64_t done;       /* what was so when poll was called last: to be committed by itself */
};

/* What was pulled at a time; in its batch's room. */
struct lite_batch {
    struct link link;
    struct pulled_batch *batch;
};

static inline struct mqc_lite_consumer *lite_of(struct consumer *consumer)
{
    return CONTAINER_OF(consumer, struct mqc_lite_consumer, core);
}

static inline struct lite_queue *lite_queue_of(struct consumer_queue *queue)
{
    return CONTAINER_OF(queue, struct lite_queue, core);
}

/* ---- lite_consumer.c ---- */
mqc_status lite_check(const mqc_lite_consumer *consumer, mqc_error *error);
/* The instance, to be left with consumer_exit; MQC_WRONG_STATE when it is not running. */
mqc_status lite_enter(mqc_lite_consumer *consumer, struct client_instance **instance,
                      mqc_error *error);
/* The queue that is ours, counted up; MQC_NOT_FOUND. */
mqc_status lite_find(mqc_lite_consumer *consumer, const mqc_message_queue *place,
                     struct lite_queue **out, mqc_error *error);

/* ---- lite_queues.c ---- */
bool lite_choose(struct consumer *core, const mqc_message_queue *queues, size_t count, bool *mine);
void lite_pass_begins(struct consumer *core);
void lite_pass_ends(struct consumer *core);

/* ---- lite_watch.c ---- */
void lite_look(struct consumer *core, struct client_instance *instance); /* at watched topics */
void lite_watches_free(mqc_lite_consumer *consumer);

/* ---- lite_poll.c ---- */
void lite_deliver(struct pulled_batch *batch);
void lite_passed(struct consumer_queue *queue, int64_t next);
/* Frees what is left of queues that are not ours any more; of all at the end. */
void lite_purge(mqc_lite_consumer *consumer, bool all);
void lite_discard_parked(struct lite_queue *queue);

/* ---- lite_offsets.c ---- */
/* What may be committed by itself goes into the queue's record. */
void lite_note_done(struct lite_queue *queue, bool all);
/* At the beginning of a poll. */
void lite_commit_if_due(mqc_lite_consumer *consumer);

#endif
