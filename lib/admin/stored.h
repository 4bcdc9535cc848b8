/* Stored messages as the files of the admin API hand them to one another. */
#ifndef ADMIN_STORED_H
#define ADMIN_STORED_H

#include "lib/admin/admin_private.h"
#include "lib/protocol/message.h"

/* The messages in an answer's body, readable, with their broker's name (NULL: unknown); *out is
 * NULL for an empty body. */
mqc_status stored_decode(struct mqc_admin *admin, struct remoting_response *response,
                         const char *broker_name, struct message_block **out, mqc_error *error);

/* That a message is one that a broker has stored. */
mqc_status stored_check(const mqc_message *message, mqc_error *error);

/* The address of the broker that has stored it: its master's, or the store host of a message whose
 * broker has no name. */
mqc_status stored_address(struct mqc_admin *admin, const mqc_message *message,
                          char out[ADDRESS_TEXT_BYTES], mqc_error *error);

#endif
