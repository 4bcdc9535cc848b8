/* Whole frames: prefix, header in either serialization, body. Pure; any thread. Encoding is called
 * by every sender with the connection's output buffer; decoding by the remoting client's thread. */
#include "lib/protocol/remoting_command.h"

#include "lib/base/bug.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/binary_header.h"
#include "lib/protocol/command_fields.h"
#include "lib/protocol/frame_prefix.h"
#include "lib/protocol/json_header.h"
#include "lib/protocol/signed_command.h"

static mqc_status check_sizes(const struct command_to_send *command, mqc_error *error);

/* ---- decoding ---- */

mqc_status remoting_command_decode(struct remoting_command *command, struct slice frame,
                                   mqc_error *error)
{
    struct frame_prefix prefix;
    mqc_status status = frame_prefix_read(frame, &prefix, error);
    if (status != MQC_OK) return status;
    if (prefix.header_size == 0 || prefix.frame_size != frame.size)
        return error_set(error, MQC_BAD_FRAME, "frame of %zu bytes that says it has %zu",
                         frame.size, prefix.frame_size);
    struct slice header = slice_of(frame.data + FRAME_PREFIX_BYTES, prefix.header_size);
    size_t body_size = frame.size - FRAME_PREFIX_BYTES - header.size;
    command->serialize_type = (enum serialize_type)prefix.serialization;
    command->body = body_size > 0 ? slice_of(header.data + header.size, body_size) : SLICE_ABSENT;
    return prefix.serialization == SERIALIZE_JSON ? json_header_decode(command, header, error)
                                                  : binary_header_decode(command, header, error);
}

void remoting_command_done(struct remoting_command *command)
{
    memory_free(command->unescaped);
    command->unescaped = NULL;
}

static void rebase(struct slice *slice, struct slice old_frame, const char *new_bytes)
{
    uintptr_t at = (uintptr_t)slice->data, begin = (uintptr_t)old_frame.data;
    if (at >= begin && at < begin + old_frame.size) slice->data = new_bytes + (at - begin);
}

void remoting_command_rebase(struct remoting_command *command, struct slice old_frame,
                             const char *new_bytes)
{
    rebase(&command->remark, old_frame, new_bytes);
    rebase(&command->body, old_frame, new_bytes);
    for (size_t i = 0; i < command->field_count; i++) {
        rebase(&command->fields[i].name, old_frame, new_bytes);
        rebase(&command->fields[i].value, old_frame, new_bytes);
    }
}

void remoting_command_move(struct remoting_command *to, struct remoting_command *from)
{
    memcpy(to, from, offsetof(struct remoting_command, fields));
    memcpy(to->fields, from->fields, from->field_count * sizeof from->fields[0]);
    to->unescaped = from->unescaped;
    from->unescaped = NULL;
}

struct slice remoting_command_field(const struct remoting_command *command, const char *name)
{
    struct slice wanted = slice_text(name);
    for (size_t i = 0; i < command->field_count; i++)
        if (slice_equal(command->fields[i].name, wanted)) return command->fields[i].value;
    return SLICE_ABSENT;
}

/* ---- encoding ---- */

static void put_frame(struct buffer *out, const struct command_to_send *command, int32_t opaque,
                      enum serialize_type type)
{
    size_t start = out->size;
    char *prefix = buffer_reserve(out, FRAME_PREFIX_BYTES + command->body.size);
    if (!prefix) return;
    buffer_commit(out, FRAME_PREFIX_BYTES);
    if (type == SERIALIZE_JSON)
        json_header_encode(out, command, opaque);
    else
        binary_header_encode(out, command, opaque);
    size_t header_size = out->size - start - FRAME_PREFIX_BYTES;
    buffer_put_slice(out, command->body);
    if (out->failed || out->size - start > FRAME_MAX_BYTES) return;
    buffer_patch_32(out, start, (uint32_t)(out->size - start - FRAME_LENGTH_BYTES));
    buffer_patch_32(out, start + FRAME_LENGTH_BYTES, (uint32_t)type << 24 | (uint32_t)header_size);
}

static mqc_status too_big(size_t size, mqc_error *error)
{
    return error_set(error, MQC_TOO_BIG, "a frame of %zu bytes or more: at most %d are allowed",
                     size, FRAME_MAX_BYTES);
}

mqc_status remoting_command_encode(struct buffer *out, const struct command_to_send *command,
                                   int32_t opaque, enum serialize_type type,
                                   const struct credentials *credentials, mqc_error *error)
{
    struct signed_command signed_command;
    mqc_status status = check_sizes(command, error);
    if (status != MQC_OK) return status;
    if (out->failed) return error_no_memory(error);
    if (credentials && !(command->flag & COMMAND_FLAG_RESPONSE)) {
        status = signed_command_make(&signed_command, command, credentials, error);
        if (status != MQC_OK) return status;
        command = &signed_command.command;
    }
    if (!binary_header_can_carry(command->code)) type = SERIALIZE_JSON;
    size_t start = out->size;
    put_frame(out, command, opaque, type);
    size_t size = out->size - start;
    if (out->failed)
        status = error_no_memory(error);
    else if (size > FRAME_MAX_BYTES)
        status = too_big(size, error);
    if (status != MQC_OK) {
        buffer_truncate(out, start);
        out->failed = false;
    }
    return status;
}

/* What is surely too big is refused before a byte of it is copied. */
static mqc_status check_sizes(const struct command_to_send *command, mqc_error *error)
{
    size_t least = FRAME_PREFIX_BYTES;
    if (command->body.size > FRAME_MAX_BYTES) return too_big(command->body.size, error);
    if (command->remark.size > FRAME_MAX_BYTES) return too_big(command->remark.size, error);
    least += command->body.size + command->remark.size;
    for (size_t i = 0; i < command->extra_count; i++) {
        const struct command_field *field = &command->extra[i];
        if (field->name.size > INT16_MAX || field->value.size > FRAME_MAX_BYTES)
            return error_set(error, MQC_TOO_BIG,
                             "extension field \"%.40s…\" has a name of %zu and a value of %zu "
                             "bytes: at most %d and %d are allowed",
                             field->name.data, field->name.size, field->value.size, INT16_MAX,
                             FRAME_MAX_BYTES);
        least += field->name.size + field->value.size;
    }
    return least > FRAME_MAX_BYTES ? too_big(least, error) : MQC_OK;
}

/* ---- describing ---- */

static bool is_secret(struct slice name)
{
    return slice_is(name, "AccessKey") || slice_is(name, "SecurityToken") ||
           slice_is(name, "Signature");
}

/* A cut value in which nothing can break the line. */
static void describe_value(struct buffer *out, struct slice value)
{
    enum { MOST = 48 };
    size_t shown = value.size;
    if (shown > MOST)
        for (shown = MOST; shown > 0 && ((unsigned char)value.data[shown] & 0xC0) == 0x80;) shown--;
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)value.data[i];
        buffer_put_8(out, c < 0x20 || c == 0x7F ? '.' : c);
    }
    if (shown < value.size) buffer_put_text(out, "…");
}

void remoting_command_describe(const struct remoting_command *command, struct buffer *out)
{
    bool response = remoting_command_is_response(command);
    const char *language = language_name(command->language);
    buffer_put_format(
        out, "%s %s (%d) opaque %d %s version %d%s", response ? "response" : "request",
        response ? response_code_name(command->code) : request_code_name(command->code),
        (int)command->code, (int)command->opaque, language ? language : "?", (int)command->version,
        remoting_command_is_oneway(command) ? " oneway" : "");
    for (size_t i = 0; i < command->field_count; i++) {
        buffer_put_8(out, ' ');
        describe_value(out, command->fields[i].name);
        buffer_put_8(out, '=');
        describe_value(out, is_secret(command->fields[i].name) ? SLICE_LITERAL("(hidden)")
                                                               : command->fields[i].value);
    }
    if (command->remark.data) {
        buffer_put_text(out, " remark \"");
        describe_value(out, command->remark);
        buffer_put_8(out, '"');
    }
    buffer_put_format(out, " body %zu bytes", command->body.size);
}
