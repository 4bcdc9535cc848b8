/* A small fixed pool of threads that runs the application's callbacks and the work that brokers ask
 * for, so that neither ever blocks the I/O thread. Tasks are links in the caller's structs. */
#ifndef SERVICES_CALLBACK_EXECUTOR_H
#define SERVICES_CALLBACK_EXECUTOR_H

#include <mqclient/status.h>

#include "lib/base/list.h"

struct callback_executor;

struct callback_task {
    struct link link;
    void (*run)(struct callback_task *task); /* owns the task */
};

mqc_status callback_executor_new(int threads, struct callback_executor **out, mqc_error *error);
/* Once. When it fails, the executor is stopped. */
mqc_status callback_executor_start(struct callback_executor *executor, mqc_error *error);

/* Every submitted task runs exactly once: on a thread of the pool, or, from the moment stop has
 * begun, within this call. So hold no lock, and let no task that ran submit itself for ever. */
void callback_executor_submit(struct callback_executor *executor, struct callback_task *task);

/* The same for one of many: nobody is woken for the task before callback_executor_call, which the
 * submitter sees to when the last one is in. */
void callback_executor_submit_uncalled(struct callback_executor *executor,
                                       struct callback_task *task);
void callback_executor_call(struct callback_executor *executor); /* cheap when there is nothing */

/* Runs what is queued (when there never were threads: here), then ends and joins the threads. Not
 * from one of its threads; again is fine. */
void callback_executor_stop(struct callback_executor *executor);
void callback_executor_free(struct callback_executor *executor); /* stops; NULL is fine */

#endif
