/* The layouts of all headers, generated from headers.def, and what follows from a layout: defaults,
 * decoding, text of a member. Pure; any thread. Called by whoever reads or writes a command. */
#include "lib/protocol/headers.h"

#include "lib/base/buffer.h"
#include "lib/base/bug.h"
#include "lib/base/error.h"
#include "lib/protocol/remoting_command.h"

/* Inside a function the struct can go by one name, which is how a row knows its offset. */
#define HEADER_BEGIN(header)                                                                       \
    static const struct header_field *header##_fields(void)                                        \
    {                                                                                              \
        typedef struct header##_header current;                                                    \
        static const struct header_field fields[] = {
#define FIELD(type, member, wire, required, absent)                                                \
    {wire,  #member, sizeof(wire) - 1, HEADER_FIELD_##type, required, offsetof(current, member),   \
     absent},
#define REQUIRED(type, member, wire)         FIELD(type, member, wire, true, 0)
#define OPTIONAL(type, member, wire, absent) FIELD(type, member, wire, false, absent)
#define HEADER_END(header)                                                                         \
    }                                                                                              \
    ;                                                                                              \
    return fields;                                                                                 \
    }
#include "lib/protocol/headers.def"
#undef HEADER_BEGIN
#undef REQUIRED
#undef OPTIONAL
#undef HEADER_END

enum { FIELDS_MAX = 64 }; /* one bit each while decoding */

/* A struct of one byte a field has the size that the number of fields is. */
#define HEADER_BEGIN(header)                 struct header##_count {
#define REQUIRED(type, member, wire)         char member;
#define OPTIONAL(type, member, wire, absent) char member;
#define HEADER_END(header)                                                                         \
    }                                                                                              \
    ;                                                                                              \
    _Static_assert(sizeof(struct header##_count) <= FIELDS_MAX, "too many fields");                \
    const struct header_layout header##_layout = {                                                 \
        #header, header##_fields, sizeof(struct header##_count), sizeof(struct header##_header)};
#include "lib/protocol/headers.def"
#undef HEADER_BEGIN
#undef REQUIRED
#undef OPTIONAL
#undef HEADER_END

void header_init(const struct header_layout *layout, void *header)
{
    const struct header_field *fields = layout->fields();
    memset(header, 0, layout->size);
    for (size_t i = 0; i < layout->count; i++) {
        if (fields[i].absent == 0) continue;
        char *member = (char *)header + fields[i].offset;
        switch ((enum header_field_type)fields[i].type) {
        case HEADER_FIELD_STRING: break;
        case HEADER_FIELD_INT32: *(int32_t *)(void *)member = (int32_t)fields[i].absent; break;
        case HEADER_FIELD_INT64: *(int64_t *)(void *)member = fields[i].absent; break;
        case HEADER_FIELD_BOOL: *(bool *)member = fields[i].absent != 0; break;
        }
    }
}

bool header_field_value(const struct header_field *field, const void *header,
                        char number[HEADER_NUMBER_BYTES], struct slice *value)
{
    const char *member = (const char *)header + field->offset;
    int64_t whole;
    switch ((enum header_field_type)field->type) {
    case HEADER_FIELD_STRING:
        *value = *(const struct slice *)(const void *)member;
        return value->data != NULL;
    case HEADER_FIELD_BOOL:
        whole = *(const bool *)member;
        *value = whole ? SLICE_LITERAL("true") : SLICE_LITERAL("false");
        return field->required || whole != field->absent;
    case HEADER_FIELD_INT32:
    case HEADER_FIELD_INT64: break;
    }
    if (!header_field_number(field, header, &whole)) return false;
    *value = slice_of(number, decimal_write(number, whole));
    return true;
}

/* The index of the field called `name`, or `count`. Begins where it is when fields come in the
 * table's order. */
static size_t find_field(const struct header_field *fields, size_t count, size_t expected,
                         struct slice name)
{
    for (size_t step = 0; step < count; step++) {
        size_t i = expected + step;
        if (i >= count) i -= count;
        if (fields[i].name_size == name.size && memcmp(fields[i].name, name.data, name.size) == 0)
            return i;
    }
    return count;
}

static bool read_value(const struct header_field *field, struct slice value, void *header)
{
    char *member = (char *)header + field->offset;
    switch ((enum header_field_type)field->type) {
    case HEADER_FIELD_STRING: *(struct slice *)(void *)member = value; return true;
    case HEADER_FIELD_INT32: return slice_to_int32(value, (int32_t *)(void *)member);
    case HEADER_FIELD_INT64: return slice_to_int64(value, (int64_t *)(void *)member);
    case HEADER_FIELD_BOOL: *(bool *)member = slice_to_bool(value); return true;
    }
    BUG("header field of type %d", field->type);
}

static mqc_status wrong_value(const struct header_layout *layout, const struct header_field *field,
                              struct slice value, mqc_error *error)
{
    enum { SHOWN = 40 };
    if (value.size > SHOWN) value.size = SHOWN;
    return error_set(error, MQC_BAD_FRAME,
                     "header %s: field \"%s\" is \"%.*s\", expected a whole number of %d bits",
                     layout->name, field->name, SLICE_FORMAT(value),
                     field->type == HEADER_FIELD_INT32 ? 32 : 64);
}

mqc_status header_decode(const struct header_layout *layout, const struct remoting_command *command,
                         void *header, mqc_error *error)
{
    const struct header_field *fields = layout->fields();
    uint64_t seen = 0;
    size_t expected = 0;
    header_init(layout, header);
    for (size_t i = 0; i < command->field_count; i++) {
        struct slice value = command->fields[i].value;
        size_t at = find_field(fields, layout->count, expected, command->fields[i].name);
        if (at == layout->count) continue;
        expected = at + 1;
        if (!value.data || (value.size == 0 && fields[at].type != HEADER_FIELD_STRING)) continue;
        if (!read_value(&fields[at], value, header))
            return wrong_value(layout, &fields[at], value, error);
        seen |= UINT64_C(1) << at;
    }
    for (size_t i = 0; i < layout->count; i++) {
        if (fields[i].required && !(seen & UINT64_C(1) << i))
            return error_set(error, MQC_BAD_FRAME,
                             "header %s: the required field \"%s\" is missing", layout->name,
                             fields[i].name);
    }
    return MQC_OK;
}
