/* Whether a queue gets on, and if not why: what the watchdog (consumer_watch.c) knows of one queue,
 * and what it makes of that. The signs are set by whoever has the queue's pull request; judging is
 * pure. */
#ifndef CONSUMER_QUEUE_WATCH_H
#define CONSUMER_QUEUE_WATCH_H

#include <stdatomic.h>
#include <stddef.h>

#include "lib/base/lock.h"

/* Why a queue is not pulled now. */
enum queue_pause {
    QUEUE_NOT_PAUSED,
    QUEUE_CONSUMER_PAUSED, /* by the application, as is the next */
    QUEUE_PAUSED,
    QUEUE_UNLOCKED,
    QUEUE_FULL,     /* one of its limits is reached */
    QUEUE_ALL_FULL, /* the limit of all queues together */
};

struct queue_watch {
    _Atomic int pause; /* enum queue_pause */
    atomic_bool at_broker;
    _Atomic int64_t asked_ms;    /* that broker; these are monotonic */
    _Atomic int64_t expected_ms; /* by when the pull request comes round again */
    _Atomic int64_t answered_ms; /* the last good answer, or when the queue was gained */
    atomic_bool lost;   /* the pull request is: to be begun anew by the rebalance service */
    atomic_bool failed; /* there is a failure */
    struct lock lock;   /* guards the next two */
    char *failure;      /* of the last pull; NULL: it was answered well, or is out */
    unsigned failures;  /* in a row */
    /* The watchdog's own: */
    uint64_t progress;
    int64_t progress_ms; /* when it changed last */
    int64_t said_ms;     /* when it was named last */
    bool stuck;
    _Atomic int64_t probed_ms; /* reset_watch.c's */
};

void queue_watch_init(struct queue_watch *watch, int64_t now_ms);
void queue_watch_done(struct queue_watch *watch);
void queue_watch_answered(struct queue_watch *watch, int64_t now_ms);
/* True for the first of many in a row, and every thirtieth: when it is worth a line in the log. */
bool queue_watch_failed(struct queue_watch *watch, const char *why);

/* What is to be judged. */
struct queue_signs {
    int64_t now_ms, limit_ms;
    /* pulling */
    enum queue_pause pause;
    bool leaving, at_broker;
    int64_t asked_ms, expected_ms, answered_ms;
    int64_t hold_ms;         /* that a broker may keep a pull without messages */
    const char *broker_name; /* in texts, as is: */
    const char *failure;     /* NULL: none */
    const char *full;        /* which limit is reached */
    /* consuming */
    size_t held;
    int64_t progress_ms;      /* when some message was begun or done last */
    int64_t running_since_ms; /* the longest listener call or polled delivery; -1: none */
    int64_t running_offset;
    bool polled; /* by the application, which has no listener */
    int busy, workers;
};

enum queue_verdict {
    QUEUE_WELL,
    QUEUE_RESTS,  /* as the application wishes */
    QUEUE_STUCK,  /* not pulled or not consumed for too long */
    QUEUE_STOPPED /* its pull request is lost, which must not be: a new one is needed */
};
enum { QUEUE_WHY_BYTES = 320 };

/* `why` says what and since when, for all but QUEUE_WELL. */
enum queue_verdict queue_watch_judge(const struct queue_signs *signs, char why[QUEUE_WHY_BYTES]);

#endif
