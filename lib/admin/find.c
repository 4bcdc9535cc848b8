/* Finding stored messages by id and by key (MQAdminImpl.java). On the application's threads; each
 * request has the client's request timeout. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/admin/decode.h"
#include "lib/admin/stored.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/intern.h"
#include "lib/base/memory.h"
#include "lib/client/address_map.h"
#include "lib/protocol/properties.h"

#define TRACE_TOPIC "RMQ_SYS_TRACE_TOPIC" /* TopicValidator.RMQ_SYS_TRACE_TOPIC */

enum {
    DEFAULT_MOST = 64,
    UNIQUE_MOST = 32,
    UNIQUE_WINDOW_MS = 3 * 24 * 3600 * 1000 /* before now: in which hours' indexes it looks */
};

struct key_question {
    const char *topic, *key;
    int64_t begin_unix_ms, end_unix_ms;
    int most;
    bool unique;
    mqc_message_list *found;
};

/* ---- what answers hold ---- */

mqc_status stored_decode(struct mqc_admin *admin, struct remoting_response *response,
                         const char *broker_name, struct message_block **out, mqc_error *error)
{
    const char *name = NULL;
    *out = NULL;
    if (broker_name) {
        name = intern_name(client_instance_names(admin->instance), slice_text(broker_name));
        if (!name) return error_no_memory(error);
    }
    mqc_status status = message_block_decode(response->frame, response->command.body, out, error);
    for (size_t i = 0; status == MQC_OK && *out && i < (*out)->count; i++) {
        (*out)->messages[i].broker_name = name;
        status = message_inflate(&(*out)->messages[i], false, error);
    }
    if (status != MQC_OK) {
        message_block_unref(*out);
        *out = NULL;
    }
    return status;
}

mqc_status stored_check(const mqc_message *message, mqc_error *error)
{
    if (!message || message->block->built)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "a stored message is needed: one that a broker has given");
    return MQC_OK;
}

mqc_status stored_address(struct mqc_admin *admin, const mqc_message *message,
                          char out[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    if (message->broker_name)
        return client_instance_queue_master(
            admin->instance,
            &(mqc_message_queue){message->topic, message->broker_name, message->queue_id},
            admin_deadline(admin), out, error);
    char host[HOST_TEXT_BYTES];
    host_format(&message->store_host, host);
    strcpy(out, host);
    return MQC_OK;
}

/* ---- by the broker's id ---- */

/* The registered broker that has this address; false when there is none. */
static bool find_broker(const struct cluster_info *info, const char *address, const char **name)
{
    for (size_t i = 0; i < info->broker_count; i++)
        for (size_t a = 0; a < info->brokers[i].address_count; a++)
            if (strcmp(info->brokers[i].addresses[a].address, address) == 0) {
                *name = info->brokers[i].broker_name;
                return true;
            }
    return false;
}

/* VIEW_MESSAGE_BY_ID (33). *out stays NULL when the broker has nothing there. */
static mqc_status view(struct mqc_admin *admin, const char *address, const char *broker_name,
                       const char *topic, int64_t commit_log_offset, mqc_message **out,
                       mqc_error *error)
{
    struct view_message_header header = {.topic = slice_text(topic),
                                         .commit_log_offset = commit_log_offset};
    struct command_to_send request = {
        .code = REQUEST_VIEW_MESSAGE_BY_ID, .layout = &view_message_layout, .header = &header};
    struct remoting_response response;
    struct message_block *block;
    mqc_error refused;
    mqc_status status = admin_call(admin, address, &request, &response, &refused);
    if (status == MQC_REFUSED && refused.broker_code == RESPONSE_SYSTEM_ERROR) return MQC_OK;
    if (status != MQC_OK) {
        if (error) *error = refused;
        return status;
    }
    status = stored_decode(admin, &response, broker_name, &block, error);
    remoting_response_done(&response);
    if (status == MQC_OK && block) *out = &block->messages[0];
    return status;
}

/* The address in an id is the one that the broker advertises, before any mapping. */
static mqc_status used_address(struct mqc_admin *admin, const struct host *host,
                               char out[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    char advertised[HOST_TEXT_BYTES], name[] = "";
    host_format(host, advertised);
    struct broker_address place = {.address = memory_duplicate(advertised)};
    struct broker_data broker = {.broker_name = name, .address_count = 1, .addresses = &place};
    if (!place.address) return error_no_memory(error);
    /* Of a sender's id the digits are no broker's address: what a function makes of that says
     * nothing. */
    (void)address_map_apply(client_instance_options(admin->instance), &broker, 1, NULL);
    snprintf(out, ADDRESS_TEXT_BYTES, "%s", place.address);
    memory_free(place.address);
    return MQC_OK;
}

/* Java asks whatever address the id's digits are, which for most unique ids is that of a client;
 * here it must be a broker's. */
static mqc_status by_offset_id(struct mqc_admin *admin, const char *topic, const char *id,
                               mqc_message **out, mqc_error *error)
{
    struct host host;
    int64_t commit_log_offset;
    char address[ADDRESS_TEXT_BYTES];
    struct cluster_info info;
    const char *broker_name;
    if (offset_id_parse(slice_text(id), &host, &commit_log_offset, NULL) != MQC_OK) return MQC_OK;
    mqc_status status = used_address(admin, &host, address, error);
    if (status == MQC_OK) status = admin_cluster(admin, &info, error);
    if (status != MQC_OK) return status;
    if (find_broker(&info, address, &broker_name))
        status = view(admin, address, broker_name, topic, commit_log_offset, out, error);
    cluster_info_done(&info);
    return status;
}

/* ---- by key ---- */

static bool has_key(const struct mqc_message *message, const char *key)
{
    struct slice rest = message_property(message, PROPERTY_KEYS);
    while (rest.data)
        if (slice_is(slice_split(&rest, " "), key)) return true;
    return false;
}

/* The index knows hash codes only. */
static bool is_asked_for(const struct key_question *question, const struct mqc_message *message)
{
    if (!slice_is(message->stored_topic, question->topic)) return false;
    if (question->unique)
        return slice_is(message_property(message, PROPERTY_UNIQUE_KEY), question->key);
    return has_key(message, question->key);
}

static mqc_status take_found(const struct key_question *question, struct message_block *block,
                             mqc_error *error)
{
    mqc_message_list *found = question->found;
    for (size_t i = 0; block && i < block->count; i++) {
        mqc_message *message = &block->messages[i];
        if (!is_asked_for(question, message)) continue;
        if (!result_keep_message(found, mqc_message_ref(message)) ||
            !result_append(found, &found->messages, &found->count, message))
            return error_no_memory(error);
    }
    return MQC_OK;
}

/* QUERY_MESSAGE (12); 22 when the broker finds nothing. */
static mqc_status ask_by_key(struct mqc_admin *admin, const struct broker_data *broker,
                             const char *address, void *arg, mqc_error *error)
{
    const struct key_question *question = arg;
    struct query_message_header header;
    header_init(&query_message_layout, &header);
    header.topic = slice_text(question->topic);
    header.key = slice_text(question->key);
    header.max_messages = question->most;
    header.begin_timestamp = question->begin_unix_ms;
    header.end_timestamp = question->end_unix_ms;
    header.unique_key_query = question->unique;
    struct command_to_send request = {
        .code = REQUEST_QUERY_MESSAGE, .layout = &query_message_layout, .header = &header};
    struct remoting_response response;
    struct message_block *block;
    mqc_error refused;
    mqc_status status = admin_call(admin, address, &request, &response, &refused);
    if (status == MQC_REFUSED && refused.broker_code == RESPONSE_QUERY_NOT_FOUND) return MQC_OK;
    if (status != MQC_OK) {
        if (error) *error = refused;
        return status;
    }
    status = stored_decode(admin, &response, broker->broker_name, &block, error);
    remoting_response_done(&response);
    if (status == MQC_OK) status = take_found(question, block, error);
    message_block_unref(block);
    return status;
}

static int compare_stored(const void *a, const void *b)
{
    int64_t left = (*(const mqc_message *const *)a)->stored_unix_ms;
    int64_t right = (*(const mqc_message *const *)b)->stored_unix_ms;
    return (left > right) - (left < right);
}

static mqc_status check_key(const char *key, mqc_error *error)
{
    if (key && *key && !strchr(key, ' ')) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "a key is one word: messages have several, separated by spaces");
}

mqc_status mqc_admin_messages_by_key(mqc_admin *admin, const char *topic, const char *key,
                                     int64_t begin_unix_ms, int64_t end_unix_ms, int most,
                                     const mqc_message_list **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_topic(admin, topic, error);
    if (status == MQC_OK) status = check_key(key, error);
    if (status == MQC_OK && (begin_unix_ms < 0 || end_unix_ms < 0 || most < 0))
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "times are milliseconds since 1970 and the most is 1 or more");
    if (status != MQC_OK) return status;
    mqc_message_list *found = result_new(sizeof *found);
    if (!found) return error_no_memory(error);
    struct key_question question = {.topic = topic,
                                    .key = key,
                                    .begin_unix_ms = begin_unix_ms,
                                    .end_unix_ms = end_unix_ms ? end_unix_ms : INT64_MAX,
                                    .most = most ? most : DEFAULT_MOST,
                                    .found = found};
    status = admin_ask_topic_brokers(admin, topic, false, ask_by_key, &question, error);
    result_sort(found->messages, found->count, compare_stored);
    return admin_finish(status, found, out);
}

static mqc_status by_unique_id(struct mqc_admin *admin, const char *topic, const char *id,
                               mqc_message **out, mqc_error *error)
{
    mqc_message_list *found = result_new(sizeof *found);
    if (!found) return error_no_memory(error);
    struct key_question question = {.topic = topic,
                                    .key = id,
                                    .begin_unix_ms = clock_unix_ms() - UNIQUE_WINDOW_MS,
                                    .end_unix_ms = INT64_MAX,
                                    .most = UNIQUE_MOST,
                                    .unique = true,
                                    .found = found};
    mqc_status status = admin_ask_topic_brokers(admin, topic, false, ask_by_key, &question, error);
    result_sort(found->messages, found->count, compare_stored);
    if (status == MQC_OK && found->count > 0)
        *out = mqc_message_ref(found->messages[found->count - 1]);
    mqc_admin_result_free(found);
    return status;
}

mqc_status mqc_admin_message_by_id(mqc_admin *admin, const char *topic, const char *id,
                                   mqc_message **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK && topic) status = admin_check_topic(admin, topic, error);
    if (status == MQC_OK) status = check_key(id, error);
    if (status == MQC_OK) status = by_offset_id(admin, topic, id, out, error);
    if (status != MQC_OK || *out) return status;
    if (topic) status = by_unique_id(admin, topic, id, out, error);
    if (status != MQC_OK || *out) return status;
    if (topic)
        return error_set(error, MQC_NOT_FOUND,
                         "topic %.127s has no message %.100s: it never had, or the broker has "
                         "deleted it",
                         topic, id);
    return error_set(error, MQC_NOT_FOUND,
                     "no registered broker has the address in the id %.100s, or it has no such "
                     "message; a sender's unique id needs its topic",
                     id);
}

/* ---- traces ---- */

mqc_status mqc_admin_message_trace(mqc_admin *admin, const char *trace_topic,
                                   const char *message_id, int64_t begin_unix_ms,
                                   int64_t end_unix_ms, const mqc_trace **out, mqc_error *error)
{
    const mqc_message_list *told;
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK)
        status = mqc_admin_messages_by_key(admin, trace_topic ? trace_topic : TRACE_TOPIC,
                                           message_id, begin_unix_ms, end_unix_ms, 0, &told, error);
    if (status != MQC_OK) return status;
    mqc_trace *trace = result_new(sizeof *trace);
    if (!trace) status = error_no_memory(error);
    for (size_t i = 0; status == MQC_OK && i < told->count; i++) {
        mqc_view body = mqc_message_body(told->messages[i]);
        status = trace_add(trace, slice_of(body.data, body.size), message_id,
                           mqc_message_born_host(told->messages[i]), error);
    }
    if (status == MQC_OK) trace_finish(trace);
    mqc_admin_result_free(told);
    return admin_finish(status, trace, out);
}
