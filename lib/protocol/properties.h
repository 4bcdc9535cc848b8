/* Message properties as they travel: name 0x01 value 0x02 …
 * (MessageDecoder.messageProperties2String). Readers accept a missing last 0x02. Names of
 * RocketMQ's own properties are here. */
#ifndef PROTOCOL_PROPERTIES_H
#define PROTOCOL_PROPERTIES_H

#include "lib/base/buffer.h"

#define PROPERTY_KEYS                 "KEYS"
#define PROPERTY_TAGS                 "TAGS"
#define PROPERTY_WAIT                 "WAIT"
#define PROPERTY_DELAY                "DELAY"
#define PROPERTY_UNIQUE_KEY           "UNIQ_KEY"
#define PROPERTY_RETRY_TOPIC          "RETRY_TOPIC"
#define PROPERTY_REAL_TOPIC           "REAL_TOPIC"
#define PROPERTY_REAL_QUEUE_ID        "REAL_QID"
#define PROPERTY_ORIGIN_MESSAGE_ID    "ORIGIN_MESSAGE_ID"
#define PROPERTY_RECONSUME_TIME       "RECONSUME_TIME"
#define PROPERTY_MAX_RECONSUME_TIMES  "MAX_RECONSUME_TIMES"
#define PROPERTY_TRANSACTION_PREPARED "TRAN_MSG"
#define PROPERTY_PRIORITY             "_SYS_MSG_PRIORITY_"
#define PROPERTY_MESSAGE_REGION       "MSG_REGION"
#define PROPERTY_TRACE_SWITCH         "TRACE_ON"
#define PROPERTY_PRODUCER_GROUP       "PGROUP"
#define PROPERTY_TRANSACTION_CHECKS   "TRANSACTION_CHECK_TIMES"
#define PROPERTY_CHECK_IMMUNITY       "CHECK_IMMUNITY_TIME_IN_SECONDS"
#define PROPERTY_CLUSTER              "CLUSTER"
#define PROPERTY_CORRELATION_ID       "CORRELATION_ID"
#define PROPERTY_REPLY_TO_CLIENT      "REPLY_TO_CLIENT"
#define PROPERTY_TIME_TO_LIVE         "TTL"
#define PROPERTY_MESSAGE_TYPE         "MSG_TYPE"
#define PROPERTY_ARRIVE_TIME          "ARRIVE_TIME"
#define PROPERTY_MIN_OFFSET           "MIN_OFFSET"
#define PROPERTY_MAX_OFFSET           "MAX_OFFSET"
#define PROPERTY_POP_CK               "POP_CK"
#define PROPERTY_TIMER_DELAY_SECONDS  "TIMER_DELAY_SEC"
#define PROPERTY_TIMER_DELAY_MS       "TIMER_DELAY_MS"
#define PROPERTY_TIMER_DELIVER_MS     "TIMER_DELIVER_MS"

#define MESSAGE_TYPE_REPLY            "reply" /* the value of MSG_TYPE (MixAll.REPLY_MESSAGE_FLAG) */

enum { PROPERTIES_MAX_BYTES = 32767 };

/* Iterates: false at the end. Malformed leftovers (no separator, empty name) are passed over. */
bool properties_next(struct slice *rest, struct slice *name, struct slice *value);
struct slice properties_find(struct slice properties, const char *name); /* absent when none */
void properties_put(struct buffer *out, struct slice name, struct slice value);
void properties_put_text(struct buffer *out, const char *name, const char *value);

/* Copies all properties but `name`. */
void properties_copy_without(struct buffer *out, struct slice properties, const char *name);

/* Whether RocketMQ reserves the name (MessageConst.STRING_HASH_SET). */
bool properties_name_is_reserved(struct slice name);

#endif
