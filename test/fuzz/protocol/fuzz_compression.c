/* Compressed bodies, bombs among them: what comes out stays under the limit. The first byte chooses
 * the algorithm. */
#include "lib/base/buffer.h"
#include "lib/protocol/compression.h"
#include "test/fuzz/fuzz.h"

/* Little, so that bombs take no time. */
enum { LIMIT_BYTES = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const enum compression_type types[] = {COMPRESSION_LZ4, COMPRESSION_ZSTD,
                                                  COMPRESSION_ZLIB};
    if (size == 0) return 0;
    struct slice input = slice_of(bytes + 1, size - 1);
    struct buffer out;
    buffer_init(&out);
    if (compression_inflate(types[bytes[0] % 3], input, LIMIT_BYTES, &out, NULL) == MQC_OK)
        FUZZ_HOLDS(out.size <= LIMIT_BYTES);
    buffer_done(&out);
    return 0;
}
