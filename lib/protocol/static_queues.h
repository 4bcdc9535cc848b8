/* The part of a route that static topics have; for topic_route.c. */
#ifndef PROTOCOL_STATIC_QUEUES_H
#define PROTOCOL_STATIC_QUEUES_H

#include <jansson.h>

#include "lib/protocol/topic_route.h"

/* Fills the route's static queues out of "topicQueueMappingByBroker", which may be NULL. What was
 * made is released by static_queues_free, also after a failure. */
mqc_status static_queues_decode(const json_t *mappings, struct topic_route *route,
                                mqc_error *error);
bool static_queues_equal(const struct topic_route *a, const struct topic_route *b);
void static_queues_free(struct topic_route *route);

#endif
