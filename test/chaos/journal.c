/* What the processes of a chaos run have in common; see chaos.h. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "test/chaos/chaos.h"

int mode_of(const char *name)
{
    static const char *const NAMES[] = {"concurrent", "orderly", "pop"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, NAMES[i]) == 0) return i;
    return -1;
}

/* A pipe takes up to PIPE_BUF, 4096, in one piece. */
void journal_write(int descriptor, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size < 0 || size >= LINE_BYTES - 1) abort();
    line[size++] = '\n';
    while (write(descriptor, line, (size_t)size) != size)
        if (errno != EINTR) _exit(3); /* the driver is gone */
}

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void must(mqc_status status, const char *what, const mqc_error *error)
{
    if (status == MQC_OK) return;
    fprintf(stderr, "chaos: %s: %s: %s\n", what, mqc_status_name(status), error->text);
    exit(1);
}

mqc_options *take_options(int count, char **settings)
{
    mqc_error error;
    mqc_options *options = mqc_options_new();
    if (!options) abort();
    for (int i = 0; i < count; i++) {
        char *equals = strchr(settings[i], '=');
        if (!equals) abort();
        *equals = '\0';
        must(mqc_options_set(options, settings[i], equals + 1, &error), settings[i], &error);
        *equals = '=';
    }
    return options;
}

void wait_for_end_only(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void await_end(void)
{
    int number;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigwait(&signals, &number);
}

size_t body_of(int key, int number, char *out)
{
    size_t size = (size_t)sprintf(out, "%d %d ", key, number);
    unsigned state = (unsigned)key * 2654435761u + (unsigned)number;
    size_t whole = size + state % (BODY_BYTES - 40);
    while (size < whole) {
        state = state * 1664525u + 1013904223u;
        out[size++] = (char)('a' + (state >> 24) % 26);
    }
    return size;
}
