/* What a broker answers to a pop. On the thread that reads; never blocks: decodes the messages in
 * place, makes the tickets by which they are acknowledged, and hands them over to be delivered
 * (MQClientAPIImpl.processPopResponse). */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/consumer/consumer.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/pop_tickets.h"

enum {
    POLLING_FULL_MS = 1000,
    AT_ONCE_MS = 10, /* an answer without messages that came sooner was not waited for */
    BREATHER_MS = 20,
    BREATHER_MOST_MS = 1000
};

static void take_messages(struct consumer_queue *queue, struct remoting_arrival *arrival);
static void go_on(struct consumer_queue *queue, bool got_messages);
static struct popped_batch *batch_new(struct consumer_queue *queue, struct message_block *block);
static mqc_status fill(struct popped_batch *batch, const struct pop_message_response_header *header,
                       mqc_error *error);
static void count_pops(struct popped_batch *batch, size_t index, struct slice counts);

void queue_pop_answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct consumer_queue *queue = arg;
    int32_t code = arrival ? arrival->command->code : -1;
    if (arrival) queue->attempt++;
    /* What was popped is ours also when the place is not any more. */
    if (queue_pull_over(queue) && code != RESPONSE_SUCCESS)
        queue_pull_end(queue);
    else if (!arrival)
        queue_pull_unanswered(queue, error);
    else if (code == RESPONSE_SUCCESS)
        take_messages(queue, arrival);
    else if (code == RESPONSE_PULL_NOT_FOUND || code == RESPONSE_POLLING_TIMEOUT) {
        queue_watch_answered(&queue->watch, clock_now_ms());
        go_on(queue, false);
    } else if (code == RESPONSE_POLLING_FULL)
        queue_pull_again(queue, POLLING_FULL_MS);
    else
        queue_pull_refused(queue, arrival, "POP_MESSAGE");
}

static void take_messages(struct consumer_queue *queue, struct remoting_arrival *arrival)
{
    mqc_error error;
    struct pop_message_response_header header;
    struct message_block *block = NULL;
    struct popped_batch *batch = NULL;
    struct frame *frame = remoting_arrival_keep(arrival);
    mqc_status status = frame ? MQC_OK : error_no_memory(&error);
    if (status == MQC_OK)
        status = header_decode(&pop_message_response_layout, arrival->command, &header, &error);
    if (status == MQC_OK)
        status = message_block_decode(frame, arrival->command->body, &block, &error);
    frame_unref(frame);
    if (status == MQC_OK && block) {
        namespace_unwrap_messages(queue->consumer->client_options.name_space, block);
        batch = queue_pull_name_broker(block, queue->place.broker_name) ? batch_new(queue, block)
                                                                        : NULL;
        if (!batch) {
            message_block_unref(block);
            status = error_no_memory(&error);
        }
    }
    if (batch) status = fill(batch, &header, &error);
    if (status != MQC_OK) { /* the broker gives them again when their time is over */
        if (batch) popped_batch_unref(batch);
        queue_pull_say(queue, error.text);
        if (queue_pull_over(queue))
            queue_pull_end(queue);
        else
            queue_pull_failed(queue);
        return;
    }
    size_t count = batch ? batch->count : 0;
    queue_watch_answered(&queue->watch, clock_now_ms());
    if (batch) {
        atomic_fetch_add(&queue->unacked, (int)count);
        consumer_figures_received(queue->meter, batch->messages, count);
        queue->consumer->kind->deliver_popped(batch);
    }
    if (queue_pull_over(queue))
        queue_pull_end(queue);
    else
        go_on(queue, count > 0);
}

/* A broker that answers "nothing" at once again and again must not keep us spinning: it does when
 * its clock is behind ours. */
static void go_on(struct consumer_queue *queue, bool got_messages)
{
    bool at_once = clock_now_ms() - queue->asked_ms < AT_ONCE_MS;
    int64_t delay_ms = queue->consumer->settings.pull_interval_ms;
    if (got_messages || !at_once) {
        queue->next_offset = 0; /* answers of that kind in a row: a pop has no other use for it */
    } else {
        if (queue->next_offset < BREATHER_MOST_MS) queue->next_offset += BREATHER_MS;
        delay_ms = queue->next_offset;
    }
    queue_pull_again(queue, delay_ms);
}

/* Takes over the reference of the block when it succeeds. */
static struct popped_batch *batch_new(struct consumer_queue *queue, struct message_block *block)
{
    size_t room = block->count * queue->consumer->kind->message_bytes;
    struct popped_batch *batch = memory_allocate(
        sizeof *batch + room + block->count * (sizeof *batch->messages + sizeof *batch->tickets));
    if (!batch) return NULL;
    reference_init(&batch->references);
    consumer_queue_ref(queue);
    batch->queue = queue;
    batch->block = block;
    batch->count = block->count;
    batch->tickets = (struct pop_ticket *)((char *)batch->room + room);
    batch->messages = (struct mqc_message **)(batch->tickets + block->count);
    return batch;
}

void popped_batch_unref(struct popped_batch *batch)
{
    if (!reference_drop(&batch->references)) return;
    message_block_unref(batch->block);
    consumer_queue_unref(batch->queue);
    memory_free(batch);
}

static mqc_status fill(struct popped_batch *batch, const struct pop_message_response_header *header,
                       mqc_error *error)
{
    const struct consumer *consumer = batch->queue->consumer;
    char room[NAME_BYTES];
    struct slice topic = namespace_wrap(consumer->client_options.name_space,
                                        slice_text(batch->queue->place.topic), room);
    mqc_status status = pop_tickets_make(batch->block, header, topic, batch->tickets, error);
    if (status != MQC_OK) return status;
    for (size_t i = 0; i < batch->count; i++) {
        batch->messages[i] = &batch->block->messages[i];
        if (consumer->kind->orderly) count_pops(batch, i, header->order_counts);
    }
    batch->expires_ms = clock_now_ms() + header->invisible_time_ms;
    return MQC_OK;
}

/* Such messages stay in their queue: only the answer tells how often they came before. */
static void count_pops(struct popped_batch *batch, size_t index, struct slice counts)
{
    const struct pop_ticket *ticket = &batch->tickets[index];
    int32_t count = pop_list_order_count(counts, ticket->topic, ticket->queue_id, ticket->offset);
    if (count > 0) batch->messages[index]->reconsume_times = count;
}
