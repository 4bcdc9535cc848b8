/* The callback pool: every task runs exactly once, before, during and after stop. */
#include "services/callback_executor.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/memory.h"
#include "services/service.h"
#include "test/unit/services/latch.h"
#include "test/unit/services/no_threads.h"
#include "test/unit/unit.h"

enum { MANY = 2000, SUBMITTERS = 3 };

struct work {
    struct callback_task task;
    atomic_int runs;
    bool on_pool;
    pthread_t thread;
    int order;
    struct work *submits; /* from within its run */
};

static struct callback_executor *executor;
static struct latch ran;
static struct latch gate;
static atomic_int next_order;

static struct work *work_of(struct callback_task *task)
{
    return CONTAINER_OF(task, struct work, task);
}

static void run(struct callback_task *task)
{
    struct work *work = work_of(task);
    work->on_pool = service_on_own_thread();
    work->thread = pthread_self();
    work->order = atomic_fetch_add(&next_order, 1);
    atomic_fetch_add(&work->runs, 1);
    if (work->submits) callback_executor_submit(executor, &work->submits->task);
    latch_raise(&ran);
}

/* Returns only when as many tasks are in here as the pool has threads. */
static void run_together(struct callback_task *task)
{
    latch_raise(&gate);
    latch_wait(&gate, 4);
    run(task);
}

static void run_gated(struct callback_task *task)
{
    latch_raise(&ran);
    latch_wait(&gate, 1);
    run(task);
}

static void set_up(int threads)
{
    latch_init(&ran);
    latch_init(&gate);
    atomic_store(&next_order, 0);
    ck_assert_int_eq(callback_executor_new(threads, &executor, NULL), MQC_OK);
}

static void start(void)
{
    mqc_error error = {0};
    ck_assert_msg(callback_executor_start(executor, &error) == MQC_OK, "%s", error.text);
}

static void tear_down(void)
{
    callback_executor_free(executor);
    ck_assert_int_eq(service_live_count(), 0);
    latch_done(&gate);
    latch_done(&ran);
}

START_TEST(runs_in_order_on_its_thread)
{
    set_up(1);
    start();
    static struct work work[MANY];
    for (int i = 0; i < MANY; i++) {
        work[i].task.run = run;
        callback_executor_submit(executor, &work[i].task);
    }
    latch_wait(&ran, MANY);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(work[i].order, i);
        ck_assert(work[i].on_pool);
    }
    tear_down();
}
END_TEST

START_TEST(all_threads_work_at_once)
{
    set_up(4);
    start();
    struct work work[4] = {0};
    for (int i = 0; i < 4; i++) {
        work[i].task.run = run_together;
        callback_executor_submit(executor, &work[i].task);
    }
    latch_wait(&ran, 4);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) ck_assert(!pthread_equal(work[i].thread, work[j].thread));
    tear_down();
}
END_TEST

START_TEST(stop_runs_what_is_queued)
{
    set_up(1);
    start();
    struct work first = {.task.run = run_gated};
    struct work queued[10] = {0};
    callback_executor_submit(executor, &first.task);
    latch_wait(&ran, 1); /* it holds the only thread */
    for (int i = 0; i < 10; i++) {
        queued[i].task.run = run;
        callback_executor_submit(executor, &queued[i].task);
    }
    latch_raise(&gate);
    callback_executor_stop(executor);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(atomic_load(&queued[i].runs), 1);
        ck_assert(queued[i].on_pool);
    }
    callback_executor_stop(executor);
    tear_down();
}
END_TEST

START_TEST(after_stop_runs_on_the_submitter)
{
    set_up(2);
    start();
    callback_executor_stop(executor);
    ck_assert_int_eq(service_live_count(), 0);
    struct work inner = {.task.run = run};
    struct work outer = {.task.run = run, .submits = &inner};
    callback_executor_submit(executor, &outer.task);
    ck_assert_int_eq(atomic_load(&outer.runs), 1);
    ck_assert_int_eq(atomic_load(&inner.runs), 1);
    ck_assert(pthread_equal(outer.thread, pthread_self()));
    ck_assert(pthread_equal(inner.thread, pthread_self()));
    tear_down();
}
END_TEST

START_TEST(task_submits_during_stop)
{
    set_up(1);
    start();
    struct work inner = {.task.run = run};
    struct work outer = {.task.run = run_gated, .submits = &inner};
    callback_executor_submit(executor, &outer.task);
    latch_wait(&ran, 1);
    latch_raise(&gate);
    callback_executor_stop(executor);
    ck_assert_int_eq(atomic_load(&outer.runs), 1);
    ck_assert_int_eq(atomic_load(&inner.runs), 1);
    ck_assert(inner.on_pool);
    tear_down();
}
END_TEST

START_TEST(never_started_runs_on_stop)
{
    set_up(2);
    struct work work[3] = {0};
    for (int i = 0; i < 3; i++) {
        work[i].task.run = run;
        callback_executor_submit(executor, &work[i].task);
    }
    ck_assert_int_eq(latch_count(&ran), 0);
    callback_executor_stop(executor);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(work[i].order, i);
        ck_assert(pthread_equal(work[i].thread, pthread_self()));
    }
    tear_down();
}
END_TEST

START_TEST(uncalled_tasks_run_with_the_call_or_the_stop)
{
    set_up(2);
    start();
    static struct work work[10];
    for (int i = 0; i < 6; i++) {
        work[i].task.run = run;
        callback_executor_submit_uncalled(executor, &work[i].task);
    }
    callback_executor_call(executor);
    latch_wait(&ran, 6);
    callback_executor_call(executor); /* for nothing */
    for (int i = 6; i < 9; i++) {
        work[i].task.run = run;
        callback_executor_submit_uncalled(executor, &work[i].task);
    }
    callback_executor_stop(executor);
    work[9].task.run = run;
    callback_executor_submit_uncalled(executor, &work[9].task);
    for (int i = 0; i < 10; i++) ck_assert_int_eq(atomic_load(&work[i].runs), 1);
    tear_down();
}
END_TEST

static void *submit_many(void *arg)
{
    struct work *work = arg;
    for (int i = 0; i < MANY; i++) {
        work[i].task.run = run;
        callback_executor_submit(executor, &work[i].task);
    }
    return NULL;
}

START_TEST(none_is_lost_or_doubled_in_a_race_with_stop)
{
    static struct work work[SUBMITTERS][MANY];
    set_up(2);
    start();
    pthread_t threads[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, submit_many, work[i]), 0);
    latch_wait(&ran, MANY / 4);
    callback_executor_stop(executor);
    for (int i = 0; i < SUBMITTERS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < SUBMITTERS; i++)
        for (int j = 0; j < MANY; j++) ck_assert_int_eq(atomic_load(&work[i][j].runs), 1);
    tear_down();
}
END_TEST

START_TEST(bad_thread_count_and_no_memory)
{
    mqc_error error = {0};
    ck_assert_int_eq(callback_executor_new(0, &executor, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    ck_assert_int_eq(callback_executor_new(-1, &executor, NULL), MQC_BAD_ARGUMENT);
    long blocks = memory_live_blocks();
    memory_fail_from(1);
    ck_assert_int_eq(callback_executor_new(2, &executor, &error), MQC_NO_MEMORY);
    memory_fail_from(0);
    ck_assert_int_eq(memory_live_blocks(), blocks);
    callback_executor_free(NULL);
}
END_TEST

#ifdef CAN_REFUSE_THREADS
START_TEST(failed_start_loses_no_task)
{
    set_up(3);
    struct work before = {.task.run = run};
    struct work after = {.task.run = run};
    callback_executor_submit(executor, &before.task);
    mqc_error error = {0};
    threads_refuse(true);
    ck_assert_int_ne(callback_executor_start(executor, &error), MQC_OK);
    threads_refuse(false);
    ck_assert_int_ne(error.status, MQC_OK);
    ck_assert_int_eq(service_live_count(), 0);
    callback_executor_submit(executor, &after.task);
    ck_assert_int_eq(atomic_load(&before.runs), 1);
    ck_assert_int_eq(atomic_load(&after.runs), 1);
    tear_down();
}
END_TEST
#endif

static Suite *suite(void)
{
    Suite *s = suite_create("callback_executor");
    UNIT_CASE(s, "run", runs_in_order_on_its_thread, all_threads_work_at_once);
    UNIT_CASE(s, "stop", stop_runs_what_is_queued, after_stop_runs_on_the_submitter,
              task_submits_during_stop, never_started_runs_on_stop,
              uncalled_tasks_run_with_the_call_or_the_stop,
              none_is_lost_or_doubled_in_a_race_with_stop);
    UNIT_CASE(s, "failure", bad_thread_count_and_no_memory);
#ifdef CAN_REFUSE_THREADS
    UNIT_CASE(s, "no threads", failed_start_loses_no_task);
#endif
    return s;
}

TEST_MAIN(suite)
