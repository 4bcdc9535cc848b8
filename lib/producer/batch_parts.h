/* A batch of the application's on its way: its checks, its division into requests, and what becomes
 * of each message, for the synchronous and the asynchronous call. Pure. */
#ifndef PRODUCER_BATCH_PARTS_H
#define PRODUCER_BATCH_PARTS_H

#include "lib/base/buffer.h"
#include "lib/producer/send_request.h"

struct batch_parts {
    const mqc_message *const *messages;
    size_t count;
    size_t limit;          /* of the body of one request */
    mqc_batch_item *items; /* `count`, or NULL */
    size_t first, next;    /* the messages of the present request */
    int request;           /* its number; -1: none yet */
};

/* All messages and the options, before anything is sent. */
mqc_status batch_parts_check(const struct batch_parts *parts, const mqc_send_options *options,
                             mqc_error *error);

/* Appends the messages of the next request to the body; MQC_NO_MEMORY. Not after the last. */
mqc_status batch_parts_encode(struct batch_parts *parts, struct buffer *body, mqc_error *error);
bool batch_parts_done(const struct batch_parts *parts); /* all messages are encoded */

/* What the present request is sent as; its body is the `bytes` at `body`. */
void batch_parts_content(const struct batch_parts *parts, struct slice body,
                         struct send_content *content);

/* The present request (`sent`: at least tried) failed: what its messages and those behind it came
 * to, and the error of the call. */
void batch_parts_fail(const struct batch_parts *parts, bool sent, mqc_error *failure);

#endif
