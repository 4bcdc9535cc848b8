/* Checks of a message before it is sent (Validators.checkMessage), in the caller's thread. Called
 * at the head of every send; each error says what would be right. */
#include "lib/producer/message_check.h"

#include "lib/base/error.h"
#include "lib/producer/order_key.h"
#include "lib/protocol/message.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"

enum { SHOWN_CHARACTERS = 127 };

mqc_status message_check(const mqc_message *message, int max_body_bytes, mqc_error *error)
{
    if (!message)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the message is NULL: make one with mqc_message_new");
    mqc_status status = names_check_sendable(message->topic, error);
    if (status != MQC_OK) return status;
    size_t bytes = mqc_message_body(message).size;
    if (bytes == 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the message body length is zero: brokers take messages of at least one "
                         "byte (topic %.*s)",
                         SHOWN_CHARACTERS, message->topic);
    if (bytes > (size_t)max_body_bytes)
        return error_set(error, MQC_TOO_BIG,
                         "the message body size over max value, MAX: %d: it has %zu bytes; send "
                         "less, or raise maxMessageSize (max_message_bytes) here and at the broker",
                         max_body_bytes, bytes);
    if (message->properties.size > PROPERTIES_MAX_BYTES)
        return error_set(error, MQC_TOO_BIG,
                         "the message's properties have %zu bytes, at most %d are allowed",
                         message->properties.size, PROPERTIES_MAX_BYTES);
    return MQC_OK;
}

mqc_status send_options_check(const mqc_send_options *options, const mqc_message *message,
                              mqc_error *error)
{
    if (!options) return MQC_OK;
    if (options->timeout_ms < 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "timeout_ms is %d: give milliseconds, or 0 for the producer's own",
                         options->timeout_ms);
    for (size_t i = 0; i < sizeof options->reserved / sizeof options->reserved[0]; i++)
        if (options->reserved[i])
            return error_set(error, MQC_BAD_ARGUMENT,
                             "the send's options have a field that this library does not know, or "
                             "were not set to zero before they were filled");
    const mqc_message_queue *queue = options->queue;
    if ((queue != NULL) + (options->select != NULL) + (options->order_key != NULL) > 1)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "of queue, select and order_key at least two are given, which may mean "
                         "different queues: give one of them");
    if (options->order_key && order_key_of(options).size == 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the order key is empty: give at least one character, or NULL for none");
    if (!options->order_key && options->order_key_bytes > 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "order_key_bytes is %zu, but there is no order_key: give both or neither",
                         options->order_key_bytes);
    if (!queue) return MQC_OK;
    if (!queue->topic || strcmp(queue->topic, message->topic) != 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "message's topic not equal mq's topic: the message is for %.*s, the queue "
                         "is of %.*s",
                         SHOWN_CHARACTERS, message->topic, SHOWN_CHARACTERS,
                         queue->topic ? queue->topic : "none");
    if (!queue->broker_name || !*queue->broker_name || queue->queue_id < 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the queue to send to has broker name \"%.*s\" and id %d: it needs a "
                         "broker's name and an id of at least 0",
                         SHOWN_CHARACTERS, queue->broker_name ? queue->broker_name : "",
                         queue->queue_id);
    return MQC_OK;
}
