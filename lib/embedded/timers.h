/* Deadlines of one thread in a heap. Timers live inside their owners' structs; those of equal time
 * fire in the order in which they were set. */
#ifndef EMBEDDED_TIMERS_H
#define EMBEDDED_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due_ms;
    uint64_t sequence;
    size_t place; /* in the heap, from 1; 0: not set */
    void (*fire)(struct timer *timer);
};

struct timers {
    struct timer **heap; /* [0] is unused */
    size_t count;
    size_t capacity;
    uint64_t sequence;
};

void timers_init(struct timers *timers);
void timers_done(struct timers *timers); /* forgets what is set */

/* Sets it, or moves it if it is set. False: no memory, it is not set. */
bool timer_set(struct timers *timers, struct timer *timer, int64_t due_ms);
void timer_cancel(struct timers *timers, struct timer *timer); /* not set: nothing happens */

int64_t timers_next_ms(const struct timers *timers); /* CLOCK_NEVER when none is set */

/* Takes out the first one that is due, or NULL. Its `fire` is the caller's to call. */
struct timer *timers_take_due(struct timers *timers, int64_t now_ms);

#endif
