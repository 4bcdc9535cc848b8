/* Asynchronous sends under way: attempts, retries, cancelling and the callback exactly once, for
 * single messages (send_async.c), batches (send_batch_async.c), accumulated ones (accumulator.c)
 * and recalls (recall.c). */
#ifndef PRODUCER_ASYNC_SEND_H
#define PRODUCER_ASYNC_SEND_H

#include "lib/base/list.h"
#include "lib/base/reference.h"
#include "lib/producer/producer_private.h"
#include "lib/producer/send_trail.h"

struct async_send;

union async_header {
    struct send_message_header message;
    struct recall_message_header recall;
};

/* What differs between the kinds of sends. */
struct async_send_type {
    /* NULL: a message's. The request of an attempt, which is on its way when the header goes. */
    void (*request)(struct async_send *send, union async_header *header,
                    struct command_to_send *request);
    /* NULL: a message's. Reads an answer into result or error; false when its refusal may be met by
     * another attempt. */
    bool (*read)(struct async_send *send, const struct remoting_command *answer);
    /* Tells the application, on a callback thread: result, or error when its status is not MQC_OK;
     * and gives back the places in the window. */
    void (*deliver)(struct async_send *send);
    /* After an answer that accepted the content, on the reading thread: puts the content that comes
     * next in its place; false when that was all. NULL: there never is any. */
    bool (*next)(struct async_send *send);
    /* Releases the content and what belongs to the kind; any thread. */
    void (*empty)(struct async_send *send);
};

struct async_send {
    struct link link; /* in the producer's list of sends, or of spare ones */
    struct callback_task task;
    struct reference references; /* one until called back, one a call under way, one a caller */
    atomic_int phase;
    struct mqc_producer *producer;
    const struct async_send_type *type;
    struct send_content content;
    struct send_place place;
    int64_t deadline_ms;
    bool pinned; /* to its queue: one attempt for each content */
    int attempts_left;
    bool moved_on;           /* called again after GO_AWAY */
    struct send_trail trail; /* of the present content */
    mqc_send_result result;
    mqc_error error; /* status MQC_OK with a result */

    /* The kind's own. */
    mqc_message *message; /* counted; NULL: none */
    void *batch;
    mqc_sent *done;
    mqc_recalled *recalled;
    void *arg;
};

/* A send without content; NULL: no memory. Begun, or dropped by async_send_drop. */
struct async_send *async_send_take(struct mqc_producer *producer,
                                   const struct async_send_type *type);

/* The content and deadline are set: makes the first attempt. `message` is what options->select is
 * shown. When this fails there is no callback and the send is gone. It may wait for a route. */
mqc_status async_send_begin(struct async_send *send, const mqc_message *message,
                            const mqc_send_options *options, mqc_error *error);

/* The same from what is known, without waiting, to send->place when that is pinned. A failure is
 * delivered by the callback. */
void async_send_begin_known(struct async_send *send);

/* Frees a send that was not begun, with what belongs to it. */
void async_send_drop(struct async_send *send);

#endif
