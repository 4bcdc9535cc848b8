/* Queue locks in a list: an embedded cluster has few. See locks.h. */
#include "lib/embedded/locks.h"

#include "lib/base/memory.h"

enum { LOCKS_MAX = 100000 };

struct queue_lock {
    struct link in_locks;
    char *group, *topic, *client_id;
    int32_t queue_id;
    int64_t taken_ms;
};

void locks_init(struct locks *locks)
{
    list_init(&locks->held);
}

static void lock_free(struct queue_lock *lock)
{
    list_remove(&lock->in_locks);
    memory_free(lock->group);
    memory_free(lock->topic);
    memory_free(lock->client_id);
    memory_free(lock);
}

void locks_done(struct locks *locks)
{
    LIST_EACH_SAFE(&locks->held, link) lock_free(CONTAINER_OF(link, struct queue_lock, in_locks));
}

static struct queue_lock *lock_find(const struct locks *locks, const struct lock_key *key)
{
    LIST_EACH(&locks->held, link)
    {
        struct queue_lock *lock = CONTAINER_OF(link, struct queue_lock, in_locks);
        if (lock->queue_id == key->queue_id && slice_is(key->topic, lock->topic) &&
            slice_is(key->group, lock->group))
            return lock;
    }
    return NULL;
}

static struct queue_lock *lock_new(struct locks *locks, const struct lock_key *key)
{
    struct queue_lock *lock = memory_allocate_zero(1, sizeof *lock);
    if (!lock) return NULL;
    list_append(&locks->held, &lock->in_locks);
    lock->group = slice_duplicate(key->group);
    lock->topic = slice_duplicate(key->topic);
    lock->queue_id = key->queue_id;
    if (lock->group && lock->topic) return lock;
    lock_free(lock);
    return NULL;
}

static bool expired(const struct queue_lock *lock, int64_t now_ms)
{
    return now_ms - lock->taken_ms > QUEUE_LOCK_MS;
}

bool locks_take(struct locks *locks, const struct lock_key *key, struct slice client_id,
                int64_t now_ms)
{
    struct queue_lock *lock = lock_find(locks, key);
    if (!lock) {
        size_t held = 0;
        LIST_EACH(&locks->held, link) held++;
        lock = held < LOCKS_MAX ? lock_new(locks, key) : NULL;
        if (!lock) return false;
    }
    bool own = lock->client_id && slice_is(client_id, lock->client_id);
    if (!own) {
        if (lock->client_id && !expired(lock, now_ms)) return false;
        char *copy = slice_duplicate(client_id);
        if (!copy) return false;
        memory_free(lock->client_id);
        lock->client_id = copy;
    }
    lock->taken_ms = now_ms;
    return true;
}

void locks_release(struct locks *locks, const struct lock_key *key, struct slice client_id)
{
    struct queue_lock *lock = lock_find(locks, key);
    if (lock && lock->client_id && slice_is(client_id, lock->client_id)) lock_free(lock);
}

bool locks_any(const struct locks *locks, struct slice group, int64_t now_ms)
{
    LIST_EACH(&locks->held, link)
    {
        const struct queue_lock *lock = CONTAINER_OF(link, struct queue_lock, in_locks);
        if (slice_is(group, lock->group) && !expired(lock, now_ms)) return true;
    }
    return false;
}
