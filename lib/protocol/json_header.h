/* Headers of serialization 0: JSON (RemotingSerializable.java). */
#ifndef PROTOCOL_JSON_HEADER_H
#define PROTOCOL_JSON_HEADER_H

#include "lib/protocol/remoting_command.h"

void json_header_encode(struct buffer *out, const struct command_to_send *command, int32_t opaque);

/* Fills everything of the command but body and serialize_type. */
mqc_status json_header_decode(struct remoting_command *command, struct slice header,
                              mqc_error *error);

/* The same by jansson alone: what header_scan must agree with. For json_header_decode and tests. */
mqc_status json_header_parse(struct remoting_command *command, struct slice header,
                             mqc_error *error);

#endif
