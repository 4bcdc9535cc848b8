/* Tickets of popped messages: as real brokers wrote them, and what is none. */
#include "lib/protocol/pop_ticket.h"

#include "test/unit/unit.h"

/* Of a RocketMQ 5.5.0 broker. */
static const char SEEN[] = "0 1795430042476 30000 0 0 broker-a 0 0";

START_TEST(test_parse_and_format)
{
    struct pop_ticket ticket;
    char text[POP_TICKET_BYTES];
    mqc_error error;
    ck_assert_int_eq(pop_ticket_parse(slice_text(SEEN), &ticket, &error), MQC_OK);
    ck_assert_int_eq(ticket.popped_unix_ms, 1795430042476);
    ck_assert_int_eq(ticket.invisible_ms, 30000);
    ck_assert(pop_ticket_format(&ticket, "broker-a", text));
    ck_assert_str_eq(text, SEEN);
    ck_assert_int_eq(pop_ticket_parse(slice_text("7 1 60000 999 2 broker-b 3 9"), &ticket, &error),
                     MQC_OK);
    ck_assert_int_eq(ticket.begin, 7);
    ck_assert_int_eq(ticket.revive_queue_id, POP_TICKET_ORDERED);
    ck_assert_int_eq(ticket.topic, POP_TOPIC_RETRY_2);
    ck_assert_int_eq(ticket.queue_id, 3);
    ck_assert_int_eq(ticket.offset, 9);
}
END_TEST

START_TEST(test_what_is_no_ticket)
{
    static const char *const BAD[] = {"",
                                      "0 1 2 3 0 broker-a 0",
                                      "0 1 2 3 0 broker-a 0 0 0",
                                      "x 1 2 3 0 broker-a 0 0",
                                      "0 1 2 3 3 broker-a 0 0",
                                      "0 1 2 -1 0 broker-a 0 0",
                                      "0 1 2 3 0 broker-a -1 0",
                                      "0 1 2 3 0 broker-a 0 99999999999999999999"};
    struct pop_ticket ticket;
    mqc_error error;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_int_eq(pop_ticket_parse(slice_text(BAD[i]), &ticket, &error), MQC_BAD_FRAME);
    ck_assert_int_eq(pop_ticket_parse(SLICE_ABSENT, &ticket, &error), MQC_BAD_FRAME);
}
END_TEST

START_TEST(test_too_long_a_name_does_not_fit)
{
    char name[POP_TICKET_BYTES + 1], text[POP_TICKET_BYTES];
    struct pop_ticket ticket = {0};
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert(!pop_ticket_format(&ticket, name, text));
    ck_assert(!pop_topic_name(POP_TOPIC_RETRY, "group", name, text, sizeof text));
}
END_TEST

START_TEST(test_origins)
{
    struct slice retry = SLICE_LITERAL("%RETRY%g");
    ck_assert_str_eq(pop_topic_origin("%RETRY%g_orders", retry), "orders");
    ck_assert_str_eq(pop_topic_origin("%RETRY%g+orders", retry), "orders");
    ck_assert_str_eq(pop_topic_origin("%RETRY%g_ns%orders", retry), "ns%orders");
    ck_assert_ptr_null(pop_topic_origin("%RETRY%g", retry));
    ck_assert_ptr_null(pop_topic_origin("%RETRY%g_", retry));
    ck_assert_ptr_null(pop_topic_origin("%RETRY%gg_orders", retry));
    ck_assert_ptr_null(pop_topic_origin("%RETRY%other_orders", retry));
    ck_assert_ptr_null(pop_topic_origin("orders", retry));
    ck_assert_ptr_null(pop_topic_origin("%RETRY%g_orders", SLICE_ABSENT));
}
END_TEST

/* Texts as a 5.5.0 broker wrote them. */
START_TEST(test_order_counts)
{
    struct slice list = SLICE_LITERAL("0 qo0%3 1;0 0 2;0 7 4;1 qo0%3 9");
    ck_assert_int_eq(pop_list_order_count(list, POP_TOPIC_ITSELF, 0, 3), 1);
    ck_assert_int_eq(pop_list_order_count(list, POP_TOPIC_ITSELF, 0, 4), 2);
    ck_assert_int_eq(pop_list_order_count(list, POP_TOPIC_ITSELF, 7, 3), 4);
    ck_assert_int_eq(pop_list_order_count(list, POP_TOPIC_ITSELF, 1, 3), 0);
    ck_assert_int_eq(pop_list_order_count(list, POP_TOPIC_RETRY, 0, 3), 9);
    static const char *const BAD[] = {"",     ";", "0", "0 0", "0 0 x", "0 0 -3", "0 0 99999999999",
                                      "x 0 1"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_int_eq(pop_list_order_count(slice_text(BAD[i]), POP_TOPIC_ITSELF, 0, 3), 0);
    ck_assert_int_eq(pop_list_order_count(SLICE_ABSENT, POP_TOPIC_ITSELF, 0, 3), 0);
}
END_TEST

START_TEST(test_topics)
{
    char name[64];
    ck_assert_int_eq(pop_topic_of(slice_text("orders"), slice_text("orders")), POP_TOPIC_ITSELF);
    ck_assert_int_eq(pop_topic_of(slice_text("%RETRY%g_orders"), slice_text("orders")),
                     POP_TOPIC_RETRY);
    ck_assert_int_eq(pop_topic_of(slice_text("%RETRY%g+orders"), slice_text("orders")),
                     POP_TOPIC_RETRY_2);
    ck_assert_int_eq(pop_topic_of(slice_text("%RETRY%g"), slice_text("orders")), POP_TOPIC_ITSELF);
    ck_assert(pop_topic_name(POP_TOPIC_ITSELF, "g", "orders", name, sizeof name));
    ck_assert_str_eq(name, "orders");
    ck_assert(pop_topic_name(POP_TOPIC_RETRY, "g", "orders", name, sizeof name));
    ck_assert_str_eq(name, "%RETRY%g_orders");
    ck_assert(pop_topic_name(POP_TOPIC_RETRY_2, "g", "orders", name, sizeof name));
    ck_assert_str_eq(name, "%RETRY%g+orders");
}
END_TEST

START_TEST(test_lists)
{
    struct slice begins = slice_text("0 0 100;0 3 7;1 0 5");
    ck_assert_int_eq(pop_list_begin(begins, POP_TOPIC_ITSELF, 0), 100);
    ck_assert_int_eq(pop_list_begin(begins, POP_TOPIC_ITSELF, 3), 7);
    ck_assert_int_eq(pop_list_begin(begins, POP_TOPIC_RETRY, 0), 5);
    ck_assert_int_eq(pop_list_begin(begins, POP_TOPIC_ITSELF, 1), -1);
    ck_assert_int_eq(pop_list_begin(SLICE_ABSENT, POP_TOPIC_ITSELF, 0), -1);
    ck_assert_int_eq(pop_list_begin(slice_text("0 0;0;;x y z"), POP_TOPIC_ITSELF, 0), -1);
    struct slice offsets = slice_text("0 0 100,101,105;1 0 5");
    ck_assert_int_eq(pop_list_offset(offsets, POP_TOPIC_ITSELF, 0, 0), 100);
    ck_assert_int_eq(pop_list_offset(offsets, POP_TOPIC_ITSELF, 0, 2), 105);
    ck_assert_int_eq(pop_list_offset(offsets, POP_TOPIC_ITSELF, 0, 3), -1);
    ck_assert_int_eq(pop_list_offset(offsets, POP_TOPIC_RETRY, 0, 0), 5);
    ck_assert_int_eq(pop_list_offset(slice_text("0 0 1,,x"), POP_TOPIC_ITSELF, 0, 2), -1);
}
END_TEST

static Suite *pop_ticket_suite(void)
{
    Suite *suite = suite_create("pop_ticket");
    UNIT_CASE(suite, "pop_ticket", test_parse_and_format, test_what_is_no_ticket,
              test_too_long_a_name_does_not_fit, test_topics, test_origins, test_order_counts,
              test_lists);
    return suite;
}

TEST_MAIN(pop_ticket_suite)
