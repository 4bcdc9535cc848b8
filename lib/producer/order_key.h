/* Which queue the messages of one order key go to. Pure. */
#ifndef PRODUCER_ORDER_KEY_H
#define PRODUCER_ORDER_KEY_H

#include <mqclient/producer.h>

#include "lib/base/slice.h"

/* The key in the options of a send; absent when there is none. */
struct slice order_key_of(const mqc_send_options *options);

/* The index of a key's queue among `count`, at least 1 (SelectMessageQueueByHash.java). */
size_t order_key_queue(struct slice key, size_t count);

/* Whether a keyed send that failed so may be repeated on its queue without a message out of order:
 * the broker surely did not store it, and may do so the next time. */
bool order_key_may_repeat(const mqc_error *failure);

/* How long to wait before the attempt of this number, from 1 on: a broker that is gone for a moment
 * is not asked without a pause. */
int64_t order_key_pause_ms(int attempt);

#endif
