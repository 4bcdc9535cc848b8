/* Reading bytes without ever reading past the end. Failure is sticky: after an underrun every read
 * yields 0 or an absent slice, so that decoders are straight lines with one check at the end. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "lib/base/slice.h"

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct cursor cursor_of(struct slice slice)
{
    /* Absent bytes read as empty ones: adding even 0 to NULL is undefined. */
    const uint8_t *data = (const uint8_t *)(slice.data ? slice.data : "");
    return (struct cursor){data, data + (slice.data ? slice.size : 0), false};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* The next `bytes` bytes, or NULL and failed. */
static inline const uint8_t *cursor_skip(struct cursor *cursor, size_t bytes)
{
    if (cursor->failed || cursor_left(cursor) < bytes) {
        cursor->failed = true;
        return NULL;
    }
    const uint8_t *start = cursor->at;
    cursor->at += bytes;
    return start;
}

static inline uint8_t cursor_u8(struct cursor *cursor)
{
    const uint8_t *p = cursor_skip(cursor, 1);
    return p ? p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *cursor)
{
    const uint8_t *p = cursor_skip(cursor, 2);
    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t cursor_u32(struct cursor *cursor)
{
    const uint8_t *p = cursor_skip(cursor, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cursor_u64(struct cursor *cursor)
{
    uint64_t high = cursor_u32(cursor);
    return high << 32 | cursor_u32(cursor);
}

static inline int32_t cursor_i32(struct cursor *cursor)
{
    return (int32_t)cursor_u32(cursor);
}

static inline int64_t cursor_i64(struct cursor *cursor)
{
    return (int64_t)cursor_u64(cursor);
}

/* A slice of `size` bytes; a negative size fails. */
static inline struct slice cursor_slice(struct cursor *cursor, int64_t size)
{
    if (size < 0 || (uint64_t)size > cursor_left(cursor)) cursor->failed = true;
    const uint8_t *p = cursor_skip(cursor, (size_t)size);
    return p ? slice_of(p, (size_t)size) : SLICE_ABSENT;
}

#endif
