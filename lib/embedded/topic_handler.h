/* Deleting a topic, for handlers and the public API. */
#ifndef EMBEDDED_TOPIC_HANDLER_H
#define EMBEDDED_TOPIC_HANDLER_H

#include "lib/embedded/broker.h"

/* With its messages and what groups have committed of it; who waits at it is answered. */
void topic_delete(struct broker_data *data, struct topic *topic);

#endif
