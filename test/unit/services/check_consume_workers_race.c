/* The worker pool at moments that hardly ever come by themselves: what happens while somebody is
 * starting a thread. The pool is compiled in here with a service_start that arranges them. */
#include "services/service.h"

static mqc_status arranged_start(struct service *service, mqc_error *error);
#define service_start arranged_start
#include "services/consume_workers.c"
#undef service_start

#include <sched.h>

#include "lib/base/error.h"
#include "test/unit/services/consume_work.h"

static mqc_status (*arrangement)(struct service *service); /* for one start */
static struct work works[3];

static mqc_status arranged_start(struct service *service, mqc_error *error)
{
    mqc_status (*now)(struct service *) = arrangement;
    arrangement = NULL;
    return now ? now(service) : service_start(service, error);
}

static bool somebody_idle(void)
{
    lock_take(&workers->lock);
    bool idle = !list_empty(&workers->idle);
    lock_release(&workers->lock);
    return idle;
}

/* The thread runs its task and ends, and another task comes, before the starter is told. */
static mqc_status start_and_end(struct service *service)
{
    mqc_status status = service_start(service, NULL);
    latch_wait(&ran, 1);
    while (consume_workers_count(workers) > 0) sched_yield();
    submit(&works[1], run);
    return status;
}

START_TEST(worker_ends_before_its_starter_is_done)
{
    set_up(1);
    consume_workers_set_idle_ms(workers, 0);
    start();
    arrangement = start_and_end;
    submit(&works[0], run);
    latch_wait(&ran, 2);
    submit(&works[2], run);
    latch_wait(&ran, 3);
    tear_down();
}
END_TEST

/* The busy worker does all there is and becomes idle, another task comes, and the start fails. */
static mqc_status fail_late(struct service *service)
{
    (void)service;
    latch_raise(&gate);
    latch_wait(&ran, 2);
    while (!somebody_idle()) sched_yield();
    submit(&works[2], run);
    return MQC_SYSTEM;
}

START_TEST(task_comes_while_a_start_fails)
{
    set_up(2);
    start();
    submit(&works[0], run_gated);
    latch_wait(&entered, 1);
    arrangement = fail_late;
    submit(&works[1], run);
    latch_wait(&ran, 3);
    ck_assert_int_eq(consume_workers_count(workers), 1);
    tear_down();
}
END_TEST

static pthread_t stopper;
static atomic_bool stopped;
static bool stopped_too_soon;

static void *stop_pool(void *arg)
{
    (void)arg;
    consume_workers_stop(workers, CLOCK_NEVER);
    atomic_store(&stopped, true);
    return NULL;
}

/* The pool is asked to stop while the thread is being made; the thread ends before its starter is
 * done, who still uses the pool then. */
static mqc_status start_during_stop(struct service *service)
{
    ck_assert_int_eq(pthread_create(&stopper, NULL, stop_pool, NULL), 0);
    bool stopping = false;
    while (!stopping) {
        lock_take(&workers->lock);
        stopping = workers->stopping;
        lock_release(&workers->lock);
        sched_yield();
    }
    mqc_status status = service_start(service, NULL);
    while (consume_workers_count(workers) > 0) sched_yield();
    for (int i = 0; i < 1000; i++) sched_yield(); /* gives a stop that is wrong the time to show */
    stopped_too_soon = atomic_load(&stopped);
    return status;
}

START_TEST(stop_waits_for_a_thread_that_is_being_started)
{
    set_up(2);
    start();
    arrangement = start_during_stop;
    submit(&works[0], run);
    pthread_join(stopper, NULL);
    ck_assert(!stopped_too_soon);
    ck_assert_int_eq(service_live_count(), 0);
    ck_assert_int_eq(atomic_load(&works[0].discards), 1);
    tear_down();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("consume_workers: races");
    UNIT_CASE(s, "start", worker_ends_before_its_starter_is_done, task_comes_while_a_start_fails,
              stop_waits_for_a_thread_that_is_being_started);
    return s;
}

TEST_MAIN(suite)
