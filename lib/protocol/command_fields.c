/* What the two decoders of JSON headers and the one of binary headers have in common. Pure; any
 * thread. Called by header_scanner.c, json_header.c and binary_header.c. */
#include "lib/protocol/command_fields.h"

/* LanguageCode.java, by number */
static const char *const languages[] = {"JAVA",   "CPP",  "DOTNET", "PYTHON", "DELPHI",
                                        "ERLANG", "RUBY", "OTHER",  "HTTP",   "GO",
                                        "PHP",    "OMS",  "RUST",   "NODE_JS"};
enum { LANGUAGES = sizeof languages / sizeof *languages, LANGUAGE_JAVA = 0, LANGUAGE_OTHER = 7 };

const char *language_name(uint8_t language)
{
    return language < LANGUAGES ? languages[language] : NULL;
}

static uint8_t language_code(struct slice name)
{
    for (size_t i = 0; i < LANGUAGES; i++)
        if (slice_is(name, languages[i])) return (uint8_t)i;
    return LANGUAGE_OTHER;
}

void command_fields_begin(struct command_fields *fields, struct remoting_command *command)
{
    command->code = command->opaque = command->flag = command->version = 0;
    command->language = LANGUAGE_JAVA; /* what Java takes an absent one for */
    command->remark = SLICE_ABSENT;
    command->unescaped = NULL;
    fields->command = command;
    command_fields_clear(fields);
}

void command_fields_clear(struct command_fields *fields)
{
    fields->command->field_count = 0;
    fields->seen = 0;
}

static uint64_t group_of(struct slice name)
{
    if (name.size == 0) return 1;
    unsigned first = (unsigned char)name.data[0], last = (unsigned char)name.data[name.size - 1],
             middle = (unsigned char)name.data[name.size / 2];
    return UINT64_C(1) << ((first + 7 * last + 3 * middle + (unsigned)name.size) & 63);
}

/* Seldom needed: outside the fast path it costs nothing. */
static __attribute__((noinline)) struct command_field *find(struct remoting_command *command,
                                                            struct slice name)
{
    for (size_t i = 0; i < command->field_count; i++)
        if (slice_equal(command->fields[i].name, name)) return &command->fields[i];
    return NULL;
}

bool command_fields_put(struct command_fields *fields, struct slice name, struct slice value)
{
    struct remoting_command *command = fields->command;
    uint64_t group = group_of(name);
    struct command_field *known = fields->seen & group ? find(command, name) : NULL;
    if (known && !value.data) {
        *known = command->fields[--command->field_count];
    } else if (known) {
        known->value = value;
    } else if (value.data) {
        if (command->field_count == COMMAND_MAX_FIELDS) return false;
        command->fields[command->field_count++] = (struct command_field){name, value};
        fields->seen |= group;
    }
    return true;
}

static const char *set_number(int32_t *member, struct scalar value)
{
    *member = 0;
    if (value.kind == SCALAR_NULL) return NULL;
    if (value.kind != SCALAR_INTEGER) return "is not a whole number";
    return slice_to_int32(value.text, member) ? NULL : "does not fit in 32 bits";
}

static const char *set_language(uint8_t *member, struct scalar value)
{
    int32_t number = LANGUAGE_JAVA;
    if (value.kind == SCALAR_STRING)
        number = language_code(value.text);
    else if (value.kind != SCALAR_NULL &&
             (value.kind != SCALAR_INTEGER || !slice_to_int32(value.text, &number) || number < 0 ||
              number > UINT8_MAX))
        return "is neither a language's name nor a number from 0 to 255";
    *member = (uint8_t)number;
    return NULL;
}

const char *command_member_set(struct remoting_command *command, struct slice key,
                               struct scalar value)
{
    if (slice_is(key, "code")) return set_number(&command->code, value);
    if (slice_is(key, "opaque")) return set_number(&command->opaque, value);
    if (slice_is(key, "flag")) return set_number(&command->flag, value);
    if (slice_is(key, "version")) return set_number(&command->version, value);
    if (slice_is(key, "language")) return set_language(&command->language, value);
    if (slice_is(key, "remark")) {
        if (value.kind != SCALAR_NULL && value.kind != SCALAR_STRING) return "is not a string";
        command->remark = value.kind == SCALAR_NULL ? SLICE_ABSENT : value.text;
    }
    return NULL;
}
