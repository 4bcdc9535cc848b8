/* The record of a queue's offset: only ever up, frozen for good, told to the store (which is this
 * file) only when there is something to tell, and never in two updates at a time. */
#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/consumer/offset_record.h"
#include "test/unit/unit.h"

enum { TOLD_MOST = 16, LONG_MS = 60000 };

static struct fake {
    struct offset_store store;
    pthread_mutex_t lock;
    int64_t told[TOLD_MOST]; /* all updates in order */
    int count;
    struct offset_record *waits; /* for the answer to its update */
    bool refuses;                /* calls fail at once */
    bool answers_at_once;
    uint64_t news;
    int freed;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static mqc_status note(int64_t offset, mqc_error *error)
{
    if (fake.refuses) return error_set(error, MQC_NO_CONNECTION, "the broker is down");
    ck_assert_msg(!fake.waits, "two updates at a time");
    ck_assert_int_lt(fake.count, TOLD_MOST);
    fake.told[fake.count++] = offset;
    return MQC_OK;
}

static mqc_status update(struct offset_store *store, const struct offset_place *place,
                         int64_t offset, int64_t deadline_ms, mqc_error *error)
{
    ck_assert_ptr_eq(store, &fake.store);
    ck_assert_str_eq(place->broker_name, "broker-a");
    ck_assert_int_gt(deadline_ms, 0);
    pthread_mutex_lock(&fake.lock);
    mqc_status status = note(offset, error);
    pthread_mutex_unlock(&fake.lock);
    return status;
}

static mqc_status begin_update(struct offset_store *store, const struct offset_place *place,
                               int64_t offset, struct offset_record *record, mqc_error *error)
{
    ck_assert_ptr_eq(store, &fake.store);
    ck_assert_str_eq(place->group, "group");
    ck_assert_str_eq(place->topic, "topic");
    ck_assert_int_eq(place->queue_id, 3);
    pthread_mutex_lock(&fake.lock);
    mqc_status status = note(offset, error);
    if (status == MQC_OK && !fake.answers_at_once) fake.waits = record;
    pthread_mutex_unlock(&fake.lock);
    if (status == MQC_OK && fake.answers_at_once) offset_record_stored(record, NULL);
    return status;
}

static void destroy(struct offset_store *store)
{
    offset_store_done(store);
    fake.freed++;
}

static uint64_t news(struct offset_store *store, const struct offset_place *place)
{
    (void)store, (void)place;
    return fake.news;
}

static const struct offset_store_type FAKE = {
    .update = update, .begin_update = begin_update, .news = news, .destroy = destroy};

/* The answer to the update under way. */
static void answer(mqc_status status)
{
    mqc_error error;
    if (status != MQC_OK) error_set(&error, status, "this is the test's answer");
    pthread_mutex_lock(&fake.lock);
    struct offset_record *record = fake.waits;
    fake.waits = NULL;
    pthread_mutex_unlock(&fake.lock);
    ck_assert_ptr_nonnull(record);
    offset_record_stored(record, status == MQC_OK ? NULL : &error);
}

static struct offset_record *record_new(int64_t stored)
{
    /* The names need not outlive the call. */
    char group[] = "group", topic[] = "topic", broker_name[] = "broker-a";
    struct offset_place place = {group, topic, broker_name, 3};
    struct offset_record *record;
    mqc_error error;
    offset_store_init(&fake.store, &FAKE);
    ck_assert_int_eq(offset_record_new(&fake.store, &place, stored, &record, &error), MQC_OK);
    memset(group, 'x', sizeof group - 1);
    memset(topic, 'x', sizeof topic - 1);
    return record;
}

static void record_free(struct offset_record *record)
{
    offset_record_unref(record);
    ck_assert_int_eq(fake.freed, 0);
    offset_store_unref(&fake.store);
    ck_assert_int_eq(fake.freed, 1);
}

#define ck_told(...)                                                                               \
    do {                                                                                           \
        const int64_t ck_told_[] = {__VA_ARGS__};                                                  \
        int ck_count_ = (int)(sizeof ck_told_ / sizeof *ck_told_);                                 \
        ck_assert_int_eq(fake.count, ck_count_);                                                   \
        for (int i = 0; i < ck_count_; i++) ck_assert_int_eq(fake.told[i], ck_told_[i]);           \
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
    answer(MQC_OK);
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

START_TEST(test_abandoned_is_not_told)
{
    mqc_error error;
    struct offset_record *record = record_new(5);
    offset_record_raise(record, 7);
    offset_record_persist(record);
    offset_record_raise(record, 9);
    offset_record_persist(record);
    offset_record_abandon(record);
    offset_record_raise(record, 10);
    answer(MQC_OK);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(7);
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
    ck_assert_int_eq(fake.count, 0);
    offset_record_raise(record, 6);
    offset_record_persist(record);
    answer(MQC_OK);
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(6);
    record_free(record);
}
END_TEST

START_TEST(test_after_news_all_is_told_again)
{
    mqc_error error;
    struct offset_record *record = record_new(5);
    fake.news = 1;
    offset_record_persist(record);
    fake.news = 2; /* while it is under way */
    answer(MQC_OK);
    ck_assert_int_eq(offset_record_commit(record, clock_deadline_ms(LONG_MS), &error), MQC_OK);
    offset_record_persist(record);
    ck_told(5, 5);
    record_free(record);
}
END_TEST

START_TEST(test_group_without_offset)
{
    mqc_error error;
    struct offset_record *record = record_new(-1);
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_assert_int_eq(fake.count, 0);
    offset_record_raise(record, 0); /* an offset of 0 is one, too */
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(0);
    record_free(record);
}
END_TEST

START_TEST(test_store_that_answers_within_the_call)
{
    struct offset_record *record = record_new(0);
    fake.answers_at_once = true;
    for (int64_t offset = 1; offset <= 3; offset++) {
        offset_record_raise(record, offset);
        offset_record_persist(record);
        offset_record_persist(record);
    }
    ck_told(1, 2, 3);
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
    answer(MQC_OK); /* what is new by now follows */
    ck_told(4, 6);
    answer(MQC_OK);
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
    answer(MQC_OK);
    ck_told(4);
    offset_record_persist(record);
    ck_told(4, 5);
    answer(MQC_OK);
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
    answer(MQC_OK);
    ck_told(4, 8);
    answer(MQC_OK);
    ck_assert_int_eq(fake.freed, 0);
    offset_store_unref(&fake.store);
    ck_assert_int_eq(fake.freed, 1);
}
END_TEST

START_TEST(test_failed_update_is_told_anew)
{
    mqc_error error;
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    offset_record_persist(record);
    answer(MQC_TIMEOUT); /* may have been done, or not */
    ck_told(4);
    offset_record_persist(record);
    answer(MQC_REFUSED);
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
    answer(MQC_TIMEOUT);
    offset_record_freeze_at(record, 6); /* given up: perhaps another member is further by now */
    offset_record_persist(record);
    answer(MQC_TIMEOUT);
    ck_told(4, 5);
    record_free(record);
}
END_TEST

START_TEST(test_broker_that_is_down)
{
    mqc_error error;
    struct offset_record *record = record_new(0);
    offset_record_raise(record, 4);
    fake.refuses = true;
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_NO_CONNECTION);
    ck_assert_int_eq(fake.count, 0);
    fake.refuses = false;
    offset_record_persist(record);
    ck_told(4);
    answer(MQC_OK);
    record_free(record);
}
END_TEST

/* ---- the commit that waits ---- */

static void *answer_it(void *arg)
{
    (void)arg;
    answer(MQC_OK);
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
    answer(MQC_OK); /* late, but in time for the rest to be told */
    ck_told(4, 9);
    answer(MQC_OK);
    record_free(record);
}
END_TEST

static Suite *offset_record_suite(void)
{
    Suite *suite = suite_create("offset_record");
    UNIT_CASE(suite, "record", test_only_up, test_frozen_does_not_move,
              test_frozen_elsewhere_goes_down_too, test_abandoned_is_not_told);
    UNIT_CASE(suite, "update", test_nothing_new_is_not_told, test_after_news_all_is_told_again,
              test_group_without_offset, test_store_that_answers_within_the_call,
              test_one_update_at_a_time, test_risen_meanwhile_waits_for_the_next_time,
              test_given_up_with_an_update_under_way, test_failed_update_is_told_anew,
              test_failed_update_does_not_hold_up_the_one_behind, test_broker_that_is_down);
    UNIT_CASE(suite, "commit", test_commit_waits_for_the_update_under_way,
              test_commit_waits_no_longer_than_it_may);
    return suite;
}

TEST_MAIN(offset_record_suite)
