/* Requests that a broker passes on to a consumer: GET_CONSUMER_RUNNING_INFO,
 * CONSUME_MESSAGE_DIRECTLY (AdminBrokerProcessor.callConsumer). On the I/O thread; the answer comes
 * later. */
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"

enum { CLIENT_ANSWERS_MS = 10000, VERSION_KNOWS_THIS = 55 /* V3_1_8_SNAPSHOT */ };

/* The client's answer as it is, header and body. */
static void pass_on(const struct reply *origin, const struct remoting_command *answer)
{
    if (!answer) {
        reply_refuse(origin, RESPONSE_CONSUME_MSG_TIMEOUT,
                     "the consumer did not answer within %d ms", CLIENT_ANSWERS_MS);
        return;
    }
    reply_send(origin, &(struct answer){.code = answer->code,
                                        .remark = answer->remark,
                                        .extra = answer->fields,
                                        .extra_count = answer->field_count,
                                        .body = answer->body});
}

static void call_consumer(struct request *request, struct slice group, struct slice client_id,
                          const struct header_layout *layout, const void *header, struct slice body)
{
    const struct consumers *consumers = clients_consumers(&request->broker->clients, group);
    const struct member *member =
        consumers && client_id.data ? clients_member(&consumers->members, client_id) : NULL;
    if (!member)
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "The Consumer <%.*s> <%.*s> not online",
                       SLICE_FORMAT(group), SLICE_FORMAT(client_id));
    else if (member->version < VERSION_KNOWS_THIS)
        request_refuse(request, RESPONSE_SYSTEM_ERROR,
                       "The Consumer <%s> Version <%d> too low to finish, please upgrade it to "
                       "V3_1_8_SNAPSHOT",
                       member->client_id, (int)member->version);
    else if (!push_request(member->connection, request->command->code, layout, header, body,
                           CLIENT_ANSWERS_MS, &request->reply, pass_on))
        request_refuse(request, RESPONSE_SYSTEM_ERROR,
                       "invoke consumer <%.*s> <%.*s> Exception: the connection is gone",
                       SLICE_FORMAT(group), SLICE_FORMAT(client_id));
}

void forward_handle_running_info(struct request *request)
{
    struct get_consumer_running_info_header header;
    if (!request_header(request, &get_consumer_running_info_layout, &header)) return;
    call_consumer(request, header.consumer_group, header.client_id,
                  &get_consumer_running_info_layout, &header, SLICE_ABSENT);
}

void forward_handle_consume_directly(struct request *request)
{
    struct consume_message_directly_header header;
    if (!request_header(request, &consume_message_directly_layout, &header)) return;
    struct host host;
    int64_t offset;
    const struct record *record = NULL;
    if (offset_id_parse(header.message_id, &host, &offset, NULL) == MQC_OK)
        record = message_store_find(&request->broker->data->store, offset);
    if (!record) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "look message by offset failed, %.*s",
                       SLICE_FORMAT(header.message_id));
        return;
    }
    header.broker_name = slice_text(request->broker->data->name);
    call_consumer(request, header.consumer_group, header.client_id,
                  &consume_message_directly_layout, &header, record_bytes(record));
}
