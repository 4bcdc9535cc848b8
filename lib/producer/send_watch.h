/* Who looks on when a producer sends: the application's hooks and the trace. */
#ifndef PRODUCER_SEND_WATCH_H
#define PRODUCER_SEND_WATCH_H

#include <mqclient/batch.h>
#include <mqclient/hooks.h>

#include "lib/producer/tracing.h"

struct send_watch {
    const char *group;
    const mqc_send_hook *hooks;
    size_t hook_count;
    struct tracing *tracing; /* NULL: no trace */
};

/* The message as hooks have changed it. */
struct mqc_send_dress {
    mqc_message *message; /* NULL: as the application gave it */
};

/* What is kept of a send from its beginning to its end. */
struct send_watched {
    struct mqc_send_dress dress;
    mqc_send_mode mode;
    int64_t began_ms, began_unix_ms;
    size_t passed; /* hooks whose `before` let it pass */
    void *notes[MQC_SEND_HOOKS_MOST];
};

static inline bool send_watch_is_on(const struct send_watch *watch)
{
    return watch->hook_count > 0 || watch->tracing;
}

/* A send begins. When a hook refuses it, it has ended already. What is to be sent from then on is
 * send_watched_message, which the end frees. */
mqc_status send_watch_before(const struct send_watch *watch, struct send_watched *watched,
                             const mqc_message *message, mqc_send_mode mode, mqc_error *error);

static inline const mqc_message *send_watched_message(const struct send_watch *watch,
                                                      const struct send_watched *watched,
                                                      const mqc_message *message)
{
    return send_watch_is_on(watch) && watched->dress.message ? watched->dress.message : message;
}

/* It ended: with a result, an error, or neither (oneway). */
void send_watch_after(const struct send_watch *watch, struct send_watched *watched,
                      const mqc_message *message, const mqc_send_result *result,
                      const mqc_error *error);

/* ---- sends that are called back ---- */

/* Stands between an asynchronous send and the application's callback: pass `watched_sent` and this
 * as its argument. It keeps the message. */
struct watched_async;
mqc_status watched_async_begin(const struct send_watch *watch, const mqc_message *message,
                               mqc_sent *done, void *arg, struct watched_async **out,
                               mqc_error *error);
const mqc_message *watched_async_message(const struct watched_async *watched);
mqc_sent watched_sent;
/* It could not be begun: there will be no callback. */
void watched_async_failed(struct watched_async *watched, const mqc_error *failure);

/* Messages of a batch: each is seen like a send of its own. Of one that a hook refuses nothing is
 * sent; the others' hooks learn why. */
struct watched_batch;
mqc_status watched_batch_begin(const struct send_watch *watch, const mqc_message *const *messages,
                               size_t count, mqc_send_mode mode, struct watched_batch **out,
                               mqc_error *error);
/* What is to be sent: `count` messages that live until the end. */
const mqc_message *const *watched_batch_messages(const struct watched_batch *watched);
/* The callback of an asynchronous one, to be set before it begins; watched_batch_sent is its own.
 */
void watched_batch_callback(struct watched_batch *watched, mqc_batch_sent *done, void *arg);
mqc_batch_sent watched_batch_sent;
/* Its end: with items, or an error of all. Frees it. */
void watched_batch_end(struct watched_batch *watched, const mqc_batch_item *items,
                       const mqc_error *error);

#endif
