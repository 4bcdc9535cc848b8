/* The thread that divides queues among consumers: every 20 s, or when woken (a broker's notice, a
 * subscription, a new connection), after an unfinished division again in 1 s; what wakes it again
 * and again, as many members that join, does so at growing distances (RebalanceService.java). */
#ifndef SERVICES_REBALANCE_SERVICE_H
#define SERVICES_REBALANCE_SERVICE_H

#include <mqclient/status.h>

struct rebalance_service;

struct rebalance_timing {
    int wait_ms;    /* until the first run and between two when all is balanced; Java: 20000 */
    int minimum_ms; /* least time from one run's end to the next, after a while without any … */
    int crowded_ms; /* … and twice as long each time after that, up to this; Java: 1000 */
    int unbalanced_ms; /* until the next run after one that was not finished; Java: 1000 */
};

/* What a run has come to, from the least; of several the worst counts. */
enum rebalance_result {
    REBALANCE_NOTHING,   /* there was nothing to divide (yet): the next run may come at once */
    REBALANCE_BALANCED,  /* everything is divided */
    REBALANCE_UNBALANCED /* something is left to do */
};

mqc_status rebalance_service_new(const struct rebalance_timing *timing,
                                 enum rebalance_result (*rebalance)(void *arg), void *arg,
                                 struct rebalance_service **out, mqc_error *error);
mqc_status rebalance_service_start(struct rebalance_service *service, mqc_error *error); /* once */
/* Joins, and so waits for a run in progress. Not from within a run; again is fine. */
void rebalance_service_stop(struct rebalance_service *service);
void rebalance_service_free(struct rebalance_service *service); /* stops; NULL is fine */

/* Soon; several wake-ups before a run count as one, one during a run leads to another run. Any
 * thread; also before start. */
void rebalance_service_wake(struct rebalance_service *service);

#endif
