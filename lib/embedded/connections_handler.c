/* Who is connected: GET_CONSUMER_CONNECTION_LIST, GET_PRODUCER_CONNECTION_LIST
 * (AdminBrokerProcessor.java). On the I/O thread. */
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/protocol/command_fields.h"
#include "lib/protocol/relaxed_json.h"

static void put_connections(struct buffer *out, const struct link *members)
{
    bool first = true;
    buffer_put_text(out, "{\"connectionSet\":[");
    LIST_EACH(members, link)
    {
        const struct member *member = CONTAINER_OF(link, struct member, in_group);
        const char *language = language_name(member->language);
        buffer_put_text(out, first ? "{\"clientAddr\":" : ",{\"clientAddr\":");
        json_put_text(out, slice_text(member->connection->peer));
        buffer_put_text(out, ",\"clientId\":");
        json_put_text(out, slice_text(member->client_id));
        buffer_put_text(out, ",\"language\":");
        json_put_text(out, slice_text(language ? language : "OTHER"));
        buffer_put_format(out, ",\"version\":%d}", (int)member->version);
        first = false;
    }
    buffer_put_8(out, ']');
}

static void put_subscriptions(struct buffer *out, const struct map *subscriptions)
{
    size_t position = 0, put = 0;
    struct map_entry entry;
    buffer_put_text(out, ",\"subscriptionTable\":{");
    while (map_next(subscriptions, &position, &entry)) {
        if (put++ > 0) buffer_put_8(out, ',');
        json_put_text(out, slice_of(entry.key, entry.key_size));
        buffer_put_8(out, ':');
        subscription_encode(entry.value, out);
    }
    buffer_put_8(out, '}');
}

void connections_handle_consumers(struct request *request)
{
    struct get_consumer_connections_header header;
    if (!request_header(request, &get_consumer_connections_layout, &header)) return;
    const struct consumers *consumers =
        clients_consumers(&request->broker->clients, header.consumer_group);
    if (!consumers) {
        request_refuse(request, RESPONSE_CONSUMER_NOT_ONLINE, "the consumer group[%.*s] not online",
                       SLICE_FORMAT(header.consumer_group));
        return;
    }
    struct buffer body;
    buffer_init(&body);
    put_connections(&body, &consumers->members);
    buffer_put_text(&body, ",\"consumeFromWhere\":");
    json_put_text(&body, slice_text(consumers->consume_from));
    buffer_put_text(&body, ",\"consumeType\":");
    json_put_text(&body, slice_text(consumers->consume_type));
    buffer_put_text(&body, ",\"messageModel\":");
    json_put_text(&body, slice_text(consumers->message_model));
    put_subscriptions(&body, &consumers->subscriptions);
    buffer_put_8(&body, '}');
    request_answer_body(request, &body);
    buffer_done(&body);
}

void connections_handle_producers(struct request *request)
{
    struct get_producer_connections_header header;
    if (!request_header(request, &get_producer_connections_layout, &header)) return;
    const struct producers *producers =
        clients_producers(&request->broker->clients, header.producer_group);
    if (!producers) {
        request_refuse(request, RESPONSE_SYSTEM_ERROR, "the producer group[%.*s] not exist",
                       SLICE_FORMAT(header.producer_group));
        return;
    }
    struct buffer body;
    buffer_init(&body);
    put_connections(&body, &producers->members);
    buffer_put_8(&body, '}');
    request_answer_body(request, &body);
    buffer_done(&body);
}

void connections_handle_all_producers(struct request *request)
{
    struct buffer body;
    size_t position = 0, groups = 0;
    struct map_entry entry;
    buffer_init(&body);
    buffer_put_text(&body, "{\"data\":{");
    while (map_next(&request->broker->clients.producers, &position, &entry)) {
        const struct producers *producers = entry.value;
        size_t members = 0;
        if (groups++ > 0) buffer_put_8(&body, ',');
        json_put_text(&body, slice_text(producers->group));
        buffer_put_text(&body, ":[");
        LIST_EACH(&producers->members, link)
        {
            const struct member *member = CONTAINER_OF(link, struct member, in_group);
            const char *language = language_name(member->language);
            buffer_put_text(&body, members++ > 0 ? ",{\"clientId\":" : "{\"clientId\":");
            json_put_text(&body, slice_text(member->client_id));
            buffer_put_format(&body,
                              ",\"language\":\"%s\",\"lastUpdateTimestamp\":%lld,\"remoteIP\":"
                              "\"/%s\",\"version\":%d}",
                              language ? language : "OTHER", (long long)member->beat_unix_ms,
                              member->connection->peer, (int)member->version);
        }
        buffer_put_8(&body, ']');
    }
    buffer_put_text(&body, "}}");
    request_answer_body(request, &body);
    buffer_done(&body);
}

void connections_handle_subscription(struct request *request)
{
    struct query_subscription_by_consumer_header header;
    if (!request_header(request, &query_subscription_by_consumer_layout, &header)) return;
    const struct consumers *consumers =
        clients_consumers(&request->broker->clients, header.consumer_group);
    const struct subscription *subscription =
        consumers && header.topic.data ? map_get(&consumers->subscriptions, header.topic) : NULL;
    struct buffer body;
    buffer_init(&body);
    buffer_put_text(&body, "{\"group\":");
    json_put_text(&body, header.consumer_group);
    if (subscription) {
        buffer_put_text(&body, ",\"subscriptionData\":");
        subscription_encode(subscription, &body);
    }
    buffer_put_text(&body, ",\"topic\":");
    json_put_text(&body, header.topic.data ? header.topic : SLICE_LITERAL(""));
    buffer_put_8(&body, '}');
    request_answer_body(request, &body);
    buffer_done(&body);
}
