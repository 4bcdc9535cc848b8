/* Filling mqc_error, the names of the statuses, and the version; any thread. Called wherever a
 * failure is first known. */
#include "lib/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/bug.h"
#include "lib/base/text.h"

static mqc_status fill(mqc_error *error, mqc_status status, int broker_code, const char *format,
                       va_list arguments) __attribute__((format(printf, 4, 0)));

mqc_status error_set(mqc_error *error, mqc_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, 0, format, arguments);
    va_end(arguments);
    return status;
}

mqc_status error_no_memory(mqc_error *error)
{
    return error_set(error, MQC_NO_MEMORY, "out of memory");
}

/* strerror_r comes in two kinds; its result's type tells which. */
static const char *gnu_text(const char *result, const char *buffer)
{
    (void)buffer;
    return result;
}

static const char *posix_text(int result, const char *buffer)
{
    return result == 0 ? buffer : "unknown error";
}

#define ERRNO_TEXT(number, buffer, size)                                                           \
    _Generic(strerror_r(number, buffer, size), char *: gnu_text, int: posix_text)(                 \
        strerror_r(number, buffer, size), buffer)

mqc_status error_system(mqc_error *error, int errno_value, const char *doing)
{
    char buffer[128];
    return error_set(error, errno_value == ENOMEM ? MQC_NO_MEMORY : MQC_SYSTEM, "%s: %s", doing,
                     ERRNO_TEXT(errno_value, buffer, sizeof buffer));
}

mqc_status error_refused(mqc_error *error, int broker_code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, MQC_REFUSED, broker_code, format, arguments);
    va_end(arguments);
    return MQC_REFUSED;
}

void error_mark_retryable(mqc_error *error)
{
    if (error) error->retryable = true;
}

void error_mark_maybe_done(mqc_error *error)
{
    if (error) error->maybe_done = true;
}

static mqc_status fill(mqc_error *error, mqc_status status, int broker_code, const char *format,
                       va_list arguments)
{
    BUG_IF(status == MQC_OK, "an error is set with MQC_OK: %s", format);
    if (!error) return status;
    mqc_error filled = {.status = status, .broker_code = broker_code};
    /* Not straight into *error: its old text may be one of the arguments. */
    text_format(filled.text, sizeof filled.text, format, arguments);
    *error = filled;
    return status;
}

const char *mqc_status_name(mqc_status status)
{
    switch (status) {
#define STATUS_NAME(name, meaning)                                                                 \
    case MQC_##name: return "MQC_" #name;
        MQC_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    }
    return "MQC_UNKNOWN";
}

const char *mqc_status_text(mqc_status status)
{
    switch (status) {
#define STATUS_TEXT(name, meaning)                                                                 \
    case MQC_##name: return meaning;
        MQC_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "no status of this library";
}

const char *mqc_version(void)
{
    return MQC_VERSION;
}
