/* SEND_REPLY_MESSAGE and V2: a reply to a request message is stored and pushed to the client that
 * waits for it (ReplyMessageProcessor.java). On the I/O thread. */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/properties_edit.h"
#include "lib/embedded/send_handler.h"
#include "lib/protocol/properties.h"

#define REPLY_TO "REPLY_TO_CLIENT"

enum { CLIENT_ANSWERS_MS = 10000 };

static struct connection *find_client(const struct broker *broker, struct slice client_id)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&broker->clients.producers, &position, &entry)) {
        const struct producers *producers = entry.value;
        const struct member *member = clients_member(&producers->members, client_id);
        if (member) return member->connection;
    }
    return NULL;
}

/* The answer to the replier: with the place of the stored reply, whether it was pushed or not. */
static void answer(const struct reply *origin, int32_t code, struct slice remark)
{
    const struct broker *broker = origin->connection->listener->broker;
    const struct record *record = message_store_find(&broker->data->store, origin->note);
    char id[MESSAGE_ID_BYTES];
    offset_id_make(&broker->host, origin->note, id);
    struct send_message_response_header header = {
        .message_id = slice_text(id),
        .queue_id = record ? record->queue_id : 0,
        .queue_offset = record ? record->queue_offset : 0,
        .region = SLICE_LITERAL(EMBEDDED_REGION),
        .trace_on = SLICE_LITERAL("true"),
    };
    reply_send(origin, &(struct answer){.code = code,
                                        .remark = remark,
                                        .layout = &send_message_response_layout,
                                        .header = &header});
}

/* The client's answer decides the replier's. */
static void pushed(const struct reply *origin, const struct remoting_command *answered)
{
    char remark[512], id[300] = "";
    const struct broker *broker = origin->connection->listener->broker;
    const struct record *record = message_store_find(&broker->data->store, origin->note);
    struct slice client =
        record ? properties_find(record_properties(record), REPLY_TO) : SLICE_ABSENT;
    if (client.size < sizeof id) snprintf(id, sizeof id, "%.*s", SLICE_FORMAT(client));
    snprintf(remark, sizeof remark, "push reply message to %sfail.", id);
    if (answered && answered->code == RESPONSE_SUCCESS)
        answer(origin, RESPONSE_SUCCESS, SLICE_ABSENT);
    else
        answer(origin, RESPONSE_SYSTEM_ERROR, slice_text(remark));
}

static void refuse_unknown(struct request *request, struct slice client_id)
{
    char remark[512];
    if (client_id.data)
        snprintf(remark, sizeof remark, "push reply message fail, channel of <%.*s> not found.",
                 client_id.size < 300 ? (int)client_id.size : 300, client_id.data);
    else
        snprintf(remark, sizeof remark, "reply message properties[REPLY_TO_CLIENT] is null");
    answer(&request->reply, RESPONSE_SYSTEM_ERROR, slice_text(remark));
}

static bool push_reply(const struct send *send, struct connection *to)
{
    const struct send_message_header *header = &send->header;
    struct push_reply_message_header push = {
        .producer_group = header->producer_group,
        .topic = header->topic,
        .default_topic = header->default_topic,
        .default_topic_queues = header->default_topic_queues,
        .queue_id = header->queue_id,
        .sys_flag = header->sys_flag,
        .born_timestamp = header->born_timestamp,
        .flag = header->flag,
        .properties = buffer_slice(&send->properties),
        .reconsume_times = header->reconsume_times,
        .unit_mode = header->unit_mode,
        .born_host = slice_text(send->request->connection->peer),
        .store_host = slice_text(send->request->broker->address),
        .store_timestamp = cluster_message_time(send->request->cluster),
    };
    return push_request(to, REQUEST_PUSH_REPLY_MESSAGE_TO_CLIENT, &push_reply_message_layout, &push,
                        send->request->command->body, CLIENT_ANSWERS_MS, &send->request->reply,
                        pushed);
}

/* With the time it arrived, as the requester measures by. */
static void put_properties(struct send *send)
{
    char now[HEADER_NUMBER_BYTES];
    const struct property_change changes[] = {
        {"PUSH_REPLY_TIME", slice_of(now, decimal_write(now, clock_unix_ms()))},
        {"MSG_REGION", SLICE_LITERAL(EMBEDDED_REGION)},
        {"TRACE_ON", SLICE_LITERAL("true")},
    };
    properties_edit(&send->properties, send->header.properties, changes, 3);
}

void reply_handle(struct request *request)
{
    struct send send = {.request = request};
    if (!send_header(request, &send.header)) return;
    send.topic = broker_topic_for_send(request->broker, send.header.topic,
                                       send.header.default_topic, send.header.default_topic_queues);
    if (!send.topic) {
        send_refuse(&send, RESPONSE_TOPIC_NOT_EXIST,
                    "topic[%.*s] not exist, apply first please!" FAQ_HINT,
                    SLICE_FORMAT(send.header.topic));
        return;
    }
    buffer_init(&send.properties);
    put_properties(&send);
    struct slice client_id = properties_find(send.header.properties, REPLY_TO);
    struct connection *client = client_id.data ? find_client(request->broker, client_id) : NULL;
    struct mqc_message message = send_message_of(&send);
    message.queue_id = 0;
    const struct record *record = send.properties.failed ||
                                          message.properties.size > PROPERTIES_MAX_BYTES ||
                                          message.body.size > MESSAGE_BODY_MAX_BYTES
                                      ? NULL
                                      : broker_store(request->broker->data, send.topic, &message);
    request->reply.note = record ? record->commit_log_offset : -1;
    if (!record)
        send_refuse(&send, RESPONSE_MESSAGE_ILLEGAL, "%s", SEND_ILLEGAL);
    else if (!client || !push_reply(&send, client))
        refuse_unknown(request, client_id);
    buffer_done(&send.properties);
}
