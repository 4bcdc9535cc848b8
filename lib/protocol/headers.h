/* The headers of requests and responses: a struct and a layout each, all from the one table
 * headers.def. Encoding, decoding and checking, in both serializations, follow from the layout.
 * Strings are slices of the frame (or of the caller) and are never copied. */
#ifndef PROTOCOL_HEADERS_H
#define PROTOCOL_HEADERS_H

#include <mqclient/status.h>

#include "lib/base/slice.h"

enum header_field_type {
    HEADER_FIELD_STRING,
    HEADER_FIELD_INT32,
    HEADER_FIELD_INT64,
    HEADER_FIELD_BOOL
};

struct header_field {
    const char *name;   /* as on the wire */
    const char *member; /* in the struct */
    uint8_t name_size;
    uint8_t type; /* enum header_field_type */
    bool required;
    uint16_t offset; /* in the struct */
    int64_t absent;  /* what an absent optional number reads as, and what is not written */
};

struct header_layout {
    const char *name;
    const struct header_field *(*fields)(void); /* a function, so that offsets can be constants */
    size_t count;
    size_t size; /* of the struct */
};

/* struct <name>_header and extern const struct header_layout <name>_layout for every entry. */
#define HEADER_TYPE_STRING                   struct slice
#define HEADER_TYPE_INT32                    int32_t
#define HEADER_TYPE_INT64                    int64_t
#define HEADER_TYPE_BOOL                     bool
#define HEADER_BEGIN(header)                 struct header##_header {
#define REQUIRED(type, member, wire)         HEADER_TYPE_##type member;
#define OPTIONAL(type, member, wire, absent) HEADER_TYPE_##type member;
#define HEADER_END(header)                                                                         \
    }                                                                                              \
    ;                                                                                              \
    extern const struct header_layout header##_layout;
#include "lib/protocol/headers.def"
#undef HEADER_BEGIN
#undef REQUIRED
#undef OPTIONAL
#undef HEADER_END

struct remoting_command;

enum { HEADER_NUMBER_BYTES = 24 };

/* Sets every member to what an absent field reads as: strings absent, required numbers 0. */
void header_init(const struct header_layout *layout, void *header);

/* A member as text, in `number` or where the header's slice points; false when it is not to be
 * written: an absent string, or an optional number with the value that absence means. */
bool header_field_value(const struct header_field *field, const void *header,
                        char number[HEADER_NUMBER_BYTES], struct slice *value);

/* The same of a number: false also when it is not to be written. */
static inline bool header_field_number(const struct header_field *field, const void *header,
                                       int64_t *value)
{
    const char *member = (const char *)header + field->offset;
    *value = field->type == HEADER_FIELD_INT32 ? *(const int32_t *)(const void *)member
                                               : *(const int64_t *)(const void *)member;
    return field->required || *value != field->absent;
}

/* Reads a command's fields into the struct that `layout` describes. MQC_BAD_FRAME when a required
 * field is missing or a number is none; unknown fields are ignored, of duplicates the last counts.
 * An empty text where a number belongs is an absent field, as in Java's binary header. */
mqc_status header_decode(const struct header_layout *layout, const struct remoting_command *command,
                         void *header, mqc_error *error);

#endif
