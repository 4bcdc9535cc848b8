/* The bodies of LOCK_BATCH_MQ and UNLOCK_BATCH_MQ (LockBatchRequestBody.java and its likes). Names
 * are with their namespace (NULL: none) on the wire alone. */
#ifndef PROTOCOL_LOCK_BODIES_H
#define PROTOCOL_LOCK_BODIES_H

#include <mqclient/message.h>

#include "lib/base/buffer.h"

/* The same for both requests. */
void lock_request_encode(const char *name_space, const char *group, const char *client_id,
                         const mqc_message_queue *queues, size_t count, struct buffer *out);

/* The answer to locking: sets locked[i] for each of these queues that is in it. */
mqc_status lock_response_decode(struct slice body, const char *name_space,
                                const mqc_message_queue *queues, size_t count, bool *locked,
                                mqc_error *error);

#endif
