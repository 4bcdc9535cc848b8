/* The handle that a broker gives for a message with a time of delivery, by which it can be taken
 * back: URL-safe Base64 of "v1 topic broker time id" (RecallMessageHandle.java). Pure. */
#ifndef PROTOCOL_RECALL_HANDLE_H
#define PROTOCOL_RECALL_HANDLE_H

#include <mqclient/status.h>

#include "lib/base/slice.h"

enum { RECALL_HANDLE_BYTES = 512 /* with a zero byte */ };

struct recall_handle {
    struct slice topic, broker_name, time, message_id; /* in `text` */
    char text[RECALL_HANDLE_BYTES];
};

/* MQC_BAD_ARGUMENT for anything else. Not to be copied as a struct. */
mqc_status recall_handle_decode(const char *handle, struct recall_handle *out, mqc_error *error);

#endif
