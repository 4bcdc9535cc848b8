/* The condition-variable queue that services wait on: first in, first out, on the monotonic clock,
 * closable, optionally bounded. Items are links inside the caller's structs: no allocation. */
#ifndef BASE_BLOCK_QUEUE_H
#define BASE_BLOCK_QUEUE_H

#include "lib/base/list.h"
#include "lib/base/lock.h"

struct block_queue {
    struct lock lock; /* guards everything below */
    struct condition not_empty;
    struct condition not_full;
    struct link items;
    size_t count;
    size_t limit; /* 0: unbounded */
    int takers_waiting;
    int putters_waiting;
    bool closed;
};

enum block_queue_result { BLOCK_QUEUE_OK, BLOCK_QUEUE_TIMEOUT, BLOCK_QUEUE_CLOSED };

void block_queue_init(struct block_queue *queue, size_t limit);
void block_queue_done(struct block_queue *queue); /* must be empty */

/* Appends; waits while full until the deadline (one in the past: does not wait). Wakes a
 * taker only when one waits. */
enum block_queue_result block_queue_put(struct block_queue *queue, struct link *item,
                                        int64_t deadline_ms);

/* Takes the first item; waits while empty until the deadline. After closing, the items that are
 * left are still handed out; then BLOCK_QUEUE_CLOSED. */
enum block_queue_result block_queue_take(struct block_queue *queue, struct link **item,
                                         int64_t deadline_ms);

/* Moves all items to `list` without waiting; returns how many. */
size_t block_queue_take_all(struct block_queue *queue, struct link *list);

/* Refuses further items and wakes everybody who waits. Closing twice is fine. */
void block_queue_close(struct block_queue *queue);
size_t block_queue_count(struct block_queue *queue);

#endif
