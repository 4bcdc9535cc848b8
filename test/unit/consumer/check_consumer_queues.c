/* lib/consumer/consumer_queues.c: the table of a consumer's queues, without a consumer around it.
 */
#include "lib/consumer/consumer.h"
#include "test/unit/unit.h"

#define TOPIC "topic"

static struct consumer consumer;
static struct consumer_topic topic;
static struct consumer_queue queues[2];

static void set_up(void)
{
    consumer = (struct consumer){0};
    topic = (struct consumer_topic){0};
    lock_init(&consumer.queues_lock, LOCK_RANK_REBALANCE);
    list_init(&consumer.queues);
    map_init(&consumer.topics);
    list_init(&topic.queues);
    for (int i = 0; i < TOPIC_CHAINS; i++) list_init(&topic.chains[i]);
    ck_assert(map_put(&consumer.topics, slice_text(TOPIC), &topic, NULL));
    for (int i = 0; i < 2; i++) {
        struct consumer_queue *queue = &queues[i];
        *queue = (struct consumer_queue){.topic = &topic, .place = {TOPIC, "broker-a", i}};
        reference_init(&queue->references); /* ours: it never goes */
        list_init(&queue->link);
        list_init(&queue->in_topic);
        list_init(&queue->in_chain);
        ck_assert(consumer_queues_add(&consumer, queue));
    }
}

static void tear_down(void)
{
    map_done(&consumer.topics);
    lock_done(&consumer.queues_lock);
}

static int references(const struct consumer_queue *queue)
{
    return atomic_load(&queue->references.count);
}

START_TEST(test_a_place_is_there_once)
{
    struct consumer_queue twin = queues[0];
    ck_assert(!consumer_queues_add(&consumer, &twin));
    ck_assert(consumer_queues_has(&consumer, &queues[0].place));
    ck_assert_int_eq(atomic_load(&topic.count), 2);
}
END_TEST

START_TEST(test_what_is_removed_is_gone)
{
    ck_assert(consumer_queues_remove(&consumer, &queues[0]));
    ck_assert(!consumer_queues_remove(&consumer, &queues[0]));
    ck_assert(!consumer_queues_has(&consumer, &queues[0].place));
    ck_assert_int_eq(references(&queues[0]), 1);
    ck_assert_int_eq(atomic_load(&topic.count), 1);
}
END_TEST

/* A division that is still under way at a shutdown gives queues up that the shutdown has taken. */
START_TEST(test_what_was_taken_at_the_close_stays_with_the_taker)
{
    struct link taken;
    size_t count = 0;
    list_init(&taken);
    consumer_queues_close(&consumer, &taken);
    ck_assert(!consumer_queues_remove(&consumer, &queues[0]));
    ck_assert(!consumer_queues_replace(&consumer, &queues[0], &queues[1]));
    LIST_EACH(&taken, item)
    {
        ck_assert_ptr_eq(CONTAINER_OF(item, struct consumer_queue, link), &queues[count]);
        ck_assert_int_eq(references(&queues[count]), 2);
        count++;
    }
    ck_assert_uint_eq(count, 2);
    ck_assert(!consumer_queues_has(&consumer, &queues[0].place));
}
END_TEST

static Suite *consumer_queues_suite(void)
{
    Suite *suite = suite_create("consumer queues");
    TCase *tcase = tcase_create("table");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, test_a_place_is_there_once);
    tcase_add_test(tcase, test_what_is_removed_is_gone);
    tcase_add_test(tcase, test_what_was_taken_at_the_close_stays_with_the_taker);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(consumer_queues_suite)
