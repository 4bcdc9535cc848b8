/* What faults do to an answer on its way out. */
#ifndef EMBEDDED_FAULT_EFFECTS_H
#define EMBEDDED_FAULT_EFFECTS_H

#include "lib/embedded/request.h"

/* The opaque that the answer is given. */
int32_t fault_opaque(const struct fault_effect *effect, int32_t opaque);

/* Sends an encoded answer, or what the fault makes of it. */
void fault_send(const struct reply *reply, struct slice frame);

#endif
