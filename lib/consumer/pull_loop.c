/* Asking for messages: each queue's pull request goes round between the pull thread (here), the
 * broker, and the thread that reads the answer (pull_answer.c). Whoever has it passes it on: at
 * once, after a delay, or ends it because the queue is not ours any more. It is never just left, or
 * the queue would silently stand still (PullMessageService, DefaultMQPushConsumerImpl.pullMessage).
 */
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
    SAY_EVERY = 1000, /* pauses for flow control */
    MIB = 1 << 20
};

static void pull(struct pull_request *request);
static void discard(struct pull_request *request);
static bool is_full(struct consumer_queue *queue);
static int64_t part_of_topic(const struct consumer_queue *queue, int64_t of_topic,
                             int64_t of_queue);
static queue_asker ask;

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
        queue_pull_again(queue, PAUSED_MS);
        return;
    }
    if (queue->pop) {
        queue_pop(queue);
        return;
    }
    int64_t delay_ms = consumer->kind->pull_delay ? consumer->kind->pull_delay(queue) : 0;
    if (delay_ms > 0) {
        queue_pull_again(queue, delay_ms);
        return;
    }
    if (is_full(queue))
        queue_pull_again(queue, FULL_MS);
    else
        queue_pull_ask(queue, ask);
}

void queue_pull_ask(struct consumer_queue *queue, queue_asker *ask_broker)
{
    struct topic_subscription *subscription =
        subscriptions_get(&queue->consumer->subscriptions, queue->place.topic);
    meter_add(queue->meter, METER_PULLS, 1);
    mqc_error error = {.text = "no subscription"};
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
    const struct consumer_settings *settings = &queue->consumer->settings;
    struct process_queue_state state;
    process_queue_read(&queue->messages, &state);
    int64_t most = part_of_topic(queue, settings->topic_max_messages, settings->queue_max_messages);
    int64_t most_mib = part_of_topic(queue, settings->topic_max_mib, settings->queue_max_mib);
    bool full = (int64_t)state.count > most || (int64_t)(state.bytes / MIB) > most_mib ||
                (settings->queue_max_span >= 0 &&
                 state.last_offset - state.first_offset > settings->queue_max_span);
    if (full) meter_add(queue->meter, METER_PULL_PAUSES, 1);
    if (!full) {
        queue->pauses = 0;
    } else if (queue->pauses++ % SAY_EVERY == 0) {
        log_warn(LOG_PULL,
                 "flow control: group=%s topic=%s broker=%s queue=%d held=%zu bytes=%zu "
                 "offsets=%lld..%lld: pulling pauses until the listener has caught up",
                 queue->consumer->group, queue->place.topic, queue->place.broker_name,
                 queue->place.queue_id, state.count, state.bytes, (long long)state.first_offset,
                 (long long)state.last_offset);
    }
    return full;
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

/* PULL_MESSAGE (11), LITE_PULL_MESSAGE (361). Does not block. */
static mqc_status ask(struct consumer_queue *queue, const struct topic_subscription *subscription,
                      mqc_error *error)
{
    const struct consumer *consumer = queue->consumer;
    struct client_instance *instance = consumer->instance;
    char address[ADDRESS_TEXT_BYTES];
    bool is_slave = false;
    if (!route_table_readable(client_instance_routes(instance), queue->place.broker_name,
                              queue->broker_id, address, &is_slave))
        return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", queue->place.broker_name);
    struct pull_message_header header;
    header_init(&pull_message_layout, &header);
    header.consumer_group = slice_text(consumer->group);
    header.topic = slice_text(queue->place.topic);
    header.queue_id = queue->place.queue_id;
    header.queue_offset = queue->next_offset;
    header.max_messages = consumer->settings.pull_batch;
    header.max_bytes = consumer->settings.pull_batch_bytes;
    /* Without PULL_FLAG_COMMIT_OFFSET, which Java sets: brokers handle pulls and updates of offsets
     * in different pools, and a pull that comes after the last update would undo it. */
    header.sys_flag = PULL_FLAG_SUSPEND;
    header.commit_offset = 0;
    header.suspend_timeout_ms = SUSPEND_MS;
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
    queue->asked_ms = clock_now_ms();
    return remoting_client_call_async(client_instance_remoting(instance), address, &request,
                                      clock_deadline_ms(TIMEOUT_MS), queue_pull_answered, queue,
                                      error);
}
