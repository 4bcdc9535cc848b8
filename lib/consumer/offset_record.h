/* How far a group has come in one queue: the offset to commit next, and what of it the store has.
 * The store is brought up to date every 5 s by the scheduled executor, when a queue is given up,
 * and at shutdown. Any thread.
 *
 * Brokers handle the updates of a queue on several threads, so that the later of two may be done
 * first and the offset go back: a record never has more than one update under way. */
#ifndef CONSUMER_OFFSET_RECORD_H
#define CONSUMER_OFFSET_RECORD_H

#include "lib/consumer/offset_store.h"

/* Counted: an answer may come when the queue is not ours any more. */
struct offset_record;

/* `stored` is what the store has for the group, -1 for nothing. The names are copied. */
mqc_status offset_record_new(struct offset_store *store, const struct offset_place *place,
                             int64_t stored, struct offset_record **out, mqc_error *error);
void offset_record_ref(struct offset_record *record);
void offset_record_unref(struct offset_record *record); /* NULL is fine */

/* The offset to commit; -1: none yet. */
int64_t offset_record_read(struct offset_record *record);

/* Only ever up; nothing when frozen. */
void offset_record_raise(struct offset_record *record, int64_t offset);

/* Up or down, as the application says; nothing when frozen. */
void offset_record_set(struct offset_record *record, int64_t offset);

/* The last word: what running listeners still report has no effect, so that the offset of a queue
 * that is not ours any more, or was reset, cannot move. */
void offset_record_freeze(struct offset_record *record);
/* The same, with another offset: up or down. */
void offset_record_freeze_at(struct offset_record *record, int64_t offset);

/* The same, and nothing more is told: somebody else says now what is stored. */
void offset_record_abandon(struct offset_record *record);

/* Tells the store what it does not have yet, now or when it has answered what it is being told.
 * Does not block. What fails is new the next time. */
void offset_record_persist(struct offset_record *record);

/* Waits for the answer to what is under way. */
void offset_record_await(struct offset_record *record, int64_t deadline_ms);

/* Persists, and waits: for the answer to what is under way, then for its own. */
mqc_status offset_record_commit(struct offset_record *record, int64_t deadline_ms,
                                mqc_error *error);

/* For stores: how the update that was begun has ended; NULL: it is done. */
void offset_record_stored(struct offset_record *record, const mqc_error *error);

#endif
