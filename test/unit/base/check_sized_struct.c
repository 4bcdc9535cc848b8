/* Structs of callers built with older and newer headers. */
#include "lib/base/sized_struct.h"
#include "test/unit/unit.h"

struct known {
    int a, b;
    const char *c;
};

START_TEST(what_older_callers_lack_is_zero)
{
    mqc_error error;
    struct known given = {1, 2, "garbage beyond what they have"}, copy = {7, 7, "7"};
    ck_assert_int_eq(
        sized_struct_copy(&copy, sizeof copy, &given, offsetof(struct known, c), &error), MQC_OK);
    ck_assert_int_eq(copy.a, 1);
    ck_assert_int_eq(copy.b, 2);
    ck_assert_ptr_null(copy.c);
}
END_TEST

START_TEST(what_newer_callers_have_must_be_zero)
{
    mqc_error error;
    struct {
        struct known known;
        char rest[16];
    } given = {.known = {1, 2, "c"}};
    struct known copy;
    ck_assert_int_eq(sized_struct_copy(&copy, sizeof copy, &given, sizeof given, &error), MQC_OK);
    ck_assert_str_eq(copy.c, "c");
    given.rest[15] = 1;
    ck_assert_int_eq(sized_struct_copy(&copy, sizeof copy, &given, sizeof given, &error),
                     MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "newer library"));
    ck_assert_int_eq(copy.a, 0);
}
END_TEST

START_TEST(nothing_is_all_zero_and_no_size_is_wrong)
{
    mqc_error error;
    struct known given = {1, 2, "c"}, copy = given;
    ck_assert_int_eq(sized_struct_copy(&copy, sizeof copy, NULL, 0, &error), MQC_OK);
    ck_assert_int_eq(copy.a, 0);
    ck_assert_ptr_null(copy.c);
    ck_assert_int_eq(sized_struct_copy(&copy, sizeof copy, &given, 0, &error), MQC_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "without _sized"));
}
END_TEST

static Suite *sized_struct_suite(void)
{
    Suite *suite = suite_create("base/sized_struct");
    UNIT_CASE(suite, "copying", what_older_callers_lack_is_zero,
              what_newer_callers_have_must_be_zero, nothing_is_all_zero_and_no_size_is_wrong);
    return suite;
}

TEST_MAIN(sized_struct_suite)
