/* Counting what sends come to; see the producer's rows of statistics.def. Any thread. */
#ifndef PRODUCER_SEND_FIGURES_H
#define PRODUCER_SEND_FIGURES_H

#include "lib/producer/send_trail.h"
#include "lib/producer/sender.h"

/* A broker took the content, on a queue whose names are of the sender's pool. */
void send_figures_sent(struct sender *sender, const struct send_content *content,
                       const mqc_message_queue *queue, const struct send_trail *trail);
/* It went out, and nobody will say more. */
void send_figures_oneway(struct sender *sender, const struct send_content *content,
                         const mqc_message_queue *queue);
/* All attempts have failed. The last broker is of the sender's pool; NULL: there was none. */
void send_figures_failed(struct sender *sender, const struct send_content *content,
                         const char *last_broker, const struct send_trail *trail);

#endif
