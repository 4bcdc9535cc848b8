/* What a broker answers to a pull. Runs on the thread that reads the connection and never blocks:
 * decodes the messages in place, filters them by tag, hands them over to be delivered and sends the
 * pull request round again (DefaultMQPushConsumerImpl's PullCallback, PullAPIWrapper). */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/consumer.h"
#include "lib/consumer/filter_check.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/properties.h"

enum {
    FLOW_CONTROL_MS = 20,
    SUBSCRIPTION_MS = 500, /* until a heartbeat has told the broker */
    AT_ONCE_MS = 10,       /* an answer without messages that came sooner was not waited for */
    BREATHER_MS = 20,
    BREATHER_MOST_MS = 320,
    LOST_MS = 500, /* between two look-ups of a broker that does not answer */
    REPAIR_MS = 10000
};

static void take_messages(struct consumer_queue *queue, struct remoting_arrival *arrival,
                          const struct pull_message_response_header *header);
static struct pulled_batch *batch_new(struct consumer_queue *queue, struct message_block *block);
static bool accept_messages(struct pulled_batch *batch, int64_t offset_delta);
static void go_on(struct consumer_queue *queue, int64_t next, bool got_messages);
static void passed(struct consumer_queue *queue, int64_t next);
static void move_offset(struct consumer_queue *queue, int64_t next);
static void repair(struct callback_task *task);

void queue_pull_answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct consumer_queue *queue = arg;
    if (queue_pull_over(queue)) {
        if (arrival) queue_take_reset(queue, arrival);
        queue_pull_end(queue);
        return;
    }
    if (!arrival && error->status == MQC_CANCELLED) { /* by queue_pull_anew */
        queue_pull_again(queue, 0);
        return;
    }
    if (!arrival) {
        queue->broker_id = route_table_other_id(client_instance_routes(queue->consumer->instance),
                                                consumer_queue_host(queue), queue->broker_id);
        queue_pull_unanswered(queue, error);
        return;
    }
    int32_t code = arrival->command->code;
    if (code != RESPONSE_SUCCESS && code != RESPONSE_PULL_NOT_FOUND &&
        code != RESPONSE_PULL_RETRY_IMMEDIATELY && code != RESPONSE_PULL_OFFSET_MOVED) {
        queue->broker_id = BROKER_ID_MASTER; /* a slave may not serve at all (slaveReadEnable) */
        queue_pull_refused(queue, arrival, "PULL_MESSAGE");
        return;
    }
    struct pull_message_response_header header;
    mqc_error damage;
    if (header_decode(&pull_message_response_layout, arrival->command, &header, &damage) !=
        MQC_OK) {
        queue_pull_say(queue, damage.text);
        queue_pull_failed(queue);
        return;
    }
    queue->broker_id = header.suggest_broker_id;
    atomic_store(&queue->end_offset, header.max_offset);
    queue_watch_answered(&queue->watch, clock_now_ms());
    if (code == RESPONSE_PULL_OFFSET_MOVED)
        move_offset(queue, header.next_begin_offset);
    else if (code == RESPONSE_SUCCESS)
        take_messages(queue, arrival, &header);
    else
        go_on(queue, header.next_begin_offset, false);
}

static void take_messages(struct consumer_queue *queue, struct remoting_arrival *arrival,
                          const struct pull_message_response_header *header)
{
    mqc_error error;
    struct message_block *block = NULL;
    struct pulled_batch *batch = NULL;
    size_t count = 0;
    mqc_status status = MQC_OK;
    struct frame *frame = remoting_arrival_keep(arrival);
    if (!frame) status = error_no_memory(&error);
    if (status == MQC_OK)
        status = message_block_decode(frame, arrival->command->body, &block, &error);
    frame_unref(frame);
    if (status == MQC_OK && block) {
        namespace_unwrap_messages(queue->consumer->client_options.name_space, block);
        batch = queue_pull_name_broker(block, queue->place.broker_name) ? batch_new(queue, block)
                                                                        : NULL;
        if (!batch) {
            message_block_unref(block);
            status = error_no_memory(&error);
        }
    }
    if (batch && !accept_messages(batch, header->offset_delta)) {
        pulled_batch_unref(batch);
        queue_pull_failed(queue);
        return;
    }
    if (batch) {
        status = process_queue_put(&queue->messages, batch->messages, batch->count, &count, &error);
        batch->count = count;
        consumer_figures_received(queue->meter, batch->messages, count);
        if (count > 0)
            queue->consumer->kind->deliver(batch);
        else
            pulled_batch_unref(batch);
    }
    if (status != MQC_OK) { /* nothing was taken: the same again */
        queue_pull_say(queue, error.text);
        queue_pull_failed(queue);
        return;
    }
    go_on(queue, header->next_begin_offset, count > 0);
}

/* Takes over the reference of the block when it succeeds. */
static struct pulled_batch *batch_new(struct consumer_queue *queue, struct message_block *block)
{
    size_t room = block->count * queue->consumer->kind->message_bytes;
    struct pulled_batch *batch =
        memory_allocate(sizeof *batch + room + block->count * sizeof *batch->messages);
    if (!batch) return NULL;
    reference_init(&batch->references);
    consumer_queue_ref(queue);
    batch->queue = queue;
    batch->block = block;
    batch->count = 0;
    batch->messages = (struct mqc_message **)((char *)batch->room + room);
    return batch;
}

void pulled_batch_unref(struct pulled_batch *batch)
{
    if (!reference_drop(&batch->references)) return;
    message_block_unref(batch->block);
    consumer_queue_unref(batch->queue);
    memory_free(batch);
}

/* The broker compares hash codes of tags only. False: the topic is just being unsubscribed, so that
 * it is not known what is wanted. The queue must not go on behind the messages as if they were
 * filtered out: subscribed to again, it would have lost them. */
static bool accept_messages(struct pulled_batch *batch, int64_t offset_delta)
{
    struct consumer_queue *queue = batch->queue;
    struct message_block *block = batch->block;
    struct topic_subscription *subscription =
        subscriptions_get(&queue->consumer->subscriptions, queue->place.topic);
    for (size_t i = 0; subscription && i < block->count; i++) {
        struct mqc_message *message = &block->messages[i];
        message->queue_offset += offset_delta;
        message->queue_id = queue->place.queue_id;
        if (queue->origin) message->topic = queue->origin;
        if (consumer_wants(subscription, message)) batch->messages[batch->count++] = message;
    }
    bool subscribed = subscription != NULL;
    topic_subscription_unref(subscription);
    return subscribed;
}

bool consumer_wants(const struct topic_subscription *subscription,
                    const struct mqc_message *message)
{
    return subscription->data.tag_count == 0 ||
           subscription_accepts(&subscription->data, message_property(message, PROPERTY_TAGS));
}

/* The name lives as long as the messages do, in the otherwise unused buffer of the first. */
bool queue_pull_name_broker(struct message_block *block, const char *broker_name)
{
    struct buffer *buffer = &block->messages[0].building;
    buffer_put_text(buffer, broker_name);
    const char *name = buffer_text(buffer);
    for (size_t i = 0; name && i < block->count; i++) block->messages[i].broker_name = name;
    return name != NULL;
}

/* What was filtered out is done, too: the committed offset goes on with it as soon as nothing
 * before it is unfinished. */
static void go_on(struct consumer_queue *queue, int64_t next, bool got_messages)
{
    /* Never back: a slave that lags names a lower offset in PULL_RETRY_IMMEDIATELY. */
    bool stands_still = next <= queue->next_offset;
    bool at_once = clock_now_ms() - queue->asked_ms < AT_ONCE_MS;
    if (!stands_still) queue->next_offset = next;
    int64_t commit = process_queue_pass(&queue->messages, queue->next_offset);
    if (commit >= 0) passed(queue, commit);
    /* A broker that answers "nothing" at once again and again must not keep us spinning: slaves do
     * as long as they believe that their master is there. */
    bool nothing = !got_messages && stands_still && at_once;
    queue->breather_ms = !nothing                                ? 0
                         : queue->breather_ms == 0               ? BREATHER_MS
                         : queue->breather_ms < BREATHER_MOST_MS ? 2 * queue->breather_ms
                                                                 : BREATHER_MOST_MS;
    queue_pull_again(queue, got_messages ? queue->consumer->settings.pull_interval_ms
                                         : queue->breather_ms);
}

static void passed(struct consumer_queue *queue, int64_t next)
{
    if (queue->consumer->kind->passed)
        queue->consumer->kind->passed(queue, next);
    else
        offset_record_raise(queue->offset, next);
}

void queue_pull_refused(struct consumer_queue *queue, const struct remoting_arrival *arrival,
                        const char *request)
{
    mqc_error error;
    int32_t code = arrival->command->code;
    client_api_refused(arrival->command, remoting_connection_address(arrival->connection), request,
                       &error);
    if (code == RESPONSE_FLOW_CONTROL) {
        queue_pull_again(queue, FLOW_CONTROL_MS);
    } else if (code == RESPONSE_SUBSCRIPTION_NOT_EXIST ||
               code == RESPONSE_SUBSCRIPTION_NOT_LATEST) {
        log_info(LOG_PULL,
                 "group=%s topic=%s: the broker has not heard of the subscription yet: %s",
                 queue->consumer->group, queue->place.topic, error.text);
        consumer_do_later(queue->consumer, CHORE_HEARTBEAT);
        queue_pull_again(queue, SUBSCRIPTION_MS);
    } else {
        char text[sizeof error.text + 128];
        bool no_filter =
            code == RESPONSE_FILTER_DATA_NOT_EXIST || code == RESPONSE_FILTER_DATA_NOT_LATEST;
        snprintf(text, sizeof text, "%s%s", error.text,
                 filter_advice(code, arrival->command->remark));
        queue_pull_say(queue, text);
        if (no_filter) consumer_do_later(queue->consumer, CHORE_HEARTBEAT);
        if (code == RESPONSE_NOT_LEADER_FOR_QUEUE) /* of a static topic: it has moved */
            consumer_look_for_broker(queue->consumer, queue->place.topic, LOST_MS);
        queue_pull_failed(queue);
    }
}

/* Soon its place is another one, or a slave of it is all there is: Java learns of it when it looks
 * its routes up the next time, in 30 s. */
void queue_pull_unanswered(struct consumer_queue *queue, const mqc_error *error)
{
    queue_pull_say(queue, error->text);
    consumer_look_for_broker(queue->consumer, queue->place.topic, LOST_MS);
    queue_pull_failed(queue);
}

/* OFFSET_ILLEGAL: the broker has nothing at our offset. From here on no listener moves the offset;
 * a callback thread stores the broker's and has the queue added anew. */
static void move_offset(struct consumer_queue *queue, int64_t next)
{
    log_warn(LOG_PULL,
             "group=%s topic=%s broker=%s queue=%d: offset %lld is not there, going on at "
             "%lld",
             queue->consumer->group, queue->place.topic, queue->place.broker_name,
             queue->place.queue_id, (long long)queue->next_offset, (long long)next);
    process_queue_drop(&queue->messages);
    offset_record_freeze_at(queue->offset, next);
    queue->next_offset = next;
    queue->repair.run = repair;
    atomic_store(&queue->watch.at_broker, false);
    atomic_store(&queue->watch.expected_ms, clock_now_ms() + REPAIR_MS);
    callback_executor_submit(client_instance_callbacks(queue->consumer->instance), &queue->repair);
}

/* Callback thread; has the pull request, which ends here. */
static void repair(struct callback_task *task)
{
    struct consumer_queue *queue = CONTAINER_OF(task, struct consumer_queue, repair);
    struct consumer *consumer = queue->consumer;
    struct client_instance *instance = consumer_enter(consumer);
    if (instance) {
        consumer_queue_move(queue, instance, queue->next_offset);
        client_instance_wake_rebalance(instance);
        consumer_exit(consumer);
    }
    queue_pull_end(queue);
}

void queue_pull_say(struct consumer_queue *queue, const char *what)
{
    bool news = queue_watch_failed(&queue->watch, what);
    LOG_AT(news ? MQC_LOG_WARN : MQC_LOG_DEBUG, LOG_PULL,
           "group=%s topic=%s broker=%s queue=%d: pull failed, tried again each second: %s",
           queue->consumer->group, queue->place.topic, queue->place.broker_name,
           queue->place.queue_id, what);
}
