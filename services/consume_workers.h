/* A consumer's pool of worker threads: takes tasks from one queue; grows with need up to its
 * maximum and shrinks again to its minimum when workers have been idle for a minute. */
#ifndef SERVICES_CONSUME_WORKERS_H
#define SERVICES_CONSUME_WORKERS_H

#include <mqclient/status.h>

#include "lib/base/list.h"

struct consume_workers;

/* One piece of work. Exactly one of the two functions is called, once, with no lock held. */
struct consume_task {
    struct link link;
    void (*run)(struct consume_task *task);     /* owns the task */
    void (*discard)(struct consume_task *task); /* the pool ends without running it */
};

mqc_status consume_workers_new(int maximum, struct consume_workers **out, mqc_error *error);
/* Before start tasks only queue up. With a minimum the first worker begins here, so that there is
 * always one, or this fails for want of it; all others, and without a minimum the first, too, begin
 * with work. */
mqc_status consume_workers_start(struct consume_workers *workers, mqc_error *error);

/* Any thread, also a worker. After stop has begun the task is discarded within the call. When the
 * system gives no thread, the workers that there are go on; when there are none, the task stays
 * queued and the next submission tries again. */
void consume_workers_submit(struct consume_workers *workers, struct consume_task *task);
/* Submits a whole list under one lock and empties it. Wakes one worker, which wakes the next when
 * there is more to do: a burst of small tasks does not wake the whole pool. */
void consume_workers_submit_all(struct consume_workers *workers, struct link *tasks);

/* Takes no more tasks, discards those that have not begun, and waits for running ones until the
 * deadline; returns how many still run then; at 0 all threads have been joined. May be called again
 * to wait longer. On one of its own workers it does not wait, as it would wait for itself: callers
 * ask consume_workers_is_current first and let another thread call it again. One caller at a time.
 */
int consume_workers_stop(struct consume_workers *workers, int64_t deadline_ms);
/* Stops and waits for all; not on one of its workers. NULL is fine. */
void consume_workers_free(struct consume_workers *workers);

/* How many workers stay when they are idle, instead of none. Before start. */
void consume_workers_set_minimum(struct consume_workers *workers, int minimum);

/* Threads that there are at the moment, and those that run a task. */
int consume_workers_count(struct consume_workers *workers);
int consume_workers_busy(struct consume_workers *workers);
/* Whether the calling thread is one of these workers. */
bool consume_workers_is_current(struct consume_workers *workers);

/* For tests: how long a worker stays idle before it ends, instead of a minute. Before start. */
void consume_workers_set_idle_ms(struct consume_workers *workers, int64_t idle_ms);

#endif
