/* See line.h. */
#include "test/contract/line.h"

#include <stdio.h>
#include <stdlib.h>

struct line *line_new(int queues, line_judge *judge, void *arg)
{
    struct line *line = calloc(1, sizeof *line);
    ck_assert_ptr_nonnull(line);
    ck_assert_int_le(queues, LINE_QUEUES);
    line->topic = contract_topic(queues);
    line->queue = contract_queue(line->topic, 0);
    line->producer = contract_producer(NULL);
    line->collector = collector_new();
    line->judge = judge;
    line->judge_arg = arg;
    pthread_mutex_init(&line->lock, NULL);
    for (int i = 0; i < LINE_MEMBERS; i++)
        line->members[i] = (struct line_member){line, collector_seat(line->collector, i)};
    return line;
}

void line_free(struct line *line)
{
    mqc_producer_free(line->producer);
    collector_free(line->collector);
    pthread_mutex_destroy(&line->lock);
    free(line);
}

int line_number(const mqc_message *message)
{
    mqc_view body = mqc_message_body(message);
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)body.size, (const char *)body.data);
    return atoi(text);
}

/* Under the lock. What was refused comes again; what is done does not. */
static void note_done(struct line *line, const mqc_delivery *delivery, int queue)
{
    size_t count = line->one_of_each ? 1 : mqc_delivery_count(delivery);
    for (size_t i = 0; i < count; i++) {
        int number = line_number(mqc_delivery_at(delivery, i));
        if (number == line->done[queue])
            line->done[queue]++;
        else
            line->out_of_order++;
    }
}

mqc_order_status line_listen(mqc_delivery *delivery, void *arg)
{
    struct line_member *member = arg;
    struct line *line = member->line;
    int queue = mqc_delivery_queue(delivery).queue_id;
    pthread_mutex_lock(&line->lock);
    if (line->inside[queue]++ > 0) line->overlaps++;
    pthread_mutex_unlock(&line->lock);
    collector_listen(delivery, member->seat);
    mqc_order_status status =
        line->judge ? line->judge(delivery, line->judge_arg) : MQC_ORDER_SUCCESS;
    pthread_mutex_lock(&line->lock);
    line->inside[queue]--;
    if (status == MQC_ORDER_SUCCESS) note_done(line, delivery, queue);
    pthread_mutex_unlock(&line->lock);
    return status;
}

mqc_push_consumer *line_join(struct line *line, const char *group, int member,
                             const mqc_push_consumer_options *options)
{
    mqc_push_consumer_options complete = {0};
    if (options) complete = *options;
    complete.group = group;
    complete.orderly_listener = line_listen;
    complete.listener_arg = &line->members[member];
    complete.from = MQC_FROM_FIRST;
    return contract_consumer(&complete, line->topic, "*");
}

void line_send(struct line *line, int queues, int count)
{
    char body[32];
    for (int i = 0; i < count; i++) {
        for (line->queue.queue_id = 0; line->queue.queue_id < queues; line->queue.queue_id++) {
            snprintf(body, sizeof body, "%d", line->sent[line->queue.queue_id]++);
            contract_send_to(line->producer, &line->queue, body);
        }
    }
}

int line_done(struct line *line, int queue)
{
    pthread_mutex_lock(&line->lock);
    int done = line->done[queue];
    pthread_mutex_unlock(&line->lock);
    return done;
}

struct wish {
    struct line *line;
    int queue, count;
};

static bool is_done(void *arg)
{
    struct wish *wish = arg;
    return line_done(wish->line, wish->queue) >= wish->count;
}

void line_await_done(struct line *line, int queue, int count)
{
    char what[64];
    struct wish wish = {line, queue, count};
    snprintf(what, sizeof what, "%d messages of queue %d", count, queue);
    contract_await(what, is_done, &wish);
}

void line_await_all(struct line *line)
{
    for (int queue = 0; queue < LINE_QUEUES; queue++)
        line_await_done(line, queue, line->sent[queue]);
    ck_assert_int_eq(line->overlaps, 0);
    ck_assert_int_eq(line->out_of_order, 0);
}
