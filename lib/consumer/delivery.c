/* What applications see of a delivery, whoever made it. Any thread, one at a time. */
#include "lib/consumer/delivery.h"

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"

enum { LEVEL_LEAST = -1, LEVEL_MOST = 18 };

struct block_delivery {
    struct mqc_delivery delivery;
    struct message_block *block;
    char *topic, *broker_name;
    struct mqc_message *messages[];
};

static void block_delivery_free(struct mqc_delivery *delivery);

size_t mqc_delivery_count(const mqc_delivery *delivery)
{
    return delivery->count;
}

const mqc_message *mqc_delivery_at(const mqc_delivery *delivery, size_t index)
{
    return index < delivery->count ? delivery->messages[index] : NULL;
}

mqc_message_queue mqc_delivery_queue(const mqc_delivery *delivery)
{
    return delivery->queue;
}

void mqc_delivery_done(mqc_delivery *delivery, size_t count)
{
    delivery->done = count < delivery->count ? count : delivery->count;
}

void mqc_delivery_retry_level(mqc_delivery *delivery, int level)
{
    delivery->retry_level = level < LEVEL_LEAST  ? LEVEL_LEAST
                            : level > LEVEL_MOST ? LEVEL_MOST
                                                 : level;
}

mqc_status mqc_delivery_finish(mqc_delivery *delivery, mqc_consume_status status, mqc_error *error)
{
    if (!delivery) return error_set(error, MQC_BAD_ARGUMENT, "the delivery is NULL");
    if (!delivery->kind)
        return error_set(error, MQC_WRONG_STATE,
                         "this delivery ends with its listener's call: return the status instead");
    if (delivery->kind->finish)
        delivery->kind->finish(delivery, status);
    else
        delivery->kind->free(delivery);
    return MQC_OK;
}

void mqc_delivery_free(mqc_delivery *delivery)
{
    if (!delivery) return;
    if (delivery->kind)
        delivery->kind->free(delivery);
    else
        log_error(LOG_CONSUMER, "mqc_delivery_free: not freed: it ends with its listener's call");
}

/* The body's checksum is not checked, as in Java: the connection has its own. */
mqc_status consumer_prepare_message(struct mqc_message *message, mqc_error *error)
{
    mqc_status status = message_inflate(message, false, error);
    return status == MQC_OK ? message_restore_topic(message, error) : status;
}

size_t delivery_prepare_all(const mqc_message_queue *queue, struct mqc_message **messages,
                            size_t count)
{
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        mqc_error error;
        if (consumer_prepare_message(messages[i], &error) == MQC_OK)
            messages[good++] = messages[i];
        else
            log_error(LOG_CONSUMER, "topic=%s broker=%s queue=%d offset=%lld left out: %s",
                      queue->topic, queue->broker_name, queue->queue_id,
                      (long long)messages[i]->queue_offset, error.text);
    }
    return good;
}

/* ---- of a block ---- */

mqc_status delivery_of_block(const mqc_message_queue *queue, struct message_block *block,
                             struct mqc_message **messages, size_t count, struct mqc_delivery **out,
                             mqc_error *error)
{
    static const struct delivery_kind KIND = {.free = block_delivery_free};
    struct block_delivery *own = memory_allocate_zero(1, sizeof *own + count * sizeof *messages);
    if (!own) return error_no_memory(error);
    struct buffer *name = &block->messages[0].building; /* unused otherwise, lives as long */
    buffer_put_text(name, queue->broker_name);
    const char *broker_name = buffer_text(name);
    message_block_ref(block);
    own->block = block;
    own->topic = memory_duplicate(queue->topic);
    own->broker_name = memory_duplicate(queue->broker_name);
    memcpy(own->messages, messages, count * sizeof *messages);
    own->delivery = (struct mqc_delivery){.queue = {own->topic, own->broker_name, queue->queue_id},
                                          .messages = own->messages,
                                          .kind = &KIND};
    if (!own->topic || !own->broker_name || !broker_name) {
        block_delivery_free(&own->delivery);
        return error_no_memory(error);
    }
    for (size_t i = 0; i < block->count; i++) block->messages[i].broker_name = broker_name;
    own->delivery.count = delivery_prepare_all(queue, own->messages, count);
    *out = &own->delivery;
    if (own->delivery.count > 0) return MQC_OK;
    block_delivery_free(&own->delivery);
    *out = NULL;
    return MQC_OK;
}

static void block_delivery_free(struct mqc_delivery *delivery)
{
    struct block_delivery *own = (struct block_delivery *)delivery;
    message_block_unref(own->block);
    memory_free(own->topic);
    memory_free(own->broker_name);
    memory_free(own);
}
