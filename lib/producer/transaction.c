/* Sending in a transaction (DefaultMQProducerImpl.sendMessageInTransaction): the half message, the
 * local transaction on the caller's thread, its end. See transactions.h for what is remembered. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/producer/message_check.h"
#include "lib/producer/producer_private.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/properties.h"

/* One transaction on its way. */
struct course {
    struct mqc_producer *producer;
    mqc_message *half; /* the application's message with what makes it a half message */
    struct transaction *transaction;
    const char *topic;
    mqc_transaction_listener *execute;
    void *arg;
    const mqc_message *message;
    mqc_transaction_result result;
};

static mqc_status check_call(struct mqc_producer *producer, const mqc_message *message,
                             mqc_transaction_listener *execute, mqc_error *error);
static mqc_status check_no_delay(const mqc_message *message, mqc_error *error);
static mqc_status prepare(struct course *course, mqc_error *error);
static mqc_status put_group(struct mqc_producer *producer, mqc_message *half, mqc_error *error);
static mqc_status run(struct course *course, const mqc_send_options *options, mqc_error *error);
static mqc_status half_failed(struct course *course, mqc_status status, const mqc_error *failure,
                              mqc_error *error);
static mqc_status give_up_half(struct course *course, mqc_error *error);
static mqc_status end(struct course *course, mqc_error *error);
static mqc_status tell(struct course *course, const struct half_place *checked, mqc_error *error);
static mqc_status find_half(struct course *course, int64_t deadline_ms, struct half_place *place,
                            mqc_error *error);

mqc_status mqc_producer_on_check(mqc_producer *producer, mqc_transaction_listener *check, void *arg,
                                 mqc_error *error)
{
    if (!producer)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the producer is NULL: make one with mqc_producer_new");
    if (!check)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "TransactionListener is null: give the function that says how a "
                         "transaction stands");
    lock_take(&producer->lock);
    bool early = producer->state == CLIENT_CREATE_JUST;
    if (early) {
        producer->transactions.check = check;
        producer->transactions.check_arg = arg;
    }
    lock_release(&producer->lock);
    if (early) return MQC_OK;
    return error_set(error, MQC_WRONG_STATE,
                     "the check listener is set before mqc_producer_start: checks may come from "
                     "then on (group %s)",
                     producer->options.group);
}

mqc_status mqc_producer_send_transaction(mqc_producer *producer, const mqc_message *message,
                                         const mqc_send_options *options,
                                         mqc_transaction_listener *execute, void *arg,
                                         mqc_transaction_result *result, mqc_error *error)
{
    struct course course = {
        .producer = producer, .message = message, .execute = execute, .arg = arg};
    if (result) *result = course.result;
    mqc_status status = producer_enter(producer, error);
    if (status != MQC_OK) return status;
    status = check_call(producer, message, execute, error);
    if (status == MQC_OK) status = send_options_check(options, message, error);
    if (status == MQC_OK) status = prepare(&course, error);
    if (status == MQC_OK) status = run(&course, options, error);
    mqc_message_free(course.half);
    if (result) *result = course.result;
    producer_leave(producer);
    return status;
}

mqc_status mqc_message_set_check_after(mqc_message *message, int seconds, mqc_error *error)
{
    if (seconds < 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the first check is after %d seconds: give 1 or more, or 0 for the "
                         "broker's own time",
                         seconds);
    char text[12];
    snprintf(text, sizeof text, "%d", seconds);
    return message_put_property(message, PROPERTY_CHECK_IMMUNITY, seconds > 0 ? text : NULL, error);
}

static mqc_status check_call(struct mqc_producer *producer, const mqc_message *message,
                             mqc_transaction_listener *execute, mqc_error *error)
{
    if (!execute)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "tranExecutor is null: give the function that runs the local transaction");
    if (!producer->transactions.check)
        return error_set(error, MQC_WRONG_STATE,
                         "TransactionListener is null: set a check listener with "
                         "mqc_producer_on_check before the start, or a transaction whose end is "
                         "lost stays undecided (group %s)",
                         producer->options.group);
    mqc_status status = message_check(message, producer->sender.max_message_bytes, error);
    return status == MQC_OK ? check_no_delay(message, error) : status;
}

/* Java drops the level silently; brokers would deliver what nobody has committed. */
static mqc_status check_no_delay(const mqc_message *message, mqc_error *error)
{
    static const char *const delays[] = {PROPERTY_DELAY, "TIMER_DELAY_SEC", "TIMER_DELAY_MS",
                                         "TIMER_DELIVER_MS"};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        if (message->block->built && message_property(message, delays[i]).data)
            return error_set(error, MQC_BAD_ARGUMENT,
                             "the message is to be delayed (%s), which a message in a transaction "
                             "cannot be: send it without a delay",
                             delays[i]);
    }
    return MQC_OK;
}

/* From here on a check finds the transaction, however long the send takes. */
static mqc_status prepare(struct course *course, mqc_error *error)
{
    struct mqc_producer *producer = course->producer;
    char id[MESSAGE_ID_BYTES];
    message_id_make(id);
    course->half = message_dressed(course->message, error);
    if (!course->half) return MQC_NO_MEMORY;
    mqc_status status = message_put_property(course->half, PROPERTY_UNIQUE_KEY, id, error);
    if (status == MQC_OK)
        status = message_put_property(course->half, PROPERTY_TRANSACTION_PREPARED, "true", error);
    if (status == MQC_OK) status = put_group(producer, course->half, error);
    if (status != MQC_OK) return status;
    course->transaction = transaction_begin(&producer->transactions, id);
    return course->transaction ? MQC_OK : error_no_memory(error);
}

/* By which the broker finds those that it may ask: as the heartbeats name it. */
static mqc_status put_group(struct mqc_producer *producer, mqc_message *half, mqc_error *error)
{
    char room[NAME_BYTES], group[NAME_BYTES];
    struct slice wrapped =
        namespace_wrap(producer->client.name_space, slice_text(producer->options.group), room);
    snprintf(group, sizeof group, "%.*s", SLICE_FORMAT(wrapped));
    return message_put_property(half, PROPERTY_PRODUCER_GROUP, group, error);
}

static mqc_status run(struct course *course, const mqc_send_options *options, mqc_error *error)
{
    struct mqc_producer *producer = course->producer;
    mqc_transaction_result *result = &course->result;
    mqc_error failure;
    mqc_status status =
        sender_send(&producer->sender, course->half, options, producer->options.retries,
                    producer_deadline(producer, options), &result->half, &failure);
    if (status != MQC_OK) return half_failed(course, status, &failure, error);
    if (result->half.status != MQC_SEND_OK) return give_up_half(course, error);
    mqc_transaction transaction = {.id = result->half.message_id, .message = course->message};
    result->state = course->execute(&transaction, course->arg);
    if (result->state != MQC_TRANSACTION_COMMIT && result->state != MQC_TRANSACTION_ROLLBACK)
        result->state = MQC_TRANSACTION_UNKNOWN;
    result->executed = true;
    return end(course, error);
}

/* A half message may be stored all the same: a check about it is answered with rollback. */
static mqc_status half_failed(struct course *course, mqc_status status, const mqc_error *failure,
                              mqc_error *error)
{
    struct transactions *transactions = &course->producer->transactions;
    if (failure->maybe_done)
        transaction_decided(transactions, course->transaction, MQC_TRANSACTION_ROLLBACK, false);
    else
        transaction_forget(transactions, course->transaction);
    if (error) *error = *failure;
    return status;
}

/* Stored, but not as well as it has to be: rolled back, as Java does. */
static mqc_status give_up_half(struct course *course, mqc_error *error)
{
    static const int codes[] = {
        [MQC_SEND_FLUSH_DISK_TIMEOUT] = RESPONSE_FLUSH_DISK_TIMEOUT,
        [MQC_SEND_FLUSH_SLAVE_TIMEOUT] = RESPONSE_FLUSH_SLAVE_TIMEOUT,
        [MQC_SEND_SLAVE_NOT_AVAILABLE] = RESPONSE_SLAVE_NOT_AVAILABLE,
    };
    int code = codes[course->result.half.status];
    course->result.state = MQC_TRANSACTION_ROLLBACK;
    end(course, NULL); /* if it is lost, a check is answered */
    error_refused(error, code,
                  "the half message was not stored safely (%s), so that the local transaction was "
                  "not run and the message is rolled back",
                  response_code_name(code));
    error_mark_retryable(error);
    return MQC_REFUSED;
}

static mqc_status end(struct course *course, mqc_error *error)
{
    struct transactions *transactions = &course->producer->transactions;
    mqc_transaction_result *result = &course->result;
    struct half_place checked;
    bool was_checked = transaction_ending(transactions, course->transaction, &checked);
    mqc_error failure;
    mqc_status status = tell(course, was_checked ? &checked : NULL, &failure);
    result->ended = status == MQC_OK && result->state != MQC_TRANSACTION_UNKNOWN;
    transaction_decided(transactions, course->transaction, result->state, result->ended);
    /* That it is not known yet need not be heard. */
    if (status == MQC_OK || result->state == MQC_TRANSACTION_UNKNOWN) return MQC_OK;
    log_warn(LOG_PRODUCER, "end of a transaction not acknowledged id=%s state=%s: %s",
             result->half.message_id, transaction_state_name(result->state), failure.text);
    /* So that a broker whose connection broke can ask at once. */
    client_instance_heartbeat(course->producer->sender.instance, 0);
    error_set(error, status,
              "the local transaction has run (%s), but the broker has not acknowledged its end; it "
              "will ask and be told: %s",
              transaction_state_name(result->state), failure.text);
    if (error) error->broker_code = failure.broker_code;
    error_mark_maybe_done(error);
    return status;
}

/* With the place of the half message as a check has named it last: the broker has stored it anew.
 */
static mqc_status tell(struct course *course, const struct half_place *checked, mqc_error *error)
{
    const mqc_send_result *half = &course->result.half;
    int64_t deadline_ms = producer_deadline(course->producer, NULL);
    struct half_place place;
    mqc_status status = MQC_OK;
    if (checked)
        place = *checked;
    else
        status = find_half(course, deadline_ms, &place, error);
    if (status != MQC_OK) return status;
    struct transaction_end end = {
        .place = &place,
        .message = course->half,
        .topic = course->half->topic,
        .broker_name = half->queue.broker_name,
        .message_id = half->message_id,
        .transaction_id = half->transaction_id[0] ? half->transaction_id : half->message_id,
        .state = course->result.state,
        .from_check = checked != NULL,
    };
    return transaction_end_tell(&course->producer->sender, &end, deadline_ms, error);
}

/* The commit log's offset is in the broker's id; the broker itself is the queue's master. */
static mqc_status find_half(struct course *course, int64_t deadline_ms, struct half_place *place,
                            mqc_error *error)
{
    const mqc_send_result *half = &course->result.half;
    struct host host;
    place->table_offset = half->queue_offset;
    mqc_status status = offset_id_parse(slice_text(half->offset_message_id), &host,
                                        &place->commit_log_offset, error);
    if (status != MQC_OK) return status;
    return client_instance_queue_master(course->producer->sender.instance, &half->queue,
                                        deadline_ms, place->address, error);
}
