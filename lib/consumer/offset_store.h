/* How far a group has come (RemoteBrokerOffsetStore.java). Each queue of a consumer has one record
 * of the offset to commit next; the broker's copy is brought up to date every 5 s by the scheduled
 * executor, when a queue is given up, and at shutdown. Any thread. */
#ifndef CONSUMER_OFFSET_STORE_H
#define CONSUMER_OFFSET_STORE_H

#include "lib/base/lock.h"
#include "lib/client/client_instance.h"

struct offset_record {
    struct lock lock;  /* guards everything below */
    int64_t offset;    /* to commit; -1: not known yet */
    int64_t sent;      /* what the broker was last told, perhaps in vain; -1: nothing */
    int64_t confirmed; /* what the broker is known to have; -1: nothing */
    bool frozen;       /* nothing changes any more */
};

/* `stored` is what the broker has for the group, -1 for nothing. */
void offset_record_init(struct offset_record *record, int64_t stored);
void offset_record_done(struct offset_record *record);
int64_t offset_record_read(struct offset_record *record);

/* Only ever up; nothing when frozen. */
void offset_record_raise(struct offset_record *record, int64_t offset);

/* The last word: what running listeners still report has no effect, so that the offset of a queue
 * that is not ours any more, or was reset, cannot move. Returns the offset. */
int64_t offset_record_freeze(struct offset_record *record);
/* The same, with another offset: up or down. */
void offset_record_freeze_at(struct offset_record *record, int64_t offset);

/* The offset when the broker was not yet told, or is not known to have it; else -1. */
int64_t offset_record_unsent(struct offset_record *record);
int64_t offset_record_unconfirmed(struct offset_record *record);
void offset_record_set_sent(struct offset_record *record, int64_t offset);
void offset_record_set_confirmed(struct offset_record *record, int64_t offset);

/* ---- the broker's copy ---- */

/* *offset is -1 when the group has none there. Any failure is an error and never a number: taken
 * for "none" it would skip or repeat messages. Blocks. */
mqc_status offset_store_query(struct client_instance *instance, const struct offset_place *place,
                              int64_t deadline_ms, int64_t *offset, mqc_error *error);

/* Tells the broker oneway, if there is something new. Does not block; what fails is new next time.
 */
void offset_store_persist(struct client_instance *instance, const struct offset_place *place,
                          struct offset_record *record);

/* Tells the broker, unless it is known to have it, and waits for its answer. */
mqc_status offset_store_commit(struct client_instance *instance, const struct offset_place *place,
                               struct offset_record *record, int64_t deadline_ms, mqc_error *error);

#endif
