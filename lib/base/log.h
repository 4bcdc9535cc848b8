/* The one logger. The level is tested before anything is formatted; a line is one event, values as
 * name=value; never written under a lock of ours, never with bodies or secrets in it. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <mqclient/log.h>

enum log_subject {
    LOG_LIFECYCLE,
    LOG_REMOTING,
    LOG_ROUTE,
    LOG_PRODUCER,
    LOG_CONSUMER,
    LOG_REBALANCE,
    LOG_PULL,
    LOG_OFFSETS,
    LOG_EMBEDDED,
    LOG_SUBJECT_COUNT
};

extern _Atomic int log_level_now; /* read by the macros only */

void log_write(mqc_log_level level, enum log_subject subject, const char *format, ...)
    MQC_PRINTF(3, 4);

/* The name that log lines show for the calling thread; `name` must live as long as the thread. */
void log_name_thread(const char *name);

#define LOG_AT(level, subject, ...)                                                                \
    do {                                                                                           \
        if ((int)(level) <= log_level_now) log_write((level), (subject), __VA_ARGS__);             \
    } while (0)
#define log_error(subject, ...) LOG_AT(MQC_LOG_ERROR, subject, __VA_ARGS__)
#define log_warn(subject, ...)  LOG_AT(MQC_LOG_WARN, subject, __VA_ARGS__)
#define log_info(subject, ...)  LOG_AT(MQC_LOG_INFO, subject, __VA_ARGS__)
#define log_debug(subject, ...) LOG_AT(MQC_LOG_DEBUG, subject, __VA_ARGS__)
#define log_wire(subject, ...)  LOG_AT(MQC_LOG_WIRE, subject, __VA_ARGS__)

#endif
