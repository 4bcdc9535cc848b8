/* The life cycle of the one kind of thread: start, wake, stop, join, and what the body sees. */
#include "services/service.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "test/unit/services/latch.h"
#include "test/unit/services/no_threads.h"
#include "test/unit/unit.h"

enum { NEVER_MS = 3600 * 1000, ROUNDS = 500 };

struct fixture {
    struct service service;
    struct latch waits;       /* service_wait returned true */
    struct latch ended;       /* the body is about to return */
    struct latch interrupted; /* raised by interrupt */
    int64_t wait_ms;
    char name[32];
    bool own_thread;
    bool is_current;
    sigset_t blocked;
};

static struct fixture f;

/* Waits again and again until stopped. */
static void run_waiting(void *arg)
{
    struct fixture *fixture = arg;
    while (service_wait(&fixture->service, clock_deadline_ms(fixture->wait_ms)))
        latch_raise(&fixture->waits);
    latch_raise(&fixture->ended);
}

/* The same, at some work. */
static void run_working(void *arg)
{
    struct service_work work = {.what = "at work",
                                .group = "g",
                                .topic = "t",
                                .broker_name = "b",
                                .queue_id = 3,
                                .offset = 17,
                                .count = 2,
                                .since_ms = clock_now_ms()};
    service_work_begins(&work);
    run_waiting(arg);
    service_work_ends();
}

/* At one short piece of work after the other; what has ended may not be seen. */
static void run_hurrying(void *arg)
{
    struct fixture *fixture = arg;
    while (!service_stopping(&fixture->service)) {
        struct service_work work = {.what = "in a hurry", .group = "g"};
        service_work_begins(&work);
        latch_raise(&fixture->waits);
        service_work_ends();
        work.what = work.group = "over";
    }
}

/* Waits elsewhere than on the service. */
static void run_elsewhere(void *arg)
{
    struct fixture *fixture = arg;
    latch_wait(&fixture->interrupted, 1);
    latch_raise(&fixture->ended);
}

static void run_looking(void *arg)
{
    struct fixture *fixture = arg;
    pthread_getname_np(pthread_self(), fixture->name, sizeof fixture->name);
    fixture->own_thread = service_on_own_thread();
    fixture->is_current = service_is_current(&fixture->service);
    pthread_sigmask(SIG_SETMASK, NULL, &fixture->blocked);
}

static void run_until_stopping(void *arg)
{
    struct fixture *fixture = arg;
    while (!service_stopping(&fixture->service)) latch_raise(&fixture->waits);
}

static void interrupt(void *arg)
{
    struct fixture *fixture = arg;
    latch_raise(&fixture->interrupted);
}

static void set_up(void (*run)(void *arg))
{
    memset(&f, 0, sizeof f);
    f.wait_ms = NEVER_MS;
    latch_init(&f.waits);
    latch_init(&f.ended);
    latch_init(&f.interrupted);
    service_init(&f.service, "mqc-test", run, interrupt, &f);
}

static void tear_down(void)
{
    service_done(&f.service);
    latch_done(&f.interrupted);
    latch_done(&f.ended);
    latch_done(&f.waits);
}

static void start(void)
{
    mqc_error error = {0};
    ck_assert_msg(service_start(&f.service, &error) == MQC_OK, "%s", error.text);
}

static void stop_and_join(void)
{
    service_stop(&f.service);
    service_join(&f.service);
}

START_TEST(body_sees_name_and_identity)
{
    set_up(run_looking);
    start();
    stop_and_join();
    ck_assert_str_eq(f.name, "mqc-test");
    ck_assert(f.own_thread);
    ck_assert(f.is_current);
    ck_assert(!service_on_own_thread());
    ck_assert(!service_is_current(&f.service));
    tear_down();
}
END_TEST

START_TEST(application_signals_do_not_run_on_our_threads)
{
    set_up(run_looking);
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    start();
    stop_and_join();
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGALRM, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        ck_assert_int_eq(sigismember(&f.blocked, signals[i]), 1);
        ck_assert_int_eq(sigismember(&after, signals[i]), sigismember(&before, signals[i]));
    }
    tear_down();
}
END_TEST

START_TEST(never_started_can_be_stopped_and_joined)
{
    set_up(run_waiting);
    stop_and_join();
    ck_assert(service_join_until(&f.service, 0));
    ck_assert_int_eq(service_live_count(), 0);
    tear_down();
}
END_TEST

START_TEST(stop_ends_a_long_wait)
{
    for (int i = 0; i < ROUNDS; i++) { /* hits the moments before, at and in the wait */
        set_up(run_waiting);
        start();
        stop_and_join();
        ck_assert_int_eq(latch_count(&f.ended), 1);
        ck_assert_int_eq(latch_count(&f.waits), 0);
        tear_down();
    }
    ck_assert_int_eq(service_live_count(), 0);
}
END_TEST

START_TEST(stop_calls_interrupt)
{
    set_up(run_elsewhere);
    start();
    stop_and_join();
    ck_assert_int_eq(latch_count(&f.interrupted), 1);
    ck_assert_int_eq(latch_count(&f.ended), 1);
    tear_down();
}
END_TEST

START_TEST(no_wake_is_lost)
{
    set_up(run_waiting);
    start();
    for (int i = 1; i <= ROUNDS; i++) {
        service_wake(&f.service);
        latch_wait(&f.waits, i);
    }
    stop_and_join();
    ck_assert_int_eq(latch_count(&f.waits), ROUNDS);
    tear_down();
}
END_TEST

START_TEST(wait_ends_at_its_deadline_and_not_before)
{
    set_up(run_waiting);
    f.wait_ms = 2;
    int64_t begin_ms = clock_now_ms();
    start();
    latch_wait(&f.waits, 5);
    ck_assert_int_ge(clock_now_ms() - begin_ms, 5 * 2);
    stop_and_join();
    tear_down();
}
END_TEST

START_TEST(body_can_ask_whether_to_stop)
{
    set_up(run_until_stopping);
    start();
    latch_wait(&f.waits, 3);
    stop_and_join();
    ck_assert_int_eq(service_live_count(), 0);
    tear_down();
}
END_TEST

START_TEST(join_until_waits_only_so_long)
{
    set_up(run_waiting);
    start();
    ck_assert(!service_join_until(&f.service, clock_deadline_ms(2)));
    ck_assert_int_eq(service_live_count(), 1);
    service_stop(&f.service);
    ck_assert(service_join_until(&f.service, CLOCK_NEVER));
    ck_assert(service_join_until(&f.service, 0));
    service_join(&f.service);
    ck_assert_int_eq(service_live_count(), 0);
    tear_down();
}
END_TEST

START_TEST(can_start_again_after_join)
{
    set_up(run_waiting);
    for (int i = 1; i <= 3; i++) {
        start();
        service_wake(&f.service);
        latch_wait(&f.waits, i);
        stop_and_join();
        ck_assert_int_eq(latch_count(&f.ended), i);
    }
    tear_down();
}
END_TEST

START_TEST(forked_child_joins_without_waiting)
{
    set_up(run_waiting);
    start();
    pid_t child = fork();
    if (child == 0) {
        service_join(&f.service);
        _exit(7);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 7);
    stop_and_join();
    tear_down();
}
END_TEST

#ifdef CAN_REFUSE_THREADS
START_TEST(no_thread_to_be_had)
{
    set_up(run_waiting);
    mqc_error error = {0};
    threads_refuse(true);
    mqc_status status = service_start(&f.service, &error);
    threads_refuse(false);
    ck_assert(status == MQC_SYSTEM || status == MQC_NO_MEMORY);
    ck_assert_int_eq(error.status, status);
    ck_assert_ptr_nonnull(strstr(error.text, "mqc-test"));
    ck_assert_int_eq(service_live_count(), 0);
    stop_and_join();
    start();
    service_wake(&f.service);
    latch_wait(&f.waits, 1);
    stop_and_join();
    tear_down();
}
END_TEST
#endif

START_TEST(threads_tell_what_they_are_at)
{
    struct buffer text;
    buffer_init(&text);
    set_up(run_working);
    service_describe_threads(&text);
    ck_assert_str_eq(buffer_text(&text), ""); /* none runs */
    start();
    service_wake(&f.service);
    latch_wait(&f.waits, 1);
    service_describe_threads(&text);
    const char *told = buffer_text(&text);
    ck_assert_msg(strncmp(told, "mqc-test", 8) == 0, "%s", told);
    ck_assert_ptr_eq(strstr(told, "TID: "), told + 40);
    ck_assert_ptr_nonnull(strstr(told, " STATE: "));
    ck_assert_ptr_nonnull(strstr(told, "at work for "));
    ck_assert_ptr_nonnull(
        strstr(told, "ms, group=g topic=t broker=b queue=3 offset=17 messages=2"));
    pid_t child = fork();
    if (child == 0) { /* where the thread is not */
        buffer_clear(&text);
        service_describe_threads(&text);
        _exit(text.size == 0 ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    stop_and_join();
    buffer_clear(&text);
    service_describe_threads(&text);
    ck_assert_uint_eq(text.size, 0);
    buffer_done(&text);
    tear_down();
}
END_TEST

START_TEST(work_does_not_end_while_somebody_looks)
{
    struct buffer text;
    buffer_init(&text);
    set_up(run_hurrying);
    start();
    latch_wait(&f.waits, 1);
    for (int seen = 0; seen < ROUNDS;) {
        buffer_clear(&text);
        service_describe_threads(&text);
        ck_assert_ptr_null(strstr(buffer_text(&text), "over"));
        seen += strstr(buffer_text(&text), "in a hurry for ") != NULL;
    }
    stop_and_join();
    buffer_done(&text);
    tear_down();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("service");
    UNIT_CASE(s, "body", body_sees_name_and_identity, application_signals_do_not_run_on_our_threads,
              wait_ends_at_its_deadline_and_not_before, body_can_ask_whether_to_stop,
              no_wake_is_lost, threads_tell_what_they_are_at,
              work_does_not_end_while_somebody_looks);
    UNIT_CASE(s, "life", never_started_can_be_stopped_and_joined, stop_ends_a_long_wait,
              stop_calls_interrupt, join_until_waits_only_so_long, can_start_again_after_join,
              forked_child_joins_without_waiting);
#ifdef CAN_REFUSE_THREADS
    UNIT_CASE(s, "failure", no_thread_to_be_had);
#endif
    return s;
}

TEST_MAIN(suite)
