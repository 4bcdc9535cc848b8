/* A counter that threads raise and wait for, so that tests need no sleep: the test program's time
 * limit ends a wait for something that never happens. */
#ifndef TEST_SERVICES_LATCH_H
#define TEST_SERVICES_LATCH_H

#include "lib/base/clock.h"
#include "lib/base/lock.h"

struct latch {
    struct lock lock; /* guards count */
    struct condition changed;
    int count;
};

static inline void latch_init(struct latch *latch)
{
    lock_init(&latch->lock, LOCK_RANK_LEAF);
    condition_init(&latch->changed);
    latch->count = 0;
}

static inline void latch_done(struct latch *latch)
{
    condition_done(&latch->changed);
    lock_done(&latch->lock);
}

static inline void latch_raise(struct latch *latch)
{
    lock_take(&latch->lock);
    latch->count++;
    condition_wake_all(&latch->changed);
    lock_release(&latch->lock);
}

static inline void latch_wait(struct latch *latch, int count)
{
    lock_take(&latch->lock);
    while (latch->count < count) condition_wait_until(&latch->changed, &latch->lock, CLOCK_NEVER);
    lock_release(&latch->lock);
}

static inline int latch_count(struct latch *latch)
{
    lock_take(&latch->lock);
    int count = latch->count;
    lock_release(&latch->lock);
    return count;
}

#endif
