/* Waiting for many sockets and a wake-up from other threads: epoll on Linux, poll elsewhere; chosen
 * at build time (MQC_POLLER_epoll, MQC_POLLER_poll). All functions may be called from any thread
 * while one thread waits. */
#ifndef NET_POLLER_H
#define NET_POLLER_H

#include <mqclient/status.h>

#include "lib/base/slice.h"

struct poller;

enum { POLL_READABLE = 1, POLL_WRITABLE = 2, POLL_BROKEN = 4 };

struct poll_event {
    void *owner; /* as given to poller_add */
    int ready;   /* POLL_* bits */
};

mqc_status poller_new(struct poller **out, mqc_error *error);
void poller_free(struct poller *poller); /* NULL is fine */

/* A socket is to be removed before it is closed; removing one that is not there does nothing.
 * POLL_BROKEN comes whatever the interest is. */
mqc_status poller_add(struct poller *poller, int fd, int interest, void *owner, mqc_error *error);
void poller_change(struct poller *poller, int fd, int interest, void *owner);
void poller_remove(struct poller *poller, int fd);

/* Waits until something is ready, poller_wake was called or the deadline passed; returns the number
 * of events. Level-triggered. An event may name a socket that was removed by another thread while
 * the wait ended: owners are counted by the caller. */
size_t poller_wait(struct poller *poller, struct poll_event *events, size_t capacity,
                   int64_t deadline_ms);
void poller_wake(struct poller *poller);

#endif
