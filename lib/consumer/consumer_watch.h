/* Who looks after a consumer and tells of it: the watchdog, the look-out for offsets that were
 * reset, and the answers to brokers that ask for an administrator. */
#ifndef CONSUMER_CONSUMER_WATCH_H
#define CONSUMER_CONSUMER_WATCH_H

#include <mqclient/consumer.h>

#include "lib/consumer/queue_watch.h"
#include "services/remoting_client.h"

struct consumer;
struct consumer_queue;

/* What the watchdog has found. */
struct consumer_watch {
    atomic_bool looking;
    struct lock lock;                                /* guards what follows */
    int64_t stuck;                                   /* queues, when it looked last */
    int64_t stuck_all;                               /* how often some queue got stuck */
    int64_t restarted;                               /* queues whose pulls were begun anew */
    char why[sizeof((mqc_consumer_health *)0)->why]; /* of one that is stuck, with its name */
};

/* ---- consumer_watch.c ---- */
mqc_status consumer_watch_start(struct consumer *consumer, mqc_error *error);
void consumer_watch_stop(struct consumer *consumer);
void consumer_watch_look(struct consumer *consumer); /* between enter and exit; callback thread */
void consumer_health(struct consumer *consumer, mqc_consumer_health *out); /* any thread */

/* ---- reset_watch.c ---- */
mqc_status consumer_resets_start(struct consumer *consumer, mqc_error *error);
void consumer_resets_stop(struct consumer *consumer);
/* Whether the answer to a pull says that the queue's offset was reset, and is seen to: by whoever
 * has no pull request to go on with. */
bool queue_take_reset(struct consumer_queue *queue, struct remoting_arrival *arrival);

/* ---- consumer_running.c: 221, 307 ---- */
mqc_status consumer_tell_offsets(struct consumer *consumer, const struct remoting_command *command,
                                 struct buffer *body, mqc_error *error);
mqc_status consumer_tell_running(struct consumer *consumer, const struct remoting_command *command,
                                 struct buffer *body, mqc_error *error);

#endif
