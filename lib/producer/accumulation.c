/* See accumulation.h. A message is encoded into its batch by the thread that sends it, under the
 * accumulator's lock; what is allocated is a batch's, not a message's. */
#include "lib/producer/accumulation.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/producer/batch_body.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"

static struct accumulation *find(struct accumulator *accumulator,
                                 const struct accumulation_key *key) REQUIRES(accumulator->lock);
static void put(struct accumulator *accumulator, struct accumulation *accumulation)
    REQUIRES(accumulator->lock);
static mqc_status add(struct accumulator *accumulator, struct accumulation *accumulation,
                      struct accumulation_join *join, mqc_error *error) REQUIRES(accumulator->lock);

struct accumulation_key accumulation_key_of(const mqc_message *message, bool synchronous,
                                            const mqc_message_queue *queue)
{
    struct accumulation_key key = {
        .synchronous = synchronous,
        .wait_stored = batch_message_waits(message),
        .topic = slice_text(message->topic),
        .tag = message_property(message, PROPERTY_TAGS),
    };
    if (queue) key.queue = *queue;
    key.hash = slice_hash(key.topic) ^ (uint32_t)(key.queue.queue_id * 31 + synchronous);
    if (key.tag.size > 0) key.hash ^= slice_hash(key.tag) * 31;
    return key;
}

static bool same(const struct accumulation_key *a, const struct accumulation_key *b)
{
    return a->hash == b->hash && a->synchronous == b->synchronous &&
           a->wait_stored == b->wait_stored && slice_equal(a->topic, b->topic) &&
           slice_equal(a->tag, b->tag) && a->queue.broker_name == b->queue.broker_name &&
           a->queue.queue_id == b->queue.queue_id;
}

struct accumulation *accumulation_new(const struct accumulation_key *key,
                                      const mqc_message *message)
{
    struct accumulation *accumulation = memory_allocate_zero(1, sizeof *accumulation);
    if (!accumulation) return NULL;
    accumulation->key = *key;
    accumulation->first = mqc_message_ref(message);
    accumulation->key.topic = slice_text(accumulation->first->topic);
    if (key->tag.size > 0) memcpy(accumulation->tag, key->tag.data, key->tag.size);
    accumulation->key.tag = slice_of(accumulation->tag, key->tag.size);
    list_init(&accumulation->in_bucket);
    list_init(&accumulation->in_open);
    buffer_init(&accumulation->body);
    condition_init(&accumulation->changed);
    return accumulation;
}

void accumulation_free(struct accumulation *accumulation)
{
    if (!accumulation) return;
    mqc_message_free(accumulation->first);
    buffer_done(&accumulation->body);
    condition_done(&accumulation->changed);
    memory_free(accumulation->items);
    memory_free(accumulation->callbacks);
    memory_free(accumulation);
}

mqc_status accumulation_join(struct accumulator *accumulator, struct accumulation_join *join,
                             mqc_error *error)
{
    join->needs_spare = false;
    if (accumulator->closing || accumulator->held_bytes >= accumulator->total_bytes) return MQC_OK;
    struct accumulation *open = find(accumulator, &join->key);
    if (open && open->body.size + batch_message_room(join->message) > accumulator->batch_bytes) {
        accumulation_close(open);
        /* Synchronous ones are sent by somebody who waits for them. */
        if (!open->key.synchronous) join->overfull = open;
        open->due_ms = 0;
        condition_wake_all(&open->changed);
        open = NULL;
    }
    if (!open && !join->spare) {
        join->needs_spare = true;
        return MQC_OK;
    }
    join->opened = !open;
    if (join->opened) {
        open = join->spare;
        join->spare = NULL;
        put(accumulator, open);
    }
    mqc_status status = add(accumulator, open, join, error);
    if (status == MQC_OK) join->batch = open;
    if (join->filled || open->count == 0) accumulation_close(open);
    if (open->count == 0) join->spare = open;
    return status;
}

void accumulation_close(struct accumulation *accumulation)
{
    list_remove(&accumulation->in_bucket);
    list_remove(&accumulation->in_open);
}

static struct accumulation *find(struct accumulator *accumulator,
                                 const struct accumulation_key *key)
{
    LIST_EACH(&accumulator->buckets[key->hash % ACCUMULATOR_BUCKETS], link)
    {
        struct accumulation *accumulation = CONTAINER_OF(link, struct accumulation, in_bucket);
        if (same(&accumulation->key, key)) return accumulation;
    }
    return NULL;
}

static void put(struct accumulator *accumulator, struct accumulation *accumulation)
{
    list_append(&accumulator->buckets[accumulation->key.hash % ACCUMULATOR_BUCKETS],
                &accumulation->in_bucket);
    if (!accumulation->key.synchronous) list_append(&accumulator->open, &accumulation->in_open);
    accumulation->due_ms = clock_deadline_ms(accumulator->delay_ms);
}

static mqc_status add(struct accumulator *accumulator, struct accumulation *accumulation,
                      struct accumulation_join *join, mqc_error *error)
{
    size_t number = accumulation->count, before = accumulation->body.size;
    if (!memory_reserve(&accumulation->items, &accumulation->capacity, number + 1,
                        sizeof accumulation->items[0]))
        return error_no_memory(error);
    if (join->callback &&
        !memory_reserve(&accumulation->callbacks, &accumulation->callback_capacity, number + 1,
                        sizeof accumulation->callbacks[0]))
        return error_no_memory(error);
    mqc_status status = batch_body_append(&accumulation->body, join->message,
                                          accumulation->items[number].message_id, error);
    if (status != MQC_OK) return status;
    if (join->callback) accumulation->callbacks[number] = *join->callback;
    accumulation->count++;
    size_t bytes = accumulation->body.size - before;
    accumulator->held_bytes += bytes;
    join->number = number;
    /* Another one like it would not fit. */
    join->filled = accumulation->body.size + bytes > accumulator->batch_bytes;
    return MQC_OK;
}

void accumulation_content(struct accumulation *accumulation, struct send_content *content)
{
    const struct batch_envelope envelope = {
        .topic = accumulation->first->topic,
        .wait_stored = accumulation->key.wait_stored,
        .tag = accumulation->key.tag,
        .body = buffer_slice(&accumulation->body),
        .count = accumulation->count,
        .items = accumulation->items,
    };
    send_content_init_batch(content, &envelope);
}

void accumulation_result(const struct accumulation *accumulation, size_t number,
                         const mqc_send_result *batch, mqc_send_result *result)
{
    const mqc_batch_item *item = &accumulation->items[number];
    *result = *batch;
    result->status = item->send_status;
    result->queue = item->queue;
    result->queue_offset = item->queue_offset;
    memcpy(result->message_id, item->message_id, sizeof result->message_id);
    memcpy(result->offset_message_id, item->offset_message_id, sizeof result->offset_message_id);
}
