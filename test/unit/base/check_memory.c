/* Tests of lib/base/memory: odd sizes, growing arrays, injected failures, counting. */
#include "lib/base/memory.h"

#include <stdint.h>

#include "test/unit/unit.h"

/* The sanitizers' allocators end the process for impossible sizes unless told to return NULL. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
__attribute__((visibility("default"))) const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

START_TEST(sizes_of_zero_give_unique_blocks)
{
    void *a = memory_allocate(0);
    void *b = memory_allocate_zero(0, 8);
    void *c = memory_allocate_zero(8, 0);
    void *d = memory_resize(NULL, 0);
    ck_assert(a && b && c && d);
    ck_assert(a != b && b != c && c != d);
    d = memory_resize(d, 0); /* a block, not the end of it */
    ck_assert_ptr_nonnull(d);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(d);
    memory_free(NULL);
}
END_TEST

START_TEST(impossible_sizes_fail)
{
    volatile size_t most = SIZE_MAX; /* volatile: the compiler would warn of what is meant */
    ck_assert_ptr_null(memory_allocate(most));
    ck_assert_ptr_null(memory_allocate_zero(most / 2, 4));
    ck_assert_ptr_null(memory_copy("", most));
    char *block = memory_allocate(4);
    memcpy(block, "abc", 4);
    ck_assert_ptr_null(memory_resize(block, most));
    ck_assert_str_eq(block, "abc"); /* still ours */
    memory_free(block);
}
END_TEST

START_TEST(zeroed_memory_is_zero)
{
    unsigned char *block = memory_allocate_zero(100, 7);
    for (size_t i = 0; i < 700; i++) ck_assert_uint_eq(block[i], 0);
    memory_free(block);
}
END_TEST

START_TEST(copies_end_with_a_zero)
{
    char *copy = memory_copy("a\0b", 3);
    ck_assert_mem_eq(copy, "a\0b\0", 4);
    memory_free(copy);
    copy = memory_copy(NULL, 0);
    ck_assert_str_eq(copy, "");
    memory_free(copy);
    copy = memory_duplicate("text");
    ck_assert_str_eq(copy, "text");
    memory_free_secret(copy);
    memory_free_secret(NULL);
    ck_assert_ptr_null(memory_duplicate(NULL));
}
END_TEST

START_TEST(arrays_grow_and_keep_their_items)
{
    int *items = NULL;
    size_t capacity = 0;
    size_t growths = 0;
    for (int i = 0; i < 1000; i++) {
        size_t before = capacity;
        ck_assert(memory_reserve(&items, &capacity, (size_t)i + 1, sizeof *items));
        growths += capacity != before;
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++) ck_assert_int_eq(items[i], i);
    ck_assert_uint_le(growths, 8); /* doubling from 8 to 1024 */
    ck_assert(memory_reserve(&items, &capacity, 5000, sizeof *items));
    ck_assert_uint_ge(capacity, 5000);
    memory_free(items);
}
END_TEST

START_TEST(an_array_that_cannot_grow_is_unchanged)
{
    int *items = NULL;
    size_t capacity = 0;
    ck_assert(memory_reserve(&items, &capacity, 3, sizeof *items));
    items[2] = 42;
    int *before = items;
    size_t capacity_before = capacity;
    ck_assert(!memory_reserve(&items, &capacity, SIZE_MAX / 2, sizeof *items)); /* bytes overflow */
    memory_fail_from(1);
    ck_assert(!memory_reserve(&items, &capacity, 1000, sizeof *items));
    ck_assert(memory_reserve(&items, &capacity, capacity, sizeof *items)); /* no memory needed */
    memory_fail_from(0);
    ck_assert_ptr_eq(items, before);
    ck_assert_uint_eq(capacity, capacity_before);
    ck_assert_int_eq(items[2], 42);
    memory_free(items);
}
END_TEST

START_TEST(failures_begin_at_the_nth_and_stay)
{
    void *blocks[2];
    memory_fail_from(3);
    blocks[0] = memory_allocate(1);
    blocks[1] = memory_allocate_zero(1, 1);
    ck_assert(blocks[0] && blocks[1]);
    ck_assert_ptr_null(memory_allocate(1));
    ck_assert_ptr_null(memory_allocate_zero(1, 1));
    ck_assert_ptr_null(memory_resize(blocks[0], 2));
    ck_assert_ptr_null(memory_resize(NULL, 2));
    ck_assert_ptr_null(memory_duplicate("x"));
    ck_assert_ptr_null(memory_copy("x", 1));
    memory_fail_from(0);
    void *after = memory_allocate(1);
    ck_assert_ptr_nonnull(after);
    memory_free(after);
    memory_free(blocks[0]);
    memory_free(blocks[1]);
}
END_TEST

START_TEST(live_blocks_are_counted)
{
    long before = memory_live_blocks();
    void *a = memory_allocate(1);
    void *b = memory_allocate_zero(1, 1);
    void *c = memory_resize(NULL, 1);
    char *d = memory_duplicate("secret");
    ck_assert_int_eq(memory_live_blocks() - before, 4);
    c = memory_resize(c, 100000);
    ck_assert_int_eq(memory_live_blocks() - before, 4);
    memory_fail_from(1);
    ck_assert_ptr_null(memory_allocate(1));
    memory_fail_from(0);
    ck_assert_int_eq(memory_live_blocks() - before, 4);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free_secret(d);
    memory_free(NULL);
    ck_assert_int_eq(memory_live_blocks() - before, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/memory");
    UNIT_CASE(s, "blocks", sizes_of_zero_give_unique_blocks, impossible_sizes_fail,
              zeroed_memory_is_zero, copies_end_with_a_zero);
    UNIT_CASE(s, "arrays", arrays_grow_and_keep_their_items,
              an_array_that_cannot_grow_is_unchanged);
    UNIT_CASE(s, "tests' tools", failures_begin_at_the_nth_and_stay, live_blocks_are_counted);
    return s;
}

TEST_MAIN(suite)
