/* The public calls that send one message: synchronous, asynchronous with a callback, and oneway. On
 * the application's threads.
 *
 * An asynchronous send keeps the message by reference (topic and body of a message never change)
 * and a copy of its properties (they may), so that a retry costs no copy of the body. */
#include "lib/base/error.h"
#include "lib/producer/async_send.h"
#include "lib/producer/message_check.h"
#include "lib/producer/send_figures.h"

static mqc_status send_sync(struct mqc_producer *producer, const mqc_message *message,
                            const mqc_send_options *options, mqc_send_result *result,
                            mqc_error *error);
static mqc_status send_oneway(struct sender *sender, const mqc_message *message,
                              const mqc_send_options *options, int64_t deadline_ms,
                              mqc_error *error);
static mqc_status send_async(struct mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_sent *done, void *arg,
                             mqc_error *error);
static mqc_status send_sync_seen(struct mqc_producer *producer, const mqc_message *message,
                                 const mqc_send_options *options, mqc_send_result *result,
                                 mqc_error *error);
static mqc_status send_async_seen(struct mqc_producer *producer, const mqc_message *message,
                                  const mqc_send_options *options, mqc_sent *done, void *arg,
                                  mqc_error *error);
static void deliver(struct async_send *send);
static void empty(struct async_send *send);

static const struct async_send_type SINGLE = {.deliver = deliver, .empty = empty};

mqc_status mqc_producer_send(mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_send_result *result,
                             mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = (send_watch_is_on(&producer->sender.watch) ? send_sync_seen : send_sync)(
        producer, message, options, result, error);
    producer_leave(producer);
    return status;
}

mqc_status mqc_producer_send_async(mqc_producer *producer, const mqc_message *message,
                                   const mqc_send_options *options, mqc_sent *done, void *arg,
                                   mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = message_check(message, producer->sender.max_message_bytes, error);
    if (status == MQC_OK) status = send_options_check(options, message, error);
    if (status == MQC_OK && !done)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "done is NULL: give the function that gets the result, or use "
                           "mqc_producer_send_oneway");
    if (status == MQC_OK)
        status = (send_watch_is_on(&producer->sender.watch) ? send_async_seen : send_async)(
            producer, message, options, done, arg, error);
    producer_leave(producer);
    return status;
}

mqc_status mqc_producer_send_oneway(mqc_producer *producer, const mqc_message *message,
                                    const mqc_send_options *options, mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = message_check(message, producer->sender.max_message_bytes, error);
    if (status == MQC_OK) status = send_options_check(options, message, error);
    const struct send_watch *watch = &producer->sender.watch;
    struct send_watched watched;
    mqc_error failure;
    if (status == MQC_OK)
        status = send_watch_before(watch, &watched, message, MQC_SEND_ONEWAY, error);
    if (status == MQC_OK) {
        status = send_oneway(&producer->sender, send_watched_message(watch, &watched, message),
                             options, producer_deadline(producer, options), &failure);
        bool sent = status == MQC_OK;
        send_watch_after(watch, &watched, message, NULL, sent ? NULL : &failure);
        if (!sent && error) *error = failure;
    }
    producer_leave(producer);
    return status;
}

static mqc_status send_sync(struct mqc_producer *producer, const mqc_message *message,
                            const mqc_send_options *options, mqc_send_result *result,
                            mqc_error *error)
{
    int64_t deadline_ms = producer_deadline(producer, options);
    if (producer->accumulator.enabled) {
        bool taken = false;
        mqc_status status = message_check(message, producer->sender.max_message_bytes, error);
        if (status == MQC_OK) status = send_options_check(options, message, error);
        if (status == MQC_OK && accumulator_wants(&producer->accumulator, message, options))
            status =
                accumulator_send(producer, message, options, deadline_ms, result, &taken, error);
        if (taken || status != MQC_OK) return status;
    }
    return sender_send_unseen(&producer->sender, message, options, producer->options.retries,
                              deadline_ms, result, error);
}

/* Hooks see no message that could not be sent. */
static mqc_status send_sync_seen(struct mqc_producer *producer, const mqc_message *message,
                                 const mqc_send_options *options, mqc_send_result *result,
                                 mqc_error *error)
{
    const struct send_watch *watch = &producer->sender.watch;
    struct send_watched watched;
    mqc_send_result own;
    mqc_error failure;
    mqc_status status = message_check(message, producer->sender.max_message_bytes, error);
    if (status == MQC_OK)
        status = send_watch_before(watch, &watched, message, MQC_SEND_SYNC, error);
    if (status != MQC_OK) return status;
    status = send_sync(producer, send_watched_message(watch, &watched, message), options, &own,
                       &failure);
    bool sent = status == MQC_OK;
    send_watch_after(watch, &watched, message, sent ? &own : NULL, sent ? NULL : &failure);
    if (sent && result) *result = own;
    if (!sent && error) *error = failure;
    return status;
}

static mqc_status send_async_seen(struct mqc_producer *producer, const mqc_message *message,
                                  const mqc_send_options *options, mqc_sent *done, void *arg,
                                  mqc_error *error)
{
    struct watched_async *watched;
    mqc_error failure;
    mqc_status status =
        watched_async_begin(&producer->sender.watch, message, done, arg, &watched, error);
    if (status != MQC_OK) return status;
    status = send_async(producer, watched_async_message(watched), options, watched_sent, watched,
                        &failure);
    if (status == MQC_OK) return MQC_OK;
    watched_async_failed(watched, &failure);
    if (error) *error = failure;
    return status;
}

static mqc_status send_oneway(struct sender *sender, const mqc_message *message,
                              const mqc_send_options *options, int64_t deadline_ms,
                              mqc_error *error)
{
    struct send_place place;
    mqc_status status = sender_place(sender, message, options, NULL, deadline_ms, &place, error);
    if (status != MQC_OK) return status;
    struct send_content content;
    status = send_content_init(&content, message, error);
    if (status != MQC_OK) return status;
    struct send_message_header header;
    struct command_to_send request;
    send_request_make(&content, &sender->origin, &place.queue, &header, &request);
    status = remoting_client_call_oneway(client_instance_remoting(sender->instance), place.address,
                                         &request, deadline_ms, error);
    if (status == MQC_OK) send_figures_oneway(sender, &content, &place.queue);
    send_content_done(&content);
    return status;
}

static mqc_status send_async(struct mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_sent *done, void *arg,
                             mqc_error *error)
{
    int64_t deadline_ms = producer_deadline(producer, options);
    size_t bytes = mqc_message_body(message).size;
    struct accumulator *accumulator = &producer->accumulator;
    bool gather = accumulator_wants(accumulator, message, options), taken = false;
    /* What is gathered makes no room before it goes out. */
    if (gather && !send_window_has_room(&producer->window, bytes)) accumulator_flush(accumulator);
    mqc_status status = send_window_take(&producer->window, bytes, deadline_ms, error);
    if (status != MQC_OK) return status;
    if (gather)
        status = accumulator_send_async(producer, message, options, deadline_ms, done, arg, &taken,
                                        error);
    struct async_send *send = taken || status != MQC_OK ? NULL : async_send_take(producer, &SINGLE);
    if (!send && !taken && status == MQC_OK) status = error_no_memory(error);
    if (send) {
        send->message = mqc_message_ref(message);
        send->deadline_ms = deadline_ms;
        send->done = done;
        send->arg = arg;
        status = send_content_init(&send->content, message, error);
        if (status == MQC_OK)
            status = async_send_begin(send, message, options, error);
        else
            async_send_drop(send);
    }
    if (status != MQC_OK) send_window_give_back(&producer->window, bytes);
    return status;
}

static void deliver(struct async_send *send)
{
    bool failed = send->error.status != MQC_OK;
    send_window_hand(&send->producer->window, mqc_message_body(send->message).size);
    send->done(failed ? NULL : &send->result, failed ? &send->error : NULL, send->arg);
    send_window_hand_end();
}

static void empty(struct async_send *send)
{
    mqc_message_free(send->message);
    send_content_done(&send->content);
}
