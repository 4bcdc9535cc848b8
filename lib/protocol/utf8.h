/* One step through UTF-8, as strict as Unicode 15 and with Java's idea of how much of a malformed
 * sequence one U+FFFD stands for. Pure. Used where texts are hashed, compared and taken from JSON.
 */
#ifndef PROTOCOL_UTF8_H
#define PROTOCOL_UTF8_H

#include <stdbool.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xFFFD };

/* Reads the character at *at, which is before `end`, and moves past it. False for malformed bytes:
 * *code_point is then U+FFFD and *at past those it replaces. */
bool utf8_next(const uint8_t **at, const uint8_t *end, uint32_t *code_point);

#endif
