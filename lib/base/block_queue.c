/* The queue between threads: any thread puts, usually one service takes. Every change of state is
 * made and signalled under the lock, so that no wake-up can be lost. */
#include "lib/base/block_queue.h"

#include "lib/base/bug.h"

void block_queue_init(struct block_queue *queue, size_t limit)
{
    lock_init(&queue->lock, LOCK_RANK_QUEUE);
    condition_init(&queue->not_empty);
    condition_init(&queue->not_full);
    list_init(&queue->items);
    queue->count = 0;
    queue->limit = limit;
    queue->takers_waiting = 0;
    queue->putters_waiting = 0;
    queue->closed = false;
}

void block_queue_done(struct block_queue *queue)
{
    BUG_IF(!list_empty(&queue->items), "a queue ends with %zu items in it", queue->count);
    condition_done(&queue->not_full);
    condition_done(&queue->not_empty);
    lock_done(&queue->lock);
}

static bool full(const struct block_queue *queue)
{
    return queue->limit > 0 && queue->count >= queue->limit;
}

enum block_queue_result block_queue_put(struct block_queue *queue, struct link *item,
                                        int64_t deadline_ms)
{
    enum block_queue_result result = BLOCK_QUEUE_OK;
    bool in_time = true;
    lock_take(&queue->lock);
    while (!queue->closed && full(queue) && in_time) {
        queue->putters_waiting++;
        in_time = condition_wait_until(&queue->not_full, &queue->lock, deadline_ms);
        queue->putters_waiting--;
    }
    /* A place that became free at the last moment counts: its wake-up may have been ours. */
    if (queue->closed) {
        result = BLOCK_QUEUE_CLOSED;
    } else if (full(queue)) {
        result = BLOCK_QUEUE_TIMEOUT;
    } else {
        list_append(&queue->items, item);
        queue->count++;
        if (queue->takers_waiting > 0) condition_wake_one(&queue->not_empty);
    }
    lock_release(&queue->lock);
    return result;
}

enum block_queue_result block_queue_take(struct block_queue *queue, struct link **item,
                                         int64_t deadline_ms)
{
    enum block_queue_result result = BLOCK_QUEUE_OK;
    bool in_time = true;
    lock_take(&queue->lock);
    while (!queue->closed && queue->count == 0 && in_time) {
        queue->takers_waiting++;
        in_time = condition_wait_until(&queue->not_empty, &queue->lock, deadline_ms);
        queue->takers_waiting--;
    }
    *item = list_take_first(&queue->items);
    if (*item) {
        queue->count--;
        if (queue->putters_waiting > 0) condition_wake_one(&queue->not_full);
    } else {
        result = queue->closed ? BLOCK_QUEUE_CLOSED : BLOCK_QUEUE_TIMEOUT;
    }
    lock_release(&queue->lock);
    return result;
}

size_t block_queue_take_all(struct block_queue *queue, struct link *list)
{
    lock_take(&queue->lock);
    size_t count = queue->count;
    list_move_all(list, &queue->items);
    queue->count = 0;
    if (count > 0 && queue->putters_waiting > 0) condition_wake_all(&queue->not_full);
    lock_release(&queue->lock);
    return count;
}

void block_queue_close(struct block_queue *queue)
{
    lock_take(&queue->lock);
    queue->closed = true;
    condition_wake_all(&queue->not_empty);
    condition_wake_all(&queue->not_full);
    lock_release(&queue->lock);
}

size_t block_queue_count(struct block_queue *queue)
{
    lock_take(&queue->lock);
    size_t count = queue->count;
    lock_release(&queue->lock);
    return count;
}
