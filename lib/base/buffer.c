/* The slower half of the byte buffer: growing, formatting, patching; confined to its owner's
 * thread. One byte more than `capacity` is allocated, so that a zero byte always fits behind the
 * end. */
#include "lib/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/bug.h"
#include "lib/base/memory.h"

enum { SMALLEST_CAPACITY = 128 };

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_done(struct buffer *buffer)
{
    memory_free(buffer->data);
    buffer_init(buffer);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

/* The capacity to grow to for `bytes` more, 0 when that is not allowed. */
static size_t grown_capacity(const struct buffer *buffer, size_t bytes)
{
    size_t most = buffer->limit ? buffer->limit : SIZE_MAX - 1;
    if (buffer->size > most || bytes > most - buffer->size) return 0;
    size_t needed = buffer->size + bytes;
    size_t capacity = buffer->capacity > most / 2 ? most : buffer->capacity * 2;
    if (capacity < SMALLEST_CAPACITY) capacity = SMALLEST_CAPACITY;
    if (capacity < needed) capacity = needed;
    return capacity < most ? capacity : most;
}

char *buffer_grow(struct buffer *buffer, size_t bytes)
{
    if (buffer->failed) return NULL;
    size_t capacity = grown_capacity(buffer, bytes);
    char *data = capacity > 0 ? memory_resize(buffer->data, capacity + 1) : NULL;
    if (!data) {
        buffer->failed = true;
        return NULL;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return data + buffer->size;
}

void buffer_put(struct buffer *buffer, const void *bytes, size_t size)
{
    if (size == 0) return;
    char *place = buffer_reserve(buffer, size);
    if (!place) return;
    memcpy(place, bytes, size);
    buffer_commit(buffer, size);
}

void buffer_put_slice(struct buffer *buffer, struct slice slice)
{
    buffer_put(buffer, slice.data, slice.size);
}

void buffer_put_text(struct buffer *buffer, const char *text)
{
    if (text) buffer_put(buffer, text, strlen(text));
}

void buffer_put_format(struct buffer *buffer, const char *format, ...)
{
    char *place = buffer_reserve(buffer, 0);
    if (!place) return;
    size_t room = buffer->capacity - buffer->size;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(place, room + 1, format, arguments);
    if (length < 0) {
        buffer->failed = true;
    } else if ((size_t)length > room) {
        place = buffer_reserve(buffer, (size_t)length);
        if (place) vsnprintf(place, (size_t)length + 1, format, again);
    }
    if (!buffer->failed) buffer_commit(buffer, (size_t)length);
    va_end(again);
    va_end(arguments);
}

void buffer_put_decimal(struct buffer *buffer, int64_t value)
{
    char text[21];
    buffer_put(buffer, text, decimal_write(text, value));
}

/* The place of a patch; NULL when the buffer failed, for then what is patched may be missing. */
static char *patched_place(struct buffer *buffer, size_t at, size_t bytes)
{
    if (buffer->failed) return NULL;
    BUG_IF(bytes > buffer->size || at > buffer->size - bytes,
           "patch of %zu bytes at %zu in a buffer of %zu", bytes, at, buffer->size);
    return buffer->data + at;
}

void buffer_patch_16(struct buffer *buffer, size_t at, uint16_t value)
{
    char *place = patched_place(buffer, at, 2);
    for (int i = 0; place && i < 2; i++) place[i] = (char)(value >> (8 - 8 * i));
}

void buffer_patch_32(struct buffer *buffer, size_t at, uint32_t value)
{
    char *place = patched_place(buffer, at, 4);
    for (int i = 0; place && i < 4; i++) place[i] = (char)(value >> (24 - 8 * i));
}

void buffer_drop_front(struct buffer *buffer, size_t bytes)
{
    BUG_IF(bytes > buffer->size, "%zu bytes dropped from a buffer of %zu", bytes, buffer->size);
    buffer->size -= bytes;
    if (bytes > 0 && buffer->size > 0) memmove(buffer->data, buffer->data + bytes, buffer->size);
}

void buffer_truncate(struct buffer *buffer, size_t size)
{
    if (size < buffer->size) buffer->size = size;
}

const char *buffer_text(struct buffer *buffer)
{
    if (buffer->failed) return NULL;
    if (!buffer->data) return "";
    buffer->data[buffer->size] = '\0';
    return buffer->data;
}

char *buffer_take(struct buffer *buffer)
{
    char *place = buffer_reserve(buffer, 0); /* memory even for an empty text */
    if (!place) return NULL;
    *place = '\0';
    char *taken = buffer->data;
    *buffer = (struct buffer){.limit = buffer->limit};
    return taken;
}

size_t decimal_write(char *out, int64_t value)
{
    char digits[20], *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    size_t sign = value < 0;
    if (sign) out[0] = '-';
    if (rest < 10) {
        out[sign] = (char)('0' + rest);
        return sign + 1;
    }
    for (; rest >= 10; rest /= 100) { /* two digits a division */
        unsigned two = (unsigned)(rest % 100);
        *--first = (char)('0' + two % 10);
        *--first = (char)('0' + two / 10);
    }
    if (rest > 0) *--first = (char)('0' + rest);
    size_t count = (size_t)(digits + sizeof digits - first);
    memcpy(out + sign, first, count);
    return sign + count;
}
