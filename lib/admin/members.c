/* Who is connected, and what a consumer tells of itself (DefaultMQAdminExtImpl.java). On the
 * application's threads; each request has the client's request timeout. A member keeps connections
 * to all brokers it has to do with, so all are asked and those that know nobody are passed over;
 * mqadmin asks one by chance. */
#include "lib/admin/members.h"
#include "lib/admin/admin_private.h"
#include "lib/admin/decode.h"
#include "lib/base/error.h"
#include "lib/protocol/names.h"

struct question {
    void *result;
    const char *group, *client_id;
    bool with_stacks, answered;
    mqc_error refusal; /* when nobody has answered */
};

static bool is_nobody(const mqc_error *error)
{
    return error->status == MQC_REFUSED && (error->broker_code == RESPONSE_CONSUMER_NOT_ONLINE ||
                                            error->broker_code == RESPONSE_SYSTEM_ERROR);
}

/* ---- consumers ---- */

/* GET_CONSUMER_CONNECTION_LIST (203): 206 for a group that is not online. */
static mqc_status ask_members(struct mqc_admin *admin, const struct broker_data *broker,
                              const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct question *question = arg;
    struct get_consumer_connections_header header = {.consumer_group = slice_text(question->group)};
    struct command_to_send request = {.code = REQUEST_GET_CONSUMER_CONNECTION_LIST,
                                      .layout = &get_consumer_connections_layout,
                                      .header = &header};
    struct remoting_response response;
    mqc_error refused;
    mqc_status status = admin_call(admin, address, &request, &response, &refused);
    if (status != MQC_OK) {
        if (is_nobody(&refused)) return MQC_OK;
        if (error) *error = refused;
        return status;
    }
    status = group_members_add(question->result, question->group, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status members_ask(struct mqc_admin *admin, const char *group, mqc_group_members *members,
                       mqc_error *error)
{
    struct question question = {.result = members, .group = group};
    char topic[NAME_BYTES];
    names_retry_topic(group, topic);
    mqc_status status = admin_ask_topic_brokers(admin, topic, true, ask_members, &question, error);
    group_members_finish(members);
    return status;
}

mqc_status mqc_admin_group_members(mqc_admin *admin, const char *group,
                                   const mqc_group_members **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_group(admin, group, error);
    if (status != MQC_OK) return status;
    mqc_group_members *members = result_new(sizeof *members);
    if (!members) return error_no_memory(error);
    status = members_ask(admin, group, members, error);
    if (status == MQC_OK && members->count == 0)
        status = error_set(error, MQC_NOT_FOUND, "nobody of group %.120s is online", group);
    return admin_finish(status, members, out);
}

/* GET_CONSUMER_RUNNING_INFO (307): the broker asks the member over its own connection. */
static mqc_status ask_running_info(struct mqc_admin *admin, const struct broker_data *broker,
                                   const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    (void)error;
    struct question *question = arg;
    if (question->answered) return MQC_OK;
    struct get_consumer_running_info_header header = {.consumer_group = slice_text(question->group),
                                                      .client_id = slice_text(question->client_id),
                                                      .with_stacks = question->with_stacks};
    struct command_to_send request = {.code = REQUEST_GET_CONSUMER_RUNNING_INFO,
                                      .layout = &get_consumer_running_info_layout,
                                      .header = &header};
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, &request, &response, &question->refusal);
    if (status != MQC_OK) return MQC_OK; /* the next one may know it */
    question->answered = true;
    status = running_info_read(question->result, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status members_running_info(struct mqc_admin *admin, const char *group, const char *client_id,
                                bool with_stacks, mqc_running_info *info, mqc_error *error)
{
    struct question question = {
        .result = info, .group = group, .client_id = client_id, .with_stacks = with_stacks};
    char topic[NAME_BYTES];
    names_retry_topic(group, topic);
    info->client_id = result_text(info, client_id);
    if (!info->client_id) return error_no_memory(error);
    mqc_status status =
        admin_ask_topic_brokers(admin, topic, true, ask_running_info, &question, error);
    if (status != MQC_OK || question.answered) return status;
    if (is_nobody(&question.refusal))
        return error_set(error, MQC_NOT_FOUND, "%.200s is no member of group %.120s: %.150s",
                         client_id, group, question.refusal.text);
    if (error) *error = question.refusal;
    return question.refusal.status;
}

mqc_status mqc_admin_running_info(mqc_admin *admin, const char *group, const char *client_id,
                                  bool with_stacks, const mqc_running_info **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_group(admin, group, error);
    if (status == MQC_OK && (!client_id || !*client_id))
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "no client id: give one of those that mqc_admin_group_members lists");
    if (status != MQC_OK) return status;
    mqc_running_info *info = result_new(sizeof *info);
    if (!info) return error_no_memory(error);
    status = members_running_info(admin, group, client_id, with_stacks, info, error);
    return admin_finish(status, info, out);
}

/* ---- producers ---- */

/* GET_PRODUCER_CONNECTION_LIST (204): code 1 for a group that is not there. Without a group
 * GET_ALL_PRODUCER_INFO (328). */
static mqc_status ask_producers(struct mqc_admin *admin, const struct broker_data *broker,
                                const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct question *question = arg;
    const char *group = question->group;
    struct get_producer_connections_header header = {.producer_group = slice_text(group)};
    struct command_to_send request = {.code = group ? REQUEST_GET_PRODUCER_CONNECTION_LIST
                                                    : REQUEST_GET_ALL_PRODUCER_INFO,
                                      .layout = group ? &get_producer_connections_layout : NULL,
                                      .header = group ? &header : NULL};
    struct remoting_response response;
    mqc_error refused;
    mqc_status status = admin_call(admin, address, &request, &response, &refused);
    if (status != MQC_OK) {
        if (group && is_nobody(&refused)) return MQC_OK;
        if (error) *error = refused;
        return status;
    }
    status = group ? producers_add(question->result, group, response.command.body, error)
                   : producer_table_add(question->result, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_producers(mqc_admin *admin, const char *group, const mqc_producers **out,
                               mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK && group) status = admin_check_group(admin, group, error);
    if (status != MQC_OK) return status;
    mqc_producers *producers = result_new(sizeof *producers);
    if (!producers) return error_no_memory(error);
    struct question question = {.result = producers, .group = group};
    status = admin_ask_brokers(admin, NULL, ask_producers, &question, error);
    producers_finish(producers);
    return admin_finish(status, producers, out);
}
