/* The heartbeat's body (HeartbeatData.java): what makes a group known to a broker. */
#ifndef PROTOCOL_HEARTBEAT_H
#define PROTOCOL_HEARTBEAT_H

#include "lib/protocol/subscription.h"

struct heartbeat_consumer {
    const char *group;
    const char *consume_type;  /* CONSUME_PASSIVELY push, CONSUME_ACTIVELY pull */
    const char *message_model; /* CLUSTERING, BROADCASTING */
    const char *consume_from;  /* CONSUME_FROM_LAST_OFFSET, … */
    bool unit_mode;
    size_t subscription_count;
    struct subscription *subscriptions;
};

struct heartbeat {
    const char *client_id;
    size_t producer_count;
    const char **producers; /* group names */
    size_t consumer_count;
    struct heartbeat_consumer *consumers;
};

void heartbeat_encode(const struct heartbeat *heartbeat, struct buffer *out);

/* A decoded heartbeat owns all it points to; release with heartbeat_decoded_done. */
mqc_status heartbeat_decode(struct slice body, struct heartbeat *out, mqc_error *error);
void heartbeat_decoded_done(struct heartbeat *heartbeat);

#endif
