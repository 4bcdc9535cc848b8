/* The one kind of thread: a service has a name, an owner that starts, stops and joins it, and a
 * body that runs until it is asked to stop. Bodies wait on the service's own condition
 * (service_wait), or elsewhere (a queue, a poller), in which case `interrupt` must end that wait.
 */
#ifndef SERVICES_SERVICE_H
#define SERVICES_SERVICE_H

#include <stdatomic.h>

#include <mqclient/status.h>

#include "lib/base/list.h"
#include "lib/base/lock.h"

struct buffer;
struct service_work;

struct service {
    const char *name;             /* of the thread; at most 15 characters; static */
    void (*run)(void *arg);       /* the body */
    void (*interrupt)(void *arg); /* ends a wait of the body elsewhere; may be NULL */
    void (*ended)(void *arg);     /* the thread's last act; may be NULL, set before start */
    void *arg;
    unsigned fork_generation; /* in a forked child the thread does not exist */
    pthread_t thread;
    struct lock lock; /* guards the flags below */
    struct condition changed;
    bool started;
    bool stopping;
    bool woken;
    bool finished;
    const struct service_work *_Atomic work; /* of its thread; NULL: nothing to tell */
    struct link listed;                      /* guarded by the list of all threads */
    long kernel_id;                          /* likewise; 0: unknown */
};

void service_init(struct service *service, const char *name, void (*run)(void *arg),
                  void (*interrupt)(void *arg), void *arg);
void service_done(struct service *service); /* must not run */

/* Starts the thread. MQC_SYSTEM when the system has no thread to give. */
mqc_status service_start(struct service *service, mqc_error *error);

/* Ends the present or next service_wait early. Any thread. */
void service_wake(struct service *service);

/* Asks the body to end and wakes it; does not wait. A service that never started is fine. */
void service_stop(struct service *service);

/* Waits for the thread's end; a service that never started is fine. service_stop comes first. */
void service_join(struct service *service);

/* Waits for the thread's end at most until the deadline; false when it still runs. */
bool service_join_until(struct service *service, int64_t deadline_ms);

/* Leaves a thread that cannot be joined to end by itself. The service must live until `ended`. */
void service_abandon(struct service *service);

/* ---- for the body ---- */

bool service_stopping(struct service *service);

/* Waits until woken, stopped or the deadline; true unless it should stop. */
bool service_wait(struct service *service, int64_t deadline_ms);

/* ---- for everybody ---- */

/* Whether the caller is a thread of this library: such threads must not shut down what joins them.
 */
bool service_on_own_thread(void);
/* Whether the caller is this service's thread. */
bool service_is_current(const struct service *service);

/* Threads of the library that are alive in this process, for tests. */
int service_live_count(void);

/* ---- what threads do ---- */

/* Something that may take long, of a queue or (topic NULL) of a group. */
struct service_work {
    const char *what;
    const char *group;
    const char *topic, *broker_name;
    int32_t queue_id;
    int64_t offset; /* of the first of `count` messages */
    size_t count;
    int64_t since_ms; /* monotonic */
};
/* The calling thread is at `work`, which must live until it has ended. Nothing on other threads
 * than services'. */
void service_work_begins(const struct service_work *work);
void service_work_ends(void);
/* For whoever looks at the thread: what it is at, which it does not end before it has been given
 * back. NULL: nothing, also to be given back. */
const struct service_work *service_work_borrow(struct service *service) REQUIRES(service->lock);
void service_work_give_back(struct service *service, const struct service_work *work)
    REQUIRES(service->lock);

/* Every thread of the library in this process and what it is at, as mqadmin prints threads
 * (UtilAll.jstack): "NAME TID: n STATE: s", then a line of what it is at. */
void service_describe_threads(struct buffer *out);

#endif
