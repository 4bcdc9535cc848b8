/* What the files of the driver share: run.c (the schedule), group.c (processes) and cluster.c. One
 * thread, but for the ledger, which the journal's reader writes. */
#ifndef CHAOS_DRIVER_H
#define CHAOS_DRIVER_H

#include <stdbool.h>

#include "test/chaos/chaos.h"

enum { SEATS = 6 };

struct seat {
    int pid; /* 0: free */
    int id;
    bool leaving, killed;
};

struct driver {
    /* Settings: see run.c. */
    enum mode mode;
    int seconds, speed, rate, brokers;
    unsigned seed;
    const char *real, *journal;
    bool resident;

    char topic[64], group[64], program[512];
    struct cluster *cluster;
    int journal_pipe[2];
    struct seat seats[SEATS];
    int sender_pid; /* 0: it has ended */
    int members;    /* that there were */
};
extern struct driver driver;

/* ---- run.c ---- */
/* A line for the journal, of the driver's own. */
void driver_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- group.c ---- */
/* Starts a program; returns its pid. Its end is told to cluster_child_ended. */
int driver_spawn(char **arguments);
void group_start_sender(void);
void group_join(struct seat *seat);
void group_leave(struct seat *seat, bool kill_it);
/* Takes notice of processes that have ended. */
void group_reap(void);

#endif
