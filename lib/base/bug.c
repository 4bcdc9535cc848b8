/* The end of the process for a broken invariant of ours; any thread. See bug.h. */
#include "lib/base/bug.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void bug_found(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "libmqclient: bug at %s:%d: %s\n", file, line, text);
    abort();
}
