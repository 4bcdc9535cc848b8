/* Choosing queues on the sending thread (async retries: on the reading thread). The turn of a topic
 * is counted a thread, so that senders neither share a cache line nor start in step; topics whose
 * names fall on the same counter only share their turns. */
#include "lib/producer/queue_choice.h"

#include <limits.h>

#include "lib/base/error.h"
#include "lib/base/process.h"
#include "lib/base/slice.h"
#include "lib/protocol/message.h"

enum { TURNS = 64 };

static _Thread_local struct {
    bool started[TURNS];
    uint32_t next[TURNS];
} turns;

static const mqc_message_queue *choose_with_faults(const mqc_message_queue *queues, size_t count,
                                                   uint32_t *turn, const char *avoid,
                                                   struct fault_table *faults);

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
                                           const char *topic, const char *avoid,
                                           struct fault_table *faults)
{
    uint32_t *turn = turn_of(topic);
    if (faults && fault_table_any(faults))
        return choose_with_faults(queues, count, turn, avoid, faults);
    for (size_t tries = 0; avoid && tries < count; tries++) {
        const mqc_message_queue *queue = &queues[(*turn)++ % count];
        if (strcmp(queue->broker_name, avoid) != 0) return queue;
    }
    return &queues[(*turn)++ % count];
}

/* One round; the first queue without any fault, else the first of the least bad. An absent broker
 * is worse than the one that has just failed, which may have been busy only. */
static const mqc_message_queue *choose_with_faults(const mqc_message_queue *queues, size_t count,
                                                   uint32_t *turn, const char *avoid,
                                                   struct fault_table *faults)
{
    const mqc_message_queue *best = NULL;
    int least = INT_MAX;
    uint32_t first = *turn;
    for (uint32_t tries = 0; tries < count && least > 0; tries++) {
        const mqc_message_queue *queue = &queues[(first + tries) % count];
        bool failed = avoid && strcmp(queue->broker_name, avoid) == 0;
        int badness = 2 * (int)fault_table_state(faults, queue->broker_name) + (failed ? 3 : 0);
        if (badness >= least) continue;
        least = badness;
        best = queue;
        *turn = first + tries + 1; /* so that equals take turns here too */
    }
    return best;
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
