/* lib/admin/result.c: the memory of results. */
#include "lib/admin/result.h"
#include "lib/base/memory.h"
#include "test/unit/unit.h"

START_TEST(all_is_freed_together)
{
    long before = memory_live_blocks();
    mqc_name_list *list = result_new(sizeof *list);
    for (int i = 0; i < 100; i++) {
        char name[] = {(char)('a' + i % 7), '\0'};
        ck_assert(result_add_name(list, list, slice_text(name)));
    }
    ck_assert_uint_eq(list->count, 100);
    result_sort_names(list);
    ck_assert_uint_eq(list->count, 7);
    for (size_t i = 0; i < 7; i++) ck_assert_int_eq(list->names[i][0], 'a' + (int)i);
    ck_assert(result_keep_message(list, mqc_message_new("t", "x", 1)));
    mqc_admin_result_free(list);
    mqc_admin_result_free(NULL);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(settings_are_sorted)
{
    mqc_settings *settings = result_new(sizeof *settings);
    ck_assert(result_add_setting(settings, settings, "b", SLICE_LITERAL("2")));
    ck_assert(result_add_setting(settings, settings, "a", SLICE_ABSENT));
    result_sort_settings(settings);
    ck_assert_str_eq(settings->settings[0]->name, "a");
    ck_assert_str_eq(settings->settings[0]->value, "");
    ck_assert_str_eq(mqc_settings_value(settings, "b"), "2");
    ck_assert_ptr_null(mqc_settings_value(NULL, "b"));
    ck_assert_ptr_null(mqc_settings_value(settings, NULL));
    mqc_admin_result_free(settings);
}
END_TEST

/* Whichever allocation fails: false, and all is freed. */
START_TEST(no_memory)
{
    for (long nth = 1;; nth++) {
        long before = memory_live_blocks();
        memory_fail_from(nth);
        mqc_settings *settings = result_new(sizeof *settings);
        bool whole = settings && result_add_setting(settings, settings, "a", SLICE_LITERAL("1")) &&
                     result_add_setting(settings, settings, "b", SLICE_LITERAL("2")) &&
                     result_add_setting(settings, settings, "c", SLICE_LITERAL("3"));
        memory_fail_from(0);
        mqc_admin_result_free(settings);
        ck_assert_int_eq(memory_live_blocks(), before);
        if (whole) break;
        ck_assert_int_lt(nth, 50);
    }
}
END_TEST

START_TEST(order_of_queues)
{
    mqc_message_queue a = {"t", "a", 2}, b = {"t", "a", 10}, c = {"t", "b", 0}, d = {"u", "a", 0};
    ck_assert_int_lt(compare_message_queues(&a, &b), 0);
    ck_assert_int_lt(compare_message_queues(&b, &c), 0);
    ck_assert_int_lt(compare_message_queues(&c, &d), 0);
    ck_assert_int_eq(compare_message_queues(&d, &d), 0);
    ck_assert_int_gt(compare_message_queues(&d, &a), 0);
}
END_TEST

static Suite *result_suite(void)
{
    Suite *suite = suite_create("admin/result");
    UNIT_CASE(suite, "result", all_is_freed_together, settings_are_sorted, no_memory,
              order_of_queues);
    return suite;
}

TEST_MAIN(result_suite)
