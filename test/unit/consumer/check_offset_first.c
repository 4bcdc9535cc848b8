/* The first offsets of a group at a store that may lose them: each is told twice. The store is this
 * file: it notes what it is given and answers at once that all is well. */
#include "lib/base/clock.h"
#include "lib/consumer/offset_record.h"
#include "test/unit/unit.h"

enum { TOLD_MOST = 16 };

static struct offset_store store;
static int64_t told[TOLD_MOST]; /* all updates in order */
static int count;
static mqc_error error;

static mqc_status update(struct offset_store *of, const struct offset_place *place, int64_t offset,
                         int64_t deadline_ms, mqc_error *problem)
{
    (void)of, (void)place, (void)deadline_ms, (void)problem;
    ck_assert_int_lt(count, TOLD_MOST);
    told[count++] = offset;
    return MQC_OK;
}

static mqc_status begin_update(struct offset_store *of, const struct offset_place *place,
                               int64_t offset, struct offset_record *record, mqc_error *problem)
{
    update(of, place, offset, CLOCK_NEVER, problem);
    offset_record_stored(record, NULL);
    return MQC_OK;
}

static const struct offset_store_type FORGETFUL = {.update = update,
                                                   .begin_update = begin_update,
                                                   .destroy = offset_store_done,
                                                   .may_lose_first = true};

static struct offset_record *record_new(int64_t stored)
{
    struct offset_record *record;
    offset_store_init(&store, &FORGETFUL);
    ck_assert_int_eq(offset_record_new(&store, &(struct offset_place){"group", "topic", "b", 3},
                                       stored, &record, &error),
                     MQC_OK);
    return record;
}

static void record_free(struct offset_record *record)
{
    offset_record_unref(record);
    offset_store_unref(&store);
}

#define ck_told(...)                                                                               \
    do {                                                                                           \
        const int64_t ck_told_[] = {__VA_ARGS__};                                                  \
        ck_assert_int_eq(count, (int)(sizeof ck_told_ / sizeof *ck_told_));                        \
        for (int i = 0; i < count; i++) ck_assert_int_eq(told[i], ck_told_[i]);                    \
    } while (0)

START_TEST(test_first_is_told_twice)
{
    struct offset_record *record = record_new(0);
    offset_record_persist(record);
    ck_assert_int_eq(count, 0);
    offset_record_raise(record, 6);
    offset_record_persist(record);
    ck_told(6);
    offset_record_persist(record);
    offset_record_persist(record);
    ck_told(6, 6);
    offset_record_raise(record, 7);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(6, 6, 7);
    record_free(record);
}
END_TEST

START_TEST(test_first_may_be_the_last)
{
    struct offset_record *record = record_new(-1);
    offset_record_raise(record, 6);
    offset_record_persist(record);
    ck_assert_int_eq(offset_record_commit(record, CLOCK_NEVER, &error), MQC_OK);
    ck_told(6, 6);
    record_free(record);
}
END_TEST

START_TEST(test_where_one_was_stored_it_is_told_once)
{
    struct offset_record *record = record_new(5);
    offset_record_raise(record, 6);
    offset_record_persist(record);
    offset_record_persist(record);
    ck_told(6);
    record_free(record);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("offset_first");
    UNIT_CASE(s, "first offsets", test_first_is_told_twice, test_first_may_be_the_last,
              test_where_one_was_stored_it_is_told_once);
    return s;
}
TEST_MAIN(suite)
