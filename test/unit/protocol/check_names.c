/* Tests of lib/protocol/names.c. */
#include "lib/protocol/names.h"

#include "test/unit/unit.h"

static char *letters(size_t count, const char *prefix)
{
    static char text[512];
    memset(text, 'a', sizeof text);
    memcpy(text, prefix, strlen(prefix));
    text[count] = '\0';
    return text;
}

START_TEST(good_topics)
{
    static const char *const topics[] = {"a", "Topic_1-x", "%RETRY%g", "ns%topic", "a|b", "TBW102"};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        ck_assert_int_eq(names_check_topic(topics[i], NULL), MQC_OK);
}
END_TEST

START_TEST(lengths)
{
    ck_assert_int_eq(names_check_topic(letters(127, ""), NULL), MQC_OK);
    ck_assert_int_eq(names_check_topic(letters(128, ""), NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(names_check_topic(letters(255, "%RETRY%"), NULL), MQC_OK);
    ck_assert_int_eq(names_check_topic(letters(255, "%DLQ%"), NULL), MQC_OK);
    ck_assert_int_eq(names_check_topic(letters(256, "%DLQ%"), NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(names_check_group(letters(120, ""), "group", NULL), MQC_OK);
    ck_assert_int_eq(names_check_group(letters(121, ""), "group", NULL), MQC_BAD_ARGUMENT);
}
END_TEST

static void assert_topic_error(const char *topic, const char *text)
{
    mqc_error error;
    ck_assert_int_eq(names_check_topic(topic, &error), MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text, text);
}

START_TEST(errors_say_what_would_be_right)
{
    assert_topic_error("a b", "topic \"a b\": character ' ' is not allowed, use letters, digits, "
                              "%, |, - and _");
    assert_topic_error("a.b", "topic \"a.b\": character '.' is not allowed, use letters, digits, "
                              "%, |, - and _");
    assert_topic_error("caf\xC3\xA9", "topic: byte 0xc3 at position 4 is not allowed, use letters, "
                                      "digits, %, |, - and _");
    assert_topic_error("a\n", "topic: byte 0x0a at position 2 is not allowed, use letters, digits, "
                              "%, |, - and _");
    assert_topic_error("", "no topic: a name of 1 to 127 characters is needed");
    assert_topic_error(NULL, "no topic: a name of 1 to 127 characters is needed");
    assert_topic_error(
        letters(128, ""),
        "topic \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\" "
        "has 128 characters, at most 127 are allowed");
    mqc_error error;
    ck_assert_int_eq(names_check_group("g/1", "consumer group", &error), MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text, "consumer group \"g/1\": character '/' is not allowed, use "
                                 "letters, digits, %, |, - and _");
}
END_TEST

START_TEST(what_cannot_be_sent_to)
{
    mqc_error error;
    ck_assert_int_eq(names_check_sendable("SCHEDULE_TOPIC_XXXX", &error), MQC_BAD_ARGUMENT);
    ck_assert_str_eq(error.text, "topic \"SCHEDULE_TOPIC_XXXX\" is the broker's own, nothing can "
                                 "be sent to it: use a topic of the application");
    ck_assert_int_eq(names_check_sendable("RMQ_SYS_TRANS_HALF_TOPIC", NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(names_check_sendable("OFFSET_MOVED_EVENT", NULL), MQC_BAD_ARGUMENT);
    ck_assert_int_eq(names_check_sendable("RMQ_SYS_TRACE_TOPIC", NULL), MQC_OK);
    ck_assert_int_eq(names_check_sendable("BenchmarkTest", NULL), MQC_OK);
    ck_assert_int_eq(names_check_sendable("a b", NULL), MQC_BAD_ARGUMENT);
}
END_TEST

START_TEST(derived_names)
{
    char topic[NAME_BYTES];
    names_retry_topic("g", topic);
    ck_assert_str_eq(topic, "%RETRY%g");
    ck_assert(names_is_retry_topic(slice_text(topic)));
    names_dead_letter_topic("g", topic);
    ck_assert_str_eq(topic, "%DLQ%g");
    ck_assert(!names_is_retry_topic(slice_text(topic)));
    ck_assert(!names_is_retry_topic(SLICE_ABSENT));
    names_reply_topic(SLICE_LITERAL("DefaultCluster"), topic);
    ck_assert_str_eq(topic, "DefaultCluster_REPLY_TOPIC");
    char cluster[NAME_BYTES];
    memset(cluster, 'c', sizeof cluster);
    names_reply_topic(slice_of(cluster, sizeof cluster), topic);
    ck_assert_uint_eq(strlen(topic), NAME_BYTES - 1);
}
END_TEST

START_TEST(system_topics)
{
    ck_assert(names_is_system_topic(SLICE_LITERAL("TBW102")));
    ck_assert(names_is_system_topic(SLICE_LITERAL("rmq_sys_anything")));
    ck_assert(names_is_system_topic(SLICE_LITERAL("CHECKPOINT_TOPIC")));
    ck_assert(!names_is_system_topic(SLICE_LITERAL("TBW1020")));
    ck_assert(!names_is_system_topic(SLICE_LITERAL("orders")));
    ck_assert(!names_is_system_topic(SLICE_ABSENT));
}
END_TEST

static Suite *names_suite(void)
{
    Suite *suite = suite_create("names");
    UNIT_CASE(suite, "checks", good_topics, lengths, errors_say_what_would_be_right,
              what_cannot_be_sent_to);
    UNIT_CASE(suite, "names", derived_names, system_topics);
    return suite;
}

TEST_MAIN(names_suite)
