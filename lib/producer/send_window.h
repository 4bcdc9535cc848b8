/* How many asynchronous sends, and how many bytes of them, may wait for their results: one a
 * producer. Taking and giving back is one atomic operation each while there is room. */
#ifndef PRODUCER_SEND_WINDOW_H
#define PRODUCER_SEND_WINDOW_H

#include <stdatomic.h>

#include <mqclient/producer.h>

#include "lib/base/lock.h"

struct send_window {
    _Atomic uint64_t used; /* sends << SEND_WINDOW_BYTE_BITS | bytes */
    uint64_t most_sends, most_bytes;
    bool waits; /* for room, when there is none */
    atomic_int waiting;
    struct lock lock;         /* guards `closed`; taken where there is no room, or may be again */
    struct condition changed; /* there is more room, or it is closed */
    bool closed;
};

enum { SEND_WINDOW_BYTE_BITS = 36 };

/* Limits of -1 are none. */
void send_window_init(struct send_window *window, int most_sends, int most_bytes,
                      mqc_when_full when_full);
void send_window_done(struct send_window *window);

/* Room for one send. A body that is larger than the limit gets in when there is no other. Without
 * room: waits until the deadline, or not at all, and then MQC_BUSY; MQC_CANCELLED when closed
 * meanwhile. The first one on a thread that has just been handed a place takes that. On threads of
 * the library, which may be the ones that make room, it never waits. */
mqc_status send_window_take(struct send_window *window, size_t bytes, int64_t deadline_ms,
                            mqc_error *error);
/* The same without waiting or error; false when there is no room. */
bool send_window_try(struct send_window *window, size_t bytes);
/* Whether one would get in now; who asks may do something about it before he waits. */
bool send_window_has_room(struct send_window *window, size_t bytes);
void send_window_give_back(struct send_window *window, size_t bytes);

/* Around the callback of a send: its place is the thread's own until a new send takes it or the
 * callback ends. */
void send_window_hand(struct send_window *window, size_t bytes);
void send_window_hand_end(void);

/* From now on nobody waits; those who do are woken. */
void send_window_close(struct send_window *window);

#endif
