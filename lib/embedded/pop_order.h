/* Ordered pops: of a queue that was popped in order nothing more is given to the group until what
 * was taken is acknowledged or its time is over (ConsumerOrderInfoManager.java). Under the
 * cluster's lock. */
#ifndef EMBEDDED_POP_ORDER_H
#define EMBEDDED_POP_ORDER_H

#include "lib/base/buffer.h"
#include "lib/embedded/pop_state.h"

enum { POP_ORDER_MAX = 32, POP_ORDER_QUEUE_ID = 999 /* KeyBuilder.POP_ORDER_REVIVE_QUEUE */ };

/* What one ordered pop takes of a queue. */
struct pop_order_take {
    struct slice attempt_id; /* absent: none */
    int64_t popped_unix_ms;
    int64_t invisible_ms;
    size_t count; /* 1 to POP_ORDER_MAX */
    int64_t offsets[POP_ORDER_MAX];
    int flag; /* of the topic, as in the pop's answer */
};

/* What an acknowledgement came to, when it is no offset. */
enum { POP_ORDER_UNKNOWN = -1, POP_ORDER_OUTDATED = -2 };

/* In all of these the key's offset is of a message where one is meant, and unused else. */

/* True while the queue has messages out; not for the same attempt, which may be made again. */
bool pop_order_blocks(const struct broker_data *data, const struct pop_key *key,
                      struct slice attempt_id);

/* Notes what was taken, and appends how often each was taken before, in the form of the answer's
 * orderCountInfo. False: no memory. */
bool pop_order_take(struct broker_data *data, const struct pop_key *key,
                    const struct pop_order_take *take, struct buffer *counts);

/* One message is done: the offset that the group is at now, or what is wrong. */
int64_t pop_order_acknowledge(struct broker_data *data, const struct pop_key *key,
                              int64_t popped_unix_ms);

/* One message may be popped again at that time. */
void pop_order_show_at(struct broker_data *data, const struct pop_key *key, int64_t popped_unix_ms,
                       int64_t unix_ms);

/* Nothing is out any more: the group's offset was set by an administrator. */
void pop_order_forget(struct broker_data *data, const struct pop_key *key);
void pop_order_forget_topic(struct broker_data *data, const char *topic);
void pop_order_forget_all(struct broker_data *data);

#endif
