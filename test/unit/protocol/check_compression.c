/* Compressed bodies: round trips, limits, damage. */
#include "lib/protocol/compression.h"

#include "lib/base/memory.h"
#include "lib/protocol/sys_flag.h"
#include "test/unit/protocol/damage.h"

static const enum compression_type TYPES[] = {COMPRESSION_LZ4, COMPRESSION_ZSTD, COMPRESSION_ZLIB};
enum { TYPE_COUNT = 3, BOMB_BYTES = 32 << 20, SMALL_LIMIT = 100000 };

/* Half repetition, half noise. */
static struct slice sample(size_t size)
{
    char *bytes = malloc(size ? size : 1);
    uint32_t random = 7;
    for (size_t i = 0; i < size; i++)
        bytes[i] = i % 64 < 32 ? "rocketmq"[i % 8] : (char)damage_random(&random);
    return slice_of(bytes, size);
}

static void deflate_into(struct buffer *out, enum compression_type type, int level,
                         struct slice input)
{
    buffer_init(out);
    mqc_error error;
    ck_assert_int_eq(compression_deflate(type, level, input, out, &error), MQC_OK);
}

START_TEST(round_trips)
{
    enum compression_type type = TYPES[_i];
    const size_t sizes[] = {0, 1, 100, 5000, 1 << 20};
    const int levels[] = {-7, 0, 1, 5, 9, 99};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct slice input = sample(sizes[i]);
        struct buffer deflated, inflated;
        deflate_into(&deflated, type, levels[(i + 1) % 6], input);
        buffer_init(&inflated);
        buffer_put_text(&inflated, "before");
        mqc_status status =
            compression_inflate(type, buffer_slice(&deflated), INFLATED_MAX_BYTES, &inflated, NULL);
        ck_assert_int_eq(status, MQC_OK);
        ck_assert_uint_eq(inflated.size, 6 + input.size);
        ck_assert_int_eq(memcmp(inflated.data, "before", 6), 0);
        ck_assert_int_eq(memcmp(inflated.data + 6, input.data, input.size), 0);
        ck_assert_uint_eq(inflated.limit, 0);
        buffer_done(&deflated);
        buffer_done(&inflated);
        free((void *)(uintptr_t)input.data);
    }
}
END_TEST

START_TEST(deflating_makes_repetition_smaller)
{
    char zeros[4096] = {0};
    struct buffer out;
    deflate_into(&out, TYPES[_i], 5, slice_of(zeros, sizeof zeros));
    ck_assert_uint_lt(out.size, 200);
    buffer_done(&out);
}
END_TEST

/* RocketMQ's Java consumers can read no others: of a body that takes several blocks, too. */
START_TEST(blocks_of_lz4_are_independent)
{
    const size_t sizes[] = {1000, 70000, 300000, 5 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct slice input = sample(sizes[i]);
        struct buffer out;
        deflate_into(&out, COMPRESSION_LZ4, 5, input);
        ck_assert_int_eq(memcmp(out.data, "\x04\x22\x4D\x18", 4), 0);
        ck_assert_int_eq(out.data[4] & 0x20, 0x20);
        buffer_done(&out);
        free((void *)(uintptr_t)input.data);
    }
}
END_TEST

START_TEST(limit_is_exact)
{
    struct slice input = sample(SMALL_LIMIT);
    struct buffer deflated, out;
    deflate_into(&deflated, TYPES[_i], 5, input);
    buffer_init(&out);
    ck_assert_int_eq(
        compression_inflate(TYPES[_i], buffer_slice(&deflated), SMALL_LIMIT, &out, NULL), MQC_OK);
    ck_assert(slice_equal(buffer_slice(&out), input));
    buffer_clear(&out);
    buffer_put_text(&out, "kept");
    mqc_error error;
    ck_assert_int_eq(
        compression_inflate(TYPES[_i], buffer_slice(&deflated), SMALL_LIMIT - 1, &out, &error),
        MQC_TOO_BIG);
    ck_assert_ptr_nonnull(strstr(error.text, "99999"));
    assert_slice(buffer_slice(&out), "kept");
    ck_assert_int_eq(compression_inflate(TYPES[_i], buffer_slice(&deflated), 0, &out, &error),
                     MQC_TOO_BIG);
    buffer_done(&deflated);
    buffer_done(&out);
    free((void *)(uintptr_t)input.data);
}
END_TEST

START_TEST(bomb_allocates_no_more_than_the_limit)
{
    char *zeros = calloc(1, BOMB_BYTES);
    struct buffer deflated, out;
    deflate_into(&deflated, TYPES[_i], 9, slice_of(zeros, BOMB_BYTES));
    free(zeros);
    buffer_init(&out);
    ck_assert_int_eq(
        compression_inflate(TYPES[_i], buffer_slice(&deflated), SMALL_LIMIT, &out, NULL),
        MQC_TOO_BIG);
    ck_assert_uint_le(out.capacity, SMALL_LIMIT);
    ck_assert_uint_eq(out.size, 0);
    buffer_done(&deflated);
    buffer_done(&out);
}
END_TEST

struct damage_case {
    enum compression_type type;
    size_t whole;
};

static void inflate_damaged(struct slice damaged, void *arg)
{
    const struct damage_case *expected = arg;
    struct buffer out;
    buffer_init(&out);
    mqc_error error;
    mqc_status status = compression_inflate(expected->type, damaged, SMALL_LIMIT, &out, &error);
    if (damaged.size < expected->whole) ck_assert_int_eq(status, MQC_BAD_FRAME);
    if (status != MQC_OK) ck_assert_uint_eq(out.size, 0);
    ck_assert_uint_le(out.capacity, SMALL_LIMIT);
    buffer_done(&out);
}

START_TEST(damage_is_an_error)
{
    struct slice input = sample(3000);
    struct buffer deflated;
    deflate_into(&deflated, TYPES[_i], 5, input);
    struct damage_case expected = {TYPES[_i], deflated.size};
    damage_each(buffer_slice(&deflated), inflate_damaged, &expected);
    buffer_done(&deflated);
    free((void *)(uintptr_t)input.data);
}
END_TEST

/* As Java's streams read them. */
START_TEST(several_frames_are_one_body)
{
    enum compression_type type = TYPES[_i];
    struct buffer deflated, out;
    deflate_into(&deflated, type, 5, SLICE_LITERAL("one, "));
    mqc_error error;
    ck_assert_int_eq(compression_deflate(type, 5, SLICE_LITERAL("two"), &deflated, &error), MQC_OK);
    buffer_init(&out);
    ck_assert_int_eq(compression_inflate(type, buffer_slice(&deflated), 100, &out, &error), MQC_OK);
    assert_slice(buffer_slice(&out), "one, two");
    buffer_done(&deflated);
    buffer_done(&out);
}
END_TEST

START_TEST(types_and_flags)
{
    ck_assert_int_eq(compression_of_sys_flag(1), COMPRESSION_ZLIB);
    ck_assert_int_eq(compression_of_sys_flag(0x301), COMPRESSION_ZLIB);
    ck_assert_int_eq(compression_of_sys_flag(0x101), COMPRESSION_LZ4);
    ck_assert_int_eq(compression_of_sys_flag(0x201 | MESSAGE_FLAG_PREPARED), COMPRESSION_ZSTD);
    ck_assert_int_eq(compression_of_sys_flag(0x401), 0);
    ck_assert_int_eq(compression_of_sys_flag(0x701), 0);
    ck_assert_int_eq(compression_to_sys_flag(COMPRESSION_ZLIB), 0x301);
    ck_assert_int_eq(compression_to_sys_flag(COMPRESSION_LZ4), 0x101);
    ck_assert_int_eq(compression_to_sys_flag(COMPRESSION_ZSTD), 0x201);
    struct buffer out;
    buffer_init(&out);
    mqc_error error;
    ck_assert_int_eq(compression_inflate(0, SLICE_LITERAL("x"), 10, &out, &error), MQC_BAD_FRAME);
    ck_assert_int_eq(compression_inflate(COMPRESSION_LZ4, SLICE_ABSENT, 10, &out, &error),
                     MQC_BAD_FRAME);
    ck_assert_int_eq(compression_deflate(0, 5, SLICE_LITERAL("x"), &out, &error), MQC_BAD_ARGUMENT);
    buffer_done(&out);
}
END_TEST

START_TEST(no_memory)
{
    struct buffer deflated, out;
    deflate_into(&deflated, TYPES[_i], 5, SLICE_LITERAL("some bytes"));
    buffer_init(&out);
    mqc_error error;
    long live = memory_live_blocks();
    memory_fail_from(1);
    ck_assert_int_eq(compression_inflate(TYPES[_i], buffer_slice(&deflated), 1000, &out, &error),
                     MQC_NO_MEMORY);
    ck_assert_int_eq(compression_deflate(TYPES[_i], 5, SLICE_LITERAL("x"), &out, &error),
                     MQC_NO_MEMORY);
    memory_fail_from(0);
    buffer_done(&out);
    ck_assert_int_eq(memory_live_blocks(), live);
    buffer_done(&deflated);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("compression");
    UNIT_CASE(s, "types", types_and_flags, blocks_of_lz4_are_independent);
    TCase *each = tcase_create("each type");
    tcase_set_timeout(each, 60);
    tcase_add_loop_test(each, round_trips, 0, TYPE_COUNT);
    tcase_add_loop_test(each, deflating_makes_repetition_smaller, 0, TYPE_COUNT);
    tcase_add_loop_test(each, limit_is_exact, 0, TYPE_COUNT);
    tcase_add_loop_test(each, bomb_allocates_no_more_than_the_limit, 0, TYPE_COUNT);
    tcase_add_loop_test(each, damage_is_an_error, 0, TYPE_COUNT);
    tcase_add_loop_test(each, several_frames_are_one_body, 0, 2);
    tcase_add_loop_test(each, no_memory, 0, TYPE_COUNT);
    suite_add_tcase(s, each);
    return s;
}
TEST_MAIN(suite)
