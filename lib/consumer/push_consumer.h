/* Shared by the files of the push consumer only: push_consumer.c (the public functions),
 * push_concurrently.c (a kind), push_delivery.c (one listener call), push_timeout.c. */
#ifndef CONSUMER_PUSH_CONSUMER_H
#define CONSUMER_PUSH_CONSUMER_H

#include "lib/consumer/consumer.h"
#include "services/consume_workers.h"

struct mqc_push_consumer {
    struct consumer core;
    mqc_push_consumer_options options; /* filled; `client` and `group` are the core's */
    struct consume_workers *workers;
    struct link parked; /* guarded by core.lock: consume_task.link of what came up while paused */
    struct scheduled_task *sweep;
};

static inline struct mqc_push_consumer *push_consumer_of(struct consumer *consumer)
{
    return CONTAINER_OF(consumer, struct mqc_push_consumer, core);
}

/* ---- push_consumer.c: what the kinds share ---- */
mqc_status push_start(struct consumer *consumer, mqc_error *error);
int push_stop(struct consumer *consumer, int64_t deadline_ms);
void push_destroy(struct consumer *consumer);
int push_threads(struct consumer *consumer);

/* ---- push_concurrently.c ---- */
extern const struct consumer_kind PUSH_CONCURRENTLY;

/* ---- push_delivery.c ---- */
struct mqc_delivery {
    mqc_message_queue queue;
    struct mqc_message **messages;
    size_t count;
    size_t done; /* of them, when the listener succeeds */
    int retry_level;
};
/* Calls the listener and returns how many of the messages are done. */
size_t push_deliver(const struct mqc_push_consumer *consumer, struct mqc_delivery *delivery);
const char *push_consume_directly(struct consumer *consumer, struct mqc_message *message);

/* ---- push_timeout.c ---- */
mqc_status push_timeout_start(struct mqc_push_consumer *consumer, mqc_error *error);
void push_timeout_sweep(struct consumer *consumer, struct client_instance *instance);

#endif
