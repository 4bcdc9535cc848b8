/* Locks of queues that orderly consumers take (RebalanceLockManager.java): one client of a group a
 * queue, for 60 s of message time. Under the cluster's lock. */
#ifndef EMBEDDED_LOCKS_H
#define EMBEDDED_LOCKS_H

#include "lib/base/list.h"
#include "lib/base/slice.h"

enum { QUEUE_LOCK_MS = 60000 };

struct locks {
    struct link held; /* struct queue_lock */
};

struct lock_key {
    struct slice group, topic;
    int32_t queue_id;
};

void locks_init(struct locks *locks);
void locks_done(struct locks *locks);

/* Takes or renews; false when another client holds it or there is no memory. */
bool locks_take(struct locks *locks, const struct lock_key *key, struct slice client_id,
                int64_t now_ms);
void locks_release(struct locks *locks, const struct lock_key *key, struct slice client_id);

/* Whether any client of the group holds a lock that has not expired. */
bool locks_any(const struct locks *locks, struct slice group, int64_t now_ms);

#endif
