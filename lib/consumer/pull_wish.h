/* What is asked of a broker by one pull. */
#ifndef CONSUMER_PULL_WISH_H
#define CONSUMER_PULL_WISH_H

#include <stdint.h>

#include "lib/consumer/subscriptions.h"
#include "services/remoting_client.h"

struct consumer_queue;

/* One pull of a queue. */
struct pull_wish {
    int64_t offset;
    int max_messages;
    int max_bytes;
    int64_t broker_id; /* of those with the queue's broker name */
    int suspend_ms;    /* that the broker keeps it without messages */
    int64_t deadline_ms;
};
/* In pull_loop.c; must not block. */
mqc_status queue_pull_send(struct consumer_queue *queue,
                           const struct topic_subscription *subscription,
                           const struct pull_wish *wish, remoting_done *done, void *arg,
                           mqc_error *error);

#endif
