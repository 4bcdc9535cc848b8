/* The worker pool: growing with need, shrinking again, and going on with few threads. */
#include "services/consume_workers.h"

#include <sched.h>

#include "lib/base/memory.h"
#include "test/unit/services/consume_work.h"
#include "test/unit/services/no_threads.h"

START_TEST(starts_threads_only_with_work)
{
    set_up(8);
    start();
    ck_assert_int_eq(consume_workers_count(workers), 0);
    ck_assert_int_eq(service_live_count(), 0);
    struct link none;
    list_init(&none);
    consume_workers_submit_all(workers, &none);
    ck_assert_int_eq(consume_workers_count(workers), 0);
    struct work work = {0};
    submit(&work, run);
    latch_wait(&ran, 1);
    ck_assert_int_eq(consume_workers_count(workers), 1);
    ck_assert(work.is_current);
    ck_assert(!consume_workers_is_current(workers));
    tear_down();
}
END_TEST

START_TEST(one_worker_keeps_the_order)
{
    set_up(1);
    start();
    static struct work works[MANY];
    submit_all(works, MANY / 2, run);
    for (int i = MANY / 2; i < MANY; i++) submit(&works[i], run);
    latch_wait(&ran, MANY);
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(works[i].order, i);
    ck_assert_int_eq(consume_workers_count(workers), 1);
    tear_down();
}
END_TEST

START_TEST(grows_to_its_maximum_for_waiting_tasks)
{
    set_up(BIG);
    start();
    together = BIG;
    struct work works[BIG] = {0};
    if (_i == 0)
        submit_all(works, BIG, run_together);
    else
        for (int i = 0; i < BIG; i++) submit(&works[i], run_together);
    latch_wait(&ran, BIG);
    ck_assert_int_eq(consume_workers_count(workers), BIG);
    tear_down();
}
END_TEST

START_TEST(idle_workers_are_all_called_when_needed)
{
    set_up(BIG);
    start();
    together = 0;
    for (int round = 0; round < 20; round++) {
        together += BIG; /* the latch goes on counting */
        struct work works[BIG] = {0};
        submit_all(works, BIG, run_together);
        latch_wait(&ran, together);
        ck_assert_int_eq(consume_workers_count(workers), BIG);
    }
    tear_down();
}
END_TEST

START_TEST(never_more_than_the_maximum)
{
    set_up(3);
    start();
    static struct work works[MANY];
    submit_all(works, MANY, run);
    latch_wait(&ran, MANY);
    ck_assert_int_le(atomic_load(&most_inside), 3);
    ck_assert_int_le(consume_workers_count(workers), 3);
    tear_down();
}
END_TEST

START_TEST(tasks_before_start_wait_for_it)
{
    set_up(2);
    struct work work = {0};
    submit(&work, run);
    ck_assert_int_eq(consume_workers_count(workers), 0);
    start();
    latch_wait(&ran, 1);
    ck_assert_int_eq(atomic_load(&work.runs), 1);
    tear_down();
}
END_TEST

START_TEST(task_submits_another)
{
    set_up(1);
    start();
    struct work second = {0}, first = {.submits = &second};
    prepare(&second, run);
    submit(&first, run);
    latch_wait(&ran, 2);
    ck_assert_int_eq(atomic_load(&second.runs), 1);
    tear_down();
}
END_TEST

START_TEST(idle_workers_end_and_their_places_are_used_again)
{
    set_up(4);
    consume_workers_set_idle_ms(workers, 1);
    start();
    together = 0;
    for (int round = 0; round < 5; round++) {
        together += 4;
        struct work works[4] = {0};
        submit_all(works, 4, run_together);
        latch_wait(&ran, together);
        while (consume_workers_count(workers) > 0) sched_yield();
    }
    tear_down();
}
END_TEST

START_TEST(the_minimum_stays_when_idle)
{
    set_up(4);
    consume_workers_set_idle_ms(workers, 1);
    consume_workers_set_minimum(workers, 2);
    start();
    together = 0;
    for (int round = 0; round < 5; round++) {
        together += 4;
        struct work works[4] = {0};
        submit_all(works, 4, run_together);
        latch_wait(&ran, together);
        while (consume_workers_count(workers) > 2) sched_yield();
        for (int i = 0; i < 1000; i++) {
            sched_yield();
            ck_assert_int_eq(consume_workers_count(workers), 2);
        }
    }
    tear_down();
}
END_TEST

START_TEST(no_task_is_stuck_while_workers_end)
{
    set_up(3);
    consume_workers_set_idle_ms(workers, _i); /* 0: ends at once */
    start();
    static struct work works[MANY];
    for (int i = 0; i < MANY; i++) {
        submit(&works[i], run);
        if (i % 3 == 0) latch_wait(&ran, i + 1);
    }
    latch_wait(&ran, MANY);
    for (int i = 0; i < MANY; i++) ck_assert_int_eq(atomic_load(&works[i].runs), 1);
    tear_down();
}
END_TEST

START_TEST(bad_maximum_and_no_memory)
{
    mqc_error error = {0};
    ck_assert_int_eq(consume_workers_new(0, &workers, &error), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(error.status, MQC_BAD_ARGUMENT);
    memory_fail_from(1);
    mqc_status status = consume_workers_new(4, &workers, &error);
    memory_fail_from(0);
    ck_assert_int_eq(status, MQC_NO_MEMORY);
    consume_workers_free(NULL);
}
END_TEST

#ifdef CAN_REFUSE_THREADS
START_TEST(without_a_thread_tasks_wait_for_the_next_submission)
{
    set_up(4);
    start();
    struct work works[3] = {0};
    threads_refuse(true);
    submit(&works[0], run);
    submit(&works[1], run);
    threads_refuse(false);
    ck_assert_int_eq(consume_workers_count(workers), 0);
    ck_assert_int_eq(latch_count(&ran), 0);
    submit(&works[2], run);
    latch_wait(&ran, 3);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(atomic_load(&works[i].runs), 1);
    tear_down();
}
END_TEST

START_TEST(with_a_minimum_there_is_always_one)
{
    mqc_error error;
    set_up(2);
    consume_workers_set_minimum(workers, 1);
    threads_refuse(true);
    ck_assert_int_eq(consume_workers_start(workers, &error), MQC_SYSTEM);
    ck_assert_ptr_nonnull(strstr(error.text, "mqc-consume"));
    ck_assert_int_eq(consume_workers_count(workers), 0);
    threads_refuse(false);
    start();
    ck_assert_int_eq(consume_workers_count(workers), 1);
    threads_refuse(true);
    struct work work = {0};
    submit(&work, run);
    latch_wait(&ran, 1);
    threads_refuse(false);
    tear_down();
}
END_TEST

START_TEST(goes_on_with_the_workers_it_has)
{
    set_up(4);
    start();
    struct work first = {0}, works[10] = {0};
    submit(&first, run_gated);
    latch_wait(&entered, 1);
    threads_refuse(true);
    for (int i = 0; i < 10; i++) submit(&works[i], run);
    ck_assert_int_eq(consume_workers_count(workers), 1);
    latch_raise(&gate);
    latch_wait(&ran, 11);
    threads_refuse(false);
    ck_assert_int_eq(consume_workers_count(workers), 1);
    for (int i = 0; i < 10; i++) ck_assert_int_eq(works[i].order, i + 1);
    tear_down();
}
END_TEST
#endif

static Suite *suite(void)
{
    Suite *s = suite_create("consume_workers");
    TCase *loops = tcase_create("loops");
    tcase_set_timeout(loops, 60);
    tcase_add_loop_test(loops, grows_to_its_maximum_for_waiting_tasks, 0, 2);
    tcase_add_loop_test(loops, no_task_is_stuck_while_workers_end, 0, 2);
    suite_add_tcase(s, loops);
    UNIT_CASE(s, "run", starts_threads_only_with_work, one_worker_keeps_the_order,
              idle_workers_are_all_called_when_needed, never_more_than_the_maximum,
              tasks_before_start_wait_for_it, task_submits_another,
              idle_workers_end_and_their_places_are_used_again, the_minimum_stays_when_idle);
    UNIT_CASE(s, "failure", bad_maximum_and_no_memory);
#ifdef CAN_REFUSE_THREADS
    UNIT_CASE(s, "no threads", without_a_thread_tasks_wait_for_the_next_submission,
              with_a_minimum_there_is_always_one, goes_on_with_the_workers_it_has);
#endif
    return s;
}

TEST_MAIN(suite)
