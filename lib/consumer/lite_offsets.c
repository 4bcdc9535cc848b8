/* Where a lite pull consumer is in its queues, where it goes, and what it has committed. On the
 * application's threads. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/consumer/lite_consumer.h"
#include "lib/consumer/queue_questions.h"

enum { TO_OFFSET, TO_BEGIN, TO_END };

static mqc_status seek(mqc_lite_consumer *consumer, const mqc_message_queue *place, int to,
                       int64_t offset, mqc_error *error);
static mqc_status go_on_at(struct lite_queue *queue, int64_t offset, mqc_error *error);

/* ---- seeking ---- */

mqc_status mqc_lite_consumer_seek(mqc_lite_consumer *consumer, const mqc_message_queue *queue,
                                  int64_t offset, mqc_error *error)
{
    return seek(consumer, queue, TO_OFFSET, offset, error);
}

mqc_status mqc_lite_consumer_seek_to_begin(mqc_lite_consumer *consumer,
                                           const mqc_message_queue *queue, mqc_error *error)
{
    return seek(consumer, queue, TO_BEGIN, 0, error);
}

mqc_status mqc_lite_consumer_seek_to_end(mqc_lite_consumer *consumer,
                                         const mqc_message_queue *queue, mqc_error *error)
{
    return seek(consumer, queue, TO_END, 0, error);
}

mqc_status mqc_lite_consumer_seek_to_time(mqc_lite_consumer *consumer,
                                          const mqc_message_queue *queue, int64_t unix_ms,
                                          mqc_error *error)
{
    int64_t offset;
    mqc_status status = mqc_lite_consumer_offset_for_time(consumer, queue, unix_ms, &offset, error);
    return status == MQC_OK ? seek(consumer, queue, TO_OFFSET, offset, error) : status;
}

static mqc_status seek(mqc_lite_consumer *consumer, const mqc_message_queue *place, int to,
                       int64_t offset, mqc_error *error)
{
    struct client_instance *instance;
    struct lite_queue *queue;
    int64_t least, next;
    mqc_status status = lite_enter(consumer, &instance, error);
    if (status != MQC_OK) return status;
    status = lite_find(consumer, place, &queue, error);
    if (status == MQC_OK) {
        status = queue_ask_range(instance, place, &least, &next, error);
        if (to == TO_BEGIN) offset = least;
        if (to == TO_END) offset = next;
        if (status == MQC_OK && (offset < least || offset > next))
            status = error_set(error, MQC_BAD_ARGUMENT,
                               "Seek offset illegal, seek offset = %lld, min offset = %lld, max "
                               "offset = %lld",
                               (long long)offset, (long long)least, (long long)next);
        if (status == MQC_OK) status = go_on_at(queue, offset, error);
        consumer_queue_unref(&queue->core);
    }
    consumer_exit(&consumer->core);
    return status;
}

/* Another queue object at the same place: nothing that is still under way for the old one can get
 * among what the new one pulls. They share the record of the offset. */
static mqc_status go_on_at(struct lite_queue *queue, int64_t offset, mqc_error *error)
{
    struct consumer *core = queue->core.consumer;
    struct consumer_queue *fresh;
    mqc_status status = consumer_queue_new(core, &queue->core.place, &fresh, error);
    if (status != MQC_OK) return status;
    consumer_queue_go_on(fresh, &queue->core, offset);
    lock_take(&core->lock);
    atomic_store(&lite_queue_of(fresh)->paused, atomic_load(&queue->paused));
    process_queue_drop(&queue->core.messages);
    lock_release(&core->lock);
    bool replaced = consumer_queues_replace(core, &queue->core, fresh);
    if (replaced) queue_pull_start(fresh);
    consumer_queue_unref(fresh);
    lite_discard_parked(queue);
    lite_purge(lite_of(core), false);
    if (replaced) return MQC_OK;
    return error_set(
        error, MQC_NOT_FOUND, "queue %d of topic %s at broker %s is another member's by now",
        queue->core.place.queue_id, queue->core.place.topic, queue->core.place.broker_name);
}

/* ---- asking ---- */

mqc_status mqc_lite_consumer_position(mqc_lite_consumer *consumer, const mqc_message_queue *queue,
                                      int64_t *offset, mqc_error *error)
{
    struct lite_queue *own;
    mqc_status status = lite_check(consumer, error);
    if (status == MQC_OK) status = lite_find(consumer, queue, &own, error);
    if (status != MQC_OK) return status;
    lock_take(&consumer->core.lock);
    *offset = own->position;
    lock_release(&consumer->core.lock);
    consumer_queue_unref(&own->core);
    return MQC_OK;
}

mqc_status mqc_lite_consumer_offset_for_time(mqc_lite_consumer *consumer,
                                             const mqc_message_queue *queue, int64_t unix_ms,
                                             int64_t *offset, mqc_error *error)
{
    struct client_instance *instance;
    mqc_status status = lite_enter(consumer, &instance, error);
    if (status != MQC_OK) return status;
    status = queue_ask_time(instance, queue, unix_ms, offset, error);
    consumer_exit(&consumer->core);
    return status;
}

mqc_status mqc_lite_consumer_offsets(mqc_lite_consumer *consumer, const mqc_message_queue *queue,
                                     int64_t *least, int64_t *next, mqc_error *error)
{
    struct client_instance *instance;
    mqc_status status = lite_enter(consumer, &instance, error);
    if (status != MQC_OK) return status;
    status = queue_ask_range(instance, queue, least, next, error);
    consumer_exit(&consumer->core);
    return status;
}

/* ---- committing ---- */

void lite_note_done(struct lite_queue *queue, bool all)
{
    struct mqc_lite_consumer *consumer = lite_of(queue->core.consumer);
    if (consumer->options.no_auto_commit) return;
    lock_take(&consumer->core.lock);
    int64_t offset = all ? queue->position : queue->done;
    lock_release(&consumer->core.lock);
    offset_record_set(queue->core.offset, offset);
}

void lite_commit_if_due(mqc_lite_consumer *consumer)
{
    if (consumer->options.no_auto_commit) return;
    size_t count;
    int64_t now = clock_now_ms();
    struct consumer_queue **queues = consumer_queues_list(&consumer->core, NULL, &count);
    lock_take(&consumer->core.lock);
    for (size_t i = 0; i < count; i++)
        lite_queue_of(queues[i])->done = lite_queue_of(queues[i])->position;
    bool due = now >= consumer->next_commit_ms;
    if (due) consumer->next_commit_ms = clock_deadline_ms(consumer->options.auto_commit_ms);
    lock_release(&consumer->core.lock);
    for (size_t i = 0; due && i < count; i++) {
        lite_note_done(lite_queue_of(queues[i]), false);
        offset_record_persist(queues[i]->offset);
    }
    if (due) offset_store_flush(consumer->core.offsets);
    consumer_queues_release(queues, count);
}

mqc_status mqc_lite_consumer_commit(mqc_lite_consumer *consumer, mqc_error *error)
{
    struct client_instance *instance;
    mqc_status first = lite_enter(consumer, &instance, error);
    if (first != MQC_OK) return first;
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(&consumer->core, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        struct lite_queue *queue = lite_queue_of(queues[i]);
        lock_take(&consumer->core.lock);
        int64_t offset = queue->done = queue->position;
        lock_release(&consumer->core.lock);
        offset_record_set(queue->core.offset, offset);
        offset_record_persist(queue->core.offset); /* all at once: then they are waited for */
    }
    int64_t deadline_ms = client_instance_request_deadline(instance);
    for (size_t i = 0; i < count; i++) {
        mqc_error failure;
        mqc_status status = offset_record_commit(queues[i]->offset, deadline_ms, &failure);
        if (status == MQC_OK || first != MQC_OK) continue;
        first = status;
        if (error) *error = failure;
    }
    consumer_queues_release(queues, count);
    offset_store_flush(consumer->core.offsets);
    consumer_exit(&consumer->core);
    return first;
}

mqc_status mqc_lite_consumer_commit_offset(mqc_lite_consumer *consumer,
                                           const mqc_message_queue *queue, int64_t offset,
                                           mqc_error *error)
{
    struct client_instance *instance;
    struct lite_queue *own;
    if (offset < 0)
        return error_set(error, MQC_BAD_ARGUMENT, "offset is %lld: give 0 or more",
                         (long long)offset);
    mqc_status status = lite_enter(consumer, &instance, error);
    if (status != MQC_OK) return status;
    status = lite_find(consumer, queue, &own, error);
    if (status == MQC_OK) {
        lock_take(&consumer->core.lock);
        own->done = offset; /* until the next poll */
        lock_release(&consumer->core.lock);
        offset_record_set(own->core.offset, offset);
        status = offset_record_commit(own->core.offset, client_instance_request_deadline(instance),
                                      error);
        offset_store_flush(consumer->core.offsets);
        consumer_queue_unref(&own->core);
    }
    consumer_exit(&consumer->core);
    return status;
}

mqc_status mqc_lite_consumer_committed(mqc_lite_consumer *consumer, const mqc_message_queue *queue,
                                       int64_t *offset, mqc_error *error)
{
    struct client_instance *instance;
    mqc_status status = lite_enter(consumer, &instance, error);
    if (status != MQC_OK) return status;
    status = queue_check(queue, error);
    if (status == MQC_OK) {
        struct offset_store *store = consumer->core.offsets;
        struct offset_place place = {consumer->core.group, queue->topic, queue->broker_name,
                                     queue->queue_id};
        status = store->type->query(store, &place, client_instance_request_deadline(instance),
                                    offset, error);
    }
    consumer_exit(&consumer->core);
    return status;
}
