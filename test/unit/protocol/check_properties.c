/* Properties in their wire form. */
#include "lib/protocol/properties.h"

#include "test/unit/protocol/damage.h"

START_TEST(finds_values)
{
    struct slice text = SLICE_LITERAL("TAGS\1a\2KEYS\1k1 k2\2");
    assert_slice(properties_find(text, "TAGS"), "a");
    assert_slice(properties_find(text, "KEYS"), "k1 k2");
    ck_assert_ptr_null(properties_find(text, "TAG").data);
    ck_assert_ptr_null(properties_find(text, "").data);
    ck_assert_ptr_null(properties_find(SLICE_ABSENT, "TAGS").data);
}
END_TEST

START_TEST(last_separator_may_be_missing)
{
    assert_slice(properties_find(SLICE_LITERAL("A\1x\2B\1y"), "B"), "y");
}
END_TEST

START_TEST(of_duplicates_the_last_counts)
{
    assert_slice(properties_find(SLICE_LITERAL("A\1x\2B\1y\2A\1z\2"), "A"), "z");
}
END_TEST

START_TEST(malformed_pairs_are_passed_over)
{
    struct slice rest = SLICE_LITERAL("\2\2plain\2\1no name\2no value\1\2A\1x\1y\2\1\2tail");
    struct slice name, value;
    ck_assert(properties_next(&rest, &name, &value));
    assert_slice(name, "A");
    assert_slice(value, "x\1y");
    ck_assert(!properties_next(&rest, &name, &value));
    ck_assert(!properties_next(&rest, &name, &value));
}
END_TEST

START_TEST(copies_without_one_name)
{
    struct buffer out;
    buffer_init(&out);
    properties_put_text(&out, "A", "1");
    properties_copy_without(&out, SLICE_LITERAL("B\1x\2AB\1y\2B\1z\2C\1w"), "B");
    assert_slice(buffer_slice(&out), "A\1"
                                     "1\2AB\1y\2C\1w\2");
    buffer_done(&out);
}
END_TEST

START_TEST(knows_reserved_names)
{
    const char *const reserved[] = {
        "KEYS",     "TAGS",     "WAIT",       "DELAY",   "UNIQ_KEY", "1ST_POP_TIME",
        "__CRC32#", "TRACE_ON", "__BORNHOST", "PGROUP",  "TTL",      "RETRY_TOPIC",
        "POP_CK",   "TRAN_MSG", "MSG_TYPE",   "CLUSTER", "DUP_INFO", "TIMER_DELIVER_MS",
    };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        ck_assert_msg(properties_name_is_reserved(slice_text(reserved[i])), "%s", reserved[i]);
    const char *const free_names[] = {"", "keys", "KEY", "KEYSX", "colour", "__SHARDINGKEY", "~"};
    for (size_t i = 0; i < sizeof free_names / sizeof *free_names; i++)
        ck_assert_msg(!properties_name_is_reserved(slice_text(free_names[i])), "%s", free_names[i]);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("properties");
    UNIT_CASE(s, "reading", finds_values, last_separator_may_be_missing,
              of_duplicates_the_last_counts, malformed_pairs_are_passed_over);
    UNIT_CASE(s, "writing", copies_without_one_name, knows_reserved_names);
    return s;
}
TEST_MAIN(suite)
