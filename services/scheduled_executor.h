/* One thread that runs tasks at their time: a min-heap on the monotonic clock. Periods are fixed
 * delays (from the end of one run to the start of the next), so that runs never bunch up. A task
 * that takes long delays all others: what may block for long belongs elsewhere. */
#ifndef SERVICES_SCHEDULED_EXECUTOR_H
#define SERVICES_SCHEDULED_EXECUTOR_H

#include <mqclient/status.h>

struct scheduled_executor;
struct scheduled_task;

mqc_status scheduled_executor_new(struct scheduled_executor **out, mqc_error *error);
mqc_status scheduled_executor_start(struct scheduled_executor *executor,
                                    mqc_error *error); /* once */

/* Waits for the run in progress and joins; pending tasks never run. Not from within a task. */
void scheduled_executor_stop(struct scheduled_executor *executor);
/* Stops; all tasks have been cancelled before. NULL is fine. */
void scheduled_executor_free(struct scheduled_executor *executor);

/* Runs `run(arg)` after delay_ms and then every period_ms (0: once); tasks that are due at the same
 * time run in the order they were added. The task may be scheduled before the executor starts.
 * Free the task with scheduled_task_cancel, also one that ran. `*out` is set before the first run.
 * `name` is for log lines and must outlive the task. */
mqc_status scheduled_executor_add(struct scheduled_executor *executor, const char *name,
                                  int64_t delay_ms, int64_t period_ms, void (*run)(void *arg),
                                  void *arg, struct scheduled_task **out, mqc_error *error);

/* Runs a task now (or once more right after its present run) instead of at its next time. */
void scheduled_task_run_now(struct scheduled_task *task);

/* Takes the task out and frees it; waits for a run in progress unless called from within it, so
 * hold no lock that the run takes. Also fine after stop. */
void scheduled_task_cancel(struct scheduled_task *task); /* NULL is fine */

#endif
