/* Sends: what the handlers of single, batch and reply messages share. */
#ifndef EMBEDDED_SEND_HANDLER_H
#define EMBEDDED_SEND_HANDLER_H

#include "lib/embedded/broker.h"
#include "lib/embedded/request.h"

enum { MESSAGE_BODY_MAX_BYTES = 4 << 20 };

/* A send being handled. */
struct send {
    struct request *request;
    struct send_message_header header; /* of either form */
    struct topic *topic;
    int32_t queue_id;
    bool dead_letter;         /* sent to a retry topic too often */
    bool no_priority;         /* the priority property is taken off */
    struct buffer properties; /* with what the broker adds */
};

/* Answers a send with a code and a text, and the fields that all of them carry. */
void send_refuse(const struct send *send, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers a stored message. `ids` is its offset id, or a batch's list of them. */
void send_answer(const struct send *send, struct slice ids, const struct record *first);

/* The message as it came, with the broker's properties, not yet stored. */
struct mqc_message send_message_of(const struct send *send);

/* SEND_BATCH_MESSAGE, and V2 with the batch flag. */
void send_batch(struct send *send);

/* The long form of the header in the short one's struct. */
bool send_header(struct request *request, struct send_message_header *out);

extern const char SEND_ILLEGAL[]; /* the text of code 13 */

#endif
