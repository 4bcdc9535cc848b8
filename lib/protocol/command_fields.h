/* Filling a remoting_command while its header is decoded: what each member of a JSON header means,
 * and extension fields of which the last of a name counts. For the decoders of headers only. */
#ifndef PROTOCOL_COMMAND_FIELDS_H
#define PROTOCOL_COMMAND_FIELDS_H

#include "lib/protocol/remoting_command.h"

enum scalar_kind { SCALAR_NULL, SCALAR_STRING, SCALAR_INTEGER, SCALAR_REAL, SCALAR_BOOL };

/* A JSON scalar: the string's value, or the literal's text ("12", "true"). */
struct scalar {
    enum scalar_kind kind;
    struct slice text;
};

struct command_fields {
    struct remoting_command *command;
    uint64_t seen; /* one bit for each group of names, so that most lookups need no search */
};

/* Readies the command for its header: nothing set, no fields. */
void command_fields_begin(struct command_fields *fields, struct remoting_command *command);
void command_fields_clear(struct command_fields *fields);

/* Sets a field; an absent value removes it. False when the command has too many. */
bool command_fields_put(struct command_fields *fields, struct slice name, struct slice value);

/* Sets a member of a JSON header; unknown ones are passed over. NULL, or what is wrong with it. */
const char *command_member_set(struct remoting_command *command, struct slice key,
                               struct scalar value);

/* "CPP" of 1; NULL when there is no such language (LanguageCode.java). */
const char *language_name(uint8_t language);

#endif
