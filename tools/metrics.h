/* --metrics: what a client counts, served over HTTP for Prometheus while the command runs. */
#ifndef TOOLS_METRICS_H
#define TOOLS_METRICS_H

#include <mqclient/mqclient.h>

struct metrics;

/* The figures of the command's client; it lives until metrics_stop. */
typedef mqc_stats *metrics_reader(void *client, mqc_error *error);

/* Serves "[HOST:]PORT" (NULL: nothing, *out stays NULL) on a thread of its own. -1 when all is
 * well, else the exit code of what was said about it. */
int metrics_start(const char *command, const char *where, metrics_reader *read, void *client,
                  struct metrics **out);
void metrics_stop(struct metrics *metrics); /* NULL is fine */

#endif
