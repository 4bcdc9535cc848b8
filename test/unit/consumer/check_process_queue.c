/* The process queue: what may be committed, duplicates, states, and a long random run against a
 * plain model. */
#include "lib/consumer/process_queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

enum { MOST = 4096 };

static struct process_queue queue;
static struct mqc_message *messages[MOST]; /* by offset, one reference each */

static void setup(void)
{
    process_queue_init(&queue);
}

static void teardown(void)
{
    process_queue_done(&queue);
    for (int i = 0; i < MOST; i++) {
        mqc_message_free(messages[i]);
        messages[i] = NULL;
    }
}

static struct mqc_message *message_at(int64_t offset)
{
    if (!messages[offset]) {
        messages[offset] = mqc_message_new("topic", "0123456789", 10);
        ck_assert_ptr_nonnull(messages[offset]);
        messages[offset]->queue_offset = offset;
    }
    return messages[offset];
}

static int references(int64_t offset)
{
    return atomic_load(&messages[offset]->block->references.count);
}

/* Puts first .. last and returns how many were new. */
static size_t put(int64_t first, int64_t last)
{
    struct mqc_message *batch[MOST];
    size_t count = 0, added;
    for (int64_t offset = first; offset <= last; offset++) batch[count++] = message_at(offset);
    ck_assert_int_eq(process_queue_put(&queue, batch, count, &added, NULL), MQC_OK);
    return added;
}

static struct process_queue_state state(void)
{
    struct process_queue_state now;
    process_queue_read(&queue, &now);
    return now;
}

START_TEST(test_new_queue_has_nothing_to_commit)
{
    setup();
    ck_assert_int_eq(process_queue_next(&queue), -1);
    ck_assert_int_eq(process_queue_remove(&queue, 0), -1);
    ck_assert_uint_eq(state().count, 0);
    ck_assert_uint_eq(state().bytes, 0);
    ck_assert_int_eq(state().first_offset, -1);
    ck_assert_int_eq(state().last_offset, -1);
    ck_assert(!process_queue_dropped(&queue));
    ck_assert_ptr_null(process_queue_expired(&queue, INT64_MAX));
    teardown();
}
END_TEST

START_TEST(test_commit_is_smallest_unfinished)
{
    setup();
    ck_assert_uint_eq(put(100, 104), 5);
    ck_assert_uint_eq(state().count, 5);
    ck_assert_uint_eq(state().bytes, 50);
    ck_assert_int_eq(state().first_offset, 100);
    ck_assert_int_eq(state().last_offset, 104);
    ck_assert_int_eq(process_queue_remove(&queue, 102), 100);
    ck_assert_int_eq(process_queue_remove(&queue, 101), 100);
    ck_assert_uint_eq(state().count, 3);
    ck_assert_int_eq(process_queue_remove(&queue, 100), 103);
    ck_assert_int_eq(state().first_offset, 103);
    ck_assert_int_eq(process_queue_remove(&queue, 104), 103);
    ck_assert_int_eq(state().last_offset, 103);
    ck_assert_int_eq(process_queue_remove(&queue, 103), 105);
    ck_assert_uint_eq(state().count, 0);
    ck_assert_uint_eq(state().bytes, 0);
    teardown();
}
END_TEST

START_TEST(test_empty_queue_commits_behind_the_highest)
{
    setup();
    put(7, 9);
    /* The highest first: its end is cut off, yet it must not be forgotten. */
    ck_assert_int_eq(process_queue_remove(&queue, 9), 7);
    ck_assert_int_eq(process_queue_remove(&queue, 8), 7);
    ck_assert_int_eq(process_queue_remove(&queue, 7), 10);
    ck_assert_int_eq(process_queue_remove(&queue, 7), 10);
    teardown();
}
END_TEST

START_TEST(test_gaps_are_no_obstacle)
{
    setup();
    struct mqc_message *sparse[] = {message_at(3), message_at(10), message_at(500)};
    size_t added;
    ck_assert_int_eq(process_queue_put(&queue, sparse, 3, &added, NULL), MQC_OK);
    ck_assert_uint_eq(added, 3);
    ck_assert_int_eq(process_queue_remove(&queue, 4), 3); /* is not there */
    ck_assert_int_eq(process_queue_remove(&queue, 3), 10);
    ck_assert_int_eq(state().last_offset - state().first_offset, 490);
    ck_assert_int_eq(process_queue_remove(&queue, 500), 10);
    ck_assert_int_eq(process_queue_remove(&queue, 10), 501);
    teardown();
}
END_TEST

START_TEST(test_duplicates_are_left_out)
{
    setup();
    ck_assert_uint_eq(put(0, 9), 10);
    ck_assert_uint_eq(put(0, 9), 0);
    ck_assert_uint_eq(state().count, 10);
    ck_assert_uint_eq(state().bytes, 100);
    process_queue_remove(&queue, 9);
    struct mqc_message *batch[] = {message_at(8), message_at(9), message_at(10), message_at(11)};
    size_t added;
    ck_assert_int_eq(process_queue_put(&queue, batch, 4, &added, NULL), MQC_OK);
    ck_assert_uint_eq(added, 2);
    ck_assert_ptr_eq(batch[0], messages[10]);
    ck_assert_ptr_eq(batch[1], messages[11]);
    ck_assert_uint_eq(state().count, 11);
    ck_assert_int_eq(references(8), 2);
    ck_assert_int_eq(references(9), 1);
    teardown();
}
END_TEST

START_TEST(test_filtered_messages_are_passed)
{
    setup();
    ck_assert_int_eq(process_queue_pass(&queue, 40), 40);
    ck_assert_uint_eq(put(40, 41), 2);
    ck_assert_int_eq(process_queue_pass(&queue, 60), -1); /* not before 40 and 41 are done */
    ck_assert_int_eq(process_queue_remove(&queue, 40), 41);
    ck_assert_int_eq(process_queue_remove(&queue, 41), 60);
    ck_assert_int_eq(process_queue_pass(&queue, 50), 60); /* never back */
    ck_assert_uint_eq(put(59, 59), 0);
    ck_assert_uint_eq(put(60, 60), 1);
    teardown();
}
END_TEST

START_TEST(test_bytes_are_those_recorded_at_put)
{
    setup();
    put(0, 1);
    messages[0]->body.size = 1000; /* whatever happens to the message later */
    process_queue_remove(&queue, 0);
    ck_assert_uint_eq(state().bytes, 10);
    teardown();
}
END_TEST

START_TEST(test_message_is_delivered_once_at_a_time)
{
    setup();
    put(0, 0);
    ck_assert(process_queue_begin(&queue, 0, 1));
    ck_assert(!process_queue_begin(&queue, 0, 2));
    ck_assert(process_queue_claim(&queue, 0));
    ck_assert(!process_queue_claim(&queue, 0));
    ck_assert(!process_queue_begin(&queue, 0, 2));
    process_queue_again(&queue, 0);
    ck_assert(!process_queue_claim(&queue, 0)); /* nobody has it */
    ck_assert(process_queue_begin(&queue, 0, 3));
    ck_assert_int_eq(process_queue_remove(&queue, 0), 1);
    ck_assert(!process_queue_begin(&queue, 0, 4));
    ck_assert(!process_queue_claim(&queue, 0));
    process_queue_again(&queue, 0);
    process_queue_unclaim(&queue, 0);
    ck_assert(!process_queue_begin(&queue, 0, 5));
    teardown();
}
END_TEST

START_TEST(test_expired_are_claimed_in_order)
{
    setup();
    put(0, 3);
    process_queue_begin(&queue, 3, 50);
    process_queue_begin(&queue, 1, 100);
    process_queue_begin(&queue, 2, 101);
    ck_assert_ptr_null(process_queue_expired(&queue, 49));
    struct mqc_message *first = process_queue_expired(&queue, 100);
    ck_assert_ptr_eq(first, messages[1]);
    ck_assert_int_eq(references(1), 3);
    struct mqc_message *second = process_queue_expired(&queue, 100);
    ck_assert_ptr_eq(second, messages[3]);
    ck_assert_ptr_null(process_queue_expired(&queue, 100));
    mqc_message_free(first);
    mqc_message_free(second);
    /* Sending back failed: it comes up again, and its listener may still finish it. */
    process_queue_unclaim(&queue, 1);
    first = process_queue_expired(&queue, 100);
    ck_assert_ptr_eq(first, messages[1]);
    ck_assert_int_eq(process_queue_remove(&queue, 1), 0);
    ck_assert_int_eq(references(1), 2);
    process_queue_unclaim(&queue, 1);
    ck_assert_ptr_null(process_queue_expired(&queue, 100));
    mqc_message_free(first);
    teardown();
}
END_TEST

START_TEST(test_local_delivery_starts_its_time_anew)
{
    setup();
    put(0, 0);
    process_queue_begin(&queue, 0, 10);
    process_queue_claim(&queue, 0);
    process_queue_again(&queue, 0);
    ck_assert_ptr_null(process_queue_expired(&queue, 1000)); /* waiting, not running */
    process_queue_begin(&queue, 0, 2000);
    ck_assert_ptr_null(process_queue_expired(&queue, 1000));
    teardown();
}
END_TEST

START_TEST(test_no_memory_changes_nothing)
{
    setup();
    struct mqc_message *batch[] = {message_at(0), message_at(1)};
    size_t added = 99;
    mqc_error error = {0};
    memory_fail_from(1);
    ck_assert_int_eq(process_queue_put(&queue, batch, 2, &added, &error), MQC_NO_MEMORY);
    memory_fail_from(0);
    ck_assert_int_eq(error.status, MQC_NO_MEMORY);
    ck_assert_uint_eq(added, 0);
    ck_assert_int_eq(references(0), 1);
    ck_assert_int_eq(process_queue_next(&queue), -1);
    ck_assert_uint_eq(put(0, 1), 2);
    teardown();
}
END_TEST

START_TEST(test_all_references_are_given_back)
{
    setup();
    put(0, 99);
    for (int64_t offset = 0; offset < 100; offset += 3) process_queue_remove(&queue, offset);
    for (int64_t offset = 0; offset < 100; offset++)
        ck_assert_int_eq(references(offset), offset % 3 == 0 ? 1 : 2);
    process_queue_done(&queue);
    for (int64_t offset = 0; offset < 100; offset++) ck_assert_int_eq(references(offset), 1);
    process_queue_init(&queue);
    teardown();
}
END_TEST

/* What the queue should say, worked out the slow way. */
static void compare_with_model(const bool *put_in, const bool *done, int64_t next)
{
    int64_t first = -1, last = -1;
    size_t count = 0;
    for (int64_t offset = 0; offset < MOST; offset++) {
        if (!put_in[offset] || done[offset]) continue;
        if (first < 0) first = offset;
        last = offset;
        count++;
    }
    struct process_queue_state now = state();
    ck_assert_uint_eq(now.count, count);
    ck_assert_uint_eq(now.bytes, count * 10);
    ck_assert_int_eq(now.first_offset, first);
    ck_assert_int_eq(now.last_offset, last);
    ck_assert_int_eq(process_queue_next(&queue), next);
}

START_TEST(test_random_runs_agree_with_a_model)
{
    static bool put_in[MOST], done[MOST];
    setup();
    unsigned seed = (unsigned)_i + 1;
    int64_t next = -1, at = 0;
    memset(put_in, 0, sizeof put_in);
    memset(done, 0, sizeof done);
    while (at < MOST - 40) {
        if (rand_r(&seed) % 3 == 0) {
            struct mqc_message *batch[32];
            size_t count = 0, added;
            for (int i = rand_r(&seed) % 32; i > 0; i--, at++) {
                if (rand_r(&seed) % 4 == 0) continue; /* filtered out */
                put_in[at] = true;
                batch[count++] = message_at(at);
                next = at + 1;
            }
            ck_assert_int_eq(process_queue_put(&queue, batch, count, &added, NULL), MQC_OK);
            ck_assert_uint_eq(added, count);
        } else {
            int64_t offset = rand_r(&seed) % (at + 1);
            if (rand_r(&seed) % 2 && state().count > 0) offset = state().first_offset;
            int64_t commit = process_queue_remove(&queue, offset);
            done[offset] = put_in[offset];
            struct process_queue_state now = state();
            ck_assert_int_eq(commit, now.count > 0 ? now.first_offset : next);
        }
        if (rand_r(&seed) % 16 == 0) compare_with_model(put_in, done, next);
    }
    compare_with_model(put_in, done, next);
    teardown();
}
END_TEST

static void *remove_every_third(void *arg)
{
    for (int64_t offset = (int64_t)(intptr_t)arg; offset < 3000; offset += 3) {
        if (process_queue_begin(&queue, offset, 1)) process_queue_remove(&queue, offset);
    }
    return NULL;
}

START_TEST(test_threads_finish_everything)
{
    setup();
    pthread_t threads[3];
    put(0, 2999);
    for (intptr_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, remove_every_third, (void *)i), 0);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    ck_assert_uint_eq(state().count, 0);
    ck_assert_int_eq(process_queue_pass(&queue, 0), 3000);
    teardown();
}
END_TEST

START_TEST(test_those_that_wait_are_taken_in_order)
{
    struct mqc_message *taken[4];
    setup();
    put(0, 4);
    ck_assert(process_queue_begin(&queue, 1, 5)); /* somebody else has it */
    ck_assert_uint_eq(process_queue_take(&queue, 2, 5, taken), 2);
    ck_assert_ptr_eq(taken[0], messages[0]);
    ck_assert_ptr_eq(taken[1], messages[2]);
    ck_assert(!process_queue_begin(&queue, 2, 5));
    ck_assert_uint_eq(process_queue_take(&queue, 4, 5, taken + 2), 2);
    ck_assert_ptr_eq(taken[3], messages[4]);
    ck_assert_uint_eq(process_queue_take(&queue, 4, 5, NULL), 0);
    ck_assert_int_eq(process_queue_remove(&queue, 0), 1);
    for (int i = 0; i < 4; i++) mqc_message_free(taken[i]);
    teardown();
}
END_TEST

static Suite *process_queue_suite(void)
{
    Suite *suite = suite_create("process_queue");
    UNIT_CASE(suite, "commit", test_new_queue_has_nothing_to_commit,
              test_commit_is_smallest_unfinished, test_empty_queue_commits_behind_the_highest,
              test_gaps_are_no_obstacle, test_duplicates_are_left_out,
              test_filtered_messages_are_passed, test_bytes_are_those_recorded_at_put);
    UNIT_CASE(suite, "states", test_message_is_delivered_once_at_a_time,
              test_those_that_wait_are_taken_in_order, test_expired_are_claimed_in_order,
              test_local_delivery_starts_its_time_anew);
    UNIT_CASE(suite, "memory", test_no_memory_changes_nothing, test_all_references_are_given_back);
    UNIT_CASE(suite, "threads", test_threads_finish_everything);
    TCase *random = tcase_create("random");
    tcase_set_timeout(random, 120);
    tcase_add_loop_test(random, test_random_runs_agree_with_a_model, 0, 20);
    suite_add_tcase(suite, random);
    return suite;
}

TEST_MAIN(process_queue_suite)
