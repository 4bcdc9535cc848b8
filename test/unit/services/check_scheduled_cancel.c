/* The scheduler: cancelling tasks from everywhere at any time, and stopping. */
#include <pthread.h>

#include "services/scheduled_executor.h"
#include "test/unit/services/scheduled_work.h"

static void run_cancelling_itself(void *arg)
{
    struct work *work = arg;
    scheduled_task_cancel(work->task);
    work->task = NULL;
    latch_raise(&work->ran);
}

START_TEST(cancelled_task_never_runs)
{
    set_up();
    static struct work works[MANY];
    for (int i = 0; i < MANY; i++) {
        work_init(&works[i]);
        add(&works[i], i * 7919 % 11, 0, run);
    }
    for (int i = 0; i < MANY; i++) /* from all over the heap */
        if (i % 3 != 0) scheduled_task_cancel(works[i].task);
    start();
    for (int i = 0; i < MANY; i += 3) latch_wait(&works[i].ran, 1);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(latch_count(&works[i].ran), i % 3 == 0 ? 1 : 0);
        if (i % 3 == 0) scheduled_task_cancel(works[i].task);
        work_done(&works[i]);
    }
    scheduled_task_cancel(NULL);
    tear_down();
}
END_TEST

START_TEST(cancel_from_within_the_task)
{
    set_up();
    struct work work, other;
    work_init(&work);
    work_init(&other);
    add(&work, 0, 1, run_cancelling_itself);
    start();
    latch_wait(&work.ran, 1);
    add(&other, 0, 1, run);
    latch_wait(&other.ran, 5);
    ck_assert_int_eq(latch_count(&work.ran), 1);
    scheduled_task_cancel(other.task);
    work_done(&other);
    work_done(&work);
    tear_down();
}
END_TEST

static void cancel_other(void *arg)
{
    struct work *works = arg;
    scheduled_task_cancel(works[1].task);
    latch_raise(&works[0].ran);
}

START_TEST(cancel_from_within_another_task)
{
    set_up();
    struct work works[2];
    work_init(&works[0]);
    work_init(&works[1]);
    add(&works[0], 0, 0, cancel_other);
    add(&works[1], 0, 1, run);
    start();
    latch_wait(&works[0].ran, 1);
    scheduled_task_cancel(works[0].task);
    ck_assert_int_eq(latch_count(&works[1].ran), 0);
    work_done(&works[1]);
    work_done(&works[0]);
    tear_down();
}
END_TEST

struct canceller {
    struct work *work;
    struct latch calling;
    bool ended_before;
};

static void *cancel_running(void *arg)
{
    struct canceller *canceller = arg;
    latch_raise(&canceller->calling);
    scheduled_task_cancel(canceller->work->task);
    canceller->ended_before = atomic_load(&canceller->work->ended);
    return NULL;
}

START_TEST(cancel_from_another_thread_waits_for_the_run)
{
    set_up();
    start();
    for (int i = 0; i < 20; i++) {
        struct work work;
        work_init(&work);
        add(&work, 0, 1, run_gated);
        latch_wait(&work.entered, 1);
        struct canceller canceller = {.work = &work};
        latch_init(&canceller.calling);
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_running, &canceller), 0);
        latch_wait(&canceller.calling, 1);
        latch_raise(&work.gate);
        pthread_join(thread, NULL);
        ck_assert(canceller.ended_before);
        latch_done(&canceller.calling);
        work_done(&work);
    }
    tear_down();
}
END_TEST

START_TEST(cancel_races_with_periodic_runs)
{
    set_up();
    start();
    for (int i = 0; i < ROUNDS; i++) {
        struct work work; /* a run after its cancellation would be seen by the sanitizers */
        work_init(&work);
        add(&work, 0, 1, run);
        if (i % 2 == 0) latch_wait(&work.ran, 1);
        scheduled_task_run_now(work.task);
        scheduled_task_cancel(work.task);
        work_done(&work);
    }
    tear_down();
}
END_TEST

START_TEST(stop_leaves_pending_tasks_alone)
{
    set_up();
    start();
    struct work far, over;
    work_init(&far);
    work_init(&over);
    add(&far, HOUR_MS, HOUR_MS, run);
    add(&over, 0, 0, run);
    latch_wait(&over.ran, 1);
    scheduled_executor_stop(executor);
    ck_assert_int_eq(service_live_count(), 0);
    scheduled_task_run_now(far.task); /* nobody is there to run it */
    scheduled_executor_stop(executor);
    scheduled_task_cancel(far.task);
    scheduled_task_cancel(over.task);
    ck_assert_int_eq(latch_count(&far.ran), 0);
    work_done(&over);
    work_done(&far);
    tear_down();
}
END_TEST

static void *stop_executor(void *arg)
{
    latch_raise(arg);
    scheduled_executor_stop(executor);
    return NULL;
}

START_TEST(stop_waits_for_the_run)
{
    set_up();
    start();
    struct work work;
    struct latch calling;
    work_init(&work);
    latch_init(&calling);
    add(&work, 0, 1, run_gated);
    latch_wait(&work.entered, 1);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, stop_executor, &calling), 0);
    latch_wait(&calling, 1);
    latch_raise(&work.gate);
    pthread_join(thread, NULL);
    ck_assert(atomic_load(&work.ended));
    scheduled_task_cancel(work.task);
    latch_done(&calling);
    work_done(&work);
    tear_down();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("scheduled_executor: cancel and stop");
    UNIT_CASE(s, "cancel", cancelled_task_never_runs, cancel_from_within_the_task,
              cancel_from_within_another_task, cancel_from_another_thread_waits_for_the_run,
              cancel_races_with_periodic_runs);
    UNIT_CASE(s, "stop", stop_leaves_pending_tasks_alone, stop_waits_for_the_run);
    return s;
}

TEST_MAIN(suite)
