/* CONSUME_MESSAGE_DIRECTLY (309): a broker has a message consumed here and now, for an
 * administrator who wants to see what becomes of it (ConsumeMessageDirectlyResult.java). Taken up
 * by a callback thread; the listener is called by one of the consumer's workers, so that a call
 * that hangs is waited for, and left, like any other. Neither offsets nor retries follow from it.
 */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/consumer.h"
#include "lib/protocol/namespace.h"

enum { BROKER_WAITS_MS = 10000 };

struct direct_consumption {
    struct consume_task task;
    struct consumer *consumer; /* counted */
    struct client_request *request;
    struct message_block *block;
    int64_t came_ms;
};

static mqc_status take_message(struct consumer *consumer, const struct remoting_command *command,
                               struct message_block **out, mqc_error *error);
static void run(struct consume_task *task);
static void discard(struct consume_task *task);
static void end(struct direct_consumption *direct, int32_t code, struct slice body,
                const char *remark);

void consumer_consume_directly(struct consumer *consumer, struct client_request *request)
{
    mqc_error error;
    struct message_block *block = NULL;
    struct direct_consumption *direct = NULL;
    mqc_status status = take_message(consumer, client_request_command(request), &block, &error);
    if (status == MQC_OK) {
        direct = memory_allocate_zero(1, sizeof *direct);
        if (!direct) status = error_no_memory(&error);
    }
    if (status != MQC_OK) {
        message_block_unref(block);
        client_request_answer(request, RESPONSE_SYSTEM_ERROR, SLICE_ABSENT, error.text);
        return;
    }
    consumer_ref(consumer);
    *direct = (struct direct_consumption){
        .task = {.run = run, .discard = discard},
        .consumer = consumer,
        .request = request,
        .block = block,
        .came_ms = clock_now_ms(),
    };
    consumer->kind->submit(consumer, &direct->task);
}

static mqc_status take_message(struct consumer *consumer, const struct remoting_command *command,
                               struct message_block **out, mqc_error *error)
{
    struct consume_message_directly_header header;
    if (!consumer->kind->consume_directly)
        return error_set(error, MQC_BAD_ARGUMENT, "this %s has no listener", consumer->kind->what);
    mqc_status status = header_decode(&consume_message_directly_layout, command, &header, error);
    if (status != MQC_OK) return status;
    struct frame *frame = frame_copy(command->body); /* the listener may keep the message */
    if (!frame) return error_no_memory(error);
    struct message_block *block = NULL;
    status = message_block_decode(frame, slice_of(frame->bytes, frame->size), &block, error);
    frame_unref(frame);
    *out = block;
    if (status == MQC_OK && !block)
        status = error_set(error, MQC_BAD_FRAME, "the request contains no message");
    if (status != MQC_OK) return status;
    namespace_unwrap_messages(consumer->client_options.name_space, block);
    if (header.broker_name.data) {
        struct buffer *name = &block->messages[0].building; /* as in pull_answer.c */
        buffer_put_slice(name, header.broker_name);
        block->messages[0].broker_name = buffer_text(name);
    }
    return consumer_prepare_message(&block->messages[0], error);
}

/* Worker thread. */
static void run(struct consume_task *task)
{
    struct direct_consumption *direct = CONTAINER_OF(task, struct direct_consumption, task);
    struct consumer *consumer = direct->consumer;
    int64_t begin_ms = clock_now_ms();
    struct buffer body;
    if (begin_ms - direct->came_ms >= BROKER_WAITS_MS) { /* nobody wants to know any more */
        log_warn(LOG_CONSUMER,
                 "group=%s: a message to be consumed directly was not consumed: no worker was free "
                 "for %d s",
                 consumer->group, BROKER_WAITS_MS / 1000);
        end(direct, RESPONSE_SYSTEM_ERROR, SLICE_ABSENT, "no worker of the consumer was free");
        return;
    }
    const char *result = consumer->kind->consume_directly(consumer, &direct->block->messages[0]);
    buffer_init(&body);
    consume_directly_result_encode(result, consumer->kind->orderly, NULL, clock_now_ms() - begin_ms,
                                   &body);
    if (body.failed)
        end(direct, RESPONSE_SYSTEM_ERROR, SLICE_ABSENT, "out of memory");
    else
        end(direct, RESPONSE_SUCCESS, buffer_slice(&body), "");
    buffer_done(&body);
}

static void discard(struct consume_task *task)
{
    end(CONTAINER_OF(task, struct direct_consumption, task), RESPONSE_SYSTEM_ERROR, SLICE_ABSENT,
        "the consumer shuts down");
}

/* A listener that was left running at the shutdown has nobody to answer any more. */
static void end(struct direct_consumption *direct, int32_t code, struct slice body,
                const char *remark)
{
    struct consumer *consumer = direct->consumer;
    if (consumer_enter(consumer)) {
        client_request_answer(direct->request, code, body, remark);
        consumer_exit(consumer);
    } else {
        client_request_drop(direct->request);
    }
    message_block_unref(direct->block);
    memory_free(direct);
    consumer_unref(consumer);
}
