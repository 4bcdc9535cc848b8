/* The poller on Linux: epoll, with an eventfd for wake-ups. One thread waits; every other function
 * may be called by any thread. Called by the remoting client's I/O service. */
#include "lib/net/poller.h"

#ifdef MQC_POLLER_epoll

#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"

enum { EVENTS_AT_ONCE = 128 };

struct poller {
    int epoll;
    int waker;                /* an eventfd; in the epoll set with the poller as its owner */
    atomic_bool wake_pending; /* the eventfd has been written and not yet read */
};

static struct epoll_event event_of(int interest, void *owner);
static size_t take_events(struct poller *poller, const struct epoll_event *from, size_t count,
                          struct poll_event *to, bool *woken);

mqc_status poller_new(struct poller **out, mqc_error *error)
{
    *out = NULL;
    struct poller *poller = memory_allocate_zero(1, sizeof *poller);
    if (!poller) return error_no_memory(error);
    atomic_init(&poller->wake_pending, false);
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    poller->waker = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = event_of(POLL_READABLE, poller);
    if (poller->epoll < 0 || poller->waker < 0 ||
        epoll_ctl(poller->epoll, EPOLL_CTL_ADD, poller->waker, &event) != 0) {
        int reason = errno;
        poller_free(poller);
        return error_system(error, reason, "making an epoll set");
    }
    *out = poller;
    return MQC_OK;
}

void poller_free(struct poller *poller)
{
    if (!poller) return;
    if (poller->waker >= 0) close(poller->waker);
    if (poller->epoll >= 0) close(poller->epoll);
    memory_free(poller);
}

static struct epoll_event event_of(int interest, void *owner)
{
    struct epoll_event event = {.data.ptr = owner};
    if (interest & POLL_READABLE) event.events |= EPOLLIN;
    if (interest & POLL_WRITABLE) event.events |= EPOLLOUT;
    return event;
}

mqc_status poller_add(struct poller *poller, int fd, int interest, void *owner, mqc_error *error)
{
    struct epoll_event event = event_of(interest, owner);
    if (epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return error_system(error, errno, "adding a socket to the epoll set");
    return MQC_OK;
}

void poller_change(struct poller *poller, int fd, int interest, void *owner)
{
    struct epoll_event event = event_of(interest, owner);
    int result = epoll_ctl(poller->epoll, EPOLL_CTL_MOD, fd, &event);
    BUG_IF(result != 0, "socket %d is not in the poller: errno %d", fd, errno);
}

void poller_remove(struct poller *poller, int fd)
{
    struct epoll_event ignored = {.events = 0}; /* may not be NULL before Linux 2.6.9 */
    epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, &ignored);
}

size_t poller_wait(struct poller *poller, struct poll_event *events, size_t capacity,
                   int64_t deadline_ms)
{
    struct epoll_event ready[EVENTS_AT_ONCE];
    BUG_IF(capacity == 0, "waiting for no events");
    int limit = capacity < EVENTS_AT_ONCE ? (int)capacity : EVENTS_AT_ONCE;
    for (;;) {
        int left_ms = clock_left_ms(deadline_ms);
        int count = epoll_wait(poller->epoll, ready, limit, left_ms);
        if (count > 0) {
            bool woken = false;
            size_t taken = take_events(poller, ready, (size_t)count, events, &woken);
            if (taken > 0 || woken) return taken;
        } else {
            BUG_IF(count < 0 && errno != EINTR, "epoll_wait: errno %d", errno);
            if (count == 0 && left_ms == 0) return 0;
        }
    }
}

static size_t take_events(struct poller *poller, const struct epoll_event *from, size_t count,
                          struct poll_event *to, bool *woken)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (from[i].data.ptr == poller) {
            uint64_t ignored;
            ssize_t got = read(poller->waker, &ignored, sizeof ignored);
            (void)got; /* that it was readable is all there is to know */
            /* Only now: a wake-up before this line is this one, one behind it writes again. */
            atomic_exchange(&poller->wake_pending, false);
            *woken = true;
            continue;
        }
        int bits = 0;
        if (from[i].events & EPOLLIN) bits |= POLL_READABLE;
        if (from[i].events & EPOLLOUT) bits |= POLL_WRITABLE;
        if (from[i].events & (EPOLLERR | EPOLLHUP)) bits |= POLL_BROKEN;
        to[taken++] = (struct poll_event){from[i].data.ptr, bits};
    }
    return taken;
}

void poller_wake(struct poller *poller)
{
    if (atomic_exchange(&poller->wake_pending, true)) return;
    uint64_t one = 1;
    ssize_t put = write(poller->waker, &one, sizeof one);
    (void)put; /* fails only when the counter is full, and then it is readable */
}

#endif
