/* Timer messages: delivered at a time of the sender's choice (TIMER_DELIVER_MS, TIMER_DELAY_MS,
 * TIMER_DELAY_SEC; HookUtils.transformTimerMessage). Under the cluster's lock. */
#ifndef EMBEDDED_TIMER_MESSAGES_H
#define EMBEDDED_TIMER_MESSAGES_H

#include "lib/embedded/broker.h"

#define TIMER_TOPIC      "rmq_sys_wheel_timer"
#define TIMER_DELIVER_MS "TIMER_DELIVER_MS"
#define TIMER_DELAY_MS   "TIMER_DELAY_MS"
#define TIMER_DELAY_SEC  "TIMER_DELAY_SEC"
#define TIMER_OUT_MS     "TIMER_OUT_MS"
#define TIMER_ENQUEUE_MS "TIMER_ENQUEUE_MS"
#define TIMER_DEQUEUE_MS "TIMER_DEQUEUE_MS"
#define TIMER_DELETE_KEY "TIMER_DEL_UNIQKEY" /* topic + '+' + unique key */

enum { TIMER_PRECISION_MS = 1000 };

enum timer_message_kind { TIMER_NONE, TIMER_WAITS };

enum timer_message_kind timer_message_kind(const struct mqc_message *message);

/* Stores it until its time; one whose time has passed goes out at once, and one with a delete key
 * takes back the message of that key and time. NULL: no memory, or *reason says what is wrong with
 * the time. */
struct record *timer_message_put(struct broker_data *data, struct topic *topic,
                                 struct mqc_message *message, const char **reason);

/* The longest delay: timerMaxDelaySec, three days. */
extern const int64_t TIMER_MOST_DELAY_MS;

/* The handle by which a timer message can be recalled (RecallMessageHandle.java); false for
 * another record. `out` is initialised. */
bool timer_message_handle(const struct broker_data *data, const struct record *record,
                          struct buffer *out);

#endif
