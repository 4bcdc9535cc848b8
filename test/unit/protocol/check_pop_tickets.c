/* The tickets of a pop's answer: of what brokers answer, and of more than any pop may bring. */
#include "lib/protocol/pop_tickets.h"

#include <stdlib.h>

#include "test/unit/protocol/damage.h"

enum { MOST = POP_ANSWER_MESSAGES_MAX + 1 };

static mqc_error error;
static struct pop_ticket tickets[MOST];
static struct message_block *block;

static void setup(void)
{
    block = calloc(1, sizeof *block + MOST * sizeof *block->messages);
}

static void teardown(void)
{
    free(block);
}

/* `check`: "" for a message that is not popped again. */
static void add(const char *stored_topic, int32_t queue_id, int64_t offset, const char *check)
{
    struct mqc_message *message = &block->messages[block->count++];
    message->block = block;
    message->stored_topic = slice_text(stored_topic);
    message->queue_id = queue_id;
    message->queue_offset = offset;
    message->properties = slice_text(check);
}

static mqc_status make(const char *begins, const char *offsets)
{
    struct pop_message_response_header header = {.pop_timestamp = 1795430042476,
                                                 .invisible_time_ms = 30000,
                                                 .revive_queue_id = 3,
                                                 .start_offsets = slice_text(begins),
                                                 .message_offsets = slice_text(offsets)};
    return pop_tickets_make(block, &header, SLICE_LITERAL("t"), tickets, &error);
}

static void expect(size_t index, enum pop_topic topic, int64_t begin, int64_t offset)
{
    ck_assert_int_eq(tickets[index].topic, topic);
    ck_assert_int_eq(tickets[index].queue_id, block->messages[index].queue_id);
    ck_assert_int_eq(tickets[index].begin, begin);
    ck_assert_int_eq(tickets[index].offset, offset);
}

START_TEST(each_queue_has_a_list)
{
    add("t", 1, 8, "");
    add("t", 0, 5, "");
    add("t", 1, 7, "");
    add("%RETRY%g_t", 0, 2, "");
    add("%RETRY%g+t", 0, 1, "");
    assert_ok(make("0 0 5;0 1 7;1 0 2;2 0 1", "0 0 5;0 1 70,80;1 0 2;2 0 1"), &error);
    expect(0, POP_TOPIC_ITSELF, 7, 80);
    expect(1, POP_TOPIC_ITSELF, 5, 5);
    expect(2, POP_TOPIC_ITSELF, 7, 70);
    expect(3, POP_TOPIC_RETRY, 2, 2);
    expect(4, POP_TOPIC_RETRY_2, 1, 1);
    ck_assert_int_eq(tickets[0].popped_unix_ms, 1795430042476);
    ck_assert_int_eq(tickets[0].invisible_ms, 30000);
    ck_assert_int_eq(tickets[0].revive_queue_id, 3);
}
END_TEST

START_TEST(without_lists_the_records_say_it)
{
    add("t", 1, 8, "");
    add("t", 1, 7, "");
    assert_ok(make("", ""), &error);
    expect(0, POP_TOPIC_ITSELF, 7, 8);
    expect(1, POP_TOPIC_ITSELF, 7, 7);
}
END_TEST

/* A retried message bears the topic that it was sent to, and may have a queue's number beside
 * messages of the topic itself: it must not be counted among them. */
START_TEST(retried_messages_are_a_list_of_their_own)
{
    add("t", 0, 5, "");
    add("t", 0, 6, "");
    add("t", 0, 2,
        "POP_CK\1"
        "1 1795430042476 30000 3 1 broker-a 0 2\2");
    assert_ok(make("0 0 5;1 0 1", "0 0 5,6;1 0 2"), &error);
    expect(0, POP_TOPIC_ITSELF, 5, 5);
    expect(1, POP_TOPIC_ITSELF, 5, 6);
    expect(2, POP_TOPIC_RETRY, 1, 2);
}
END_TEST

START_TEST(more_messages_than_a_pop_brings)
{
    for (int32_t i = 0; i < MOST; i++) add("t", 0, i, "");
    ck_assert_int_eq(make("0 0 0", "0 0 0"), MQC_BAD_FRAME);
    ck_assert_str_eq(error.text, "the answer to a pop has 1025 messages, it should have 1024 at "
                                 "most");
    block->count--;
    assert_ok(make("0 0 0", "0 0 0"), &error);
}
END_TEST

START_TEST(longer_lists_than_a_pop_brings)
{
    char list[POP_ANSWER_LIST_MAX + 2];
    memset(list, ';', sizeof list - 1);
    list[sizeof list - 1] = '\0';
    add("t", 0, 5, "");
    ck_assert_int_eq(make(list, ""), MQC_BAD_FRAME);
    ck_assert_str_eq(error.text, "the answer to a pop has a list of offsets of 65537 bytes, it "
                                 "should have 65536 at most");
    ck_assert_int_eq(make("", list), MQC_BAD_FRAME);
    assert_ok(make("", list + 1), &error);
    expect(0, POP_TOPIC_ITSELF, 5, 5);
}
END_TEST

START_TEST(a_damaged_ticket)
{
    add("t", 0, 5, "");
    add("t", 0, 5, "POP_CK\1x\2");
    ck_assert_int_eq(make("", ""), MQC_BAD_FRAME);
    ck_assert_ptr_nonnull(strstr(error.text, "POP_CK"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pop tickets");
    TCase *c = tcase_create("answers");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, each_queue_has_a_list);
    tcase_add_test(c, without_lists_the_records_say_it);
    tcase_add_test(c, retried_messages_are_a_list_of_their_own);
    tcase_add_test(c, more_messages_than_a_pop_brings);
    tcase_add_test(c, longer_lists_than_a_pop_brings);
    tcase_add_test(c, a_damaged_ticket);
    suite_add_tcase(s, c);
    return s;
}
TEST_MAIN(suite)
