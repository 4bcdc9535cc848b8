/* Formatting into arrays of fixed size: what does not fit is cut visibly, never inside a character.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* Like vsnprintf, but a text that was cut ends with "…", and the length returned is that of what is
 * in `out`. */
size_t text_format(char *out, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
