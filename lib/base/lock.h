/* Mutexes with a rank, and condition variables on the monotonic clock. In debug builds (MQC_DEBUG)
 * taking a lock against the order of lock_ranks.def, or twice, ends the process with both places.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__clang__)
#define LOCK_ATTRIBUTE(x) __attribute__((x))
#else
#define LOCK_ATTRIBUTE(x)
#endif
#define CAPABILITY       LOCK_ATTRIBUTE(capability("mutex"))
#define ACQUIRES(...)    LOCK_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASES(...)    LOCK_ATTRIBUTE(release_capability(__VA_ARGS__))
#define REQUIRES(...)    LOCK_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...)    LOCK_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define NO_LOCK_ANALYSIS LOCK_ATTRIBUTE(no_thread_safety_analysis)

enum lock_rank {
#define LOCK_RANK(name, meaning) LOCK_RANK_##name,
#include "lib/base/lock_ranks.def"
#undef LOCK_RANK
    LOCK_RANK_COUNT
};

struct CAPABILITY lock {
    pthread_mutex_t mutex;
    enum lock_rank rank;
};

struct condition {
    pthread_cond_t variable;
};

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_done(struct lock *lock);
void lock_take_at(struct lock *lock, const char *file, int line) ACQUIRES(*lock);
void lock_release(struct lock *lock) RELEASES(*lock);
#define lock_take(lock) lock_take_at((lock), __FILE__, __LINE__)

/* Whether the calling thread holds any lock of ours; always false outside debug builds. */
bool lock_any_held(void);
const char *lock_rank_name(enum lock_rank rank);

void condition_init(struct condition *condition);
void condition_done(struct condition *condition);
void condition_wake_one(struct condition *condition);
void condition_wake_all(struct condition *condition);

/* Waits until woken or until the monotonic deadline (CLOCK_NEVER: no deadline); false when the
 * deadline has passed. Wakes without a cause happen: always wait in a loop over the condition. */
bool condition_wait_until(struct condition *condition, struct lock *lock, int64_t deadline_ms)
    REQUIRES(*lock);

#endif
