/* The store in memory: offsets, the commit log, retention, search by time, allocation failures. */
#include "lib/base/memory.h"
#include "lib/embedded/message_store.h"
#include "lib/protocol/java_text.h"
#include "test/unit/unit.h"

static struct message_store store;
static struct topic *topic;

static void set_up(void)
{
    message_store_init(&store, 1 << 20, 1000);
    topic = message_store_put_topic(&store, SLICE_LITERAL("orders"), 2, 2, 6);
    ck_assert_ptr_nonnull(topic);
}

static void tear_down(void)
{
    message_store_done(&store);
}

static struct record *append(int32_t queue_id, int64_t stored, const char *body)
{
    struct mqc_message message = {.queue_id = queue_id,
                                  .body = slice_text(body),
                                  .properties = SLICE_LITERAL("TAGS\1a\2"),
                                  .stored_unix_ms = stored};
    return message_store_append(&store, topic, &message);
}

START_TEST(offsets_count_by_queue_and_by_bytes)
{
    struct record *first = append(0, 1, "x"), *second = append(1, 2, "yy"),
                  *third = append(0, 3, "z");
    ck_assert_int_eq(first->commit_log_offset, 0);
    ck_assert_int_eq(second->commit_log_offset, (int64_t)first->size);
    ck_assert_int_eq(third->queue_offset, 1);
    ck_assert_int_eq(second->queue_offset, 0);
    ck_assert_int_eq(first->tag_code, java_hash(SLICE_LITERAL("a")));
    ck_assert_ptr_eq(message_store_find(&store, second->commit_log_offset), second);
    ck_assert_ptr_null(message_store_find(&store, 1));
    ck_assert_ptr_null(message_store_find(&store, INT64_MAX));
    ck_assert_ptr_null(append(2, 4, "no such queue"));
    ck_assert_ptr_null(append(-1, 4, "no such queue"));
    struct slice properties = record_properties(second);
    ck_assert(slice_is(properties, "TAGS\1a\2"));
    struct message_block *block = record_decode(second);
    ck_assert(slice_is(block->messages[0].body, "yy"));
    ck_assert(slice_is(block->messages[0].stored_topic, "orders"));
    message_block_unref(block);
}
END_TEST

START_TEST(the_oldest_go_by_count_and_by_bytes)
{
    store.retention_messages = 100;
    for (int i = 0; i < 5000; i++) ck_assert_ptr_nonnull(append(i % 2, i, "x"));
    ck_assert_int_eq(topic->messages, 100);
    const struct store_queue *queue = topic_queue(topic, 1);
    ck_assert_int_eq(queue->min_offset, 2450);
    ck_assert_int_eq(store_queue_max_offset(queue), 2500);
    ck_assert_ptr_null(store_queue_at(queue, 2449));
    ck_assert_int_eq(store_queue_at(queue, 2450)->queue_offset, 2450);
    ck_assert_ptr_null(store_queue_at(queue, 2500));
    ck_assert_uint_lt(store.log_count, 400); /* what is gone is forgotten */
    struct record *kept = store_queue_at(queue, 2475);
    ck_assert_ptr_eq(message_store_find(&store, kept->commit_log_offset), kept);
    store.retention_bytes = 500;
    append(0, 5001, "x");
    ck_assert_int_le(topic->bytes, 500);
    ck_assert_int_gt(topic->messages, 1);
}
END_TEST

START_TEST(the_only_message_stays_however_large)
{
    store.retention_bytes = 1;
    append(0, 1, "x");
    ck_assert_int_eq(topic->messages, 1);
    append(0, 2, "y");
    ck_assert_int_eq(topic->messages, 1);
    ck_assert_int_eq(topic_queue(topic, 0)->min_offset, 1);
}
END_TEST

START_TEST(times_are_searched_as_in_java)
{
    static const struct {
        int64_t time, lower, upper;
    } cases[] = {{5, 0, 0}, {10, 0, 2}, {15, 3, 2}, {20, 3, 4}, {25, 5, 4}};
    const struct store_queue *queue = topic_queue(topic, 0);
    ck_assert_int_eq(store_queue_search(queue, 10, false), 0);
    ck_assert_int_eq(store_queue_search(queue, 10, true), 0);
    for (int i = 0; i < 3; i++) append(0, 10, "x");
    for (int i = 0; i < 2; i++) append(0, 20, "x");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(store_queue_search(queue, cases[i].time, false), cases[i].lower);
        ck_assert_int_eq(store_queue_search(queue, cases[i].time, true), cases[i].upper);
    }
}
END_TEST

START_TEST(a_topic_grows_and_goes)
{
    append(1, 1, "x");
    ck_assert_ptr_eq(message_store_put_topic(&store, SLICE_LITERAL("orders"), 1, 5, 6), topic);
    ck_assert_uint_eq(topic->queue_count, 5);
    ck_assert_ptr_nonnull(store_queue_at(topic_queue(topic, 1), 0)); /* beyond read_queues */
    ck_assert_ptr_null(message_store_put_topic(&store, SLICE_LITERAL("t"), 1025, 1, 6));
    ck_assert_ptr_null(message_store_put_topic(&store, SLICE_LITERAL("t"), -1, 1, 6));
    ck_assert_ptr_null(message_store_topic(&store, SLICE_LITERAL("t")));
    message_store_delete_topic(&store, topic);
    ck_assert_ptr_null(message_store_topic(&store, SLICE_LITERAL("orders")));
    ck_assert_ptr_null(message_store_find(&store, 0));
}
END_TEST

START_TEST(without_memory_nothing_is_stored)
{
    for (long nth = 1; nth < 50; nth++) {
        int64_t before = topic->messages, next = store.next_offset;
        memory_fail_from(nth);
        const struct record *record = append(0, 1, "x");
        memory_fail_from(0);
        if (record) return;
        ck_assert_int_eq(topic->messages, before);
        ck_assert_int_eq(store.next_offset, next);
    }
    ck_abort_msg("it never succeeded");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("message store");
    TCase *tcase = tcase_create("store");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, offsets_count_by_queue_and_by_bytes);
    tcase_add_test(tcase, the_oldest_go_by_count_and_by_bytes);
    tcase_add_test(tcase, the_only_message_stays_however_large);
    tcase_add_test(tcase, times_are_searched_as_in_java);
    tcase_add_test(tcase, a_topic_grows_and_goes);
    tcase_add_test(tcase, without_memory_nothing_is_stored);
    suite_add_tcase(s, tcase);
    return s;
}
TEST_MAIN(suite)
