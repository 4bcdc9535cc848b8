/* The record of a queue's offset: only ever up, frozen for good, and told to the broker only when
 * there is something to tell. */
#include "lib/consumer/offset_store.h"

#include "test/unit/unit.h"

START_TEST(test_only_up)
{
    struct offset_record record;
    offset_record_init(&record, -1);
    ck_assert_int_eq(offset_record_read(&record), -1);
    offset_record_raise(&record, 0);
    ck_assert_int_eq(offset_record_read(&record), 0);
    offset_record_raise(&record, 10);
    offset_record_raise(&record, 9);
    ck_assert_int_eq(offset_record_read(&record), 10);
    offset_record_done(&record);
}
END_TEST

START_TEST(test_frozen_does_not_move)
{
    struct offset_record record;
    offset_record_init(&record, 5);
    offset_record_raise(&record, 7);
    ck_assert_int_eq(offset_record_freeze(&record), 7);
    offset_record_raise(&record, 100);
    ck_assert_int_eq(offset_record_read(&record), 7);
    ck_assert_int_eq(offset_record_unsent(&record), 7); /* but is still to be told */
    offset_record_done(&record);
}
END_TEST

START_TEST(test_frozen_elsewhere_goes_down_too)
{
    struct offset_record record;
    offset_record_init(&record, 50);
    offset_record_freeze_at(&record, 3);
    offset_record_raise(&record, 60); /* a listener that was late */
    ck_assert_int_eq(offset_record_read(&record), 3);
    ck_assert_int_eq(offset_record_unconfirmed(&record), 3);
    offset_record_freeze_at(&record, 9);
    ck_assert_int_eq(offset_record_read(&record), 9);
    offset_record_done(&record);
}
END_TEST

START_TEST(test_nothing_new_is_not_told)
{
    struct offset_record record;
    offset_record_init(&record, 5);
    ck_assert_int_eq(offset_record_unsent(&record), -1);
    ck_assert_int_eq(offset_record_unconfirmed(&record), -1);
    offset_record_raise(&record, 6);
    ck_assert_int_eq(offset_record_unsent(&record), 6);
    offset_record_set_sent(&record, 6);
    ck_assert_int_eq(offset_record_unsent(&record), -1);
    /* A oneway command may have been lost: at the end it is told once more, and waited for. */
    ck_assert_int_eq(offset_record_unconfirmed(&record), 6);
    offset_record_set_confirmed(&record, 6);
    ck_assert_int_eq(offset_record_unconfirmed(&record), -1);
    offset_record_raise(&record, 7);
    ck_assert_int_eq(offset_record_unsent(&record), 7);
    offset_record_done(&record);
}
END_TEST

START_TEST(test_risen_while_being_told)
{
    struct offset_record record;
    offset_record_init(&record, 0);
    offset_record_raise(&record, 4);
    int64_t told = offset_record_unsent(&record);
    offset_record_raise(&record, 5);
    offset_record_set_sent(&record, told);
    ck_assert_int_eq(offset_record_unsent(&record), 5);
    offset_record_done(&record);
}
END_TEST

START_TEST(test_group_without_offset)
{
    struct offset_record record;
    offset_record_init(&record, -1);
    ck_assert_int_eq(offset_record_unsent(&record), -1);
    offset_record_raise(&record, 0); /* an offset of 0 is one, too */
    ck_assert_int_eq(offset_record_unsent(&record), 0);
    ck_assert_int_eq(offset_record_unconfirmed(&record), 0);
    offset_record_done(&record);
}
END_TEST

static Suite *offset_store_suite(void)
{
    Suite *suite = suite_create("offset_store");
    UNIT_CASE(suite, "record", test_only_up, test_frozen_does_not_move,
              test_frozen_elsewhere_goes_down_too, test_nothing_new_is_not_told,
              test_risen_while_being_told, test_group_without_offset);
    return suite;
}

TEST_MAIN(offset_store_suite)
