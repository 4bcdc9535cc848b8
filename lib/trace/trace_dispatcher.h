/* Brings the records of a message trace to the brokers without ever holding up whose doing they
 * record (AsyncTraceDispatcher.java): a bounded queue, and a thread that sends batches of it. One a
 * producer or consumer that is traced. When the queue is full records are dropped and counted. */
#ifndef TRACE_TRACE_DISPATCHER_H
#define TRACE_TRACE_DISPATCHER_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"

struct trace_dispatcher;

enum { TRACE_QUEUE_MOST = 2048, TRACE_BATCH_MOST = 10, TRACE_BODY_BYTES = 128000 };

/* Sends one message with records to the trace topic; may block until the deadline. `keys` are the
 * ids and keys of the messages that are recorded, separated by blanks. */
typedef mqc_status trace_send(void *sender, struct slice body, const char *keys,
                              int64_t deadline_ms, mqc_error *error);

/* Starts the thread. Records are sent when a batch of them has come, or `linger_ms` (0: 5 s, as
 * Java's) after the first. */
mqc_status trace_dispatcher_start(trace_send *send, void *sender, int linger_ms,
                                  struct trace_dispatcher **out, mqc_error *error);

/* Takes a record (trace_record.h) of a message with this id and these keys. Any thread. */
void trace_dispatcher_put(struct trace_dispatcher *dispatcher, const struct buffer *record,
                          struct slice message_id, struct slice keys);

/* Sends what is left, at most until the deadline, and joins the thread; what comes later is
 * dropped. NULL is fine. */
void trace_dispatcher_stop(struct trace_dispatcher *dispatcher, int64_t deadline_ms);
/* The log says how many records were dropped. Stopped before; NULL is fine. */
void trace_dispatcher_free(struct trace_dispatcher *dispatcher);

#endif
