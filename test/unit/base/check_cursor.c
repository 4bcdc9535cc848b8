/* Tests of lib/base/cursor: byte order, and that failure is sticky at every length. */
#include "lib/base/cursor.h"

#include "test/unit/unit.h"

START_TEST(integers_are_big_endian)
{
    struct cursor cursor =
        cursor_of(SLICE_LITERAL("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xff"
                                "\xff\xff\xfe\x80\x00\x00\x00\x00\x00\x00\x00"));
    ck_assert_uint_eq(cursor_u8(&cursor), 0x01);
    ck_assert_uint_eq(cursor_u16(&cursor), 0x0203);
    ck_assert_uint_eq(cursor_u32(&cursor), 0x04050607);
    ck_assert_uint_eq(cursor_u64(&cursor), UINT64_C(0x08090a0b0c0d0e0f));
    ck_assert_int_eq(cursor_i32(&cursor), -2);
    ck_assert_int_eq(cursor_i64(&cursor), INT64_MIN);
    ck_assert_uint_eq(cursor_left(&cursor), 0);
    ck_assert(!cursor.failed);
}
END_TEST

START_TEST(high_bits_do_not_spread)
{
    struct cursor cursor =
        cursor_of(SLICE_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
    ck_assert_uint_eq(cursor_u8(&cursor), 0xFF);
    ck_assert_uint_eq(cursor_u16(&cursor), 0xFFFF);
    ck_assert_uint_eq(cursor_u32(&cursor), UINT32_MAX);
    ck_assert_uint_eq(cursor_u64(&cursor), UINT64_MAX);
}
END_TEST

START_TEST(failure_is_sticky_at_every_length)
{
    struct slice bytes =
        SLICE_LITERAL("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xaa\xbb");
    for (size_t size = 0; size < bytes.size; size++) {
        struct cursor cursor = cursor_of(slice_of(bytes.data, size));
        cursor_u8(&cursor);
        cursor_u16(&cursor);
        cursor_u32(&cursor);
        cursor_u64(&cursor);
        struct slice last = cursor_slice(&cursor, 2);
        ck_assert(cursor.failed);
        ck_assert_ptr_null(last.data);
        ck_assert_uint_eq(cursor_u8(&cursor), 0); /* even if a byte is left */
        ck_assert_ptr_null(cursor_skip(&cursor, 0));
    }
}
END_TEST

START_TEST(an_underrun_does_not_move)
{
    struct cursor cursor = cursor_of(SLICE_LITERAL("abc"));
    ck_assert_uint_eq(cursor_u32(&cursor), 0);
    ck_assert_uint_eq(cursor_left(&cursor), 3);
    ck_assert(cursor.failed);
}
END_TEST

START_TEST(slices_point_into_the_bytes)
{
    struct slice bytes = SLICE_LITERAL("abcdef");
    struct cursor cursor = cursor_of(bytes);
    struct slice part = cursor_slice(&cursor, 2);
    ck_assert(slice_is(part, "ab"));
    ck_assert_ptr_eq(part.data, bytes.data);
    part = cursor_slice(&cursor, 0);
    ck_assert(part.data != NULL && part.size == 0);
    ck_assert(slice_is(cursor_slice(&cursor, 4), "cdef"));
    part = cursor_slice(&cursor, 0);
    ck_assert(part.data != NULL && part.size == 0);
    ck_assert(!cursor.failed);
}
END_TEST

START_TEST(impossible_sizes_fail)
{
    const int64_t sizes[] = {-1, INT64_MIN, 4, INT64_MAX, INT64_C(1) << 32, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct cursor cursor = cursor_of(SLICE_LITERAL("abc"));
        ck_assert_ptr_null(cursor_slice(&cursor, sizes[i]).data);
        ck_assert(cursor.failed);
    }
}
END_TEST

START_TEST(absent_bytes_read_as_none)
{
    struct cursor cursor = cursor_of(SLICE_ABSENT);
    ck_assert_uint_eq(cursor_left(&cursor), 0);
    struct slice none = cursor_slice(&cursor, 0);
    ck_assert(none.data != NULL && none.size == 0);
    ck_assert(!cursor.failed);
    ck_assert_uint_eq(cursor_u8(&cursor), 0);
    ck_assert(cursor.failed);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/cursor");
    UNIT_CASE(s, "reading", integers_are_big_endian, high_bits_do_not_spread,
              slices_point_into_the_bytes);
    UNIT_CASE(s, "failing", failure_is_sticky_at_every_length, an_underrun_does_not_move,
              impossible_sizes_fail, absent_bytes_read_as_none);
    return s;
}

TEST_MAIN(suite)
