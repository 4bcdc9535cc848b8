/* The requests that came in, for tests to look at: the last of them in a ring, and counts by code.
 * Under the cluster's lock. */
#ifndef EMBEDDED_REQUEST_LOG_H
#define EMBEDDED_REQUEST_LOG_H

#include <mqclient/embedded.h>

#include "lib/base/list.h"
#include "lib/base/slice.h"

enum { REQUEST_LOG_MAX = 10000, REQUEST_LOG_CODES = 512 };

/* What is noted of a request. The strings are one allocation behind it. */
struct logged_request {
    mqc_embedded_request what;
};

struct code_count {
    int32_t code;
    int64_t count;
};

struct request_log {
    struct logged_request **ring; /* allocated with the first request */
    int64_t count;                /* ever */
    struct code_count codes[REQUEST_LOG_CODES];
    size_t code_count;
};

/* What the dispatcher knows of a request. Slices may be absent. */
struct request_note {
    int32_t code;
    const char *server;
    const char *client_id; /* may be NULL */
    const char *peer;
    struct slice topic, group;
    size_t body_bytes;
    bool oneway;
};

void request_log_init(struct request_log *log);
void request_log_done(struct request_log *log);

/* Returns its number. Without memory it is counted, but not kept. */
int64_t request_log_add(struct request_log *log, const struct request_note *note);
void request_log_answer(struct request_log *log, int64_t number, int32_t code);

/* The request of a number; NULL when it is not kept (any more). */
struct logged_request *request_log_find(const struct request_log *log, int64_t number);
int64_t request_log_count(const struct request_log *log, int32_t code);

/* A copy that outlives the lock; NULL: no memory. */
struct logged_request *logged_request_copy(const struct logged_request *from);

#endif
