/* The trace of one producer or consumer: a dispatcher of records, and the sender that brings them
 * to the brokers over the instance of whom it records (AsyncTraceDispatcher's trace producer). */
#ifndef PRODUCER_TRACING_H
#define PRODUCER_TRACING_H

#include <mqclient/producer.h>

#include "lib/client/client_instance.h"
#include "lib/trace/trace_dispatcher.h"
#include "lib/trace/trace_record.h"

struct tracing;

/* NULL in *out when the options ask for no trace. `kind` is PRODUCE or CONSUME, for the trace
 * producer's group. The texts of the options outlive the tracing. */
mqc_status tracing_start(struct client_instance *instance, const mqc_client_options *options,
                         const char *group, const char *kind, struct tracing **out,
                         mqc_error *error);
/* Sends what is left, at most until the deadline; what is recorded later is dropped. */
void tracing_stop(struct tracing *tracing, int64_t deadline_ms); /* NULL is fine */
void tracing_free(struct tracing *tracing);                      /* stopped before; NULL is fine */

/* What came of a send; nothing of those to the trace topic, and where the broker wants no trace. */
struct trace_sent {
    const char *group;
    const mqc_message *message;
    const mqc_send_result *result;
    int64_t began_unix_ms, elapsed_ms;
};
void tracing_sent(struct tracing *tracing, const struct trace_sent *sent);

/* For whoever makes records of their own; NULL of NULL. */
struct trace_dispatcher *tracing_dispatcher(struct tracing *tracing);

/* Puts a record of a message into the queue. */
void tracing_put(struct tracing *tracing, struct buffer *record, const mqc_message *message,
                 struct slice message_id);

#endif
