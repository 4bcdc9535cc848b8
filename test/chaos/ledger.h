/* Judges a chaos run by its journal. One thread at a time; knows nothing of processes or clusters.
 *
 * Lines, in the order in which things happened; times are milliseconds since 1970:
 *   A KEY NUMBER            acknowledged to the sender
 *   U KEY NUMBER WHY…       the send failed, and perhaps it is stored; N: failed, not stored
 *   D MEMBER CALL MS TOPIC BROKER QUEUE KEY/NUMBER/OFFSET/RECONSUMED/POP_END…   a call begins
 *   F MEMBER CALL MS good|refused                                               it has ended
 *   R MEMBER MS TOPIC BROKER/QUEUE…     the queues that a member has from now on
 *   J MEMBER MS, L MEMBER MS, K MEMBER MS   it joins, is told to leave, is killed
 *   G MEMBER MS             its process is gone
 *   X MS WHAT…, Y MS        some fault of the cluster begins, ends
 *   B BROKER                this broker's stored offsets may be older ones from now on (kill -9)
 *   O TOPIC BROKER QUEUE OFFSET   the group's committed offset, as the broker says
 *   E                       all members have left in good order, and offsets were told since
 *   C TEXT…                 a failure that the writer has seen itself
 *
 * What must hold, at each line:
 * - Committed offsets do not fall, but after a B, or while two members have the queue (a broker
 *   that sees a connection break gives its member's queues to others at once, the member goes on
 *   until it hears of it, and each commits where it is). Everything before them has been consumed
 *   (not when popping: there the broker commits what is given out).
 * - In order: a listener is never given a queue's message while another call for the queue runs,
 *   and each call begins where the one before it ended, or before that, which is a repetition.
 *   So what comes for the first time comes in the order of its queue, which is each key's order.
 * - A message that was done and comes again has a reason: the sender's retry; or that the member
 *   that had it was killed; that the cluster failed meanwhile; that its queue went to another
 *   member, or two had it, as they saw different routes; or that it was popped for longer than was
 *   agreed. A message that was refused has to come again.
 * And at the end: each acknowledged message was consumed, and all that is done is committed. */
#ifndef CHAOS_LEDGER_H
#define CHAOS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "test/chaos/chaos.h"

struct ledger;

enum reason { REFUSED, SENT_TWICE, KILLED, FAULT, MOVED, SHARED, LATE, REASONS };

struct ledger_counts {
    long acknowledged, unsure, consumed, deliveries, missing, failures, samples, fell, fell_shared;
    long repeated[REASONS];
    long members, kills, leaves, faults, moves; /* members that came, …; queues that were moved */
};

/* Failures are printed to `complaints` when they are found. `topic` is the one that is sent to. */
struct ledger *ledger_new(enum mode mode, const char *topic, FILE *complaints);
void ledger_free(struct ledger *ledger);
void ledger_line(struct ledger *ledger, const char *line);
struct ledger_counts ledger_counts(const struct ledger *ledger);
/* Prints the acknowledged messages that were not consumed, at most `most`; each is a failure. */
void ledger_complain_of_missing(struct ledger *ledger, int most);
void ledger_print(const struct ledger *ledger, FILE *out);

#endif
