/* The messages of one queue that have been pulled and are not yet done, in offset order
 * (ProcessQueue.java). Its commit offset is that of the smallest message that is not done: one slow
 * message holds the whole queue back, and nothing is lost. Any thread, under its own lock; knows
 * nothing of networks. */
#ifndef CONSUMER_PROCESS_QUEUE_H
#define CONSUMER_PROCESS_QUEUE_H

#include <stdatomic.h>

#include "lib/base/lock.h"
#include "lib/protocol/message.h"

enum process_state {
    PROCESS_WAITING, /* for a worker, or for its next local delivery */
    PROCESS_RUNNING, /* a listener has it */
    PROCESS_CLAIMED, /* somebody sends it back */
    PROCESS_DONE
};

struct process_entry {
    struct mqc_message *message; /* counted until done */
    int64_t offset;
    size_t bytes; /* as recorded at put: what is added is what is taken off */
    enum process_state state;
    int64_t started_ms; /* when the listener was given it */
};

struct process_queue {
    struct lock lock;              /* guards everything below but the atomics */
    struct process_entry *entries; /* a ring */
    size_t capacity;               /* a power of two, or 0 */
    size_t first;
    size_t held;    /* entries from the first that is not done to the last that is not */
    size_t count;   /* of those, the ones that are not done */
    size_t bytes;   /* of their bodies */
    int64_t next;   /* behind everything that was put or passed; -1 before */
    uint64_t moves; /* messages begun or done so far */
    atomic_bool dropped;
    _Atomic int64_t last_pull_ms; /* monotonic */
    _Atomic int64_t last_pull_unix_ms;
    _Atomic int64_t last_consume_unix_ms;
};

/* What flow control and the running info want to know; offsets are -1 when it is empty. */
struct process_queue_state {
    size_t count;
    size_t bytes;
    int64_t first_offset;
    int64_t last_offset;
    uint64_t moves;           /* messages begun or done so far */
    int64_t running_since_ms; /* of the one begun first that is not done; -1: none runs */
    int64_t running_offset;
};

void process_queue_init(struct process_queue *queue);
void process_queue_done(struct process_queue *queue);

/* Adds messages that ascend by offset, counting each up. Those that have been put or passed before
 * are duplicates: they are left out, and `messages` is closed up to the ones that are new, whose
 * number is *added. On MQC_NO_MEMORY nothing has changed. */
mqc_status process_queue_put(struct process_queue *queue, struct mqc_message **messages,
                             size_t count, size_t *added, mqc_error *error);

/* Everything before `next` has been seen: what was not put was filtered out. Returns the commit
 * offset when the queue is empty, else -1. */
int64_t process_queue_pass(struct process_queue *queue, int64_t next);

/* A listener is given the message. False when somebody else has it or it is done: not to be
 * delivered. */
bool process_queue_begin(struct process_queue *queue, int64_t offset, int64_t now_ms);

/* The same for the first messages that wait: at most `most` in `out`, each counted up for the
 * caller. Returns how many. */
size_t process_queue_take(struct process_queue *queue, size_t most, int64_t now_ms,
                          struct mqc_message **out);

/* RUNNING to CLAIMED: the caller alone may send the message back. */
bool process_queue_claim(struct process_queue *queue, int64_t offset);
/* The claim came to nothing: the listener still has it. */
void process_queue_unclaim(struct process_queue *queue, int64_t offset);
/* It will be delivered again from here. */
void process_queue_again(struct process_queue *queue, int64_t offset);

/* RUNNING to WAITING, before those behind it: one message, or all. */
void process_queue_put_back(struct process_queue *queue, int64_t offset);
void process_queue_put_back_taken(struct process_queue *queue);
/* All that are RUNNING are done. Returns as process_queue_remove. */
int64_t process_queue_finish_taken(struct process_queue *queue);

/* The message is done. Returns the commit offset: that of the first message that is not done, or
 * what follows the last one. -1 when nothing was ever put or passed. Done twice is fine. */
int64_t process_queue_remove(struct process_queue *queue, int64_t offset);

/* The first message that a listener has had since `since_ms` or longer: claimed, and counted up for
 * the caller. NULL when there is none. */
struct mqc_message *process_queue_expired(struct process_queue *queue, int64_t since_ms);

void process_queue_read(struct process_queue *queue, struct process_queue_state *state);
/* The same with what runs, which takes a look at each message. */
void process_queue_read_all(struct process_queue *queue, struct process_queue_state *state);
int64_t process_queue_next(struct process_queue *queue); /* -1 before the first put */

/* What runs of a dropped queue has no effect any more. */
static inline void process_queue_drop(struct process_queue *queue)
{
    atomic_store(&queue->dropped, true);
}

static inline bool process_queue_dropped(const struct process_queue *queue)
{
    return atomic_load(&queue->dropped);
}

#endif
