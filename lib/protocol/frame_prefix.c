/* Judging a frame's first eight bytes. Pure; called by the frame splitter and the command decoder.
 */
#include "lib/protocol/frame_prefix.h"

#include "lib/base/cursor.h"
#include "lib/base/error.h"
#include "lib/protocol/remoting_command.h"

/* The word behind the length, and the shortest header that says anything: four bytes. */
enum { SHORTEST_LENGTH = 8 };

static mqc_status check_length(uint32_t length, mqc_error *error)
{
    if (length > FRAME_MAX_BYTES - FRAME_LENGTH_BYTES)
        return error_set(
            error, MQC_BAD_FRAME,
            "frame length 0x%08x: a frame has at most %d bytes, is the peer a RocketMQ "
            "server and its port without TLS?",
            (unsigned)length, FRAME_MAX_BYTES);
    if (length < SHORTEST_LENGTH)
        return error_set(error, MQC_BAD_FRAME, "frame length %u: at least %d expected",
                         (unsigned)length, SHORTEST_LENGTH);
    return MQC_OK;
}

mqc_status frame_prefix_read(struct slice bytes, struct frame_prefix *prefix, mqc_error *error)
{
    struct cursor cursor = cursor_of(bytes);
    *prefix = (struct frame_prefix){0};
    if (bytes.size < FRAME_LENGTH_BYTES) return MQC_OK;
    uint32_t length = cursor_u32(&cursor);
    mqc_status status = check_length(length, error);
    if (status != MQC_OK) return status;
    prefix->frame_size = FRAME_LENGTH_BYTES + (size_t)length;
    if (bytes.size < FRAME_PREFIX_BYTES) return MQC_OK;
    uint32_t word = cursor_u32(&cursor);
    prefix->serialization = (uint8_t)(word >> 24);
    prefix->header_size = word & 0xFFFFFF;
    if (prefix->serialization > SERIALIZE_ROCKETMQ)
        return error_set(error, MQC_BAD_FRAME,
                         "frame with serialization %u: 0 (JSON) or 1 (ROCKETMQ) expected",
                         prefix->serialization);
    size_t most = prefix->frame_size - FRAME_PREFIX_BYTES;
    if (prefix->header_size == 0 || prefix->header_size > most)
        return error_set(
            error, MQC_BAD_FRAME,
            "frame with a header of %zu bytes: 1 to %zu expected, as the frame has %zu",
            prefix->header_size, most, prefix->frame_size);
    return MQC_OK;
}
