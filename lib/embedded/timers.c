/* A binary heap of timers. Pure; under the cluster's lock. Used for what is held in real time (long
 * polls, delayed answers) and for what waits for message time (delay levels, transactions). */
#include "lib/embedded/timers.h"

#include "lib/base/clock.h"
#include "lib/base/memory.h"

void timers_init(struct timers *timers)
{
    *timers = (struct timers){0};
}

void timers_done(struct timers *timers)
{
    for (size_t i = 1; i <= timers->count; i++) timers->heap[i]->place = 0;
    memory_free(timers->heap);
    *timers = (struct timers){0};
}

static bool before(const struct timer *a, const struct timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void put_at(struct timers *timers, size_t place, struct timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void settle(struct timers *timers, size_t place, struct timer *timer)
{
    for (; place > 1 && before(timer, timers->heap[place / 2]); place /= 2)
        put_at(timers, place, timers->heap[place / 2]);
    for (size_t child; (child = place * 2) <= timers->count; place = child) {
        if (child < timers->count && before(timers->heap[child + 1], timers->heap[child])) child++;
        if (!before(timers->heap[child], timer)) break;
        put_at(timers, place, timers->heap[child]);
    }
    put_at(timers, place, timer);
}

bool timer_set(struct timers *timers, struct timer *timer, int64_t due_ms)
{
    timer_cancel(timers, timer);
    if (!memory_reserve(&timers->heap, &timers->capacity, timers->count + 2, sizeof *timers->heap))
        return false;
    timer->due_ms = due_ms;
    timer->sequence = timers->sequence++;
    timers->count++;
    settle(timers, timers->count, timer);
    return true;
}

void timer_cancel(struct timers *timers, struct timer *timer)
{
    if (timer->place == 0) return;
    size_t place = timer->place;
    struct timer *last = timers->heap[timers->count--];
    timer->place = 0;
    if (last != timer) settle(timers, place, last);
}

int64_t timers_next_ms(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[1]->due_ms : CLOCK_NEVER;
}

struct timer *timers_take_due(struct timers *timers, int64_t now_ms)
{
    if (timers->count == 0 || timers->heap[1]->due_ms > now_ms) return NULL;
    struct timer *first = timers->heap[1];
    timer_cancel(timers, first);
    return first;
}
