/* A request with its signature among its fields (AclClientRPCHook.java), ready to be encoded. */
#ifndef PROTOCOL_SIGNED_COMMAND_H
#define PROTOCOL_SIGNED_COMMAND_H

#include "lib/protocol/signature.h"

/* Large, for the stack. Points into itself: not to be copied. */
struct signed_command {
    struct command_to_send command;
    struct command_field fields[COMMAND_MAX_FIELDS];
    char numbers[COMMAND_MAX_FIELDS][HEADER_NUMBER_BYTES];
    char signature[SIGNATURE_TEXT_BYTES];
};

/* `out->command` becomes `command` with all fields as texts, sorted by name, Signature behind them.
 * Borrows what `command` and `credentials` borrow. */
mqc_status signed_command_make(struct signed_command *out, const struct command_to_send *command,
                               const struct credentials *credentials, mqc_error *error);

#endif
