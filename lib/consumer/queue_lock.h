/* What a member knows of its lock on a queue: when the broker last confirmed it. Three times matter
 * (ProcessQueue.java, RebalanceLockManager.java), the others by the first one: it is asked for anew
 * every 20 s, the member relies on it for 30 s, and the broker gives it to another one after 60 s.
 * Pure; any thread. */
#ifndef CONSUMER_QUEUE_LOCK_H
#define CONSUMER_QUEUE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct queue_lock {
    int renew_ms;
    _Atomic int64_t confirmed_ms; /* monotonic: when it was asked for; -1: never */
};

static inline void queue_lock_init(struct queue_lock *lock, int renew_ms)
{
    lock->renew_ms = renew_ms;
    atomic_init(&lock->confirmed_ms, -1);
}

/* The broker has given it; it was asked at `asked_ms`, which is what the time counts from. */
static inline void queue_lock_confirm(struct queue_lock *lock, int64_t asked_ms)
{
    atomic_store(&lock->confirmed_ms, asked_ms);
}

static inline bool queue_lock_held(const struct queue_lock *lock, int64_t now_ms)
{
    int64_t confirmed_ms = atomic_load(&lock->confirmed_ms);
    return confirmed_ms >= 0 && 2 * (now_ms - confirmed_ms) < 3 * (int64_t)lock->renew_ms;
}

static inline bool queue_lock_due(const struct queue_lock *lock, int64_t now_ms)
{
    int64_t confirmed_ms = atomic_load(&lock->confirmed_ms);
    return confirmed_ms < 0 || now_ms - confirmed_ms >= lock->renew_ms;
}

/* Another member may have had it meanwhile, even if it is ours again. */
static inline bool queue_lock_lost(const struct queue_lock *lock, int64_t now_ms)
{
    int64_t confirmed_ms = atomic_load(&lock->confirmed_ms);
    return confirmed_ms >= 0 && now_ms - confirmed_ms >= 3 * (int64_t)lock->renew_ms;
}

#endif
