/* Tests of lib/trace/trace_record.c: the bytes that TraceDataEncoder.java writes. */
#include "lib/trace/trace_record.h"

#include "test/unit/unit.h"

/* "^" stands for byte 1, "$" for byte 2. */
static void assert_record(struct buffer *record, const char *expected)
{
    for (size_t i = 0; i < record->size; i++) {
        ck_assert(record->data[i] != '^' && record->data[i] != '$');
        if (record->data[i] == 1) record->data[i] = '^';
        if (record->data[i] == 2) record->data[i] = '$';
    }
    ck_assert_slice(buffer_slice(record), expected);
    buffer_done(record);
}

START_TEST(publish)
{
    struct buffer out;
    buffer_init(&out);
    trace_record_publish(&out,
                         &(struct trace_publish){.unix_ms = 1700000000123,
                                                 .region = SLICE_LITERAL("DefaultRegion"),
                                                 .group = SLICE_LITERAL("g"),
                                                 .topic = SLICE_LITERAL("t"),
                                                 .message_id = SLICE_LITERAL("7F01"),
                                                 .tags = SLICE_LITERAL("TagA"),
                                                 .keys = SLICE_LITERAL("k1 k2"),
                                                 .broker_address = SLICE_LITERAL("127.0.0.1:10911"),
                                                 .body_bytes = 5,
                                                 .cost_ms = 12,
                                                 .type = TRACE_DELAYED,
                                                 .offset_message_id = SLICE_LITERAL("7F00"),
                                                 .success = true});
    assert_record(&out,
                  "Pub^1700000000123^DefaultRegion^g^t^7F01^TagA^k1 k2^127.0.0.1:10911^5^12^3^"
                  "7F00^true$");
}
END_TEST

START_TEST(what_is_absent_is_null)
{
    struct buffer out;
    buffer_init(&out);
    trace_record_publish(&out, &(struct trace_publish){.topic = SLICE_LITERAL("t")});
    assert_record(&out, "Pub^0^null^null^t^null^null^null^null^0^0^0^null^false$");
}
END_TEST

/* A key with a separator must not become two fields. */
START_TEST(separators_in_texts_are_blanks)
{
    struct buffer out;
    buffer_init(&out);
    trace_record_before(&out, &(struct trace_consume){.keys = SLICE_LITERAL("a\1b\2c")});
    assert_record(&out, "SubBefore^0^null^null^null^null^0^a b c$");
}
END_TEST

START_TEST(consume)
{
    struct trace_consume record = {.unix_ms = 7,
                                   .region = SLICE_LITERAL("r"),
                                   .group = SLICE_LITERAL("g"),
                                   .request_id = SLICE_LITERAL("R"),
                                   .message_id = SLICE_LITERAL("M"),
                                   .keys = SLICE_LITERAL("k"),
                                   .retry_times = 2,
                                   .cost_ms = 3,
                                   .success = false,
                                   .outcome = TRACE_FAILED};
    struct buffer out;
    buffer_init(&out);
    trace_record_before(&out, &record);
    assert_record(&out, "SubBefore^7^r^g^R^M^2^k$");
    buffer_init(&out);
    trace_record_after(&out, &record);
    assert_record(&out, "SubAfter^R^M^3^false^k^4^7^g$");
}
END_TEST

START_TEST(end_of_transaction)
{
    struct buffer out;
    buffer_init(&out);
    trace_record_end(&out, &(struct trace_end){.unix_ms = 7,
                                               .region = SLICE_LITERAL("r"),
                                               .group = SLICE_LITERAL("g"),
                                               .topic = SLICE_LITERAL("t"),
                                               .message_id = SLICE_LITERAL("M"),
                                               .broker_address = SLICE_LITERAL("h:1"),
                                               .transaction_id = SLICE_LITERAL("M"),
                                               .state = "COMMIT_MESSAGE",
                                               .from_check = true});
    assert_record(&out, "EndTransaction^7^r^g^t^M^null^null^h:1^2^M^COMMIT_MESSAGE^true$");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("trace_record");
    UNIT_CASE(suite, "records", publish, what_is_absent_is_null, separators_in_texts_are_blanks,
              consume, end_of_transaction);
    return suite;
}
TEST_MAIN(suite)
