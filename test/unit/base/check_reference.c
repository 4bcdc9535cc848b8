/* Tests of lib/base/reference: exactly one drop is the last, with threads too. */
#include "lib/base/reference.h"

#include <pthread.h>

#include "test/unit/unit.h"

START_TEST(the_last_drop_says_so)
{
    struct reference reference;
    reference_init(&reference);
    reference_take(&reference);
    reference_take(&reference);
    ck_assert(!reference_drop(&reference));
    ck_assert(!reference_drop(&reference));
    ck_assert(reference_drop(&reference));
}
END_TEST

static struct reference shared;
static int plain; /* not atomic: the last dropper may touch it only if the others are done */
static atomic_int lasts;

static void *use_and_drop(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        reference_take(&shared);
        if (reference_drop(&shared)) atomic_fetch_add(&lasts, 1000000);
    }
    if (reference_drop(&shared)) {
        plain++;
        atomic_fetch_add(&lasts, 1);
    }
    return arg;
}

START_TEST(one_of_many_threads_is_the_last)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    reference_init(&shared);
    plain = 1;
    for (int i = 0; i < THREADS; i++) {
        reference_take(&shared);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_and_drop, NULL), 0);
    }
    if (reference_drop(&shared)) {
        plain++;
        atomic_fetch_add(&lasts, 1);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&lasts), 1);
    ck_assert_int_eq(plain, 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/reference");
    UNIT_CASE(s, "reference", the_last_drop_says_so, one_of_many_threads_is_the_last);
    return s;
}

TEST_MAIN(suite)
