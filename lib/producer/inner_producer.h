/* The producer that every client instance has for itself (group CLIENT_INNER_PRODUCER): consumers
 * send messages back through it when the broker that has them does not take them back. */
#ifndef PRODUCER_INNER_PRODUCER_H
#define PRODUCER_INNER_PRODUCER_H

#include "lib/client/client_instance.h"

/* What client_manager_join is given by every role. */
extern const struct inner_producer_type inner_producer;

/* Sends a message through the instance's inner producer and waits for the broker's answer, with
 * Java's default of two retries. Of a message to %RETRY%group the properties RECONSUME_TIME and
 * MAX_RECONSUME_TIMES travel in the request's header instead
 * (DefaultMQProducerImpl.sendKernelImpl). MQC_WRONG_STATE when the instance has no inner producer,
 * which means it is not running. */
mqc_status inner_producer_send(struct client_instance *instance, const mqc_message *message,
                               int64_t deadline_ms, mqc_error *error);

#endif
