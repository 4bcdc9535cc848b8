/* PEEK_MESSAGE: what a pop would find, without taking it (PeekMessageProcessor.java). On the I/O
 * thread. */
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/pop_handler.h"
#include "lib/embedded/pull_handler.h"

/* One peek while it is being done. */
struct peek {
    const struct group *group;
    int32_t most;
    int32_t found;
    int64_t rest;
    struct buffer records;
};

static void peek_queue(struct peek *peek, const struct topic *topic, int32_t queue_id)
{
    const struct store_queue *queue = topic_queue(topic, queue_id);
    const struct message_filter everything = {0};
    struct read_wish wish = {
        .offset = pop_first_offset(peek->group, topic, queue_id, 0),
        .max_messages = peek->most - peek->found,
        .max_bytes = POP_MAX_BYTES,
        .filter = &everything,
    };
    peek->rest += store_queue_max_offset(queue) - wish.offset;
    if (wish.max_messages > 0)
        peek->found += (int32_t)queue_read(queue, &wish, &peek->records).count;
}

static void peek_topic(struct peek *peek, const struct topic *topic)
{
    for (int32_t i = 0; topic && i < topic->read_queues; i++) peek_queue(peek, topic, i);
}

static void answer_peek(struct request *request, const struct peek *peek)
{
    struct pop_message_response_header header = {.rest_count = peek->rest};
    request_answer(request, &(struct answer){
                                .code = peek->found ? RESPONSE_SUCCESS : RESPONSE_PULL_NOT_FOUND,
                                .remark = peek->found ? SLICE_LITERAL("FOUND")
                                                      : SLICE_LITERAL("NO_MESSAGE_IN_QUEUE"),
                                .layout = &pop_message_response_layout,
                                .header = &header,
                                .body = peek->found ? buffer_slice(&peek->records) : SLICE_ABSENT,
                            });
}

void peek_handle(struct request *request)
{
    struct peek_message_header header;
    if (!request_header(request, &peek_message_layout, &header)) return;
    if (!pop_check_names(request, header.topic, header.consumer_group, header.queue_id)) return;
    const struct broker_data *data = request->broker->data;
    const struct topic *topic = message_store_topic(&data->store, header.topic);
    struct peek peek = {.group = groups_find(&data->groups, header.consumer_group),
                        .most = header.max_messages};
    buffer_init(&peek.records);
    if (header.queue_id >= 0)
        peek_queue(&peek, topic, header.queue_id);
    else
        peek_topic(&peek, topic);
    peek_topic(&peek, pop_find_retry_topic(data, header.consumer_group, header.topic, false));
    if (peek.records.failed)
        request_no_memory(request);
    else
        answer_peek(request, &peek);
    buffer_done(&peek.records);
}
