/* Which of a topic's queues a message goes to. Pure but for one counter a thread and topic. */
#ifndef PRODUCER_QUEUE_CHOICE_H
#define PRODUCER_QUEUE_CHOICE_H

#include <mqclient/producer.h>

#include "lib/producer/fault_table.h"

/* The next queue in turn (MQFaultStrategy.selectOneMessageQueue): each thread goes round a topic's
 * queues from a random start. `avoid` (may be NULL) is the broker that has just failed: its queues
 * are passed over unless there are no others. With `faults` (may be NULL) so are those of slow
 * brokers and, before all, of absent ones; when all are bad, the least bad. `count` is at least 1.
 */
const mqc_message_queue *queue_choice_next(const mqc_message_queue *queues, size_t count,
                                           const char *topic, const char *avoid,
                                           struct fault_table *faults);

/* The queue that the application's function chooses. */
mqc_status queue_choice_select(const mqc_send_options *options, const mqc_message_queue *queues,
                               size_t count, const mqc_message *message,
                               const mqc_message_queue **out, mqc_error *error);

#endif
