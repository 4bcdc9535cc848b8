/* Where the library's log lines go. By default lines of level WARN and above go to standard error;
 * the library never opens a log file. Settings are for the whole process. */
#ifndef MQCLIENT_LOG_H
#define MQCLIENT_LOG_H

#include <mqclient/api.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mqc_log_level {
    MQC_LOG_OFF,
    MQC_LOG_ERROR, /* work was lost or a promise cannot be kept */
    MQC_LOG_WARN,  /* something failed and is tried again */
    MQC_LOG_INFO,  /* changes of state */
    MQC_LOG_DEBUG,
    MQC_LOG_WIRE /* one line a frame, header fields only; never bodies, never secrets */
} mqc_log_level;

/* One line. All pointers are valid during the sink's call only. */
typedef struct mqc_log_line {
    mqc_log_level level;
    int64_t unix_us;     /* wall time, microseconds since 1970 */
    const char *subject; /* part of the library: "remoting", "route", "rebalance", … */
    const char *thread;  /* name of the library thread, or "app" for a caller's own */
    const char *text;    /* no newline */
} mqc_log_line;

/* Called on any thread, with no lock of the library held; must not call mqc_log_* itself. */
typedef void mqc_log_sink(const mqc_log_line *line, void *arg);

/* Sends lines up to `level` to `sink` (NULL: standard error). May be called at any time from any
 * thread outside a sink; lines that are being written at that moment may still reach the old sink.
 */
MQC_API void mqc_log_to(mqc_log_sink *sink, void *arg, mqc_log_level level);

/* Changes the level alone. Any thread, any time. */
MQC_API void mqc_log_set_level(mqc_log_level level);

/* "ERROR", "WARN", …; never NULL. */
MQC_API const char *mqc_log_level_name(mqc_log_level level);

#ifdef __cplusplus
}
#endif
#endif
