/* What a process needs, from /proc, over the time of a run. */
#ifndef CHAOS_WATCH_H
#define CHAOS_WATCH_H

#include <stdbool.h>
#include <stdio.h>

struct usage {
    long memory_kib, threads, descriptors;
};

struct watch {
    const char *name;
    int pid;
    struct usage early; /* the most in the first third of the run */
    struct usage most;  /* of the whole run */
    struct usage late;  /* the most in the last third */
    long looks;
};

/* `part` of the run has passed: 0 to 1. Nothing when the process is gone. */
void watch_look(struct watch *watch, double part);
/* Prints it, and whether it has grown no further than noise since the first third. */
bool watch_bounded(const struct watch *watch, FILE *out);

#endif
