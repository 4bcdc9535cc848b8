/* Mutexes and condition variables; any thread. In debug builds each thread keeps a list of the
 * locks it holds, and taking one against the order of lock_ranks.def is reported with both places.
 */
#include "lib/base/lock.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"

#ifdef MQC_DEBUG
struct held_lock {
    const struct lock *lock;
    const char *file;
    int line;
};

/* Ranks rise along the list, so it can never be longer than there are ranks. */
static _Thread_local struct held_lock held[LOCK_RANK_COUNT];
static _Thread_local size_t held_count;

static size_t held_find(const struct lock *lock)
{
    size_t i = 0;
    while (i < held_count && held[i].lock != lock) i++;
    return i;
}

static void held_check_order(const struct lock *lock, const char *file, int line)
{
    if (held_count == 0) return;
    const struct held_lock *last = &held[held_count - 1];
    if (last->lock->rank < lock->rank) return;
    bug_found(file, line, "lock of rank %s taken%s while one of rank %s is held, taken at %s:%d",
              lock_rank_name(lock->rank), held_find(lock) < held_count ? " twice" : "",
              lock_rank_name(last->lock->rank), last->file, last->line);
}

static void held_add(const struct lock *lock, const char *file, int line)
{
    held[held_count++] = (struct held_lock){lock, file, line};
}

static void held_remove(const struct lock *lock)
{
    size_t i = held_find(lock);
    BUG_IF(i == held_count, "lock of rank %s released by a thread that does not hold it",
           lock_rank_name(lock->rank));
    held_count--;
    memmove(&held[i], &held[i + 1], (held_count - i) * sizeof held[0]);
}

static void held_require(const struct lock *lock)
{
    BUG_IF(held_find(lock) == held_count, "wait with a lock of rank %s that is not held",
           lock_rank_name(lock->rank));
}

bool lock_any_held(void)
{
    return held_count > 0;
}
#else
static void held_check_order(const struct lock *lock, const char *file, int line)
{
    (void)lock, (void)file, (void)line;
}

static void held_add(const struct lock *lock, const char *file, int line)
{
    (void)lock, (void)file, (void)line;
}

static void held_remove(const struct lock *lock)
{
    (void)lock;
}

static void held_require(const struct lock *lock)
{
    (void)lock;
}

bool lock_any_held(void)
{
    return false;
}
#endif

static void must(int result, const char *call)
{
    BUG_IF(result != 0, "%s: errno %d", call, result);
}

void lock_init(struct lock *lock, enum lock_rank rank)
{
    lock->rank = rank;
    must(pthread_mutex_init(&lock->mutex, NULL), "pthread_mutex_init");
}

void lock_done(struct lock *lock)
{
    must(pthread_mutex_destroy(&lock->mutex), "pthread_mutex_destroy");
}

void lock_take_at(struct lock *lock, const char *file, int line) NO_LOCK_ANALYSIS
{
    held_check_order(lock, file, line); /* before: a deadlock would never be reported after */
    must(pthread_mutex_lock(&lock->mutex), "pthread_mutex_lock");
    held_add(lock, file, line);
}

void lock_release(struct lock *lock) NO_LOCK_ANALYSIS
{
    held_remove(lock);
    must(pthread_mutex_unlock(&lock->mutex), "pthread_mutex_unlock");
}

const char *lock_rank_name(enum lock_rank rank)
{
    switch (rank) {
#define LOCK_RANK(name, meaning)                                                                   \
    case LOCK_RANK_##name:                                                                         \
        return #name;
#include "lib/base/lock_ranks.def"
#undef LOCK_RANK
    case LOCK_RANK_COUNT: break;
    }
    return "UNKNOWN";
}

void condition_init(struct condition *condition)
{
    pthread_condattr_t attributes;
    must(pthread_condattr_init(&attributes), "pthread_condattr_init");
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC), "pthread_condattr_setclock");
    must(pthread_cond_init(&condition->variable, &attributes), "pthread_cond_init");
    pthread_condattr_destroy(&attributes);
}

void condition_done(struct condition *condition)
{
    must(pthread_cond_destroy(&condition->variable), "pthread_cond_destroy");
}

void condition_wake_one(struct condition *condition)
{
    must(pthread_cond_signal(&condition->variable), "pthread_cond_signal");
}

void condition_wake_all(struct condition *condition)
{
    must(pthread_cond_broadcast(&condition->variable), "pthread_cond_broadcast");
}

bool condition_wait_until(struct condition *condition, struct lock *lock, int64_t deadline_ms)
{
    held_require(lock);
    if (deadline_ms == CLOCK_NEVER) {
        must(pthread_cond_wait(&condition->variable, &lock->mutex), "pthread_cond_wait");
        return true;
    }
    if (deadline_ms < 0) deadline_ms = 0;
    struct timespec until = {
        .tv_sec = (time_t)(deadline_ms / 1000),
        .tv_nsec = (long)(deadline_ms % 1000) * 1000000,
    };
    int result = pthread_cond_timedwait(&condition->variable, &lock->mutex, &until);
    if (result != ETIMEDOUT) must(result, "pthread_cond_timedwait");
    return result == 0;
}
