/* See bell.h. Struck and sounded by whoever completes calls of the remoting client, waited for by
 * its synchronous callers. */
#include "lib/base/bell.h"

#include "lib/base/bug.h"
#include "lib/base/clock.h"

void bell_init(struct bell *bell, struct bell_tower *tower)
{
    uint32_t number = atomic_fetch_add_explicit(&tower->next_group, 1, memory_order_relaxed);
    bell->tower = tower;
    bell->group = UINT32_C(1) << (number % 32);
    atomic_init(&bell->struck, false);
}

bool bell_struck(const struct bell *bell)
{
    return atomic_load_explicit(&bell->struck, memory_order_acquire);
}

#ifdef BELL_IS_FUTEX

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_sound(struct bell *bell, const struct timespec *limit, bool *in_time);

void bell_tower_init(struct bell_tower *tower)
{
    atomic_init(&tower->sounded, 0);
    atomic_init(&tower->struck, 0);
    atomic_init(&tower->waiting, 0);
    atomic_init(&tower->next_group, 0);
}

void bell_tower_done(struct bell_tower *tower)
{
    (void)tower;
}

void bell_strike(struct bell *bell)
{
    atomic_fetch_or(&bell->tower->struck, bell->group);
    atomic_store(&bell->struck, true); /* from here on the bell may be gone */
}

/* Who waits has counted itself, then looked at the counter, then at its bell. So either it is seen
 * here, or it sees its bell struck. */
void bell_tower_sound(struct bell_tower *tower)
{
    if (atomic_load_explicit(&tower->struck, memory_order_relaxed) == 0) return;
    uint32_t groups = atomic_exchange(&tower->struck, 0);
    atomic_fetch_add(&tower->sounded, 1);
    if (groups == 0 || atomic_load(&tower->waiting) == 0) return;
    syscall(SYS_futex, &tower->sounded, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, groups);
}

bool bell_wait_until(struct bell *bell, int64_t deadline_ms)
{
    if (bell_struck(bell)) return true;
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    bool in_time = true;
    atomic_fetch_add(&bell->tower->waiting, 1);
    while (in_time && !bell_struck(bell))
        wait_for_sound(bell, deadline_ms == CLOCK_NEVER ? NULL : &until, &in_time);
    atomic_fetch_sub(&bell->tower->waiting, 1);
    return bell_struck(bell);
}

/* The counter is read before the bell: when the tower sounds in between, the wait does not begin.
 */
static void wait_for_sound(struct bell *bell, const struct timespec *limit, bool *in_time)
{
    uint32_t sounded = atomic_load(&bell->tower->sounded);
    if (atomic_load(&bell->struck)) return;
    long result = syscall(SYS_futex, &bell->tower->sounded, FUTEX_WAIT_BITSET_PRIVATE, sounded,
                          limit, NULL, bell->group);
    if (result == 0) return;
    *in_time = errno != ETIMEDOUT;
    BUG_IF(*in_time && errno != EAGAIN && errno != EINTR, "futex: errno %d", errno);
}

#else

void bell_tower_init(struct bell_tower *tower)
{
    lock_init(&tower->lock, LOCK_RANK_PROMISE);
    condition_init(&tower->sounded);
    atomic_init(&tower->next_group, 0);
}

void bell_tower_done(struct bell_tower *tower)
{
    condition_done(&tower->sounded);
    lock_done(&tower->lock);
}

void bell_strike(struct bell *bell)
{
    atomic_store(&bell->struck, true);
}

/* Under the lock: who has looked at its bell before it was struck waits by now. */
void bell_tower_sound(struct bell_tower *tower)
{
    lock_take(&tower->lock);
    condition_wake_all(&tower->sounded);
    lock_release(&tower->lock);
}

bool bell_wait_until(struct bell *bell, int64_t deadline_ms)
{
    struct bell_tower *tower = bell->tower;
    bool in_time = true;
    lock_take(&tower->lock);
    while (!bell_struck(bell) && in_time)
        in_time = condition_wait_until(&tower->sounded, &tower->lock, deadline_ms);
    lock_release(&tower->lock);
    return bell_struck(bell);
}

#endif
