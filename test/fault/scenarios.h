/* What the tests do while something fails, on an embedded cluster of their own: each scenario
 * starts a client, uses it and ends it, and returns MQC_OK when everything worked. */
#ifndef FAULT_SCENARIOS_H
#define FAULT_SCENARIOS_H

#include <mqclient/embedded.h>
#include <mqclient/mqclient.h>

#include "test/unit/unit.h"

/* Starts the cluster; clients reach its name server by this name or number. */
void scenarios_start(const char *host);
void scenarios_stop(void);

typedef mqc_status scenario(mqc_error *error);
scenario send_sync, send_async;
scenario consume_what_is_there, send_and_consume;
/* With a file of offsets, and a message sent at its beginning. Fails the test when a message is
 * passed over, in this call or the next. */
scenario consume_broadcasts;
scenario poll_what_is_there;

/* Runs a scenario as it is, so that what is made once for the process is there from now on. */
void run_first(scenario *run);

/* Runs a scenario with the first, the second, … of something (`what`) failing, until it needs no
 * more of it. Each run must end with MQC_OK or an error, leave no memory, thread or descriptor
 * behind, and a send that was said to have worked must be at the broker. `fail_once` is as
 * memory_fail_once. After run_first. */
void sweep(scenario *run, const char *what, bool (*fail_once)(long nth));

/* What a scenario must leave behind: nothing. */
void check_nothing_is_left(void);

#endif
