/* The thread that begins pulls: takes pull requests from its condition-variable queue, at once or
 * after a delay, and hands each to its owner, which sends the request without waiting
 * (PullMessageService.java). Every queue has at most one pull request alive. */
#ifndef SERVICES_PULL_SERVICE_H
#define SERVICES_PULL_SERVICE_H

#include <mqclient/status.h>

#include "lib/base/list.h"

struct pull_service;

struct pull_request {
    struct link link; /* private to the service, as are these three: */
    struct pull_request *left;
    struct pull_request *right;
    int64_t due_ms;
    void (*pull)(struct pull_request *request);    /* owns the request; must not block */
    void (*discard)(struct pull_request *request); /* the service ends without running it */
};

mqc_status pull_service_new(struct pull_service **out, mqc_error *error);
mqc_status pull_service_start(struct pull_service *service, mqc_error *error); /* once */

/* Joins the thread and discards what is queued; later requests are discarded at once. Not from
 * within a pull; again is fine. */
void pull_service_stop(struct pull_service *service);
void pull_service_free(struct pull_service *service); /* stops; NULL is fine */

/* Each request given to these two is pulled or discarded exactly once; discarding happens within
 * the call when the service has been asked to stop, so hold no lock that it takes. Any thread. */
void pull_service_execute(struct pull_service *service, struct pull_request *request);
void pull_service_execute_later(struct pull_service *service, struct pull_request *request,
                                int64_t delay_ms);

#endif
