/* Tests of lib/protocol/remoting_command.c. Frames of real peers and hostile ones are in
 * check_golden_frames.c. */
#include "lib/protocol/remoting_command.h"

#include "lib/base/memory.h"
#include "test/unit/protocol/golden_frames.h"

/* SEND_MESSAGE_V2 in ROCKETMQ form, accepted by a broker (protocol notes, traps). */
static const char BINARY_SEND[] =
    "000000f6010000ed01360001df000000070000000000000000000000d80001610000000570665f70670001620000"
    "000570665f7431000163000000065442573130320001640000000134000165000000013100016600000001300001"
    "670000000d31373935343237333230313938000168000000013000016900000049554e49515f4b45590137463030"
    "3030303030303030313842344141433241314232433344343030303102574149540174727565025441475301546167"
    "41"
    "024b455953016b31206b320200016a000000013000016b0000000566616c736500016d0000000566616c73650001"
    "6e0000000862726f6b65722d6168656c6c6f";

/* The same in JSON, and the broker's answer to both. */
static const char JSON_SEND[] =
    "{\"code\":310,\"language\":\"JAVA\",\"version\":479,\"opaque\":7,\"flag\":0,"
    "\"serializeTypeCurrentRPC\":\"JSON\",\"extFields\":{\"a\":\"pf_pg\",\"b\":\"pf_t1\","
    "\"c\":\"TBW102\",\"d\":\"4\",\"e\":\"1\",\"f\":\"0\",\"g\":\"1795427320198\",\"h\":\"0\","
    "\"i\":\"UNIQ_KEY\\u00017F000000000018B4AAC2A1B2C3D40001\\u0002WAIT\\u0001true\\u0002TAGS"
    "\\u0001TagA\\u0002KEYS\\u0001k1 k2\\u0002\",\"j\":\"0\",\"k\":\"false\",\"m\":\"false\","
    "\"n\":\"broker-a\"}}";
static const char JSON_ANSWER[] =
    "{\"code\":0,\"extFields\":{\"queueId\":\"1\",\"transactionId\":"
    "\"7F000000000018B4AAC2A1B2C3D40001\",\"msgId\":\"7F00000100002A9F00000000014653FC\","
    "\"TRACE_ON\":\"true\",\"MSG_REGION\":\"DefaultRegion\",\"queueOffset\":\"1\"},\"flag\":1,"
    "\"language\":\"JAVA\",\"opaque\":7,\"serializeTypeCurrentRPC\":\"JSON\",\"version\":513}";

static void decode(struct slice frame, struct remoting_command *command)
{
    mqc_error error;
    mqc_status status = remoting_command_decode(command, frame, &error);
    ck_assert_msg(status == MQC_OK, "%s", error.text);
}

/* ---- decoding ---- */

START_TEST(the_same_send_in_both_forms)
{
    struct slice frames[] = {hex(BINARY_SEND),
                             frame_around(0, slice_text(JSON_SEND), slice_text("hello"))};
    for (int i = 0; i < 2; i++) {
        struct remoting_command command;
        struct send_message_header header;
        decode(exact_copy(frames[i]), &command);
        ck_assert_int_eq(command.serialize_type, i == 0 ? SERIALIZE_ROCKETMQ : SERIALIZE_JSON);
        ck_assert_int_eq(command.code, REQUEST_SEND_MESSAGE_V2);
        ck_assert_int_eq(command.version, 479);
        ck_assert_int_eq(command.opaque, 7);
        ck_assert(!remoting_command_is_response(&command));
        ck_assert(!remoting_command_is_oneway(&command));
        assert_text(command.body, "hello");
        ck_assert_int_eq(header_decode(&send_message_layout, &command, &header, NULL), MQC_OK);
        assert_text(header.producer_group, "pf_pg");
        assert_text(header.topic, "pf_t1");
        assert_text(header.default_topic, "TBW102");
        ck_assert_int_eq(header.default_topic_queues, 4);
        ck_assert_int_eq(header.queue_id, 1);
        ck_assert_int_eq(header.born_timestamp, 1795427320198);
        assert_text(header.properties,
                    "UNIQ_KEY\0017F000000000018B4AAC2A1B2C3D40001\002WAIT\001true"
                    "\002TAGS\001TagA\002KEYS\001k1 k2\002");
        ck_assert_int_eq(header.max_reconsume_times, -1);
        ck_assert(!header.batch);
        assert_text(header.broker_name, "broker-a");
        remoting_command_done(&command);
    }
}
END_TEST

START_TEST(the_broker_s_answer)
{
    struct remoting_command command;
    struct send_message_response_header header;
    decode(frame_around(0, slice_text(JSON_ANSWER), SLICE_ABSENT), &command);
    ck_assert(remoting_command_is_response(&command));
    ck_assert_ptr_null(command.body.data);
    ck_assert_int_eq(header_decode(&send_message_response_layout, &command, &header, NULL), MQC_OK);
    assert_text(header.message_id, "7F00000100002A9F00000000014653FC");
    assert_text(header.transaction_id, "7F000000000018B4AAC2A1B2C3D40001");
    ck_assert_int_eq(header.queue_id, 1);
    ck_assert_int_eq(header.queue_offset, 1);
    assert_text(header.region, "DefaultRegion");
}
END_TEST

START_TEST(what_is_no_frame)
{
    struct remoting_command command;
    struct slice good = frame_around(0, SLICE_LITERAL("{\"code\":1}"), SLICE_LITERAL("body"));
    mqc_error error;
    char *longer = remember(malloc(good.size + 1));
    memcpy(longer, good.data, good.size);
    longer[good.size] = 0;
    ck_assert_int_eq(remoting_command_decode(&command, slice_of(longer, good.size + 1), &error),
                     MQC_BAD_FRAME);
    ck_assert_str_eq(error.text, "frame of 23 bytes that says it has 22");
    ck_assert_int_eq(remoting_command_decode(&command, SLICE_ABSENT, &error), MQC_BAD_FRAME);
    struct slice type_2 = frame_around(2, SLICE_LITERAL("{\"code\":1}"), SLICE_ABSENT);
    ck_assert_int_eq(remoting_command_decode(&command, type_2, &error), MQC_BAD_FRAME);
    ck_assert_str_eq(error.text, "frame with serialization 2: 0 (JSON) or 1 (ROCKETMQ) expected");
}
END_TEST

START_TEST(moved_to_a_copy_of_the_frame)
{
    struct remoting_command command;
    struct slice made = frame_around(
        0, SLICE_LITERAL("{\"remark\":\"r\",\"extFields\":{\"a\":\"1\",\"b\":\"\\n\"}}"),
        SLICE_LITERAL("body"));
    struct slice frame = slice_of(exact_block(made), made.size);
    decode(frame, &command);
    struct slice copy = exact_copy(frame);
    remoting_command_rebase(&command, frame, copy.data);
    memset((char *)(uintptr_t)frame.data, 'x', frame.size);
    free((char *)(uintptr_t)frame.data);
    assert_text(command.remark, "r");
    assert_text(command.body, "body");
    assert_text(remoting_command_field(&command, "a"), "1");
    assert_text(remoting_command_field(&command, "b"), "\n");
    remoting_command_done(&command);
}
END_TEST

/* ---- encoding ---- */

static struct slice encode(struct buffer *out, const struct command_to_send *command,
                           enum serialize_type type, const struct credentials *credentials)
{
    mqc_error error;
    size_t before = out->size;
    mqc_status status = remoting_command_encode(out, command, 7, type, credentials, &error);
    ck_assert_msg(status == MQC_OK, "%s", error.text);
    return slice_of(out->data + before, out->size - before);
}

START_TEST(the_golden_send_byte_by_byte)
{
    struct slice sent = exact_copy(hex(BINARY_SEND));
    struct remoting_command command;
    struct buffer out;
    decode(sent, &command);
    struct command_to_send again = {.code = command.code,
                                    .extra = command.fields,
                                    .extra_count = command.field_count,
                                    .body = command.body};
    char *expected = (char *)(uintptr_t)sent.data;
    expected[10] = 1; /* CPP, not JAVA */
    expected[11] = 0x02, expected[12] = 0x01;
    buffer_init(&out);
    buffer_put_text(&out, "what is there stays");
    struct slice frame = encode(&out, &again, SERIALIZE_ROCKETMQ, NULL);
    ck_assert_uint_eq(frame.size, sent.size);
    ck_assert_mem_eq(frame.data, sent.data, frame.size);
    ck_assert_mem_eq(out.data, "what is there stays", 19);
    buffer_done(&out);
}
END_TEST

START_TEST(both_forms_say_the_same)
{
    struct pull_message_header header, read;
    header_init(&pull_message_layout, &header);
    header.consumer_group = SLICE_LITERAL("g");
    header.topic = SLICE_LITERAL("%RETRY%g");
    header.queue_id = 3;
    header.queue_offset = INT64_MAX;
    header.commit_offset = -1;
    header.subscription = SLICE_LITERAL("a || b");
    struct command_to_send request = {.code = 11,
                                      .flag = COMMAND_FLAG_ONEWAY,
                                      .layout = &pull_message_layout,
                                      .header = &header,
                                      .remark = SLICE_LITERAL("because"),
                                      .body = SLICE_LITERAL("\0\1")};
    for (int type = SERIALIZE_JSON; type <= SERIALIZE_ROCKETMQ; type++) {
        struct remoting_command command;
        struct buffer out;
        buffer_init(&out);
        decode(encode(&out, &request, (enum serialize_type)type, NULL), &command);
        ck_assert_int_eq(command.serialize_type, type);
        ck_assert_int_eq(command.code, 11);
        ck_assert_int_eq(command.opaque, 7);
        ck_assert_int_eq(command.version, 513);
        ck_assert_int_eq(command.language, 1);
        ck_assert(remoting_command_is_oneway(&command));
        assert_text(command.remark, "because");
        ck_assert_uint_eq(command.body.size, 2);
        ck_assert_int_eq(header_decode(&pull_message_layout, &command, &read, NULL), MQC_OK);
        assert_text(read.topic, "%RETRY%g");
        ck_assert_int_eq(read.queue_offset, INT64_MAX);
        ck_assert_int_eq(read.commit_offset, -1);
        ck_assert_int_eq(read.max_bytes, -1);
        ck_assert_ptr_null(read.expression_type.data);
        remoting_command_done(&command);
        buffer_done(&out);
    }
}
END_TEST

START_TEST(large_codes_go_out_as_json)
{
    static const int32_t codes[] = {32767, 32768, REQUEST_POP_MESSAGE, -1000};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct remoting_command command;
        struct command_to_send request = {.code = codes[i]};
        struct buffer out;
        buffer_init(&out);
        decode(encode(&out, &request, SERIALIZE_ROCKETMQ, NULL), &command);
        ck_assert_int_eq(command.code, codes[i]);
        ck_assert_int_eq(command.serialize_type,
                         codes[i] > 32767 ? SERIALIZE_JSON : SERIALIZE_ROCKETMQ);
        buffer_done(&out);
    }
}
END_TEST

START_TEST(the_largest_frame_and_one_byte_more)
{
    struct remoting_command read;
    struct command_to_send command = {.code = 10};
    struct buffer out;
    mqc_error error;
    size_t overhead = 8 + 21;
    char *body = calloc(1, FRAME_MAX_BYTES + 1);
    buffer_init(&out);
    buffer_put_text(&out, "before");
    command.body = slice_of(body, FRAME_MAX_BYTES - overhead + 1);
    ck_assert_int_eq(remoting_command_encode(&out, &command, 1, SERIALIZE_ROCKETMQ, NULL, &error),
                     MQC_TOO_BIG);
    ck_assert_str_eq(error.text, "a frame of 16777217 bytes or more: at most 16777216 are allowed");
    assert_text(buffer_slice(&out), "before");
    command.body.size = FRAME_MAX_BYTES + 1;
    ck_assert_int_eq(remoting_command_encode(&out, &command, 1, SERIALIZE_ROCKETMQ, NULL, NULL),
                     MQC_TOO_BIG);
    command.body.size = FRAME_MAX_BYTES - overhead;
    struct slice frame = encode(&out, &command, SERIALIZE_ROCKETMQ, NULL);
    ck_assert_uint_eq(frame.size, FRAME_MAX_BYTES);
    decode(frame, &read);
    ck_assert_uint_eq(read.body.size, FRAME_MAX_BYTES - overhead);
    buffer_done(&out);
    free(body);
}
END_TEST

START_TEST(too_long_names_and_values_are_refused)
{
    static char name[40000];
    memset(name, 'n', sizeof name);
    struct command_field extra = {slice_of(name, sizeof name), SLICE_LITERAL("v")};
    struct command_to_send command = {.code = 10, .extra = &extra, .extra_count = 1};
    struct buffer out;
    buffer_init(&out);
    ck_assert_int_eq(remoting_command_encode(&out, &command, 1, SERIALIZE_ROCKETMQ, NULL, NULL),
                     MQC_TOO_BIG);
    ck_assert_uint_eq(out.size, 0);
    extra.name = SLICE_LITERAL("n");
    extra.value = slice_of(name, (size_t)FRAME_MAX_BYTES + 1); /* not read */
    ck_assert_int_eq(remoting_command_encode(&out, &command, 1, SERIALIZE_JSON, NULL, NULL),
                     MQC_TOO_BIG);
    buffer_done(&out);
}
END_TEST

START_TEST(without_memory_the_buffer_stays_as_it_was)
{
    static char body[5000];
    struct command_field extra = {SLICE_LITERAL("n"), SLICE_LITERAL("v")};
    struct command_to_send command = {
        .code = 10, .extra = &extra, .extra_count = 1, .body = slice_of(body, sizeof body)};
    int failures = 0;
    for (long nth = 1;; nth++) {
        struct buffer out;
        mqc_error error;
        buffer_init(&out);
        buffer_put_text(&out, "before");
        memory_fail_from(nth);
        mqc_status status =
            remoting_command_encode(&out, &command, 1, SERIALIZE_JSON, NULL, &error);
        memory_fail_from(0);
        ck_assert(!out.failed);
        if (status != MQC_OK) {
            ck_assert_int_eq(status, MQC_NO_MEMORY);
            assert_text(buffer_slice(&out), "before");
            failures++;
        }
        buffer_done(&out);
        if (status == MQC_OK) break;
    }
    ck_assert_int_gt(failures, 0);
}
END_TEST

/* ---- describing ---- */

static void assert_described(const char *json, const char *body, const char *expected)
{
    struct remoting_command command;
    struct buffer out;
    decode(frame_around(0, slice_text(json), slice_text(body)), &command);
    buffer_init(&out);
    remoting_command_describe(&command, &out);
    ck_assert_str_eq(buffer_text(&out), expected);
    buffer_done(&out);
    remoting_command_done(&command);
}

START_TEST(one_line_without_secrets)
{
    assert_described("{\"code\":310,\"language\":\"CPP\",\"opaque\":7,\"version\":513,\"flag\":2,"
                     "\"extFields\":{\"b\":\"t\",\"i\":\"K\\u0001v\\n\",\"AccessKey\":\"mine\","
                     "\"SecurityToken\":\"mine\",\"Signature\":\"mine\"}}",
                     "hello",
                     "request SEND_MESSAGE_V2 (310) opaque 7 CPP version 513 oneway b=t i=K.v. "
                     "AccessKey=(hidden) SecurityToken=(hidden) Signature=(hidden) body 5 bytes");
    assert_described("{\"code\":17,\"flag\":1,\"language\":99,\"remark\":\"no\\nroute\"}", NULL,
                     "response TOPIC_NOT_EXIST (17) opaque 0 ? version 0 remark \"no.route\" body "
                     "0 bytes");
    assert_described(
        "{\"extFields\":{\"a\":\"0123456789012345678901234567890123456789012345678901234567\","
        "\"b\":\"01234567890123456789012345678901234567890123456\xC3\xA9.\"}}",
        NULL,
        "request ? (0) opaque 0 JAVA version 0 "
        "a=012345678901234567890123456789012345678901234567… "
        "b=01234567890123456789012345678901234567890123456… body 0 bytes");
}
END_TEST

static Suite *remoting_command_suite(void)
{
    Suite *suite = suite_create("remoting_command");
    UNIT_CASE(suite, "decoding", the_same_send_in_both_forms, the_broker_s_answer, what_is_no_frame,
              moved_to_a_copy_of_the_frame);
    UNIT_CASE(suite, "encoding", the_golden_send_byte_by_byte, both_forms_say_the_same,
              large_codes_go_out_as_json, the_largest_frame_and_one_byte_more,
              too_long_names_and_values_are_refused, without_memory_the_buffer_stays_as_it_was);
    UNIT_CASE(suite, "describing", one_line_without_secrets);
    return suite;
}

TEST_MAIN(remoting_command_suite)
