/* Asking for messages: each queue's pull request goes round between the pull thread (here), the
 * broker, and the thread that reads the answer (pull_answer.c). Whoever has it passes it on: at
 * once, after a delay, or ends it because the queue is not ours any more. It is never just left, or
 * the queue would silently stand still (PullMessageService, DefaultMQPushConsumerImpl.pullMessage).
 */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/consumer/consumer.h"
#include "lib/protocol/sys_flag.h"

enum {
    PAUSED_MS = 1000,
    FULL_MS = 50,
    FAILED_MS = 1000,
    SUSPEND_MS = 15000, /* that the broker keeps a pull without messages */
    TIMEOUT_MS = 30000,
    SAY_EVERY = 1000,    /* pauses for flow control */
    NO_MASTER_MS = 5000, /* between two look-ups of a master that is gone */
    MIB = 1 << 20
};

static void pull(struct pull_request *request);
static void discard(struct pull_request *request);
static void wait_paused(struct consumer_queue *queue, enum queue_pause why, int64_t delay_ms);
static bool is_full(struct consumer_queue *queue);
static int64_t part_of_topic(const struct consumer_queue *queue, int64_t of_topic,
                             int64_t of_queue);
static queue_asker ask;
static void note_side(struct consumer_queue *queue, const struct pull_wish *wish);

void queue_pull_start(struct consumer_queue *queue)
{
    consumer_queue_ref(queue);
    queue->pull.pull = pull;
    queue->pull.discard = discard;
    queue_pull_again(queue, 0);
}

void queue_pull_anew(struct consumer_queue *queue)
{
    remoting_client_cancel(client_instance_remoting(queue->consumer->instance), queue_pull_answered,
                           queue);
}

void queue_pull_again(struct consumer_queue *queue, int64_t delay_ms)
{
    struct pull_service *service = client_instance_pull_service(queue->consumer->instance);
    atomic_store(&queue->watch.at_broker, false);
    atomic_store(&queue->watch.expected_ms, clock_now_ms() + delay_ms);
    pull_service_execute_later(service, &queue->pull, delay_ms);
}

/* With some jitter, so that the queues of a broker that comes back do not come all at once. */
void queue_pull_failed(struct consumer_queue *queue)
{
    meter_add(queue->meter, METER_PULL_FAILURES, 1);
    queue_pull_again(queue, FAILED_MS + (int64_t)random_below(FAILED_MS / 4));
}

void queue_pull_end(struct consumer_queue *queue)
{
    consumer_queue_unref(queue);
}

bool queue_pull_over(const struct consumer_queue *queue)
{
    return process_queue_dropped(&queue->messages) || atomic_load(&queue->leaving) ||
           !consumer_running(queue->consumer);
}

/* Pull thread: the checks in Java's order. */
static void pull(struct pull_request *request)
{
    struct consumer_queue *queue = CONTAINER_OF(request, struct consumer_queue, pull);
    struct consumer *consumer = queue->consumer;
    if (queue_pull_over(queue)) {
        queue_pull_end(queue);
        return;
    }
    atomic_store(&queue->messages.last_pull_ms, clock_now_ms());
    atomic_store(&queue->messages.last_pull_unix_ms, clock_unix_ms());
    if (atomic_load(&consumer->paused)) {
        wait_paused(queue, QUEUE_CONSUMER_PAUSED, PAUSED_MS);
        return;
    }
    if (queue->pop) {
        queue_pop(queue);
        return;
    }
    enum queue_pause why = QUEUE_NOT_PAUSED;
    int64_t delay_ms = consumer->kind->pull_delay ? consumer->kind->pull_delay(queue, &why) : 0;
    if (delay_ms > 0)
        wait_paused(queue, why, delay_ms);
    else if (is_full(queue))
        wait_paused(queue, QUEUE_FULL, FULL_MS);
    else
        queue_pull_ask(queue, ask);
}

static void wait_paused(struct consumer_queue *queue, enum queue_pause why, int64_t delay_ms)
{
    atomic_store(&queue->watch.pause, why);
    queue_pull_again(queue, delay_ms);
}

void queue_pull_ask(struct consumer_queue *queue, queue_asker *ask_broker)
{
    struct topic_subscription *subscription =
        subscriptions_get(&queue->consumer->subscriptions, queue->place.topic);
    meter_add(queue->meter, METER_PULLS, 1);
    mqc_error error = {.text = "no subscription"};
    int64_t now = clock_now_ms();
    atomic_store(&queue->watch.pause, QUEUE_NOT_PAUSED);
    atomic_store(&queue->watch.at_broker, true);
    atomic_store(&queue->watch.asked_ms, now);
    atomic_store(&queue->watch.expected_ms, now + TIMEOUT_MS);
    mqc_status status = subscription ? ask_broker(queue, subscription, &error) : MQC_NOT_FOUND;
    topic_subscription_unref(subscription);
    if (status == MQC_OK) return; /* the answer has it */
    queue_pull_say(queue, error.text);
    queue_pull_failed(queue);
}

static void discard(struct pull_request *request)
{
    queue_pull_end(CONTAINER_OF(request, struct consumer_queue, pull));
}

static bool is_full(struct consumer_queue *queue)
{
    char which[QUEUE_WHY_BYTES];
    if (!queue_full(queue, which)) {
        queue->pauses = 0;
        return false;
    }
    meter_add(queue->meter, METER_PULL_PAUSES, 1);
    if (queue->pauses++ % SAY_EVERY == 0)
        log_warn(LOG_PULL,
                 "flow control: group=%s topic=%s broker=%s queue=%d: %s: pulling pauses until "
                 "the listener has caught up",
                 queue->consumer->group, queue->place.topic, queue->place.broker_name,
                 queue->place.queue_id, which);
    return true;
}

bool queue_full(struct consumer_queue *queue, char which[QUEUE_WHY_BYTES])
{
    const struct consumer_settings *settings = &queue->consumer->settings;
    struct process_queue_state state;
    process_queue_read(&queue->messages, &state);
    int64_t most = part_of_topic(queue, settings->topic_max_messages, settings->queue_max_messages);
    int64_t most_mib = part_of_topic(queue, settings->topic_max_mib, settings->queue_max_mib);
    int64_t span = state.last_offset - state.first_offset;
    if ((int64_t)state.count > most)
        snprintf(which, QUEUE_WHY_BYTES, "%zu messages are held, the limit is %lld", state.count,
                 (long long)most);
    else if ((int64_t)(state.bytes / MIB) > most_mib)
        snprintf(which, QUEUE_WHY_BYTES, "%zu bytes are held, the limit is %lld MiB", state.bytes,
                 (long long)most_mib);
    else if (settings->queue_max_span >= 0 && span > settings->queue_max_span)
        snprintf(
            which, QUEUE_WHY_BYTES, "offsets %lld to %lld are held, the limit of the span is %d",
            (long long)state.first_offset, (long long)state.last_offset, settings->queue_max_span);
    else
        return false;
    return true;
}

/* What a queue may hold: its own limit, or its part of the topic's if that is less. Java's parts
 * are those of all queues of all topics. */
static int64_t part_of_topic(const struct consumer_queue *queue, int64_t of_topic, int64_t of_queue)
{
    int count = atomic_load(&queue->topic->count);
    if (of_topic < 0) return of_queue;
    int64_t part = count > 1 ? of_topic / count : of_topic;
    if (part < 1) part = 1;
    return part < of_queue ? part : of_queue;
}

static mqc_status ask(struct consumer_queue *queue, const struct topic_subscription *subscription,
                      mqc_error *error)
{
    const struct consumer_settings *settings = &queue->consumer->settings;
    struct pull_wish wish = {.offset = queue->next_offset,
                             .max_messages = settings->pull_batch,
                             .max_bytes = settings->pull_batch_bytes,
                             .suspend_ms = SUSPEND_MS,
                             .deadline_ms = clock_deadline_ms(TIMEOUT_MS)};
    mqc_status status = queue_pull_address(queue, queue->broker_id, &wish, error);
    if (status != MQC_OK) return status;
    note_side(queue, &wish);
    queue->asked_ms = clock_now_ms();
    return queue_pull_send(queue, subscription, &wish, queue_pull_answered, queue, error);
}

static void note_side(struct consumer_queue *queue, const struct pull_wish *wish)
{
    if (wish->at_slave != queue->at_slave)
        log_info(LOG_PULL, "group=%s topic=%s broker=%s queue=%d is pulled from its %s %s",
                 queue->consumer->group, queue->place.topic, queue->place.broker_name,
                 queue->place.queue_id, wish->at_slave ? "slave" : "master again", wish->address);
    queue->at_slave = wish->at_slave;
    if (wish->at_slave && queue->broker_id == BROKER_ID_MASTER)
        consumer_look_for_broker(queue->consumer, queue->place.topic, NO_MASTER_MS);
}

mqc_status queue_pull_address(const struct consumer_queue *queue, int64_t broker_id,
                              struct pull_wish *wish, mqc_error *error)
{
    struct route_table *routes = client_instance_routes(queue->consumer->instance);
    if (route_table_readable(routes, consumer_queue_host(queue), broker_id, wish->address,
                             &wish->at_slave))
        return MQC_OK;
    return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", queue->place.broker_name);
}

/* PULL_MESSAGE (11), LITE_PULL_MESSAGE (361). */
mqc_status queue_pull_send(struct consumer_queue *queue,
                           const struct topic_subscription *subscription,
                           const struct pull_wish *wish, remoting_done *done, void *arg,
                           mqc_error *error)
{
    const struct consumer *consumer = queue->consumer;
    struct pull_message_header header;
    header_init(&pull_message_layout, &header);
    header.consumer_group = slice_text(consumer->group);
    header.topic = slice_text(queue->place.topic);
    header.queue_id = queue->place.queue_id;
    header.queue_offset = wish->offset;
    header.max_messages = wish->max_messages;
    header.max_bytes = wish->max_bytes;
    /* Without PULL_FLAG_COMMIT_OFFSET, which Java sets: brokers handle pulls and updates of offsets
     * in different pools, and a pull that comes after the last update would undo it. */
    header.sys_flag = wish->suspend_ms > 0 ? PULL_FLAG_SUSPEND : 0;
    header.commit_offset = 0;
    header.suspend_timeout_ms = wish->suspend_ms;
    header.subscription_version = subscription->data.version;
    header.expression_type = slice_text(subscription->data.expression_type);
    header.broker_name = slice_text(queue->place.broker_name);
    int32_t code = REQUEST_PULL_MESSAGE;
    if (consumer->kind->brings_filter) {
        code = REQUEST_LITE_PULL_MESSAGE;
        header.sys_flag |= PULL_FLAG_SUBSCRIPTION | PULL_FLAG_LITE;
        header.subscription = slice_text(subscription->data.expression);
    }
    struct command_to_send request = {
        .code = code, .layout = &pull_message_layout, .header = &header};
    return remoting_client_call_async(client_instance_remoting(consumer->instance), wish->address,
                                      &request, wish->deadline_ms, done, arg, error);
}
