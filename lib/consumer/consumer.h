/* What all consumers of a group have in common: subscriptions, a table of queues that is divided
 * among the group's members, a pull loop for each queue, offsets, and a life. A kind of consumer
 * (struct consumer_kind) says how messages get from there to the application.
 *
 * Shared by the files of this layer only, in the order of a message's way: consumer.c (the object),
 * consumer_lifecycle.c (start, shutdown), consumer_role.c (what the instance calls),
 * consumer_requests.c and consume_directly.c (what brokers ask), rebalance.c and start_offset.c
 * (which queues, from where), consumer_queues.c (the table of queues), pull_loop.c and
 * pull_answer.c, then the kinds (push_*.c), send_back.c. */
#ifndef CONSUMER_CONSUMER_H
#define CONSUMER_CONSUMER_H

#include <mqclient/consumer.h>

#include "lib/consumer/allocate_strategy.h"
#include "lib/consumer/batches.h"
#include "lib/consumer/consumer_figures.h"
#include "lib/consumer/consumer_topic.h"
#include "lib/consumer/consumer_watch.h"
#include "lib/consumer/delivery.h"
#include "lib/consumer/offset_record.h"
#include "lib/consumer/process_queue.h"
#include "lib/consumer/pull_wish.h"
#include "lib/consumer/subscriptions.h"
#include "lib/protocol/names.h"
#include "lib/protocol/pop_ticket.h"
#include "services/consume_workers.h"
#include "services/pull_service.h"
#include "services/scheduled_executor.h"

/* NEW -> STARTING -> RUNNING -> STOPPING -> STOPPED; a failed start leads back to NEW. */
enum consumer_state {
    CONSUMER_NEW,
    CONSUMER_STARTING,
    CONSUMER_RUNNING,
    CONSUMER_STOPPING,
    CONSUMER_STOPPED
};

enum consumer_chore { CHORE_HEARTBEAT = 1, CHORE_SWEEP = 2, CHORE_WATCH = 4, CHORE_ROUTE = 8 };

struct consumer;
struct consumer_queue;

/* How messages are delivered. What says nothing else may be NULL. */
struct consumer_kind {
    const char *what;         /* in texts: "push consumer" */
    const char *prefix;       /* of its public functions: "mqc_push_consumer" */
    const char *consume_type; /* in heartbeats: "CONSUME_PASSIVELY", … */
    bool polled;              /* the application has what runs: it is not waited for at the end */
    bool brings_filter;       /* pulls name the filter themselves: LITE_PULL_MESSAGE */
    bool orderly;             /* as running info says */
    size_t queue_bytes;       /* of a queue's struct, which begins with a struct consumer_queue */
    size_t message_bytes;     /* of what `deliver` wants to have beside each message of a batch */

    /* ---- life ---- */
    /* Starts what delivers; consumer->instance is joined. What was started is stopped on failure.
     */
    mqc_status (*start)(struct consumer *consumer, mqc_error *error);
    /* Delivers nothing more and waits for what is being delivered, at most until the deadline;
     * returns how many listener calls still run then. May be called again. Not NULL. */
    int (*stop)(struct consumer *consumer, int64_t deadline_ms);
    /* Frees the struct that the consumer is part of; calls consumer_done. Not NULL. */
    void (*destroy)(struct consumer *consumer);

    /* ---- messages ---- */
    /* Messages that have just been put into the queue's `messages`. The batch is its own from here
     * on. On the thread that reads: must not block. Not NULL. */
    void (*deliver)(struct pulled_batch *batch);
    /* What was before `next` and not delivered was filtered out, and nothing is unfinished: NULL
     * for kinds whose commit offset may rise to there. On the thread that reads: must not block. */
    void (*passed)(struct consumer_queue *queue, int64_t next);
    /* Messages that were popped, with the batch its own from here on; likewise. */
    void (*deliver_popped)(struct popped_batch *batch);
    /* Resumed after a pause. */
    void (*resume)(struct consumer *consumer);
    /* The time has come to look for what takes too long (CHORE_SWEEP). Callback thread. */
    void (*sweep)(struct consumer *consumer, struct client_instance *instance);
    /* Has one message consumed now and here, and returns CR_SUCCESS or what else (309). On a worker
     * that `submit` gives the task to. */
    const char *(*consume_directly)(struct consumer *consumer, struct mqc_message *message);
    void (*submit)(struct consumer *consumer, struct consume_task *task);
    int (*threads)(struct consumer *consumer); /* that listeners run on, at most */
    int (*busy)(struct consumer *consumer);    /* of those, in a listener now */

    /* ---- queues; rebalance service unless said otherwise ---- */
    void (*pass_begins)(struct consumer *consumer); /* all queues are divided anew */
    void (*pass_ends)(struct consumer *consumer);
    /* Sets mine[i] for the queues of a topic that are to be ours, whatever the group's members
     * have. False: those are to divide them. */
    bool (*choose)(struct consumer *consumer, const mqc_message_queue *queues, size_t count,
                   bool *mine);
    void (*queue_init)(struct consumer_queue *queue);
    void (*queue_done)(struct consumer_queue *queue); /* any thread */
    void (*queue_begins)(struct consumer_queue *queue, int64_t begin);
    /* Makes sure that the queue may be ours, before its offset is asked for; MQC_WRONG_STATE when
     * it is still another member's, which is asked again soon. May block. */
    mqc_status (*gain)(struct consumer_queue *queue, struct client_instance *instance,
                       mqc_error *error);
    /* Milliseconds until the queue may be pulled, and *why; 0: now. Pull thread. */
    int64_t (*pull_delay)(struct consumer_queue *queue, enum queue_pause *why);
    /* The queue is to be lost (queue->leaving is set). False while something of it still runs that
     * must end first; then it wakes the rebalance service. */
    bool (*let_go)(struct consumer_queue *queue);
    /* The queue is out of the table, its last offset on the way; or it was gained by the kind but
     * not put there after all, perhaps without an offset. May block. Also at shutdown. */
    void (*lost)(struct consumer_queue *queue, struct client_instance *instance);
    void (*describe)(struct consumer_queue *queue, struct running_queue *out); /* any thread */
};

/* What the core needs of a kind's options, filled and checked. Texts are copied. */
struct consumer_settings {
    const mqc_client_options *client; /* may be NULL */
    const char *group;
    mqc_consume_from from;
    int64_t from_unix_ms;
    bool retries; /* consumes the group's retry topic, too */
    mqc_message_model model;
    mqc_allocate_options allocate; /* checked; everything in it is copied */
    mqc_queue_listener *queue_listener;
    void *queue_listener_arg;
    const char *offset_store_path; /* broadcasting: where offsets are kept; NULL: Java's place */
    bool offsets_in_memory;        /* broadcasting: nowhere */
    int max_reconsume_times;
    int stuck_after_ms; /* -1: queues are not watched */
    int pull_batch;
    int pull_batch_bytes;
    int pull_interval_ms;
    int queue_max_messages;
    int queue_max_mib;
    int queue_max_span;     /* -1: any */
    int topic_max_messages; /* shared by the queues of a topic; -1: any */
    int topic_max_mib;
    bool pop; /* where the broker says so */
    int pop_invisible_ms;
    int pop_max_unacked;
};

struct consumer {
    struct reference references; /* the application's handle, each queue, each chore */
    const struct consumer_kind *kind;
    struct client_role role;
    mqc_client_options client_options; /* texts are owned */
    struct consumer_settings settings; /* `client` and `group` point to what is here */
    char *group;
    char retry_topic[NAME_BYTES];
    unsigned fork_generation;
    struct intern names; /* of queues: the instance may be gone while a listener still runs */
    struct subscriptions subscriptions;

    struct lock lock;                 /* guards up to `left`, and what kinds say */
    struct condition changed;         /* of state, ending, users */
    _Atomic int state;                /* enum consumer_state; may be read without the lock */
    struct client_instance *instance; /* set before RUNNING, then fixed */
    struct offset_store *offsets;     /* likewise */
    struct consumer_figures figures;
    int users;   /* of the instance, by consumer_enter */
    bool ending; /* some thread works on the shutdown */
    bool left;   /* the instance is not to be touched any more */
    int64_t start_unix_ms;
    atomic_bool announced; /* the first heartbeat has gone out: brokers can list us */
    atomic_bool unlisted;  /* heartbeats do not name the subscriptions: queues were chosen */
    atomic_bool paused;
    _Atomic int64_t stop_deadline_ms; /* of requests while stopping; CLOCK_NEVER before */

    struct lock queues_lock; /* guards the next three */
    struct link queues;      /* struct consumer_queue, one reference each */
    struct map topics;       /* name → struct consumer_topic, kept until the end */
    bool queues_closed;      /* shutdown: nothing is added any more */

    struct pull_request nudge; /* wakes the rebalance service, while `nudged` */
    atomic_bool nudged;
    int held_passes; /* rebalances in a row in which others still had queues of ours; as nudged */

    struct callback_task chore;
    atomic_uint chores; /* what the chore is to do; submitted while it is not 0 */
    _Atomic int64_t heartbeat_ms;
    struct scheduled_task *watcher, *resets;
    struct consumer_watch watch;
    const char *_Atomic lost_topic; /* whose route CHORE_ROUTE is to look up */
    _Atomic int64_t route_ms;
    int unknown_passes, failed_passes; /* rebalances in a row: lacked us, failed otherwise */
    atomic_int missing_passes; /* … in which a topic had no route; a send-back begins anew */
};

/* One queue that this consumer has, from gaining it to losing it; a queue that is lost and gained
 * again gets a new one. Its pull request is alive exactly once from queue_pull_start until the
 * queue is dropped or the consumer stops, and holds a reference. */
struct consumer_queue {
    struct link link;     /* in consumer.queues */
    struct link in_topic; /* in topic->queues */
    struct link in_chain; /* in one of topic->chains */
    struct consumer_topic *topic;
    bool mine; /* still, as the division under way has it; rebalance service */
    struct reference references;
    struct consumer *consumer; /* counted */
    mqc_message_queue place;   /* names live as long as the consumer */
    const char *origin; /* the topic whose popped messages wait here to be retried; NULL: none */
    struct process_queue messages;
    struct offset_record *offset; /* NULL before consumer_queue_begin_at */
    struct queue_watch watch;
    atomic_bool leaving;        /* to be lost: not pulled any more */
    bool pop;                   /* popped instead of pulled: `messages` and `offset` stay empty */
    atomic_int unacked;         /* popped messages that are not settled yet */
    struct meter *meter;        /* NULL: nothing is counted */
    _Atomic int64_t end_offset; /* that the broker named last; -1 before */

    struct pull_request pull; /* this and what follows belong to whoever has the pull request */
    struct callback_task repair;
    int64_t next_offset;
    unsigned attempt;  /* ordered pops: the one that was not answered yet */
    int64_t broker_id; /* that the broker suggested, or that is tried instead */
    bool at_slave;     /* the last pull went to one */
    int64_t asked_ms;
    unsigned pauses;     /* for flow control, in a row */
    int64_t breather_ms; /* after the last answer, which said "nothing" at once */
};

/* ---- consumer.c ---- */
/* For an object of zeros. When it fails there is nothing to undo. */
mqc_status consumer_init(struct consumer *consumer, const struct consumer_kind *kind,
                         const struct consumer_settings *settings, mqc_error *error);
void consumer_done(struct consumer *consumer);
void consumer_ref(struct consumer *consumer);
void consumer_unref(struct consumer *consumer);
/* That it is this process's; and, for `function`, not shut down yet. */
mqc_status consumer_check(const struct consumer *consumer, mqc_error *error);
mqc_status consumer_check_live(const struct consumer *consumer, const char *function,
                               mqc_error *error);
/* What the public functions of every kind do; see consumer.h of the public headers. */
mqc_status consumer_subscribe(struct consumer *consumer, const char *topic, const char *filter,
                              mqc_error *error);
/* Also asks a broker whether it filters like that, when the consumer runs. */
mqc_status consumer_subscribe_sql(struct consumer *consumer, const char *topic,
                                  const char *expression, mqc_error *error);
mqc_status consumer_unsubscribe(struct consumer *consumer, const char *topic, mqc_error *error);
mqc_status consumer_pause(struct consumer *consumer, mqc_error *error);
mqc_status consumer_resume(struct consumer *consumer, mqc_error *error);

/* The instance, usable until consumer_exit; NULL when there is none (not started, or left). */
struct client_instance *consumer_enter(struct consumer *consumer);
void consumer_exit(struct consumer *consumer);
bool consumer_running(const struct consumer *consumer);
/* So many ms from now, but no longer than a shutdown may take. */
int64_t consumer_deadline(const struct consumer *consumer, int64_t timeout_ms);
/* The broker of this queue, or its master, cannot be reached: has a callback thread look up where
 * it is now, at most every `least_ms`. The name of the topic lives as long as the consumer. */
void consumer_look_for_broker(struct consumer *consumer, const char *topic, int64_t least_ms);
/* Has a callback thread do it soon. On a thread of the instance, or between enter and exit. */
void consumer_do_later(struct consumer *consumer, enum consumer_chore chore);

/* ---- consumer_lifecycle.c ---- */
mqc_status consumer_start(struct consumer *consumer, mqc_error *error);
mqc_status consumer_shutdown(struct consumer *consumer, int drain_ms, mqc_error *error);
/* Shuts down and gives the application's reference back. */
void consumer_free(struct consumer *consumer);

/* ---- consumer_role.c, consumer_requests.c, consume_directly.c ---- */
extern const struct client_role_type CONSUMER_ROLE_TYPE;
/* Both take the request over. Callback thread. */
void consumer_request(struct consumer *consumer, struct client_request *request);
void consumer_consume_directly(struct consumer *consumer, struct client_request *request);

/* ---- consumer_stats.c ---- */
void consumer_tell_stats(struct client_role *role, struct mqc_stats *out);
void consumer_sample_stats(struct client_role *role, int64_t now_ms);
mqc_stats *consumer_stats(struct consumer *consumer, mqc_error *error);
/* Keeps what a division of the topic's `queues` queues has changed. Rebalance service. */
void consumer_note_rebalance(struct consumer *consumer, const char *topic, size_t queues,
                             int gained, int lost);

/* ---- consumer_queues.c ---- */
mqc_status consumer_queue_new(struct consumer *consumer, const mqc_message_queue *place,
                              struct consumer_queue **out, mqc_error *error);
void consumer_queue_ref(struct consumer_queue *queue);
void consumer_queue_unref(struct consumer_queue *queue); /* NULL is fine */
/* The broker that has it now (route_table_host). */
const char *consumer_queue_host(const struct consumer_queue *queue);
/* Where it begins, and what is stored of it (-1: nothing). Once, before it is added. */
mqc_status consumer_queue_begin_at(struct consumer_queue *queue, int64_t stored, int64_t begin,
                                   mqc_error *error);
/* The same for a queue that takes the place of another one and goes on elsewhere. */
void consumer_queue_go_on(struct consumer_queue *queue, struct consumer_queue *old, int64_t begin);
/* The message is done: the commit offset may rise. */
void consumer_queue_finished(struct consumer_queue *queue, const struct mqc_message *message);
/* Makes a queue ours, if its kind agrees: looks up where it begins and starts pulling it. MQC_OK
 * also when we have it already or are being shut down; *gained says whether it is new. Blocks. */
mqc_status consumer_queue_gain(struct consumer *consumer, struct client_instance *instance,
                               const mqc_message_queue *place, bool *gained, mqc_error *error);
/* The same for a place that is to be popped: the broker knows where it begins. */
mqc_status consumer_queue_gain_pop(struct consumer *consumer, const mqc_message_queue *place,
                                   bool *gained, mqc_error *error);
/* Nothing that still runs for it counts; its offset is told to the broker without waiting. */
void consumer_queue_give_up(struct consumer_queue *queue);
/* Gives it up and takes it out of the table, as soon as its kind lets it go: false when that is
 * still to come, with another call by the rebalance service. Between enter and exit. */
bool consumer_queue_lose(struct consumer_queue *queue, struct client_instance *instance,
                         const char *why);
/* The queue goes on at another offset: drops it, tells the broker, and loses it, so that the next
 * rebalance adds it anew from there. Blocks. */
void consumer_queue_move(struct consumer_queue *queue, struct client_instance *instance,
                         int64_t offset);

/* From here on queues of the topic are new. Rebalance service. */
void consumer_topic_looked_at(struct consumer *consumer, const char *topic);
/* Takes a reference. False when the table is closed or has the place already. */
bool consumer_queues_add(struct consumer *consumer, struct consumer_queue *queue);
/* False when it was not there (any more). */
bool consumer_queues_remove(struct consumer *consumer, struct consumer_queue *queue);
bool consumer_queues_has(struct consumer *consumer, const mqc_message_queue *place);
/* Puts a queue into another one's place. False when that is not in the table any more. */
bool consumer_queues_replace(struct consumer *consumer, struct consumer_queue *old,
                             struct consumer_queue *queue);
/* Counted up; NULL when it is not ours. */
struct consumer_queue *consumer_queues_find(struct consumer *consumer,
                                            const mqc_message_queue *place);
/* The queues of a topic (NULL: all), counted up; release with consumer_queues_release. NULL and a
 * count of 0 also when there is no memory. */
struct consumer_queue **consumer_queues_list(struct consumer *consumer, const char *topic,
                                             size_t *count);
void consumer_queues_release(struct consumer_queue **list, size_t count);
/* Closes the table and moves all queues to `taken`, with their references. */
void consumer_queues_close(struct consumer *consumer, struct link *taken);

/* ---- rebalance.c ---- */
bool consumer_rebalance(struct consumer *consumer);

/* ---- start_offset.c ---- */
/* Where to begin: *stored is what the group has stored (-1: nothing), *begin where to pull from.
 * `is_new`: the queue was not there when its topic was looked at first. Blocks. */
mqc_status consumer_start_offset(struct consumer *consumer, struct client_instance *instance,
                                 const mqc_message_queue *place, bool is_new, int64_t *stored,
                                 int64_t *begin, mqc_error *error);

/* ---- pull_loop.c ---- */
void queue_pull_start(struct consumer_queue *queue);
/* A broker that holds a pull for want of messages is not waited for any longer: the filter that it
 * holds it with is out of date. Between enter and exit. */
void queue_pull_anew(struct consumer_queue *queue);
/* For whoever has the pull request: what becomes of it. */
void queue_pull_again(struct consumer_queue *queue, int64_t delay_ms);
void queue_pull_failed(struct consumer_queue *queue); /* again in a second or so */
void queue_pull_end(struct consumer_queue *queue);
bool queue_pull_over(const struct consumer_queue *queue); /* not ours, or the consumer stops */
/* Whether it holds as much as it may, and which limit that is. */
bool queue_full(struct consumer_queue *queue, char which[QUEUE_WHY_BYTES]);
/* Sends a queue's pull or pop; its answer has the pull request after MQC_OK. Must not block. */
typedef mqc_status queue_asker(struct consumer_queue *queue,
                               const struct topic_subscription *subscription, mqc_error *error);
/* Asks by the topic's subscription; what cannot be asked now is tried again. */
void queue_pull_ask(struct consumer_queue *queue, queue_asker *ask);

/* ---- pull_answer.c ---- */
remoting_done queue_pull_answered; /* arg: struct consumer_queue */

/* For pulls and pops: the broker has not answered. */
void queue_pull_unanswered(struct consumer_queue *queue, const mqc_error *error);
/* … whatever else it answered. */
void queue_pull_refused(struct consumer_queue *queue, const struct remoting_arrival *arrival,
                        const char *request);
void queue_pull_say(struct consumer_queue *queue, const char *what);
/* Gives the messages of an answer the name of the queue's broker. False: no memory. */
bool queue_pull_name_broker(struct message_block *block, const char *broker_name);

/* Whether its tags are among those subscribed to. */
bool consumer_wants(const struct topic_subscription *subscription,
                    const struct mqc_message *message);

/* ---- pop_loop.c, pop_answer.c ---- */
void queue_pop(struct consumer_queue *queue); /* has the pull request; pull thread */
remoting_done queue_pop_answered;             /* arg: struct consumer_queue */

/* ---- rebalance_pop.c ---- */
/* What the broker wants of this member for a topic: places to be popped, whose names live as long
 * as the consumer, for memory_free; or *pulled, when it says that the topic is to be pulled.
 * MQC_NOT_FOUND: it does not know yet. Blocks. */
mqc_status consumer_pop_places(struct consumer *consumer, struct client_instance *instance,
                               const char *topic, int64_t deadline_ms, mqc_message_queue **list,
                               size_t *count, bool *pulled, mqc_error *error);

/* Of a topic that is pulled now, the messages that wait in the group's pop retry topics must be
 * pulled, too; of one that is popped, the broker brings them. Whether subscriptions have changed.
 */
bool consumer_follow_pop_retries(struct consumer *consumer, const char *topic, bool pulled);

/* ---- send_back.c ---- */
/* Has the broker deliver the message again (level as mqc_delivery_retry_level). Blocks. */
mqc_status consumer_send_back(struct consumer *consumer, struct client_instance *instance,
                              struct mqc_message *message, int level, mqc_error *error);
/* The same by an ordinary message to the retry topic. Blocks. */
mqc_status consumer_send_copy(struct consumer *consumer, struct client_instance *instance,
                              struct mqc_message *message, mqc_error *error);

#endif
