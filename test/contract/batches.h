/* Batches as the tests send them, with the items that they came to. */
#ifndef CONTRACT_BATCHES_H
#define CONTRACT_BATCHES_H

#include "test/contract/outcomes.h"

enum { BATCH_MOST = 200 };

struct batch {
    const mqc_message *messages[BATCH_MOST];
    mqc_batch_item items[BATCH_MOST];
    size_t count;
};

/* Messages "<prefix>0", "<prefix>1", … with bodies of at least so many bytes. */
struct batch *batch_new(const char *topic, const char *prefix, size_t count, size_t bytes);
void batch_free(struct batch *batch);
mqc_message *batch_message(struct batch *batch, size_t number);

mqc_status batch_send(mqc_producer *producer, struct batch *batch, const mqc_send_options *options,
                      mqc_error *error);

/* All accepted; within a request one queue and rising offsets. Returns how many requests. */
int batch_check_items(const struct batch *batch);

/* Of an asynchronous one: copies the items. */
struct batch_answer {
    struct outcome *outcome;
    struct batch *batch;
};
mqc_batch_sent batch_take_answer;

#endif
