/* An answer's lists of offsets made into a ticket for each message
 * (MQClientAPIImpl.processPopResponse, ExtraInfoUtil). Pure; called by the thread that reads. */
#include "lib/protocol/pop_tickets.h"

#include "lib/base/error.h"
#include "lib/protocol/properties.h"

static mqc_status check_size(const struct message_block *block,
                             const struct pop_message_response_header *header, mqc_error *error);
static struct pop_ticket ticket_of(const struct message_block *block, size_t index,
                                   const struct pop_message_response_header *header,
                                   const struct pop_ticket *kinds);

mqc_status pop_tickets_make(const struct message_block *block,
                            const struct pop_message_response_header *header, struct slice topic,
                            struct pop_ticket *out, mqc_error *error)
{
    mqc_status status = check_size(block, header, error);
    for (size_t i = 0; status == MQC_OK && i < block->count; i++) {
        struct slice ready = message_property(&block->messages[i], PROPERTY_POP_CK);
        if (ready.data) /* a retried message, that may show the topic it was sent to */
            status = pop_ticket_parse(ready, &out[i], error);
        else
            out[i].topic = pop_topic_of(block->messages[i].stored_topic, topic);
    }
    for (size_t i = 0; status == MQC_OK && i < block->count; i++)
        if (!message_property(&block->messages[i], PROPERTY_POP_CK).data)
            out[i] = ticket_of(block, i, header, out);
    return status;
}

static mqc_status check_size(const struct message_block *block,
                             const struct pop_message_response_header *header, mqc_error *error)
{
    const struct slice lists[] = {header->start_offsets, header->message_offsets,
                                  header->order_counts};
    if (block->count > POP_ANSWER_MESSAGES_MAX)
        return error_set(error, MQC_BAD_FRAME,
                         "the answer to a pop has %zu messages, it should have %d at most",
                         block->count, POP_ANSWER_MESSAGES_MAX);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i].size > POP_ANSWER_LIST_MAX)
            return error_set(error, MQC_BAD_FRAME,
                             "the answer to a pop has a list of offsets of %zu bytes, it should "
                             "have %d at most",
                             lists[i].size, POP_ANSWER_LIST_MAX);
    return MQC_OK;
}

/* The n-th record of a queue, by offset, has the n-th offset of its list. */
static struct pop_ticket ticket_of(const struct message_block *block, size_t index,
                                   const struct pop_message_response_header *header,
                                   const struct pop_ticket *kinds)
{
    const struct mqc_message *message = &block->messages[index];
    enum pop_topic kind = kinds[index].topic;
    int64_t first = message->queue_offset;
    size_t before = 0;
    for (size_t i = 0; i < block->count; i++) {
        const struct mqc_message *other = &block->messages[i];
        if (other->queue_id != message->queue_id || kinds[i].topic != kind) continue;
        if (other->queue_offset < message->queue_offset) before++;
        if (other->queue_offset < first) first = other->queue_offset;
    }
    int64_t begin = pop_list_begin(header->start_offsets, kind, message->queue_id);
    int64_t offset = pop_list_offset(header->message_offsets, kind, message->queue_id, before);
    return (struct pop_ticket){
        .begin = begin >= 0 ? begin : first,
        .popped_unix_ms = header->pop_timestamp,
        .invisible_ms = header->invisible_time_ms,
        .revive_queue_id = header->revive_queue_id,
        .topic = kind,
        .queue_id = message->queue_id,
        .offset = offset >= 0 ? offset : message->queue_offset,
    };
}
