/* The only place where threads are created and joined: see service.h. The stop request and the
 * wake-up are changed and signalled under the lock, so that neither can be lost. */
#include "services/service.h"

#include <signal.h>
#include <stdio.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "services/service_list.h"

static _Thread_local struct service *current;
static atomic_int live;
/* Stands for the work of a thread that somebody is looking at. */
static const struct service_work borrowed;

static void *thread_main(void *arg);
static int create_thread(struct service *service);

void service_init(struct service *service, const char *name, void (*run)(void *arg),
                  void (*interrupt)(void *arg), void *arg)
{
    *service = (struct service){.name = name, .run = run, .interrupt = interrupt, .arg = arg};
    list_init(&service->listed);
    service->fork_generation = process_fork_generation();
    lock_init(&service->lock, LOCK_RANK_SERVICE);
    condition_init(&service->changed);
}

void service_done(struct service *service)
{
    condition_done(&service->changed);
    lock_done(&service->lock);
}

mqc_status service_start(struct service *service, mqc_error *error)
{
    BUG_IF(service->started, "service %s started twice", service->name);
    int failure = create_thread(service);
    if (failure != 0) {
        char doing[64];
        snprintf(doing, sizeof doing, "start thread %s", service->name);
        return error_system(error, failure, doing);
    }
    service->started = true;
    return MQC_OK;
}

void service_wake(struct service *service)
{
    lock_take(&service->lock);
    service->woken = true;
    condition_wake_all(&service->changed);
    lock_release(&service->lock);
}

void service_stop(struct service *service)
{
    lock_take(&service->lock);
    service->stopping = true;
    condition_wake_all(&service->changed);
    lock_release(&service->lock);
    if (service->interrupt) service->interrupt(service->arg);
}

void service_join(struct service *service)
{
    BUG_IF(service->started && service_is_current(service), "service %s joins itself",
           service->name);
    bool ours = service->fork_generation == process_fork_generation();
    if (service->started && ours) pthread_join(service->thread, NULL);
    service->started = false;
    if (!ours) return; /* in a forked child: the thread does not exist, but may have had the lock */
    /* As new: it may be started again, and a wake-up from here on counts for that start. */
    lock_take(&service->lock);
    service->stopping = service->woken = service->finished = false;
    lock_release(&service->lock);
}

bool service_join_until(struct service *service, int64_t deadline_ms)
{
    if (!service->started) return true;
    if (service->fork_generation != process_fork_generation()) return true;
    lock_take(&service->lock);
    while (!service->finished &&
           condition_wait_until(&service->changed, &service->lock, deadline_ms)) {
    }
    bool finished = service->finished;
    lock_release(&service->lock);
    if (finished) service_join(service);
    return finished;
}

void service_abandon(struct service *service)
{
    if (service->fork_generation == process_fork_generation()) pthread_detach(service->thread);
}

bool service_stopping(struct service *service)
{
    lock_take(&service->lock);
    bool stopping = service->stopping;
    lock_release(&service->lock);
    return stopping;
}

bool service_wait(struct service *service, int64_t deadline_ms)
{
    lock_take(&service->lock);
    while (!service->stopping && !service->woken &&
           condition_wait_until(&service->changed, &service->lock, deadline_ms)) {
    }
    service->woken = false;
    bool stopping = service->stopping;
    lock_release(&service->lock);
    return !stopping;
}

bool service_on_own_thread(void)
{
    return current != NULL;
}

bool service_is_current(const struct service *service)
{
    return current == service;
}

/* For every message: without the lock, unless somebody looks at this moment, who has it. */
void service_work_begins(const struct service_work *work)
{
    struct service *service = current;
    if (!service || atomic_exchange(&service->work, work) != &borrowed) return;
    lock_take(&service->lock);
    lock_release(&service->lock);
}

void service_work_ends(void)
{
    service_work_begins(NULL);
}

const struct service_work *service_work_borrow(struct service *service)
{
    const struct service_work *work = atomic_load(&service->work);
    bool had = work && atomic_compare_exchange_strong(&service->work, &work, &borrowed);
    return had ? work : NULL;
}

/* What its thread has put there meanwhile remains. */
void service_work_give_back(struct service *service, const struct service_work *work)
{
    const struct service_work *expected = &borrowed;
    if (work) atomic_compare_exchange_strong(&service->work, &expected, work);
}

int service_live_count(void)
{
    return atomic_load(&live);
}

/* Signals are the application's: our threads block them all, so that its handlers never run here.
 */
static int create_thread(struct service *service)
{
    sigset_t all, before;
    sigfillset(&all);
    static const int of_a_crash[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof of_a_crash / sizeof of_a_crash[0]; i++)
        sigdelset(&all, of_a_crash[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_fetch_add(&live, 1);
    int failure = pthread_create(&service->thread, NULL, thread_main, service);
    if (failure != 0) atomic_fetch_sub(&live, 1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

static void *thread_main(void *arg)
{
    struct service *service = arg;
    current = service;
    log_name_thread(service->name);
#if defined(__linux__)
    pthread_setname_np(pthread_self(), service->name);
#endif
    service_list_add(service);
    service->run(service->arg);
    service_list_remove(service);
    lock_take(&service->lock);
    service->finished = true;
    condition_wake_all(&service->changed);
    lock_release(&service->lock);
    atomic_fetch_sub(&live, 1);
    if (service->ended) service->ended(service->arg); /* the service may be gone from here on */
    return NULL;
}
