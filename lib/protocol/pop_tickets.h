/* The tickets of an answer to POP_MESSAGE: by what each of its messages is acknowledged. */
#ifndef PROTOCOL_POP_TICKETS_H
#define PROTOCOL_POP_TICKETS_H

#include "lib/protocol/headers.h"
#include "lib/protocol/message.h"
#include "lib/protocol/pop_ticket.h"

/* Pops ask for 32 at most; an inner batch may make more of them. */
enum { POP_ANSWER_MESSAGES_MAX = 1024, POP_ANSWER_LIST_MAX = 65536 /* bytes */ };

/* One for each message, in their order. `topic` as stored. MQC_BAD_FRAME for a message whose own
 * ticket is damaged, and for an answer that is larger than any pop's may be: making its tickets
 * would keep the thread that reads from all other connections. */
mqc_status pop_tickets_make(const struct message_block *block,
                            const struct pop_message_response_header *header, struct slice topic,
                            struct pop_ticket *out, mqc_error *error);

#endif
