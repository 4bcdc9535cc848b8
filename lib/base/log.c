/* The logger: formats a line on the caller's stack and hands it to the sink, on whatever thread has
 * something to say. Takes no lock: sink and argument are read as a pair under a sequence number. */
#include "lib/base/log.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/lock.h"
#include "lib/base/text.h"

enum { TEXT_BYTES = 2048, LINE_BYTES = TEXT_BYTES + 256 };

static const char *const SUBJECT_NAMES[LOG_SUBJECT_COUNT] = {
    [LOG_LIFECYCLE] = "lifecycle", [LOG_REMOTING] = "remoting", [LOG_ROUTE] = "route",
    [LOG_PRODUCER] = "producer",   [LOG_CONSUMER] = "consumer", [LOG_REBALANCE] = "rebalance",
    [LOG_PULL] = "pull",           [LOG_OFFSETS] = "offsets",   [LOG_EMBEDDED] = "embedded",
};

static void write_to_stderr(const mqc_log_line *line, void *arg);

_Atomic int log_level_now = MQC_LOG_WARN;

/* Where lines go. `sequence` is odd while the pair is being changed. */
static struct {
    atomic_uint sequence;
    _Atomic(mqc_log_sink *) sink;
    _Atomic(void *) arg;
} target = {.sink = write_to_stderr};

static _Thread_local const char *thread_name;
static _Thread_local bool inside_sink;

static void target_set(mqc_log_sink *sink, void *arg)
{
    unsigned sequence = atomic_load(&target.sequence);
    while (sequence % 2 == 1 ||
           !atomic_compare_exchange_weak(&target.sequence, &sequence, sequence + 1)) {
        sched_yield(); /* another thread is between these lines */
        sequence = atomic_load(&target.sequence);
    }
    atomic_store(&target.sink, sink);
    atomic_store(&target.arg, arg);
    atomic_store(&target.sequence, sequence + 2);
}

static mqc_log_sink *target_get(void **arg)
{
    for (;; sched_yield()) {
        unsigned sequence = atomic_load(&target.sequence);
        mqc_log_sink *sink = atomic_load(&target.sink);
        *arg = atomic_load(&target.arg);
        if (sequence % 2 == 0 && atomic_load(&target.sequence) == sequence) return sink;
    }
}

void mqc_log_to(mqc_log_sink *sink, void *arg, mqc_log_level level)
{
    target_set(sink ? sink : write_to_stderr, arg);
    mqc_log_set_level(level);
}

void mqc_log_set_level(mqc_log_level level)
{
    int number = (int)level;
    if (number < MQC_LOG_OFF) number = MQC_LOG_OFF;
    if (number > MQC_LOG_WIRE) number = MQC_LOG_WIRE;
    atomic_store(&log_level_now, number);
}

const char *mqc_log_level_name(mqc_log_level level)
{
    switch (level) {
    case MQC_LOG_OFF: return "OFF";
    case MQC_LOG_ERROR: return "ERROR";
    case MQC_LOG_WARN: return "WARN";
    case MQC_LOG_INFO: return "INFO";
    case MQC_LOG_DEBUG: return "DEBUG";
    case MQC_LOG_WIRE: return "WIRE";
    }
    return "UNKNOWN";
}

void log_name_thread(const char *name)
{
    thread_name = name;
}

/* What brokers send may end up in a line, and a line is one line. */
static void blank_control_characters(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F) *text = ' ';
}

void log_write(mqc_log_level level, enum log_subject subject, const char *format, ...)
{
    if (inside_sink) return; /* a sink that uses the library must not be called without end */
    BUG_IF(lock_any_held(), "a log line under a lock: %s", format);
    int saved_errno = errno;
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    text_format(text, sizeof text, format, arguments);
    va_end(arguments);
    blank_control_characters(text);

    mqc_log_line line = {
        .level = level,
        .unix_us = clock_unix_us(),
        .subject = SUBJECT_NAMES[subject],
        .thread = thread_name ? thread_name : "app",
        .text = text,
    };
    void *arg;
    mqc_log_sink *sink = target_get(&arg);
    inside_sink = true;
    sink(&line, arg);
    inside_sink = false;
    errno = saved_errno;
}

static void write_to_stderr(const mqc_log_line *line, void *arg)
{
    (void)arg;
    time_t seconds = (time_t)(line->unix_us / 1000000);
    int milliseconds = (int)(line->unix_us / 1000 % 1000);
    struct tm local = {0};
    localtime_r(&seconds, &local);
    char stamp[32] = "";
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &local);

    char out[LINE_BYTES];
    int length = snprintf(out, sizeof out, "%s.%03d %s %s [%.64s] %s\n", stamp, milliseconds,
                          mqc_log_level_name(line->level), line->subject, line->thread, line->text);
    /* One call: lines of several threads and processes stay whole. */
    if (length > 0) fwrite(out, 1, (size_t)length, stderr);
}
