/* Waiting for the end: see ending.h. */
#include "tools/ending.h"

#include <signal.h>
#include <stdint.h>
#include <time.h>

enum { WAKE_SIGNAL = SIGUSR1 };

static void awaited(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, WAKE_SIGNAL);
}

void ending_init(struct ending *ending)
{
    sigset_t signals;
    ending->finished = false;
    ending->main_thread = pthread_self();
    awaited(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

void ending_finish(struct ending *ending)
{
    ending->finished = true;
    pthread_kill(ending->main_thread, WAKE_SIGNAL);
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum ending_cause ending_wait(struct ending *ending, int timeout_s)
{
    sigset_t signals;
    awaited(&signals);
    int64_t end_ms = monotonic_ms() + (int64_t)timeout_s * 1000;
    for (;;) {
        int64_t left_ms = timeout_s > 0 ? end_ms - monotonic_ms() : 60000;
        if (left_ms < 0) left_ms = 0;
        struct timespec left = {.tv_sec = (time_t)(left_ms / 1000),
                                .tv_nsec = (long)(left_ms % 1000) * 1000000};
        int number = sigtimedwait(&signals, NULL, &left);
        if (ending->finished) return ENDING_FINISHED;
        if (number > 0 && number != WAKE_SIGNAL) return ENDING_SIGNAL;
        if (timeout_s > 0 && monotonic_ms() >= end_ms) return ENDING_TIMEOUT;
    }
}
