/* The table of queues that a consumer has. The rebalance service adds and removes; the scheduled
 * executor, callback threads and shutdown go over it. */
#include "lib/consumer/consumer.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/protocol/namespace.h"

enum { MOVE_MS = 5000 };

static struct consumer_topic *topic_of(struct consumer *consumer, const char *name);
static const char *origin_of(struct consumer *consumer, const char *topic);
static struct consumer_queue *find(struct consumer *consumer, const mqc_message_queue *place)
    REQUIRES(consumer->queues_lock);

mqc_status consumer_queue_new(struct consumer *consumer, const mqc_message_queue *place,
                              struct consumer_queue **out, mqc_error *error)
{
    const char *topic = intern_name(&consumer->names, slice_text(place->topic));
    const char *broker_name = intern_name(&consumer->names, slice_text(place->broker_name));
    struct consumer_topic *shared = topic_of(consumer, place->topic);
    const char *origin = topic ? origin_of(consumer, topic) : NULL;
    struct consumer_queue *queue = topic && broker_name && shared
                                       ? memory_allocate_zero(1, consumer->kind->queue_bytes)
                                       : NULL;
    if (!queue) return error_no_memory(error);
    list_init(&queue->link);
    list_init(&queue->in_topic);
    list_init(&queue->in_chain);
    queue->topic = shared;
    reference_init(&queue->references);
    consumer_ref(consumer);
    queue->consumer = consumer;
    queue->place = (mqc_message_queue){topic, broker_name, place->queue_id};
    queue->meter = meters_of(&consumer->figures.meters, topic, broker_name, place->queue_id);
    atomic_init(&queue->end_offset, -1);
    queue->origin = origin;
    process_queue_init(&queue->messages);
    queue_watch_init(&queue->watch, clock_now_ms());
    atomic_store(&queue->messages.last_pull_ms, clock_now_ms());
    if (consumer->kind->queue_init) consumer->kind->queue_init(queue);
    *out = queue;
    return MQC_OK;
}

mqc_status consumer_queue_begin_at(struct consumer_queue *queue, int64_t stored, int64_t begin,
                                   mqc_error *error)
{
    struct consumer *consumer = queue->consumer;
    struct offset_place place = {consumer->group, queue->place.topic, queue->place.broker_name,
                                 queue->place.queue_id};
    mqc_status status = offset_record_new(consumer->offsets, &place, stored, &queue->offset, error);
    if (status != MQC_OK) return status;
    process_queue_pass(&queue->messages, begin);
    /* With nothing stored the beginning is: or a crash before the first message would let the next
     * start begin later, and skip what came between. */
    offset_record_raise(queue->offset, begin);
    queue->next_offset = begin;
    if (consumer->kind->queue_begins) consumer->kind->queue_begins(queue, begin);
    return MQC_OK;
}

void consumer_queue_go_on(struct consumer_queue *queue, struct consumer_queue *old, int64_t begin)
{
    offset_record_ref(old->offset);
    queue->offset = old->offset;
    process_queue_pass(&queue->messages, begin);
    queue->next_offset = begin;
    if (queue->consumer->kind->queue_begins) queue->consumer->kind->queue_begins(queue, begin);
}

void consumer_queue_ref(struct consumer_queue *queue)
{
    reference_take(&queue->references);
}

const char *consumer_queue_host(const struct consumer_queue *queue)
{
    return route_table_host(client_instance_routes(queue->consumer->instance), queue->place.topic,
                            queue->place.broker_name, queue->place.queue_id);
}

void consumer_queue_unref(struct consumer_queue *queue)
{
    if (!queue || !reference_drop(&queue->references)) return;
    struct consumer *consumer = queue->consumer;
    if (consumer->kind->queue_done) consumer->kind->queue_done(queue);
    offset_record_unref(queue->offset);
    queue_watch_done(&queue->watch);
    process_queue_done(&queue->messages);
    memory_free(queue);
    consumer_unref(consumer);
}

mqc_status consumer_queue_gain(struct consumer *consumer, struct client_instance *instance,
                               const mqc_message_queue *place, bool *gained, mqc_error *error)
{
    struct consumer_queue *queue = NULL;
    int64_t stored = -1, begin = 0;
    *gained = false;
    mqc_status status = consumer_queue_new(consumer, place, &queue, error);
    if (status == MQC_OK && consumer->kind->gain)
        status = consumer->kind->gain(queue, instance, error);
    bool kind_gained = status == MQC_OK;
    if (status == MQC_OK)
        status = consumer_start_offset(consumer, instance, place, queue->topic->looked_at, &stored,
                                       &begin, error);
    if (status == MQC_OK) status = consumer_queue_begin_at(queue, stored, begin, error);
    if (status == MQC_OK && consumer_queues_add(consumer, queue)) {
        *gained = true;
        log_info(LOG_REBALANCE, "group=%s topic=%s broker=%s queue=%d taken, offset=%lld%s",
                 consumer->group, place->topic, place->broker_name, place->queue_id,
                 (long long)begin, stored >= 0 ? "" : " (none was stored)");
        queue_pull_start(queue);
    }
    if (kind_gained && !*gained && consumer->kind->lost) consumer->kind->lost(queue, instance);
    consumer_queue_unref(queue);
    return status;
}

mqc_status consumer_queue_gain_pop(struct consumer *consumer, const mqc_message_queue *place,
                                   bool *gained, mqc_error *error)
{
    struct consumer_queue *queue = NULL;
    *gained = false;
    mqc_status status = consumer_queue_new(consumer, place, &queue, error);
    if (status == MQC_OK) status = consumer_queue_begin_at(queue, -1, -1, error);
    if (status == MQC_OK) {
        queue->pop = true;
        *gained = consumer_queues_add(consumer, queue);
    }
    if (*gained) {
        log_info(LOG_REBALANCE, "group=%s topic=%s broker=%s queue=%d to be popped",
                 consumer->group, place->topic, place->broker_name, place->queue_id);
        queue_pull_start(queue);
    }
    consumer_queue_unref(queue);
    return status;
}

void consumer_queue_finished(struct consumer_queue *queue, const struct mqc_message *message)
{
    int64_t commit = process_queue_remove(&queue->messages, message->queue_offset);
    if (commit >= 0) offset_record_raise(queue->offset, commit);
}

void consumer_queue_give_up(struct consumer_queue *queue)
{
    process_queue_drop(&queue->messages);
    offset_record_freeze(queue->offset);
    offset_record_persist(queue->offset);
}

/* In this order: what a listener reports after the offset was told to the store does not count. */
bool consumer_queue_lose(struct consumer_queue *queue, struct client_instance *instance,
                         const char *why)
{
    struct consumer *consumer = queue->consumer;
    const struct consumer_kind *kind = consumer->kind;
    atomic_store(&queue->leaving, true);
    if (kind->let_go && !kind->let_go(queue)) return false;
    consumer_queue_give_up(queue);
    if (!consumer_queues_remove(consumer, queue)) return true;
    log_info(LOG_REBALANCE, "group=%s topic=%s broker=%s queue=%d given up, offset=%lld: %s",
             consumer->group, queue->place.topic, queue->place.broker_name, queue->place.queue_id,
             (long long)offset_record_read(queue->offset), why);
    if (kind->lost) kind->lost(queue, instance);
    return true;
}

void consumer_queue_move(struct consumer_queue *queue, struct client_instance *instance,
                         int64_t offset)
{
    struct consumer *consumer = queue->consumer;
    mqc_error error;
    process_queue_drop(&queue->messages);
    offset_record_freeze_at(queue->offset, offset);
    /* Before it leaves the table: the rebalance that adds it anew must find the new offset. */
    if (offset_record_commit(queue->offset, consumer_deadline(consumer, MOVE_MS), &error) != MQC_OK)
        log_warn(LOG_OFFSETS, "group=%s topic=%s broker=%s queue=%d offset=%lld not stored: %s",
                 consumer->group, queue->place.topic, queue->place.broker_name,
                 queue->place.queue_id, (long long)offset, error.text);
    consumer_queue_lose(queue, instance, "it goes on elsewhere");
}

/* ---- the table ---- */

bool consumer_queues_add(struct consumer *consumer, struct consumer_queue *queue)
{
    lock_take(&consumer->queues_lock);
    bool add = !consumer->queues_closed && !find(consumer, &queue->place);
    if (add) {
        consumer_queue_ref(queue);
        list_append(&consumer->queues, &queue->link);
        list_append(&queue->topic->queues, &queue->in_topic);
        list_append(consumer_topic_chain(queue->topic, queue->place.queue_id), &queue->in_chain);
        atomic_fetch_add(&queue->topic->count, 1);
    }
    lock_release(&consumer->queues_lock);
    return add;
}

bool consumer_queues_remove(struct consumer *consumer, struct consumer_queue *queue)
{
    lock_take(&consumer->queues_lock);
    /* After consumer_queues_close they are its caller's: a division under way has no part in
     * them. */
    bool was_there = !consumer->queues_closed && !list_empty(&queue->link);
    if (was_there) {
        list_remove(&queue->link);
        list_remove(&queue->in_topic);
        list_remove(&queue->in_chain);
        atomic_fetch_sub(&queue->topic->count, 1);
    }
    lock_release(&consumer->queues_lock);
    if (was_there) consumer_queue_unref(queue);
    return was_there;
}

bool consumer_queues_replace(struct consumer *consumer, struct consumer_queue *old,
                             struct consumer_queue *queue)
{
    lock_take(&consumer->queues_lock);
    bool replace = !consumer->queues_closed && !list_empty(&old->link);
    if (replace) {
        consumer_queue_ref(queue);
        list_insert_before(&old->link, &queue->link);
        list_insert_before(&old->in_topic, &queue->in_topic);
        list_insert_before(&old->in_chain, &queue->in_chain);
        list_remove(&old->link);
        list_remove(&old->in_topic);
        list_remove(&old->in_chain);
    }
    lock_release(&consumer->queues_lock);
    if (replace) consumer_queue_unref(old);
    return replace;
}

struct consumer_queue *consumer_queues_find(struct consumer *consumer,
                                            const mqc_message_queue *place)
{
    lock_take(&consumer->queues_lock);
    struct consumer_queue *queue = find(consumer, place);
    if (queue) consumer_queue_ref(queue);
    lock_release(&consumer->queues_lock);
    return queue;
}

bool consumer_queues_has(struct consumer *consumer, const mqc_message_queue *place)
{
    lock_take(&consumer->queues_lock);
    bool has = find(consumer, place) != NULL;
    lock_release(&consumer->queues_lock);
    return has;
}

struct consumer_queue **consumer_queues_list(struct consumer *consumer, const char *name,
                                             size_t *count)
{
    struct consumer_queue **list = NULL;
    size_t capacity = 0;
    *count = 0;
    lock_take(&consumer->queues_lock);
    struct consumer_topic *topic = name ? map_get(&consumer->topics, slice_text(name)) : NULL;
    struct link none;
    list_init(&none);
    const struct link *queues = !name ? &consumer->queues : topic ? &topic->queues : &none;
    LIST_EACH(queues, item)
    {
        struct consumer_queue *queue = name ? CONTAINER_OF(item, struct consumer_queue, in_topic)
                                            : CONTAINER_OF(item, struct consumer_queue, link);
        /* Those that do not fit are seen to the next time. */
        if (!memory_reserve(&list, &capacity, *count + 1, sizeof *list)) break;
        consumer_queue_ref(queue);
        list[(*count)++] = queue;
    }
    lock_release(&consumer->queues_lock);
    return list;
}

void consumer_queues_release(struct consumer_queue **list, size_t count)
{
    for (size_t i = 0; i < count; i++) consumer_queue_unref(list[i]);
    memory_free(list);
}

void consumer_queues_close(struct consumer *consumer, struct link *taken)
{
    lock_take(&consumer->queues_lock);
    consumer->queues_closed = true;
    LIST_EACH(&consumer->queues, item)
    {
        struct consumer_queue *queue = CONTAINER_OF(item, struct consumer_queue, link);
        list_remove(&queue->in_topic);
        list_remove(&queue->in_chain);
    }
    list_move_all(taken, &consumer->queues);
    lock_release(&consumer->queues_lock);
}

static struct consumer_queue *find(struct consumer *consumer, const mqc_message_queue *place)
{
    struct consumer_topic *topic = map_get(&consumer->topics, slice_text(place->topic));
    if (!topic) return NULL;
    LIST_EACH(consumer_topic_chain(topic, place->queue_id), item)
    {
        struct consumer_queue *queue = CONTAINER_OF(item, struct consumer_queue, in_chain);
        if (queue->place.queue_id == place->queue_id &&
            strcmp(queue->place.broker_name, place->broker_name) == 0)
            return queue;
    }
    return NULL;
}

/* Of %RETRY%group_topic and %RETRY%group+topic: the topic, as the application knows it. */
static const char *origin_of(struct consumer *consumer, const char *topic)
{
    char room[NAME_BYTES];
    const char *rest = pop_topic_origin(topic, slice_text(consumer->retry_topic));
    if (!rest) return NULL;
    struct slice name =
        namespace_unwrap(consumer->client_options.name_space, slice_text(rest), room);
    return intern_name(&consumer->names, name);
}

void consumer_topic_looked_at(struct consumer *consumer, const char *name)
{
    struct consumer_topic *topic = topic_of(consumer, name);
    if (topic) topic->looked_at = true;
}

/* Lives as long as the consumer; NULL: no memory. */
static struct consumer_topic *topic_of(struct consumer *consumer, const char *name)
{
    lock_take(&consumer->queues_lock);
    struct consumer_topic *topic = map_get(&consumer->topics, slice_text(name));
    if (!topic && (topic = memory_allocate_zero(1, sizeof *topic))) {
        list_init(&topic->queues);
        for (int i = 0; i < TOPIC_CHAINS; i++) list_init(&topic->chains[i]);
        if (!map_put(&consumer->topics, slice_text(name), topic, NULL)) {
            memory_free(topic);
            topic = NULL;
        }
    }
    lock_release(&consumer->queues_lock);
    return topic;
}
