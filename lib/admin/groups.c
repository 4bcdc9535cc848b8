/* Consumer groups: create, change, delete, list (UpdateSubGroupSubCommand.java,
 * DeleteSubscriptionGroupCommand.java). On the application's threads; each request has the client's
 * request timeout. */
#include <stdlib.h>

#include "lib/admin/admin_private.h"
#include "lib/admin/decode.h"
#include "lib/base/error.h"
#include "lib/base/sized_struct.h"
#include "lib/protocol/names.h"
#include "lib/protocol/relaxed_json.h"

enum { MOST_RETRY_QUEUES = 65535, AT_ONCE = -1 };

/* A group that is created or changed on several brokers. */
struct group_change {
    const char *group, *cluster;
    mqc_group_options options;
    bool update; /* what the options do not say stays as it is */
    int changed; /* brokers that have it now, or had it before an update */
};

struct question {
    void *result;
    const char *group;
};

static mqc_status change_on_broker(struct mqc_admin *admin, const struct broker_data *broker,
                                   const char *address, void *arg, mqc_error *error);

/* ---- create and change ---- */

static mqc_status check_switch(const char *name, int value, mqc_error *error)
{
    if (value >= -1 && value <= 1) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT, "%s is %d: give 1 for yes, -1 for no, 0 for %s", name,
                     value, "the default");
}

static mqc_status check_options(const mqc_group_options *options, mqc_error *error)
{
    mqc_status status = check_switch("consume", options->consume, error);
    if (status == MQC_OK) status = check_switch("broadcast", options->broadcast, error);
    if (status == MQC_OK) status = check_switch("ordered", options->ordered, error);
    if (status != MQC_OK) return status;
    if (options->retry_max_times < AT_ONCE)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "retry_max_times is %d: give 1 or more, or -1 for none",
                         options->retry_max_times);
    if (options->retry_queues < 0 || options->retry_queues > MOST_RETRY_QUEUES)
        return error_set(error, MQC_BAD_ARGUMENT, "retry_queues is %d: give 1 to %d",
                         options->retry_queues, MOST_RETRY_QUEUES);
    if (options->consume_timeout_minutes < 0)
        return error_set(error, MQC_BAD_ARGUMENT, "consume_timeout_minutes is %d: give 1 or more",
                         options->consume_timeout_minutes);
    return MQC_OK;
}

static mqc_status change_group(mqc_admin *admin, struct group_change *change,
                               const mqc_group_options *options, size_t size, mqc_error *error)
{
    struct cluster_info info;
    mqc_status status = admin_check_group(admin, change->group, error);
    if (status == MQC_OK)
        status = sized_struct_copy(&change->options, sizeof change->options, options, size, error);
    if (status == MQC_OK) status = check_options(&change->options, error);
    if (status == MQC_OK) status = admin_cluster(admin, &info, error);
    if (status != MQC_OK) return status;
    status = admin_change_masters(admin, &info, change->cluster, change->options.broker_name,
                                  change_on_broker, change, error);
    cluster_info_done(&info);
    if (status == MQC_OK && change->changed == 0)
        return error_set(error, MQC_NOT_FOUND,
                         "no broker%s%.100s has group %.120s: create it instead",
                         change->cluster ? " of cluster " : "",
                         change->cluster ? change->cluster : "", change->group);
    return status;
}

mqc_status mqc_admin_create_group_sized(mqc_admin *admin, const char *cluster, const char *group,
                                        const mqc_group_options *options, size_t size,
                                        mqc_error *error)
{
    struct group_change change = {.group = group, .cluster = cluster};
    return change_group(admin, &change, options, size, error);
}

mqc_status mqc_admin_update_group_sized(mqc_admin *admin, const char *cluster, const char *group,
                                        const mqc_group_options *options, size_t size,
                                        mqc_error *error)
{
    struct group_change change = {.group = group, .cluster = cluster, .update = true};
    return change_group(admin, &change, options, size, error);
}

/* GET_SUBSCRIPTIONGROUP_CONFIG (352). A group that a 5.x broker does not have is answered with the
 * defaults where brokers create groups by themselves, which also creates it. */
static mqc_status call_config(struct mqc_admin *admin, const char *address, const char *group,
                              struct remoting_response *response, mqc_error *error)
{
    struct get_subscription_group_config_header header = {.consumer_group = slice_text(group)};
    struct command_to_send request = {.code = REQUEST_GET_SUBSCRIPTIONGROUP_CONFIG,
                                      .layout = &get_subscription_group_config_layout,
                                      .header = &header};
    return admin_call(admin, address, &request, response, error);
}

/* GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201) */
static mqc_status call_all_configs(struct mqc_admin *admin, const char *address,
                                   struct remoting_response *response, mqc_error *error)
{
    struct get_all_subscription_group_config_header header;
    header_init(&get_all_subscription_group_config_layout, &header);
    struct command_to_send request = {.code = REQUEST_GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
                                      .layout = &get_all_subscription_group_config_layout,
                                      .header = &header};
    return admin_call(admin, address, &request, response, error);
}

/* The group's configuration in a broker's list of all: asking for it alone may create it. *out is
 * NULL when the broker does not have it. */
static mqc_status read_present(struct mqc_admin *admin, const char *address, const char *group,
                               json_t **out, mqc_error *error)
{
    struct remoting_response response;
    json_t *json;
    *out = NULL;
    mqc_status status = call_all_configs(admin, address, &response, error);
    if (status != MQC_OK) return status;
    status = relaxed_json_parse(response.command.body, "subscription groups", &json, error);
    remoting_response_done(&response);
    if (status != MQC_OK) return status;
    *out = json_incref(json_object_get(json_object_get(json, "subscriptionGroupTable"), group));
    json_decref(json);
    return MQC_OK;
}

static void set_switch(json_t *config, const char *name, int wish)
{
    if (wish) json_object_set_new(config, name, json_boolean(wish > 0));
}

static void apply_options(json_t *config, const mqc_group_options *options)
{
    if (options->retry_max_times)
        json_object_set_new(
            config, "retryMaxTimes",
            json_integer(options->retry_max_times == AT_ONCE ? 0 : options->retry_max_times));
    if (options->retry_queues)
        json_object_set_new(config, "retryQueueNums", json_integer(options->retry_queues));
    if (options->consume_timeout_minutes)
        json_object_set_new(config, "consumeTimeoutMinute",
                            json_integer(options->consume_timeout_minutes));
    set_switch(config, "consumeEnable", options->consume);
    set_switch(config, "consumeBroadcastEnable", options->broadcast);
    set_switch(config, "consumeMessageOrderly", options->ordered);
}

/* UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200) with a SubscriptionGroupConfig.java: members that are
 * left out take their defaults. */
static mqc_status change_on_broker(struct mqc_admin *admin, const struct broker_data *broker,
                                   const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct group_change *change = arg;
    json_t *config = NULL;
    mqc_status status = MQC_OK;
    if (change->update) {
        status = read_present(admin, address, change->group, &config, error);
        if (status != MQC_OK || !config) return status;
    } else {
        config = json_pack("{s:s}", "groupName", change->group);
    }
    if (config) apply_options(config, &change->options);
    char *text = config ? json_dumps(config, JSON_COMPACT) : NULL;
    json_decref(config);
    if (!text) return error_no_memory(error);
    change->changed++;
    struct command_to_send request = {.code = REQUEST_UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
                                      .body = slice_text(text)};
    status = admin_call_empty(admin, address, &request, error);
    free(text);
    return status;
}

/* ---- delete ---- */

static mqc_status delete_on_broker(struct mqc_admin *admin, const struct broker_data *broker,
                                   const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct command_to_send request = {.code = REQUEST_DELETE_SUBSCRIPTIONGROUP,
                                      .layout = &delete_subscription_group_layout,
                                      .header = arg};
    return admin_call_empty(admin, address, &request, error);
}

mqc_status mqc_admin_delete_group(mqc_admin *admin, const char *cluster, const char *group,
                                  bool keep_offsets, mqc_error *error)
{
    struct cluster_info info;
    char topic[NAME_BYTES];
    mqc_status status = admin_check_group(admin, group, error);
    if (status == MQC_OK) status = admin_cluster(admin, &info, error);
    if (status != MQC_OK) return status;
    struct delete_subscription_group_header header = {.consumer_group = slice_text(group),
                                                      .clean_offset = !keep_offsets};
    status = admin_change_masters(admin, &info, cluster, NULL, delete_on_broker, &header, error);
    cluster_info_done(&info);
    if (status != MQC_OK) return status;
    names_retry_topic(group, topic);
    status = admin_delete_topic(admin, cluster, topic, error);
    if (status != MQC_OK) return status;
    names_dead_letter_topic(group, topic);
    return admin_delete_topic(admin, cluster, topic, error);
}

/* ---- ask ---- */

static mqc_status ask_names(struct mqc_admin *admin, const struct broker_data *broker,
                            const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct remoting_response response;
    mqc_status status = call_all_configs(admin, address, &response, error);
    if (status != MQC_OK) return status;
    status = group_names_add(arg, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_groups(mqc_admin *admin, const char *cluster, const mqc_name_list **out,
                            mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status != MQC_OK) return status;
    mqc_name_list *groups = result_new(sizeof *groups);
    if (!groups) return error_no_memory(error);
    status = admin_ask_brokers(admin, cluster, ask_names, groups, error);
    result_sort_names(groups);
    return admin_finish(status, groups, out);
}

/* The list of all says whether the broker has it; the group alone, what all its settings are. */
static mqc_status ask_config(struct mqc_admin *admin, const struct broker_data *broker,
                             const char *address, void *arg, mqc_error *error)
{
    struct question *question = arg;
    struct remoting_response response;
    json_t *present;
    mqc_status status = read_present(admin, address, question->group, &present, error);
    if (status != MQC_OK || !present) return status;
    json_decref(present);
    status = call_config(admin, address, question->group, &response, error);
    if (status != MQC_OK) return status;
    struct answer_origin origin = {broker->cluster, broker->broker_name};
    status = group_config_add(question->result, &origin, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_group_config(mqc_admin *admin, const char *group,
                                  const mqc_group_configs **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_group(admin, group, error);
    if (status != MQC_OK) return status;
    mqc_group_configs *configs = result_new(sizeof *configs);
    if (!configs) return error_no_memory(error);
    struct question question = {configs, group};
    status = admin_ask_brokers(admin, NULL, ask_config, &question, error);
    if (status == MQC_OK && configs->count == 0)
        status = error_set(error, MQC_NOT_FOUND, "no broker has group %.120s", group);
    return admin_finish(status, configs, out);
}

static mqc_status ask_topics(struct mqc_admin *admin, const struct broker_data *broker,
                             const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct question *question = arg;
    struct query_topics_by_consumer_header header = {.consumer_group = slice_text(question->group)};
    struct command_to_send request = {.code = REQUEST_QUERY_TOPICS_BY_CONSUMER,
                                      .layout = &query_topics_by_consumer_layout,
                                      .header = &header};
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    status = names_add(question->result, question->result, "topic list", "topicList",
                       response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_group_topics(mqc_admin *admin, const char *group, const mqc_name_list **out,
                                  mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_group(admin, group, error);
    if (status != MQC_OK) return status;
    mqc_name_list *topics = result_new(sizeof *topics);
    if (!topics) return error_no_memory(error);
    struct question question = {topics, group};
    status = admin_ask_brokers(admin, NULL, ask_topics, &question, error);
    result_sort_names(topics);
    return admin_finish(status, topics, out);
}
