/* How far a group has come (RemoteBrokerOffsetStore.java). Each queue of a consumer has one record
 * of the offset to commit next; the broker's copy is brought up to date every 5 s by the scheduled
 * executor, when a queue is given up, and at shutdown. Any thread.
 *
 * Brokers handle the updates of a queue on several threads, so that the later of two may be done
 * first and the offset go back: a record never has more than one update under way. */
#ifndef CONSUMER_OFFSET_STORE_H
#define CONSUMER_OFFSET_STORE_H

#include "lib/client/client_instance.h"

/* Counted: an answer may come when the queue is not ours any more. Its instance may end before it,
 * but not before the answer. */
struct offset_record;

/* `stored` is what the broker has for the group, -1 for nothing. The names are copied. */
mqc_status offset_record_new(struct client_instance *instance, const struct offset_place *place,
                             int64_t stored, struct offset_record **out, mqc_error *error);
void offset_record_unref(struct offset_record *record); /* NULL is fine */

/* The offset to commit; -1: none yet. */
int64_t offset_record_read(struct offset_record *record);

/* Only ever up; nothing when frozen. */
void offset_record_raise(struct offset_record *record, int64_t offset);

/* The last word: what running listeners still report has no effect, so that the offset of a queue
 * that is not ours any more, or was reset, cannot move. */
void offset_record_freeze(struct offset_record *record);
/* The same, with another offset: up or down. */
void offset_record_freeze_at(struct offset_record *record, int64_t offset);

/* Tells the broker what it does not have yet, now or when it has answered what it is being told.
 * Does not block. What fails is new the next time. */
void offset_record_persist(struct offset_record *record);

/* The same, and waits: for the answer to what is under way, then for its own. */
mqc_status offset_record_commit(struct offset_record *record, int64_t deadline_ms,
                                mqc_error *error);

/* What the broker has; -1 when the group has nothing there. Any failure is an error and never a
 * number: taken for "none" it would skip or repeat messages. Blocks. */
mqc_status offset_store_query(struct client_instance *instance, const struct offset_place *place,
                              int64_t deadline_ms, int64_t *offset, mqc_error *error);

#endif
