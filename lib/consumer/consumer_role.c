/* How the instance sees a push consumer: its part of heartbeats, rebalancing, storing offsets, and
 * what brokers ask of the group (ClientRemotingProcessor.java). The instance holds the role while
 * it calls, so that none of this runs after the consumer has left. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/push_consumer_private.h"

enum { MIB = 1 << 20, NAME_SERVER_BYTES = 4096 };

static mqc_status describe(struct client_role *role, struct heartbeat_consumer *out,
                           mqc_error *error);
static bool rebalance(struct client_role *role);
static void persist_offsets(struct client_role *role);
static int32_t request(struct client_role *role, const struct remoting_command *command,
                       struct buffer *body, mqc_error *remark);
static mqc_status reset_offsets(struct mqc_push_consumer *consumer,
                                const struct remoting_command *command, mqc_error *error);
static void reset_one(struct slice topic, struct slice broker_name, int32_t queue_id,
                      int64_t offset, void *arg);
static mqc_status tell_running_info(struct mqc_push_consumer *consumer, struct slice topic,
                                    bool offsets_only, struct buffer *body, mqc_error *error);
static void describe_queue(struct consumer_queue *queue, struct running_queue *out);
static mqc_status consume_directly(struct mqc_push_consumer *consumer,
                                   const struct remoting_command *command, struct buffer *body,
                                   mqc_error *error);
static void consume_block(struct mqc_push_consumer *consumer, struct message_block *block,
                          struct buffer *body);

const struct client_role_type CONSUMER_ROLE_TYPE = {
    .kind = CLIENT_ROLE_CONSUMER,
    .describe = describe,
    .rebalance = rebalance,
    .persist_offsets = persist_offsets,
    .request = request,
};

static struct mqc_push_consumer *consumer_of(struct client_role *role)
{
    return CONTAINER_OF(role, struct mqc_push_consumer, role);
}

/* Also while starting and stopping. */
static mqc_status describe(struct client_role *role, struct heartbeat_consumer *out,
                           mqc_error *error)
{
    static const char *const FROM[] = {
        [MQC_FROM_LAST] = "CONSUME_FROM_LAST_OFFSET",
        [MQC_FROM_FIRST] = "CONSUME_FROM_FIRST_OFFSET",
        [MQC_FROM_TIME] = "CONSUME_FROM_TIMESTAMP",
    };
    struct mqc_push_consumer *consumer = consumer_of(role);
    *out = (struct heartbeat_consumer){
        .group = consumer->group,
        .consume_type = "CONSUME_PASSIVELY",
        .message_model = "CLUSTERING",
        .consume_from = FROM[consumer->options.from],
    };
    return subscriptions_copy(&consumer->subscriptions, &out->subscriptions,
                              &out->subscription_count, error);
}

/* Also while paused: queues that belong to others now must not wait for us. */
static bool rebalance(struct client_role *role)
{
    struct mqc_push_consumer *consumer = consumer_of(role);
    return !consumer_running(consumer) || consumer_rebalance(consumer);
}

static void persist_offsets(struct client_role *role)
{
    struct mqc_push_consumer *consumer = consumer_of(role);
    if (!consumer_running(consumer)) return;
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(consumer, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        /* Of a queue that is dropped, whoever dropped it sees to the offset. */
        if (!process_queue_dropped(&queues[i]->messages)) offset_record_persist(queues[i]->offset);
    }
    consumer_queues_release(queues, count);
}

static int32_t request(struct client_role *role, const struct remoting_command *command,
                       struct buffer *body, mqc_error *remark)
{
    struct mqc_push_consumer *consumer = consumer_of(role);
    mqc_status status;
    struct get_consumer_status_header header;
    if (!consumer_running(consumer)) {
        error_set(remark, MQC_WRONG_STATE, "consumer group %s is not running", consumer->group);
        return RESPONSE_SYSTEM_ERROR;
    }
    switch (command->code) {
    case REQUEST_RESET_CONSUMER_CLIENT_OFFSET:
        status = reset_offsets(consumer, command, remark);
        break;
    case REQUEST_GET_CONSUMER_STATUS_FROM_CLIENT:
        status = header_decode(&get_consumer_status_layout, command, &header, remark);
        if (status == MQC_OK)
            status = tell_running_info(consumer, header.topic, true, body, remark);
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

static mqc_status reset_offsets(struct mqc_push_consumer *consumer,
                                const struct remoting_command *command, mqc_error *error)
{
    mqc_status status = reset_offset_decode(command->body, reset_one, consumer, error);
    if (status == MQC_OK) client_instance_wake_rebalance(consumer->instance);
    return status;
}

static void reset_one(struct slice topic, struct slice broker_name, int32_t queue_id,
                      int64_t offset, void *arg)
{
    struct mqc_push_consumer *consumer = arg;
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
        consumer_queue_move(queues[i], offset);
    }
    consumer_queues_release(queues, count);
}

/* ---- 221, 307 ---- */

static mqc_status tell_running_info(struct mqc_push_consumer *consumer, struct slice topic,
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
        for (size_t i = 0; i < count; i++) describe_queue(queues[i], &states[i]);
        name_servers_format(client_instance_api(consumer->instance)->name_servers, name_servers,
                            sizeof name_servers);
        struct running_info info = {.name_servers = name_servers,
                                    .consume_type = "CONSUME_PASSIVELY",
                                    .threads = consumer->options.threads,
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
}

/* ---- 309 ---- */

/* The listener is called on this callback thread; neither offsets nor retries follow from it. */
static mqc_status consume_directly(struct mqc_push_consumer *consumer,
                                   const struct remoting_command *command, struct buffer *body,
                                   mqc_error *error)
{
    struct consume_message_directly_header header;
    mqc_status status = header_decode(&consume_message_directly_layout, command, &header, error);
    if (status != MQC_OK) return status;
    struct message_block *block = NULL;
    struct frame *frame = frame_copy(command->body); /* the listener may keep the message */
    if (!frame) return error_no_memory(error);
    status = message_block_decode(frame, slice_of(frame->bytes, frame->size), &block, error);
    frame_unref(frame);
    if (status == MQC_OK && !block)
        status = error_set(error, MQC_BAD_FRAME, "the request contains no message");
    if (status == MQC_OK) status = delivery_prepare(&block->messages[0], error);
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

static void consume_block(struct mqc_push_consumer *consumer, struct message_block *block,
                          struct buffer *body)
{
    struct mqc_message *message = &block->messages[0];
    struct mqc_delivery delivery = {
        .queue = {message->topic, message->broker_name, message->queue_id},
        .messages = &message,
        .count = 1,
    };
    int64_t begin_ms = clock_now_ms();
    bool done = delivery_run(consumer, &delivery) == 1;
    consume_directly_result_encode(done ? "CR_SUCCESS" : "CR_LATER", false, NULL,
                                   clock_now_ms() - begin_ms, body);
}
