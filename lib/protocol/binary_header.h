/* Headers of serialization 1: ROCKETMQ (RocketMQSerializable.java). */
#ifndef PROTOCOL_BINARY_HEADER_H
#define PROTOCOL_BINARY_HEADER_H

#include "lib/protocol/remoting_command.h"

/* Whether the code fits the two bytes it has. */
static inline bool binary_header_can_carry(int32_t code)
{
    return code >= INT16_MIN && code <= INT16_MAX;
}

void binary_header_encode(struct buffer *out, const struct command_to_send *command,
                          int32_t opaque);

/* Fills everything of the command but body and serialize_type. */
mqc_status binary_header_decode(struct remoting_command *command, struct slice header,
                                mqc_error *error);

#endif
