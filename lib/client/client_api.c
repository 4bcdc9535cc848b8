/* The typed calls: see client_api.h. Each fills a header, makes one call and reads the answer. */
#include "lib/client/client_api.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/client/address_map.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/relaxed_json.h"
#include "lib/protocol/subscription.h"

static mqc_status call_empty(struct client_api *api, const char *address,
                             const struct command_to_send *request, int64_t deadline_ms,
                             mqc_error *error);
static mqc_status call_name_server_ok(struct client_api *api, const struct command_to_send *request,
                                      int64_t deadline_ms, struct remoting_response *response,
                                      mqc_error *error);
static mqc_status call_for_offset(struct client_api *api, const char *address,
                                  const struct command_to_send *request, int64_t deadline_ms,
                                  int64_t *offset, mqc_error *error);
static const char *advice_on(const struct remoting_command *answer);
static void name_server_in_front(mqc_error *error, const char *address);
static struct update_consumer_offset_header update_header(const struct offset_place *place,
                                                          int64_t offset);

mqc_status client_api_refused(const struct remoting_command *answer, const char *address,
                              const char *doing, mqc_error *error)
{
    error_refused(error, answer->code, "%s: %s refused: %s (%d) %.*s%s", address, doing,
                  response_code_name(answer->code), (int)answer->code,
                  SLICE_FORMAT(slice_trim(answer->remark)), advice_on(answer));
    enum response_judgement judgement = response_judge(answer->code);
    if (judgement == JUDGE_RETRY || judgement == JUDGE_RECONNECT) error_mark_retryable(error);
    return MQC_REFUSED;
}

/* What servers say to requests that should have gone elsewhere, or should have been signed; in
 * 4.9 (AclException) and in 5.x (AuthenticationException). */
static const char *advice_on(const struct remoting_command *answer)
{
    static const struct {
        const char *said, *advice;
    } KNOWN[] = {
        {"username cannot be null", " It wants signed requests: set access_key and secret_key."},
        {"No accessKey is configured", " It wants signed requests: set access_key and secret_key."},
        {"request type 105 not supported",
         ": is this a broker? A name server's address is needed (port 9876)"},
    };
    struct slice remark = answer->remark;
    for (size_t i = 0; remark.data && i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (memmem(remark.data, remark.size, KNOWN[i].said, strlen(KNOWN[i].said)))
            return KNOWN[i].advice;
    return "";
}

mqc_status client_api_call(struct client_api *api, const char *address,
                           const struct command_to_send *request, int64_t deadline_ms,
                           struct remoting_response *response, mqc_error *error)
{
    mqc_status status =
        remoting_client_call(api->remoting, address, request, deadline_ms, response, error);
    if (status != MQC_OK || response->command.code == RESPONSE_SUCCESS) return status;
    status =
        client_api_refused(&response->command, address, request_code_name(request->code), error);
    remoting_response_done(response);
    return status;
}

mqc_status client_api_call_name_server(struct client_api *api,
                                       const struct command_to_send *request, int64_t deadline_ms,
                                       struct remoting_response *response, mqc_error *error)
{
    size_t count = name_servers_count(api->name_servers);
    mqc_error unasked, *why = error ? error : &unasked;
    mqc_status status =
        error_set(error, MQC_BAD_ARGUMENT,
                  "No name server address, please set it: name_servers or $NAMESRV_ADDR");
    for (size_t left = count; left > 0; left--) {
        char address[ADDRESS_TEXT_BYTES];
        if (!name_servers_chosen(api->name_servers, address)) break;
        int64_t now = clock_now_ms();
        int64_t share = now + (deadline_ms - now) / (int64_t)left;
        status = remoting_client_call(api->remoting, address, request, share, response, why);
        if (status == MQC_OK) name_servers_answered(api->name_servers, address);
        if (status == MQC_OK || status == MQC_CANCELLED || status == MQC_TOO_BIG) break;
        name_server_in_front(why, address);
        bool news = name_servers_failed(api->name_servers, address);
        LOG_AT(news ? MQC_LOG_WARN : MQC_LOG_DEBUG, LOG_ROUTE, "%s", error ? error->text : address);
    }
    return status;
}

/* An address alone does not say that it is a name server's, which is the first that a new program
 * has wrong. */
static void name_server_in_front(mqc_error *error, const char *address)
{
    mqc_error failure = *error;
    size_t size = strlen(address);
    bool has_it = strncmp(failure.text, address, size) == 0 && failure.text[size] == ':';
    error_set(error, failure.status, "name server %s: %s", address,
              has_it ? failure.text + size + 2 : failure.text);
    error->broker_code = failure.broker_code;
    error->retryable = failure.retryable;
    error->maybe_done = failure.maybe_done;
}

mqc_status client_api_route(struct client_api *api, const char *topic, int64_t deadline_ms,
                            struct topic_route **out, mqc_error *error)
{
    struct get_route_header header = {.topic = slice_text(topic)};
    struct command_to_send request = {
        .code = REQUEST_GET_ROUTEINFO_BY_TOPIC, .layout = &get_route_layout, .header = &header};
    struct remoting_response response;
    mqc_status status = client_api_call_name_server(api, &request, deadline_ms, &response, error);
    if (status != MQC_OK) {
        if (error) error->maybe_done = false; /* a question, not what the caller is about to do */
        return status;
    }
    struct remoting_command *answer = &response.command;
    if (answer->code == RESPONSE_SUCCESS) {
        status = topic_route_decode(answer->body, out, error);
        if (status == MQC_OK)
            status = address_map_apply(api->options, (*out)->brokers, (*out)->broker_count, error);
        if (status != MQC_OK) {
            topic_route_unref(*out);
            *out = NULL;
        }
    } else if (answer->code == RESPONSE_TOPIC_NOT_EXIST) {
        status = error_set(error, MQC_NO_ROUTE,
                           "No route info of this topic: %s. Create it (mqc topic create -t %s) "
                           "or let the broker create topics (autoCreateTopicEnable)",
                           topic, topic);
    } else {
        status = client_api_refused(answer, "name server", "GET_ROUTEINFO_BY_TOPIC", error);
    }
    remoting_response_done(&response);
    return status;
}

mqc_status client_api_topic_list(struct client_api *api, int64_t deadline_ms, struct name_list *out,
                                 mqc_error *error)
{
    struct command_to_send request = {.code = REQUEST_GET_ALL_TOPIC_LIST_FROM_NAMESERVER};
    struct remoting_response response;
    mqc_status status = call_name_server_ok(api, &request, deadline_ms, &response, error);
    if (status != MQC_OK) return status;
    status = topic_list_decode(response.command.body, out, error);
    remoting_response_done(&response);
    for (size_t i = 0; status == MQC_OK && i < out->count; i++) {
        char room[NAME_BYTES];
        struct slice name =
            namespace_unwrap(api->options->name_space, slice_text(out->names[i]), room);
        memmove(out->names[i], name.data, name.size + 1); /* never longer than it was */
    }
    return status;
}

mqc_status client_api_cluster_info(struct client_api *api, int64_t deadline_ms,
                                   struct cluster_info *out, mqc_error *error)
{
    struct command_to_send request = {.code = REQUEST_GET_BROKER_CLUSTER_INFO};
    struct remoting_response response;
    mqc_status status = call_name_server_ok(api, &request, deadline_ms, &response, error);
    if (status != MQC_OK) return status;
    status = cluster_info_decode(response.command.body, out, error);
    if (status == MQC_OK) {
        status = address_map_apply(api->options, out->brokers, out->broker_count, error);
        if (status != MQC_OK) cluster_info_done(out);
    }
    remoting_response_done(&response);
    return status;
}

mqc_status client_api_create_topic(struct client_api *api, const char *address,
                                   const struct create_topic_header *header, int64_t deadline_ms,
                                   mqc_error *error)
{
    struct command_to_send request = {
        .code = REQUEST_UPDATE_AND_CREATE_TOPIC, .layout = &create_topic_layout, .header = header};
    return call_empty(api, address, &request, deadline_ms, error);
}

mqc_status client_api_delete_topic(struct client_api *api, const char *address, const char *topic,
                                   int64_t deadline_ms, mqc_error *error)
{
    struct delete_topic_header header = {.topic = slice_text(topic)};
    struct command_to_send request = {
        .code = REQUEST_DELETE_TOPIC_IN_BROKER, .layout = &delete_topic_layout, .header = &header};
    return call_empty(api, address, &request, deadline_ms, error);
}

mqc_status client_api_consumer_list(struct client_api *api, const char *address, const char *group,
                                    int64_t deadline_ms, struct name_list *out, mqc_error *error)
{
    struct get_consumer_list_header header = {.consumer_group = slice_text(group)};
    struct command_to_send request = {.code = REQUEST_GET_CONSUMER_LIST_BY_GROUP,
                                      .layout = &get_consumer_list_layout,
                                      .header = &header};
    struct remoting_response response;
    mqc_status status = client_api_call(api, address, &request, deadline_ms, &response, error);
    if (status != MQC_OK) return status;
    status = consumer_list_decode(response.command.body, out, error);
    remoting_response_done(&response);
    return status;
}

mqc_status client_api_query_offset(struct client_api *api, const char *address,
                                   const struct offset_place *place, int64_t deadline_ms,
                                   int64_t *offset, mqc_error *error)
{
    struct query_consumer_offset_header header;
    header_init(&query_consumer_offset_layout, &header);
    header.consumer_group = slice_text(place->group);
    header.topic = slice_text(place->topic);
    header.queue_id = place->queue_id;
    header.broker_name = slice_text(place->broker_name);
    struct command_to_send request = {.code = REQUEST_QUERY_CONSUMER_OFFSET,
                                      .layout = &query_consumer_offset_layout,
                                      .header = &header};
    mqc_error refused;
    mqc_status status = call_for_offset(api, address, &request, deadline_ms, offset, &refused);
    if (status == MQC_REFUSED && refused.broker_code == RESPONSE_QUERY_NOT_FOUND) {
        *offset = -1;
        return MQC_OK;
    }
    if (status != MQC_OK && error) *error = refused;
    return status;
}

mqc_status client_api_update_offset_async(struct client_api *api, const char *address,
                                          const struct offset_place *place, int64_t offset,
                                          int64_t deadline_ms, remoting_done *done, void *arg,
                                          mqc_error *error)
{
    struct update_consumer_offset_header header = update_header(place, offset);
    struct command_to_send request = {.code = REQUEST_UPDATE_CONSUMER_OFFSET,
                                      .layout = &update_consumer_offset_layout,
                                      .header = &header};
    return remoting_client_call_async(api->remoting, address, &request, deadline_ms, done, arg,
                                      error);
}

mqc_status client_api_update_offset_sync(struct client_api *api, const char *address,
                                         const struct offset_place *place, int64_t offset,
                                         int64_t deadline_ms, mqc_error *error)
{
    struct update_consumer_offset_header header = update_header(place, offset);
    struct command_to_send request = {.code = REQUEST_UPDATE_CONSUMER_OFFSET,
                                      .layout = &update_consumer_offset_layout,
                                      .header = &header};
    return call_empty(api, address, &request, deadline_ms, error);
}

mqc_status client_api_max_offset(struct client_api *api, const char *address,
                                 const struct offset_place *place, int64_t deadline_ms,
                                 int64_t *offset, mqc_error *error)
{
    struct get_max_offset_header header;
    header_init(&get_max_offset_layout, &header);
    header.topic = slice_text(place->topic);
    header.queue_id = place->queue_id;
    header.broker_name = slice_text(place->broker_name);
    struct command_to_send request = {
        .code = REQUEST_GET_MAX_OFFSET, .layout = &get_max_offset_layout, .header = &header};
    return call_for_offset(api, address, &request, deadline_ms, offset, error);
}

mqc_status client_api_min_offset(struct client_api *api, const char *address,
                                 const struct offset_place *place, int64_t deadline_ms,
                                 int64_t *offset, mqc_error *error)
{
    struct get_min_offset_header header;
    header_init(&get_min_offset_layout, &header);
    header.topic = slice_text(place->topic);
    header.queue_id = place->queue_id;
    header.broker_name = slice_text(place->broker_name);
    struct command_to_send request = {
        .code = REQUEST_GET_MIN_OFFSET, .layout = &get_min_offset_layout, .header = &header};
    return call_for_offset(api, address, &request, deadline_ms, offset, error);
}

mqc_status client_api_search_offset(struct client_api *api, const char *address,
                                    const struct offset_place *place, int64_t unix_ms,
                                    int64_t deadline_ms, int64_t *offset, mqc_error *error)
{
    struct search_offset_header header;
    header_init(&search_offset_layout, &header);
    header.topic = slice_text(place->topic);
    header.queue_id = place->queue_id;
    header.timestamp = unix_ms;
    header.broker_name = slice_text(place->broker_name);
    struct command_to_send request = {.code = REQUEST_SEARCH_OFFSET_BY_TIMESTAMP,
                                      .layout = &search_offset_layout,
                                      .header = &header};
    return call_for_offset(api, address, &request, deadline_ms, offset, error);
}

mqc_status client_api_send_back(struct client_api *api, const char *address,
                                const struct consumer_send_message_back_header *header,
                                int64_t deadline_ms, mqc_error *error)
{
    struct command_to_send request = {.code = REQUEST_CONSUMER_SEND_MSG_BACK,
                                      .layout = &consumer_send_message_back_layout,
                                      .header = header};
    return call_empty(api, address, &request, deadline_ms, error);
}

mqc_status client_api_check_filter(struct client_api *api, const char *address,
                                   const char *client_id, const char *group,
                                   const struct subscription *subscription, int64_t deadline_ms,
                                   mqc_error *error)
{
    struct buffer body;
    buffer_init(&body);
    buffer_put_text(&body, "{\"clientId\":");
    json_put_text(&body, slice_text(client_id));
    buffer_put_text(&body, ",\"group\":");
    json_put_text(&body, slice_text(group));
    buffer_put_text(&body, ",\"subscriptionData\":");
    subscription_encode(subscription, &body);
    buffer_put_8(&body, '}');
    struct command_to_send request = {.code = REQUEST_CHECK_CLIENT_CONFIG,
                                      .body = buffer_slice(&body)};
    mqc_status status = body.failed ? error_no_memory(error)
                                    : call_empty(api, address, &request, deadline_ms, error);
    buffer_done(&body);
    return status;
}

static mqc_status call_empty(struct client_api *api, const char *address,
                             const struct command_to_send *request, int64_t deadline_ms,
                             mqc_error *error)
{
    struct remoting_response response;
    mqc_status status = client_api_call(api, address, request, deadline_ms, &response, error);
    if (status == MQC_OK) remoting_response_done(&response);
    return status;
}

static mqc_status call_name_server_ok(struct client_api *api, const struct command_to_send *request,
                                      int64_t deadline_ms, struct remoting_response *response,
                                      mqc_error *error)
{
    mqc_status status = client_api_call_name_server(api, request, deadline_ms, response, error);
    if (status != MQC_OK || response->command.code == RESPONSE_SUCCESS) return status;
    status = client_api_refused(&response->command, "name server", request_code_name(request->code),
                                error);
    remoting_response_done(response);
    return status;
}

static mqc_status call_for_offset(struct client_api *api, const char *address,
                                  const struct command_to_send *request, int64_t deadline_ms,
                                  int64_t *offset, mqc_error *error)
{
    struct remoting_response response;
    mqc_status status = client_api_call(api, address, request, deadline_ms, &response, error);
    if (status != MQC_OK) return status;
    struct offset_response_header header;
    status = header_decode(&offset_response_layout, &response.command, &header, error);
    if (status == MQC_OK) *offset = header.offset;
    remoting_response_done(&response);
    return status;
}

static struct update_consumer_offset_header update_header(const struct offset_place *place,
                                                          int64_t offset)
{
    struct update_consumer_offset_header header;
    header_init(&update_consumer_offset_layout, &header);
    header.consumer_group = slice_text(place->group);
    header.topic = slice_text(place->topic);
    header.queue_id = place->queue_id;
    header.commit_offset = offset;
    header.broker_name = slice_text(place->broker_name);
    return header;
}
