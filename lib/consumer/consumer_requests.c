/* What brokers ask of a consumer group's member (ClientRemotingProcessor.java): to go on at another
 * offset, to tell how it is, to consume a message now. Callback threads. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/consumer.h"
#include "lib/protocol/namespace.h"

enum { MIB = 1 << 20, NAME_SERVER_BYTES = 4096 };

static mqc_status reset_offsets(struct consumer *consumer, const struct remoting_command *command,
                                mqc_error *error);
static void reset_one(struct slice topic, struct slice broker_name, int32_t queue_id,
                      int64_t offset, void *arg);
static mqc_status tell_running_info(struct consumer *consumer, struct slice topic,
                                    bool offsets_only, struct buffer *body, mqc_error *error);
static void describe_queue(struct consumer_queue *queue, struct running_queue *out);
static mqc_status consume_directly(struct consumer *consumer,
                                   const struct remoting_command *command, struct buffer *body,
                                   mqc_error *error);
static void consume_block(struct consumer *consumer, struct message_block *block,
                          struct buffer *body);

int32_t consumer_request(struct consumer *consumer, const struct remoting_command *command,
                         struct buffer *body, mqc_error *remark)
{
    mqc_status status;
    struct get_consumer_status_header header;
    switch (command->code) {
    case REQUEST_RESET_CONSUMER_CLIENT_OFFSET:
        status = reset_offsets(consumer, command, remark);
        break;
    case REQUEST_GET_CONSUMER_STATUS_FROM_CLIENT:
        status = header_decode(&get_consumer_status_layout, command, &header, remark);
        if (status == MQC_OK) {
            char room[NAME_BYTES];
            header.topic =
                namespace_unwrap(consumer->client_options.name_space, header.topic, room);
            status = tell_running_info(consumer, header.topic, true, body, remark);
        }
        break;
    case REQUEST_GET_CONSUMER_RUNNING_INFO:
        status = tell_running_info(consumer, SLICE_ABSENT, false, body, remark);
        break;
    case REQUEST_CONSUME_MESSAGE_DIRECTLY:
        status = consume_directly(consumer, command, body, remark);
        break;
    default:
        error_set(remark, MQC_BAD_ARGUMENT, "request type %d not supported", (int)command->code);
        return RESPONSE_REQUEST_CODE_NOT_SUPPORTED;
    }
    return status == MQC_OK ? RESPONSE_SUCCESS : RESPONSE_SYSTEM_ERROR;
}

/* ---- 220 ---- */

static mqc_status reset_offsets(struct consumer *consumer, const struct remoting_command *command,
                                mqc_error *error)
{
    mqc_status status = reset_offset_decode(command->body, reset_one, consumer, error);
    if (status == MQC_OK) client_instance_wake_rebalance(consumer->instance);
    return status;
}

static void reset_one(struct slice topic, struct slice broker_name, int32_t queue_id,
                      int64_t offset, void *arg)
{
    struct consumer *consumer = arg;
    char room[NAME_BYTES];
    topic = namespace_unwrap(consumer->client_options.name_space, topic, room);
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(consumer, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        const mqc_message_queue *place = &queues[i]->place;
        if (place->queue_id != queue_id || !slice_is(topic, place->topic) ||
            !slice_is(broker_name, place->broker_name))
            continue;
        log_info(LOG_OFFSETS, "group=%s topic=%s broker=%s queue=%d reset to offset=%lld",
                 consumer->group, place->topic, place->broker_name, place->queue_id,
                 (long long)offset);
        consumer_queue_move(queues[i], consumer->instance, offset);
    }
    consumer_queues_release(queues, count);
}

/* ---- 221, 307 ---- */

static mqc_status tell_running_info(struct consumer *consumer, struct slice topic,
                                    bool offsets_only, struct buffer *body, mqc_error *error)
{
    char name_servers[NAME_SERVER_BYTES], name[NAME_BYTES] = "";
    struct subscription *subscriptions = NULL;
    size_t subscription_count = 0, count = 0;
    if (topic.size >= sizeof name) return error_set(error, MQC_BAD_ARGUMENT, "topic is too long");
    if (topic.data) memcpy(name, topic.data, topic.size);
    struct consumer_queue **queues =
        consumer_queues_list(consumer, topic.data ? name : NULL, &count);
    struct running_queue *states = memory_allocate_zero(count, sizeof *states);
    mqc_status status = states ? subscriptions_copy(&consumer->subscriptions, &subscriptions,
                                                    &subscription_count, error)
                               : error_no_memory(error);
    if (status == MQC_OK) {
        int threads = consumer->kind->threads ? consumer->kind->threads(consumer) : 0;
        for (size_t i = 0; i < count; i++) describe_queue(queues[i], &states[i]);
        name_servers_format(client_instance_api(consumer->instance)->name_servers, name_servers,
                            sizeof name_servers);
        struct running_info info = {.name_servers = name_servers,
                                    .consume_type = consumer->kind->consume_type,
                                    .threads = threads,
                                    .orderly = consumer->kind->orderly,
                                    .start_unix_ms = consumer->start_unix_ms,
                                    .subscription_count = subscription_count,
                                    .subscriptions = subscriptions,
                                    .queue_count = count,
                                    .queues = states};
        (offsets_only ? consumer_status_encode : running_info_encode)(&info, body);
        if (body->failed) status = error_no_memory(error);
    }
    for (size_t i = 0; i < subscription_count; i++) subscription_done(&subscriptions[i]);
    memory_free(subscriptions);
    memory_free(states);
    consumer_queues_release(queues, count);
    return status;
}

static void describe_queue(struct consumer_queue *queue, struct running_queue *out)
{
    struct process_queue_state state;
    process_queue_read(&queue->messages, &state);
    *out = (struct running_queue){
        .topic = queue->place.topic,
        .broker_name = queue->place.broker_name,
        .queue_id = queue->place.queue_id,
        .commit_offset = offset_record_read(queue->offset),
        .cached_min_offset = state.count > 0 ? state.first_offset : 0,
        .cached_max_offset = state.count > 0 ? state.last_offset : 0,
        .cached_count = (int64_t)state.count,
        .cached_mib = (int64_t)(state.bytes / MIB),
        .dropped = process_queue_dropped(&queue->messages),
        .last_pull_unix_ms = atomic_load(&queue->messages.last_pull_unix_ms),
        .last_consume_unix_ms = atomic_load(&queue->messages.last_consume_unix_ms),
    };
    if (queue->consumer->kind->describe) queue->consumer->kind->describe(queue, out);
}

/* ---- 309 ---- */

/* The listener is called on this callback thread; neither offsets nor retries follow from it. */
static mqc_status consume_directly(struct consumer *consumer,
                                   const struct remoting_command *command, struct buffer *body,
                                   mqc_error *error)
{
    struct consume_message_directly_header header;
    if (!consumer->kind->consume_directly)
        return error_set(error, MQC_BAD_ARGUMENT, "a %s has no listener", consumer->kind->what);
    mqc_status status = header_decode(&consume_message_directly_layout, command, &header, error);
    if (status != MQC_OK) return status;
    struct message_block *block = NULL;
    struct frame *frame = frame_copy(command->body); /* the listener may keep the message */
    if (!frame) return error_no_memory(error);
    status = message_block_decode(frame, slice_of(frame->bytes, frame->size), &block, error);
    frame_unref(frame);
    if (status == MQC_OK) namespace_unwrap_messages(consumer->client_options.name_space, block);
    if (status == MQC_OK && !block)
        status = error_set(error, MQC_BAD_FRAME, "the request contains no message");
    if (status == MQC_OK) status = consumer_prepare_message(&block->messages[0], error);
    if (status == MQC_OK && header.broker_name.data) {
        struct buffer *name = &block->messages[0].building; /* as in pull_answer.c */
        buffer_put_slice(name, header.broker_name);
        block->messages[0].broker_name = buffer_text(name);
    }
    if (status == MQC_OK) consume_block(consumer, block, body);
    message_block_unref(block);
    if (status == MQC_OK && body->failed) status = error_no_memory(error);
    return status;
}

static void consume_block(struct consumer *consumer, struct message_block *block,
                          struct buffer *body)
{
    int64_t begin_ms = clock_now_ms();
    const char *result = consumer->kind->consume_directly(consumer, &block->messages[0]);
    consume_directly_result_encode(result, consumer->kind->orderly, NULL, clock_now_ms() - begin_ms,
                                   body);
}
