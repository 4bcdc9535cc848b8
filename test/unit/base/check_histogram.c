/* Tests of lib/base/histogram: every value in its bucket, percentiles against sorted values,
 * threads that record at once. */
#include "lib/base/histogram.h"

#include <pthread.h>
#include <stdlib.h>

#include "test/unit/unit.h"

static struct histogram histogram;
static struct histogram_copy copy;

START_TEST(an_empty_one_has_nothing)
{
    histogram_add_to(&histogram, &copy);
    ck_assert_uint_eq(copy.count, 0);
    ck_assert_uint_eq(histogram_copy_at(&copy, 500), 0);
    ck_assert_uint_eq(histogram_copy_at(&copy, 1000), 0);
}
END_TEST

START_TEST(buckets_follow_each_other)
{
    unsigned before = 0;
    for (uint64_t us = 0; us < 1 << 20; us++) {
        unsigned bucket = histogram_bucket(us);
        if (bucket != before && bucket != before + 1) ck_abort_msg("%llu", (unsigned long long)us);
        before = bucket;
    }
    ck_assert_uint_eq(histogram_bucket(((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1),
                      HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(histogram_bucket((uint64_t)1 << HISTOGRAM_VALUE_BITS), HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(a_single_value_is_found_again)
{
    for (int64_t us = 1; us < (int64_t)1 << HISTOGRAM_VALUE_BITS; us = us * 3 + 1) {
        struct histogram one = {0};
        struct histogram_copy read = {0};
        histogram_record(&one, us);
        histogram_add_to(&one, &read);
        int64_t found = (int64_t)histogram_copy_at(&read, 500);
        ck_assert_msg(llabs(found - us) * 32 <= us, "%lld was read as %lld", (long long)us,
                      (long long)found);
        ck_assert_uint_eq(read.max_us, (uint64_t)us);
        ck_assert_uint_eq(read.sum_us, (uint64_t)us);
    }
}
END_TEST

START_TEST(what_is_out_of_range_counts_at_the_ends)
{
    histogram_record(&histogram, -5);
    histogram_record(&histogram, INT64_MAX / 2);
    histogram_add_to(&histogram, &copy);
    ck_assert_uint_eq(copy.count, 2);
    ck_assert_uint_eq(copy.buckets[0], 1);
    ck_assert_uint_eq(copy.buckets[HISTOGRAM_BUCKETS - 1], 1);
    ck_assert_uint_eq(histogram_copy_at(&copy, 1), 0);
}
END_TEST

static int by_value(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

START_TEST(percentiles_are_those_of_the_sorted_values)
{
    enum { COUNT = 20000 };
    static int64_t values[COUNT];
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < COUNT; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        values[i] = (int64_t)(state % (1u << (state % 25)));
        histogram_record(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof values[0], by_value);
    histogram_add_to(&histogram, &copy);
    ck_assert_uint_eq(copy.count, COUNT);
    const unsigned asked[] = {1, 500, 900, 990, 999, 1000};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        int64_t exact = values[asked[i] * COUNT / 1000 - 1];
        int64_t read = (int64_t)histogram_copy_at(&copy, asked[i]);
        ck_assert_msg(llabs(read - exact) * 32 <= exact, "%u: %lld was read as %lld", asked[i],
                      (long long)exact, (long long)read);
    }
    ck_assert_uint_eq(copy.max_us, (uint64_t)values[COUNT - 1]);
}
END_TEST

START_TEST(two_are_added_up)
{
    struct histogram other = {0};
    struct histogram_copy more = {0};
    histogram_record(&histogram, 10);
    histogram_record(&other, 1000);
    histogram_record(&other, 1000);
    histogram_add_to(&histogram, &copy);
    histogram_add_to(&other, &more);
    histogram_copy_add(&copy, &more);
    ck_assert_uint_eq(copy.count, 3);
    ck_assert_uint_eq(copy.sum_us, 2010);
    ck_assert_uint_eq(copy.max_us, 1000);
    ck_assert_uint_eq(histogram_copy_at(&copy, 333), 10);
    ck_assert_uint_ge(histogram_copy_at(&copy, 500), 970);
}
END_TEST

enum { THREADS = 4, EACH = 50000 };

static void *record(void *arg)
{
    for (int i = 0; i < EACH; i++) histogram_record(&histogram, (int64_t)(intptr_t)arg * 100 + i);
    return NULL;
}

START_TEST(threads_lose_nothing)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, record, (void *)(intptr_t)i), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    histogram_add_to(&histogram, &copy);
    ck_assert_uint_eq(copy.count, THREADS * EACH);
    ck_assert_uint_eq(copy.max_us, (THREADS - 1) * 100 + EACH - 1);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < THREADS; i++) sum += i * 100 * EACH + (uint64_t)EACH * (EACH - 1) / 2;
    ck_assert_uint_eq(copy.sum_us, sum);
}
END_TEST

static Suite *histogram_suite(void)
{
    Suite *suite = suite_create("histogram");
    UNIT_CASE(suite, "histogram", an_empty_one_has_nothing, buckets_follow_each_other,
              a_single_value_is_found_again, what_is_out_of_range_counts_at_the_ends,
              percentiles_are_those_of_the_sorted_values, two_are_added_up, threads_lose_nothing);
    return suite;
}

TEST_MAIN(histogram_suite)
