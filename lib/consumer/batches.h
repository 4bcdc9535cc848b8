/* Messages on their way from a broker's answer to the application. */
#ifndef CONSUMER_BATCHES_H
#define CONSUMER_BATCHES_H

#include <stddef.h>

#include "lib/base/reference.h"
#include "lib/protocol/message.h"
#include "lib/protocol/pop_ticket.h"

struct consumer_queue;

/* The messages of one pull on their way to the application, in one allocation. Counted. */
struct pulled_batch {
    struct reference references;
    struct consumer_queue *queue;
    struct message_block *block;
    size_t count;
    struct mqc_message **messages;
    max_align_t room[]; /* kind->message_bytes for each message of the block */
};
void pulled_batch_unref(struct pulled_batch *batch);

/* The messages of one pop on their way to the application, in one allocation. Counted. */
struct popped_batch {
    struct reference references;
    struct consumer_queue *queue;
    struct message_block *block;
    int64_t expires_ms; /* from when on the broker may give them to others */
    size_t count;
    struct mqc_message **messages;
    struct pop_ticket *tickets; /* of each */
    max_align_t room[];         /* kind->message_bytes for each */
};
void popped_batch_unref(struct popped_batch *batch);

#endif
