/* Tests of lib/producer/queue_choice.c. */
#include "lib/producer/queue_choice.h"

#include <pthread.h>

#include "test/unit/unit.h"

static const mqc_message_queue QUEUES[] = {
    {"t", "a", 0}, {"t", "a", 1}, {"t", "b", 0}, {"t", "b", 1}, {"t", "c", 0},
};
enum { COUNT = sizeof QUEUES / sizeof *QUEUES };

static size_t next(size_t count, const char *topic, const char *avoid)
{
    const mqc_message_queue *queue = queue_choice_next(QUEUES, count, topic, avoid, NULL);
    ck_assert(queue >= QUEUES && queue < QUEUES + count);
    return (size_t)(queue - QUEUES);
}

START_TEST(goes_round)
{
    size_t last = next(COUNT, "t", NULL);
    for (int i = 0; i < 3 * COUNT; i++) {
        size_t now = next(COUNT, "t", NULL);
        ck_assert_uint_eq(now, (last + 1) % COUNT);
        last = now;
    }
}
END_TEST

/* Two topics in turn: neither makes the other leave queues out. */
START_TEST(topics_have_turns_of_their_own)
{
    size_t one = next(COUNT, "one", NULL), two = next(COUNT, "two", NULL);
    for (int i = 0; i < 2 * COUNT; i++) {
        size_t one_now = next(COUNT, "one", NULL), two_now = next(COUNT, "two", NULL);
        ck_assert_uint_eq(one_now, (one + 1) % COUNT);
        ck_assert_uint_eq(two_now, (two + 1) % COUNT);
        one = one_now;
        two = two_now;
    }
}
END_TEST

START_TEST(avoids_the_failed_broker)
{
    int seen[COUNT] = {0};
    for (int i = 0; i < 100; i++) seen[next(COUNT, "t", "a")]++;
    ck_assert_int_eq(seen[0] + seen[1], 0);
    ck_assert(seen[2] > 0 && seen[3] > 0 && seen[4] > 0);
}
END_TEST

START_TEST(takes_the_failed_broker_when_there_is_no_other)
{
    int seen[2] = {0};
    for (int i = 0; i < 10; i++) seen[next(2, "t", "a")]++;
    ck_assert_int_eq(seen[0] + seen[1], 10);
    ck_assert_uint_eq(next(1, "t", "a"), 0);
    ck_assert_uint_eq(next(1, "t", NULL), 0);
}
END_TEST

/* With faults: which broker is chosen of a, b and c. */
static const char *broker_with(struct fault_table *faults, const char *avoid)
{
    const char *chosen = NULL;
    for (int i = 0; i < 3 * COUNT; i++) {
        const char *name = queue_choice_next(QUEUES, COUNT, "t", avoid, faults)->broker_name;
        if (chosen && strcmp(chosen, name) != 0) return "several";
        chosen = name;
    }
    return chosen;
}

START_TEST(avoids_slow_brokers_and_absent_ones_more)
{
    static const mqc_latency_step steps[] = {{100, 600000}};
    struct fault_table *faults = fault_table_new(steps, 1, true);
    ck_assert_str_eq(broker_with(faults, NULL), "several");
    fault_table_learn(faults, &QUEUES[0], FAULT_UNREACHABLE, 0);
    ck_assert_str_eq(broker_with(faults, NULL), "several");
    ck_assert_str_eq(broker_with(faults, "c"), "b");
    fault_table_learn(faults, &QUEUES[2], FAULT_REFUSED, 0);
    ck_assert_str_eq(broker_with(faults, NULL), "c");
    fault_table_learn(faults, &QUEUES[4], FAULT_UNREACHABLE, 0);
    ck_assert_str_eq(broker_with(faults, NULL), "b"); /* all are bad: it is the least bad one */
    ck_assert_str_eq(broker_with(faults, "a"), "b");
    fault_table_learn(faults, &QUEUES[2], FAULT_UNREACHABLE, 0);
    ck_assert_str_eq(broker_with(faults, NULL), "several");
    fault_table_unref(faults);
}
END_TEST

static void *first_of_thread(void *arg)
{
    *(size_t *)arg = next(COUNT, "t", NULL);
    return NULL;
}

/* 200 threads that begin at the same one of 5 queues have been seen by nobody. */
START_TEST(threads_begin_anywhere)
{
    int seen[COUNT] = {0};
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        size_t chosen;
        ck_assert_int_eq(pthread_create(&thread, NULL, first_of_thread, &chosen), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        seen[chosen]++;
    }
    for (int i = 0; i < COUNT; i++) ck_assert_int_lt(seen[i], 200);
}
END_TEST

static size_t choose_arg(const mqc_message_queue *queues, size_t count, const mqc_message *message,
                         void *arg)
{
    ck_assert_ptr_eq(queues, QUEUES);
    ck_assert_uint_eq(count, COUNT);
    ck_assert_str_eq(mqc_message_topic(message), "t");
    return *(size_t *)arg;
}

START_TEST(the_application_chooses)
{
    mqc_error error;
    size_t wish = 3;
    mqc_send_options options = {.select = choose_arg, .select_arg = &wish};
    mqc_message *message = mqc_message_new("t", "x", 1);
    const mqc_message_queue *chosen = NULL;
    ck_assert_int_eq(queue_choice_select(&options, QUEUES, COUNT, message, &chosen, &error),
                     MQC_OK);
    ck_assert_ptr_eq(chosen, &QUEUES[3]);
    wish = COUNT;
    ck_assert_int_eq(queue_choice_select(&options, QUEUES, COUNT, message, &chosen, &error),
                     MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text, "the function that selects a queue returned 5, but topic t has 5 "
                                 "queues: return 0 to 4");
    mqc_message_free(message);
}
END_TEST

static Suite *queue_choice_suite(void)
{
    Suite *suite = suite_create("queue_choice");
    UNIT_CASE(suite, "turns", goes_round, topics_have_turns_of_their_own, avoids_the_failed_broker,
              takes_the_failed_broker_when_there_is_no_other,
              avoids_slow_brokers_and_absent_ones_more, threads_begin_anywhere);
    UNIT_CASE(suite, "selector", the_application_chooses);
    return suite;
}

TEST_MAIN(queue_choice_suite)
