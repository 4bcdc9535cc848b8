/* Queues that a group's member has to itself: asked of the master of the queues' broker, which
 * keeps a lock for 60 s after it was last asked for (RebalanceLockManager.java). */
#ifndef CLIENT_CLIENT_LOCKS_H
#define CLIENT_CLIENT_LOCKS_H

#include "lib/client/client_instance.h"

/* LOCK_BATCH_MQ (41): takes or renews the locks of queues that are all on one broker. MQC_OK also
 * when another member has some of them: locked[i] says. Blocks. */
mqc_status client_locks_take(struct client_instance *instance, const char *group,
                             const mqc_message_queue *queues, size_t count, int64_t deadline_ms,
                             bool *locked, mqc_error *error);

/* UNLOCK_BATCH_MQ (42) for queues that are all on one broker. Oneway, as in Java. */
mqc_status client_locks_give_back(struct client_instance *instance, const char *group,
                                  const mqc_message_queue *queues, size_t count,
                                  int64_t deadline_ms, mqc_error *error);

#endif
