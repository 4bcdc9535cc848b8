/* Messages that wait for message time before consumers see them: delay levels
 * (ScheduleMessageService.java) and timer messages. They are stored in a topic of the broker's own
 * meanwhile. Under the cluster's lock. */
#ifndef EMBEDDED_DELAY_H
#define EMBEDDED_DELAY_H

#include "lib/embedded/broker.h"

#define DELAY_TOPIC "SCHEDULE_TOPIC_XXXX"
enum { DELAY_LEVELS = 18 };

/* The level in a message's DELAY property; 0 without. */
int32_t delay_level_of(const struct mqc_message *message);
int64_t delay_level_ms(int32_t level); /* 1..18, larger ones count as the last */

/* Stores a message for its topic after its level's time. NULL: no memory. */
struct record *delay_put(struct broker_data *data, struct topic *topic,
                         struct mqc_message *message);

/* Stores a message in one of the broker's own topics until the time, then in the topic and queue
 * of its REAL_TOPIC and REAL_QID. */
struct record *delay_put_until(struct broker_data *data, const char *waiting_topic,
                               int32_t waiting_queue, int64_t due_unix_ms,
                               struct mqc_message *message);

/* Those of the waiting messages that match never come. */
void delay_cancel(struct broker_data *data, const char *waiting_topic,
                  bool (*matches)(struct slice properties, const void *arg), const void *arg);

/* What became due while the broker was down goes out. */
void delay_resume(struct broker_data *data);
void delay_forget_all(struct broker_data *data);

#endif
