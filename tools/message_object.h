/* A message as a JSON object, the same in every command that prints one. */
#ifndef TOOLS_MESSAGE_OBJECT_H
#define TOOLS_MESSAGE_OBJECT_H

#include "tools/output.h"

/* topic, brokerName, queueId, queueOffset, msgId, tags, keys, properties, bornTimestamp,
 * storeTimestamp, reconsumeTimes, and body or bodyBase64; NULL: out of memory. */
json_t *message_object(const mqc_message *message);

/* Writes a message's body as a line, or all of the message as a JSON line; false when standard
 * output does not take it (errno says why). */
bool message_print(const mqc_message *message, bool json);

/* Adds offsetMsgId, bornHost, storeHost and flag. NULL stays NULL. */
json_t *message_object_details(json_t *object, const mqc_message *message);

#endif
