/* One batch that is being gathered. Shared by the accumulator's files only. */
#ifndef PRODUCER_ACCUMULATION_H
#define PRODUCER_ACCUMULATION_H

#include "lib/producer/accumulator.h"
#include "lib/producer/async_send.h"

/* What messages must have in common to be gathered in one batch (AggregateKey). */
struct accumulation_key {
    uint32_t hash;
    bool synchronous, wait_stored;
    struct slice topic, tag;
    mqc_message_queue queue; /* of sends that say which; else its broker's name is NULL */
};

/* Who gets the result of one message of an asynchronous batch. */
struct accumulated {
    mqc_sent *done;
    void *arg;
    size_t bytes; /* its place in the window */
};

struct accumulation {
    struct link in_bucket, in_open;
    struct accumulation_key key; /* topic and tag are of the two below */
    mqc_message *first;          /* counted */
    char tag[ACCUMULATION_TAG_BYTES];
    struct buffer body;
    size_t count, capacity, callback_capacity;
    mqc_batch_item *items;
    int64_t due_ms;
    int64_t deadline_ms;

    /* Asynchronous. */
    struct accumulated *callbacks;
    struct async_send *send; /* ready to begin */

    /* Synchronous; all but `result` under the accumulator's lock. */
    struct condition changed;
    int callers; /* who have their results yet to take */
    bool led, finished;
    mqc_send_result result; /* of the batch */
    mqc_error error;        /* status MQC_OK with a result */
};

/* What a message is gathered by, `place` being set when the options say which queue. The key
 * borrows from the message. */
struct accumulation_key accumulation_key_of(const mqc_message *message, bool synchronous,
                                            const mqc_message_queue *queue);

/* A new one for a message; NULL: no memory. */
struct accumulation *accumulation_new(const struct accumulation_key *key,
                                      const mqc_message *message);
void accumulation_free(struct accumulation *accumulation);

/* A message that wants to join a batch. */
struct accumulation_join {
    struct accumulation_key key;
    const mqc_message *message;
    const struct accumulated *callback; /* NULL: synchronous */
    struct accumulation *spare; /* opened when there is none with room, and then NULL here */
    /* What came of it: */
    struct accumulation *batch;    /* that it is in; NULL: in none */
    size_t number;                 /* in it */
    bool needs_spare;              /* once more with one */
    bool opened, filled;           /* it is the batch's first, and its last message: it is closed */
    struct accumulation *overfull; /* had no room: closed, the caller's to send */
};

/* No memory is an error. Otherwise, unless it needs a spare, without a batch it is to go alone. */
mqc_status accumulation_join(struct accumulator *accumulator, struct accumulation_join *join,
                             mqc_error *error) REQUIRES(accumulator->lock);

/* No message is added from now on. */
void accumulation_close(struct accumulation *accumulation);

void accumulation_content(struct accumulation *accumulation, struct send_content *content);

/* The result of one of its messages, from that of the batch. */
void accumulation_result(const struct accumulation *accumulation, size_t number,
                         const mqc_send_result *batch, mqc_send_result *result);

#endif
