/* Headers without their frames, in both serializations: the scanner must read what jansson reads,
 * and what was read must read the same once it is written again. The first byte's lowest bit
 * chooses the serialization. */
#include "lib/base/buffer.h"
#include "lib/protocol/binary_header.h"
#include "lib/protocol/header_scanner.h"
#include "lib/protocol/json_header.h"
#include "lib/protocol/message.h"
#include "test/fuzz/fuzz.h"

static const struct command_field *find(const struct remoting_command *command, struct slice name)
{
    for (size_t i = 0; i < command->field_count; i++)
        if (slice_equal(command->fields[i].name, name)) return &command->fields[i];
    return NULL;
}

static void check_same(const struct remoting_command *a, const struct remoting_command *b)
{
    FUZZ_HOLDS(a->code == b->code && a->flag == b->flag);
    FUZZ_HOLDS(slice_equal(a->remark, b->remark));
    FUZZ_HOLDS(a->field_count == b->field_count);
    for (size_t i = 0; i < a->field_count; i++) {
        const struct command_field *other = find(b, a->fields[i].name);
        FUZZ_HOLDS(other && slice_equal(a->fields[i].value, other->value));
    }
}

static void check_scanner(struct slice header)
{
    static struct remoting_command scanned, parsed;
    if (header_scan(&scanned, header) != SCAN_DONE) return;
    FUZZ_HOLDS(json_header_parse(&parsed, header, NULL) == MQC_OK);
    FUZZ_HOLDS(scanned.opaque == parsed.opaque && scanned.version == parsed.version &&
               scanned.language == parsed.language);
    check_same(&scanned, &parsed);
    remoting_command_done(&scanned);
    remoting_command_done(&parsed);
}

static void check_written(const struct remoting_command *command, enum serialize_type type)
{
    static struct remoting_command again;
    struct command_to_send sent = {.code = command->code,
                                   .flag = command->flag,
                                   .extra = command->fields,
                                   .extra_count = command->field_count,
                                   .remark = command->remark};
    struct buffer frame;
    buffer_init(&frame);
    if (remoting_command_encode(&frame, &sent, command->opaque, type, NULL, NULL) == MQC_OK) {
        FUZZ_HOLDS(remoting_command_decode(&again, buffer_slice(&frame), NULL) == MQC_OK);
        FUZZ_HOLDS(again.opaque == command->opaque);
        check_same(command, &again);
        remoting_command_done(&again);
    }
    buffer_done(&frame);
}

/* A reply's parts come in a header. */
static void read_push(const struct remoting_command *command)
{
    struct push_reply_message_header header;
    struct mqc_message *message;
    if (header_decode(&push_reply_message_layout, command, &header, NULL) != MQC_OK) return;
    struct frame *frame = frame_copy(SLICE_LITERAL("body"));
    if (frame &&
        message_of_push(frame, &header, slice_of(frame->bytes, 4), &message, NULL) == MQC_OK) {
        FUZZ_HOLDS(mqc_message_body(message).size == 4);
        message_property(message, "ARRIVE_TIME");
        mqc_message_born_host(message);
        mqc_message_free(message);
    }
    frame_unref(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct remoting_command command;
    if (size == 0) return 0;
    enum serialize_type type = bytes[0] & 1 ? SERIALIZE_ROCKETMQ : SERIALIZE_JSON;
    struct slice header = slice_of(bytes + 1, size - 1);
    if (type == SERIALIZE_JSON) check_scanner(header);
    mqc_status status = type == SERIALIZE_JSON ? json_header_decode(&command, header, NULL)
                                               : binary_header_decode(&command, header, NULL);
    if (status != MQC_OK) return 0;
    command.body = SLICE_ABSENT;
    check_written(&command, type);
    read_push(&command);
    remoting_command_done(&command);
    return 0;
}
