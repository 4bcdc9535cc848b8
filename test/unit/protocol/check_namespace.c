/* Tests of lib/protocol/namespace.c; what wraps to what is NamespaceUtil's. */
#include "lib/protocol/namespace.h"

#include "lib/base/memory.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"
#include "test/unit/unit.h"

static const struct {
    const char *name, *wrapped;
} pairs[] = {
    {"topic", "ns%topic"},
    {"%RETRY%group", "%RETRY%ns%group"},
    {"%DLQ%group", "%DLQ%ns%group"},
    {"nstopic", "ns%nstopic"},
    {"other%topic", "ns%other%topic"},
    {"TBW102", "TBW102"},
    {"RMQ_SYS_TRACE_TOPIC", "RMQ_SYS_TRACE_TOPIC"},
    {"rmq_sys_anything", "rmq_sys_anything"},
    {"CID_RMQ_SYS_TOOLS", "CID_RMQ_SYS_TOOLS"},
    {"DefaultCluster_REPLY_TOPIC", "DefaultCluster_REPLY_TOPIC"},
    {"_REPLY_TOPIC", "ns%_REPLY_TOPIC"},
};

START_TEST(wraps_and_unwraps)
{
    char room[NAME_BYTES], back[NAME_BYTES];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct slice wrapped = namespace_wrap("ns", slice_text(pairs[i].name), room);
        ck_assert_slice(wrapped, pairs[i].wrapped);
        ck_assert_int_eq(wrapped.data[wrapped.size], '\0');
        ck_assert_slice(namespace_unwrap("ns", wrapped, back), pairs[i].name);
        char again[NAME_BYTES];
        ck_assert_slice(namespace_wrap("ns", slice_text(pairs[i].wrapped), again),
                        pairs[i].wrapped);
    }
}
END_TEST

START_TEST(what_is_not_inside_stays)
{
    static const char *const others[] = {"ns",  "ns%",         "n%topic",          "topic",
                                         "%ns", "%RETRY%ns",   "%RETRY%other%ns%", "%RETRY%",
                                         "",    "%DLQ%nsgroup"};
    char room[NAME_BYTES];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_slice(namespace_unwrap("ns", slice_text(others[i]), room), others[i]);
    ck_assert_slice(namespace_unwrap(NULL, SLICE_LITERAL("ns%t"), room), "ns%t");
    ck_assert_slice(namespace_wrap(NULL, SLICE_LITERAL("t"), room), "t");
    ck_assert_ptr_null(namespace_wrap("ns", SLICE_ABSENT, room).data);
    ck_assert_ptr_null(namespace_unwrap("ns", SLICE_ABSENT, room).data);
}
END_TEST

START_TEST(what_does_not_fit_is_absent)
{
    char name[NAME_BYTES + 10], room[NAME_BYTES];
    memset(name, 'x', sizeof name);
    ck_assert_uint_eq(namespace_wrap("ns", slice_of(name, NAME_BYTES - 4), room).size,
                      NAME_BYTES - 1);
    ck_assert_ptr_null(namespace_wrap("ns", slice_of(name, NAME_BYTES - 3), room).data);
    memcpy(name, "%RETRY%ns%", 10);
    ck_assert_uint_eq(namespace_unwrap("ns", slice_of(name, sizeof name), room).size, sizeof name);
}
END_TEST

/* Two messages of a topic and one that comes again, as a pull brings them. */
START_TEST(messages_show_their_names_without_it)
{
    static const char *const topics[] = {"ns%orders", "ns%orders", "%RETRY%ns%group"};
    struct buffer records;
    buffer_init(&records);
    for (int i = 0; i < 3; i++) {
        mqc_message *message = mqc_message_new(topics[i], "x", 1);
        if (i == 2)
            ck_assert_int_eq(message_put_property(message, PROPERTY_RETRY_TOPIC, "ns%orders", NULL),
                             MQC_OK);
        message->stored_topic = slice_text(topics[i]);
        message_record_encode(message, &records);
        mqc_message_free(message);
    }
    struct message_block *block;
    ck_assert_int_eq(message_block_decode(NULL, buffer_slice(&records), &block, NULL), MQC_OK);
    namespace_unwrap_messages("ns", block);
    ck_assert_str_eq(mqc_message_topic(&block->messages[0]), "orders");
    ck_assert_str_eq(mqc_message_topic(&block->messages[1]), "orders");
    ck_assert_str_eq(mqc_message_topic(&block->messages[2]), "%RETRY%group");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(message_restore_topic(&block->messages[i], NULL), MQC_OK);
        ck_assert_str_eq(mqc_message_topic(&block->messages[i]), "orders");
    }
    message_block_unref(block);
    buffer_done(&records);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("namespace");
    UNIT_CASE(suite, "names", wraps_and_unwraps, what_is_not_inside_stays,
              what_does_not_fit_is_absent);
    UNIT_CASE(suite, "messages", messages_show_their_names_without_it);
    return suite;
}
TEST_MAIN(suite)
