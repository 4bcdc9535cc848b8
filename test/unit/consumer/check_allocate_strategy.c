/* Dividing queues exactly as AllocateMessageQueueAveragely.java does, in exactly Java's order: the
 * shares below are what it computes. */
#include "lib/consumer/allocate_strategy.h"

#include <stdio.h>

#include "test/unit/unit.h"

enum { MOST_QUEUES = 64, MOST_IDS = 16 };

static mqc_message_queue queues[MOST_QUEUES];
static char id_texts[MOST_IDS][8];
static char *id_pointers[MOST_IDS];

/* Ids "a", "b", … and so many queues. */
static struct name_list make_ids(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(id_texts[i], sizeof id_texts[i], "%c", (char)('a' + i));
        id_pointers[i] = id_texts[i];
    }
    return (struct name_list){count, id_pointers};
}

static void check_share(size_t queue_count, size_t id_count, size_t index, const char *expected)
{
    struct name_list ids = make_ids(id_count);
    bool mine[MOST_QUEUES];
    char actual[MOST_QUEUES + 1];
    memset(mine, 1, sizeof mine);
    ck_assert(ALLOCATE_AVERAGELY.allocate(id_texts[index], &ids, queues, queue_count, mine));
    for (size_t i = 0; i < queue_count; i++) actual[i] = mine[i] ? 'x' : '.';
    actual[queue_count] = '\0';
    ck_assert_str_eq(actual, expected);
}

START_TEST(test_even)
{
    check_share(4, 1, 0, "xxxx");
    check_share(4, 2, 0, "xx..");
    check_share(4, 2, 1, "..xx");
    check_share(4, 4, 2, "..x.");
}
END_TEST

START_TEST(test_first_ones_get_one_more)
{
    check_share(8, 3, 0, "xxx.....");
    check_share(8, 3, 1, "...xxx..");
    check_share(8, 3, 2, "......xx");
    check_share(10, 4, 0, "xxx.......");
    check_share(10, 4, 1, "...xxx....");
    check_share(10, 4, 2, "......xx..");
    check_share(10, 4, 3, "........xx");
    check_share(7, 5, 1, "..xx...");
    check_share(7, 5, 2, "....x..");
}
END_TEST

START_TEST(test_more_members_than_queues)
{
    check_share(2, 4, 0, "x.");
    check_share(2, 4, 1, ".x");
    check_share(2, 4, 2, "..");
    check_share(2, 4, 3, "..");
    check_share(0, 2, 0, "");
}
END_TEST

START_TEST(test_every_queue_has_one_owner)
{
    for (size_t queue_count = 0; queue_count <= 40; queue_count++) {
        for (size_t id_count = 1; id_count <= 12; id_count++) {
            struct name_list ids = make_ids(id_count);
            int owners[MOST_QUEUES] = {0};
            for (size_t id = 0; id < id_count; id++) {
                bool mine[MOST_QUEUES];
                ck_assert(
                    ALLOCATE_AVERAGELY.allocate(id_texts[id], &ids, queues, queue_count, mine));
                for (size_t i = 0; i < queue_count; i++) owners[i] += mine[i];
            }
            for (size_t i = 0; i < queue_count; i++) ck_assert_int_eq(owners[i], 1);
        }
    }
}
END_TEST

START_TEST(test_stranger_gets_nothing)
{
    struct name_list ids = make_ids(2);
    struct name_list nobody = {0};
    bool mine[4] = {true, true, true, true};
    ck_assert(!ALLOCATE_AVERAGELY.allocate("z", &ids, queues, 4, mine));
    for (int i = 0; i < 4; i++) ck_assert(!mine[i]);
    ck_assert(!ALLOCATE_AVERAGELY.allocate("a", &nobody, queues, 4, mine));
}
END_TEST

START_TEST(test_name)
{
    ck_assert_str_eq(ALLOCATE_AVERAGELY.name, "AVG");
}
END_TEST

static void check_order(const char *const *shuffled, const char *const *expected, size_t count)
{
    char *names[8];
    for (size_t i = 0; i < count; i++) names[i] = (char *)(uintptr_t)shuffled[i];
    struct name_list list = {count, names};
    allocate_sort_ids(&list);
    for (size_t i = 0; i < count; i++) ck_assert_str_eq(list.names[i], expected[i]);
}

START_TEST(test_ids_in_javas_order)
{
    check_order((const char *const[]){"10.0.0.1@9", "10.0.0.1@10", "10.0.0.1", "B@1", "a@1"},
                (const char *const[]){"10.0.0.1", "10.0.0.1@10", "10.0.0.1@9", "B@1", "a@1"}, 5);
    /* U+FF5E comes before U+1F600 by code point and byte, but behind its surrogates D83D DE00. */
    check_order((const char *const[]){"\xEF\xBD\x9E", "\xF0\x9F\x98\x80", "z"},
                (const char *const[]){"z", "\xF0\x9F\x98\x80", "\xEF\xBD\x9E"}, 3);
}
END_TEST

START_TEST(test_queues_in_javas_order)
{
    mqc_message_queue shuffled[] = {
        {"t", "broker-b", 0}, {"t", "broker-a", 10}, {"t", "broker-a", 9},
        {"s", "broker-z", 3}, {"t", "Broker-c", 1},  {"t", "broker-a", 0},
    };
    const mqc_message_queue expected[] = {
        {"s", "broker-z", 3}, {"t", "Broker-c", 1},  {"t", "broker-a", 0},
        {"t", "broker-a", 9}, {"t", "broker-a", 10}, {"t", "broker-b", 0},
    };
    allocate_sort_queues(shuffled, 6);
    for (int i = 0; i < 6; i++) {
        ck_assert_str_eq(shuffled[i].topic, expected[i].topic);
        ck_assert_str_eq(shuffled[i].broker_name, expected[i].broker_name);
        ck_assert_int_eq(shuffled[i].queue_id, expected[i].queue_id);
    }
    allocate_sort_queues(NULL, 0);
}
END_TEST

static Suite *allocate_strategy_suite(void)
{
    Suite *suite = suite_create("allocate_strategy");
    UNIT_CASE(suite, "averagely", test_even, test_first_ones_get_one_more,
              test_more_members_than_queues, test_every_queue_has_one_owner,
              test_stranger_gets_nothing, test_name);
    UNIT_CASE(suite, "order", test_ids_in_javas_order, test_queues_in_javas_order);
    return suite;
}

TEST_MAIN(allocate_strategy_suite)
