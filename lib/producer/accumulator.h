/* Auto-batching: single sends to one place are gathered and go out as one batch when it is full or
 * old enough, and each caller gets its own result (ProduceAccumulator.java; here one a producer).
 * The caller whose message fills a batch sends it. One that is not filled is sent when it is due: a
 * synchronous one by the first caller who waits for it, an asynchronous one by the accumulator's
 * thread, which only producers with auto_batch have. */
#ifndef PRODUCER_ACCUMULATOR_H
#define PRODUCER_ACCUMULATOR_H

#include <mqclient/batch.h>

#include "lib/base/buffer.h"
#include "lib/base/list.h"
#include "lib/producer/sender.h"
#include "services/service.h"

enum { ACCUMULATOR_BUCKETS = 64, ACCUMULATION_TAG_BYTES = 128 };

struct accumulator {
    bool enabled;
    size_t batch_bytes, total_bytes;
    int delay_ms;
    struct service service;
    struct lock lock; /* guards everything below, and the accumulations until they are sent */
    struct link buckets[ACCUMULATOR_BUCKETS]; /* struct accumulation: open, by what they are for */
    struct link open;                         /* the asynchronous ones, oldest first */
    size_t held_bytes;                        /* of all that have no results yet */
    int64_t wakes_ms;                         /* when the thread looks by itself */
    bool closing;                             /* nothing is gathered any more */
};

struct mqc_producer;

void accumulator_init(struct accumulator *accumulator, const mqc_producer_options *filled);
void accumulator_done(struct accumulator *accumulator);
mqc_status accumulator_start(struct accumulator *accumulator, mqc_error *error);
/* Sends what is gathered, ends the thread; sends that come from now on go alone. Again is fine. */
void accumulator_close(struct accumulator *accumulator);

/* Sends all asynchronous batches as they are: somebody waits for room. */
void accumulator_flush(struct accumulator *accumulator);

/* Whether the message may go with others. Message and options have been checked. */
bool accumulator_wants(const struct accumulator *accumulator, const mqc_message *message,
                       const mqc_send_options *options);

/* Sends a message that it wants. *taken is false when it is to go alone all the same: there is too
 * much gathered already, or the producer is being shut down. */
mqc_status accumulator_send(struct mqc_producer *producer, const mqc_message *message,
                            const mqc_send_options *options, int64_t deadline_ms,
                            mqc_send_result *result, bool *taken, mqc_error *error);
mqc_status accumulator_send_async(struct mqc_producer *producer, const mqc_message *message,
                                  const mqc_send_options *options, int64_t deadline_ms,
                                  mqc_sent *done, void *arg, bool *taken, mqc_error *error);

#endif
