/* The bound on asynchronous sends in flight (backPressureForAsyncSendNum, …Size). Taken by sending
 * threads, given back by callback threads. Java counts with two fair semaphores, in which a body
 * larger than the limit waits for ever; here it goes alone. */
#include "lib/producer/send_window.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "services/service.h"

#define BYTES_MASK ((UINT64_C(1) << SEND_WINDOW_BYTE_BITS) - 1)

/* The place that the callback running on this thread may use. */
static _Thread_local struct {
    struct send_window *window;
    size_t bytes;
} hand;

static bool take_from_hand(struct send_window *window, size_t bytes);
static mqc_status wait_for_room(struct send_window *window, size_t bytes, int64_t deadline_ms,
                                mqc_error *error);
static mqc_status full(struct send_window *window, bool waited, mqc_error *error);

static uint64_t cost_of(size_t bytes)
{
    return UINT64_C(1) << SEND_WINDOW_BYTE_BITS | (uint64_t)bytes;
}

void send_window_init(struct send_window *window, int most_sends, int most_bytes,
                      mqc_when_full when_full)
{
    atomic_init(&window->used, 0);
    atomic_init(&window->waiting, 0);
    window->most_sends =
        most_sends < 0 ? UINT64_MAX >> SEND_WINDOW_BYTE_BITS : (uint64_t)most_sends;
    window->most_bytes = most_bytes < 0 ? BYTES_MASK : (uint64_t)most_bytes;
    window->waits = when_full == MQC_WHEN_FULL_WAIT;
    window->closed = false;
    lock_init(&window->lock, LOCK_RANK_LEAF);
    condition_init(&window->changed);
}

void send_window_done(struct send_window *window)
{
    condition_done(&window->changed);
    lock_done(&window->lock);
}

mqc_status send_window_take(struct send_window *window, size_t bytes, int64_t deadline_ms,
                            mqc_error *error)
{
    if (take_from_hand(window, bytes) || send_window_try(window, bytes)) return MQC_OK;
    if (!window->waits || service_on_own_thread()) return full(window, false, error);
    return wait_for_room(window, bytes, deadline_ms, error);
}

static bool fits(const struct send_window *window, uint64_t used, size_t bytes)
{
    uint64_t used_bytes = used & BYTES_MASK;
    return (used >> SEND_WINDOW_BYTE_BITS) < window->most_sends &&
           (used_bytes == 0 || used_bytes + bytes <= window->most_bytes);
}

bool send_window_has_room(struct send_window *window, size_t bytes)
{
    return fits(window, atomic_load_explicit(&window->used, memory_order_relaxed), bytes);
}

bool send_window_try(struct send_window *window, size_t bytes)
{
    uint64_t used = atomic_load_explicit(&window->used, memory_order_relaxed);
    do {
        if (!fits(window, used, bytes)) return false;
    } while (!atomic_compare_exchange_weak(&window->used, &used, used + cost_of(bytes)));
    return true;
}

void send_window_give_back(struct send_window *window, size_t bytes)
{
    atomic_fetch_sub(&window->used, cost_of(bytes));
    /* Who waits was counted before it looked for the last time. */
    if (atomic_load(&window->waiting) == 0) return;
    lock_take(&window->lock);
    condition_wake_one(&window->changed);
    lock_release(&window->lock);
}

void send_window_hand(struct send_window *window, size_t bytes)
{
    hand.window = window;
    hand.bytes = bytes;
}

void send_window_hand_end(void)
{
    if (hand.window) send_window_give_back(hand.window, hand.bytes);
    hand.window = NULL;
}

void send_window_close(struct send_window *window)
{
    lock_take(&window->lock);
    window->closed = true;
    condition_wake_all(&window->changed);
    lock_release(&window->lock);
}

static bool take_from_hand(struct send_window *window, size_t bytes)
{
    if (hand.window != window) return false;
    hand.window = NULL;
    if (bytes >= hand.bytes) {
        atomic_fetch_add(&window->used, (uint64_t)(bytes - hand.bytes));
    } else {
        /* One place less and one more: whoever waits for the bytes is woken. */
        atomic_fetch_add(&window->used, cost_of(bytes));
        send_window_give_back(window, hand.bytes);
    }
    return true;
}

static mqc_status wait_for_room(struct send_window *window, size_t bytes, int64_t deadline_ms,
                                mqc_error *error)
{
    bool in_time = true;
    lock_take(&window->lock);
    atomic_fetch_add(&window->waiting, 1);
    bool taken = send_window_try(window, bytes);
    while (!taken && !window->closed && in_time) {
        in_time = condition_wait_until(&window->changed, &window->lock, deadline_ms);
        taken = send_window_try(window, bytes);
    }
    bool closed = window->closed;
    /* What is left of the room may do for another. */
    if (atomic_fetch_sub(&window->waiting, 1) > 1 && taken) condition_wake_one(&window->changed);
    lock_release(&window->lock);
    if (taken) return MQC_OK;
    if (!closed) return full(window, true, error);
    return error_set(error, MQC_CANCELLED,
                     "the producer was shut down while the send waited for room");
}

static mqc_status full(struct send_window *window, bool waited, mqc_error *error)
{
    uint64_t used = atomic_load(&window->used);
    error_set(error, MQC_BUSY,
              "%llu asynchronous sends with %llu bytes wait for their results%s, of %llu and %llu "
              "allowed: send slower, or raise backPressureForAsyncSendNum (max_async_sends) or "
              "backPressureForAsyncSendSize (max_async_bytes)",
              (unsigned long long)(used >> SEND_WINDOW_BYTE_BITS),
              (unsigned long long)(used & BYTES_MASK),
              waited ? " and there was no room within the timeout" : "",
              (unsigned long long)window->most_sends, (unsigned long long)window->most_bytes);
    error_mark_retryable(error);
    return MQC_BUSY;
}
