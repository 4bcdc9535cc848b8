/* Eight threads that send in rounds, half of them synchronously and half with callbacks, and an
 * account of every message: what its send said, how often its callback came, whether it is stored.
 * What happens to the brokers meanwhile is the test's. */
#ifndef CONTRACT_STORM_H
#define CONTRACT_STORM_H

#include "test/contract/contract.h"

enum { STORM_THREADS = 8, STORM_SENDS = 10, STORM_ROUND = STORM_THREADS * STORM_SENDS };

struct storm;

/* For so many rounds; the producer is the caller's and must outlive the storm. */
struct storm *storm_new(mqc_producer *producer, const char *topic, int rounds);
void storm_free(struct storm *storm);

/* Each thread sends half of STORM_SENDS more, and the rest when it may go on: so trouble comes
 * while sends are on their way, and others begin in it. */
void storm_begin_round(struct storm *storm);
void storm_go_on(struct storm *storm);

/* Waits until so many of the round's sends have ended, in whatever way. */
void storm_await(struct storm *storm, int ended);

/* When all rounds are over: each message that was acknowledged is stored, none is that is said not
 * to be, and each callback has come once. */
struct storm_totals {
    int acknowledged, failed, perhaps; /* failed, and perhaps stored all the same */
};
struct storm_totals storm_check(struct storm *storm);

#endif
