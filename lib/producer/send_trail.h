/* What the attempts of one send have come to, for the error that ends it. Belongs to the send;
 * whichever thread makes the next attempt. */
#ifndef PRODUCER_SEND_TRAIL_H
#define PRODUCER_SEND_TRAIL_H

#include <stdint.h>

#include <mqclient/status.h>

enum { SEND_TRAIL_NAMED = 8 };

struct send_trail {
    int64_t began_us;
    int attempts;
    bool maybe_done;                       /* one of them may have reached its broker */
    const char *brokers[SEND_TRAIL_NAMED]; /* of the first attempts */
};

void send_trail_begin(struct send_trail *trail);
/* An attempt at a broker begins. The name outlives the send. */
void send_trail_attempt(struct send_trail *trail, const char *broker_name);
/* It failed. */
void send_trail_failed(struct send_trail *trail, const mqc_error *failure);

/* The send's error from its last failure: "3 attempts in 120 ms, brokers a, b, a: <the last one's
 * text>". `error` may be NULL or be `last`; returns its status. */
mqc_status send_trail_end(const struct send_trail *trail, const mqc_error *last, mqc_error *error);

#endif
