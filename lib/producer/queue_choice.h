/* Which of a topic's queues a message goes to. Pure but for one counter a thread and topic. */
#ifndef PRODUCER_QUEUE_CHOICE_H
#define PRODUCER_QUEUE_CHOICE_H

#include <mqclient/producer.h>

/* The next queue in turn (MQFaultStrategy without latency table): each thread goes round a topic's
 * queues from a random start. `avoid` (may be NULL) is the broker that has just failed: its queues
 * are passed over unless there are no others. `count` is at least 1. */
const mqc_message_queue *queue_choice_next(const mqc_message_queue *queues, size_t count,
                                           const char *topic, const char *avoid);

/* The queue that the application's function chooses. */
mqc_status queue_choice_select(const mqc_send_options *options, const mqc_message_queue *queues,
                               size_t count, const mqc_message *message,
                               const mqc_message_queue **out, mqc_error *error);

#endif
