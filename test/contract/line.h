/* What orderly listeners are given, by queue: notes each message, looks that no two calls of one
 * queue ever run at a time, over all members of the group, and that each queue's messages are done
 * in their order. Bodies are sent with line_send. */
#ifndef CONTRACT_LINE_H
#define CONTRACT_LINE_H

#include <pthread.h>

#include "test/contract/collector.h"

enum { LINE_QUEUES = 8, LINE_MEMBERS = 6 };

struct line;

/* What a listener says of a delivery; runs on worker threads. */
typedef mqc_order_status line_judge(mqc_delivery *delivery, void *arg);

/* One member's listener_arg. */
struct line_member {
    struct line *line;
    void *seat;
};

struct line {
    const char *topic;
    mqc_message_queue queue;
    mqc_producer *producer;
    struct collector *collector;
    line_judge *judge; /* NULL: all is done */
    void *judge_arg;
    struct line_member members[LINE_MEMBERS];
    pthread_mutex_t lock; /* guards what follows */
    int inside[LINE_QUEUES];
    int done[LINE_QUEUES]; /* messages of each queue, which must have come in this order */
    int overlaps, out_of_order;
    int sent[LINE_QUEUES];
    bool one_of_each; /* the judge says that of each delivery only the first is done */
};

struct line *line_new(int queues, line_judge *judge, void *arg);
void line_free(struct line *line);

mqc_orderly_listener line_listen; /* arg: struct line_member */

/* A started member of the group; `options` may be NULL. */
mqc_push_consumer *line_join(struct line *line, const char *group, int member,
                             const mqc_push_consumer_options *options);

/* Sends so many more to each of the first `queues` queues, in turns. */
void line_send(struct line *line, int queues, int count);

/* Waits until all that were sent are done, and checks what line_listen looked at. */
void line_await_all(struct line *line);
void line_await_done(struct line *line, int queue, int count);
int line_done(struct line *line, int queue);

/* The number in a body of line_send. */
int line_number(const mqc_message *message);

#endif
