/* What brokers ask of a consumer group's member (ClientRemotingProcessor.java): to go on at another
 * offset (here), to tell how it is (consumer_running.c), to consume a message now
 * (consume_directly.c). Callback threads. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/consumer.h"
#include "lib/protocol/namespace.h"

static mqc_status reset_offsets(struct consumer *consumer, const struct remoting_command *command,
                                mqc_error *error);
static void reset_one(struct slice topic, struct slice broker_name, int32_t queue_id,
                      int64_t offset, void *arg);

void consumer_request(struct consumer *consumer, struct client_request *request)
{
    const struct remoting_command *command = client_request_command(request);
    struct buffer body;
    mqc_error error = {.text = ""};
    mqc_status status;
    if (!consumer_running(consumer)) {
        error_set(&error, MQC_WRONG_STATE, "consumer group %s is not running", consumer->group);
        client_request_answer(request, RESPONSE_SYSTEM_ERROR, SLICE_ABSENT, error.text);
        return;
    }
    buffer_init(&body);
    switch (command->code) {
    case REQUEST_CONSUME_MESSAGE_DIRECTLY: consumer_consume_directly(consumer, request); return;
    case REQUEST_RESET_CONSUMER_CLIENT_OFFSET:
        status = reset_offsets(consumer, command, &error);
        break;
    case REQUEST_GET_CONSUMER_STATUS_FROM_CLIENT:
        status = consumer_tell_offsets(consumer, command, &body, &error);
        break;
    default: status = consumer_tell_running(consumer, command, &body, &error);
    }
    client_request_answer(request, status == MQC_OK ? RESPONSE_SUCCESS : RESPONSE_SYSTEM_ERROR,
                          buffer_slice(&body), error.text);
    buffer_done(&body);
}

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
