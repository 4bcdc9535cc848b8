/* Tests of lib/client/pending_requests.c. */
#include "lib/client/pending_requests.h"

#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/base/reference.h"
#include "test/unit/unit.h"

enum { MANY = 200, SOON_MS = 60, HOUR_MS = 3600 * 1000 };

/* A request that counts what happens to it. */
struct asked {
    struct pending_request pending;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int done;
    mqc_status status;
    int64_t done_ms;
};

static struct scheduled_executor *scheduler;
static struct pending_requests table;
static int owner, other_owner;
static mqc_error error;
static long blocks_before;

static void set_up(void)
{
    blocks_before = memory_live_blocks();
    ck_assert_int_eq(scheduled_executor_new(&scheduler, &error), MQC_OK);
    ck_assert_int_eq(scheduled_executor_start(scheduler, &error), MQC_OK);
    pending_requests_init(&table);
    pending_requests_start(&table, scheduler);
}

static void tear_down(void)
{
    pending_requests_stop(&table);
    scheduled_executor_free(scheduler);
    pending_requests_done(&table);
    ck_assert_int_eq(memory_live_blocks(), blocks_before);
}

static void note(struct pending_request *pending, mqc_message *reply, const mqc_error *why)
{
    struct asked *asked = CONTAINER_OF(pending, struct asked, pending);
    ck_assert(!lock_any_held());
    pthread_mutex_lock(&asked->lock);
    asked->done += !reply != !why ? 1 : 100;
    asked->status = why ? why->status : MQC_OK;
    asked->done_ms = clock_now_ms();
    pthread_cond_broadcast(&asked->changed);
    pthread_mutex_unlock(&asked->lock);
}

static void ask(struct asked *asked, const void *whose, int64_t deadline_ms)
{
    *asked = (struct asked){.pending = {.owner = whose, .deadline_ms = deadline_ms, .done = note},
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER};
    list_init(&asked->pending.link);
    ck_assert_int_eq(pending_requests_add(&table, &asked->pending, &error), MQC_OK);
}

static void await(struct asked *asked)
{
    pthread_mutex_lock(&asked->lock);
    while (asked->done == 0) pthread_cond_wait(&asked->changed, &asked->lock);
    pthread_mutex_unlock(&asked->lock);
}

static struct pending_request *take(const char *id)
{
    int64_t late;
    return pending_requests_take(&table, slice_text(id), &late);
}

START_TEST(ids_are_uuids_and_differ)
{
    static struct asked asked[MANY];
    for (int i = 0; i < MANY; i++) {
        ask(&asked[i], &owner, CLOCK_NEVER);
        const char *id = asked[i].pending.correlation_id;
        ck_assert_uint_eq(strlen(id), 36);
        ck_assert_uint_eq(strspn(id, "0123456789abcdef-"), 36);
        ck_assert(id[8] == '-' && id[13] == '-' && id[14] == '4' && id[18] == '-' && id[23] == '-');
        ck_assert_ptr_nonnull(strchr("89ab", id[19]));
    }
    /* Each is found, so no two are equal. */
    for (int i = 0; i < MANY; i++)
        ck_assert_ptr_eq(take(asked[i].pending.correlation_id), &asked[i].pending);
}
END_TEST

START_TEST(only_one_gets_a_request)
{
    struct asked first, second;
    ask(&first, &owner, CLOCK_NEVER);
    ask(&second, &owner, CLOCK_NEVER);
    ck_assert_ptr_eq(take(first.pending.correlation_id), &first.pending);
    ck_assert_ptr_null(take(first.pending.correlation_id));
    ck_assert(!pending_requests_remove(&table, &first.pending));
    ck_assert(pending_requests_remove(&table, &second.pending));
    ck_assert(!pending_requests_remove(&table, &second.pending));
    ck_assert_ptr_null(take(second.pending.correlation_id));
    ck_assert_int_eq(first.done + second.done, 0); /* whoever takes one out does the rest */
}
END_TEST

START_TEST(replies_that_nobody_waits_for_are_counted)
{
    int64_t late = 0;
    ck_assert_ptr_null(pending_requests_take(&table, SLICE_LITERAL("unknown"), &late));
    ck_assert_int_eq(late, 1);
    ck_assert_ptr_null(pending_requests_take(&table, SLICE_ABSENT, &late));
    ck_assert_int_eq(late, 2);
}
END_TEST

START_TEST(the_end_of_an_owner_cancels_its_own)
{
    mqc_error cancelled = {.status = MQC_CANCELLED};
    struct asked mine, hers, forever;
    ask(&mine, &owner, CLOCK_NEVER);
    ask(&hers, &other_owner, CLOCK_NEVER);
    ask(&forever, &owner, clock_deadline_ms(HOUR_MS));
    pending_requests_cancel(&table, &owner, &cancelled);
    ck_assert_int_eq(mine.done, 1);
    ck_assert_int_eq(mine.status, MQC_CANCELLED);
    ck_assert_int_eq(forever.done, 1);
    ck_assert_int_eq(hers.done, 0);
    pending_requests_cancel(&table, &owner, &cancelled);
    ck_assert_int_eq(mine.done, 1);
    ck_assert(pending_requests_remove(&table, &hers.pending));
}
END_TEST

START_TEST(deadlines_are_kept)
{
    struct asked soon, later, never;
    int64_t deadline_ms = clock_deadline_ms(SOON_MS);
    ask(&later, &owner, clock_deadline_ms(HOUR_MS));
    ask(&soon, &owner, deadline_ms);
    ask(&never, &owner, CLOCK_NEVER);
    await(&soon);
    ck_assert_int_eq(soon.done, 1);
    ck_assert_int_eq(soon.status, MQC_NO_REPLY);
    ck_assert_int_ge(soon.done_ms, deadline_ms);
    ck_assert_int_eq(later.done + never.done, 0);
    ck_assert(!pending_requests_remove(&table, &soon.pending));
    ck_assert(pending_requests_remove(&table, &later.pending));
    ck_assert(pending_requests_remove(&table, &never.pending));
}
END_TEST

static bool sweeps(void)
{
    lock_take(&table.lock);
    bool there = table.sweep != NULL;
    lock_release(&table.lock);
    return there;
}

/* Nothing wakes a process that waits for nothing. */
START_TEST(nothing_runs_when_there_is_nothing_to_wait_for)
{
    struct asked request;
    ask(&request, &owner, CLOCK_NEVER);
    ck_assert(!sweeps());
    ck_assert(pending_requests_remove(&table, &request.pending));
    for (int round = 0; round < 3; round++) {
        ask(&request, &owner, clock_deadline_ms(1));
        ck_assert(sweeps() || request.done);
        await(&request);
        while (sweeps()) sched_yield();
    }
}
END_TEST

START_TEST(a_request_without_memory_is_not_there)
{
    for (int i = 1; i <= 3; i++) {
        struct asked request = {
            .pending = {.owner = &owner, .deadline_ms = clock_deadline_ms(HOUR_MS), .done = note}};
        list_init(&request.pending.link);
        memory_fail_from(i);
        mqc_status status = pending_requests_add(&table, &request.pending, &error);
        memory_fail_from(0);
        ck_assert(status == MQC_OK || status == MQC_NO_MEMORY);
        ck_assert_int_eq(pending_requests_remove(&table, &request.pending), status == MQC_OK);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("client/pending_requests");
    TCase *tcase = tcase_create("pending requests");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, ids_are_uuids_and_differ);
    tcase_add_test(tcase, only_one_gets_a_request);
    tcase_add_test(tcase, replies_that_nobody_waits_for_are_counted);
    tcase_add_test(tcase, the_end_of_an_owner_cancels_its_own);
    tcase_add_test(tcase, deadlines_are_kept);
    tcase_add_test(tcase, nothing_runs_when_there_is_nothing_to_wait_for);
    tcase_add_test(tcase, a_request_without_memory_is_not_there);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(suite)
