/* Tests of lib/protocol/signed_command.c, through remoting_command_encode. */
#include "lib/protocol/signed_command.h"

#include "test/unit/protocol/golden_frames.h"

static void decode(struct slice frame, struct remoting_command *command)
{
    mqc_error error;
    mqc_status status = remoting_command_decode(command, frame, &error);
    ck_assert_msg(status == MQC_OK, "%s", error.text);
}

static struct slice encode(struct buffer *out, const struct command_to_send *command,
                           enum serialize_type type, const struct credentials *credentials)
{
    mqc_error error;
    size_t before = out->size;
    mqc_status status = remoting_command_encode(out, command, 7, type, credentials, &error);
    ck_assert_msg(status == MQC_OK, "%s", error.text);
    return slice_of(out->data + before, out->size - before);
}

START_TEST(signed_requests)
{
    struct get_min_offset_header header = {.topic = SLICE_LITERAL("x"), .queue_id = 12};
    struct credentials credentials = {SLICE_LITERAL("ak"), SLICE_LITERAL("sk12345"),
                                      SLICE_LITERAL("token")};
    struct command_field extra = {SLICE_LITERAL("Z"), SLICE_LITERAL("1")};
    struct command_to_send request = {.code = 31,
                                      .layout = &get_min_offset_layout,
                                      .header = &header,
                                      .extra = &extra,
                                      .extra_count = 1,
                                      .body = SLICE_LITERAL("body")};
    static const char *const names[] = {"AccessKey", "SecurityToken", "Z",
                                        "queueId",   "topic",         "Signature"};
    static const char *const values[] = {"ak", "token", "1",
                                         "12", "x",     "PJCuE8m2XsriF2IWisKCIh3OCBM="};
    for (int type = SERIALIZE_JSON; type <= SERIALIZE_ROCKETMQ; type++) {
        struct remoting_command command;
        struct buffer out;
        buffer_init(&out);
        decode(encode(&out, &request, (enum serialize_type)type, &credentials), &command);
        ck_assert_uint_eq(command.field_count, 6);
        for (size_t i = 0; i < 6; i++) {
            assert_text(command.fields[i].name, names[i]);
            assert_text(command.fields[i].value, values[i]);
        }
        buffer_done(&out);
    }
}
END_TEST

/* What a receiver does: the signature of what was read, without Signature itself. */
START_TEST(a_receiver_computes_the_same_signature)
{
    struct send_message_header header;
    struct credentials credentials = {SLICE_LITERAL("ak"), SLICE_LITERAL("secret"), SLICE_ABSENT};
    header_init(&send_message_layout, &header);
    header.producer_group = SLICE_LITERAL("\xC3\xA9");
    header.topic = SLICE_LITERAL("t");
    header.default_topic = SLICE_LITERAL("");
    header.properties = SLICE_LITERAL("K\001\"v\"\002");
    struct command_to_send request = {.code = 310,
                                      .layout = &send_message_layout,
                                      .header = &header,
                                      .body = SLICE_LITERAL("hello")};
    for (int type = SERIALIZE_JSON; type <= SERIALIZE_ROCKETMQ; type++) {
        struct remoting_command command;
        char signature[SIGNATURE_TEXT_BYTES];
        struct buffer out;
        buffer_init(&out);
        decode(encode(&out, &request, (enum serialize_type)type, &credentials), &command);
        struct slice sent = remoting_command_field(&command, "Signature");
        ck_assert_uint_eq(sent.size, 28);
        ck_assert(slice_is(command.fields[command.field_count - 1].name, "Signature"));
        ck_assert_int_eq(signature_make(command.fields, command.field_count - 1, command.body,
                                        credentials.secret_key, signature, NULL),
                         MQC_OK);
        assert_text(sent, signature);
        remoting_command_done(&command);
        buffer_done(&out);
    }
}
END_TEST

START_TEST(responses_are_not_signed)
{
    struct credentials credentials = {SLICE_LITERAL("ak"), SLICE_LITERAL("sk"), SLICE_ABSENT};
    struct command_to_send answer = {.code = 0, .flag = COMMAND_FLAG_RESPONSE};
    struct remoting_command command;
    struct buffer out;
    buffer_init(&out);
    decode(encode(&out, &answer, SERIALIZE_JSON, &credentials), &command);
    ck_assert_uint_eq(command.field_count, 0);
    buffer_done(&out);
}
END_TEST

START_TEST(room_for_the_signature)
{
    struct credentials credentials = {SLICE_LITERAL("ak"), SLICE_LITERAL("sk"), SLICE_ABSENT};
    struct command_field extra[COMMAND_MAX_FIELDS];
    char names[COMMAND_MAX_FIELDS];
    struct command_to_send request = {.code = 10, .extra = extra};
    struct buffer out;
    buffer_init(&out);
    for (size_t i = 0; i < COMMAND_MAX_FIELDS; i++) {
        names[i] = (char)('0' + i);
        extra[i] = (struct command_field){slice_of(&names[i], 1), SLICE_LITERAL("")};
    }
    request.extra_count = COMMAND_MAX_FIELDS - 2;
    encode(&out, &request, SERIALIZE_JSON, &credentials);
    size_t before = out.size;
    for (request.extra_count++; request.extra_count <= COMMAND_MAX_FIELDS; request.extra_count++) {
        mqc_error error;
        ck_assert_int_eq(
            remoting_command_encode(&out, &request, 1, SERIALIZE_JSON, &credentials, &error),
            MQC_TOO_BIG);
        ck_assert_str_eq(error.text, "a request has at most 64 fields with its signature");
    }
    ck_assert_uint_eq(out.size, before);
    buffer_done(&out);
}
END_TEST

static Suite *signed_command_suite(void)
{
    Suite *suite = suite_create("signed_command");
    UNIT_CASE(suite, "signing", signed_requests, a_receiver_computes_the_same_signature,
              responses_are_not_signed, room_for_the_signature);
    return suite;
}

TEST_MAIN(signed_command_suite)
