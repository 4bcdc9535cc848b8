/* Looks names up on a thread of its own, since the system's resolver blocks and cannot be stopped.
 * The thread starts with the first question. When it hangs in a dead name service at the end, it is
 * left behind with what it needs to end by itself: nothing of its owner. */
#ifndef SERVICES_RESOLVER_H
#define SERVICES_RESOLVER_H

#include "lib/net/address.h"

enum { RESOLVER_ADDRESSES_MOST = 8 };

struct resolver;

/* The answer, on the resolver's thread or, with MQC_CANCELLED, in resolver_stop; comes exactly once
 * for each question. `error` is NULL when there are addresses. Must not block. */
typedef void resolver_answered(const struct socket_address *found, size_t count,
                               const mqc_error *error, void *arg);
/* Whether anybody still waits for the answer; asked before a lookup begins, under a lock. */
typedef bool resolver_wanted(void *arg);

mqc_status resolver_new(struct resolver **out, mqc_error *error);

/* On failure there is no answer to come. */
mqc_status resolver_ask(struct resolver *resolver, const struct address *address,
                        resolver_answered *answered, resolver_wanted *wanted, void *arg,
                        mqc_error *error);

/* Answers what is asked with MQC_CANCELLED and refuses more. A lookup under way is waited for until
 * the deadline and then left to itself; true when none was. */
bool resolver_stop(struct resolver *resolver, int64_t deadline_ms);
void resolver_free(struct resolver *resolver); /* stopped before; NULL is fine */

#endif
