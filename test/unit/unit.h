/* What every unit test program shares: main, golden bytes, and a check that nothing leaked. */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

#include <check.h>

#include "lib/base/slice.h"

/* Runs one suite and returns a process exit code: 0 when every test passed. */
int unit_run(Suite *suite);

#define TEST_MAIN(suite_function)                                                                  \
    int main(void)                                                                                 \
    {                                                                                              \
        return unit_run(suite_function());                                                         \
    }

/* Adds a test case with the given tests to a suite: UNIT_CASE(suite, "name", test_a, test_b). */
void unit_case(Suite *suite, const char *name, const TTest *const *tests, int count);
#define UNIT_CASE(suite, name, ...)                                                                \
    unit_case((suite), (name), (const TTest *const[]){__VA_ARGS__},                                \
              (int)(sizeof((const TTest *const[]){__VA_ARGS__}) / sizeof(const TTest *)))

/* The bytes of test/unit/golden/<name>.hex ('#' comments and white space skipped); fails the test
 * when there is no such file. The memory lives until the process ends. */
struct slice golden_bytes(const char *name);

/* The text of test/unit/golden/<file>; fails the test when there is none. Lives as the bytes do. */
struct slice golden_text(const char *file);

/* Bytes from a hex string, e.g. hex_bytes("00 01 ff"). Lives until the process ends. */
struct slice hex_bytes(const char *hex);

/* For loops of many thousands: what passes leaves no mark. Each ck_assert writes down where the
 * test is. */
#define ck_assert_often(expression)                                                                \
    do {                                                                                           \
        if (!(expression)) ck_abort_msg("not so: %s", #expression);                                \
    } while (0)

#define ck_assert_slice(actual, text)                                                              \
    do {                                                                                           \
        struct slice ck_slice_ = (actual);                                                         \
        ck_assert_msg(slice_is(ck_slice_, (text)), "'%.*s' is not '%s'", SLICE_FORMAT(ck_slice_),  \
                      (text));                                                                     \
    } while (0)

#endif
