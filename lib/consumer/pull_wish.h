/* What is asked of a broker by one pull. */
#ifndef CONSUMER_PULL_WISH_H
#define CONSUMER_PULL_WISH_H

#include <stdint.h>

/* One pull of a queue. */
struct pull_wish {
    int64_t offset;
    int max_messages;
    int max_bytes;
    int64_t broker_id; /* of those with the queue's broker name */
    int suspend_ms;    /* that the broker keeps it without messages */
    int64_t deadline_ms;
};

#endif
