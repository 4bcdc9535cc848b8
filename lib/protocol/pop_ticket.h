/* What a broker wants to hear of a popped message when it is acknowledged: "extraInfo", POP_CK
 * (ExtraInfoUtil.java). Of messages from retry topics the record brings it; for the others it is
 * made of the lists in the answer's header. */
#ifndef PROTOCOL_POP_TICKET_H
#define PROTOCOL_POP_TICKET_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"

enum { POP_TICKET_BYTES = 512, POP_TICKET_ORDERED = 999 /* reviveQid of ordered pops */ };

/* Which topic the message is stored in: the popped one, or the group's retry topic of the first or
 * second form (%RETRY%group_topic, %RETRY%group+topic). */
enum pop_topic { POP_TOPIC_ITSELF = 0, POP_TOPIC_RETRY = 1, POP_TOPIC_RETRY_2 = 2 };

struct pop_ticket {
    int64_t begin; /* first offset of what was popped together */
    int64_t popped_unix_ms;
    int64_t invisible_ms;
    int32_t revive_queue_id;
    enum pop_topic topic;
    int32_t queue_id;
    int64_t offset;
};

/* Eight numbers and names with spaces between; MQC_BAD_FRAME for anything else. */
mqc_status pop_ticket_parse(struct slice text, struct pop_ticket *out, mqc_error *error);
/* The text ends with a zero. False: it does not fit. */
bool pop_ticket_format(const struct pop_ticket *ticket, const char *broker_name,
                       char out[POP_TICKET_BYTES]);

enum pop_topic pop_topic_of(struct slice stored_topic, struct slice topic); /* names as stored */
/* The name for requests about the message; false: it does not fit. */
bool pop_topic_name(enum pop_topic kind, const char *group, const char *topic, char *out,
                    size_t room);

/* What follows the group's retry topic and '_' or '+' in a name of these two forms: the topic that
 * was popped. NULL: it is none of this group's. */
const char *pop_topic_origin(const char *topic, struct slice retry_topic);

/* startOffsetInfo: "flag queue begin;…"; -1 when the queue is not in it. */
int64_t pop_list_begin(struct slice list, enum pop_topic topic, int32_t queue_id);
/* orderCountInfo: "flag queue count;flag qo<queue>%<offset> count;…": how often the message was
 * popped before, by its offset or else by its queue; 0 when neither is in it. */
int32_t pop_list_order_count(struct slice list, enum pop_topic topic, int32_t queue_id,
                             int64_t offset);
/* msgOffsetInfo: "flag queue offset,offset,…;…": the one at `index`; -1 when there is none. */
int64_t pop_list_offset(struct slice list, enum pop_topic topic, int32_t queue_id, size_t index);

#endif
