/* Tests of lib/base/slice: splitting, trimming, numbers at the ends of their range, hashes. */
#include "lib/base/slice.h"

#include <stdio.h>

#include "lib/base/memory.h"
#include "test/unit/base/dying.h"

#define WITH_ZERO(text) slice_of("" text, sizeof(text) - 1)

START_TEST(equality_is_by_bytes)
{
    ck_assert(slice_equal(SLICE_LITERAL("abc"), slice_text("abc")));
    ck_assert(!slice_equal(SLICE_LITERAL("abc"), SLICE_LITERAL("abd")));
    ck_assert(!slice_equal(SLICE_LITERAL("abc"), SLICE_LITERAL("ab")));
    ck_assert(!slice_equal(WITH_ZERO("a\0b"), WITH_ZERO("a\0c")));
    ck_assert(slice_is(SLICE_ABSENT, ""));
    ck_assert(!slice_is(WITH_ZERO("a\0"), "a"));
}
END_TEST

START_TEST(beginnings)
{
    ck_assert(slice_begins_with(SLICE_LITERAL("%RETRY%g"), "%RETRY%"));
    ck_assert(slice_begins_with(SLICE_LITERAL("abc"), "abc"));
    ck_assert(slice_begins_with(SLICE_LITERAL("abc"), ""));
    ck_assert(!slice_begins_with(SLICE_LITERAL("ab"), "abc"));
    ck_assert(!slice_begins_with(SLICE_LITERAL("xbc"), "abc"));
    ck_assert(!slice_begins_with(SLICE_ABSENT, "abc"));
    ck_assert(!slice_begins_with(SLICE_ABSENT, ""));
}
END_TEST

START_TEST(trimming_takes_blanks_off_both_ends)
{
    ck_assert(slice_is(slice_trim(SLICE_LITERAL(" \t a b \r\n")), "a b"));
    ck_assert(slice_is(slice_trim(SLICE_LITERAL("a")), "a"));
    struct slice blank = slice_trim(SLICE_LITERAL(" \n "));
    ck_assert(blank.data && blank.size == 0);
    ck_assert_ptr_null(slice_trim(SLICE_ABSENT).data);
}
END_TEST

static void check_parts(struct slice rest, const char *separator, const char *const *parts)
{
    for (; rest.data; parts++) {
        struct slice part = slice_split(&rest, separator);
        ck_assert_msg(*parts != NULL, "one part too many");
        ck_assert_msg(slice_is(part, *parts), "'%.*s' is not '%s'", SLICE_FORMAT(part), *parts);
    }
    ck_assert_msg(*parts == NULL, "the part '%s' is missing", *parts);
}
#define CHECK_PARTS(rest, separator, ...)                                                          \
    check_parts((rest), (separator), (const char *const[]){__VA_ARGS__, NULL})

START_TEST(splitting_visits_every_part)
{
    CHECK_PARTS(SLICE_LITERAL("a;b;c"), ";", "a", "b", "c");
    CHECK_PARTS(SLICE_LITERAL(";a;;b;"), ";", "", "a", "", "b", "");
    CHECK_PARTS(SLICE_LITERAL("abc"), ";", "abc");
    CHECK_PARTS(SLICE_LITERAL(""), ";", "");
    CHECK_PARTS(SLICE_LITERAL("a||b|c||"), "||", "a", "b|c", "");
    CHECK_PARTS(SLICE_LITERAL("|"), "||", "|");
}
END_TEST

START_TEST(splitting_goes_over_zero_bytes)
{
    struct slice rest = WITH_ZERO("a\0b;c\0");
    struct slice part = slice_split(&rest, ";");
    ck_assert(slice_equal(part, WITH_ZERO("a\0b")));
    ck_assert(slice_equal(rest, WITH_ZERO("c\0")));
}
END_TEST

START_TEST(nothing_splits_into_nothing)
{
    struct slice rest = SLICE_ABSENT;
    ck_assert_ptr_null(slice_split(&rest, ";").data);
    ck_assert_ptr_null(rest.data);
}
END_TEST

static void split_by_nothing(void)
{
    struct slice rest = SLICE_LITERAL("abc");
    slice_split(&rest, "");
}

START_TEST(an_empty_separator_is_a_bug)
{
    ck_assert_contains(dying_words(split_by_nothing), "empty separator");
}
END_TEST

static void check_number(const char *text, int64_t expected)
{
    int64_t number = 4711;
    ck_assert_msg(slice_to_int64(slice_text(text), &number), "'%s' is a number", text);
    ck_assert_int_eq(number, expected);
}

START_TEST(numbers_are_read_whole)
{
    check_number("0", 0);
    check_number("-0", 0);
    check_number("+7", 7);
    check_number("-12", -12);
    check_number("000000000000000000000000000000001", 1);
    check_number("9223372036854775807", INT64_MAX);
    check_number("-9223372036854775808", INT64_MIN);
}
END_TEST

START_TEST(anything_else_is_no_number)
{
    const char *const bad[] = {"",
                               "-",
                               "+",
                               "--1",
                               "+-1",
                               " 1",
                               "1 ",
                               "1a",
                               "a",
                               "1.5",
                               "0x10",
                               "9223372036854775808",
                               "-9223372036854775809",
                               "92233720368547758070",
                               "18446744073709551616",
                               "-99999999999999999999999",
                               "1\xB2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t number = 4711;
        ck_assert_msg(!slice_to_int64(slice_text(bad[i]), &number), "'%s' is no number", bad[i]);
        ck_assert_int_eq(number, 4711);
    }
    int64_t number = 4711;
    ck_assert(!slice_to_int64(SLICE_ABSENT, &number));
    ck_assert(!slice_to_int64(WITH_ZERO("1\0"), &number));
    ck_assert_int_eq(number, 4711);
}
END_TEST

START_TEST(small_numbers_have_their_own_range)
{
    int32_t number = 0;
    ck_assert(slice_to_int32(SLICE_LITERAL("2147483647"), &number));
    ck_assert_int_eq(number, INT32_MAX);
    ck_assert(slice_to_int32(SLICE_LITERAL("-2147483648"), &number));
    ck_assert_int_eq(number, INT32_MIN);
    ck_assert(!slice_to_int32(SLICE_LITERAL("2147483648"), &number));
    ck_assert(!slice_to_int32(SLICE_LITERAL("-2147483649"), &number));
    ck_assert(!slice_to_int32(SLICE_LITERAL("4294967296"), &number));
    ck_assert(!slice_to_int32(SLICE_LITERAL("x"), &number));
    ck_assert_int_eq(number, INT32_MIN);
}
END_TEST

START_TEST(truth_is_true_in_any_case)
{
    ck_assert(slice_to_bool(SLICE_LITERAL("true")));
    ck_assert(slice_to_bool(SLICE_LITERAL("TrUe")));
    ck_assert(!slice_to_bool(SLICE_LITERAL("true ")));
    ck_assert(!slice_to_bool(SLICE_LITERAL("tru")));
    ck_assert(!slice_to_bool(SLICE_LITERAL("1")));
    ck_assert(!slice_to_bool(SLICE_LITERAL("")));
    ck_assert(!slice_to_bool(SLICE_ABSENT));
}
END_TEST

START_TEST(duplicates_are_ended_by_a_zero)
{
    char *copy = slice_duplicate(slice_of("abcdef", 3));
    ck_assert_str_eq(copy, "abc");
    memory_free(copy);
    copy = slice_duplicate(SLICE_LITERAL(""));
    ck_assert_str_eq(copy, "");
    memory_free(copy);
    ck_assert_ptr_null(slice_duplicate(SLICE_ABSENT));
    memory_fail_from(1);
    ck_assert_ptr_null(slice_duplicate(SLICE_LITERAL("abc")));
    memory_fail_from(0);
}
END_TEST

START_TEST(hashes_depend_on_every_byte_and_the_length)
{
    char bytes[40] = {0};
    for (size_t size = 0; size <= sizeof bytes; size++) {
        uint32_t hash = slice_hash(slice_of(bytes, size));
        ck_assert_uint_eq(hash, slice_hash(slice_of(bytes, size)));
        if (size > 0) ck_assert_uint_ne(hash, slice_hash(slice_of(bytes, size - 1)));
        for (size_t i = 0; i < size; i++) {
            bytes[i] = 1;
            ck_assert_uint_ne(hash, slice_hash(slice_of(bytes, size)));
            bytes[i] = 0;
        }
    }
    ck_assert_uint_eq(slice_hash(SLICE_ABSENT), slice_hash(SLICE_LITERAL("")));
}
END_TEST

START_TEST(hashes_of_like_names_spread_in_the_low_bits)
{
    enum { NAMES = 4096, BUCKETS = 1024 };
    int filled[BUCKETS] = {0};
    int longest = 0;
    for (int i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%%RETRY%%group-%d", i);
        int *bucket = &filled[slice_hash(slice_text(name)) % BUCKETS];
        if (++*bucket > longest) longest = *bucket;
    }
    ck_assert_int_le(longest, 20); /* 4 on average; by chance about 13 */
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/slice");
    UNIT_CASE(s, "bytes", equality_is_by_bytes, beginnings, trimming_takes_blanks_off_both_ends,
              duplicates_are_ended_by_a_zero);
    UNIT_CASE(s, "splitting", splitting_visits_every_part, splitting_goes_over_zero_bytes,
              nothing_splits_into_nothing, an_empty_separator_is_a_bug);
    UNIT_CASE(s, "numbers", numbers_are_read_whole, anything_else_is_no_number,
              small_numbers_have_their_own_range, truth_is_true_in_any_case);
    UNIT_CASE(s, "hashes", hashes_depend_on_every_byte_and_the_length,
              hashes_of_like_names_spread_in_the_low_bits);
    return s;
}

TEST_MAIN(suite)
