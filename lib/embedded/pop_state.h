/* Messages that were popped and not yet acknowledged: each becomes visible again, in the group's
 * pop retry topic, when its time is over (PopReviveService.java). Under the cluster's lock. */
#ifndef EMBEDDED_POP_STATE_H
#define EMBEDDED_POP_STATE_H

#include "lib/base/list.h"
#include "lib/base/map.h"

struct broker_data;
struct mqc_message;

struct pop_state {
    struct link popped; /* struct popped */
    struct map by_key;  /* the same by group, topic, queue and offset */
    struct map orders;  /* queues that were popped in order (pop_order.h) */
    uint32_t pops;      /* so far: their number decides where a pop begins */
};

/* One message of a group. */
struct pop_key {
    struct slice group;
    struct slice topic; /* that it is stored in: perhaps a pop retry topic */
    int32_t queue_id;
    int64_t offset;
};

enum { POP_TOPIC_BYTES = 600, POPPED_MAX = 1000000 };

void pop_state_init(struct pop_state *pop);
void pop_state_done(struct pop_state *pop); /* nothing may be hidden any more */

/* Hides a message from the group until then. False: no memory, or too many are hidden. */
bool pop_hide(struct broker_data *data, const struct pop_key *key, int64_t until_unix_ms);
/* Acknowledged: it does not come again. One that is not hidden is fine. */
void pop_acknowledge(struct broker_data *data, const struct pop_key *key);

/* What became due while the broker was down comes now. */
void pop_resume(struct broker_data *data);
/* The topic is deleted: what was popped of it does not come again. */
void pop_forget_topic(struct broker_data *data, const char *topic);
void pop_forget_all(struct broker_data *data);

/* "%RETRY%group_topic", or with '+' in its second form: where a message that was not acknowledged
 * comes again. */
void pop_retry_topic(struct slice group, struct slice topic, bool second_form,
                     char out[POP_TOPIC_BYTES]);

#endif
