/* Scripted faults: which apply to a request or a new connection. Under the cluster's lock. What
 * they do to answers is in fault_effects.c. */
#ifndef EMBEDDED_FAULTS_H
#define EMBEDDED_FAULTS_H

#include <mqclient/embedded.h>

#include "lib/base/list.h"
#include "lib/base/slice.h"

struct faults {
    struct link list; /* in the order in which they were added */
    int next_id;
};

/* What a request shows of itself. Slices may be absent. */
struct fault_target {
    int32_t code;
    struct slice client_id, group, topic;
    const char *server;
};

/* What applies to a request. The text lives until the next call on the faults. */
struct fault_found {
    int kind; /* 0: nothing */
    int64_t value;
    const char *text;
};

void faults_init(struct faults *faults);
void faults_done(struct faults *faults);

mqc_status faults_add(struct faults *faults, const mqc_embedded_fault *fault, int *id,
                      mqc_error *error);
bool faults_clear(struct faults *faults, int id);

/* Counts and uses up: to be called once a request, once a new connection. */
struct fault_found faults_match(struct faults *faults, const struct fault_target *target);
int faults_match_connection(struct faults *faults, const char *server); /* MQC_FAULT_* or 0 */

/* "delay=100:code=310:count=2" as mqc_embedded_add_fault_text takes it; strings point into
 * `words`, which is the text's copy and is changed. */
mqc_status fault_parse(char *words, mqc_embedded_fault *out, mqc_error *error);

#endif
