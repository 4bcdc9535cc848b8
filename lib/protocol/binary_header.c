/* The binary header. Pure; any thread. Called by remoting_command.c. Layout: code 2, language 1,
 * version 2, opaque 4, flag 4, remark 4+n, length of the fields 4, then each field as name 2+n and
 * value 4+n. */
#include "lib/protocol/binary_header.h"

#include "lib/base/cursor.h"
#include "lib/base/error.h"
#include "lib/protocol/command_fields.h"

static char *write_16(char *out, size_t value)
{
    out[0] = (char)(value >> 8);
    out[1] = (char)value;
    return out + 2;
}

static char *write_32(char *out, size_t value)
{
    return write_16(write_16(out, value >> 16), value & 0xFFFF);
}

/* Most names and many values are a single character. */
static char *write_bytes(char *out, struct slice bytes)
{
    if (bytes.size == 1)
        out[0] = bytes.data[0];
    else if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    return out + bytes.size;
}

static inline void put_field(struct buffer *out, struct slice name, struct slice value)
{
    size_t size = 2 + name.size + 4 + value.size;
    char *place = buffer_reserve(out, size);
    if (!place) return;
    place = write_bytes(write_16(place, name.size), name);
    write_bytes(write_32(place, value.size), value);
    buffer_commit(out, size);
}

static void put_number(struct buffer *out, struct slice name, int64_t value)
{
    char *start = buffer_reserve(out, 2 + name.size + 4 + HEADER_NUMBER_BYTES);
    if (!start) return;
    char *size_at = write_bytes(write_16(start, name.size), name);
    size_t size = decimal_write(size_at + 4, value);
    write_32(size_at, size);
    buffer_commit(out, 2 + name.size + 4 + size);
}

static void put_layout_fields(struct buffer *out, const struct header_layout *layout,
                              const void *header)
{
    const struct header_field *fields = layout->fields();
    for (size_t i = 0; i < layout->count; i++) {
        struct slice name = slice_of(fields[i].name, fields[i].name_size), value;
        int64_t number;
        if (fields[i].type == HEADER_FIELD_INT32 || fields[i].type == HEADER_FIELD_INT64) {
            if (header_field_number(&fields[i], header, &number)) put_number(out, name, number);
        } else if (header_field_value(&fields[i], header, NULL, &value)) {
            put_field(out, name, value);
        }
    }
}

void binary_header_encode(struct buffer *out, const struct command_to_send *command, int32_t opaque)
{
    buffer_put_16(out, (uint16_t)command->code);
    buffer_put_8(out, COMMAND_LANGUAGE_CPP);
    buffer_put_16(out, COMMAND_VERSION);
    buffer_put_32(out, (uint32_t)opaque);
    buffer_put_32(out, (uint32_t)command->flag);
    buffer_put_32(out, (uint32_t)command->remark.size);
    buffer_put_slice(out, command->remark);
    size_t length_at = out->size;
    buffer_put_32(out, 0);
    if (command->layout) put_layout_fields(out, command->layout, command->header);
    for (size_t i = 0; i < command->extra_count; i++)
        if (command->extra[i].value.data)
            put_field(out, command->extra[i].name, command->extra[i].value);
    buffer_patch_32(out, length_at, (uint32_t)(out->size - length_at - 4));
}

static mqc_status decode_fields(struct command_fields *fields, struct slice bytes, mqc_error *error)
{
    struct cursor cursor = cursor_of(bytes);
    while (cursor_left(&cursor) > 0) {
        struct slice name = cursor_slice(&cursor, (int16_t)cursor_u16(&cursor));
        struct slice value = cursor_slice(&cursor, cursor_i32(&cursor));
        if (cursor.failed)
            return error_set(error, MQC_BAD_FRAME,
                             "binary header: extension field %zu does not fit the %zu bytes of all",
                             fields->command->field_count + 1, bytes.size);
        if (!command_fields_put(fields, name, value))
            return error_set(error, MQC_BAD_FRAME, "binary header: more than %d extension fields",
                             COMMAND_MAX_FIELDS);
    }
    return MQC_OK;
}

mqc_status binary_header_decode(struct remoting_command *command, struct slice header,
                                mqc_error *error)
{
    struct cursor cursor = cursor_of(header);
    struct command_fields fields;
    command_fields_begin(&fields, command);
    command->code = (int16_t)cursor_u16(&cursor);
    command->language = cursor_u8(&cursor);
    command->version = (int16_t)cursor_u16(&cursor);
    command->opaque = cursor_i32(&cursor);
    command->flag = cursor_i32(&cursor);
    command->remark = cursor_slice(&cursor, cursor_i32(&cursor));
    if (command->remark.size == 0) command->remark = SLICE_ABSENT;
    struct slice field_bytes = cursor_slice(&cursor, cursor_i32(&cursor));
    if (cursor.failed)
        return error_set(error, MQC_BAD_FRAME,
                         "binary header: its lengths do not fit the header's %zu bytes",
                         header.size);
    if (cursor_left(&cursor) > 0)
        return error_set(error, MQC_BAD_FRAME,
                         "binary header: %zu bytes are left over behind the extension fields",
                         cursor_left(&cursor));
    return decode_fields(&fields, field_bytes, error);
}
