/* Tests of lib/protocol/java_text.c. Expected values are what Java 17 gives. */
#include "lib/protocol/java_text.h"

#include "test/unit/protocol/golden_frames.h"

START_TEST(hashes)
{
    static const struct {
        const char *text;
        int32_t hash;
    } cases[] = {
        {"", 0}, {"a", 97}, {"TagA", 2598919}, {"tagA", 3552231}, {"polygenelubricants", INT32_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(java_hash(slice_text(cases[i].text)) == cases[i].hash, "\"%s\": %d",
                      cases[i].text, (int)java_hash(slice_text(cases[i].text)));
    ck_assert_int_eq(java_hash(SLICE_ABSENT), 0);
}
END_TEST

/* new String(bytes, UTF_8).hashCode() of bytes beyond ASCII, good and malformed. */
START_TEST(hashes_of_utf8)
{
    static const struct {
        const char *bytes;
        int32_t hash;
    } cases[] = {
        {"622cc3a9", 95775},
        {"e4b8ade69687", 646394},
        {"f09f9880", 1772899},
        {"61f09f98807a", 57849718},
        {"efbfbf", 65535},
        {"7fc280dfbfe0a080", 3971970},
        {"80", 65533},
        {"ff", 65533},
        {"c0 80", 2097056},
        {"c2", 65533},
        {"41 c2 41", 2094053},
        {"e2 82", 65533},
        {"e2 82 41", 2031588},
        {"e0 80 80", 65074269},
        {"ed a0 80", 65533},
        {"ed a0 80 ed b0 80", 2097056},
        {"f0 9f 98", 65533},
        {"f0 9f 98 41", 2031588},
        {"f0 80 80 80", 2017367872},
        {"f4 90 80 80", 2017367872},
        {"f5 80 80 80", 2017367872},
        {"e2 28 a1", 63043986},
        {"f0 9f 80 c3 a9", 2031756},
        {"61 f1 80 e1 80 c2 62", 2106883974},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(java_hash(hex(cases[i].bytes)) == cases[i].hash, "%s: %d", cases[i].bytes,
                      (int)java_hash(hex(cases[i].bytes)));
}
END_TEST

/* In Java's order, where U+1F600, a surrogate pair, is before U+FF5E. */
START_TEST(order)
{
    static const char *const sorted[] = {"",
                                         "-",
                                         "A",
                                         "a",
                                         "a-",
                                         "aa",
                                         "ab",
                                         "b",
                                         "broker-10",
                                         "broker-2",
                                         "\xC3\xA9",
                                         "\xC3\xA9"
                                         "a",
                                         "\xE4\xB8\xAD",
                                         "\xF0\x9F\x98\x80",
                                         "\xF0\x9F\x98\x80"
                                         "a",
                                         "\xF4\x8F\xBF\xBF",
                                         "\xEE\x80\x80",
                                         "\xEF\xBD\x9E"};
    size_t count = sizeof sorted / sizeof *sorted;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++) {
            int result = java_compare(slice_text(sorted[i]), slice_text(sorted[k]));
            ck_assert_msg((result > 0) - (result < 0) == (i > k) - (i < k), "'%s' and '%s': %d",
                          sorted[i], sorted[k], result);
        }
    ck_assert_int_eq(java_compare(SLICE_ABSENT, SLICE_LITERAL("")), 0);
}
END_TEST

static Suite *java_text_suite(void)
{
    Suite *suite = suite_create("java_text");
    UNIT_CASE(suite, "java_text", hashes, hashes_of_utf8, order);
    return suite;
}

TEST_MAIN(java_text_suite)
