/* The two words every frame begins with: the length of the rest, then the serialization and the
 * header's length (RemotingCommand.decode). Judged before anything is allocated or read. */
#ifndef PROTOCOL_FRAME_PREFIX_H
#define PROTOCOL_FRAME_PREFIX_H

#include <mqclient/status.h>

#include "lib/base/slice.h"

enum {
    FRAME_LENGTH_BYTES = 4, /* the length word, which does not count itself */
    FRAME_PREFIX_BYTES = 8
};

struct frame_prefix {
    size_t frame_size;     /* with the length word; 0 while fewer than 4 bytes are there */
    size_t header_size;    /* 0 while fewer than 8 bytes are there */
    uint8_t serialization; /* enum serialize_type */
};

/* Reads as much of the prefix as `bytes` has. MQC_BAD_FRAME when it cannot be RocketMQ's. */
mqc_status frame_prefix_read(struct slice bytes, struct frame_prefix *prefix, mqc_error *error);

#endif
