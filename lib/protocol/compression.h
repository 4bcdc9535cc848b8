/* Compressed bodies (CompressorFactory.java): zlib streams, LZ4 frames and Zstandard frames, none
 * of which says its original size, so that output grows up to a limit. */
#ifndef PROTOCOL_COMPRESSION_H
#define PROTOCOL_COMPRESSION_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"

enum compression_type { COMPRESSION_LZ4 = 1, COMPRESSION_ZSTD = 2, COMPRESSION_ZLIB = 3 };

enum { INFLATED_MAX_BYTES = 64 << 20 }; /* of one body: a small frame must not become huge memory */

/* The type named by a message's sysFlag; 0 when the bits name none that exists. */
enum compression_type compression_of_sys_flag(int32_t sys_flag);
int32_t compression_to_sys_flag(enum compression_type type); /* with MESSAGE_FLAG_COMPRESSED */

/* Appends the result to `out`. MQC_BAD_FRAME for damaged input, MQC_TOO_BIG above the limit. */
mqc_status compression_inflate(enum compression_type type, struct slice input, size_t limit_bytes,
                               struct buffer *out, mqc_error *error);
mqc_status compression_deflate(enum compression_type type, int level, struct slice input,
                               struct buffer *out, mqc_error *error);

#endif
