/* Zero-ended copies of a message's properties and ids for the public getters: one allocation a
 * message, made when first asked for. Private to the message object. */
#ifndef PROTOCOL_MESSAGE_TEXTS_H
#define PROTOCOL_MESSAGE_TEXTS_H

#include "lib/protocol/message.h"

struct property_text {
    const char *name;
    const char *value;
};

struct message_texts {
    char offset_id[MESSAGE_ID_BYTES]; /* the ids and hosts are empty for a built message */
    char born_host[HOST_TEXT_BYTES];
    char stored_host[HOST_TEXT_BYTES];
    size_t count;
    struct property_text properties[]; /* in the order of the wire; the characters follow */
};

/* Any number of threads at once; NULL when out of memory. Lives as long as the message, or until a
 * built message is changed. */
const struct message_texts *message_texts_of(const struct mqc_message *message);

/* Of a name that occurs twice the last value; NULL when there is none or `texts` is NULL. */
const char *message_texts_property(const struct message_texts *texts, const char *name);

/* Forgets the texts; nobody may be using them. */
void message_texts_discard(struct mqc_message *message);

#endif
