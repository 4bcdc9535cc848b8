/* Stands in for the producer of the library under the tool: see fake_roles.c. */
#include <stdlib.h>
#include <string.h>

#include <mqclient/mqclient.h>

#include "lib/base/error.h"
#include "lib/client/options.h"
#include "lib/protocol/names.h"
#include "test/tool/fake.h"

struct mqc_producer {
    int sent;
    mqc_transaction_listener *check;
    void *check_arg;
};

mqc_producer *mqc_producer_new_sized(const mqc_producer_options *options, size_t size,
                                     size_t client_size, mqc_error *error)
{
    (void)size;
    (void)client_size;
    if (options_check_producer(options, error)) return NULL;
    mqc_client_options client = options_fill_client(options->client);
    note("producer group=%s timeout=%d name_servers=%s tls=%d ca=%s access_key=%s", options->group,
         options->send_timeout_ms, client.name_servers, client.tls.enabled,
         or_none(client.tls.ca_file), or_none(client.access_key));
    return calloc(1, sizeof(mqc_producer));
}

mqc_status mqc_producer_start(mqc_producer *producer, mqc_error *error)
{
    (void)producer;
    (void)error;
    return MQC_OK;
}

static bool note_property(const char *name, const char *value, void *arg)
{
    (void)arg;
    note("  property %s=%s", name, value);
    return true;
}

mqc_status mqc_producer_send(mqc_producer *producer, const mqc_message *message,
                             const mqc_send_options *options, mqc_send_result *result,
                             mqc_error *error)
{
    if (options && options->order_key) note("order key %s", options->order_key);
    mqc_status status = names_check_sendable(mqc_message_topic(message), error);
    if (status) return status;
    mqc_view body = mqc_message_body(message);
    if (body.size == 0) return error_set(error, MQC_BAD_ARGUMENT, "the body is empty");
    note("send topic=%s body=%.*s", mqc_message_topic(message), (int)body.size,
         (const char *)body.data);
    mqc_message_each_property(message, note_property, NULL);
    struct slice text = slice_of(body.data, body.size);
    if (slice_is(text, "unroutable")) return error_set(error, MQC_NO_ROUTE, "no route");
    if (slice_is(text, "slow")) {
        error_set(error, MQC_TIMEOUT, "no answer in 3000 ms");
        error_mark_maybe_done(error);
        return MQC_TIMEOUT;
    }
    *result = (mqc_send_result){.status = slice_is(text, "disk") ? MQC_SEND_FLUSH_DISK_TIMEOUT
                                                                 : MQC_SEND_OK,
                                .queue = {mqc_message_topic(message), "broker-a", 3},
                                .queue_offset = 40 + producer->sent++,
                                .message_id = "7F0000010001",
                                .offset_message_id = "7F00000100002A9F"};
    return MQC_OK;
}

mqc_status mqc_producer_send_async(mqc_producer *producer, const mqc_message *message,
                                   const mqc_send_options *options, mqc_sent *done, void *arg,
                                   mqc_error *error)
{
    mqc_send_result result;
    mqc_status status = mqc_producer_send(producer, message, options, &result, error);
    if (!status) done(&result, NULL, arg);
    return status;
}

mqc_status mqc_producer_send_oneway(mqc_producer *producer, const mqc_message *message,
                                    const mqc_send_options *options, mqc_error *error)
{
    mqc_send_result result;
    return mqc_producer_send(producer, message, options, &result, error);
}

/* All of it up to the first that is refused. */
mqc_status mqc_producer_send_batch(mqc_producer *producer, const mqc_message *const *messages,
                                   size_t count, const mqc_send_options *options,
                                   mqc_batch_item *items, mqc_error *error)
{
    note("batch of %zu", count);
    mqc_status status = MQC_OK;
    for (size_t i = 0; i < count; i++) {
        mqc_send_result result = {.status = MQC_SEND_OK};
        if (status == MQC_OK)
            status = mqc_producer_send(producer, messages[i], options, &result, error);
        items[i] = (mqc_batch_item){
            .status = status, .queue = result.queue, .queue_offset = result.queue_offset};
        memcpy(items[i].message_id, result.message_id, sizeof result.message_id);
        memcpy(items[i].offset_message_id, result.offset_message_id, sizeof result.message_id);
    }
    return status;
}

void mqc_producer_free(mqc_producer *producer)
{
    free(producer);
}

mqc_status mqc_producer_on_check(mqc_producer *producer, mqc_transaction_listener *check, void *arg,
                                 mqc_error *error)
{
    (void)error;
    producer->check = check;
    producer->check_arg = arg;
    return MQC_OK;
}

mqc_status mqc_producer_send_transaction(mqc_producer *producer, const mqc_message *message,
                                         const mqc_send_options *options,
                                         mqc_transaction_listener *execute, void *arg,
                                         mqc_transaction_result *result, mqc_error *error)
{
    *result = (mqc_transaction_result){.executed = true};
    mqc_status status = mqc_producer_send(producer, message, options, &result->half, error);
    if (status) return status;
    mqc_transaction transaction = {.id = result->half.message_id, .message = message};
    result->state = execute(&transaction, arg);
    note("transaction state=%d", result->state);
    if (result->state == MQC_TRANSACTION_UNKNOWN && !getenv("FAKE_NO_CHECK")) {
        transaction.checks = 1;
        note("check state=%d", producer->check(&transaction, producer->check_arg));
    }
    return MQC_OK;
}

mqc_status mqc_producer_request(mqc_producer *producer, const mqc_message *message,
                                const mqc_send_options *options, mqc_message **reply,
                                mqc_error *error)
{
    mqc_send_result result;
    mqc_status status = mqc_producer_send(producer, message, options, &result, error);
    if (status) return status;
    note("request timeout=%d bytes=%zu", options->timeout_ms, mqc_message_body(message).size);
    if (memcmp(mqc_message_body(message).data, "nobody", 6) == 0)
        return error_set(error, MQC_NO_REPLY, "no reply came");
    *reply = mqc_message_new("c_REPLY_TOPIC", "that", 4);
    return MQC_OK;
}
