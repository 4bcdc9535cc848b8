/* Things that happen once each, and the one thread that waits for each of them. Whoever makes many
 * of them happen at a time strikes their bells one by one and then sounds their tower once, which
 * wakes all who wait for one of these bells with one system call, and nobody else. A bell may live
 * on its waiter's stack: it is not touched any more once its waiter can see that it was struck. */
#ifndef BASE_BELL_H
#define BASE_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/lock.h"

/* On Linux a futex, elsewhere a lock and a condition. */
#if defined(MQC_POLLER_epoll)
#define BELL_IS_FUTEX 1
#endif

struct bell_tower {
#ifdef BELL_IS_FUTEX
    _Atomic uint32_t sounded; /* counts; what waiters wait to change */
    _Atomic uint32_t struck;  /* groups of the bells struck since it last sounded */
    _Atomic int32_t waiting;
#else
    struct lock lock;
    struct condition sounded;
#endif
    _Atomic uint32_t next_group;
};

struct bell {
    struct bell_tower *tower;
    uint32_t group; /* one bit: with more than 32 bells some wake for others' and wait on */
    atomic_bool struck;
};

void bell_tower_init(struct bell_tower *tower);
void bell_tower_done(struct bell_tower *tower);

void bell_init(struct bell *bell, struct bell_tower *tower);

/* Any thread, once; bell_tower_sound has to follow. What was done before is seen by who finds the
 * bell struck. */
void bell_strike(struct bell *bell);
void bell_tower_sound(struct bell_tower *tower);

bool bell_struck(const struct bell *bell);

/* Waits until the bell is struck or until the monotonic deadline (CLOCK_NEVER: no deadline); false
 * when it was not struck. The tower must last as long. */
bool bell_wait_until(struct bell *bell, int64_t deadline_ms);

#endif
