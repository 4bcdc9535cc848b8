/* What the ledger knows; shared by ledger.c, which reads lines, and ledger_rules.c, which judges.
 */
#ifndef CHAOS_LEDGER_PRIVATE_H
#define CHAOS_LEDGER_PRIVATE_H

#include "test/chaos/ledger.h"

enum {
    NAME = 128,
    PLACES = 4096,
    CALLS = 1024,
    OWNERS = 8,
    TROUBLES_KEPT = 4096,
    GRACE_MS = 5000,
    SHARED_MS = 100,
    COMMITTED_MS = 20000
};

struct place { /* a queue */
    char topic[NAME], broker[NAME];
    int queue;
    int owners[OWNERS];  /* members that say they have it; -1: nobody */
    bool owned;          /* some member has told of it */
    int consumer;        /* the last one; -1: none yet */
    int64_t moved_ms;    /* when a member gained it that was not the first; 0: never */
    int64_t shared_ms;   /* since when it had two owners, the last time; 0: never */
    int64_t alone_ms;    /* until when; INT64_MAX: it still has */
    int64_t committed;   /* -1: not known */
    bool may_fall;       /* once */
    unsigned char *done; /* a bit an offset */
    size_t done_bytes;
    int64_t done_before; /* every offset below is done */
    int64_t next;        /* behind the highest that a listener was given */
    int64_t last_end;    /* in order: behind the last that was done, or what was refused */
    int running;         /* calls */
};

struct message {               /* of one key and number */
    int64_t first_ms, last_ms; /* when it was last delivered, and first */
    int64_t ended_ms, pop_end_ms;
    int64_t offset;
    int place; /* of the last delivery; -1: none yet */
    int member;
    int refused; /* so often, and has not come again since */
    bool acknowledged, unsure, done;
};

struct key {
    struct message *messages;
    size_t capacity, count;
    int place; /* of its last first occurrence, with the number: must rise while the place stays */
    int number;
};

struct call {
    int member, number; /* member -1: free */
    int place, count;
    struct {
        int key, number;
        int64_t offset;
    } items[BATCH];
};

struct trouble {
    int64_t begin_ms, end_ms; /* INT64_MAX: not over */
};

struct ledger {
    enum mode mode;
    char topic[NAME];
    FILE *complaints;
    struct place places[PLACES];
    int place_count;
    struct key keys[KEYS];
    struct call calls[CALLS];
    struct trouble troubles[TROUBLES_KEPT]; /* a ring: the last ones */
    size_t trouble_count;
    int64_t *killed_ms; /* by member; 0: it was not */
    size_t member_capacity;
    int64_t changed_ms; /* when the group last changed */
    int64_t now_ms;     /* of the last line with a time */
    struct ledger_counts counts;
};

void ledger_fail(struct ledger *ledger, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- ledger_rules.c ---- */
/* A listener call begins, before its messages are recorded as delivered; then each of them. */
void rule_order(struct ledger *ledger, const struct call *call, int64_t ms);
void rule_repetition(struct ledger *ledger, const struct call *call, int item, int64_t ms);
void rule_committed(struct ledger *ledger, struct place *place, int64_t offset);
void rule_end(struct ledger *ledger);

#endif
