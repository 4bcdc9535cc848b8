/* The poller where there is no epoll: poll(2) over a snapshot of a table, with a pipe for wake-ups.
 * One thread waits; every other function may be called by any thread: what it changes takes effect
 * at once because it wakes the waiter to take a new snapshot. Called by the remoting client. */
#include "lib/net/poller.h"

#ifdef MQC_POLLER_poll

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/lock.h"
#include "lib/base/memory.h"

struct entry {
    int fd;
    int interest;
    void *owner;
};

struct snapshot {
    struct pollfd *items; /* the pipe, then the entries in the table's order */
    size_t count;
    size_t capacity;
};

struct poller {
    int pipe[2];      /* read end, write end; non-blocking */
    struct lock lock; /* guards everything below down to the waiter's */
    struct entry *entries;
    size_t count;
    size_t capacity;
    size_t *places; /* by fd: its place in entries plus one, 0 for none */
    size_t places_capacity;
    struct snapshot spare; /* grown by poller_add, so that the waiter never needs memory */
    bool changed;          /* since the snapshot was taken */
    bool waiting;          /* the waiter may be in poll(2) */
    bool woken;            /* poller_wake was called */
    bool byte_sent;        /* a byte is or will be in the pipe */
    /* the waiter's alone */
    struct snapshot snapshot;
    size_t first; /* where the next search for ready sockets begins, so that none starves */
};

static bool set_flags(int fd);
static bool make_room(struct poller *poller, int fd) REQUIRES(poller->lock);
static struct entry *find(struct poller *poller, int fd) REQUIRES(poller->lock);
static void note_change(struct poller *poller) REQUIRES(poller->lock);
static void send_byte(struct poller *poller) REQUIRES(poller->lock);
static void prepare_wait(struct poller *poller);
static size_t finish_wait(struct poller *poller, struct poll_event *events, size_t capacity,
                          bool *woken);
static size_t take_events(struct poller *poller, struct poll_event *events, size_t capacity)
    REQUIRES(poller->lock);

mqc_status poller_new(struct poller **out, mqc_error *error)
{
    *out = NULL;
    struct poller *poller = memory_allocate_zero(1, sizeof *poller);
    if (!poller) return error_no_memory(error);
    lock_init(&poller->lock, LOCK_RANK_LEAF);
    poller->pipe[0] = poller->pipe[1] = -1;
    if (pipe(poller->pipe) != 0 || !set_flags(poller->pipe[0]) || !set_flags(poller->pipe[1])) {
        int reason = errno;
        poller_free(poller);
        return error_system(error, reason, "making a pipe");
    }
    if (!memory_reserve(&poller->snapshot.items, &poller->snapshot.capacity, 1,
                        sizeof *poller->snapshot.items)) {
        poller_free(poller);
        return error_no_memory(error);
    }
    poller->snapshot.items[0] = (struct pollfd){.fd = poller->pipe[0], .events = POLLIN};
    poller->snapshot.count = 1;
    *out = poller;
    return MQC_OK;
}

static bool set_flags(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

void poller_free(struct poller *poller)
{
    if (!poller) return;
    if (poller->pipe[0] >= 0) close(poller->pipe[0]);
    if (poller->pipe[1] >= 0) close(poller->pipe[1]);
    memory_free(poller->entries);
    memory_free(poller->places);
    memory_free(poller->spare.items);
    memory_free(poller->snapshot.items);
    lock_done(&poller->lock);
    memory_free(poller);
}

mqc_status poller_add(struct poller *poller, int fd, int interest, void *owner, mqc_error *error)
{
    if (fd < 0) return error_system(error, EBADF, "adding a socket to the poller");
    mqc_status status = MQC_OK;
    lock_take(&poller->lock);
    if (find(poller, fd)) {
        status = error_system(error, EEXIST, "adding a socket to the poller");
    } else if (!make_room(poller, fd)) {
        status = error_no_memory(error);
    } else {
        poller->entries[poller->count++] = (struct entry){fd, interest, owner};
        poller->places[fd] = poller->count;
        note_change(poller);
    }
    lock_release(&poller->lock);
    return status;
}

static bool make_room(struct poller *poller, int fd)
{
    size_t places = poller->places_capacity;
    if (!memory_reserve(&poller->places, &poller->places_capacity, (size_t)fd + 1,
                        sizeof *poller->places))
        return false;
    if (poller->places_capacity > places)
        memset(poller->places + places, 0,
               (poller->places_capacity - places) * sizeof *poller->places);
    return memory_reserve(&poller->entries, &poller->capacity, poller->count + 1,
                          sizeof *poller->entries) &&
           memory_reserve(&poller->spare.items, &poller->spare.capacity, poller->count + 2,
                          sizeof *poller->spare.items);
}

static struct entry *find(struct poller *poller, int fd)
{
    if (fd < 0 || (size_t)fd >= poller->places_capacity || poller->places[fd] == 0) return NULL;
    return &poller->entries[poller->places[fd] - 1];
}

void poller_change(struct poller *poller, int fd, int interest, void *owner)
{
    lock_take(&poller->lock);
    struct entry *entry = find(poller, fd);
    if (entry) {
        bool same = entry->interest == interest;
        entry->interest = interest;
        entry->owner = owner;
        if (!same) note_change(poller);
    }
    lock_release(&poller->lock);
    BUG_IF(!entry, "socket %d is not in the poller", fd);
}

void poller_remove(struct poller *poller, int fd)
{
    lock_take(&poller->lock);
    struct entry *entry = find(poller, fd);
    if (entry) {
        *entry = poller->entries[--poller->count];
        poller->places[entry->fd] = (size_t)(entry - poller->entries) + 1;
        poller->places[fd] = 0;
        note_change(poller);
    }
    lock_release(&poller->lock);
}

static void note_change(struct poller *poller)
{
    poller->changed = true;
    if (poller->waiting) send_byte(poller);
}

void poller_wake(struct poller *poller)
{
    lock_take(&poller->lock);
    poller->woken = true;
    if (poller->waiting) send_byte(poller);
    lock_release(&poller->lock);
}

static void send_byte(struct poller *poller)
{
    if (poller->byte_sent) return;
    poller->byte_sent = true;
    ssize_t put = write(poller->pipe[1], "", 1);
    BUG_IF(put != 1, "an empty pipe takes no byte: errno %d", errno);
}

size_t poller_wait(struct poller *poller, struct poll_event *events, size_t capacity,
                   int64_t deadline_ms)
{
    BUG_IF(capacity == 0, "waiting for no events");
    for (;;) {
        prepare_wait(poller);
        int left_ms = clock_left_ms(deadline_ms);
        int ready = poll(poller->snapshot.items, (nfds_t)poller->snapshot.count, left_ms);
        if (ready < 0) {
            BUG_IF(errno != EINTR && errno != EAGAIN && errno != ENOMEM, "poll: errno %d", errno);
            for (size_t i = 0; i < poller->snapshot.count; i++)
                poller->snapshot.items[i].revents = 0;
        }
        bool woken;
        size_t taken = finish_wait(poller, events, capacity, &woken);
        if (taken > 0 || woken) return taken;
        if (ready == 0 && left_ms == 0) return 0;
    }
}

static void prepare_wait(struct poller *poller)
{
    lock_take(&poller->lock);
    poller->waiting = true;
    if (poller->woken) send_byte(poller); /* called while nobody waited: ends the wait at once */
    if (poller->changed) {
        if (poller->snapshot.capacity < poller->count + 1) {
            struct snapshot old = poller->snapshot;
            poller->snapshot = poller->spare;
            poller->spare = old;
        }
        struct pollfd *items = poller->snapshot.items;
        items[0] = (struct pollfd){.fd = poller->pipe[0], .events = POLLIN};
        for (size_t i = 0; i < poller->count; i++) {
            const struct entry *entry = &poller->entries[i];
            int wanted = (entry->interest & POLL_READABLE ? POLLIN : 0) |
                         (entry->interest & POLL_WRITABLE ? POLLOUT : 0);
            items[i + 1] = (struct pollfd){.fd = entry->fd, .events = (short)wanted};
        }
        poller->snapshot.count = poller->count + 1;
        poller->changed = false;
    }
    lock_release(&poller->lock);
}

static size_t finish_wait(struct poller *poller, struct poll_event *events, size_t capacity,
                          bool *woken)
{
    lock_take(&poller->lock);
    poller->waiting = false;
    *woken = poller->woken;
    poller->woken = false;
    if (poller->byte_sent) {
        char ignored;
        ssize_t got = read(poller->pipe[0], &ignored, 1);
        BUG_IF(got != 1, "the wake-up pipe is broken: errno %d", errno);
        poller->byte_sent = false;
    }
    size_t taken = take_events(poller, events, capacity);
    lock_release(&poller->lock);
    return taken;
}

/* Entries are looked up by fd, as the table may have changed; what is not wanted any more is left
 * out. An fd that was taken out and put in again gets a spurious event at worst. */
static size_t take_events(struct poller *poller, struct poll_event *events, size_t capacity)
{
    size_t taken = 0, sockets = poller->snapshot.count - 1, at = poller->first;
    for (size_t i = 0; i < sockets && taken < capacity; i++, at++) {
        const struct pollfd *item = &poller->snapshot.items[1 + at % sockets];
        const struct entry *entry = item->revents ? find(poller, item->fd) : NULL;
        if (!entry) continue;
        int bits = (item->revents & POLLIN ? POLL_READABLE : 0) |
                   (item->revents & POLLOUT ? POLL_WRITABLE : 0);
        bits &= entry->interest;
        if (item->revents & (POLLERR | POLLHUP | POLLNVAL)) bits |= POLL_BROKEN;
        if (bits) events[taken++] = (struct poll_event){entry->owner, bits};
    }
    poller->first = sockets > 0 ? at % sockets : 0;
    return taken;
}

#endif
