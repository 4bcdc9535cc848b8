/* Taking messages out of queues for a group (PopMessageProcessor.popMsgFromQueue). On the I/O
 * thread; called for pops. */
#include <stdio.h>

#include "lib/embedded/cluster.h"
#include "lib/embedded/pop_handler.h"
#include "lib/embedded/pop_order.h"
#include "lib/embedded/properties_edit.h"
#include "lib/protocol/names.h"

/* Every so many pops look at the messages to be popped again first; the others when there is room
 * (popFromRetryProbability: 20 of 100). */
enum { RETRY_FIRST_EVERY = 5 };

static void take_queue(struct pop *pop, struct topic *topic, int32_t queue_id);

/* Topics of priority messages: the last queue is the first to be looked at. */
static bool has_priorities(const struct pop *pop, const struct topic *topic)
{
    return !pop->header.orderly &&
           strstr(topic->attributes, "\"message.type\":\"PRIORITY\"") != NULL;
}

static void take_topic(struct pop *pop, struct topic *topic)
{
    int32_t start = (int32_t)(pop->request->broker->data->pop.pops % INT32_MAX);
    if (topic && has_priorities(pop, topic)) start = 0;
    for (int32_t i = 0; topic && i < topic->read_queues; i++)
        take_queue(pop, topic, (start + topic->read_queues - 1 - i) % topic->read_queues);
}

static void take_retried(struct pop *pop)
{
    const struct broker_data *data = pop->request->broker->data;
    bool first_form =
        data->settings.retry_topic_v2 && data->settings.retry_topic_v1_too && data->pop.pops % 2;
    take_topic(pop, pop_find_retry_topic(data, slice_text(pop->group->name),
                                         slice_text(pop->topic->name), first_form));
}

void pop_take(struct pop *pop)
{
    bool retried_first = pop->request->broker->data->pop.pops++ % RETRY_FIRST_EVERY == 0 &&
                         !has_priorities(pop, pop->topic);
    if (retried_first && !pop->header.orderly) take_retried(pop);
    if (pop->header.queue_id >= 0)
        take_queue(pop, pop->topic, pop->header.queue_id);
    else
        take_topic(pop, pop->topic);
    if (!retried_first && !pop->header.orderly) take_retried(pop);
}

struct topic *pop_find_retry_topic(const struct broker_data *data, struct slice group,
                                   struct slice topic, bool first_form)
{
    char name[POP_TOPIC_BYTES];
    pop_retry_topic(group, topic, data->settings.retry_topic_v2 && !first_form, name);
    return message_store_topic(&data->store, slice_text(name));
}

int pop_topic_flag(struct slice topic)
{
    if (!names_is_retry_topic(topic)) return 0;
    return memchr(topic.data, '+', topic.size) ? 2 : 1;
}

int64_t pop_first_offset(const struct group *group, const struct topic *topic, int32_t queue_id,
                         int32_t init_mode)
{
    const struct store_queue *queue = topic_queue(topic, queue_id);
    struct slice name = slice_text(topic->name);
    int64_t max = store_queue_max_offset(queue);
    int64_t offset = group ? group_offset(group, name, queue_id) : OFFSET_NONE;
    if (offset < 0) {
        bool from_start = init_mode == 0 || names_is_retry_topic(name) ||
                          (queue->min_offset <= 0 && queue->count > 0);
        offset = from_start ? queue->min_offset : max > 0 ? max - 1 : 0;
    }
    if (offset < queue->min_offset) offset = queue->min_offset;
    return offset > max ? max : offset;
}

/* ---- one queue ---- */

/* A retried message as the application is to see it, with the receipt it is acknowledged by. */
static void put_retried(struct pop *pop, const struct record *record, int64_t begin)
{
    char receipt[256];
    struct message_block *block = record_decode(record);
    if (!block) return;
    struct mqc_message message = block->messages[0];
    snprintf(receipt, sizeof receipt, "%lld %lld %lld %d %d %s %d %lld", (long long)begin,
             (long long)pop->now, (long long)pop->header.invisible_time_ms,
             (int)pop->revive_queue_id, pop_topic_flag(slice_text(record->topic->name)),
             pop->request->broker->data->name, (int)record->queue_id,
             (long long)record->queue_offset);
    const struct property_change change = {"POP_CK", slice_text(receipt)};
    struct buffer properties;
    buffer_init(&properties);
    properties_edit(&properties, message.properties, &change, 1);
    message.properties = buffer_slice(&properties);
    message.stored_topic = slice_text(pop->topic->name);
    if (properties.failed) pop->records.failed = true;
    message_record_encode(&message, &pop->records);
    buffer_done(&properties);
    message_block_unref(block);
}

static void put_record(struct pop *pop, const struct record *record, int64_t begin)
{
    if (record->topic == pop->topic || pop->request->broker->data->settings.actual_retry_topic)
        buffer_put_slice(&pop->records, record_bytes(record));
    else
        put_retried(pop, record, begin);
    pop->found++;
}

/* The next messages that the group wants; returns the offset behind them. */
static int64_t collect(struct pop *pop, const struct topic *topic, int32_t queue_id, int64_t begin,
                       struct pop_order_take *take)
{
    const struct store_queue *queue = topic_queue(topic, queue_id);
    const struct record *record;
    int64_t offset = begin;
    while (pop->found < pop->header.max_messages && pop->records.size < POP_MAX_BYTES &&
           (record = store_queue_at(queue, offset))) {
        offset++;
        if (topic == pop->topic && !message_filter_accepts(&pop->filter, record)) continue;
        put_record(pop, record, begin);
        take->offsets[take->count++] = record->queue_offset;
    }
    return offset;
}

/* Hides what was taken from the group until it is acknowledged. False: no memory. */
static bool hide(struct pop *pop, const struct pop_key *queue, const struct pop_order_take *take)
{
    struct broker_data *data = pop->request->broker->data;
    if (pop->header.orderly) return pop_order_take(data, queue, take, &pop->order_counts);
    struct pop_key key = *queue;
    for (size_t i = 0; i < take->count; i++) {
        key.offset = take->offsets[i];
        if (!pop_hide(data, &key, pop->now + pop->header.invisible_time_ms)) return false;
    }
    return true;
}

static void put_places(struct pop *pop, const struct pop_key *queue, int64_t begin,
                       const struct pop_order_take *take)
{
    const char *between = pop->starts.size > 0 ? ";" : "";
    buffer_put_format(&pop->starts, "%s%d %d %lld", between, take->flag, (int)queue->queue_id,
                      (long long)begin);
    buffer_put_format(&pop->offsets, "%s%d %d ", between, take->flag, (int)queue->queue_id);
    for (size_t i = 0; i < take->count; i++)
        buffer_put_format(&pop->offsets, "%s%lld", i ? "," : "", (long long)take->offsets[i]);
}

static void take_queue(struct pop *pop, struct topic *topic, int32_t queue_id)
{
    struct broker_data *data = pop->request->broker->data;
    struct pop_key key = {slice_text(pop->group->name), slice_text(topic->name), queue_id, 0};
    int64_t begin = pop_first_offset(pop->group, topic, queue_id, pop->header.init_mode);
    if (group_take_reset(pop->group, key.topic, queue_id) >= 0) {
        pop_order_forget(data, &key);
        group_set_offset(pop->group, key.topic, queue_id, topic->queue_count, begin);
    }
    if (pop->header.orderly && pop_order_blocks(data, &key, pop->header.attempt_id)) return;
    struct pop_order_take take = {.attempt_id = pop->header.attempt_id,
                                  .popped_unix_ms = pop->now,
                                  .invisible_ms = pop->header.invisible_time_ms,
                                  .flag = pop_topic_flag(key.topic)};
    int64_t next = collect(pop, topic, queue_id, begin, &take);
    if (take.count > 0) {
        if (!hide(pop, &key, &take)) pop->records.failed = true;
        put_places(pop, &key, begin, &take);
    }
    /* In order, the offset moves when the messages are acknowledged. */
    group_set_offset(pop->group, key.topic, queue_id, topic->queue_count,
                     pop->header.orderly && take.count > 0 ? begin : next);
    pop->rest += store_queue_max_offset(topic_queue(topic, queue_id)) - next;
}
