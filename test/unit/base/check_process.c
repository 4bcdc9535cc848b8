/* Tests of lib/base/process: forks are counted and seed anew; numbers are random enough. */
#include "lib/base/process.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/unit.h"

/* What a child process computed with `function`. */
static uint64_t in_a_child(uint64_t (*function)(void))
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        uint64_t answer = function();
        _exit(write(ends[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
    }
    close(ends[1]);
    uint64_t answer = 0;
    int status = -1;
    ck_assert_int_eq(read(ends[0], &answer, sizeof answer), sizeof answer);
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    return answer;
}

static uint64_t generation(void)
{
    return process_fork_generation();
}

static uint64_t generation_of_a_grandchild(void)
{
    pid_t child = fork();
    if (child == 0) _exit((int)process_fork_generation());
    int status = 0;
    waitpid(child, &status, 0);
    return (uint64_t)WEXITSTATUS(status);
}

START_TEST(children_have_another_generation)
{
    unsigned mine = process_fork_generation();
    ck_assert_uint_eq(in_a_child(generation), mine + 1);
    ck_assert_uint_eq(in_a_child(generation), mine + 1); /* once a fork, however often asked */
    ck_assert_uint_eq(in_a_child(generation_of_a_grandchild), mine + 2);
    ck_assert_uint_eq(process_fork_generation(), mine);
}
END_TEST

START_TEST(children_draw_other_numbers)
{
    random_u64();
    uint64_t first = in_a_child(random_u64);
    uint64_t second = in_a_child(random_u64);
    uint64_t mine = random_u64();
    ck_assert_uint_ne(first, mine);
    ck_assert_uint_ne(second, mine);
    ck_assert_uint_ne(first, second);
}
END_TEST

static void *draw(void *arg)
{
    *(uint64_t *)arg = random_u64();
    return NULL;
}

START_TEST(threads_draw_other_numbers)
{
    uint64_t mine = random_u64();
    uint64_t others[2];
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, draw, &others[i]), 0);
        pthread_join(thread, NULL);
    }
    ck_assert_uint_ne(others[0], mine);
    ck_assert_uint_ne(others[1], mine);
    ck_assert_uint_ne(others[0], others[1]);
}
END_TEST

START_TEST(every_bit_is_drawn_both_ways)
{
    uint64_t ones = 0, zeros = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t number = random_u64();
        ones |= number;
        zeros |= ~number;
    }
    ck_assert_uint_eq(ones, UINT64_MAX);
    ck_assert_uint_eq(zeros, UINT64_MAX);
}
END_TEST

START_TEST(bounds_are_kept_and_reached)
{
    ck_assert_uint_eq(random_below(0), 0);
    ck_assert_uint_eq(random_below(1), 0);
    int seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        uint32_t number = random_below(7);
        ck_assert_uint_lt(number, 7);
        seen[number]++;
    }
    /* 1000 each on average, deviation about 30. */
    for (int i = 0; i < 7; i++) ck_assert(seen[i] > 600 && seen[i] < 1400);
    bool high = false, low = false;
    for (int i = 0; i < 1000; i++) {
        uint32_t number = random_below(UINT32_MAX);
        ck_assert_uint_lt(number, UINT32_MAX);
        high |= number > UINT32_MAX / 2;
        low |= number <= UINT32_MAX / 2;
    }
    ck_assert(high && low);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/process");
    UNIT_CASE(s, "forks", children_have_another_generation, children_draw_other_numbers);
    UNIT_CASE(s, "random", threads_draw_other_numbers, every_bit_is_drawn_both_ways,
              bounds_are_kept_and_reached);
    return s;
}

TEST_MAIN(suite)
