/* What options of dividing queues can be, and what the errors of the others say. */
#include <stdio.h>

#include "lib/base/memory.h"
#include "lib/consumer/allocate_strategy.h"
#include "test/unit/unit.h"

static mqc_error error;

static const char *room(const char *name, void *arg)
{
    (void)arg;
    return name;
}

static bool own(const mqc_allocation *allocation, bool *mine, void *arg)
{
    (void)allocation;
    (void)mine;
    return arg;
}

#define check_refused(says, ...)                                                                   \
    do {                                                                                           \
        mqc_allocate_options options_ = {__VA_ARGS__};                                             \
        ck_assert_int_eq(allocate_options_check(&options_, &error), MQC_BAD_ARGUMENT);             \
        ck_assert_str_eq(error.text, says);                                                        \
    } while (0)

START_TEST(test_refused)
{
    mqc_message_queue odd[] = {{"orders", "a", 0}, {"orders", NULL, 0}};
    check_refused("allocateMessageQueueStrategy (allocate.kind) is 6: give the constant for a "
                  "strategy",
                  .kind = (mqc_allocate_kind)6);
    check_refused("allocate.own is given besides the strategy CONSISTENT_HASH: give one of them",
                  .kind = MQC_ALLOCATE_CONSISTENT_HASH, .own = own);
    check_refused("allocate.virtual_nodes is 1001: give 1 to 1000, or 0 for the default 10",
                  .kind = MQC_ALLOCATE_CONSISTENT_HASH, .virtual_nodes = 1001);
    check_refused("allocate.virtual_nodes is -1: give 1 to 1000, or 0 for the default 10",
                  .virtual_nodes = -1);
    check_refused("the strategy CONFIG has no allocate.queues: give those of this member",
                  .kind = MQC_ALLOCATE_BY_CONFIGURATION);
    check_refused("allocate.queues is for the strategy CONFIG (MQC_ALLOCATE_BY_CONFIGURATION) only",
                  .queues = odd, .queue_count = 1);
    check_refused("allocate.queues[1] has no topic, no broker name or a negative queue id",
                  .kind = MQC_ALLOCATE_BY_CONFIGURATION, .queues = odd, .queue_count = 2);
}
END_TEST

START_TEST(test_refused_rooms)
{
    check_refused("the strategy MACHINE_ROOM has no allocate.rooms: give \"room;room\"",
                  .kind = MQC_ALLOCATE_BY_MACHINE_ROOM);
    check_refused("the strategy MACHINE_ROOM has no allocate.rooms: give \"room;room\"",
                  .kind = MQC_ALLOCATE_BY_MACHINE_ROOM, .rooms = " ; ");
    check_refused("allocate.rooms is for the strategy MACHINE_ROOM (MQC_ALLOCATE_BY_MACHINE_ROOM) "
                  "only",
                  .rooms = "a");
    check_refused("the strategy MACHINE_ROOM_NEARBY has no allocate.room_of_broker: give the "
                  "function that knows",
                  .kind = MQC_ALLOCATE_MACHINE_ROOM_NEARBY);
    check_refused("the strategy MACHINE_ROOM_NEARBY has no allocate.room_of_client: give the "
                  "function that knows",
                  .kind = MQC_ALLOCATE_MACHINE_ROOM_NEARBY, .room_of_broker = room);
    check_refused("allocate.room_of_client is for the strategy MACHINE_ROOM_NEARBY "
                  "(MQC_ALLOCATE_MACHINE_ROOM_NEARBY) only",
                  .room_of_client = room);
    check_refused("allocate.within is 3: give MQC_ALLOCATE_AVERAGELY, MQC_ALLOCATE_BY_CIRCLE or "
                  "MQC_ALLOCATE_CONSISTENT_HASH",
                  .kind = MQC_ALLOCATE_MACHINE_ROOM_NEARBY, .room_of_broker = room,
                  .room_of_client = room, .within = MQC_ALLOCATE_BY_CONFIGURATION);
}
END_TEST

START_TEST(test_copied)
{
    char topic[] = "orders", rooms[] = "north";
    mqc_message_queue queues[] = {{topic, "broker-a", 3}};
    mqc_allocate_options given = {.queues = queues, .queue_count = 1, .rooms = rooms}, copy;
    ck_assert_int_eq(allocate_options_copy(&given, &copy, &error), MQC_OK);
    topic[0] = rooms[0] = 'x';
    queues[0].queue_id = 4;
    ck_assert_str_eq(copy.queues[0].topic, "orders");
    ck_assert_int_eq(copy.queues[0].queue_id, 3);
    ck_assert_str_eq(copy.rooms, "north");
    ck_assert_int_eq(copy.virtual_nodes, 10);
    allocate_options_done(&copy);
}
END_TEST

START_TEST(test_no_memory)
{
    mqc_message_queue queues[] = {{"orders", "a", 0}, {"orders", "b", 0}};
    mqc_allocate_options given = {.queues = queues, .queue_count = 2, .rooms = "north"}, copy;
    long live = memory_live_blocks();
    mqc_status status = MQC_NO_MEMORY;
    for (long nth = 1; status != MQC_OK; nth++) {
        memory_fail_from(nth);
        status = allocate_options_copy(&given, &copy, &error);
        memory_fail_from(0);
        if (status == MQC_OK) break;
        ck_assert_int_eq(status, MQC_NO_MEMORY);
        ck_assert_int_eq(memory_live_blocks(), live);
        ck_assert_int_lt(nth, 20);
    }
    allocate_options_done(&copy);
    ck_assert_int_eq(memory_live_blocks(), live);
}
END_TEST

static Suite *allocate_options_suite(void)
{
    Suite *suite = suite_create("allocate_options");
    UNIT_CASE(suite, "check", test_refused, test_refused_rooms);
    UNIT_CASE(suite, "copy", test_copied, test_no_memory);
    return suite;
}

TEST_MAIN(allocate_options_suite)
