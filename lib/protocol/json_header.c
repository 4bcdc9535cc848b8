/* The JSON header. Pure; any thread. Called by remoting_command.c. Decoding tries the single-pass
 * scanner first; jansson reads what that does not understand. */
#include "lib/protocol/json_header.h"

#include <jansson.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/command_fields.h"
#include "lib/protocol/header_scanner.h"
#include "lib/protocol/relaxed_json.h"

/* ---- encoding ---- */

static void put_separator(struct buffer *out, bool *first)
{
    if (*first)
        buffer_put_text(out, ",\"extFields\":{");
    else
        buffer_put_8(out, ',');
    *first = false;
}

/* A string that needs no escapes: names of our tables, and numbers and truth values, which in
 * extension fields are strings, too. */
static void put_word(struct buffer *out, struct slice word)
{
    char *place = buffer_reserve(out, word.size + 2);
    if (!place) return;
    place[0] = '"';
    memcpy(place + 1, word.data, word.size);
    place[word.size + 1] = '"';
    buffer_commit(out, word.size + 2);
}

static void put_fields(struct buffer *out, const struct command_to_send *command)
{
    bool first = true;
    size_t count = command->layout ? command->layout->count : 0;
    const struct header_field *fields = count > 0 ? command->layout->fields() : NULL;
    for (size_t i = 0; i < count; i++) {
        char number[HEADER_NUMBER_BYTES];
        struct slice value;
        if (!header_field_value(&fields[i], command->header, number, &value)) continue;
        put_separator(out, &first);
        put_word(out, slice_of(fields[i].name, fields[i].name_size));
        buffer_put_8(out, ':');
        if (fields[i].type == HEADER_FIELD_STRING)
            json_put_text(out, value);
        else
            put_word(out, value);
    }
    for (size_t i = 0; i < command->extra_count; i++) {
        if (!command->extra[i].value.data) continue;
        put_separator(out, &first);
        json_put_text(out, command->extra[i].name);
        buffer_put_8(out, ':');
        json_put_text(out, command->extra[i].value);
    }
    if (!first) buffer_put_8(out, '}');
}

void json_header_encode(struct buffer *out, const struct command_to_send *command, int32_t opaque)
{
    buffer_put_text(out, "{\"code\":");
    buffer_put_decimal(out, command->code);
    buffer_put_text(out, ",\"language\":\"CPP\",\"version\":");
    buffer_put_decimal(out, COMMAND_VERSION);
    buffer_put_text(out, ",\"opaque\":");
    buffer_put_decimal(out, opaque);
    buffer_put_text(out, ",\"flag\":");
    buffer_put_decimal(out, command->flag);
    if (command->remark.data) {
        buffer_put_text(out, ",\"remark\":");
        json_put_text(out, command->remark);
    }
    put_fields(out, command);
    buffer_put_8(out, '}');
}

/* ---- decoding ---- */

mqc_status json_header_decode(struct remoting_command *command, struct slice header,
                              mqc_error *error)
{
    switch (header_scan(command, header)) {
    case SCAN_DONE: return MQC_OK;
    case SCAN_NOT_UNDERSTOOD: return json_header_parse(command, header, error);
    case SCAN_NO_MEMORY: break;
    }
    return error_no_memory(error);
}

enum { REAL_TEXT_BYTES = 32 };

/* A jansson scalar as the scanner would give it; a real number's text goes to `text`. False for
 * objects and arrays. */
static bool scalar_of(const json_t *json, char text[REAL_TEXT_BYTES], struct scalar *scalar)
{
    size_t size = 0;
    switch (json_typeof(json)) {
    case JSON_NULL: *scalar = (struct scalar){SCALAR_NULL, SLICE_ABSENT}; return true;
    case JSON_TRUE: *scalar = (struct scalar){SCALAR_BOOL, SLICE_LITERAL("true")}; return true;
    case JSON_FALSE: *scalar = (struct scalar){SCALAR_BOOL, SLICE_LITERAL("false")}; return true;
    case JSON_STRING:
        *scalar = (struct scalar){SCALAR_STRING,
                                  slice_of(json_string_value(json), json_string_length(json))};
        return true;
    case JSON_INTEGER:
        size = decimal_write(text, json_integer_value(json));
        *scalar = (struct scalar){SCALAR_INTEGER, slice_of(text, size)};
        return true;
    case JSON_REAL:
        size = json_dumpb(json, text, REAL_TEXT_BYTES, JSON_ENCODE_ANY); /* whatever the locale */
        *scalar = (struct scalar){SCALAR_REAL, slice_of(text, size)};
        return true;
    default: return false;
    }
}

/* Everything that a command of this header can refer to fits in so many bytes. */
static size_t bytes_needed(json_t *root)
{
    const char *key;
    json_t *value;
    size_t needed = json_string_length(json_object_get(root, "remark"));
    json_object_foreach(json_object_get(root, "extFields"), key, value)
    {
        needed += strlen(key) +
                  (json_is_string(value) ? json_string_length(value) : (size_t)REAL_TEXT_BYTES);
    }
    return needed;
}

static struct slice keep(char **out, struct slice text)
{
    if (text.size > 0) memcpy(*out, text.data, text.size);
    struct slice kept = slice_of(*out, text.size);
    *out += text.size;
    return kept;
}

static mqc_status read_fields(struct remoting_command *command, json_t *object, char **out,
                              mqc_error *error)
{
    struct command_fields fields = {.command = command};
    const char *key;
    json_t *value;
    if (!json_is_object(object) && !json_is_null(object))
        return error_set(error, MQC_BAD_FRAME, "JSON header: \"extFields\" is not an object");
    json_object_foreach(object, key, value)
    {
        char text[REAL_TEXT_BYTES];
        struct scalar scalar;
        if (!scalar_of(value, text, &scalar))
            return error_set(error, MQC_BAD_FRAME,
                             "JSON header: extension field \"%.40s\" is no string or number", key);
        if (scalar.kind == SCALAR_NULL) continue;
        struct slice name = keep(out, slice_text(key));
        if (!command_fields_put(&fields, name, keep(out, scalar.text)))
            return error_set(error, MQC_BAD_FRAME, "JSON header: more than %d extension fields",
                             COMMAND_MAX_FIELDS);
    }
    return MQC_OK;
}

static mqc_status read_members(struct remoting_command *command, json_t *root, char *out,
                               mqc_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        char text[REAL_TEXT_BYTES];
        struct scalar scalar;
        const char *wrong = NULL;
        if (strcmp(key, "extFields") == 0) {
            mqc_status status = read_fields(command, value, &out, error);
            if (status != MQC_OK) return status;
        } else if (scalar_of(value, text, &scalar)) {
            wrong = command_member_set(command, slice_text(key), scalar);
        } else {
            /* Any member we know is wrong as an object; one that we do not know is passed over. */
            wrong = command_member_set(command, slice_text(key),
                                       (struct scalar){SCALAR_REAL, SLICE_ABSENT});
        }
        if (wrong) return error_set(error, MQC_BAD_FRAME, "JSON header: \"%s\" %s", key, wrong);
    }
    if (command->remark.data) command->remark = keep(&out, command->remark);
    return MQC_OK;
}

static mqc_status not_json(const json_error_t *problem, mqc_error *error)
{
    if (json_error_code(problem) == json_error_out_of_memory) return error_no_memory(error);
    return error_set(error, MQC_BAD_FRAME, "JSON header: %s at byte %d", problem->text,
                     problem->position);
}

mqc_status json_header_parse(struct remoting_command *command, struct slice header,
                             mqc_error *error)
{
    struct command_fields fields;
    json_error_t problem;
    mqc_status status;
    command_fields_begin(&fields, command);
    json_t *root = json_loadb(header.data, header.size, JSON_ALLOW_NUL, &problem);
    if (!root) return not_json(&problem, error);
    command->unescaped = memory_allocate(bytes_needed(root));
    if (!json_is_object(root))
        status = error_set(error, MQC_BAD_FRAME, "JSON header: an array, not an object");
    else if (!command->unescaped)
        status = error_no_memory(error);
    else
        status = read_members(command, root, command->unescaped, error);
    json_decref(root);
    if (status == MQC_OK) return MQC_OK;
    memory_free(command->unescaped);
    command->unescaped = NULL;
    return status;
}
