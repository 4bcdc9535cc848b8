/* A gate that listeners wait at until the test opens it. */
#ifndef CONTRACT_GATE_H
#define CONTRACT_GATE_H

#include <pthread.h>

#include "test/contract/collector.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int entered; /* listener calls that have come */
    int left;    /* … and gone on */
    bool open;
};
#define GATE_CLOSED                                                                                \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, false                           \
    }

/* For a listener: waits until the gate is open. */
void gate_pass(struct gate *gate);
/* A collector's judge that passes and says yes; arg: struct gate. */
collector_judge gate_judge;

void gate_open(struct gate *gate);
/* Waits until so many calls have come in all. */
void gate_await(struct gate *gate, int entered);
int gate_left(struct gate *gate);

#endif
