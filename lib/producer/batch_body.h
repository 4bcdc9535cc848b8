/* The body of SEND_BATCH_MESSAGE: messages one after the other (MessageDecoder.encodeMessage).
 * Pure.
 */
#ifndef PRODUCER_BATCH_BODY_H
#define PRODUCER_BATCH_BODY_H

#include "lib/base/buffer.h"
#include "lib/producer/send_properties.h"

/* Whether a message may be in a batch at all, `first` being the batch's first one, perhaps itself:
 * one topic, the same WAIT, no retry topic, no delay, transaction, request or reply
 * (MessageBatch.generateFromList, to which timer properties escape: brokers then deliver at once).
 * The message itself has been checked. */
mqc_status batch_message_check(const mqc_message *message, const mqc_message *first,
                               mqc_error *error);

/* Whether its batch waits until it is stored as safely as the broker is configured for. */
bool batch_message_waits(const mqc_message *message);

/* The bytes of a message in a body, at most. */
size_t batch_message_room(const mqc_message *message);

/* Appends a message, straight from where it is; its unique id goes to `unique_id`. On failure
 * (MQC_NO_MEMORY, MQC_TOO_BIG) the body is as before. */
mqc_status batch_body_append(struct buffer *body, const mqc_message *message,
                             char unique_id[MESSAGE_ID_BYTES], mqc_error *error);

#endif
