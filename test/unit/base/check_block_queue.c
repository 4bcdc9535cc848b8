/* Tests of lib/base/block_queue: order, deadlines, the limit, and closing while threads wait. */
#include "lib/base/block_queue.h"

#include <sched.h>

#include "lib/base/clock.h"
#include "test/unit/base/dying.h"

struct item {
    int number;
    struct link link;
};

static struct block_queue queue;

static int number_of(struct link *link)
{
    return CONTAINER_OF(link, struct item, link)->number;
}

static int take_now(void)
{
    struct link *link;
    ck_assert_int_eq(block_queue_take(&queue, &link, 0), BLOCK_QUEUE_OK);
    return number_of(link);
}

/* Returns when so many threads wait in put and in take. */
static void wait_for_waiters(int takers, int putters)
{
    for (bool there = false; !there; sched_yield()) {
        lock_take(&queue.lock);
        there = queue.takers_waiting == takers && queue.putters_waiting == putters;
        lock_release(&queue.lock);
    }
}

START_TEST(first_in_first_out)
{
    struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    block_queue_init(&queue, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(block_queue_put(&queue, &items[i].link, 0), BLOCK_QUEUE_OK);
    ck_assert_uint_eq(block_queue_count(&queue), 3);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(take_now(), i);
    ck_assert_uint_eq(block_queue_count(&queue), 0);
    block_queue_done(&queue);
}
END_TEST

START_TEST(an_empty_queue_waits_until_the_deadline)
{
    block_queue_init(&queue, 0);
    struct link *link = &queue.items;
    int64_t deadline_ms = clock_deadline_ms(30);
    ck_assert_int_eq(block_queue_take(&queue, &link, deadline_ms), BLOCK_QUEUE_TIMEOUT);
    ck_assert_int_ge(clock_now_ms(), deadline_ms);
    ck_assert_ptr_null(link);
    ck_assert_int_eq(queue.takers_waiting, 0);
    block_queue_done(&queue);
}
END_TEST

START_TEST(a_full_queue_waits_until_the_deadline)
{
    struct item items[3];
    block_queue_init(&queue, 2);
    ck_assert_int_eq(block_queue_put(&queue, &items[0].link, 0), BLOCK_QUEUE_OK);
    ck_assert_int_eq(block_queue_put(&queue, &items[1].link, 0), BLOCK_QUEUE_OK);
    int64_t deadline_ms = clock_deadline_ms(30);
    ck_assert_int_eq(block_queue_put(&queue, &items[2].link, deadline_ms), BLOCK_QUEUE_TIMEOUT);
    ck_assert_int_ge(clock_now_ms(), deadline_ms);
    ck_assert_uint_eq(block_queue_count(&queue), 2);
    take_now();
    ck_assert_int_eq(block_queue_put(&queue, &items[2].link, 0), BLOCK_QUEUE_OK);
    take_now();
    take_now();
    block_queue_done(&queue);
}
END_TEST

START_TEST(all_are_taken_at_once)
{
    struct item items[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    struct link list;
    list_init(&list);
    block_queue_init(&queue, 3);
    ck_assert_uint_eq(block_queue_take_all(&queue, &list), 0);
    list_append(&list, &items[0].link);
    for (int i = 1; i < 4; i++) block_queue_put(&queue, &items[i].link, 0);
    ck_assert_uint_eq(block_queue_take_all(&queue, &list), 3);
    for (int i = 0; i < 4; i++) ck_assert_int_eq(number_of(list_take_first(&list)), i);
    ck_assert_uint_eq(block_queue_count(&queue), 0);
    ck_assert_int_eq(block_queue_put(&queue, &items[0].link, 0), BLOCK_QUEUE_OK);
    take_now();
    block_queue_done(&queue);
}
END_TEST

START_TEST(after_closing_the_rest_is_handed_out)
{
    struct item items[2] = {{.number = 0}, {.number = 1}};
    struct link *link;
    block_queue_init(&queue, 0);
    block_queue_put(&queue, &items[0].link, 0);
    block_queue_close(&queue);
    block_queue_close(&queue);
    ck_assert_int_eq(block_queue_put(&queue, &items[1].link, CLOCK_NEVER), BLOCK_QUEUE_CLOSED);
    ck_assert_int_eq(take_now(), 0);
    ck_assert_int_eq(block_queue_take(&queue, &link, CLOCK_NEVER), BLOCK_QUEUE_CLOSED);
    ck_assert_ptr_null(link);
    ck_assert_int_eq(block_queue_take(&queue, &link, 0), BLOCK_QUEUE_CLOSED);
    block_queue_done(&queue);
}
END_TEST

static void *take_one(void *arg)
{
    struct link *link;
    *(enum block_queue_result *)arg = block_queue_take(&queue, &link, CLOCK_NEVER);
    return link;
}

static struct item one_more;

static void *put_one(void *arg)
{
    *(enum block_queue_result *)arg = block_queue_put(&queue, &one_more.link, CLOCK_NEVER);
    return NULL;
}

START_TEST(a_waiting_taker_gets_what_is_put)
{
    struct item item;
    pthread_t thread;
    enum block_queue_result result;
    void *link;
    block_queue_init(&queue, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, take_one, &result), 0);
    wait_for_waiters(1, 0);
    block_queue_put(&queue, &item.link, 0);
    pthread_join(thread, &link);
    ck_assert_int_eq(result, BLOCK_QUEUE_OK);
    ck_assert_ptr_eq(link, &item.link);
    block_queue_done(&queue);
}
END_TEST

static void check_waiting_putter(size_t (*make_room)(void))
{
    struct item item;
    pthread_t thread;
    enum block_queue_result result;
    block_queue_init(&queue, 1);
    block_queue_put(&queue, &item.link, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, put_one, &result), 0);
    wait_for_waiters(0, 1);
    ck_assert_uint_eq(make_room(), 1);
    pthread_join(thread, NULL);
    ck_assert_int_eq(result, BLOCK_QUEUE_OK);
    ck_assert_uint_eq(block_queue_count(&queue), 1);
    take_now();
    block_queue_done(&queue);
}

static size_t take_one_away(void)
{
    struct link *link;
    return block_queue_take(&queue, &link, 0) == BLOCK_QUEUE_OK;
}

static size_t take_all_away(void)
{
    struct link list;
    list_init(&list);
    return block_queue_take_all(&queue, &list);
}

START_TEST(a_waiting_putter_gets_the_room)
{
    check_waiting_putter(take_one_away);
    check_waiting_putter(take_all_away);
}
END_TEST

START_TEST(closing_wakes_every_taker)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    enum block_queue_result results[THREADS];
    block_queue_init(&queue, 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_one, &results[i]), 0);
    wait_for_waiters(THREADS, 0);
    block_queue_close(&queue);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(results[i], BLOCK_QUEUE_CLOSED);
    }
    block_queue_done(&queue);
}
END_TEST

START_TEST(closing_wakes_a_putter)
{
    struct item item;
    pthread_t thread;
    enum block_queue_result result;
    block_queue_init(&queue, 1);
    block_queue_put(&queue, &item.link, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, put_one, &result), 0);
    wait_for_waiters(0, 1);
    block_queue_close(&queue);
    pthread_join(thread, NULL);
    ck_assert_int_eq(result, BLOCK_QUEUE_CLOSED);
    take_now();
    block_queue_done(&queue);
}
END_TEST

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS_EACH = 2000 };
static struct item stream[PRODUCERS][ITEMS_EACH];

static void *produce(void *arg)
{
    struct item *items = arg;
    for (int i = 0; i < ITEMS_EACH; i++) {
        items[i].number = i;
        ck_assert_int_eq(block_queue_put(&queue, &items[i].link, CLOCK_NEVER), BLOCK_QUEUE_OK);
    }
    return NULL;
}

/* Takes until the queue is closed; short deadlines, so that time-outs and wake-ups cross. */
static void *consume(void *arg)
{
    int *taken = arg;
    int last[PRODUCERS] = {-1, -1, -1};
    struct link *link;
    for (;;) {
        enum block_queue_result result = block_queue_take(&queue, &link, clock_deadline_ms(1));
        if (result == BLOCK_QUEUE_CLOSED) return NULL;
        if (result == BLOCK_QUEUE_TIMEOUT) continue;
        struct item *item = CONTAINER_OF(link, struct item, link);
        ptrdiff_t producer = (item - &stream[0][0]) / ITEMS_EACH;
        ck_assert_int_gt(item->number, last[producer]); /* each producer's order is kept */
        last[producer] = item->number;
        ++*taken;
    }
}

START_TEST(nothing_is_lost_between_many_threads)
{
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    int taken[CONSUMERS] = {0};
    int total = 0;
    block_queue_init(&queue, 5);
    for (int i = 0; i < CONSUMERS; i++)
        ck_assert_int_eq(pthread_create(&consumers[i], NULL, consume, &taken[i]), 0);
    for (int i = 0; i < PRODUCERS; i++)
        ck_assert_int_eq(pthread_create(&producers[i], NULL, produce, stream[i]), 0);
    for (int i = 0; i < PRODUCERS; i++) pthread_join(producers[i], NULL);
    block_queue_close(&queue);
    for (int i = 0; i < CONSUMERS; i++) {
        pthread_join(consumers[i], NULL);
        total += taken[i];
    }
    ck_assert_int_eq(total, PRODUCERS * ITEMS_EACH);
    block_queue_done(&queue);
}
END_TEST

static void end_with_an_item(void)
{
    struct item item;
    block_queue_init(&queue, 0);
    block_queue_put(&queue, &item.link, 0);
    block_queue_done(&queue);
}

START_TEST(items_may_not_be_forgotten)
{
    ck_assert_contains(dying_words(end_with_an_item), "1 items");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/block_queue");
    UNIT_CASE(s, "alone", first_in_first_out, an_empty_queue_waits_until_the_deadline,
              a_full_queue_waits_until_the_deadline, all_are_taken_at_once,
              after_closing_the_rest_is_handed_out, items_may_not_be_forgotten);
    UNIT_CASE(s, "threads", a_waiting_taker_gets_what_is_put, a_waiting_putter_gets_the_room,
              closing_wakes_every_taker, closing_wakes_a_putter,
              nothing_is_lost_between_many_threads);
    return s;
}

TEST_MAIN(suite)
