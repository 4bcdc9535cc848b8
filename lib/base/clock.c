/* Time from the operating system; any thread. */
#include "lib/base/clock.h"

#include <limits.h>
#include <time.h>

static int64_t now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now); /* cannot fail for these two clocks */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_now_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

int64_t clock_unix_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_unix_us(void)
{
    return now_us(CLOCK_REALTIME);
}

int64_t clock_deadline_ms(int64_t timeout_ms)
{
    if (timeout_ms < 0) return CLOCK_NEVER;
    int64_t now_ms = clock_now_ms();
    return timeout_ms > CLOCK_NEVER - now_ms ? CLOCK_NEVER : now_ms + timeout_ms;
}

int clock_left_ms(int64_t deadline_ms)
{
    if (deadline_ms == CLOCK_NEVER) return -1;
    int64_t now_ms = clock_now_ms();
    if (deadline_ms <= now_ms) return 0;
    int64_t left_ms = deadline_ms - now_ms; /* cannot overflow: now is never negative */
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

void clock_sleep_until(int64_t deadline_ms)
{
    for (int64_t left_ms; (left_ms = deadline_ms - clock_now_ms()) > 0;) {
        struct timespec pause = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000};
        nanosleep(&pause, NULL);
    }
}
