/* What brokers push to producers: checks of transactions and replies to requests
 * (ClientRemotingProcessor.checkTransactionState, receiveReplyMessage). All on the reading thread:
 * the bytes are kept, everything else is the producer's. */
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/client/client_instance_private.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/properties.h"

static mqc_status check_read(struct remoting_arrival *arrival, struct transaction_check **out,
                             mqc_error *error);
static mqc_status read_half_message(struct frame *frame, struct slice body, mqc_message **out,
                                    mqc_error *error);
static mqc_status deliver_reply(struct client_instance *instance, struct frame *frame,
                                const struct remoting_command *push, mqc_error *error);
static void copy_text(char *out, size_t bytes, struct slice text);

/* ---- CHECK_TRANSACTION_STATE (39), oneway ---- */

void client_pushes_check(struct client_instance *instance, struct remoting_arrival *arrival)
{
    mqc_error error;
    struct transaction_check *check = NULL;
    if (check_read(arrival, &check, &error) != MQC_OK) {
        log_warn(LOG_PRODUCER, "check of a transaction not understood: %s", error.text);
        return;
    }
    char room[NAME_BYTES];
    const char *name_space = instance->options.name_space;
    namespace_unwrap_messages(name_space, check->message->block);
    struct slice group = namespace_unwrap(
        name_space, message_property(check->message, PROPERTY_PRODUCER_GROUP), room);
    struct client_role *role = client_roles_hold(instance, CLIENT_ROLE_PRODUCER, group);
    if (role && role->type->check_transaction) {
        role->type->check_transaction(role, check);
    } else {
        log_info(LOG_PRODUCER, "check of a transaction for no producer here group=%.*s id=%s",
                 SLICE_FORMAT(group), check->transaction_id);
        transaction_check_free(check);
    }
    if (role) client_roles_release(instance, role);
}

void transaction_check_free(struct transaction_check *check)
{
    if (!check) return;
    mqc_message_free(check->message);
    memory_free(check);
}

static mqc_status check_read(struct remoting_arrival *arrival, struct transaction_check **out,
                             mqc_error *error)
{
    const char *address = remoting_connection_address(arrival->connection);
    struct check_transaction_state_header header;
    struct frame *frame = remoting_arrival_keep(arrival);
    if (!frame) return error_no_memory(error);
    struct transaction_check *check = memory_allocate_zero(1, sizeof *check);
    mqc_status status =
        check ? header_decode(&check_transaction_state_layout, arrival->command, &header, error)
              : error_no_memory(error);
    if (status == MQC_OK)
        status = read_half_message(frame, arrival->command->body, &check->message, error);
    frame_unref(frame);
    if (status != MQC_OK) {
        transaction_check_free(check);
        return status;
    }
    list_init(&check->link);
    struct slice key = message_property(check->message, PROPERTY_UNIQUE_KEY);
    if (!key.data) key = header.offset_message_id;
    copy_text(check->address, sizeof check->address, slice_text(address));
    copy_text(check->topic, sizeof check->topic, header.topic);
    copy_text(check->message_id, sizeof check->message_id, key);
    copy_text(check->transaction_id, sizeof check->transaction_id,
              header.transaction_id.size > 0 ? header.transaction_id : key);
    copy_text(check->broker_name, sizeof check->broker_name, header.broker_name);
    check->table_offset = header.transaction_table_offset;
    check->commit_log_offset = header.commit_log_offset;
    *out = check;
    return MQC_OK;
}

/* The body is one stored message, with the topic that it is for. */
static mqc_status read_half_message(struct frame *frame, struct slice body, mqc_message **out,
                                    mqc_error *error)
{
    struct message_block *block = NULL;
    mqc_status status = message_block_decode(frame, body, &block, error);
    if (status == MQC_OK && (!block || block->count != 1)) {
        status = error_set(error, MQC_BAD_FRAME, "a check has %zu messages: it needs one",
                           block ? block->count : 0);
        message_block_unref(block);
    }
    if (status == MQC_OK) *out = &block->messages[0];
    return status;
}

/* ---- PUSH_REPLY_MESSAGE_TO_CLIENT (326) ---- */

/* The broker tells the one that replied what is answered here. */
void client_pushes_reply(struct client_instance *instance, struct remoting_arrival *arrival)
{
    mqc_error error;
    struct frame *frame = remoting_arrival_keep(arrival);
    mqc_status status =
        frame ? deliver_reply(instance, frame, arrival->command, &error) : error_no_memory(&error);
    frame_unref(frame);
    bool good = status == MQC_OK;
    if (!good) log_warn(LOG_PRODUCER, "a reply could not be taken: %s", error.text);
    client_requests_reply(arrival->connection, arrival->command,
                          good ? RESPONSE_SUCCESS : RESPONSE_SYSTEM_ERROR, SLICE_ABSENT,
                          good ? "" : "process reply message fail");
}

static mqc_status deliver_reply(struct client_instance *instance, struct frame *frame,
                                const struct remoting_command *push, mqc_error *error)
{
    struct push_reply_message_header header;
    mqc_status status = header_decode(&push_reply_message_layout, push, &header, error);
    if (status != MQC_OK) return status;
    int64_t late;
    struct slice id = properties_find(header.properties, PROPERTY_CORRELATION_ID);
    struct pending_request *request = pending_requests_take(&instance->requests, id, &late);
    if (!request) {
        log_info(LOG_PRODUCER, "a reply that nobody waits for any more id=%.*s from=%.*s late=%lld",
                 SLICE_FORMAT(id), SLICE_FORMAT(header.born_host), (long long)late);
        return MQC_OK;
    }
    mqc_message *message = NULL;
    mqc_error failure;
    status = message_of_push(frame, &header, push->body, &message, &failure);
    request->done(request, message, status == MQC_OK ? NULL : &failure);
    if (status != MQC_OK && error) *error = failure;
    return status;
}

/* With a zero byte; what does not fit is left out. */
static void copy_text(char *out, size_t bytes, struct slice text)
{
    size_t size = text.size < bytes ? text.size : bytes - 1;
    if (size > 0) memcpy(out, text.data, size);
    out[size] = '\0';
}
