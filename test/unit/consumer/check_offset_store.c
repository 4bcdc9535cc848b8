/* The record of a queue's offset: only ever up, frozen for good, told to the broker only when there
 * is something to tell, and never in two updates at a time. The broker is fake_offsets.c. */
#include <pthread.h>

#include "lib/base/clock.h"
#include "test/unit/consumer/fake_offsets.h"
#include "test/unit/unit.h"

enum { LONG_MS = 60000 };

static struct offset_record *record_new(int64_t stored)
{
    /* The names need not outlive the call. */
    char group[] = "group", topic[] = "topic", broker_name[] = "broker-a";
    struct offset_place place = {group, topic, broker_name, 3};
    struct offset_record *record;
    mqc_error error;
    intern_init(&fake_offsets.names);
    ck_assert_int_eq(offset_record_new(NULL, &place, stored, &record, &error), MQC_OK);
    memset(group, 'x', sizeof group - 1);
    memset(topic, 'x', sizeof topic - 1);
    return record;
}

static void record_free(struct offset_record *record)
{
    offset_record_unref(record);
    intern_done(&fake_offsets.names);
}

#define ck_told(...)                                                                               \
    do {                                                                                           \
        const int64_t ck_told_[] = {__VA_ARGS__};                                                  \
        int ck_count_ = (int)(sizeof ck_told_ / sizeof *ck_told_);                                 \
        ck_assert_int_eq(fake_offsets.count, ck_count_);                                           \
        for (int i = 0; i < ck_count_; i++) ck_assert_int_eq(fake_offsets.told[i], ck_told_[i]);   \
    } while (0)

/* ---- the record ---- */

START_TEST(test_only_up)
{
    struct offset_record *record = record_new(-1);
    ck_assert_int_eq(offset_record_read(record), -1);
    offset_record_raise(record, 0);
    ck_assert_int_eq(offset_record_read(record), 0);
    offset_record_raise(record, 10);
    offset_record_raise(record, 9);
    ck_assert_int_eq(offset_record_read(record), 10);
    record_free(record);
}
END_TEST

START_TEST(test_frozen_does_not_move)
{
    struct offset_record *record = record_new(5);
    offset_record_raise(record, 7);
    offset_record_freeze(record);
    offset_record_raise(record, 100);
    ck_assert_int_eq(offset_record_read(record), 7);
    offset_record_persist(record); /* but is still to be told */
    ck_told(7);
    fake_offsets_answer(RESPONSE_SUCCESS);
    record_free(record);
}
END_TEST

START_TEST(test_frozen_elsewhere_goes_down_too)
{
    mqc_error error;
    struct offset_record *record = record_new(50);
    offset_record_freeze_at(record, 3);
    offset_record_raise(record, 60); /* a listener that was late */
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    offset_record_freeze_at(record, 9);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(3, 9);
    record_free(record);
}
END_TEST

/* ---- telling the broker ---- */

START_TEST(test_nothing_new_is_not_told)
{
    mqc_error error;
    struct offset_record *record = record_new(5);
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_assert_int_eq(fake_offsets.count, 0);
    offset_record_raise(record, 6);
    offset_record_persist(record);
    fake_offsets_answer(RESPONSE_SUCCESS);
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(6);
    record_free(record);
}
END_TEST

START_TEST(test_group_without_offset)
{
    mqc_error error;
    struct offset_record *record = record_new(-1);
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_assert_int_eq(fake_offsets.count, 0);
    offset_record_raise(record, 0); /* an offset of 0 is one, too */
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(0);
    record_free(record);
}
END_TEST

START_TEST(test_one_update_at_a_time)
{
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    offset_record_persist(record);
    offset_record_raise(record, 5);
    offset_record_persist(record);
    offset_record_raise(record, 6);
    offset_record_persist(record);
    ck_told(4);
    fake_offsets_answer(RESPONSE_SUCCESS); /* what is new by now follows */
    ck_told(4, 6);
    fake_offsets_answer(RESPONSE_SUCCESS);
    ck_told(4, 6);
    record_free(record);
}
END_TEST

START_TEST(test_risen_meanwhile_waits_for_the_next_time)
{
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    offset_record_persist(record);
    offset_record_raise(record, 5);
    fake_offsets_answer(RESPONSE_SUCCESS);
    ck_told(4);
    offset_record_persist(record);
    ck_told(4, 5);
    fake_offsets_answer(RESPONSE_SUCCESS);
    record_free(record);
}
END_TEST

START_TEST(test_given_up_with_an_update_under_way)
{
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    offset_record_persist(record);
    offset_record_raise(record, 8);
    offset_record_freeze(record);
    offset_record_persist(record);
    offset_record_unref(record); /* the queue is gone; the answer comes late */
    ck_told(4);
    fake_offsets_answer(RESPONSE_SUCCESS);
    ck_told(4, 8);
    fake_offsets_answer(RESPONSE_SUCCESS);
    intern_done(&fake_offsets.names);
}
END_TEST

START_TEST(test_failed_update_is_told_anew)
{
    mqc_error error;
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    offset_record_persist(record);
    fake_offsets_answer(-1); /* may have been done, or not */
    ck_told(4);
    offset_record_persist(record);
    fake_offsets_answer(RESPONSE_SYSTEM_ERROR);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(4, 4, 4);
    record_free(record);
}
END_TEST

START_TEST(test_failed_update_does_not_hold_up_the_one_behind)
{
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    offset_record_persist(record);
    offset_record_raise(record, 5);
    offset_record_persist(record);
    fake_offsets_answer(-1);
    ck_told(4, 5);
    fake_offsets_answer(RESPONSE_SUCCESS);
    record_free(record);
}
END_TEST

START_TEST(test_broker_that_is_down)
{
    mqc_error error;
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    fake_offsets.refuses = true;
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_NO_CONNECTION);
    fake_offsets.refuses = false;
    fake_offsets.has_no_master = true;
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_NO_ROUTE);
    ck_assert_int_eq(fake_offsets.count, 0);
    fake_offsets.has_no_master = false;
    offset_record_persist(record);
    ck_told(4);
    fake_offsets_answer(RESPONSE_SUCCESS);
    record_free(record);
}
END_TEST

/* ---- the commit that waits ---- */

static void *answer_it(void *arg)
{
    (void)arg;
    fake_offsets_answer(RESPONSE_SUCCESS);
    return NULL;
}

START_TEST(test_commit_waits_for_the_update_under_way)
{
    mqc_error error;
    pthread_t thread;
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    offset_record_persist(record);
    offset_record_raise(record, 9);
    offset_record_freeze(record);
    ck_assert_int_eq(pthread_create(&thread, NULL, answer_it, NULL), 0);
    /* The broker fails the test when it is told before it has answered. */
    ck_assert_int_eq(offset_record_commit(record, clock_deadline_ms(LONG_MS), &error), MQC_OK);
    pthread_join(thread, NULL);
    ck_told(4, 9);
    record_free(record);
}
END_TEST

START_TEST(test_commit_waits_no_longer_than_it_may)
{
    mqc_error error;
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    offset_record_persist(record);
    offset_record_raise(record, 9);
    ck_assert_int_eq(offset_record_commit(record, clock_deadline_ms(1), &error), MQC_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(error.text, "broker-a"));
    ck_told(4);
    fake_offsets_answer(RESPONSE_SUCCESS); /* late, but in time for the rest to be told */
    ck_told(4, 9);
    fake_offsets_answer(RESPONSE_SUCCESS);
    record_free(record);
}
END_TEST

START_TEST(test_query_is_a_number_or_an_error)
{
    mqc_error error;
    int64_t offset = -5;
    struct offset_place place = {"group", "topic", "broker-a", 3};
    ck_assert_int_eq(offset_store_query(NULL, &place, CLOCK_NEVER, &offset, &error), MQC_OK);
    ck_assert_int_eq(offset, 7);
    fake_offsets.has_no_master = true; /* nor slave */
    offset = -5;
    ck_assert_int_eq(offset_store_query(NULL, &place, CLOCK_NEVER, &offset, &error), MQC_NO_ROUTE);
    ck_assert_int_eq(offset, -5);
}
END_TEST

static Suite *offset_store_suite(void)
{
    Suite *suite = suite_create("offset_store");
    UNIT_CASE(suite, "record", test_only_up, test_frozen_does_not_move,
              test_frozen_elsewhere_goes_down_too);
    UNIT_CASE(suite, "update", test_nothing_new_is_not_told, test_group_without_offset,
              test_one_update_at_a_time, test_risen_meanwhile_waits_for_the_next_time,
              test_given_up_with_an_update_under_way, test_failed_update_is_told_anew,
              test_failed_update_does_not_hold_up_the_one_behind, test_broker_that_is_down);
    UNIT_CASE(suite, "commit", test_commit_waits_for_the_update_under_way,
              test_commit_waits_no_longer_than_it_may, test_query_is_a_number_or_an_error);
    return suite;
}

TEST_MAIN(offset_store_suite)
