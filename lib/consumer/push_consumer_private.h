/* Shared by the files of the push consumer only, in the order of a message's way:
 * push_consumer.c (the object), consumer_lifecycle.c (start, shutdown), consumer_role.c (what the
 * instance calls), rebalance.c and start_offset.c (which queues, from where), consumer_queues.c
 * (the table of queues), pull_loop.c and pull_answer.c, consume_concurrently.c, delivery.c,
 * send_back.c, consume_timeout.c. */
#ifndef CONSUMER_PUSH_CONSUMER_PRIVATE_H
#define CONSUMER_PUSH_CONSUMER_PRIVATE_H

#include <mqclient/consumer.h>

#include "lib/consumer/allocate_strategy.h"
#include "lib/consumer/offset_store.h"
#include "lib/consumer/process_queue.h"
#include "lib/consumer/subscriptions.h"
#include "lib/protocol/names.h"
#include "services/consume_workers.h"

/* NEW -> STARTING -> RUNNING -> STOPPING -> STOPPED; a failed start leads back to NEW. */
enum consumer_state {
    CONSUMER_NEW,
    CONSUMER_STARTING,
    CONSUMER_RUNNING,
    CONSUMER_STOPPING,
    CONSUMER_STOPPED
};

enum consumer_chore { CHORE_HEARTBEAT = 1, CHORE_SWEEP = 2 };

struct mqc_push_consumer {
    struct reference references; /* the application's handle, each queue, each chore */
    struct client_role role;
    mqc_client_options client_options; /* texts are owned */
    mqc_push_consumer_options options; /* filled; `client` and `group` point to what is here */
    char *group;
    char retry_topic[NAME_BYTES];
    unsigned fork_generation;
    struct intern names; /* of queues: the instance may be gone while a listener still runs */
    struct subscriptions subscriptions;
    struct consume_workers *workers;
    const struct allocate_strategy *strategy;

    struct lock lock;                 /* guards up to `parked` */
    struct condition changed;         /* of state, ending, users */
    _Atomic int state;                /* enum consumer_state; may be read without the lock */
    struct client_instance *instance; /* set before RUNNING, then fixed */
    bool ending;                      /* some thread works on the shutdown */
    bool left;                        /* the instance is not to be touched any more */
    int users;                        /* of the instance, by consumer_enter */
    int64_t start_unix_ms;
    atomic_bool announced; /* the first heartbeat has gone out: brokers can list us */
    struct link parked;    /* consume_task.link of pieces that came up while paused */
    atomic_bool paused;
    _Atomic int64_t stop_deadline_ms; /* of requests while stopping; CLOCK_NEVER before */

    struct lock queues_lock; /* guards the next two */
    struct link queues;      /* struct consumer_queue, one reference each */
    bool queues_closed;      /* shutdown: nothing is added any more */

    struct scheduled_task *sweep;
    struct callback_task chore;
    atomic_uint chores; /* what the chore is to do; submitted while it is not 0 */
    _Atomic int64_t heartbeat_ms;
    int unknown_passes; /* rebalances in a row whose list of members lacked us; their thread only */
    atomic_int missing_passes; /* … in which a topic had no route; a send-back begins anew */
};

/* One queue that this consumer has, from gaining it to losing it; a queue that is lost and gained
 * again gets a new one. Its pull request is alive exactly once from queue_pull_start until the
 * queue is dropped or the consumer stops, and holds a reference. */
struct consumer_queue {
    struct link link; /* in mqc_push_consumer.queues */
    struct reference references;
    struct mqc_push_consumer *consumer; /* counted */
    mqc_message_queue place;            /* names live as long as the consumer */
    struct process_queue messages;
    struct offset_record *offset;

    struct pull_request pull; /* this and what follows belong to whoever has the pull request */
    struct callback_task repair;
    int64_t next_offset;
    int64_t broker_id; /* that the broker suggested */
    int64_t asked_ms;
    unsigned pauses; /* for flow control, in a row */
};

/* ---- push_consumer.c ---- */
void consumer_ref(struct mqc_push_consumer *consumer);
void consumer_unref(struct mqc_push_consumer *consumer);
mqc_status consumer_check(const struct mqc_push_consumer *consumer, mqc_error *error);
/* The instance, usable until consumer_exit; NULL when there is none (not started, or left). */
struct client_instance *consumer_enter(struct mqc_push_consumer *consumer);
void consumer_exit(struct mqc_push_consumer *consumer);
bool consumer_running(const struct mqc_push_consumer *consumer);
/* So many ms from now, but no longer than a shutdown may take. */
int64_t consumer_deadline(const struct mqc_push_consumer *consumer, int64_t timeout_ms);
/* Has a callback thread do it soon. On a thread of the instance, or between enter and exit. */
void consumer_do_later(struct mqc_push_consumer *consumer, enum consumer_chore chore);

/* ---- consumer_role.c ---- */
extern const struct client_role_type CONSUMER_ROLE_TYPE;

/* ---- consumer_queues.c ---- */
/* A queue with the offset that the broker has stored (-1: none) and the one to begin at. */
mqc_status consumer_queue_new(struct mqc_push_consumer *consumer, struct client_instance *instance,
                              const mqc_message_queue *place, int64_t stored, int64_t begin,
                              struct consumer_queue **out, mqc_error *error);
void consumer_queue_ref(struct consumer_queue *queue);
void consumer_queue_unref(struct consumer_queue *queue); /* NULL is fine */
/* Nothing that still runs for it counts; its offset is told to the broker without waiting. */
void consumer_queue_give_up(struct consumer_queue *queue);
/* The queue goes on at another offset: drops it, tells the broker, and takes it out of the table,
 * so that the next rebalance adds it anew from there. Blocks. */
void consumer_queue_move(struct consumer_queue *queue, int64_t offset);

/* Takes a reference. False when the table is closed or has the place already. */
bool consumer_queues_add(struct mqc_push_consumer *consumer, struct consumer_queue *queue);
/* False when it was not there (any more). */
bool consumer_queues_remove(struct mqc_push_consumer *consumer, struct consumer_queue *queue);
bool consumer_queues_has(struct mqc_push_consumer *consumer, const mqc_message_queue *place);
/* The queues of a topic (NULL: all), counted up; release with consumer_queues_release. NULL and a
 * count of 0 also when there is no memory. */
struct consumer_queue **consumer_queues_list(struct mqc_push_consumer *consumer, const char *topic,
                                             size_t *count);
void consumer_queues_release(struct consumer_queue **list, size_t count);
/* Closes the table and moves all queues to `taken`, with their references. */
void consumer_queues_close(struct mqc_push_consumer *consumer, struct link *taken);

/* ---- rebalance.c ---- */
bool consumer_rebalance(struct mqc_push_consumer *consumer);

/* ---- start_offset.c ---- */
/* Where to begin: *stored is what the broker has for the group (-1: nothing), *begin where to pull
 * from. Blocks. */
mqc_status consumer_start_offset(struct mqc_push_consumer *consumer,
                                 struct client_instance *instance, const mqc_message_queue *place,
                                 int64_t *stored, int64_t *begin, mqc_error *error);

/* ---- pull_loop.c ---- */
void queue_pull_start(struct consumer_queue *queue);
/* For whoever has the pull request: what becomes of it. */
void queue_pull_again(struct consumer_queue *queue, int64_t delay_ms);
void queue_pull_failed(struct consumer_queue *queue); /* again in a second or so */
void queue_pull_end(struct consumer_queue *queue);
bool queue_pull_over(const struct consumer_queue *queue); /* dropped, or the consumer stops */

/* ---- pull_answer.c ---- */
remoting_done queue_pull_answered; /* arg: struct consumer_queue */

/* ---- delivery.c ---- */
struct mqc_delivery {
    mqc_message_queue queue;
    struct mqc_message **messages;
    size_t count;
    size_t done; /* of them, when the listener succeeds */
    int retry_level;
};
/* Calls the listener and returns how many of the messages are done. */
size_t delivery_run(const struct mqc_push_consumer *consumer, struct mqc_delivery *delivery);
/* Makes a message what the application should see. */
mqc_status delivery_prepare(struct mqc_message *message, mqc_error *error);

/* ---- consume_concurrently.c ---- */
/* The messages of one pull on their way through the workers, in one allocation. */
struct consume_batch;
/* Room for all messages of the block; takes a reference of the queue, and over that of the block
 * when it succeeds. */
struct consume_batch *consume_batch_new(struct consumer_queue *queue, struct message_block *block);
struct mqc_message **consume_batch_messages(struct consume_batch *batch);
/* Gives the first `count` messages to the workers; the batch is theirs then, also when count is 0.
 */
void consume_batch_submit(struct consume_batch *batch, size_t count);
void consume_resume(struct mqc_push_consumer *consumer); /* what is parked goes to the workers */
void consume_discard_parked(struct mqc_push_consumer *consumer);
/* The message is done: the commit offset may rise. */
void consume_finished(struct consumer_queue *queue, const struct mqc_message *message);

/* ---- send_back.c ---- */
/* Has the broker deliver the message again (level as mqc_delivery_retry_level). Blocks. */
mqc_status consumer_send_back(struct mqc_push_consumer *consumer, struct client_instance *instance,
                              struct mqc_message *message, int level, mqc_error *error);

/* ---- consume_timeout.c ---- */
mqc_status consume_timeout_start(struct mqc_push_consumer *consumer,
                                 struct client_instance *instance, mqc_error *error);
void consume_timeout_sweep(struct mqc_push_consumer *consumer, struct client_instance *instance);

#endif
