/* Requests that wait for a reply (DefaultMQProducerImpl.request): a message that names itself and
 * this client, and a place in the instance's table of pending requests. The reply, or the failure,
 * comes to whoever takes the request out of the table; nobody else does anything with it. */
#include <mqclient/request.h>

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/base/reference.h"
#include "lib/producer/message_check.h"
#include "lib/producer/producer_private.h"
#include "lib/protocol/properties.h"

/* A caller that waits. */
struct waiting_request {
    struct pending_request pending;
    struct lock lock; /* guards what follows */
    struct condition came;
    bool finished;
    mqc_message *reply;
    mqc_error error; /* when there is no reply */
};

/* A callback that is to come. */
struct async_request {
    struct pending_request pending;
    struct callback_task task;
    struct reference references; /* the callback's and the send's */
    struct mqc_producer *producer;
    mqc_replied *done;
    void *arg;
    mqc_message *reply;
    mqc_error error;
};

static mqc_status check_call(struct mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_error *error);
static mqc_status ask(struct mqc_producer *producer, const mqc_message *message,
                      const mqc_send_options *options, mqc_message **reply, mqc_error *error);
static mqc_status send_waiting(struct mqc_producer *producer, struct waiting_request *request,
                               const mqc_message *message, const mqc_send_options *options,
                               int64_t deadline_ms, mqc_error *error);
static bool wait_until(struct waiting_request *request, int64_t deadline_ms);
static void wake_waiting(struct pending_request *pending, mqc_message *reply,
                         const mqc_error *error);
static mqc_status no_reply(const mqc_message *message, int64_t timeout_ms, mqc_error *error);
static mqc_status ask_async(struct mqc_producer *producer, const mqc_message *message,
                            const mqc_send_options *options, mqc_replied *done, void *arg,
                            mqc_error *error);
static mqc_status send_async_request(struct async_request *request, const mqc_message *message,
                                     const mqc_send_options *options, mqc_error *error);
static void sent(const mqc_send_result *result, const mqc_error *error, void *arg);
static void settle_async(struct pending_request *pending, mqc_message *reply,
                         const mqc_error *error);
static void deliver(struct callback_task *task);
static void async_request_unref(struct async_request *request);
static mqc_message *request_message(struct mqc_producer *producer, const mqc_message *message,
                                    const struct pending_request *pending, int64_t timeout_ms,
                                    mqc_error *error);

mqc_status mqc_producer_request(mqc_producer *producer, const mqc_message *message,
                                const mqc_send_options *options, mqc_message **reply,
                                mqc_error *error)
{
    if (!reply)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "reply is NULL: give the place for the reply, or send the message");
    *reply = NULL;
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = check_call(producer, message, options, error);
    if (status == MQC_OK) status = ask(producer, message, options, reply, error);
    producer_leave(producer);
    return status;
}

mqc_status mqc_producer_request_async(mqc_producer *producer, const mqc_message *message,
                                      const mqc_send_options *options, mqc_replied *done, void *arg,
                                      mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = check_call(producer, message, options, error);
    if (status == MQC_OK && !done)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "done is NULL: give the function that gets the reply, or send the "
                           "message");
    if (status == MQC_OK) status = ask_async(producer, message, options, done, arg, error);
    producer_leave(producer);
    return status;
}

void producer_requests_cancel(struct mqc_producer *producer)
{
    mqc_error error;
    error_set(&error, MQC_CANCELLED, "the producer was shut down before the reply came");
    error_mark_maybe_done(&error);
    pending_requests_cancel(client_instance_requests(producer->sender.instance), producer, &error);
}

static mqc_status check_call(struct mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_error *error)
{
    mqc_status status = message_check(message, producer->sender.max_message_bytes, error);
    return status == MQC_OK ? send_options_check(options, message, error) : status;
}

/* ---- the caller waits ---- */

static mqc_status ask(struct mqc_producer *producer, const mqc_message *message,
                      const mqc_send_options *options, mqc_message **reply, mqc_error *error)
{
    int64_t deadline_ms = producer_deadline(producer, options);
    struct pending_requests *table = client_instance_requests(producer->sender.instance);
    struct waiting_request request = {
        .pending = {.owner = producer, .deadline_ms = CLOCK_NEVER, .done = wake_waiting}};
    list_init(&request.pending.link);
    lock_init(&request.lock, LOCK_RANK_PROMISE);
    condition_init(&request.came);
    mqc_status status = pending_requests_add(table, &request.pending, error);
    if (status == MQC_OK) {
        int64_t timeout_ms = deadline_ms - clock_now_ms();
        status = send_waiting(producer, &request, message, options, deadline_ms, error);
        if (status == MQC_OK && !wait_until(&request, deadline_ms))
            status = no_reply(message, timeout_ms, error);
        /* Nobody takes it out any more, or somebody has: then that counts. */
        if (!pending_requests_remove(table, &request.pending)) {
            wait_until(&request, CLOCK_NEVER);
            status =
                request.reply ? message_inflate(request.reply, false, error) : request.error.status;
            if (!request.reply && error) *error = request.error;
        }
    }
    if (status == MQC_OK)
        *reply = request.reply;
    else
        mqc_message_free(request.reply);
    condition_done(&request.came);
    lock_done(&request.lock);
    return status;
}

static mqc_status send_waiting(struct mqc_producer *producer, struct waiting_request *request,
                               const mqc_message *message, const mqc_send_options *options,
                               int64_t deadline_ms, mqc_error *error)
{
    mqc_status status = producer_expect_replies(producer, message->topic, deadline_ms, error);
    if (status != MQC_OK) return status;
    mqc_message *dressed =
        request_message(producer, message, &request->pending, deadline_ms - clock_now_ms(), error);
    if (!dressed) return MQC_NO_MEMORY;
    status = sender_send(&producer->sender, dressed, options, producer->options.retries,
                         deadline_ms, NULL, error);
    mqc_message_free(dressed);
    return status;
}

static bool wait_until(struct waiting_request *request, int64_t deadline_ms)
{
    lock_take(&request->lock);
    while (!request->finished &&
           condition_wait_until(&request->came, &request->lock, deadline_ms)) {
    }
    bool finished = request->finished;
    lock_release(&request->lock);
    return finished;
}

static void wake_waiting(struct pending_request *pending, mqc_message *reply,
                         const mqc_error *error)
{
    struct waiting_request *request = CONTAINER_OF(pending, struct waiting_request, pending);
    lock_take(&request->lock);
    request->reply = reply;
    if (error) request->error = *error;
    request->finished = true;
    condition_wake_one(&request->came);
    lock_release(&request->lock);
}

static mqc_status no_reply(const mqc_message *message, int64_t timeout_ms, mqc_error *error)
{
    error_set(error, MQC_NO_REPLY,
              "send request message to <%.127s> OK, but wait reply message timeout, %lld ms.",
              message->topic, (long long)timeout_ms);
    error_mark_retryable(error);
    error_mark_maybe_done(error);
    return MQC_NO_REPLY;
}

/* ---- a callback comes ---- */

static mqc_status ask_async(struct mqc_producer *producer, const mqc_message *message,
                            const mqc_send_options *options, mqc_replied *done, void *arg,
                            mqc_error *error)
{
    int64_t deadline_ms = producer_deadline(producer, options);
    mqc_status status = producer_expect_replies(producer, message->topic, deadline_ms, error);
    if (status != MQC_OK) return status;
    struct async_request *request = memory_allocate_zero(1, sizeof *request);
    if (!request) return error_no_memory(error);
    list_init(&request->pending.link);
    request->pending.owner = producer;
    request->pending.deadline_ms = deadline_ms;
    request->pending.done = settle_async;
    request->task.run = deliver;
    reference_init(&request->references);
    request->producer = producer;
    request->done = done;
    request->arg = arg;
    status = pending_requests_add(client_instance_requests(producer->sender.instance),
                                  &request->pending, error);
    if (status != MQC_OK) {
        memory_free(request);
        return status;
    }
    producer_hold(producer); /* until the callback has returned */
    return send_async_request(request, message, options, error);
}

/* What has been added to the table may be answered, cancelled or timed out from here on. */
static mqc_status send_async_request(struct async_request *request, const mqc_message *message,
                                     const mqc_send_options *options, mqc_error *error)
{
    struct mqc_producer *producer = request->producer;
    struct pending_requests *table = client_instance_requests(producer->sender.instance);
    int64_t left_ms = request->pending.deadline_ms - clock_now_ms();
    mqc_send_options rest = options ? *options : (mqc_send_options){0};
    rest.timeout_ms = left_ms > 1 ? (int)left_ms : 1;
    reference_take(&request->references);
    mqc_message *dressed =
        request_message(producer, message, &request->pending, rest.timeout_ms, error);
    mqc_status status = MQC_NO_MEMORY;
    if (dressed) status = mqc_producer_send_async(producer, dressed, &rest, sent, request, error);
    mqc_message_free(dressed);
    if (status == MQC_OK) return MQC_OK;
    bool mine = pending_requests_remove(table, &request->pending);
    async_request_unref(request); /* was for the send */
    if (!mine) return MQC_OK;     /* its callback says so */
    async_request_unref(request);
    producer_leave(producer);
    return status;
}

/* On a callback thread. Only a send that failed says something now. */
static void sent(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct async_request *request = arg;
    struct mqc_producer *producer = request->producer;
    (void)result;
    if (error && pending_requests_remove(client_instance_requests(producer->sender.instance),
                                         &request->pending)) {
        request->error = *error;
        deliver(&request->task);
    }
    async_request_unref(request);
}

static void settle_async(struct pending_request *pending, mqc_message *reply,
                         const mqc_error *error)
{
    struct async_request *request = CONTAINER_OF(pending, struct async_request, pending);
    request->reply = reply;
    if (error) request->error = *error;
    callback_executor_submit(client_instance_callbacks(request->producer->sender.instance),
                             &request->task);
}

static void deliver(struct callback_task *task)
{
    struct async_request *request = CONTAINER_OF(task, struct async_request, task);
    struct mqc_producer *producer = request->producer;
    bool good = request->reply && message_inflate(request->reply, false, &request->error) == MQC_OK;
    request->done(good ? request->reply : NULL, good ? NULL : &request->error, request->arg);
    mqc_message_free(request->reply);
    async_request_unref(request);
    producer_leave(producer); /* which may be gone now */
}

static void async_request_unref(struct async_request *request)
{
    if (reference_drop(&request->references)) memory_free(request);
}

/* The application's message with what makes it a request. */
static mqc_message *request_message(struct mqc_producer *producer, const mqc_message *message,
                                    const struct pending_request *pending, int64_t timeout_ms,
                                    mqc_error *error)
{
    char time_to_live[24];
    snprintf(time_to_live, sizeof time_to_live, "%lld", (long long)timeout_ms);
    mqc_message *dressed = message_dressed(message, error);
    if (!dressed) return NULL;
    mqc_status status =
        message_put_property(dressed, PROPERTY_CORRELATION_ID, pending->correlation_id, error);
    if (status == MQC_OK)
        status = message_put_property(dressed, PROPERTY_REPLY_TO_CLIENT,
                                      client_instance_id(producer->sender.instance), error);
    if (status == MQC_OK)
        status = message_put_property(dressed, PROPERTY_TIME_TO_LIVE, time_to_live, error);
    if (status == MQC_OK) return dressed;
    mqc_message_free(dressed);
    return NULL;
}
