/* See progress.h. Main thread. */
#include "tools/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DRAW_EVERY_MS = 100, BAR_CHARACTERS = 30 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, const char *unit, int64_t total, bool quiet)
{
    *progress = (struct progress){
        .shown = isatty(STDERR_FILENO) && (quiet || !isatty(STDOUT_FILENO)),
        .unit = unit,
        .total = total,
        .began_ms = now_ms(),
    };
}

void progress_step(struct progress *progress, int64_t done, long count)
{
    if (!progress->shown) return;
    int64_t now = now_ms(), passed_ms = now - progress->began_ms;
    if (now - progress->drawn_ms < DRAW_EVERY_MS) return;
    progress->drawn_ms = now;
    char bar[BAR_CHARACTERS + 1] = "";
    if (progress->total > 0) {
        int full = (int)(done * BAR_CHARACTERS / progress->total);
        if (full > BAR_CHARACTERS) full = BAR_CHARACTERS;
        memset(bar, '.', BAR_CHARACTERS);
        memset(bar, '#', (size_t)full);
        fprintf(stderr, "\r\033[K[%s] %3d %%  ", bar, (int)(done * 100 / progress->total));
    } else {
        fprintf(stderr, "\r\033[K");
    }
    fprintf(stderr, "%ld %s, %lld/s", count, progress->unit,
            (long long)(passed_ms > 0 ? count * 1000 / passed_ms : 0));
    fflush(stderr);
}

void progress_clear(const struct progress *progress)
{
    if (progress->shown) fputs("\r\033[K", stderr);
}

void progress_end(struct progress *progress)
{
    progress_clear(progress);
    progress->shown = false;
}
