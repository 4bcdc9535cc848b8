/* Tests of lib/base/text: what does not fit is cut visibly and between characters. */
#include "lib/base/text.h"

#include "test/unit/unit.h"

static size_t format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static size_t format(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = text_format(out, size, format, arguments);
    va_end(arguments);
    return length;
}

START_TEST(short_texts_are_whole)
{
    char out[8];
    ck_assert_uint_eq(format(out, sizeof out, "%d-%s", 12, "abcd"), 7); /* fits exactly */
    ck_assert_str_eq(out, "12-abcd");
    ck_assert_uint_eq(format(out, sizeof out, "%s", ""), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(long_texts_end_with_an_ellipsis)
{
    char out[8];
    ck_assert_uint_eq(format(out, sizeof out, "%s", "abcdefgh"), 7);
    ck_assert_str_eq(out, "abcd…");
}
END_TEST

START_TEST(no_character_is_cut_in_two)
{
    char out[8];
    ck_assert_uint_eq(format(out, sizeof out, "abc%s", "äöü"), 6);
    ck_assert_str_eq(out, "abc…");
    ck_assert_uint_eq(format(out, sizeof out, "ab%s", "äöü"), 7);
    ck_assert_str_eq(out, "abä…");
    ck_assert_uint_eq(format(out, sizeof out, "a%s", "😀😀"), 4); /* four bytes */
    ck_assert_str_eq(out, "a…");
}
END_TEST

START_TEST(bytes_that_are_no_characters_are_survived)
{
    char out[8];
    ck_assert_uint_eq(format(out, sizeof out, "%s", "\x80\x80\x80\x80\x80\x80\x80\x80\x80"), 3);
    ck_assert_str_eq(out, "…");
}
END_TEST

START_TEST(tiny_arrays_are_filled)
{
    char out[4] = "###";
    ck_assert_uint_eq(format(out, 0, "abcdef"), 0);
    ck_assert_str_eq(out, "###");
    ck_assert_uint_eq(format(out, 1, "abcdef"), 0);
    ck_assert_str_eq(out, "");
    ck_assert_uint_eq(format(out, 3, "abcdef"), 2);
    ck_assert_str_eq(out, "ab");
    ck_assert_uint_eq(format(out, 4, "abcdef"), 3);
    ck_assert_str_eq(out, "…");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/text");
    UNIT_CASE(s, "cutting", short_texts_are_whole, long_texts_end_with_an_ellipsis,
              no_character_is_cut_in_two, bytes_that_are_no_characters_are_survived,
              tiny_arrays_are_filled);
    return s;
}

TEST_MAIN(suite)
