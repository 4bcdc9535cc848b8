/* A queue for the application's own loop: the threads that read put, the application's take. */
#include "lib/consumer/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include "lib/base/error.h"

static void update(struct mailbox *mailbox) REQUIRES(mailbox->lock);
static bool ready(const struct mailbox *mailbox) REQUIRES(mailbox->lock);
static bool open_fds(int fds[2]);

void mailbox_init(struct mailbox *mailbox)
{
    *mailbox = (struct mailbox){.fds = {-1, -1}};
    lock_init(&mailbox->lock, LOCK_RANK_QUEUE);
    condition_init(&mailbox->changed);
    list_init(&mailbox->items);
}

void mailbox_done(struct mailbox *mailbox)
{
    if (mailbox->fds[0] >= 0) close(mailbox->fds[0]);
    if (mailbox->fds[1] >= 0 && mailbox->fds[1] != mailbox->fds[0]) close(mailbox->fds[1]);
    condition_done(&mailbox->changed);
    lock_done(&mailbox->lock);
}

bool mailbox_put(struct mailbox *mailbox, struct link *list)
{
    lock_take(&mailbox->lock);
    bool open = !mailbox->closed;
    if (open) list_move_all(&mailbox->items, list);
    update(mailbox);
    lock_release(&mailbox->lock);
    return open;
}

bool mailbox_put_back(struct mailbox *mailbox, struct link *list)
{
    lock_take(&mailbox->lock);
    bool open = !mailbox->closed;
    if (open) {
        list_move_all(list, &mailbox->items);
        list_move_all(&mailbox->items, list);
    }
    update(mailbox);
    lock_release(&mailbox->lock);
    return open;
}

struct link *mailbox_take(struct mailbox *mailbox)
{
    lock_take(&mailbox->lock);
    struct link *item = mailbox->held ? NULL : list_take_first(&mailbox->items);
    update(mailbox);
    lock_release(&mailbox->lock);
    return item;
}

void mailbox_take_all(struct mailbox *mailbox, struct link *list)
{
    lock_take(&mailbox->lock);
    list_move_all(list, &mailbox->items);
    update(mailbox);
    lock_release(&mailbox->lock);
}

enum mailbox_news mailbox_wait(struct mailbox *mailbox, int64_t deadline_ms)
{
    bool in_time = true;
    lock_take(&mailbox->lock);
    while (!ready(mailbox) && !mailbox->closed && in_time)
        in_time = condition_wait_until(&mailbox->changed, &mailbox->lock, deadline_ms);
    enum mailbox_news news = mailbox->closed  ? MAILBOX_CLOSED
                             : ready(mailbox) ? MAILBOX_READY
                                              : MAILBOX_TIMEOUT;
    lock_release(&mailbox->lock);
    return news;
}

void mailbox_hold(struct mailbox *mailbox, bool hold)
{
    lock_take(&mailbox->lock);
    mailbox->held = hold;
    update(mailbox);
    lock_release(&mailbox->lock);
}

void mailbox_close(struct mailbox *mailbox)
{
    lock_take(&mailbox->lock);
    mailbox->closed = true;
    update(mailbox);
    condition_wake_all(&mailbox->changed);
    lock_release(&mailbox->lock);
}

int mailbox_fd(struct mailbox *mailbox, mqc_error *error)
{
    int number = 0;
    lock_take(&mailbox->lock);
    if (mailbox->fds[0] < 0 && !open_fds(mailbox->fds)) number = errno;
    if (mailbox->fds[0] >= 0) update(mailbox);
    int fd = mailbox->fds[0];
    lock_release(&mailbox->lock);
    if (fd < 0) error_system(error, number, "make a descriptor for an event loop");
    return fd;
}

/* Wakes who waits, one for each that can be taken, and keeps the descriptor in step. */
static void update(struct mailbox *mailbox)
{
    bool something = ready(mailbox);
    if (something) condition_wake_one(&mailbox->changed);
    bool readable = something || mailbox->closed;
    if (mailbox->fds[0] < 0 || readable == mailbox->readable) return;
    uint64_t one = 1;
    ssize_t done;
    do {
        done = readable ? write(mailbox->fds[1], &one, sizeof one)
                        : read(mailbox->fds[0], &one, sizeof one);
    } while (done < 0 && errno == EINTR);
    mailbox->readable = readable;
}

static bool ready(const struct mailbox *mailbox)
{
    return !mailbox->held && !list_empty(&mailbox->items);
}

#ifdef __linux__
static bool open_fds(int fds[2])
{
    fds[0] = fds[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fds[0] >= 0;
}
#else
static bool open_fds(int fds[2])
{
    int made[2];
    if (pipe(made) != 0) return false;
    for (int i = 0; i < 2; i++) {
        fcntl(made[i], F_SETFD, FD_CLOEXEC);
        fcntl(made[i], F_SETFL, O_NONBLOCK);
        fds[i] = made[i];
    }
    return true;
}
#endif
