/* Decoding one character of UTF-8. Pure; any thread. Called by java_text.c and header_scanner.c. */
#include "lib/protocol/utf8.h"

#include <stddef.h>

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* How many bytes a lead byte announces, 0 when it cannot begin a character. */
static size_t announced(uint8_t lead)
{
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/* Whether the second byte can follow the lead: excludes overlong forms and what is above U+10FFFF.
 * Surrogates pass here, for Java replaces their three bytes as one. */
static bool second_fits(uint8_t lead, uint8_t second)
{
    if (!is_continuation(second)) return false;
    if (lead == 0xE0) return second >= 0xA0;
    if (lead == 0xF0) return second >= 0x90;
    if (lead == 0xF4) return second <= 0x8F;
    return true;
}

bool utf8_next(const uint8_t **at, const uint8_t *end, uint32_t *code_point)
{
    const uint8_t *start = *at;
    uint8_t lead = *start;
    *at = start + 1;
    *code_point = lead;
    if (lead < 0x80) return true;
    *code_point = UTF8_REPLACEMENT;
    size_t size = announced(lead), good = 1;
    if (size == 0) return false;
    while (good < size && start + good < end &&
           (good == 1 ? second_fits(lead, start[1]) : is_continuation(start[good])))
        good++;
    *at = start + good;
    if (good < size) return false;
    uint32_t value = lead & (0xFFU >> (size + 1));
    for (size_t i = 1; i < size; i++) value = value << 6 | (start[i] & 0x3FU);
    if (value >= 0xD800 && value <= 0xDFFF) return false;
    *code_point = value;
    return true;
}
