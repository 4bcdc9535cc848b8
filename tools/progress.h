/* A line on the terminal that says how far long work is. */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;
    const char *unit; /* "messages" */
    int64_t total;    /* of `done`; 0: not known */
    int64_t began_ms, drawn_ms;
};

/* Shown on standard error if that is a terminal, and standard output is not one or is not written
 * to (`quiet`). */
void progress_begin(struct progress *progress, const char *unit, int64_t total, bool quiet);
/* `done` of the total, by `count` units of work; draws a few times a second. */
void progress_step(struct progress *progress, int64_t done, long count);
/* Makes room for another line on standard error. Any thread, between begin and end. */
void progress_clear(const struct progress *progress);
void progress_end(struct progress *progress);

#endif
