/* What the stand-ins for the library's roles share. */
#ifndef TEST_TOOL_FAKE_H
#define TEST_TOOL_FAKE_H

#include <mqclient/api.h>

/* Adds a line to the file that FAKE_LOG names. Any thread. */
void note(const char *format, ...) MQC_PRINTF(1, 2);

static inline const char *or_none(const char *text)
{
    return text ? text : "none";
}

#endif
