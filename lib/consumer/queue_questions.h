/* What applications ask brokers and name servers about single queues. All block. */
#ifndef CONSUMER_QUEUE_QUESTIONS_H
#define CONSUMER_QUEUE_QUESTIONS_H

#include <mqclient/lite_consumer.h>

#include "lib/client/client_instance.h"

/* MQC_BAD_ARGUMENT when it has no topic, no broker name or a negative id. */
mqc_status queue_check(const mqc_message_queue *queue, mqc_error *error);
bool queue_equal(const mqc_message_queue *a, const mqc_message_queue *b);

/* The queues to consume from, in Java's order, looked up now. */
mqc_status queue_ask_list(struct client_instance *instance, const char *topic, mqc_queue_list *list,
                          mqc_error *error);
mqc_status queue_ask_range(struct client_instance *instance, const mqc_message_queue *queue,
                           int64_t *least, int64_t *next, mqc_error *error);
mqc_status queue_ask_time(struct client_instance *instance, const mqc_message_queue *queue,
                          int64_t unix_ms, int64_t *offset, mqc_error *error);

/* A list with copies of all texts. */
mqc_status queue_list_copy(const mqc_message_queue *queues, size_t count, mqc_queue_list *list,
                           mqc_error *error);

#endif
