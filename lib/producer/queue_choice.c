/* Choosing queues on the sending thread (async retries: on the reading thread). The turn of a topic
 * is counted a thread, so that senders neither share a cache line nor start in step; topics whose
 * names fall on the same counter only share their turns. */
#include "lib/producer/queue_choice.h"

#include "lib/base/error.h"
#include "lib/base/process.h"
#include "lib/base/slice.h"
#include "lib/protocol/message.h"

enum { TURNS = 64 };

static _Thread_local struct {
    bool started[TURNS];
    uint32_t next[TURNS];
} turns;

static uint32_t *turn_of(const char *topic)
{
    uint32_t i = slice_hash(slice_text(topic)) % TURNS;
    if (!turns.started[i]) {
        turns.started[i] = true;
        turns.next[i] = (uint32_t)random_u64();
    }
    return &turns.next[i];
}

const mqc_message_queue *queue_choice_next(const mqc_message_queue *queues, size_t count,
                                           const char *topic, const char *avoid)
{
    uint32_t *turn = turn_of(topic);
    for (size_t tries = 0; avoid && tries < count; tries++) {
        const mqc_message_queue *queue = &queues[(*turn)++ % count];
        if (strcmp(queue->broker_name, avoid) != 0) return queue;
    }
    return &queues[(*turn)++ % count];
}

mqc_status queue_choice_select(const mqc_send_options *options, const mqc_message_queue *queues,
                               size_t count, const mqc_message *message,
                               const mqc_message_queue **out, mqc_error *error)
{
    size_t chosen = options->select(queues, count, message, options->select_arg);
    if (chosen >= count)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the function that selects a queue returned %zu, but topic %.127s has %zu "
                         "queues: return 0 to %zu",
                         chosen, message->topic, count, count - 1);
    *out = &queues[chosen];
    return MQC_OK;
}
