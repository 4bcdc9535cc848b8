/* Making signed requests. Pure; any thread. Called by remoting_command_encode. */
#include "lib/protocol/signed_command.h"

#include "lib/base/error.h"

static bool add_field(struct signed_command *out, struct slice name, struct slice value)
{
    if (!value.data) return true;
    if (out->command.extra_count == COMMAND_MAX_FIELDS) return false;
    out->fields[out->command.extra_count++] = (struct command_field){name, value};
    return true;
}

static bool add_all_fields(struct signed_command *out, const struct command_to_send *command,
                           const struct credentials *credentials)
{
    bool room = true;
    if (command->layout) {
        const struct header_field *fields = command->layout->fields();
        for (size_t i = 0; i < command->layout->count; i++) {
            struct slice value;
            if (header_field_value(&fields[i], command->header, out->numbers[i], &value))
                room &= add_field(out, slice_of(fields[i].name, fields[i].name_size), value);
        }
    }
    for (size_t i = 0; i < command->extra_count; i++)
        room &= add_field(out, command->extra[i].name, command->extra[i].value);
    room &= add_field(out, SLICE_LITERAL("AccessKey"), credentials->access_key);
    room &= add_field(out, SLICE_LITERAL("SecurityToken"), credentials->security_token);
    return room && out->command.extra_count < COMMAND_MAX_FIELDS;
}

mqc_status signed_command_make(struct signed_command *out, const struct command_to_send *command,
                               const struct credentials *credentials, mqc_error *error)
{
    out->command = *command;
    out->command.layout = NULL;
    out->command.extra = out->fields;
    out->command.extra_count = 0;
    if (!add_all_fields(out, command, credentials))
        return error_set(error, MQC_TOO_BIG, "a request has at most %d fields with its signature",
                         COMMAND_MAX_FIELDS);
    mqc_status status = signature_make(out->fields, out->command.extra_count, command->body,
                                       credentials->secret_key, out->signature, error);
    if (status == MQC_OK) add_field(out, SLICE_LITERAL("Signature"), slice_text(out->signature));
    return status;
}
