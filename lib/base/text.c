/* Cutting texts to arrays of fixed size; any thread. Used for errors and log lines. */
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

static const char ELLIPSIS[] = "…";

size_t text_format(char *out, size_t size, const char *format, va_list arguments)
{
    if (size == 0) return 0;
    int length = vsnprintf(out, size, format, arguments);
    if (length < 0) length = 0; /* what was written before the failing conversion is not defined */
    if (length == 0) out[0] = '\0';
    if ((size_t)length < size) return (size_t)length;
    if (size < sizeof ELLIPSIS) return size - 1;
    size_t end = size - sizeof ELLIPSIS;
    while (end > 0 && ((unsigned char)out[end] & 0xC0) == 0x80) end--; /* inside a character */
    memcpy(out + end, ELLIPSIS, sizeof ELLIPSIS);
    return end + sizeof ELLIPSIS - 1;
}
