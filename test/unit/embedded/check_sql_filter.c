/* SQL92 expressions: what they accept, what is unknown, what is refused. */
#include "lib/embedded/sql_filter.h"
#include "test/unit/unit.h"

static const char PROPERTIES[] = "a\0015\2b\1abc\2c\1true\2d\0011.5\2e\1x'y\2n\1-3\2";

static const struct {
    const char *expression;
    bool accepted;
} CASES[] = {
    {"a = 5", true},
    {"a = '5'", true},
    {"a <> 5", false},
    {"a <> 6", true},
    {"a > 4 AND a < 6", true},
    {"a >= 5 and a <= 5", true},
    {"a > 5", false},
    {"a BETWEEN 1 AND 5", true},
    {"a NOT BETWEEN 1 AND 5", false},
    {"a NOT BETWEEN 6 AND 7", true},
    {"b IN ('x', 'abc')", true},
    {"b NOT IN ('x', 'abc')", false},
    {"missing IN ('x')", false},
    {"missing NOT IN ('x')", false},
    {"missing IS NULL", true},
    {"missing IS NOT NULL", false},
    {"a IS NULL", false},
    {"a IS NOT NULL", true},
    {"missing = 5", false},
    {"missing <> 5", false},
    {"NOT missing = 5", false},
    {"missing = 5 OR a = 5", true},
    {"missing > 5 AND a = 5", false},
    {"NOT (a = 6)", true},
    {"(a = 6 OR b = 'abc') AND d < 2.0", true},
    {"a = 6 OR b = 'abc' AND d > 2", false},
    {"c = TRUE", true},
    {"c = false", false},
    {"TRUE", true},
    {"d = 1.5", true},
    {"d > 1", false}, /* Long.valueOf("1.5") throws: nothing matches */
    {"b > 1 OR a = 5", false},
    {"a = 5 OR b > 1", true},
    {"n = -3", true},
    {"n < 0", true},
    {"e = 'x''y'", true},
    {"b CONTAINS 'b'", true},
    {"b NOT CONTAINS 'b'", false},
    {"b STARTSWITH 'ab'", true},
    {"b ENDSWITH 'bc'", true},
    {"b ENDSWITH 'abcd'", false},
    {"5 = a", true},
    {"a", false}, /* no truth value */
};

START_TEST(expressions_have_javas_values)
{
    struct sql_filter *filter;
    mqc_error error;
    ck_assert_msg(sql_filter_parse(slice_text(CASES[_i].expression), &filter, &error) == MQC_OK,
                  "%s: %s", CASES[_i].expression, error.text);
    bool accepted = sql_filter_accepts(filter, slice_of(PROPERTIES, sizeof PROPERTIES - 1));
    ck_assert_msg(accepted == CASES[_i].accepted, "%s", CASES[_i].expression);
    sql_filter_free(filter);
}
END_TEST

static const char *const WRONG[] = {
    "",

    "a =",
    "= 5",
    "a = 5 b = 6",
    "(a = 5",
    "a = 5)",
    "a IN",
    "a IN ()",
    "5 IN ('a')",
    "a IN (5)",
    "a > 'x'",
    "a BETWEEN 5 AND 1",
    "a BETWEEN 1",
    "a IS 5",
    "'open",
    "a NOT 5",
    "a ! 5",
    "AND",
    "a = 99999999999999999999",
    "-b = 5",
    "a CONTAINS 5",
};

START_TEST(wrong_expressions_say_where)
{
    struct sql_filter *filter;
    mqc_error error = {0};
    mqc_status status = sql_filter_parse(slice_text(WRONG[_i]), &filter, &error);
    ck_assert_msg(status == MQC_BAD_ARGUMENT, "%s", WRONG[_i]);
    ck_assert_ptr_null(filter);
    ck_assert(strstr(error.text, "near character") != NULL);
}
END_TEST

START_TEST(depth_and_length_are_bounded)
{
    struct sql_filter *filter;
    static char text[60000];
    memset(text, '(', 50000);
    ck_assert_int_eq(sql_filter_parse(slice_text(text), &filter, NULL), MQC_BAD_ARGUMENT);
    for (size_t i = 0; i < 50000; i++) text[i] = "NOT "[i % 4];
    ck_assert_int_eq(sql_filter_parse(slice_text(text), &filter, NULL), MQC_BAD_ARGUMENT);
    for (size_t i = 0; i < 49999; i++) text[i] = "a=1 OR "[i % 7];
    ck_assert_int_eq(sql_filter_parse(slice_text(text), &filter, NULL), MQC_BAD_ARGUMENT);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("sql filter");
    TCase *tcase = tcase_create("sql");
    tcase_add_loop_test(tcase, expressions_have_javas_values, 0,
                        (int)(sizeof CASES / sizeof *CASES));
    tcase_add_loop_test(tcase, wrong_expressions_say_where, 0, (int)(sizeof WRONG / sizeof *WRONG));
    tcase_add_test(tcase, depth_and_length_are_bounded);
    suite_add_tcase(s, tcase);
    return s;
}
TEST_MAIN(suite)
