/* The one growable byte buffer. Writing never fails at once: when memory or the limit runs out the
 * buffer is marked `failed` and ignores further writes, so that encoders are straight lines with
 * one check at the end. Integers are written big-endian. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "lib/base/slice.h"

struct buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t limit; /* most bytes it may grow to; 0: none; to be set before the first write */
    bool failed;
};

void buffer_init(struct buffer *buffer);
void buffer_done(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory, forgets a failure */

char *buffer_grow(struct buffer *buffer, size_t bytes); /* the slow half of buffer_reserve */

/* Makes room for `bytes` behind the end and returns its place (NULL on failure); what is then
 * written there becomes part of the buffer by buffer_commit. */
static inline char *buffer_reserve(struct buffer *buffer, size_t bytes)
{
    if (buffer->data && !buffer->failed && buffer->capacity - buffer->size >= bytes)
        return buffer->data + buffer->size;
    return buffer_grow(buffer, bytes);
}

static inline void buffer_commit(struct buffer *buffer, size_t bytes)
{
    buffer->size += bytes;
}

void buffer_put(struct buffer *buffer, const void *bytes, size_t size);
void buffer_put_slice(struct buffer *buffer, struct slice slice);
void buffer_put_text(struct buffer *buffer, const char *text);
void buffer_put_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_put_decimal(struct buffer *buffer, int64_t value); /* as text */

/* Overwrite what was put earlier, e.g. a length that is known only now. */
void buffer_patch_16(struct buffer *buffer, size_t at, uint16_t value);
void buffer_patch_32(struct buffer *buffer, size_t at, uint32_t value);

void buffer_drop_front(struct buffer *buffer, size_t bytes); /* moves the rest to the front */
void buffer_truncate(struct buffer *buffer, size_t size);

/* The text so far with a zero byte behind it (not counted in size); NULL when the buffer failed. */
const char *buffer_text(struct buffer *buffer);
/* Hands the bytes (zero-ended) over to the caller and leaves the buffer empty; NULL when failed. */
char *buffer_take(struct buffer *buffer);

static inline void buffer_put_8(struct buffer *buffer, uint8_t value)
{
    char *place = buffer_reserve(buffer, 1);
    if (!place) return;
    place[0] = (char)value;
    buffer_commit(buffer, 1);
}

static inline void buffer_put_16(struct buffer *buffer, uint16_t value)
{
    char *place = buffer_reserve(buffer, 2);
    if (!place) return;
    place[0] = (char)(value >> 8);
    place[1] = (char)value;
    buffer_commit(buffer, 2);
}

static inline void buffer_put_32(struct buffer *buffer, uint32_t value)
{
    char *place = buffer_reserve(buffer, 4);
    if (!place) return;
    for (int i = 0; i < 4; i++) place[i] = (char)(value >> (24 - 8 * i));
    buffer_commit(buffer, 4);
}

static inline void buffer_put_64(struct buffer *buffer, uint64_t value)
{
    char *place = buffer_reserve(buffer, 8);
    if (!place) return;
    for (int i = 0; i < 8; i++) place[i] = (char)(value >> (56 - 8 * i));
    buffer_commit(buffer, 8);
}

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->data, buffer->size};
}

/* Decimal text of a number into at least 21 bytes; returns its length. No zero byte. */
size_t decimal_write(char *out, int64_t value);

#endif
