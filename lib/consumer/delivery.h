/* Messages in the application's hands: for the time of a listener's call, or until it gives back a
 * delivery that it has polled. */
#ifndef CONSUMER_DELIVERY_H
#define CONSUMER_DELIVERY_H

#include <mqclient/consumer.h>

#include "lib/protocol/message.h"

/* Of deliveries that were polled. */
struct delivery_kind {
    /* The application's verdict; frees it. NULL: there is none to be given. */
    void (*finish)(struct mqc_delivery *delivery, mqc_consume_status status);
    void (*free)(struct mqc_delivery *delivery);
};

struct meter;
struct mqc_delivery {
    mqc_message_queue queue; /* names live as long as the delivery */
    struct mqc_message **messages;
    size_t count;
    size_t done; /* of them, when the listener succeeds */
    int retry_level;
    int suspend_ms;                   /* orderly; 0: as the options say */
    bool by_hand;                     /* orderly: commits */
    const struct delivery_kind *kind; /* NULL: a listener's call ends it */
    struct meter *meter;              /* NULL: it is not counted */
    int64_t begun_unix_ms;            /* of one that is counted: when the application gets it */
};

/* A delivery of its own of some messages of a block, which is counted up; they are made readable.
 * Those that cannot be are left out and logged: *out is NULL when none remains. */
mqc_status delivery_of_block(const mqc_message_queue *queue, struct message_block *block,
                             struct mqc_message **messages, size_t count, struct mqc_delivery **out,
                             mqc_error *error);

/* Makes a message what the application should see. */
mqc_status consumer_prepare_message(struct mqc_message *message, mqc_error *error);
/* Makes messages what the application should see; the readable ones are in front, and counted. The
 * others are logged. */
size_t delivery_prepare_all(const mqc_message_queue *queue, struct mqc_message **messages,
                            size_t count);

#endif
