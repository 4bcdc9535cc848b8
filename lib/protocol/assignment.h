/* Which queues a member of a group is to have, as a broker divides them: QUERY_ASSIGNMENT's bodies
 * (QueryAssignmentRequestBody.java, QueryAssignmentResponseBody.java). */
#ifndef PROTOCOL_ASSIGNMENT_H
#define PROTOCOL_ASSIGNMENT_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"

/* Names are with their namespace (NULL: none) on the wire alone. */
void assignment_query_encode(const char *name_space, const char *topic, const char *group,
                             const char *client_id, struct buffer *out);

/* `queue_id` may be -1: any of the broker's queues. The slice is valid during the call. */
typedef void assignment_visitor(struct slice broker_name, int32_t queue_id, bool pop, void *arg);
/* *known is false when the broker has no answer (yet); damage visits nothing. */
mqc_status assignment_decode(struct slice body, assignment_visitor *visit, void *arg, bool *known,
                             mqc_error *error);

/* SET_MESSAGE_REQUEST_MODE's body. */
void request_mode_encode(const char *name_space, const char *topic, const char *group, bool pop,
                         int share_queues, struct buffer *out);

#endif
