/* Keeps what listeners are given, so that a test can wait for it and look at it. One collector may
 * serve several consumers, each in a seat of its own:
 *
 *   .listener = collector_listen, .listener_arg = collector_seat(collector, 0) */
#ifndef CONTRACT_COLLECTOR_H
#define CONTRACT_COLLECTOR_H

#include "test/contract/contract.h"

enum { COLLECTOR_SEATS = 16 };

struct collector;

/* What a listener answers, called after the delivery was noted; runs on worker threads. */
typedef mqc_consume_status collector_judge(mqc_delivery *delivery, void *arg);

/* A message as it came. */
struct received {
    const mqc_message *message; /* lives as long as the collector */
    int seat;
    size_t batch; /* messages of its delivery */
};

struct collector *collector_new(void);
struct collector *collector_new_judging(collector_judge *judge, void *arg);
/* When no consumer uses it any more. */
void collector_free(struct collector *collector);

void *collector_seat(struct collector *collector, int number);
mqc_message_listener collector_listen;

/* Waits until at least so many messages have come. */
void collector_await(struct collector *collector, size_t count);
/* Waits for a message with this body and returns the first such. */
struct received collector_await_body(struct collector *collector, const char *body);

/* Waits until `holds` answers true; it is asked after each delivery, under the collector's lock,
 * with the messages that have come so far. */
typedef bool collector_condition(const struct received *received, size_t count, void *arg);
void collector_await_until(struct collector *collector, const char *what,
                           collector_condition *holds, void *arg);

size_t collector_count(struct collector *collector);
struct received collector_at(struct collector *collector, size_t index);
size_t collector_count_body(struct collector *collector, const char *body);
size_t collector_count_seat(struct collector *collector, int seat);

/* Each of "<prefix>0" to "<prefix><count - 1>" has come exactly once. */
void collector_check_each_once(struct collector *collector, const char *prefix, int count);
/* Waits until each has come at least once. */
void collector_await_each(struct collector *collector, const char *prefix, int count);

#endif
