/* Offsets that an administrator resets at a 5.x broker: the group hears of them in the answer to
 * its next pull of each queue (OFFSET_RESET). A pull that waits for messages at the broker would
 * hear of it when its 15 s are over, and a queue that is full not at all. So each second one queue
 * of each topic is asked about, out of those whose pull has not come back, but of TOPICS_AT_ONCE
 * topics at most; when it was reset, so are all of the topic. The scheduled executor asks, threads
 * that read take the answers, a callback thread acts on them. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/consumer.h"

enum { PERIOD_MS = 1000, IDLE_MS = 900, SLACK_MS = 100, TIMEOUT_MS = 5000, TOPICS_AT_ONCE = 25 };

/* A queue that goes on elsewhere. */
struct reset {
    struct callback_task task;
    struct consumer_queue *queue; /* counted */
    int64_t offset;
};

static void tick(void *arg);
static int64_t choose(struct consumer_queue **queues, size_t count, int64_t now_ms);
static bool is_idle(struct consumer_queue *queue, int64_t now_ms);
static void probe(struct consumer_queue *queue, int64_t now_ms);
static void probed(struct remoting_arrival *arrival, const mqc_error *error, void *arg);
static void run(struct callback_task *task);

mqc_status consumer_resets_start(struct consumer *consumer, mqc_error *error)
{
    if (consumer->settings.model == MQC_BROADCASTING) return MQC_OK; /* the offset is here */
    return scheduled_executor_add(client_instance_scheduler(consumer->instance), "reset offsets",
                                  PERIOD_MS, PERIOD_MS, tick, consumer, &consumer->resets, error);
}

void consumer_resets_stop(struct consumer *consumer)
{
    scheduled_task_cancel(consumer->resets);
    consumer->resets = NULL;
}

/* The queues of a topic take turns, and topics, when they are many. */
static void tick(void *arg)
{
    struct consumer *consumer = arg;
    int64_t now = clock_now_ms();
    size_t count;
    if (!consumer_running(consumer)) return;
    struct consumer_queue **queues = consumer_queues_list(consumer, NULL, &count);
    int64_t topics = choose(queues, count, now);
    int64_t rounds = (topics + TOPICS_AT_ONCE - 1) / TOPICS_AT_ONCE;
    int asked = 0;
    for (size_t i = 0; i < count; i++) {
        struct consumer_topic *topic = queues[i]->topic;
        if (topic->to_probe != queues[i]) continue;
        topic->to_probe = NULL;
        if (asked == TOPICS_AT_ONCE || now - topic->probed_ms < rounds * PERIOD_MS - SLACK_MS)
            continue;
        asked++;
        topic->probed_ms = now;
        probe(queues[i], now);
    }
    consumer_queues_release(queues, count);
}

/* Each topic's queue to be asked about, if it has one; returns how many topics have. */
static int64_t choose(struct consumer_queue **queues, size_t count, int64_t now_ms)
{
    int64_t topics = 0;
    for (size_t i = 0; i < count; i++) {
        struct consumer_queue *queue = queues[i], **best = &queue->topic->to_probe;
        if (!is_idle(queue, now_ms)) continue;
        topics += !*best;
        if (!*best || queue->watch.probed_ms < (*best)->watch.probed_ms) *best = queue;
    }
    return topics;
}

static bool is_idle(struct consumer_queue *queue, int64_t now_ms)
{
    return !queue->pop && !process_queue_dropped(&queue->messages) &&
           now_ms - atomic_load(&queue->watch.answered_ms) >= IDLE_MS &&
           !names_is_retry_topic(slice_text(queue->place.topic));
}

/* A pull that does not wait. Its messages, if any, come with the queue's own pull. */
static void probe(struct consumer_queue *queue, int64_t now_ms)
{
    struct topic_subscription *subscription =
        subscriptions_get(&queue->consumer->subscriptions, queue->place.topic);
    mqc_error error;
    if (!subscription) return;
    queue->watch.probed_ms = now_ms;
    consumer_queue_ref(queue);
    struct pull_wish wish = {.offset = process_queue_next(&queue->messages),
                             .max_messages = 1,
                             .deadline_ms = now_ms + TIMEOUT_MS};
    if (queue_pull_address(queue, BROKER_ID_MASTER, &wish, &error) != MQC_OK ||
        queue_pull_send(queue, subscription, &wish, probed, queue, &error) != MQC_OK)
        consumer_queue_unref(queue);
    topic_subscription_unref(subscription);
}

static void probed(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct consumer_queue *queue = arg;
    (void)error;
    if (arrival) queue_take_reset(queue, arrival);
    consumer_queue_unref(queue);
}

bool queue_take_reset(struct consumer_queue *queue, struct remoting_arrival *arrival)
{
    struct consumer *consumer = queue->consumer;
    struct pull_message_response_header header;
    if (arrival->command->code != RESPONSE_PULL_OFFSET_MOVED ||
        !slice_is(arrival->command->remark, "OFFSET_RESET") || !consumer_running(consumer) ||
        header_decode(&pull_message_response_layout, arrival->command, &header, NULL) != MQC_OK)
        return false;
    /* The queue that was asked about may have been given up and gained again. */
    struct consumer_queue *present = consumer_queues_find(consumer, &queue->place);
    struct reset *reset = present ? memory_allocate_zero(1, sizeof *reset) : NULL;
    if (!reset) {
        if (present) consumer_queue_unref(present);
        return false;
    }
    *reset = (struct reset){.task.run = run, .queue = present, .offset = header.next_begin_offset};
    callback_executor_submit(client_instance_callbacks(consumer->instance), &reset->task);
    return true;
}

/* Callback thread. */
static void run(struct callback_task *task)
{
    struct reset *reset = CONTAINER_OF(task, struct reset, task);
    struct consumer_queue *queue = reset->queue;
    struct consumer *consumer = queue->consumer;
    struct client_instance *instance = consumer_enter(consumer);
    if (instance) {
        size_t count;
        int64_t now = clock_now_ms();
        log_info(LOG_OFFSETS, "group=%s topic=%s broker=%s queue=%d reset to offset=%lld",
                 consumer->group, queue->place.topic, queue->place.broker_name,
                 queue->place.queue_id, (long long)reset->offset);
        struct consumer_queue **queues = consumer_queues_list(consumer, queue->place.topic, &count);
        for (size_t i = 0; i < count; i++)
            if (queues[i] != queue && is_idle(queues[i], now)) probe(queues[i], now);
        consumer_queues_release(queues, count);
        consumer_queue_move(queue, instance, reset->offset);
        client_instance_wake_rebalance(instance);
        consumer_exit(consumer);
    }
    consumer_queue_unref(queue);
    memory_free(reset);
}
