/* Tests of lib/protocol/json_header.c. */
#include "lib/protocol/json_header.h"

#include "lib/base/memory.h"
#include "test/unit/protocol/golden_frames.h"

static void assert_read(const char *text, struct remoting_command *command)
{
    mqc_error error;
    mqc_status status = json_header_decode(command, exact_copy(slice_text(text)), &error);
    ck_assert_msg(status == MQC_OK, "%s: %s", text, error.text);
}

START_TEST(a_response_of_a_broker)
{
    struct remoting_command command;
    assert_read("{\"code\":0,\"extFields\":{\"queueId\":\"1\",\"TRACE_ON\":\"true\"},\"flag\":1,"
                "\"language\":\"JAVA\",\"opaque\":7,\"remark\":\"FOUND\","
                "\"serializeTypeCurrentRPC\":\"JSON\",\"version\":513}",
                &command);
    ck_assert_int_eq(command.code, 0);
    ck_assert_int_eq(command.flag, 1);
    ck_assert_int_eq(command.language, 0);
    ck_assert_int_eq(command.opaque, 7);
    ck_assert_int_eq(command.version, 513);
    assert_text(command.remark, "FOUND");
    ck_assert_uint_eq(command.field_count, 2);
    assert_text(remoting_command_field(&command, "queueId"), "1");
    assert_text(remoting_command_field(&command, "TRACE_ON"), "true");
    ck_assert_ptr_null(remoting_command_field(&command, "QUEUEID").data);
    remoting_command_done(&command);
}
END_TEST

START_TEST(nothing_but_braces)
{
    struct remoting_command command;
    memset(&command, 0xAA, sizeof command);
    assert_read("{}", &command);
    ck_assert_int_eq(command.code, 0);
    ck_assert_int_eq(command.language, 0);
    ck_assert_uint_eq(command.field_count, 0);
    ck_assert_ptr_null(command.remark.data);
    ck_assert_ptr_null(command.unescaped);
}
END_TEST

START_TEST(escapes)
{
    struct remoting_command command;
    assert_read("{\"remark\":\"\\ud83d\\ude00\\/\",\"extFields\":{\"i\":\"K\\u0001v\\u0002\","
                "\"j\":\"plain\",\"k\":\"\\\"\\\\\"}}",
                &command);
    assert_text(command.remark, "\xF0\x9F\x98\x80/");
    assert_text(remoting_command_field(&command, "i"), "K\001v\002");
    assert_text(remoting_command_field(&command, "j"), "plain");
    assert_text(remoting_command_field(&command, "k"), "\"\\");
    ck_assert_ptr_nonnull(command.unescaped);
    remoting_command_done(&command);
    ck_assert_ptr_null(command.unescaped);
}
END_TEST

/* Good JSON beyond the scanner: unknown members of any kind, real numbers as values. */
START_TEST(what_only_jansson_reads)
{
    struct remoting_command command;
    assert_read("{\"new\":{\"a\":[1,{\"b\":null}]},\"code\":17,\"remark\":\"r\","
                "\"extFields\":{\"a\":1.5,\"b\":9223372036854775807,\"c\":\"x\",\"d\":null,"
                "\"e\":false}}",
                &command);
    ck_assert_int_eq(command.code, 17);
    assert_text(command.remark, "r");
    ck_assert_uint_eq(command.field_count, 4);
    assert_text(remoting_command_field(&command, "a"), "1.5");
    assert_text(remoting_command_field(&command, "b"), "9223372036854775807");
    assert_text(remoting_command_field(&command, "c"), "x");
    assert_text(remoting_command_field(&command, "e"), "false");
    remoting_command_done(&command);
}
END_TEST

START_TEST(errors_say_what_is_wrong)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"{\"code\":\"x\"}", "JSON header: \"code\" is not a whole number"},
        {"{\"code\":{}}", "JSON header: \"code\" is not a whole number"},
        {"{\"opaque\":2147483648}", "JSON header: \"opaque\" does not fit in 32 bits"},
        {"{\"flag\":1.5}", "JSON header: \"flag\" is not a whole number"},
        {"{\"version\":true}", "JSON header: \"version\" is not a whole number"},
        {"{\"language\":300}",
         "JSON header: \"language\" is neither a language's name nor a number from 0 to 255"},
        {"{\"language\":[]}",
         "JSON header: \"language\" is neither a language's name nor a number from 0 to 255"},
        {"{\"remark\":7}", "JSON header: \"remark\" is not a string"},
        {"{\"extFields\":\"x\"}", "JSON header: \"extFields\" is not an object"},
        {"{\"extFields\":{\"a\":{}}}", "JSON header: extension field \"a\" is no string or number"},
        {"[1]", "JSON header: an array, not an object"},
    };
    long before = memory_live_blocks();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct remoting_command command;
        mqc_error error = {0};
        ck_assert_int_eq(json_header_decode(&command, slice_text(cases[i].json), &error),
                         MQC_BAD_FRAME);
        ck_assert_str_eq(error.text, cases[i].text);
    }
    struct remoting_command command;
    mqc_error error = {0};
    ck_assert_int_eq(json_header_decode(&command, SLICE_LITERAL("{\"code\":}"), &error),
                     MQC_BAD_FRAME);
    ck_assert_ptr_nonnull(strstr(error.text, "at byte"));
    ck_assert_int_eq(memory_live_blocks(), before);
}
END_TEST

START_TEST(as_many_fields_as_fit)
{
    for (int count = COMMAND_MAX_FIELDS; count <= COMMAND_MAX_FIELDS + 1; count++) {
        struct buffer text;
        struct remoting_command command;
        mqc_error error;
        buffer_init(&text);
        buffer_put_text(&text, "{\"extFields\":{");
        for (int i = 0; i < count; i++)
            buffer_put_format(&text, "%s\"f%d\":\"%d\"", i ? "," : "", i, i);
        buffer_put_text(&text, "}}");
        mqc_status status = json_header_decode(&command, buffer_slice(&text), &error);
        if (count <= COMMAND_MAX_FIELDS) {
            ck_assert_int_eq(status, MQC_OK);
            ck_assert_uint_eq(command.field_count, COMMAND_MAX_FIELDS);
            assert_text(remoting_command_field(&command, "f63"), "63");
        } else {
            ck_assert_int_eq(status, MQC_BAD_FRAME);
            ck_assert_str_eq(error.text, "JSON header: more than 64 extension fields");
        }
        buffer_done(&text);
    }
}
END_TEST

START_TEST(memory_may_run_out)
{
    static const char *const texts[] = {"{\"remark\":\"\\n\"}", "{\"new\":[],\"remark\":\"x\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct remoting_command command;
        mqc_error error;
        long before = memory_live_blocks();
        memory_fail_from(1);
        mqc_status status = json_header_decode(&command, slice_text(texts[i]), &error);
        memory_fail_from(0);
        ck_assert_int_eq(status, MQC_NO_MEMORY);
        ck_assert_int_eq(error.status, MQC_NO_MEMORY);
        ck_assert_int_eq(memory_live_blocks(), before);
    }
}
END_TEST

/* ---- encoding ---- */

static void assert_written(const struct command_to_send *command, int32_t opaque, const char *text)
{
    struct buffer out;
    buffer_init(&out);
    json_header_encode(&out, command, opaque);
    ck_assert_str_eq(buffer_text(&out), text);
    buffer_done(&out);
}

START_TEST(written_without_fields)
{
    struct command_to_send command = {.code = 34};
    assert_written(&command, -5,
                   "{\"code\":34,\"language\":\"CPP\",\"version\":513,\"opaque\":-5,\"flag\":0}");
    struct get_kv_config_response_header header = {SLICE_ABSENT};
    command.layout = &get_kv_config_response_layout;
    command.header = &header;
    command.flag = 1;
    command.remark = SLICE_LITERAL("");
    assert_written(&command, 1,
                   "{\"code\":34,\"language\":\"CPP\",\"version\":513,\"opaque\":1,\"flag\":1,"
                   "\"remark\":\"\"}");
}
END_TEST

START_TEST(written_with_fields)
{
    struct send_message_header header;
    header_init(&send_message_layout, &header);
    header.producer_group = SLICE_LITERAL("pf_pg");
    header.topic = SLICE_LITERAL("pf_t1");
    header.default_topic = SLICE_LITERAL("TBW102");
    header.default_topic_queues = 4;
    header.born_timestamp = 1795429859275;
    header.properties = SLICE_LITERAL("UNIQ_KEY\001C0\002KEYS\001\"\\\xC3\xA9\002");
    header.batch = true;
    struct command_field extra = {SLICE_LITERAL("x"), SLICE_LITERAL("y")};
    struct command_to_send command = {.code = 310,
                                      .layout = &send_message_layout,
                                      .header = &header,
                                      .extra = &extra,
                                      .extra_count = 1,
                                      .remark = SLICE_LITERAL("r\x1f")};
    assert_written(
        &command, 102,
        "{\"code\":310,\"language\":\"CPP\",\"version\":513,\"opaque\":102,\"flag\":0,"
        "\"remark\":\"r\\u001f\",\"extFields\":{\"a\":\"pf_pg\",\"b\":\"pf_t1\","
        "\"c\":\"TBW102\",\"d\":\"4\",\"e\":\"0\",\"f\":\"0\",\"g\":\"1795429859275\","
        "\"h\":\"0\",\"i\":\"UNIQ_KEY\\u0001C0\\u0002KEYS\\u0001\\\"\\\\\xC3\xA9\\u0002\","
        "\"m\":\"true\",\"x\":\"y\"}}");
}
END_TEST

/* Every byte that can be in a text comes back the same. */
START_TEST(any_text_survives)
{
    char text[0x80 + 6];
    for (int i = 0; i < 0x80; i++) text[i] = (char)i;
    memcpy(text + 0x80, "\xC3\xA9\xF0\x9F\x98\x80", 6);
    struct command_field extra = {slice_of(text + 1, 100), slice_of(text, sizeof text)};
    struct command_to_send command = {
        .extra = &extra, .extra_count = 1, .remark = slice_of(text, sizeof text)};
    struct remoting_command read;
    struct buffer out;
    buffer_init(&out);
    json_header_encode(&out, &command, 0);
    ck_assert_int_eq(json_header_decode(&read, buffer_slice(&out), NULL), MQC_OK);
    ck_assert(slice_equal(read.remark, command.remark));
    ck_assert_uint_eq(read.field_count, 1);
    ck_assert(slice_equal(read.fields[0].name, extra.name));
    ck_assert(slice_equal(read.fields[0].value, extra.value));
    remoting_command_done(&read);
    buffer_done(&out);
}
END_TEST

static Suite *json_header_suite(void)
{
    Suite *suite = suite_create("json_header");
    UNIT_CASE(suite, "decoding", a_response_of_a_broker, nothing_but_braces, escapes,
              what_only_jansson_reads, errors_say_what_is_wrong, as_many_fields_as_fit,
              memory_may_run_out);
    UNIT_CASE(suite, "encoding", written_without_fields, written_with_fields, any_text_survives);
    return suite;
}

TEST_MAIN(json_header_suite)
