/* Tests of lib/base/id_map: against a plain table, ids that wrap around, steady state, no memory.
 */
#include "lib/base/id_map.h"

#include "lib/base/memory.h"
#include "test/unit/base/dying.h"

static int values[512];

START_TEST(an_empty_map_has_nothing)
{
    struct id_map map;
    id_map_init(&map);
    struct id_map_entry entry;
    size_t position = 0;
    ck_assert_ptr_null(id_map_get(&map, 0));
    ck_assert_ptr_null(id_map_remove(&map, 0));
    ck_assert(!id_map_next(&map, &position, &entry));
    id_map_done(&map);
}
END_TEST

START_TEST(any_number_is_an_id)
{
    const int32_t ids[] = {0, 1, -1, INT32_MAX, INT32_MIN, 1 << 16, 1 << 30};
    enum { COUNT = sizeof ids / sizeof *ids };
    struct id_map map;
    id_map_init(&map);
    for (int i = 0; i < COUNT; i++) ck_assert(id_map_put(&map, ids[i], &values[i]));
    ck_assert_uint_eq(map.count, COUNT);
    for (int i = 0; i < COUNT; i++) ck_assert_ptr_eq(id_map_get(&map, ids[i]), &values[i]);
    ck_assert_ptr_null(id_map_get(&map, 2));
    ck_assert(id_map_put(&map, 0, &values[100])); /* the same id again */
    ck_assert_ptr_eq(id_map_get(&map, 0), &values[100]);
    ck_assert_uint_eq(map.count, COUNT);
    ck_assert_ptr_eq(id_map_remove(&map, 0), &values[100]);
    ck_assert_ptr_null(id_map_remove(&map, 0));
    for (int i = 1; i < COUNT; i++) ck_assert_ptr_eq(id_map_remove(&map, ids[i]), &values[i]);
    ck_assert_uint_eq(map.count, 0);
    id_map_done(&map);
}
END_TEST

static void compare(const struct id_map *map, void *const *expected, int32_t first, int ids)
{
    size_t count = 0;
    for (int i = 0; i < ids; i++) {
        ck_assert_ptr_eq(id_map_get(map, first + i), expected[i]);
        count += expected[i] != NULL;
    }
    ck_assert_uint_eq(map->count, count);
    struct id_map_entry entry;
    for (size_t position = 0; id_map_next(map, &position, &entry); count--) {
        ck_assert_int_ge(entry.id, first);
        ck_assert_int_lt(entry.id, first + ids);
        ck_assert_ptr_eq(entry.value, expected[entry.id - first]);
    }
    ck_assert_uint_eq(count, 0);
}

START_TEST(random_changes_agree_with_a_plain_table)
{
    enum { IDS = 300, FIRST = -150 };
    void *expected[IDS] = {0};
    struct id_map map;
    id_map_init(&map);
    uint32_t random = 1;
    for (int step = 0; step < 60000; step++) {
        random = random * 1664525 + 1013904223;
        int i = (int)((random >> 16) % IDS);
        if ((random >> 8 & 7) < (step / 5000 % 2 ? 2 : 6)) {
            void *value = &values[random >> 24];
            ck_assert(id_map_put(&map, FIRST + i, value));
            expected[i] = value;
        } else {
            ck_assert_ptr_eq(id_map_remove(&map, FIRST + i), expected[i]);
            expected[i] = NULL;
        }
        if (step % 500 == 0) compare(&map, expected, FIRST, IDS);
    }
    compare(&map, expected, FIRST, IDS);
    ck_assert_uint_le(map.capacity, 1024);
    id_map_done(&map);
}
END_TEST

START_TEST(the_steady_state_allocates_nothing)
{
    enum { PENDING = 100 };
    struct id_map map;
    id_map_init(&map);
    uint32_t next = INT32_MAX - 5000; /* wraps around on the way */
    for (int i = 0; i < PENDING; i++, next++)
        ck_assert(id_map_put(&map, (int32_t)next, &values[next % 512]));
    memory_fail_from(1);
    for (int i = 0; i < 20000; i++, next++) {
        uint32_t oldest = next - PENDING;
        ck_assert_ptr_eq(id_map_remove(&map, (int32_t)oldest), &values[oldest % 512]);
        ck_assert(id_map_put(&map, (int32_t)next, &values[next % 512]));
    }
    memory_fail_from(0);
    ck_assert_uint_eq(map.count, PENDING);
    id_map_done(&map);
}
END_TEST

START_TEST(without_memory_the_map_is_unchanged)
{
    struct id_map map;
    id_map_init(&map);
    memory_fail_from(1);
    ck_assert(!id_map_put(&map, 1, &values[1]));
    memory_fail_from(0);
    ck_assert_uint_eq(map.count, 0);
    void *expected[1000] = {0};
    bool refused = false;
    memory_fail_from(3);
    for (int i = 0; i < 1000; i++) {
        if (id_map_put(&map, i, &values[i % 512]))
            expected[i] = &values[i % 512];
        else
            refused = true;
    }
    memory_fail_from(0);
    ck_assert(refused);
    compare(&map, expected, 0, 1000);
    id_map_done(&map);
}
END_TEST

static void put_without_a_value(void)
{
    struct id_map map;
    id_map_init(&map);
    id_map_put(&map, 7, NULL);
}

START_TEST(a_value_must_be_one)
{
    ck_assert_contains(dying_words(put_without_a_value), "id 7");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/id_map");
    UNIT_CASE(s, "id_map", an_empty_map_has_nothing, any_number_is_an_id,
              random_changes_agree_with_a_plain_table, the_steady_state_allocates_nothing,
              without_memory_the_map_is_unchanged, a_value_must_be_one);
    return s;
}

TEST_MAIN(suite)
