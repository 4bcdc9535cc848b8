/* A consumer of a chaos run: tells the journal of each listener call when it begins and when it
 * ends, and of the queues that it has. It refuses every fiftieth call. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/chaos/chaos.h"

enum { DRAIN_MS = 60000, REFUSE_EACH = 50, WORK_US = 500, POP_FIELDS = 3 };

static const char *id;
static atomic_int calls;

/* When the broker gives it to somebody else: "offset popTime invisible …" (ExtraInfoUtil.java). */
static long long pop_end_ms(const mqc_message *message)
{
    long long offset, popped, invisible;
    const char *ticket = mqc_message_property(message, "POP_CK");
    bool good = ticket && sscanf(ticket, "%lld %lld %lld", &offset, &popped, &invisible) == 3;
    return good ? popped + invisible : 0;
}

static void check_body(const mqc_message *message, int key, int number)
{
    char body[BODY_BYTES];
    size_t size = body_of(key, number, body);
    mqc_view view = mqc_message_body(message);
    if (view.size != size || memcmp(view.data, body, size) != 0)
        journal_write(JOURNAL_FD, "C %s key %d number %d: its body is not what was sent", id, key,
                      number);
}

/* Whether the call is to succeed; *call gets its number. */
static bool begin(mqc_delivery *delivery, int *call)
{
    char line[LINE_BYTES];
    mqc_message_queue queue = mqc_delivery_queue(delivery);
    *call = atomic_fetch_add(&calls, 1);
    int size = snprintf(line, sizeof line, "D %s %d %lld %s %s %d", id, *call, (long long)now_ms(),
                        queue.topic, queue.broker_name, queue.queue_id);
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++) {
        const mqc_message *message = mqc_delivery_at(delivery, i);
        int key = -1, number = -1;
        char text[32] = "";
        mqc_view body = mqc_message_body(message);
        memcpy(text, body.data, body.size < sizeof text ? body.size : sizeof text - 1);
        if (sscanf(text, "%d %d", &key, &number) == 2) check_body(message, key, number);
        size += snprintf(line + size, sizeof line - (size_t)size, " %d/%d/%lld/%d/%lld", key,
                         number, (long long)mqc_message_queue_offset(message),
                         mqc_message_reconsume_times(message), pop_end_ms(message));
    }
    journal_write(JOURNAL_FD, "%s", line);
    usleep(WORK_US);
    return *call % REFUSE_EACH != REFUSE_EACH - 1;
}

static void end(int call, bool good)
{
    journal_write(JOURNAL_FD, "F %s %d %lld %s", id, call, (long long)now_ms(),
                  good ? "good" : "refused");
}

static mqc_consume_status listen(mqc_delivery *delivery, void *arg)
{
    int call;
    bool good = begin(delivery, &call);
    (void)arg;
    end(call, good);
    return good ? MQC_CONSUME_SUCCESS : MQC_RECONSUME_LATER;
}

static mqc_order_status listen_in_order(mqc_delivery *delivery, void *arg)
{
    int call;
    bool good = begin(delivery, &call);
    (void)arg;
    mqc_delivery_suspend(delivery, 20);
    end(call, good);
    return good ? MQC_ORDER_SUCCESS : MQC_ORDER_SUSPEND;
}

static void tell_queues(const char *topic, const mqc_message_queue *all, size_t all_count,
                        const mqc_message_queue *mine, size_t mine_count, void *arg)
{
    char line[LINE_BYTES];
    (void)all, (void)all_count, (void)arg;
    int size = snprintf(line, sizeof line, "R %s %lld %s", id, (long long)now_ms(), topic);
    for (size_t i = 0; i < mine_count; i++)
        size += snprintf(line + size, sizeof line - (size_t)size, " %s/%d", mine[i].broker_name,
                         mine[i].queue_id);
    journal_write(JOURNAL_FD, "%s", line);
}

/* member ID MODE SERVERS TOPIC GROUP [NAME=VALUE]… */
int member_main(int count, char **arguments)
{
    mqc_error error;
    if (count < 5) return 2;
    wait_for_end_only();
    id = arguments[0];
    int mode = mode_of(arguments[1]);
    mqc_options *options = take_options(count - 5, arguments + 5);
    mqc_client_options client = {0};
    mqc_push_consumer_options consumer_options = {.client = &client,
                                                  .group = arguments[4],
                                                  .from = MQC_FROM_FIRST,
                                                  .threads = 4,
                                                  .listener_batch = BATCH,
                                                  .pop = mode == POP,
                                                  .queue_listener = tell_queues};
    if (mode == ORDERLY)
        consumer_options.orderly_listener = listen_in_order;
    else
        consumer_options.listener = listen;
    mqc_options_to_client(options, &client);
    client.name_servers = arguments[2];
    mqc_options_to_push_consumer(options, &consumer_options);
    mqc_push_consumer *consumer = mqc_push_consumer_new(&consumer_options, &error);
    must(consumer ? MQC_OK : error.status, "consumer", &error);
    must(mqc_push_consumer_subscribe(consumer, arguments[3], "*", &error), "subscribe", &error);
    must(mqc_push_consumer_start(consumer, &error), "start", &error);
    await_end();
    must(mqc_push_consumer_shutdown(consumer, DRAIN_MS, &error), "shutdown", &error);
    mqc_push_consumer_free(consumer);
    mqc_options_free(options);
    return 0;
}
