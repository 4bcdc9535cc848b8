/* Which brokers to avoid for a while: those that answered slowly, refused or did not answer at all
 * (MQFaultStrategy.java, LatencyFaultToleranceImpl.java). Asked and told by sending threads and by
 * the reading thread; one a producer, counted, since answers to probes may come after its end. A
 * cluster in which all is well costs one atomic load a send. */
#ifndef PRODUCER_FAULT_TABLE_H
#define PRODUCER_FAULT_TABLE_H

#include <mqclient/producer.h>

#include "lib/client/client_instance.h"

struct fault_table;

/* With no steps Java's table: 50 and 100 ms are well, from 550 ms on 2 s away, … from 15 s on 30 s.
 * `detects`: somebody probes brokers that cannot be reached, so they stay out until it finds them.
 * NULL: no memory. */
struct fault_table *fault_table_new(const mqc_latency_step *steps, size_t count, bool detects);
void fault_table_unref(struct fault_table *table); /* NULL is fine */

/* What one attempt has shown of a broker. */
enum fault_outcome {
    FAULT_ANSWERED,   /* in time or not: `latency_ms` decides */
    FAULT_REFUSED,    /* it cannot take messages at present */
    FAULT_UNREACHABLE /* no connection, or no answer */
};

/* The strings outlive the table's owner. */
void fault_table_learn(struct fault_table *table, const mqc_message_queue *queue,
                       enum fault_outcome outcome, int64_t latency_ms);

enum fault_state {
    FAULT_NONE,
    FAULT_AVOIDED, /* better another one */
    FAULT_ABSENT   /* only when there is no other */
};
enum fault_state fault_table_state(struct fault_table *table, const char *broker_name);

/* Whether any broker is to be avoided; false is certain. */
bool fault_table_any(struct fault_table *table);

/* Asks the brokers that cannot be reached for something small (GET_MAX_OFFSET), without waiting;
 * any answer at all makes them reachable. A broker that no route names any more is forgotten. */
void fault_table_probe(struct fault_table *table, struct client_instance *instance, int timeout_ms);

#endif
