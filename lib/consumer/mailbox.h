/* Where what was pulled waits for an application that comes for it itself: a queue with a file
 * descriptor that is readable while something is there, for event loops. Any thread. */
#ifndef CONSUMER_MAILBOX_H
#define CONSUMER_MAILBOX_H

#include <mqclient/status.h>

#include "lib/base/list.h"
#include "lib/base/lock.h"

struct mailbox {
    struct lock lock; /* guards everything below */
    struct condition changed;
    struct link items;
    bool held;   /* nothing is handed out */
    bool closed; /* whoever waits is sent away */
    int fds[2];  /* to be read, to be written; -1 before mailbox_fd */
    bool readable;
};

enum mailbox_news { MAILBOX_READY, MAILBOX_TIMEOUT, MAILBOX_CLOSED };

void mailbox_init(struct mailbox *mailbox);
void mailbox_done(struct mailbox *mailbox); /* must be empty */

/* At the end, in the list's order, which is empty then. False, and nothing is put, when the mailbox
 * is closed. */
bool mailbox_put(struct mailbox *mailbox, struct link *list);
/* Before all others; likewise. */
bool mailbox_put_back(struct mailbox *mailbox, struct link *list);
/* The first item; NULL when there is none, or the mailbox is held. */
struct link *mailbox_take(struct mailbox *mailbox);
/* Whatever is there, also when it is held. */
void mailbox_take_all(struct mailbox *mailbox, struct link *list);
/* Until something can be taken; somebody else may take it first. */
enum mailbox_news mailbox_wait(struct mailbox *mailbox, int64_t deadline_ms);

void mailbox_hold(struct mailbox *mailbox, bool hold);
/* For good; the descriptor is readable from here on, so that loops find out. */
void mailbox_close(struct mailbox *mailbox);

/* Readable while there is something to take, or the mailbox is closed. Made at the first call; -1
 * and the error when the system has none to give. */
int mailbox_fd(struct mailbox *mailbox, mqc_error *error);

#endif
