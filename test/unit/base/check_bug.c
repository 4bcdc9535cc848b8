/* Tests of lib/base/bug: the process ends, and says where and why. */
#include "lib/base/bug.h"

#include <stdio.h>

#include "test/unit/base/dying.h"

enum { BUG_LINE = __LINE__ + 4 };

static void find_a_bug(void)
{
    BUG_IF(sizeof(char) == 1, "count is %d", 7);
}

START_TEST(says_where_and_why_and_aborts)
{
    char where[64];
    snprintf(where, sizeof where, "check_bug.c:%d: count is 7\n", BUG_LINE);
    ck_assert_contains(dying_words(find_a_bug), where);
}
END_TEST

START_TEST(goes_on_when_there_is_none)
{
    int seen = 0;
    BUG_IF(seen++ != 0, "the condition is evaluated once");
    ck_assert_int_eq(seen, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/bug");
    UNIT_CASE(s, "bug", says_where_and_why_and_aborts, goes_on_when_there_is_none);
    return s;
}

TEST_MAIN(suite)
