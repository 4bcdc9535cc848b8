/* The pull thread: order, delays, and that each request is pulled or discarded exactly once. */
#include "services/pull_service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "services/service.h"
#include "test/unit/services/latch.h"
#include "test/unit/unit.h"

enum { HOUR_MS = 3600 * 1000, MANY = 10000, ROUNDS = 300, SUBMITTERS = 3 };

struct work {
    struct pull_request request;
    int pulls;
    int discards;
    int order;
    int again; /* queues itself so many times more */
    int64_t earliest_ms;
    int64_t latest_ms;
    int64_t pulled_ms;
    pthread_t thread;
};

static struct pull_service *service;
static struct latch pulled;
static struct latch gate;
static int next_order; /* the pull thread only */

static void pull(struct pull_request *request)
{
    struct work *work = CONTAINER_OF(request, struct work, request);
    work->pulled_ms = clock_now_ms();
    work->order = next_order++;
    work->thread = pthread_self();
    work->pulls++;
    if (work->again > 0) {
        work->again--;
        pull_service_execute_later(service, request, work->again % 2);
    }
    latch_raise(&pulled);
}

static void pull_gated(struct pull_request *request)
{
    latch_raise(&pulled);
    latch_wait(&gate, 1);
    pull(request);
}

static void discard(struct pull_request *request)
{
    struct work *work = CONTAINER_OF(request, struct work, request);
    work->thread = pthread_self();
    work->discards++;
}

static void set_up(void)
{
    latch_init(&pulled);
    latch_init(&gate);
    next_order = 0;
    ck_assert_int_eq(pull_service_new(&service, NULL), MQC_OK);
}

static void start(void)
{
    mqc_error error = {0};
    ck_assert_msg(pull_service_start(service, &error) == MQC_OK, "%s", error.text);
}

static void execute(struct work *work, int64_t delay_ms)
{
    work->request.pull = pull;
    work->request.discard = discard;
    work->earliest_ms = clock_now_ms() + delay_ms;
    if (delay_ms == 0)
        pull_service_execute(service, &work->request);
    else
        pull_service_execute_later(service, &work->request, delay_ms);
    work->latest_ms = clock_now_ms() + delay_ms;
}

static void tear_down(void)
{
    pull_service_free(service);
    ck_assert_int_eq(service_live_count(), 0);
    latch_done(&gate);
    latch_done(&pulled);
}

static int by_order(const void *a, const void *b)
{
    return ((const struct work *)a)->order - ((const struct work *)b)->order;
}

START_TEST(immediate_requests_keep_their_order)
{
    set_up();
    start();
    static struct work works[MANY];
    for (int i = 0; i < MANY; i++) execute(&works[i], 0);
    latch_wait(&pulled, MANY);
    pull_service_stop(service);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(works[i].order, i);
        ck_assert_int_eq(works[i].pulls, 1);
        ck_assert(!pthread_equal(works[i].thread, pthread_self()));
    }
    tear_down();
}
END_TEST

START_TEST(many_delayed_requests_in_order_and_never_early)
{
    set_up();
    static struct work works[MANY];
    for (int i = 0; i < MANY; i++) execute(&works[i], 1 + i * 7919 % 97);
    start();
    latch_wait(&pulled, MANY);
    pull_service_stop(service);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(works[i].pulls, 1);
        ck_assert_int_eq(works[i].discards, 0);
        ck_assert_int_ge(works[i].pulled_ms, works[i].earliest_ms);
    }
    qsort(works, MANY, sizeof works[0], by_order);
    int64_t latest_before = 0; /* none may come after one that was certainly due later */
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_ge(works[i].latest_ms, latest_before);
        if (works[i].earliest_ms > latest_before) latest_before = works[i].earliest_ms;
    }
    tear_down();
}
END_TEST

START_TEST(no_delay_or_less_means_now)
{
    set_up();
    start();
    struct work works[2] = {{.request = {.pull = pull, .discard = discard}},
                            {.request = {.pull = pull, .discard = discard}}};
    pull_service_execute_later(service, &works[0].request, 0);
    pull_service_execute_later(service, &works[1].request, -5);
    latch_wait(&pulled, 2);
    pull_service_stop(service);
    ck_assert_int_eq(works[0].order, 0);
    ck_assert_int_eq(works[1].order, 1);
    tear_down();
}
END_TEST

START_TEST(sooner_requests_wake_the_thread)
{
    set_up();
    start();
    struct work far[3] = {0};
    for (int i = 0; i < 3; i++) execute(&far[i], HOUR_MS - i);
    for (int i = 0; i < ROUNDS; i++) {
        struct work near = {0};
        execute(&near, i % 3);
        latch_wait(&pulled, i + 1);
        ck_assert_int_eq(near.pulls, 1);
    }
    pull_service_stop(service);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(far[i].pulls, 0);
        ck_assert_int_eq(far[i].discards, 1);
    }
    tear_down();
}
END_TEST

START_TEST(request_queues_itself_again)
{
    set_up();
    start();
    struct work works[3] = {{.again = ROUNDS}, {.again = ROUNDS}, {.again = ROUNDS}};
    for (int i = 0; i < 3; i++) execute(&works[i], 0);
    latch_wait(&pulled, 3 * (ROUNDS + 1));
    pull_service_stop(service);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(works[i].pulls, ROUNDS + 1);
        ck_assert_int_eq(works[i].discards, 0);
    }
    tear_down();
}
END_TEST

START_TEST(stop_discards_what_is_queued)
{
    set_up();
    start();
    struct work running = {.request = {.pull = pull_gated, .discard = discard}, .again = 1};
    struct work works[10] = {0};
    pull_service_execute(service, &running.request);
    latch_wait(&pulled, 1);
    for (int i = 0; i < 10; i++) execute(&works[i], i % 2 * HOUR_MS);
    latch_raise(&gate);
    pull_service_stop(service);
    ck_assert_int_eq(running.pulls + running.discards, running.again == 0 ? 2 : 1);
    for (int i = 0; i < 10; i++) ck_assert_int_eq(works[i].pulls + works[i].discards, 1);
    for (int i = 1; i < 10; i += 2) ck_assert_int_eq(works[i].discards, 1);
    pull_service_stop(service);
    tear_down();
}
END_TEST

START_TEST(after_stop_discards_at_once)
{
    set_up();
    start();
    pull_service_stop(service);
    ck_assert_int_eq(service_live_count(), 0);
    struct work works[2] = {0};
    for (int i = 0; i < 2; i++) {
        execute(&works[i], i * HOUR_MS);
        ck_assert_int_eq(works[i].discards, 1);
        ck_assert(pthread_equal(works[i].thread, pthread_self()));
    }
    tear_down();
}
END_TEST

START_TEST(never_started_discards_on_stop)
{
    set_up();
    struct work works[4] = {0};
    for (int i = 0; i < 4; i++) execute(&works[i], i % 2 * HOUR_MS);
    pull_service_stop(service);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(works[i].pulls, 0);
        ck_assert_int_eq(works[i].discards, 1);
    }
    tear_down();
}
END_TEST

static void *execute_many(void *arg)
{
    struct work *works = arg;
    for (int i = 0; i < MANY; i++) execute(&works[i], i % 3);
    return NULL;
}

START_TEST(none_is_lost_or_doubled_in_a_race_with_stop)
{
    static struct work works[SUBMITTERS][MANY];
    set_up();
    start();
    pthread_t threads[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, execute_many, works[i]), 0);
    latch_wait(&pulled, MANY / 4);
    pull_service_stop(service);
    for (int i = 0; i < SUBMITTERS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < SUBMITTERS; i++)
        for (int j = 0; j < MANY; j++)
            ck_assert_int_eq(works[i][j].pulls + works[i][j].discards, 1);
    tear_down();
}
END_TEST

START_TEST(memory_is_needed_only_to_make_it)
{
    memory_fail_from(1);
    ck_assert_int_eq(pull_service_new(&service, NULL), MQC_NO_MEMORY);
    memory_fail_from(0);
    pull_service_free(NULL);
    long blocks = memory_live_blocks();
    set_up();
    start();
    memory_fail_from(1);
    struct work works[100] = {0};
    for (int i = 0; i < 100; i++) execute(&works[i], i % 4);
    latch_wait(&pulled, 100);
    memory_fail_from(0);
    tear_down();
    ck_assert_int_eq(memory_live_blocks(), blocks);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pull_service");
    UNIT_CASE(s, "pull", immediate_requests_keep_their_order,
              many_delayed_requests_in_order_and_never_early, no_delay_or_less_means_now,
              sooner_requests_wake_the_thread, request_queues_itself_again,
              memory_is_needed_only_to_make_it);
    UNIT_CASE(s, "stop", stop_discards_what_is_queued, after_stop_discards_at_once,
              never_started_discards_on_stop, none_is_lost_or_doubled_in_a_race_with_stop);
    return s;
}

TEST_MAIN(suite)
