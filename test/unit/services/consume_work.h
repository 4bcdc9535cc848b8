/* A worker pool and tasks that say who ran them, for the pool's tests. */
#ifndef TEST_SERVICES_CONSUME_WORK_H
#define TEST_SERVICES_CONSUME_WORK_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "services/consume_workers.h"
#include "services/service.h"
#include "test/unit/services/latch.h"
#include "test/unit/unit.h"

enum { MANY = 2000, SUBMITTERS = 3, BIG = 20 };

struct work {
    struct consume_task task;
    atomic_int runs;
    atomic_int discards;
    int order;
    bool is_current;
    pthread_t thread;
    int stop_result;
    struct work *submits;
};

static struct consume_workers *workers;
static struct latch ran;
static struct latch entered;
static struct latch gate;
static int together;
static atomic_int next_order;
static atomic_int inside;
static atomic_int most_inside;

static inline struct work *work_of(struct consume_task *task)
{
    return CONTAINER_OF(task, struct work, task);
}

static inline void run(struct consume_task *task)
{
    struct work *work = work_of(task);
    int now = atomic_fetch_add(&inside, 1) + 1;
    int most = atomic_load(&most_inside);
    while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now)) {
    }
    work->order = atomic_fetch_add(&next_order, 1);
    work->is_current = consume_workers_is_current(workers);
    work->thread = pthread_self();
    if (work->submits) consume_workers_submit(workers, &work->submits->task);
    atomic_fetch_add(&work->runs, 1);
    atomic_fetch_sub(&inside, 1);
    latch_raise(&ran);
}

/* Returns only when `together` tasks are in here at once. */
static inline void run_together(struct consume_task *task)
{
    latch_raise(&entered);
    latch_wait(&entered, together);
    run(task);
}

static inline void run_gated(struct consume_task *task)
{
    latch_raise(&entered);
    latch_wait(&gate, 1);
    run(task);
}

static inline void discard(struct consume_task *task)
{
    struct work *work = work_of(task);
    work->thread = pthread_self();
    atomic_fetch_add(&work->discards, 1);
}

static inline void set_up(int maximum)
{
    latch_init(&ran);
    latch_init(&entered);
    latch_init(&gate);
    atomic_store(&next_order, 0);
    atomic_store(&inside, 0);
    atomic_store(&most_inside, 0);
    ck_assert_int_eq(consume_workers_new(maximum, &workers, NULL), MQC_OK);
}

static inline void start(void)
{
    ck_assert_int_eq(consume_workers_start(workers, NULL), MQC_OK);
}

static inline void tear_down(void)
{
    consume_workers_free(workers);
    ck_assert_int_eq(service_live_count(), 0);
    latch_done(&gate);
    latch_done(&entered);
    latch_done(&ran);
}

static inline void prepare(struct work *work, void (*function)(struct consume_task *))
{
    work->task.run = function;
    work->task.discard = discard;
}

static inline void submit(struct work *work, void (*function)(struct consume_task *))
{
    prepare(work, function);
    consume_workers_submit(workers, &work->task);
}

static inline void submit_all(struct work *works, int count,
                              void (*function)(struct consume_task *))
{
    struct link tasks;
    list_init(&tasks);
    for (int i = 0; i < count; i++) {
        prepare(&works[i], function);
        list_append(&tasks, &works[i].task.link);
    }
    consume_workers_submit_all(workers, &tasks);
    ck_assert(list_empty(&tasks));
}

#endif
