/* Requests whose reply has not come yet, of all producers of an instance: replies are addressed to
 * the client, and name their request (RequestFutureHolder.java, which is the process's).
 *
 * A request is in the table from its add until whoever takes it out: the reply, its deadline, its
 * owner's end, or the requester itself. Exactly one of them gets it. */
#ifndef CLIENT_PENDING_REQUESTS_H
#define CLIENT_PENDING_REQUESTS_H

#include <mqclient/message.h>

#include "lib/base/list.h"
#include "lib/base/lock.h"
#include "lib/base/map.h"
#include "services/scheduled_executor.h"

enum { CORRELATION_ID_BYTES = 37 }; /* a UUID with a zero byte */

struct pending_request {
    struct link link;
    char correlation_id[CORRELATION_ID_BYTES];
    const void *owner;
    int64_t deadline_ms; /* CLOCK_NEVER: the requester looks after it itself */
    /* The request was taken out by its reply (owned by the function from now on, not yet inflated),
     * or by an error: exactly one is not NULL. No lock is held. On the reading thread, the
     * scheduled executor's or the one that cancels: must not block. */
    void (*done)(struct pending_request *request, mqc_message *reply, const mqc_error *error);
};

struct pending_requests {
    struct lock lock; /* guards everything below */
    struct map by_id;
    struct link all;
    struct scheduled_executor *scheduler;
    struct scheduled_task *sweep; /* NULL while no request has a deadline of the table's */
    int64_t late;                 /* replies that nobody waited for */
};

void pending_requests_init(struct pending_requests *table);
void pending_requests_done(struct pending_requests *table); /* empty and stopped by now */

/* Deadlines are looked at by this executor from now on, until stop, which waits for a look in
 * progress. */
void pending_requests_start(struct pending_requests *table, struct scheduled_executor *scheduler);
void pending_requests_stop(struct pending_requests *table);

/* Gives the request an id of its own and puts it in. */
mqc_status pending_requests_add(struct pending_requests *table, struct pending_request *request,
                                mqc_error *error);

/* Takes it out; false when somebody else has: its `done` runs, or has run. */
bool pending_requests_remove(struct pending_requests *table, struct pending_request *request);

/* Takes out the request that a reply names; NULL, and the reply counted as late, when there is none
 * (any more). *late gets their number. */
struct pending_request *pending_requests_take(struct pending_requests *table,
                                              struct slice correlation_id, int64_t *late);

/* Takes out all requests of an owner and hands them the error. */
void pending_requests_cancel(struct pending_requests *table, const void *owner,
                             const mqc_error *error);

#endif
