/* Inflating received bodies and deflating those to be sent; pure functions, any thread. The three
 * formats are streamed into the caller's buffer, which never grows beyond the limit: what the input
 * claims about its size is not believed. */
#include "lib/protocol/compression.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/sys_flag.h"

enum { FIRST_OUTPUT_BYTES = 4096, STEP_MAX_BYTES = 1 << 30, ZSTD_SMALLEST_WINDOW_LOG = 23 };

/* Where a decompressor writes: the free part of the buffer, then, at the limit, one spare byte that
 * tells an output that fits exactly from one that is too big. */
struct sink {
    struct buffer *out;
    size_t allowed; /* bytes in all */
    size_t limit;   /* bytes that may still come */
    char *at;
    size_t room;
    char spare;
};

static mqc_status inflate_by_type(enum compression_type type, struct slice input, struct sink *sink,
                                  mqc_error *error);
static mqc_status inflate_zlib(struct slice input, struct sink *sink, mqc_error *error);
static mqc_status inflate_lz4(struct slice input, struct sink *sink, mqc_error *error);
static mqc_status inflate_zstd(struct slice input, struct sink *sink, mqc_error *error);
static mqc_status deflate_zlib(int level, struct slice input, struct buffer *out, mqc_error *error);

enum compression_type compression_of_sys_flag(int32_t sys_flag)
{
    switch (sys_flag & MESSAGE_FLAG_COMPRESSION) {
    case 0:
    case MESSAGE_FLAG_ZLIB: return COMPRESSION_ZLIB;
    case MESSAGE_FLAG_LZ4: return COMPRESSION_LZ4;
    case MESSAGE_FLAG_ZSTD: return COMPRESSION_ZSTD;
    default: return 0;
    }
}

int32_t compression_to_sys_flag(enum compression_type type)
{
    return MESSAGE_FLAG_COMPRESSED | (int32_t)type << 8;
}

mqc_status compression_inflate(enum compression_type type, struct slice input, size_t limit_bytes,
                               struct buffer *out, mqc_error *error)
{
    size_t size_before = out->size;
    size_t limit_before = out->limit;
    size_t most = out->size + limit_bytes;
    /* The buffer's own limit keeps its doubling below ours. */
    if (limit_before == 0 || most < limit_before) out->limit = most ? most : 1;
    struct sink sink = {.out = out, .allowed = limit_bytes, .limit = limit_bytes};
    mqc_status status = inflate_by_type(type, input, &sink, error);
    out->limit = limit_before;
    if (status != MQC_OK) buffer_truncate(out, size_before);
    return status;
}

static mqc_status inflate_by_type(enum compression_type type, struct slice input, struct sink *sink,
                                  mqc_error *error)
{
    if (input.size == 0)
        return error_set(error, MQC_BAD_FRAME, "compressed body: there is no data");
    switch (type) {
    case COMPRESSION_ZLIB: return inflate_zlib(input, sink, error);
    case COMPRESSION_LZ4: return inflate_lz4(input, sink, error);
    case COMPRESSION_ZSTD: return inflate_zstd(input, sink, error);
    default:
        return error_set(error, MQC_BAD_FRAME,
                         "compressed body: type %d is none of lz4 (1), zstd (2), zlib (3)",
                         (int)type);
    }
}

/* Finds room for the next output. */
static mqc_status sink_open(struct sink *sink, size_t hint, mqc_error *error)
{
    if (sink->limit == 0) {
        sink->at = &sink->spare;
        sink->room = 1;
        return MQC_OK;
    }
    struct buffer *out = sink->out;
    size_t wanted = hint > FIRST_OUTPUT_BYTES ? hint : FIRST_OUTPUT_BYTES;
    if (out->capacity > out->size) wanted = out->capacity - out->size;
    if (wanted > sink->limit) wanted = sink->limit;
    if (wanted > STEP_MAX_BYTES) wanted = STEP_MAX_BYTES;
    sink->at = buffer_reserve(out, wanted);
    if (!sink->at) return error_no_memory(error);
    sink->room = wanted;
    return MQC_OK;
}

static mqc_status sink_wrote(struct sink *sink, size_t bytes, mqc_error *error)
{
    if (bytes == 0) return MQC_OK;
    if (sink->at == &sink->spare)
        return error_set(error, MQC_TOO_BIG, "compressed body: larger than %zu bytes when inflated",
                         sink->allowed);
    buffer_commit(sink->out, bytes);
    sink->limit -= bytes;
    return MQC_OK;
}

static mqc_status damaged(const char *format, const char *why, mqc_error *error)
{
    return error_set(error, MQC_BAD_FRAME, "compressed body: damaged %s data: %s", format, why);
}

/* An estimate of the output, so that most bodies are inflated without growing. */
static size_t first_guess(struct slice input)
{
    return input.size < SIZE_MAX / 4 ? input.size * 4 : input.size;
}

/* ---- zlib (RFC 1950) ---- */

static voidpf zlib_allocate(voidpf opaque, uInt items, uInt size)
{
    (void)opaque;
    return memory_allocate((size_t)items * size);
}

static void zlib_free(voidpf opaque, voidpf block)
{
    (void)opaque;
    memory_free(block);
}

static z_stream zlib_stream(struct slice input)
{
    return (z_stream){
        .zalloc = zlib_allocate,
        .zfree = zlib_free,
        .next_in = (Bytef *)(uintptr_t)input.data, /* zlib's type lacks the const */
        .avail_in = (uInt)input.size,
    };
}

static mqc_status inflate_zlib(struct slice input, struct sink *sink, mqc_error *error)
{
    if (input.size > UINT32_MAX)
        return error_set(error, MQC_TOO_BIG, "compressed body above 4 GiB");
    z_stream stream = zlib_stream(input);
    if (inflateInit(&stream) != Z_OK) return error_no_memory(error);
    mqc_status status = MQC_OK;
    int code = Z_OK;
    size_t hint = first_guess(input);
    while (status == MQC_OK && code != Z_STREAM_END) {
        status = sink_open(sink, hint, error);
        if (status != MQC_OK) break;
        stream.next_out = (Bytef *)sink->at;
        stream.avail_out = (uInt)sink->room;
        code = inflate(&stream, Z_NO_FLUSH);
        status = sink_wrote(sink, sink->room - stream.avail_out, error);
        if (status == MQC_OK && code == Z_MEM_ERROR) status = error_no_memory(error);
        if (status == MQC_OK && code != Z_OK && code != Z_STREAM_END)
            status = damaged("zlib", stream.msg ? stream.msg : "it ends too early", error);
        hint = sink->out->size;
    }
    inflateEnd(&stream);
    return status;
}

/* ---- LZ4 frames and Zstandard: one or several frames, one behind the other ---- */

static mqc_status inflate_lz4(struct slice input, struct sink *sink, mqc_error *error)
{
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return error_no_memory(error);
    mqc_status status = MQC_OK;
    size_t left = 1; /* 0: a frame is complete */
    size_t hint = first_guess(input);
    while (status == MQC_OK && (input.size > 0 || left != 0)) {
        status = sink_open(sink, hint, error);
        if (status != MQC_OK) break;
        size_t wrote = sink->room, read = input.size;
        left = LZ4F_decompress(context, sink->at, &wrote, input.data, &read, NULL);
        if (LZ4F_isError(left)) {
            status = damaged("LZ4", LZ4F_getErrorName(left), error);
            break;
        }
        input = slice_of(input.data + read, input.size - read);
        status = sink_wrote(sink, wrote, error);
        if (status == MQC_OK && read == 0 && wrote == 0 && left != 0)
            status = damaged("LZ4", "it ends too early", error);
        hint = sink->out->size;
    }
    LZ4F_freeDecompressionContext(context);
    return status;
}

/* The decoder keeps a window as large as the frame asks for: no larger than the output may be,
 * but every decoder is expected to cope with 8 MiB. */
static int zstd_window_log(size_t limit)
{
    int log = ZSTD_SMALLEST_WINDOW_LOG;
    int most = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound;
    while (log < most && ((size_t)1 << log) < limit) log++;
    return log;
}

static mqc_status inflate_zstd(struct slice input, struct sink *sink, mqc_error *error)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (!context) return error_no_memory(error);
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, zstd_window_log(sink->limit));
    mqc_status status = MQC_OK;
    ZSTD_inBuffer in = {input.data, input.size, 0};
    size_t left = 1; /* 0: a frame is complete */
    size_t hint = first_guess(input);
    while (status == MQC_OK && (in.pos < in.size || left != 0)) {
        status = sink_open(sink, hint, error);
        if (status != MQC_OK) break;
        ZSTD_outBuffer out = {sink->at, sink->room, 0};
        size_t before = in.pos;
        left = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(left)) {
            status = damaged("Zstandard", ZSTD_getErrorName(left), error);
            break;
        }
        status = sink_wrote(sink, out.pos, error);
        if (status == MQC_OK && in.pos == before && out.pos == 0 && left != 0)
            status = damaged("Zstandard", "it ends too early", error);
        hint = sink->out->size;
    }
    ZSTD_freeDCtx(context);
    return status;
}

/* ---- deflating ---- */

/* Java reads frames of independent blocks only (net.jpountz LZ4FrameInputStream), and drops a
 * message whose body it cannot read. LZ4 takes a smaller block size where that is enough. */
static const LZ4F_preferences_t LZ4_AS_JAVA = {
    .frameInfo = {.blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max4MB}};

mqc_status compression_deflate(enum compression_type type, int level, struct slice input,
                               struct buffer *out, mqc_error *error)
{
    if (input.size > INT32_MAX) return error_set(error, MQC_TOO_BIG, "body above 2 GiB");
    if (type == COMPRESSION_ZLIB) return deflate_zlib(level, input, out, error);
    size_t bound;
    switch (type) {
    case COMPRESSION_LZ4: bound = LZ4F_compressFrameBound(input.size, &LZ4_AS_JAVA); break;
    case COMPRESSION_ZSTD: bound = ZSTD_compressBound(input.size); break;
    default:
        return error_set(error, MQC_BAD_ARGUMENT,
                         "compression type %d is none of lz4 (1), zstd (2), zlib (3)", (int)type);
    }
    char *place = buffer_reserve(out, bound);
    if (!place) return error_no_memory(error);
    /* As the Java client: LZ4 always in its fast mode, whatever the level. */
    size_t size = type == COMPRESSION_LZ4
                      ? LZ4F_compressFrame(place, bound, input.data, input.size, &LZ4_AS_JAVA)
                      : ZSTD_compress(place, bound, input.data, input.size, level);
    bool failed = type == COMPRESSION_LZ4 ? LZ4F_isError(size) != 0 : ZSTD_isError(size) != 0;
    if (failed) return error_no_memory(error); /* with enough room nothing else can go wrong */
    buffer_commit(out, size);
    return MQC_OK;
}

static mqc_status deflate_zlib(int level, struct slice input, struct buffer *out, mqc_error *error)
{
    if (level < Z_DEFAULT_COMPRESSION) level = Z_DEFAULT_COMPRESSION;
    if (level > Z_BEST_COMPRESSION) level = Z_BEST_COMPRESSION;
    z_stream stream = zlib_stream(input);
    if (deflateInit(&stream, level) != Z_OK) return error_no_memory(error);
    uLong bound = deflateBound(&stream, (uLong)input.size);
    char *place = buffer_reserve(out, bound);
    mqc_status status = MQC_OK;
    if (!place) {
        status = error_no_memory(error);
    } else {
        stream.next_out = (Bytef *)place;
        stream.avail_out = (uInt)bound;
        deflate(&stream, Z_FINISH); /* one call is enough with that much room */
        buffer_commit(out, bound - stream.avail_out);
    }
    deflateEnd(&stream);
    return status;
}
