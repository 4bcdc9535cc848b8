/* Tests of lib/protocol/binary_header.c. */
#include "lib/protocol/binary_header.h"

#include "test/unit/protocol/golden_frames.h"

/* code 310, JAVA, version 479, opaque 7, flag 0 */
#define BEGIN "0136 00 01df 00000007 00000000 "

static mqc_status decode(const char *bytes, struct remoting_command *command, mqc_error *error)
{
    return binary_header_decode(command, exact_copy(hex(bytes)), error);
}

START_TEST(a_header_without_fields)
{
    struct remoting_command command;
    ck_assert_int_eq(decode(BEGIN "00000000 00000000", &command, NULL), MQC_OK);
    ck_assert_int_eq(command.code, 310);
    ck_assert_int_eq(command.language, 0);
    ck_assert_int_eq(command.version, 479);
    ck_assert_int_eq(command.opaque, 7);
    ck_assert_int_eq(command.flag, 0);
    ck_assert_ptr_null(command.remark.data);
    ck_assert_uint_eq(command.field_count, 0);
    ck_assert_ptr_null(command.unescaped);
}
END_TEST

START_TEST(remark_and_fields)
{
    struct remoting_command command;
    ck_assert_int_eq(decode(BEGIN "00000002 6f6b 0000000f 0001 61 00000001 31"
                                  "0001 62 00000000",
                            &command, NULL),
                     MQC_OK);
    assert_text(command.remark, "ok");
    ck_assert_uint_eq(command.field_count, 2);
    assert_text(remoting_command_field(&command, "a"), "1");
    assert_text(remoting_command_field(&command, "b"), "");
}
END_TEST

START_TEST(negative_numbers)
{
    struct remoting_command command;
    ck_assert_int_eq(decode("fc18 ff ffff fffffffe ffffffff 00000000 00000000", &command, NULL),
                     MQC_OK);
    ck_assert_int_eq(command.code, -1000);
    ck_assert_int_eq(command.language, 255);
    ck_assert_int_eq(command.version, -1);
    ck_assert_int_eq(command.opaque, -2);
    ck_assert_int_eq(command.flag, -1);
}
END_TEST

/* Java writes the header's fields and then those of hooks, which may be the same ones. */
START_TEST(the_last_of_duplicates_counts)
{
    struct remoting_command command;
    ck_assert_int_eq(decode(BEGIN "00000000 00000018 0001 61 00000001 31"
                                  "0001 62 00000001 32 0001 61 00000001 33",
                            &command, NULL),
                     MQC_OK);
    ck_assert_uint_eq(command.field_count, 2);
    assert_text(remoting_command_field(&command, "a"), "3");
    assert_text(remoting_command_field(&command, "b"), "2");
}
END_TEST

START_TEST(wrong_lengths_are_refused)
{
    static const struct {
        const char *hex, *text;
    } cases[] = {
        {"0136", "binary header: its lengths do not fit the header's 2 bytes"},
        {BEGIN "00000000 000000", "binary header: its lengths do not fit the header's 20 bytes"},
        {BEGIN "00000001 00000000", "binary header: its lengths do not fit the header's 21 bytes"},
        {BEGIN "ffffffff 00000000", "binary header: its lengths do not fit the header's 21 bytes"},
        {BEGIN "00000000 00000001", "binary header: its lengths do not fit the header's 21 bytes"},
        {BEGIN "00000000 80000000", "binary header: its lengths do not fit the header's 21 bytes"},
        {BEGIN "00000000 00000000 00",
         "binary header: 1 bytes are left over behind the extension fields"},
        {BEGIN "00000000 00000001 00",
         "binary header: extension field 1 does not fit the 1 bytes of all"},
        {BEGIN "00000000 00000008 0001 61 00000002 31",
         "binary header: extension field 1 does not fit the 8 bytes of all"},
        {BEGIN "00000000 00000008 ffff 61 00000001 31",
         "binary header: extension field 1 does not fit the 8 bytes of all"},
        {BEGIN "00000000 00000008 0001 61 ffffffff 31",
         "binary header: extension field 1 does not fit the 8 bytes of all"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct remoting_command command;
        mqc_error error = {0};
        ck_assert_int_eq(decode(cases[i].hex, &command, &error), MQC_BAD_FRAME);
        ck_assert_str_eq(error.text, cases[i].text);
    }
}
END_TEST

START_TEST(as_many_fields_as_fit)
{
    struct buffer header;
    struct remoting_command command;
    mqc_error error;
    for (int count = COMMAND_MAX_FIELDS; count <= COMMAND_MAX_FIELDS + 1; count++) {
        buffer_init(&header);
        buffer_put_slice(&header, hex(BEGIN "00000000"));
        buffer_put_32(&header, (uint32_t)count * 8);
        for (int i = 0; i < count; i++) {
            buffer_put_16(&header, 2);
            buffer_put_16(&header, (uint16_t)(0x3030 + i));
            buffer_put_32(&header, 0);
        }
        mqc_status status = binary_header_decode(&command, buffer_slice(&header), &error);
        ck_assert_int_eq(status, count > COMMAND_MAX_FIELDS ? MQC_BAD_FRAME : MQC_OK);
        ck_assert_uint_eq(command.field_count, COMMAND_MAX_FIELDS);
        buffer_done(&header);
    }
    ck_assert_str_eq(error.text, "binary header: more than 64 extension fields");
}
END_TEST

START_TEST(written_byte_by_byte)
{
    struct get_max_offset_header header;
    header_init(&get_max_offset_layout, &header);
    header.topic = SLICE_LITERAL("t");
    header.queue_id = -1;
    header.committed = false;
    struct command_field extra[] = {{SLICE_LITERAL("x"), SLICE_LITERAL("")},
                                    {SLICE_LITERAL("y"), SLICE_ABSENT}};
    struct command_to_send command = {.code = 30,
                                      .flag = 2,
                                      .layout = &get_max_offset_layout,
                                      .header = &header,
                                      .extra = extra,
                                      .extra_count = 2,
                                      .remark = SLICE_LITERAL("r")};
    struct buffer out;
    buffer_init(&out);
    binary_header_encode(&out, &command, 258);
    struct slice expected = hex("001e 01 0201 00000102 00000002 00000001 72 00000036"
                                "0005 746f706963 00000001 74"
                                "0007 71756575654964 00000002 2d31"
                                "0009 636f6d6d6974746564 00000005 66616c7365"
                                "0001 78 00000000");
    ck_assert_uint_eq(out.size, expected.size);
    ck_assert_mem_eq(out.data, expected.data, expected.size);
    buffer_done(&out);
}
END_TEST

static Suite *binary_header_suite(void)
{
    Suite *suite = suite_create("binary_header");
    UNIT_CASE(suite, "decoding", a_header_without_fields, remark_and_fields, negative_numbers,
              the_last_of_duplicates_counts, wrong_lengths_are_refused, as_many_fields_as_fit);
    UNIT_CASE(suite, "encoding", written_byte_by_byte);
    return suite;
}

TEST_MAIN(binary_header_suite)
