/* What consumers tell of themselves: their public functions, and what the instance asks. Any
 * thread.
 */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/consumer/consumer.h"
#include "lib/consumer/lite_consumer.h"
#include "lib/consumer/push_consumer.h"

static void tell_queue(struct consumer_queue *queue, struct stat_labels labels,
                       struct mqc_stats *out);

mqc_stats *mqc_push_consumer_stats(mqc_push_consumer *consumer, mqc_error *error)
{
    if (consumer) return consumer_stats(&consumer->core, error);
    error_set(error, MQC_BAD_ARGUMENT, "the push consumer is NULL");
    return NULL;
}

mqc_stats *mqc_lite_consumer_stats(mqc_lite_consumer *consumer, mqc_error *error)
{
    if (consumer) return consumer_stats(&consumer->core, error);
    error_set(error, MQC_BAD_ARGUMENT, "the lite consumer is NULL");
    return NULL;
}

mqc_stats *consumer_stats(struct consumer *consumer, mqc_error *error)
{
    if (consumer_check(consumer, error) != MQC_OK) return NULL;
    struct mqc_stats *stats = snapshot_new(error);
    if (!stats) return NULL;
    struct client_instance *instance = consumer_enter(consumer);
    if (instance) {
        client_instance_tell_stats(instance, stats);
        consumer_exit(consumer);
    }
    consumer_tell_stats(&consumer->role, stats);
    return snapshot_finish(stats, error);
}

void consumer_sample_stats(struct client_role *role, int64_t now_ms)
{
    meters_sample(&CONTAINER_OF(role, struct consumer, role)->figures.meters, now_ms);
}

void consumer_tell_stats(struct client_role *role, struct mqc_stats *out)
{
    struct consumer *consumer = CONTAINER_OF(role, struct consumer, role);
    struct client_instance *instance = consumer_enter(consumer);
    const struct stat_labels labels = {.client = instance ? client_instance_id(instance) : "",
                                       .group = consumer->group,
                                       .queue_id = -1};
    consumer_figures_tell(&consumer->figures, &labels, out);
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(consumer, NULL, &count);
    for (size_t i = 0; i < count; i++) tell_queue(queues[i], labels, out);
    consumer_queues_release(queues, count);
    snapshot_put(out, STATISTIC_QUEUES, &labels, (int64_t)count, 0);
    mqc_consumer_health health;
    consumer_health(consumer, &health);
    snapshot_put(out, STATISTIC_STUCK_QUEUES, &labels, health.stuck, 0);
    snapshot_put(out, STATISTIC_QUEUES_STUCK, &labels, health.stuck_in_all, 0);
    snapshot_put(out, STATISTIC_QUEUES_RESTARTED, &labels, health.restarted, 0);
    if (consumer->kind->threads)
        snapshot_put(out, STATISTIC_THREADS, &labels, consumer->kind->threads(consumer), 0);
    if (instance) consumer_exit(consumer);
}

/* A place that is popped has no offsets here: the broker keeps them. */
static void tell_queue(struct consumer_queue *queue, struct stat_labels labels,
                       struct mqc_stats *out)
{
    labels.topic = queue->place.topic;
    labels.broker = queue->place.broker_name;
    labels.queue_id = queue->place.queue_id;
    if (queue->pop) {
        snapshot_put(out, STATISTIC_UNACKED_MESSAGES, &labels, atomic_load(&queue->unacked), 0);
        return;
    }
    struct process_queue_state state;
    process_queue_read(&queue->messages, &state);
    int64_t commit = offset_record_read(queue->offset);
    int64_t end = atomic_load(&queue->end_offset);
    snapshot_put(out, STATISTIC_HELD_MESSAGES, &labels, (int64_t)state.count, 0);
    snapshot_put(out, STATISTIC_HELD_BYTES, &labels, (int64_t)state.bytes, 0);
    snapshot_put(out, STATISTIC_PULL_OFFSET, &labels, process_queue_next(&queue->messages), 0);
    if (commit >= 0) snapshot_put(out, STATISTIC_COMMIT_OFFSET, &labels, commit, 0);
    if (end >= 0) snapshot_put(out, STATISTIC_END_OFFSET, &labels, end, 0);
    if (commit >= 0 && end >= 0)
        snapshot_put(out, STATISTIC_LAG, &labels, end > commit ? end - commit : 0, 0);
}

void consumer_note_rebalance(struct consumer *consumer, const char *topic, size_t queues,
                             int gained, int lost)
{
    size_t mine;
    struct consumer_queue **held = consumer_queues_list(consumer, topic, &mine);
    consumer_queues_release(held, mine);
    const char *name = intern_name(&consumer->names, slice_text(topic));
    if (!name) return;
    consumer_figures_rebalanced(&consumer->figures, &(mqc_rebalance){.unix_ms = clock_unix_ms(),
                                                                     .group = consumer->group,
                                                                     .topic = name,
                                                                     .queues = (int)queues,
                                                                     .mine = (int)mine,
                                                                     .gained = gained,
                                                                     .lost = lost});
}
