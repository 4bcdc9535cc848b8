/* Tests of lib/base/intern: one pointer a name, for all threads and for the pool's life. */
#include "lib/base/intern.h"

#include <stdio.h>

#include "lib/base/memory.h"
#include "test/unit/unit.h"

START_TEST(one_pointer_a_name)
{
    long before = memory_live_blocks();
    struct intern intern;
    intern_init(&intern);
    char name[] = "broker-a";
    const char *first = intern_name(&intern, slice_text(name));
    ck_assert_ptr_ne(first, name);
    name[7] = 'b';
    const char *second = intern_name(&intern, slice_text(name));
    ck_assert_str_eq(first, "broker-a");
    ck_assert_str_eq(second, "broker-b");
    ck_assert_ptr_eq(intern_name(&intern, SLICE_LITERAL("broker-a")), first);
    ck_assert_ptr_eq(intern_name(&intern, slice_of("broker-axyz", 8)), first);
    ck_assert_str_eq(intern_name(&intern, SLICE_LITERAL("")), "");
    intern_done(&intern);
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

enum { NAMES = 500, THREADS = 4 };
static struct intern shared;

static void *intern_all(void *arg)
{
    const char **names = arg;
    for (int i = 0; i < NAMES; i++) {
        char name[16];
        snprintf(name, sizeof name, "topic-%d", i);
        names[i] = intern_name(&shared, slice_text(name));
    }
    return NULL;
}

START_TEST(threads_agree_and_growth_moves_nothing)
{
    static const char *names[THREADS][NAMES];
    pthread_t threads[THREADS];
    intern_init(&shared);
    for (int t = 0; t < THREADS; t++)
        ck_assert_int_eq(pthread_create(&threads[t], NULL, intern_all, names[t]), 0);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    for (int i = 0; i < NAMES; i++) {
        char name[16];
        snprintf(name, sizeof name, "topic-%d", i);
        ck_assert_str_eq(names[0][i], name);
        for (int t = 1; t < THREADS; t++) ck_assert_ptr_eq(names[t][i], names[0][i]);
    }
    intern_done(&shared);
}
END_TEST

START_TEST(no_memory_is_not_remembered)
{
    struct intern intern;
    intern_init(&intern);
    const char *name = NULL;
    long nth = 0;
    while (!name) {
        memory_fail_from(++nth);
        name = intern_name(&intern, SLICE_LITERAL("topic"));
        memory_fail_from(0);
    }
    ck_assert_int_eq(nth, 4); /* the name, the table, the key: each failed once */
    ck_assert_str_eq(name, "topic");
    intern_done(&intern);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/intern");
    UNIT_CASE(s, "intern", one_pointer_a_name, threads_agree_and_growth_moves_nothing,
              no_memory_is_not_remembered);
    return s;
}

TEST_MAIN(suite)
