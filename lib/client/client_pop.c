/* Requests of consumers that pop; called by the rebalance service (assignments) and by workers. */
#include "lib/client/client_pop.h"

#include <openssl/evp.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/relaxed_json.h"

mqc_status client_pop_assignment(struct client_instance *instance, const char *topic,
                                 const char *group, int64_t deadline_ms, assignment_visitor *visit,
                                 void *arg, bool *known, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    if (!route_table_any_of_topic(client_instance_routes(instance), topic, false, address))
        return error_set(error, MQC_NO_CONNECTION, "no broker of the topic has an address");
    struct buffer body;
    struct remoting_response response;
    buffer_init(&body);
    assignment_query_encode(client_instance_options(instance)->name_space, topic, group,
                            client_instance_id(instance), &body);
    struct command_to_send request = {.code = REQUEST_QUERY_ASSIGNMENT,
                                      .body = buffer_slice(&body)};
    mqc_status status = body.failed ? error_no_memory(error)
                                    : client_api_call(client_instance_api(instance), address,
                                                      &request, deadline_ms, &response, error);
    buffer_done(&body);
    if (status != MQC_OK) return status;
    status = assignment_decode(response.command.body, visit, arg, known, error);
    remoting_response_done(&response);
    return status;
}

/* As on the wire; ended by zeros. */
struct wire_names {
    char group[NAME_BYTES], topic[NAME_BYTES];
};

static void wire_name(struct client_instance *instance, const char *name, char out[NAME_BYTES])
{
    char room[NAME_BYTES];
    struct slice wrapped =
        namespace_wrap(client_instance_options(instance)->name_space, slice_text(name), room);
    size_t size = wrapped.size < NAME_BYTES ? wrapped.size : 0;
    if (size > 0) memcpy(out, wrapped.data, size);
    out[size] = '\0';
}

static void wire_names(struct client_instance *instance, const struct popped_place *place,
                       struct wire_names *out)
{
    wire_name(instance, place->group, out->group);
    wire_name(instance, place->topic, out->topic);
}

/* The names that both requests need; MQC_OK when they fit and the broker is known. */
static mqc_status prepare(struct client_instance *instance, const struct popped_place *place,
                          char address[ADDRESS_TEXT_BYTES], char topic[2 * NAME_BYTES],
                          char extra[POP_TICKET_BYTES], mqc_error *error)
{
    if (!route_table_master(client_instance_routes(instance), place->broker_name, address))
        return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", place->broker_name);
    /* Both parts of a retry topic's name have the namespace. */
    struct wire_names names;
    wire_names(instance, place, &names);
    if (pop_topic_name(place->ticket->topic, names.group, names.topic, topic, 2 * NAME_BYTES) &&
        pop_ticket_format(place->ticket, place->broker_name, extra))
        return MQC_OK;
    return error_set(error, MQC_BAD_FRAME, "the names of topic %s are too long", place->topic);
}

mqc_status client_pop_ack(struct client_instance *instance, const struct popped_place *place,
                          int64_t deadline_ms, remoting_done *done, void *arg, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES], topic[2 * NAME_BYTES], extra[POP_TICKET_BYTES];
    mqc_status status = prepare(instance, place, address, topic, extra, error);
    if (status != MQC_OK) return status;
    struct ack_message_header header;
    header_init(&ack_message_layout, &header);
    header.consumer_group = slice_text(place->group);
    header.topic = slice_text(topic);
    header.queue_id = place->ticket->queue_id;
    header.extra_info = slice_text(extra);
    header.queue_offset = place->ticket->offset;
    header.broker_name = slice_text(place->broker_name);
    struct command_to_send request = {
        .code = REQUEST_ACK_MESSAGE, .layout = &ack_message_layout, .header = &header};
    return remoting_client_call_async(client_instance_remoting(instance), address, &request,
                                      deadline_ms, done, arg, error);
}

mqc_status client_pop_hide(struct client_instance *instance, const struct popped_place *place,
                           int64_t hide_ms, int64_t deadline_ms, remoting_done *done, void *arg,
                           mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES], topic[2 * NAME_BYTES], extra[POP_TICKET_BYTES];
    mqc_status status = prepare(instance, place, address, topic, extra, error);
    if (status != MQC_OK) return status;
    struct change_invisible_time_header header;
    header_init(&change_invisible_time_layout, &header);
    header.consumer_group = slice_text(place->group);
    header.topic = slice_text(topic);
    header.queue_id = place->ticket->queue_id;
    header.extra_info = slice_text(extra);
    header.queue_offset = place->ticket->offset;
    header.invisible_time_ms = hide_ms;
    header.broker_name = slice_text(place->broker_name);
    struct command_to_send request = {.code = REQUEST_CHANGE_MESSAGE_INVISIBLETIME,
                                      .layout = &change_invisible_time_layout,
                                      .header = &header};
    return remoting_client_call_async(client_instance_remoting(instance), address, &request,
                                      deadline_ms, done, arg, error);
}

/* A java.util.BitSet's bytes in base64: bit i is the message at begin + i. */
static void put_bits(struct buffer *out, int64_t begin, const int64_t *offsets, size_t count)
{
    unsigned char bits[POP_BATCH_SPAN / 8] = {0}, text[POP_BATCH_SPAN / 8 * 4 / 3 + 8];
    int size = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t bit = offsets[i] - begin;
        if (bit < 0 || bit >= POP_BATCH_SPAN) continue;
        bits[bit / 8] = (unsigned char)(bits[bit / 8] | 1u << bit % 8);
        if (bit / 8 + 1 > size) size = (int)(bit / 8 + 1);
    }
    EVP_EncodeBlock(text, bits, size);
    buffer_put_text(out, (const char *)text);
}

mqc_status client_pop_ack_batch(struct client_instance *instance, const struct popped_place *first,
                                const int64_t *offsets, size_t count, int64_t deadline_ms,
                                remoting_done *done, void *arg, mqc_error *error)
{
    const struct pop_ticket *ticket = first->ticket;
    char address[ADDRESS_TEXT_BYTES];
    struct buffer body;
    if (!route_table_master(client_instance_routes(instance), first->broker_name, address))
        return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", first->broker_name);
    struct wire_names names;
    wire_names(instance, first, &names);
    buffer_init(&body);
    buffer_put_text(&body, "{\"brokerName\":");
    json_put_text(&body, slice_text(first->broker_name));
    buffer_put_text(&body, ",\"acks\":[{\"c\":");
    json_put_text(&body, slice_text(names.group));
    buffer_put_text(&body, ",\"t\":");
    json_put_text(&body, slice_text(names.topic));
    buffer_put_format(&body,
                      ",\"r\":\"%d\",\"so\":%lld,\"q\":%d,\"rq\":%d,\"pt\":%lld,\"it\":%lld,"
                      "\"b\":\"",
                      (int)ticket->topic, (long long)ticket->begin, (int)ticket->queue_id,
                      (int)ticket->revive_queue_id, (long long)ticket->popped_unix_ms,
                      (long long)ticket->invisible_ms);
    put_bits(&body, ticket->begin, offsets, count);
    buffer_put_text(&body, "\"}]}");
    struct command_to_send request = {.code = REQUEST_BATCH_ACK_MESSAGE,
                                      .body = buffer_slice(&body)};
    mqc_status status =
        body.failed ? error_no_memory(error)
                    : remoting_client_call_async(client_instance_remoting(instance), address,
                                                 &request, deadline_ms, done, arg, error);
    buffer_done(&body);
    return status;
}
