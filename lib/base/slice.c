/* Looking into byte runs: splitting, trimming, numbers, hash; pure functions. Used by the decoders,
 * the option parser and the maps. */
#include "lib/base/slice.h"

#include <strings.h>

#include "lib/base/bug.h"
#include "lib/base/memory.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice slice)
{
    while (slice.size > 0 && is_blank(slice.data[0])) slice.data++, slice.size--;
    while (slice.size > 0 && is_blank(slice.data[slice.size - 1])) slice.size--;
    return slice;
}

struct slice slice_split(struct slice *slice, const char *separator)
{
    size_t width = strlen(separator);
    BUG_IF(width == 0, "split by an empty separator");
    struct slice part = *slice;
    const char *found = part.size > 0 ? memmem(part.data, part.size, separator, width) : NULL;
    if (!found) {
        *slice = SLICE_ABSENT;
        return part;
    }
    part.size = (size_t)(found - part.data);
    *slice = slice_of(found + width, slice->size - part.size - width);
    return part;
}

bool slice_to_int64(struct slice slice, int64_t *out)
{
    enum { SURELY_FITS = 18 };
    bool negative = slice.size > 0 && slice.data[0] == '-';
    size_t i = negative || (slice.size > 0 && slice.data[0] == '+') ? 1 : 0;
    if (i == slice.size) return false;
    int64_t value = 0;
    for (; i < slice.size && i < SURELY_FITS; i++) {
        unsigned digit = (unsigned char)slice.data[i] - (unsigned)'0';
        if (digit > 9) return false;
        value = value * 10 + digit;
    }
    if (negative) value = -value;
    for (; i < slice.size; i++) {
        int digit = slice.data[i] - '0';
        if (digit < 0 || digit > 9) return false;
        /* Towards the number's own sign, or the smallest number could not be read. */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool slice_to_int32(struct slice slice, int32_t *out)
{
    int64_t value;
    if (!slice_to_int64(slice, &value) || value < INT32_MIN || value > INT32_MAX) return false;
    *out = (int32_t)value;
    return true;
}

bool slice_to_bool(struct slice slice)
{
    return slice.size == 4 && strncasecmp(slice.data, "true", 4) == 0;
}

char *slice_duplicate(struct slice slice)
{
    return slice.data ? memory_copy(slice.data, slice.size) : NULL;
}

/* Eight bytes a step, multiply and fold (as murmur does): the maps use the low bits. */
static uint64_t hash_step(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

uint32_t slice_hash(struct slice slice)
{
    uint64_t hash = slice.size;
    uint64_t word = 0;
    size_t at = 0;
    for (; slice.size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, slice.data + at, sizeof word);
        hash = hash_step(hash, word);
    }
    if (at > 0) { /* the last eight, some of them for the second time */
        memcpy(&word, slice.data + slice.size - sizeof word, sizeof word);
    } else {
        for (; at < slice.size; at++) word = word << 8 | (unsigned char)slice.data[at];
    }
    hash = hash_step(hash_step(hash, word), 0);
    return (uint32_t)hash;
}
