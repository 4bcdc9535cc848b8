/* A topic that a consumer has or had queues of: see consumer_queues.c. */
#ifndef CONSUMER_CONSUMER_TOPIC_H
#define CONSUMER_CONSUMER_TOPIC_H

#include <stdatomic.h>

#include "lib/base/list.h"

enum { TOPIC_CHAINS = 64 }; /* a power of two */

struct consumer_queue;
struct consumer_topic {
    struct link queues;               /* guarded by consumer.queues_lock; consumer_queue.in_topic */
    struct link chains[TOPIC_CHAINS]; /* likewise, by their numbers: .in_chain */
    atomic_int count;
    bool looked_at;                  /* its queues, or that it has none; rebalance service */
    int64_t probed_ms;               /* reset_watch.c's, on the scheduled executor */
    struct consumer_queue *to_probe; /* likewise, and within one look only */
};

static inline struct link *consumer_topic_chain(struct consumer_topic *topic, int queue_id)
{
    return &topic->chains[(unsigned)queue_id % TOPIC_CHAINS];
}

#endif
