/* The end of a command whose work is done by listeners: when there was enough, when the time is
 * over, or at a signal (INT, TERM, HUP). The main thread waits in sigtimedwait, so that no handler
 * is needed. */
#ifndef TOOLS_ENDING_H
#define TOOLS_ENDING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct ending {
    atomic_bool finished; /* there was enough: nothing more is to be begun */
    pthread_t main_thread;
};

enum ending_cause { ENDING_FINISHED, ENDING_TIMEOUT, ENDING_SIGNAL };

/* On the main thread, before others are started: they must not get the signals. */
void ending_init(struct ending *ending);

/* From any thread: there was enough. */
void ending_finish(struct ending *ending);

/* On the main thread; timeout_s 0: as long as it takes. */
enum ending_cause ending_wait(struct ending *ending, int timeout_s);

#endif
