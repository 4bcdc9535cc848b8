/* The properties that a message is sent with: its own, an id and whether to wait. Pure. */
#ifndef PRODUCER_SEND_PROPERTIES_H
#define PRODUCER_SEND_PROPERTIES_H

#include <mqclient/message.h>

#include "lib/protocol/message_id.h"

/* What the properties say to the sender. */
struct send_marks {
    char unique_id[MESSAGE_ID_BYTES];
    int32_t reconsume_times;     /* of a message to a retry topic, else 0 */
    int32_t max_reconsume_times; /* likewise, else -1 */
    bool prepared;               /* the half message of a transaction */
    bool is_reply;               /* to a request: goes out as SEND_REPLY_MESSAGE_V2 */
};

/* The most bytes that are written for a message. */
size_t send_properties_room(const mqc_message *message);

/* Writes them and returns how many bytes. UNIQ_KEY and WAIT are added unless the message has them.
 * Of a received message only those that are its sender's go out: those of the application, KEYS
 * and TAGS. */
size_t send_properties_write(const mqc_message *message, char *out, struct send_marks *marks);

#endif
