/* The worker pool's end: each task is run or discarded once, and nobody waits for himself. */
#include "services/consume_workers.h"
#include "test/unit/services/consume_work.h"
#include "test/unit/services/no_threads.h"

static void run_stopping(struct consume_task *task)
{
    work_of(task)->stop_result = consume_workers_stop(workers, CLOCK_NEVER);
    run(task);
}

START_TEST(stop_discards_waiting_and_reports_running)
{
    set_up(2);
    start();
    struct work running[2] = {0}, waiting[5] = {0}, late = {0};
    submit_all(running, 2, run_gated);
    latch_wait(&entered, 2);
    submit_all(waiting, 5, run);
    ck_assert_int_eq(consume_workers_stop(workers, 0), 2);
    ck_assert_int_eq(consume_workers_stop(workers, clock_deadline_ms(2)), 2);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(atomic_load(&waiting[i].discards), 1);
        ck_assert(pthread_equal(waiting[i].thread, pthread_self()));
    }
    submit(&late, run);
    ck_assert_int_eq(atomic_load(&late.discards), 1);
    latch_raise(&gate);
    ck_assert_int_eq(consume_workers_stop(workers, CLOCK_NEVER), 0);
    ck_assert_int_eq(service_live_count(), 0);
    ck_assert_int_eq(consume_workers_count(workers), 0);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(atomic_load(&running[i].runs), 1);
    for (int i = 0; i < 5; i++) ck_assert_int_eq(atomic_load(&waiting[i].runs), 0);
    ck_assert_int_eq(consume_workers_stop(workers, 0), 0);
    tear_down();
}
END_TEST

START_TEST(stop_of_idle_workers_needs_no_deadline)
{
    for (int round = 0; round < 50; round++) {
        set_up(4);
        start();
        together = 4;
        struct work works[4] = {0};
        submit_all(works, 4, run_together);
        latch_wait(&ran, 4);
        ck_assert_int_eq(consume_workers_stop(workers, CLOCK_NEVER), 0);
        ck_assert_int_eq(service_live_count(), 0);
        tear_down();
    }
}
END_TEST

START_TEST(stop_of_a_pool_that_did_nothing)
{
    set_up(4);
    struct work work = {0};
    submit(&work, run);
    ck_assert_int_eq(consume_workers_stop(workers, 0), 0);
    ck_assert_int_eq(atomic_load(&work.discards), 1);
    ck_assert_int_eq(atomic_load(&work.runs), 0);
    tear_down();
}
END_TEST

START_TEST(stop_on_a_worker_does_not_wait_for_itself)
{
    set_up(2);
    start();
    struct work work = {0};
    submit(&work, run_stopping);
    latch_wait(&ran, 1);
    ck_assert_int_eq(work.stop_result, 1);
    ck_assert_int_eq(consume_workers_stop(workers, CLOCK_NEVER), 0);
    tear_down();
}
END_TEST

static void *submit_many(void *arg)
{
    struct work *works = arg;
    for (int i = 0; i + 4 <= MANY; i += 4) {
        submit_all(works + i, 3, run);
        submit(&works[i + 3], run);
    }
    return NULL;
}

START_TEST(none_is_lost_or_doubled_in_a_race_with_stop)
{
    static struct work works[SUBMITTERS][MANY];
    set_up(4);
    consume_workers_set_idle_ms(workers, _i == 0 ? 60000 : 0);
    start();
    pthread_t threads[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, submit_many, works[i]), 0);
    latch_wait(&ran, MANY / 4);
    ck_assert_int_eq(consume_workers_stop(workers, CLOCK_NEVER), 0);
    for (int i = 0; i < SUBMITTERS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < SUBMITTERS; i++)
        for (int j = 0; j < MANY; j++)
            ck_assert_int_eq(atomic_load(&works[i][j].runs) + atomic_load(&works[i][j].discards),
                             1);
    tear_down();
}
END_TEST

#ifdef CAN_REFUSE_THREADS
START_TEST(stop_without_a_thread_discards)
{
    set_up(4);
    start();
    struct work work = {0};
    threads_refuse(true);
    submit(&work, run);
    ck_assert_int_eq(consume_workers_stop(workers, CLOCK_NEVER), 0);
    threads_refuse(false);
    ck_assert_int_eq(atomic_load(&work.discards), 1);
    tear_down();
}
END_TEST
#endif

static Suite *suite(void)
{
    Suite *s = suite_create("consume_workers: stop");
    UNIT_CASE(s, "stop", stop_discards_waiting_and_reports_running,
              stop_of_idle_workers_needs_no_deadline, stop_of_a_pool_that_did_nothing,
              stop_on_a_worker_does_not_wait_for_itself);
    TCase *race = tcase_create("race");
    tcase_set_timeout(race, 60);
    tcase_add_loop_test(race, none_is_lost_or_doubled_in_a_race_with_stop, 0, 2);
    suite_add_tcase(s, race);
#ifdef CAN_REFUSE_THREADS
    UNIT_CASE(s, "no threads", stop_without_a_thread_discards);
#endif
    return s;
}

TEST_MAIN(suite)
