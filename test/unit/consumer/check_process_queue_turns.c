/* The process queue as orderly consumption uses it: messages are taken in order, put back before
 * those behind them, and finished together. */
#include "lib/consumer/process_queue.h"
#include "test/unit/unit.h"

enum { COUNT = 6 };

static struct process_queue queue;
static struct mqc_message *messages[COUNT], *taken[COUNT];

static void setup(void)
{
    size_t added;
    process_queue_init(&queue);
    for (int i = 0; i < COUNT; i++) {
        messages[i] = mqc_message_new("topic", "0123456789", 10);
        messages[i]->queue_offset = 10 + i;
    }
    ck_assert_int_eq(process_queue_put(&queue, messages, COUNT, &added, NULL), MQC_OK);
}

static void teardown(void)
{
    process_queue_done(&queue);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(atomic_load(&messages[i]->block->references.count), 1);
        mqc_message_free(messages[i]);
    }
}

/* Takes some, which must be those from `first` on. */
static void take(size_t most, size_t count, int first)
{
    ck_assert_uint_eq(process_queue_take(&queue, most, 1, taken), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(taken[i], messages[first + (int)i]);
        mqc_message_free(taken[i]);
    }
}

START_TEST(test_put_back_comes_again_first)
{
    setup();
    take(2, 2, 0);
    process_queue_put_back(&queue, 10);
    process_queue_put_back(&queue, 11);
    take(3, 3, 0);
    teardown();
}
END_TEST

START_TEST(test_all_taken_are_finished_together)
{
    setup();
    take(2, 2, 0);
    take(2, 2, 2);
    ck_assert_int_eq(process_queue_finish_taken(&queue), 14);
    ck_assert_int_eq(process_queue_finish_taken(&queue), 14); /* nothing was taken since */
    take(9, 2, 4);
    ck_assert_int_eq(process_queue_finish_taken(&queue), 16);
    struct process_queue_state state;
    process_queue_read(&queue, &state);
    ck_assert_uint_eq(state.count, 0);
    ck_assert_uint_eq(state.bytes, 0);
    teardown();
}
END_TEST

START_TEST(test_all_taken_are_put_back)
{
    setup();
    take(2, 2, 0);
    ck_assert_int_eq(process_queue_remove(&queue, 11), 10);
    take(1, 1, 2);
    process_queue_put_back_taken(&queue);
    take(1, 1, 0);
    take(9, 4, 2);
    teardown();
}
END_TEST

/* What the watchdog looks at. */
START_TEST(test_what_runs_is_told)
{
    struct process_queue_state state;
    setup();
    process_queue_read_all(&queue, &state);
    ck_assert_int_eq(state.running_since_ms, -1);
    uint64_t before = state.moves;
    ck_assert(process_queue_begin(&queue, 12, 700));
    ck_assert(process_queue_begin(&queue, 11, 500));
    ck_assert(process_queue_begin(&queue, 13, 600));
    process_queue_read_all(&queue, &state);
    ck_assert_int_eq(state.running_since_ms, 500);
    ck_assert_int_eq(state.running_offset, 11);
    ck_assert_uint_eq(state.moves, before + 3);
    process_queue_remove(&queue, 11);
    process_queue_remove(&queue, 11);
    process_queue_read_all(&queue, &state);
    ck_assert_int_eq(state.running_since_ms, 600);
    ck_assert_int_eq(state.running_offset, 13);
    ck_assert_uint_eq(state.moves, before + 4);
    teardown();
}
END_TEST

static Suite *process_queue_turns_suite(void)
{
    Suite *suite = suite_create("process_queue_turns");
    UNIT_CASE(suite, "turns", test_put_back_comes_again_first, test_all_taken_are_finished_together,
              test_all_taken_are_put_back, test_what_runs_is_told);
    return suite;
}

TEST_MAIN(process_queue_turns_suite)
