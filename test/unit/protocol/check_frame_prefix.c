/* Tests of lib/protocol/frame_prefix.c. */
#include "lib/protocol/frame_prefix.h"

#include "test/unit/protocol/golden_frames.h"

START_TEST(as_much_as_is_there)
{
    struct frame_prefix prefix;
    struct slice bytes = exact_copy(hex("000000f6 010000ed"));
    for (size_t size = 0; size <= 8; size++) {
        ck_assert_int_eq(frame_prefix_read(slice_of(bytes.data, size), &prefix, NULL), MQC_OK);
        ck_assert_uint_eq(prefix.frame_size, size < 4 ? 0 : 250);
        ck_assert_uint_eq(prefix.header_size, size < 8 ? 0 : 0xed);
        ck_assert_uint_eq(prefix.serialization, size < 8 ? 0 : 1);
    }
}
END_TEST

START_TEST(the_limits)
{
    struct frame_prefix prefix;
    ck_assert_int_eq(frame_prefix_read(hex("00000008 00000004"), &prefix, NULL), MQC_OK);
    ck_assert_int_eq(frame_prefix_read(hex("00fffffc 00fffff8"), &prefix, NULL), MQC_OK);
    ck_assert_uint_eq(prefix.frame_size, 16 << 20);
}
END_TEST

START_TEST(what_cannot_be_a_frame)
{
    static const struct {
        const char *hex, *text;
    } cases[] = {
        {"00000000", "frame length 0: at least 8 expected"},
        {"00000007", "frame length 7: at least 8 expected"},
        {"00fffffd", "frame length 0x00fffffd: a frame has at most 16777216 bytes, is the peer a "
                     "RocketMQ server and its port without TLS?"},
        {"ffffffff", "frame length 0xffffffff: a frame has at most 16777216 bytes, is the peer a "
                     "RocketMQ server and its port without TLS?"},
        {"15030100", "frame length 0x15030100: a frame has at most 16777216 bytes, is the peer a "
                     "RocketMQ server and its port without TLS?"},
        {"00000010 02000004", "frame with serialization 2: 0 (JSON) or 1 (ROCKETMQ) expected"},
        {"00000010 00000000",
         "frame with a header of 0 bytes: 1 to 12 expected, as the frame has 20"},
        {"00000010 0000000d",
         "frame with a header of 13 bytes: 1 to 12 expected, as the frame has 20"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct frame_prefix prefix;
        mqc_error error = {0};
        ck_assert_int_eq(frame_prefix_read(hex(cases[i].hex), &prefix, &error), MQC_BAD_FRAME);
        ck_assert_str_eq(error.text, cases[i].text);
    }
}
END_TEST

static Suite *frame_prefix_suite(void)
{
    Suite *suite = suite_create("frame_prefix");
    UNIT_CASE(suite, "frame_prefix", as_much_as_is_there, the_limits, what_cannot_be_a_frame);
    return suite;
}

TEST_MAIN(frame_prefix_suite)
