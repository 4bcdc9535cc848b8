/* The scheduler: order, periods, hastening, and what happens when something runs out. */
#include "services/scheduled_executor.h"

#include <stdlib.h>

#include "test/unit/services/no_threads.h"
#include "test/unit/services/scheduled_work.h"

static int by_order(const void *a, const void *b)
{
    return ((const struct work *)a)->order - ((const struct work *)b)->order;
}

START_TEST(runs_in_order_of_due_times_and_never_early)
{
    set_up();
    static struct work works[MANY];
    for (int i = 0; i < MANY; i++) {
        work_init(&works[i]);
        add(&works[i], i * 7919 % 37, 0, run);
    }
    for (int i = 0; i < 2 * MANY; i++) { /* taken out of the middle of the heap */
        struct work passing;
        work_init(&passing);
        add(&passing, i * 104729 % 37, 0, run);
        scheduled_task_cancel(passing.task);
        scheduled_task_cancel(works[i * 31 % MANY].task);
        add(&works[i * 31 % MANY], i * 611953 % 53, 0, run);
        work_done(&passing);
    }
    start();
    for (int i = 0; i < MANY; i++) latch_wait(&works[i].ran, 1);
    scheduled_executor_stop(executor);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_ge(works[i].begun_ms, works[i].earliest_ms);
        scheduled_task_cancel(works[i].task);
    }
    qsort(works, MANY, sizeof works[0], by_order);
    int64_t latest_before = 0; /* no task may run after one that was certainly due later */
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_ge(works[i].latest_ms, latest_before);
        if (works[i].earliest_ms > latest_before) latest_before = works[i].earliest_ms;
        work_done(&works[i]);
    }
    tear_down();
}
END_TEST

START_TEST(equally_due_tasks_run_as_added)
{
    set_up();
    static struct work works[MANY];
    for (int i = 0; i < MANY; i++) {
        work_init(&works[i]);
        add(&works[i], 0, 0, run);
    }
    start();
    for (int i = 0; i < MANY; i++) {
        latch_wait(&works[i].ran, 1);
        ck_assert_int_eq(works[i].order, i);
        scheduled_task_cancel(works[i].task);
    }
    for (int i = 0; i < MANY; i++) work_done(&works[i]);
    tear_down();
}
END_TEST

START_TEST(earlier_task_wakes_the_thread)
{
    set_up();
    start();
    struct work far;
    work_init(&far);
    add(&far, HOUR_MS, 0, run);
    for (int i = 0; i < ROUNDS; i++) {
        struct work near;
        work_init(&near);
        add(&near, i % 2, 0, run);
        latch_wait(&near.ran, 1);
        scheduled_task_cancel(near.task);
        work_done(&near);
    }
    ck_assert_int_eq(latch_count(&far.ran), 0);
    scheduled_task_cancel(far.task);
    work_done(&far);
    tear_down();
}
END_TEST

START_TEST(period_is_a_fixed_delay)
{
    set_up();
    start();
    struct work work;
    work_init(&work);
    add(&work, 1, 3, run);
    latch_wait(&work.ran, 10);
    scheduled_task_cancel(work.task);
    ck_assert_int_ge(work.shortest_gap_ms, 3);
    work_done(&work);
    tear_down();
}
END_TEST

START_TEST(run_now_runs_a_far_task_and_one_that_is_over)
{
    set_up();
    start();
    struct work work;
    work_init(&work);
    add(&work, HOUR_MS, 0, run);
    for (int i = 1; i <= ROUNDS; i++) {
        scheduled_task_run_now(work.task);
        latch_wait(&work.ran, i);
    }
    scheduled_task_cancel(work.task);
    ck_assert_int_eq(latch_count(&work.ran), ROUNDS);
    work_done(&work);
    tear_down();
}
END_TEST

START_TEST(run_now_does_not_delay_what_is_due)
{
    set_up();
    struct work first, second;
    work_init(&first);
    work_init(&second);
    add(&first, 0, 0, run);
    add(&second, 0, 0, run);
    scheduled_task_run_now(first.task); /* stays where it is */
    start();
    latch_wait(&first.ran, 1);
    latch_wait(&second.ran, 1);
    ck_assert_int_lt(first.order, second.order);
    scheduled_task_cancel(second.task);
    scheduled_task_cancel(first.task);
    work_done(&second);
    work_done(&first);
    tear_down();
}
END_TEST

START_TEST(run_now_during_a_run_means_once_more)
{
    set_up();
    start();
    struct work work, last;
    work_init(&work);
    work_init(&last);
    add(&work, 0, 0, run_gated);
    latch_wait(&work.entered, 1);
    for (int i = 0; i < 3; i++) scheduled_task_run_now(work.task);
    latch_raise(&work.gate);
    latch_wait(&work.ran, 2);
    add(&last, 0, 0, run); /* behind anything that were still queued */
    latch_wait(&last.ran, 1);
    ck_assert_int_eq(latch_count(&work.ran), 2);
    scheduled_task_cancel(last.task);
    scheduled_task_cancel(work.task);
    work_done(&last);
    work_done(&work);
    tear_down();
}
END_TEST

START_TEST(no_memory_leaves_all_as_it_was)
{
    memory_fail_from(1);
    mqc_status status = scheduled_executor_new(&executor, NULL);
    memory_fail_from(0);
    ck_assert_int_eq(status, MQC_NO_MEMORY);
    scheduled_executor_free(NULL);
    set_up();
    struct work work;
    work_init(&work);
    for (long nth = 1; nth <= 2; nth++) { /* the task, the heap */
        mqc_error error = {0};
        memory_fail_from(nth);
        status = scheduled_executor_add(executor, "test", 0, 0, run, &work, &work.task, &error);
        memory_fail_from(0);
        ck_assert_int_eq(status, MQC_NO_MEMORY);
        ck_assert_int_eq(error.status, MQC_NO_MEMORY);
        ck_assert_ptr_null(work.task);
    }
    add(&work, 0, 0, run);
    start();
    latch_wait(&work.ran, 1);
    scheduled_task_cancel(work.task);
    work_done(&work);
    tear_down();
}
END_TEST

START_TEST(putting_a_task_back_needs_no_memory)
{
    set_up();
    start();
    struct work works[20];
    for (int i = 0; i < 20; i++) {
        work_init(&works[i]);
        add(&works[i], 0, 1, run);
    }
    memory_fail_from(1);
    for (int i = 0; i < 20; i++) latch_wait(&works[i].ran, 5);
    memory_fail_from(0);
    for (int i = 0; i < 20; i++) {
        scheduled_task_cancel(works[i].task);
        work_done(&works[i]);
    }
    tear_down();
}
END_TEST

START_TEST(running_task_keeps_its_place)
{
    set_up();
    start();
    struct work running, works[40];
    work_init(&running);
    add(&running, 0, 0, run_gated);
    latch_wait(&running.entered, 1);
    scheduled_task_run_now(running.task);
    memory_fail_from(_i); /* the heap stops growing sooner or later, while one task is out of it */
    int count = 0;
    for (bool room = true; room && count < 40; count += room) {
        work_init(&works[count]);
        room = scheduled_executor_add(executor, "test", HOUR_MS, 0, run, &works[count],
                                      &works[count].task, NULL) == MQC_OK;
    }
    memory_fail_from(0);
    latch_raise(&running.gate);
    latch_wait(&running.ran, 2);
    for (int i = 0; i < count; i++) scheduled_task_cancel(works[i].task);
    scheduled_task_cancel(running.task);
    tear_down();
}
END_TEST

#ifdef CAN_REFUSE_THREADS
START_TEST(start_fails_without_a_thread)
{
    set_up();
    struct work work;
    work_init(&work);
    add(&work, 0, 0, run);
    threads_refuse(true);
    ck_assert_int_ne(scheduled_executor_start(executor, NULL), MQC_OK);
    threads_refuse(false);
    scheduled_executor_stop(executor);
    scheduled_task_cancel(work.task);
    ck_assert_int_eq(latch_count(&work.ran), 0);
    work_done(&work);
    tear_down();
}
END_TEST
#endif

static Suite *suite(void)
{
    Suite *s = suite_create("scheduled_executor");
    UNIT_CASE(s, "order", runs_in_order_of_due_times_and_never_early,
              equally_due_tasks_run_as_added, earlier_task_wakes_the_thread,
              period_is_a_fixed_delay);
    UNIT_CASE(s, "run_now", run_now_runs_a_far_task_and_one_that_is_over,
              run_now_does_not_delay_what_is_due, run_now_during_a_run_means_once_more);
    UNIT_CASE(s, "failure", no_memory_leaves_all_as_it_was, putting_a_task_back_needs_no_memory);
    TCase *heap = tcase_create("heap");
    tcase_set_timeout(heap, 60);
    tcase_add_loop_test(heap, running_task_keeps_its_place, 1, 20);
    suite_add_tcase(s, heap);
#ifdef CAN_REFUSE_THREADS
    UNIT_CASE(s, "no threads", start_fails_without_a_thread);
#endif
    return s;
}

TEST_MAIN(suite)
