/* Pulls of messages; the parts that others use. */
#ifndef EMBEDDED_PULL_HANDLER_H
#define EMBEDDED_PULL_HANDLER_H

#include "lib/embedded/broker.h"
#include "lib/embedded/message_filter.h"

/* What a read of a queue came to (GetMessageStatus.java). */
enum read_status {
    READ_FOUND,
    READ_NO_MATCH,
    READ_QUEUE_EMPTY,
    READ_OFFSET_TOO_SMALL,
    READ_OFFSET_AT_END,
    READ_OFFSET_BEYOND,
    READ_OFFSET_RESET
};

struct read_result {
    enum read_status status;
    int64_t next_offset, min_offset, max_offset;
    size_t count;
};

struct read_wish {
    int64_t offset;
    int32_t max_messages;
    size_t max_bytes;
    const struct message_filter *filter;
};

/* Reads from an offset on; appends the records to `out`. DefaultMessageStore.getMessage */
struct read_result queue_read(const struct store_queue *queue, const struct read_wish *wish,
                              struct buffer *out);

const char *read_status_name(enum read_status status);

#endif
