/* Tests of lib/base/map: against a plain table under random changes, odd keys, no memory. */
#include "lib/base/map.h"

#include <stdio.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

static int values[512];

START_TEST(an_empty_map_has_nothing)
{
    struct map map;
    map_init(&map);
    struct map_entry entry;
    size_t position = 0;
    ck_assert_ptr_null(map_get(&map, SLICE_LITERAL("a")));
    ck_assert_ptr_null(map_remove(&map, SLICE_LITERAL("a")));
    ck_assert(!map_next(&map, &position, &entry));
    map_done(&map);
}
END_TEST

START_TEST(values_are_replaced)
{
    struct map map;
    map_init(&map);
    void *old = &map;
    ck_assert(map_put(&map, SLICE_LITERAL("a"), &values[1], &old));
    ck_assert_ptr_null(old);
    ck_assert(map_put(&map, SLICE_LITERAL("a"), &values[2], &old));
    ck_assert_ptr_eq(old, &values[1]);
    ck_assert(map_put(&map, SLICE_LITERAL("a"), &values[3], NULL));
    ck_assert_ptr_eq(map_get(&map, SLICE_LITERAL("a")), &values[3]);
    ck_assert_uint_eq(map.count, 1);
    map_done(&map);
}
END_TEST

START_TEST(keys_are_copied_and_any_bytes)
{
    struct map map;
    map_init(&map);
    char key[] = "a\0b";
    ck_assert(map_put(&map, slice_of(key, 3), &values[1], NULL));
    key[2] = 'c';
    ck_assert(map_put(&map, slice_of(key, 3), &values[2], NULL));
    ck_assert(map_put(&map, slice_of("a", 1), &values[3], NULL));
    ck_assert(map_put(&map, slice_of("a\0", 2), &values[4], NULL));
    ck_assert(map_put(&map, SLICE_LITERAL(""), &values[5], NULL));
    ck_assert_ptr_eq(map_get(&map, slice_of("a\0b", 3)), &values[1]);
    ck_assert_ptr_eq(map_get(&map, slice_of("a\0c", 3)), &values[2]);
    ck_assert_ptr_eq(map_get(&map, slice_of("a", 1)), &values[3]);
    ck_assert_ptr_eq(map_get(&map, slice_of("a\0", 2)), &values[4]);
    ck_assert_ptr_eq(map_get(&map, SLICE_ABSENT), &values[5]); /* as the empty key */
    ck_assert_uint_eq(map.count, 5);
    map_done(&map);
}
END_TEST

/* The map must say what the plain table `expected` says, by lookup and by walking. */
static void compare(const struct map *map, void *const *expected, size_t keys)
{
    char key[16];
    size_t count = 0;
    for (size_t i = 0; i < keys; i++) {
        int size = snprintf(key, sizeof key, "key-%zu", i);
        ck_assert_ptr_eq(map_get(map, slice_of(key, (size_t)size)), expected[i]);
        count += expected[i] != NULL;
    }
    ck_assert_uint_eq(map->count, count);
    struct map_entry entry;
    for (size_t position = 0; map_next(map, &position, &entry); count--) {
        int number = -1;
        ck_assert_int_eq(sscanf(entry.key, "key-%d", &number), 1);
        ck_assert_uint_eq(entry.key_size, strlen(entry.key));
        ck_assert_ptr_eq(entry.value, expected[number]);
    }
    ck_assert_uint_eq(count, 0);
}

START_TEST(random_changes_agree_with_a_plain_table)
{
    enum { KEYS = 300 };
    long before = memory_live_blocks();
    void *expected[KEYS] = {0};
    struct map map;
    map_init(&map);
    uint32_t random = 1;
    for (int step = 0; step < 60000; step++) {
        random = random * 1664525 + 1013904223;
        size_t i = (random >> 16) % KEYS;
        char text[16];
        int size = snprintf(text, sizeof text, "key-%zu", i);
        struct slice key = slice_of(text, (size_t)size);
        /* Phases of mostly putting and mostly removing: full runs form and are taken apart. */
        if ((random >> 8 & 7) < (step / 5000 % 2 ? 2 : 6)) {
            void *old;
            void *value = &values[random >> 24];
            ck_assert(map_put(&map, key, value, &old));
            ck_assert_ptr_eq(old, expected[i]);
            expected[i] = value;
        } else {
            ck_assert_ptr_eq(map_remove(&map, key), expected[i]);
            expected[i] = NULL;
        }
        if (step % 500 == 0) compare(&map, expected, KEYS);
    }
    compare(&map, expected, KEYS);
    ck_assert_uint_le(map.capacity, 512); /* removals leave nothing behind that makes it grow */
    map_done(&map);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(it_is_never_full)
{
    struct map map;
    map_init(&map);
    for (int i = 0; i < 10000; i++) {
        char key[16];
        int size = snprintf(key, sizeof key, "%d", i);
        ck_assert(map_put(&map, slice_of(key, (size_t)size), &values[0], NULL));
        ck_assert_uint_lt(map.count, map.capacity);
    }
    ck_assert_uint_eq(map.count, 10000);
    map_done(&map);
}
END_TEST

START_TEST(without_memory_the_map_is_unchanged)
{
    struct map map;
    map_init(&map);
    bool done = false;
    void *expected[64] = {0};
    for (long nth = 1; !done; nth++) {
        memory_fail_from(nth);
        done = true;
        for (size_t i = 0; i < 64 && done; i++) {
            char key[16];
            int size = snprintf(key, sizeof key, "key-%zu", i);
            void *old = &map;
            done = map_put(&map, slice_of(key, (size_t)size), &values[i], &old);
            if (!done) ck_assert_ptr_null(old);
            if (done) expected[i] = &values[i];
        }
        memory_fail_from(0);
        compare(&map, expected, 64);
    }
    ck_assert_uint_eq(map.count, 64);
    map_done(&map);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/map");
    UNIT_CASE(s, "map", an_empty_map_has_nothing, values_are_replaced,
              keys_are_copied_and_any_bytes, random_changes_agree_with_a_plain_table,
              it_is_never_full, without_memory_the_map_is_unchanged);
    return s;
}

TEST_MAIN(suite)
