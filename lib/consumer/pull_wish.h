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
    int suspend_ms; /* that the broker keeps it without messages */
    int64_t deadline_ms;
    char address[ADDRESS_TEXT_BYTES];
    bool at_slave; /* that is its address */
};

/* In pull_loop.c. Chooses the address: the broker with this id, or who stands in for it. */
mqc_status queue_pull_address(const struct consumer_queue *queue, int64_t broker_id,
                              struct pull_wish *wish, mqc_error *error);
/* Must not block. */
mqc_status queue_pull_send(struct consumer_queue *queue,
                           const struct topic_subscription *subscription,
                           const struct pull_wish *wish, remoting_done *done, void *arg,
                           mqc_error *error);

#endif
