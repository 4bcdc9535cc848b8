/* UTF-8 seen as Java's UTF-16. Pure; any thread. Called for tag codes, queue order and client
 * order, where a difference from Java would split queues or filter messages wrongly. */
#include "lib/protocol/java_text.h"

#include "lib/protocol/utf8.h"

/* Yields UTF-16 units; a surrogate pair's second half waits in `low`. */
struct units {
    const uint8_t *at;
    const uint8_t *end;
    uint16_t low;
};

static struct units units_of(struct slice text)
{
    const uint8_t *data = (const uint8_t *)text.data;
    return (struct units){data, data ? data + text.size : data, 0};
}

static bool units_next(struct units *units, uint16_t *unit)
{
    if (units->low) {
        *unit = units->low;
        units->low = 0;
        return true;
    }
    if (units->at == units->end) return false;
    uint32_t code_point;
    utf8_next(&units->at, units->end, &code_point);
    if (code_point >= 0x10000) {
        units->low = (uint16_t)(0xDC00 | (code_point & 0x3FF));
        code_point = 0xD800 + ((code_point - 0x10000) >> 10);
    }
    *unit = (uint16_t)code_point;
    return true;
}

int32_t java_hash(struct slice text)
{
    struct units units = units_of(text);
    uint32_t hash = 0;
    for (uint16_t unit; units_next(&units, &unit);) hash = 31 * hash + unit;
    return (int32_t)hash;
}

int java_compare(struct slice a, struct slice b)
{
    size_t common = 0, shorter = a.size < b.size ? a.size : b.size;
    while (common < shorter && a.data[common] == b.data[common] && (a.data[common] & 0x80) == 0)
        common++;
    struct units left = units_of(slice_of(a.data ? a.data + common : NULL, a.size - common));
    struct units right = units_of(slice_of(b.data ? b.data + common : NULL, b.size - common));
    for (;;) {
        uint16_t x, y;
        bool more_left = units_next(&left, &x), more_right = units_next(&right, &y);
        if (!more_left || !more_right) return (int)more_left - (int)more_right;
        if (x != y) return x < y ? -1 : 1;
    }
}
