/* Tests of lib/base/buffer: bytes as written, growth, the limit, sticky failure, handing over. */
#include "lib/base/buffer.h"

#include <stdio.h>

#include "lib/base/memory.h"
#include "test/unit/base/dying.h"

static void check_bytes(const struct buffer *buffer, struct slice expected)
{
    ck_assert_uint_eq(buffer->size, expected.size);
    ck_assert_mem_eq(buffer->data, expected.data, expected.size);
}

START_TEST(integers_are_big_endian)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_put_8(&buffer, 0xFE);
    buffer_put_16(&buffer, 0xFDFC);
    buffer_put_32(&buffer, 0x81828384);
    buffer_put_64(&buffer, UINT64_C(0xF1F2F3F4F5F6F7F8));
    check_bytes(&buffer,
                SLICE_LITERAL("\xfe\xfd\xfc\x81\x82\x83\x84\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8"));
    buffer_done(&buffer);
}
END_TEST

START_TEST(texts_slices_and_formats_follow_each_other)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_put(&buffer, "a\0b", 3);
    buffer_put_slice(&buffer, SLICE_LITERAL("[s]"));
    buffer_put_slice(&buffer, SLICE_ABSENT);
    buffer_put_slice(&buffer, SLICE_LITERAL(""));
    buffer_put_text(&buffer, "text");
    buffer_put_text(&buffer, NULL);
    buffer_put_format(&buffer, "<%d %s>", -5, "x");
    buffer_put_format(&buffer, "%s", "");
    buffer_put_decimal(&buffer, -42);
    ck_assert(slice_equal(buffer_slice(&buffer), slice_of("a\0b[s]text<-5 x>-42", 19)));
    buffer_done(&buffer);
}
END_TEST

START_TEST(growing_keeps_what_was_written)
{
    struct buffer buffer;
    buffer_init(&buffer);
    size_t growths = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        size_t before = buffer.capacity;
        buffer_put_32(&buffer, i);
        growths += buffer.capacity != before;
    }
    ck_assert(!buffer.failed);
    ck_assert_uint_eq(buffer.size, 400000);
    ck_assert_uint_le(growths, 14); /* doubling */
    for (uint32_t i = 0; i < 100000; i++) {
        const uint8_t *at = (const uint8_t *)buffer.data + (size_t)4 * i;
        ck_assert_uint_eq(
            (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3], i);
    }
    buffer_done(&buffer);
}
END_TEST

START_TEST(every_way_of_writing_grows_an_exactly_full_buffer)
{
    for (int way = 0; way < 6; way++) {
        struct buffer buffer;
        buffer_init(&buffer);
        buffer_put_8(&buffer, 'x');
        while (buffer.size < buffer.capacity) buffer_put_8(&buffer, 'x');
        size_t full = buffer.size;
        switch (way) {
        case 0: buffer_put_8(&buffer, 1); break;
        case 1: buffer_put_16(&buffer, 1); break;
        case 2: buffer_put_32(&buffer, 1); break;
        case 3: buffer_put_64(&buffer, 1); break;
        case 4: buffer_put_format(&buffer, "%s", "1"); break;
        default: buffer_put_text(&buffer, "1"); break;
        }
        ck_assert(!buffer.failed);
        ck_assert_uint_gt(buffer.size, full);
        ck_assert_uint_eq((unsigned char)buffer.data[full - 1], 'x');
        buffer_done(&buffer);
    }
}
END_TEST

START_TEST(long_formats_are_whole)
{
    struct buffer buffer;
    buffer_init(&buffer);
    for (int width = 1; width < 3000; width += 61) {
        buffer_clear(&buffer);
        buffer_put_format(&buffer, "%*d|", width, 7);
        ck_assert_uint_eq(buffer.size, (size_t)width + 1);
        ck_assert(slice_is(slice_of(buffer.data + width - 1, 2), "7|"));
    }
    buffer_done(&buffer);
}
END_TEST

START_TEST(the_limit_is_exact_and_failure_sticky)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer.limit = 10;
    buffer_put_64(&buffer, 1);
    buffer_put_16(&buffer, 2);
    ck_assert(!buffer.failed);
    ck_assert_uint_eq(buffer.size, 10);
    ck_assert_uint_le(buffer.capacity, 10);
    buffer_put_8(&buffer, 3);
    ck_assert(buffer.failed);
    buffer_put(&buffer, NULL, 0);
    buffer_truncate(&buffer, 0); /* room there would be now */
    buffer_put_8(&buffer, 3);
    buffer_put_16(&buffer, 3);
    buffer_put_32(&buffer, 3);
    buffer_put_64(&buffer, 3);
    buffer_put_text(&buffer, "x");
    buffer_put_format(&buffer, "x");
    buffer_put_decimal(&buffer, 3);
    buffer_patch_32(&buffer, 0, 3);
    buffer_patch_16(&buffer, 100, 3); /* what it would patch may be missing */
    ck_assert_uint_eq(buffer.size, 0);
    ck_assert_ptr_null(buffer_reserve(&buffer, 0));
    ck_assert_ptr_null(buffer_text(&buffer));
    ck_assert_ptr_null(buffer_take(&buffer));
    buffer_clear(&buffer);
    buffer_put_text(&buffer, "0123456789");
    ck_assert_str_eq(buffer_text(&buffer), "0123456789");
    buffer_put_format(&buffer, "x");
    ck_assert(buffer.failed);
    buffer_done(&buffer);
}
END_TEST

START_TEST(the_limit_holds_after_growing)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer.limit = 1000;
    for (int i = 0; i < 1001; i++) buffer_put_8(&buffer, 'x');
    ck_assert(buffer.failed);
    ck_assert_uint_eq(buffer.size, 1000);
    buffer_clear(&buffer);
    ck_assert_ptr_null(buffer_reserve(&buffer, SIZE_MAX));
    ck_assert(buffer.failed);
    buffer_done(&buffer);
}
END_TEST

START_TEST(sizes_that_overflow_fail)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_put_text(&buffer, "abc");
    ck_assert_ptr_null(buffer_reserve(&buffer, SIZE_MAX - 2)); /* 3 + that is 0 */
    ck_assert(buffer.failed);
    buffer_clear(&buffer);
    ck_assert_ptr_null(buffer_reserve(&buffer, SIZE_MAX)); /* no room for the zero byte */
    buffer_done(&buffer);
}
END_TEST

START_TEST(without_memory_it_fails_and_keeps_what_it_has)
{
    struct buffer buffer;
    buffer_init(&buffer);
    memory_fail_from(1);
    buffer_put_8(&buffer, 1);
    ck_assert(buffer.failed);
    ck_assert_uint_eq(buffer.size, 0);
    ck_assert_ptr_null(buffer_take(&buffer));
    memory_fail_from(0);
    buffer_clear(&buffer);
    buffer_put_text(&buffer, "abc");
    memory_fail_from(1);
    ck_assert_ptr_null(buffer_reserve(&buffer, 100000));
    memory_fail_from(0);
    ck_assert(buffer.failed);
    ck_assert(slice_is(buffer_slice(&buffer), "abc"));
    buffer_done(&buffer);
}
END_TEST

START_TEST(patches_overwrite_in_place)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_put_32(&buffer, 0);
    buffer_put_16(&buffer, 0xAAAA);
    buffer_patch_32(&buffer, 0, 0x81020304);
    check_bytes(&buffer, SLICE_LITERAL("\x81\x02\x03\x04\xaa\xaa"));
    buffer_patch_16(&buffer, 4, 0xF1F2);
    check_bytes(&buffer, SLICE_LITERAL("\x81\x02\x03\x04\xf1\xf2"));
    buffer_patch_32(&buffer, 2, 0x01020304);
    check_bytes(&buffer, SLICE_LITERAL("\x81\x02\x01\x02\x03\x04"));
    buffer_done(&buffer);
}
END_TEST

static void patch_behind_the_end(void)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_put_32(&buffer, 0);
    buffer_patch_32(&buffer, 1, 0);
}

static void patch_nothing(void)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_patch_16(&buffer, 0, 0);
}

static void drop_too_much(void)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_put_8(&buffer, 0);
    buffer_drop_front(&buffer, 2);
}

START_TEST(touching_what_is_not_there_is_a_bug)
{
    ck_assert_contains(dying_words(patch_behind_the_end), "patch of 4 bytes at 1");
    ck_assert_contains(dying_words(patch_nothing), "patch of 2 bytes at 0");
    ck_assert_contains(dying_words(drop_too_much), "2 bytes dropped");
}
END_TEST

START_TEST(the_front_drops_and_the_end_is_cut)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_drop_front(&buffer, 0);
    buffer_put_text(&buffer, "abcdef");
    buffer_drop_front(&buffer, 2);
    ck_assert_str_eq(buffer_text(&buffer), "cdef");
    buffer_truncate(&buffer, 9); /* not longer */
    ck_assert_str_eq(buffer_text(&buffer), "cdef");
    buffer_truncate(&buffer, 1);
    ck_assert_str_eq(buffer_text(&buffer), "c");
    buffer_drop_front(&buffer, 1);
    ck_assert_str_eq(buffer_text(&buffer), "");
    buffer_done(&buffer);
}
END_TEST

START_TEST(a_reserved_place_counts_when_committed)
{
    struct buffer buffer;
    buffer_init(&buffer);
    char *place = buffer_reserve(&buffer, 100);
    ck_assert_ptr_nonnull(place);
    memset(place, 'r', 100);
    ck_assert_uint_eq(buffer.size, 0);
    buffer_commit(&buffer, 2);
    buffer_put_text(&buffer, "!");
    ck_assert_str_eq(buffer_text(&buffer), "rr!");
    buffer_done(&buffer);
}
END_TEST

START_TEST(clearing_keeps_the_memory)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_put_text(&buffer, "abc");
    const char *data = buffer.data;
    buffer_clear(&buffer);
    memory_fail_from(1);
    buffer_put_text(&buffer, "xyz");
    memory_fail_from(0);
    ck_assert_str_eq(buffer_text(&buffer), "xyz");
    ck_assert_ptr_eq(buffer.data, data);
    buffer_done(&buffer);
}
END_TEST

START_TEST(taken_bytes_are_the_callers)
{
    long before = memory_live_blocks();
    struct buffer buffer;
    buffer_init(&buffer);
    buffer.limit = 100;
    buffer_put_text(&buffer, "abc");
    char *taken = buffer_take(&buffer);
    ck_assert_str_eq(taken, "abc");
    ck_assert_uint_eq(buffer.size, 0);
    ck_assert_uint_eq(buffer.limit, 100);
    buffer_put_text(&buffer, "next");
    ck_assert_str_eq(taken, "abc");
    ck_assert_str_eq(buffer_text(&buffer), "next");
    memory_free(taken);
    buffer_done(&buffer);
    buffer_done(&buffer);
    taken = buffer_take(&buffer); /* even nothing is a text of its own */
    ck_assert_str_eq(taken, "");
    memory_free(taken);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(an_unwritten_buffer_is_an_empty_text)
{
    struct buffer buffer;
    buffer_init(&buffer);
    ck_assert_str_eq(buffer_text(&buffer), "");
    ck_assert_uint_eq(buffer_slice(&buffer).size, 0);
    buffer_done(&buffer);
}
END_TEST

START_TEST(a_full_buffer_has_room_for_the_zero)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer.limit = 4;
    buffer_put_text(&buffer, "abcd");
    ck_assert_str_eq(buffer_text(&buffer), "abcd");
    ck_assert(!buffer.failed);
    buffer_done(&buffer);
}
END_TEST

START_TEST(decimals_of_every_length)
{
    for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10) {
        const int64_t values[] = {power - 1, power, power + 1, 7 * power, -power, 1 - power};
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            char ours[32] = {0}, theirs[32];
            size_t length = decimal_write(ours, values[i]);
            snprintf(theirs, sizeof theirs, "%lld", (long long)values[i]);
            ck_assert_str_eq(ours, theirs);
            ck_assert_uint_eq(length, strlen(theirs));
        }
    }
}
END_TEST

START_TEST(decimals)
{
    const struct {
        int64_t value;
        const char *text;
    } cases[] = {{0, "0"},
                 {9, "9"},
                 {10, "10"},
                 {-1, "-1"},
                 {1000000, "1000000"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[22];
        memset(out, '#', sizeof out);
        size_t length = decimal_write(out, cases[i].value);
        ck_assert(slice_is(slice_of(out, length), cases[i].text));
        ck_assert_int_eq(out[length], '#');
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/buffer");
    UNIT_CASE(s, "writing", integers_are_big_endian, texts_slices_and_formats_follow_each_other,
              growing_keeps_what_was_written, every_way_of_writing_grows_an_exactly_full_buffer,
              long_formats_are_whole, a_reserved_place_counts_when_committed, decimals,
              decimals_of_every_length);
    UNIT_CASE(s, "failing", the_limit_is_exact_and_failure_sticky, the_limit_holds_after_growing,
              sizes_that_overflow_fail, without_memory_it_fails_and_keeps_what_it_has);
    UNIT_CASE(s, "changing", patches_overwrite_in_place, touching_what_is_not_there_is_a_bug,
              the_front_drops_and_the_end_is_cut, clearing_keeps_the_memory);
    UNIT_CASE(s, "texts", taken_bytes_are_the_callers, an_unwritten_buffer_is_an_empty_text,
              a_full_buffer_has_room_for_the_zero);
    return s;
}

TEST_MAIN(suite)
