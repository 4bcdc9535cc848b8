/* Taking back messages that wait for their time (DefaultMQProducerImpl.recallMessage). On the
 * application's threads; the asynchronous answer as that of a send. */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/producer/async_send.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/recall_handle.h"

static mqc_status check(const struct mqc_producer *producer, const char *topic, const char *handle,
                        int timeout_ms, struct recall_handle *decoded, mqc_error *error);
static mqc_status recall(struct sender *sender, const mqc_message_queue *place, const char *handle,
                         int64_t deadline_ms, char *message_id, mqc_error *error);
static mqc_status recall_async(struct mqc_producer *producer, const mqc_message_queue *place,
                               const char *handle, const mqc_send_options *options,
                               mqc_recalled *done, void *arg, mqc_error *error);
static mqc_status read_answer(const struct remoting_command *answer, const char *address,
                              char *message_id, mqc_error *error);
static void make_request(struct async_send *send, union async_header *header,
                         struct command_to_send *request);
static bool read_async(struct async_send *send, const struct remoting_command *answer);
static void deliver(struct async_send *send);
static void empty(struct async_send *send);

static const struct async_send_type RECALL = {
    .request = make_request, .read = read_async, .deliver = deliver, .empty = empty};

/* The broker of a handle, as a queue of the topic that it belongs to. */
struct target {
    struct recall_handle handle;
    char broker_name[RECALL_HANDLE_BYTES];
    mqc_message_queue queue;
};

static mqc_status find_target(const struct mqc_producer *producer, const char *topic,
                              const char *handle, int timeout_ms, struct target *target,
                              mqc_error *error)
{
    mqc_status status = check(producer, topic, handle, timeout_ms, &target->handle, error);
    if (status != MQC_OK) return status;
    snprintf(target->broker_name, sizeof target->broker_name, "%.*s",
             SLICE_FORMAT(target->handle.broker_name));
    target->queue = (mqc_message_queue){.topic = topic, .broker_name = target->broker_name};
    return MQC_OK;
}

mqc_status mqc_producer_recall(mqc_producer *producer, const char *topic, const char *recall_handle,
                               int timeout_ms, char message_id[64], mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    struct target target;
    mqc_send_options options = {.timeout_ms = timeout_ms};
    status = find_target(producer, topic, recall_handle, timeout_ms, &target, error);
    if (status == MQC_OK)
        status = recall(&producer->sender, &target.queue, recall_handle,
                        producer_deadline(producer, &options), message_id, error);
    producer_leave(producer);
    return status;
}

mqc_status mqc_producer_recall_async(mqc_producer *producer, const char *topic,
                                     const char *recall_handle, int timeout_ms, mqc_recalled *done,
                                     void *arg, mqc_error *error)
{
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    struct target target;
    status = find_target(producer, topic, recall_handle, timeout_ms, &target, error);
    if (status == MQC_OK && !done)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "done is NULL: give the function that gets the result");
    mqc_send_options options = {.timeout_ms = timeout_ms, .queue = &target.queue};
    if (status == MQC_OK)
        status = recall_async(producer, &target.queue, recall_handle, &options, done, arg, error);
    producer_leave(producer);
    return status;
}

static mqc_status check(const struct mqc_producer *producer, const char *topic, const char *handle,
                        int timeout_ms, struct recall_handle *decoded, mqc_error *error)
{
    char room[NAME_BYTES];
    if (!topic)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the topic is NULL: give the one that the message was sent to");
    mqc_status status = names_check_topic(topic, error);
    if (status == MQC_OK && timeout_ms < 0)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "timeout_ms is %d: give milliseconds, or 0 for the producer's own",
                           timeout_ms);
    if (status == MQC_OK) status = recall_handle_decode(handle, decoded, error);
    /* Handles are the broker's, and so is the topic in them. */
    if (status == MQC_OK && !slice_equal(decoded->topic, namespace_wrap(producer->client.name_space,
                                                                        slice_text(topic), room)))
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "the recall handle is of a message to topic %.*s, not to %.127s",
                           SLICE_FORMAT(decoded->topic), topic);
    return status;
}

static void fill_request(const struct sender *sender, const mqc_message_queue *place,
                         const char *handle, struct recall_message_header *header,
                         struct command_to_send *request)
{
    *header = (struct recall_message_header){
        .producer_group = slice_text(sender->origin.group),
        .topic = slice_text(place->topic),
        .recall_handle = slice_text(handle),
        .broker_name = slice_text(place->broker_name),
    };
    *request = (struct command_to_send){
        .code = REQUEST_RECALL_MESSAGE, .layout = &recall_message_layout, .header = header};
}

static mqc_status recall(struct sender *sender, const mqc_message_queue *place, const char *handle,
                         int64_t deadline_ms, char *message_id, mqc_error *error)
{
    struct send_place at;
    mqc_status status = sender_place(sender, NULL, &(mqc_send_options){.queue = place}, NULL,
                                     deadline_ms, &at, error);
    if (status != MQC_OK) return status;
    struct recall_message_header header;
    struct command_to_send request;
    struct remoting_response response;
    fill_request(sender, place, handle, &header, &request);
    status = remoting_client_call(client_instance_remoting(sender->instance), at.address, &request,
                                  deadline_ms, &response, error);
    if (status != MQC_OK) return status;
    status = read_answer(&response.command, at.address, message_id, error);
    remoting_response_done(&response);
    return status;
}

static mqc_status read_answer(const struct remoting_command *answer, const char *address,
                              char *message_id, mqc_error *error)
{
    struct recall_message_response_header header;
    if (answer->code != RESPONSE_SUCCESS)
        return client_api_refused(answer, address, "the recall", error);
    mqc_status status = header_decode(&recall_message_response_layout, answer, &header, error);
    if (status != MQC_OK)
        error_mark_maybe_done(error); /* the broker said that it did it */
    else if (message_id)
        snprintf(message_id, MESSAGE_ID_BYTES, "%.*s", SLICE_FORMAT(header.message_id));
    return status;
}

/* ---- asynchronous: the handle and the id are kept in the result's fields for them ---- */

static mqc_status recall_async(struct mqc_producer *producer, const mqc_message_queue *place,
                               const char *handle, const mqc_send_options *options,
                               mqc_recalled *done, void *arg, mqc_error *error)
{
    struct async_send *send = async_send_take(producer, &RECALL);
    if (!send) return error_no_memory(error);
    snprintf(send->result.recall_handle, sizeof send->result.recall_handle, "%s", handle);
    send->content.topic = place->topic;
    send->deadline_ms = producer_deadline(producer, options);
    send->recalled = done;
    send->arg = arg;
    return async_send_begin(send, NULL, options, error);
}

static void make_request(struct async_send *send, union async_header *header,
                         struct command_to_send *request)
{
    fill_request(&send->producer->sender, &send->place.queue, send->result.recall_handle,
                 &header->recall, request);
}

static bool read_async(struct async_send *send, const struct remoting_command *answer)
{
    send->error.status = MQC_OK;
    read_answer(answer, send->place.address, send->result.message_id, &send->error);
    return true;
}

static void deliver(struct async_send *send)
{
    bool failed = send->error.status != MQC_OK;
    send->recalled(failed ? NULL : send->result.message_id, failed ? &send->error : NULL,
                   send->arg);
}

static void empty(struct async_send *send)
{
    (void)send;
}
