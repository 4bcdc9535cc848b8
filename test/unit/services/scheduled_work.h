/* A scheduler and tasks that say when they ran, for the scheduler's tests. */
#ifndef TEST_SERVICES_SCHEDULED_WORK_H
#define TEST_SERVICES_SCHEDULED_WORK_H

#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "services/scheduled_executor.h"
#include "services/service.h"
#include "test/unit/services/latch.h"
#include "test/unit/unit.h"

enum { HOUR_MS = 3600 * 1000, MANY = 500, ROUNDS = 200 };

struct work {
    struct scheduled_task *task;
    struct latch ran;
    struct latch entered;
    struct latch gate; /* a gated run goes on when this is raised */
    int order;
    int64_t earliest_ms; /* bounds of the due time, as adding takes time */
    int64_t latest_ms;
    int64_t begun_ms;
    int64_t ended_ms;
    int64_t shortest_gap_ms; /* from the end of a run to the start of the next */
    atomic_bool ended;
};

static struct scheduled_executor *executor;
static atomic_int next_order;
static long blocks_before;

static inline void work_init(struct work *work)
{
    *work = (struct work){.shortest_gap_ms = INT64_MAX};
    latch_init(&work->ran);
    latch_init(&work->entered);
    latch_init(&work->gate);
}

static inline void work_done(struct work *work)
{
    latch_done(&work->gate);
    latch_done(&work->entered);
    latch_done(&work->ran);
}

static inline void run(void *arg)
{
    struct work *work = arg;
    work->begun_ms = clock_now_ms();
    if (work->ended_ms > 0 && work->begun_ms - work->ended_ms < work->shortest_gap_ms)
        work->shortest_gap_ms = work->begun_ms - work->ended_ms;
    work->order = atomic_fetch_add(&next_order, 1);
    work->ended_ms = clock_now_ms();
    latch_raise(&work->ran);
}

static inline void run_gated(void *arg)
{
    struct work *work = arg;
    latch_raise(&work->entered);
    latch_wait(&work->gate, 1);
    atomic_store(&work->ended, true);
    latch_raise(&work->ran);
}

static inline void set_up(void)
{
    blocks_before = memory_live_blocks();
    atomic_store(&next_order, 0);
    ck_assert_int_eq(scheduled_executor_new(&executor, NULL), MQC_OK);
}

static inline void start(void)
{
    mqc_error error = {0};
    ck_assert_msg(scheduled_executor_start(executor, &error) == MQC_OK, "%s", error.text);
}

static inline void add(struct work *work, int64_t delay_ms, int64_t period_ms,
                       void (*function)(void *))
{
    work->earliest_ms = clock_now_ms() + delay_ms;
    ck_assert_int_eq(scheduled_executor_add(executor, "test", delay_ms, period_ms, function, work,
                                            &work->task, NULL),
                     MQC_OK);
    work->latest_ms = clock_now_ms() + delay_ms;
}

static inline void tear_down(void)
{
    scheduled_executor_free(executor);
    ck_assert_int_eq(service_live_count(), 0);
    ck_assert_int_eq(memory_live_blocks(), blocks_before);
}

#endif
