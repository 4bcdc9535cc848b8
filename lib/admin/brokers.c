/* Brokers and name servers (ClusterListSubCommand.java, BrokerStatusSubCommand.java, the commands
 * of namesrv). On the application's threads; each request has the client's request timeout. */
#include "lib/admin/admin_private.h"
#include "lib/admin/decode.h"
#include "lib/base/error.h"

/* ---- brokers ---- */

static mqc_status check_address(const struct mqc_admin *admin, const char *address,
                                mqc_error *error)
{
    struct address parsed;
    mqc_status status = admin_check(admin, error);
    return status == MQC_OK ? address_parse(slice_text(address), &parsed, error) : status;
}

static mqc_status add_broker(mqc_brokers *brokers, const struct broker_data *data, size_t number,
                             mqc_error *error)
{
    mqc_broker *broker = result_add(brokers, 1, sizeof *broker);
    if (!result_append(brokers, &brokers->brokers, &brokers->count, broker))
        return error_no_memory(error);
    broker->cluster = result_text(brokers, data->cluster);
    broker->broker_name = result_text(brokers, data->broker_name);
    broker->broker_id = data->addresses[number].broker_id;
    broker->address = result_text(brokers, data->addresses[number].address);
    bool whole = broker->cluster && broker->broker_name && broker->address;
    return whole ? MQC_OK : error_no_memory(error);
}

static int compare_brokers(const void *a, const void *b)
{
    const mqc_broker *left = *(const mqc_broker *const *)a, *right = *(const mqc_broker *const *)b;
    int order = strcmp(left->cluster, right->cluster);
    if (order == 0) order = strcmp(left->broker_name, right->broker_name);
    return order ? order
                 : (left->broker_id > right->broker_id) - (left->broker_id < right->broker_id);
}

mqc_status mqc_admin_brokers(mqc_admin *admin, const char *cluster, const mqc_brokers **out,
                             mqc_error *error)
{
    struct cluster_info info;
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_cluster(admin, &info, error);
    if (status != MQC_OK) return status;
    mqc_brokers *brokers = result_new(sizeof *brokers);
    if (!brokers) status = error_no_memory(error);
    for (size_t i = 0; status == MQC_OK && i < info.broker_count; i++) {
        if (!admin_is_wanted(&info.brokers[i], cluster, NULL)) continue;
        for (size_t a = 0; status == MQC_OK && a < info.brokers[i].address_count; a++)
            status = add_broker(brokers, &info.brokers[i], a, error);
    }
    if (status == MQC_OK && cluster && brokers->count == 0)
        status = error_set(error, MQC_NOT_FOUND,
                           "no broker is registered in cluster %.100s at the name server", cluster);
    cluster_info_done(&info);
    if (brokers) result_sort(brokers->brokers, brokers->count, compare_brokers);
    return admin_finish(status, brokers, out);
}

mqc_status mqc_admin_broker_status(mqc_admin *admin, const char *address,
                                   const mqc_broker_status **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = check_address(admin, address, error);
    if (status != MQC_OK) return status;
    mqc_broker_status *answer = result_new(sizeof *answer);
    if (!answer) return error_no_memory(error);
    struct command_to_send request = {.code = REQUEST_GET_BROKER_RUNTIME_INFO};
    struct remoting_response response;
    status = admin_call(admin, address, &request, &response, error);
    if (status == MQC_OK) {
        status = broker_status_read(answer, response.command.body, error);
        remoting_response_done(&response);
    }
    return admin_finish(status, answer, out);
}

/* A body of "name=value" lines. */
static mqc_status ask_properties(struct mqc_admin *admin, const char *address, int32_t code,
                                 const mqc_settings **out, mqc_error *error)
{
    mqc_settings *settings = result_new(sizeof *settings);
    if (!settings) return error_no_memory(error);
    struct command_to_send request = {.code = code};
    struct remoting_response response;
    mqc_status status = address ? admin_call(admin, address, &request, &response, error)
                                : admin_call_name_server(admin, &request, &response, error);
    if (status == MQC_OK) {
        status = properties_text_read(settings, settings, response.command.body, error);
        remoting_response_done(&response);
    }
    return admin_finish(status, settings, out);
}

mqc_status mqc_admin_broker_config(mqc_admin *admin, const char *address, const mqc_settings **out,
                                   mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = check_address(admin, address, error);
    if (status != MQC_OK) return status;
    return ask_properties(admin, address, REQUEST_GET_BROKER_CONFIG, out, error);
}

static mqc_status check_setting(const char *name, const char *value, mqc_error *error)
{
    if (!name || !*name || strpbrk(name, "=\r\n") || !value || strpbrk(value, "\r\n"))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "a setting is a name, without '=', and a value, on one line");
    return MQC_OK;
}

/* A broker takes any name without an error and forgets those it does not know. */
static mqc_status check_it_has(struct mqc_admin *admin, const char *address, const char *name,
                               mqc_error *error)
{
    const mqc_settings *settings;
    mqc_status status = mqc_admin_broker_config(admin, address, &settings, error);
    if (status != MQC_OK) return status;
    if (!mqc_settings_value(settings, name))
        status = error_set(error, MQC_NOT_FOUND,
                           "broker %.200s has no setting %.100s: mqc_admin_broker_config tells all",
                           address, name);
    mqc_admin_result_free(settings);
    return status;
}

mqc_status mqc_admin_set_broker_config(mqc_admin *admin, const char *address, const char *name,
                                       const char *value, mqc_error *error)
{
    mqc_status status = check_address(admin, address, error);
    if (status == MQC_OK) status = check_setting(name, value, error);
    if (status != MQC_OK) return status;
    struct buffer body;
    buffer_init(&body);
    buffer_put_format(&body, "%s=%s\n", name, value);
    struct command_to_send request = {.code = REQUEST_UPDATE_BROKER_CONFIG,
                                      .body = buffer_slice(&body)};
    status =
        body.failed ? error_no_memory(error) : admin_call_empty(admin, address, &request, error);
    buffer_done(&body);
    return status == MQC_OK ? check_it_has(admin, address, name, error) : status;
}

struct permission_change {
    const char *broker_name;
    bool writable;
    int topics;
};

/* WIPE_WRITE_PERM_OF_BROKER (205), ADD_WRITE_PERM_OF_BROKER (327) */
static mqc_status change_permission(struct mqc_admin *admin, const char *address, void *arg,
                                    mqc_error *error)
{
    struct permission_change *change = arg;
    struct write_permission_of_broker_header header = {.broker_name =
                                                           slice_text(change->broker_name)};
    struct command_to_send request = {.code = change->writable ? REQUEST_ADD_WRITE_PERM_OF_BROKER
                                                               : REQUEST_WIPE_WRITE_PERM_OF_BROKER,
                                      .layout = &write_permission_of_broker_layout,
                                      .header = &header};
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    struct slice count = remoting_command_field(
        &response.command, change->writable ? "addTopicCount" : "wipeTopicCount");
    int32_t topics = 0;
    if (count.data && slice_to_int32(count, &topics)) change->topics = topics;
    remoting_response_done(&response);
    return MQC_OK;
}

mqc_status mqc_admin_set_broker_writable(mqc_admin *admin, const char *broker_name, bool writable,
                                         int *topics, mqc_error *error)
{
    struct cluster_info info;
    mqc_status status = admin_check(admin, error);
    if (status == MQC_OK && (!broker_name || !*broker_name))
        status = error_set(error, MQC_BAD_ARGUMENT, "no broker name");
    if (status == MQC_OK) status = admin_cluster(admin, &info, error);
    if (status != MQC_OK) return status;
    bool found = false; /* the name servers themselves answer any name with success */
    for (size_t i = 0; i < info.broker_count; i++)
        found = found || strcmp(info.brokers[i].broker_name, broker_name) == 0;
    cluster_info_done(&info);
    if (!found)
        return error_set(error, MQC_NOT_FOUND, "no broker %.100s is registered at the name server",
                         broker_name);
    struct permission_change change = {broker_name, writable, 0};
    status = admin_each_name_server(admin, change_permission, &change, error);
    if (status == MQC_OK && topics) *topics = change.topics;
    return status;
}

/* ---- name servers ---- */

static mqc_status take_server(struct mqc_admin *admin, const char *address, void *arg,
                              mqc_error *error)
{
    (void)admin;
    return result_add_name(arg, arg, slice_text(address)) ? MQC_OK : error_no_memory(error);
}

mqc_status mqc_admin_name_servers(mqc_admin *admin, const mqc_name_list **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status != MQC_OK) return status;
    mqc_name_list *list = result_new(sizeof *list);
    if (!list) return error_no_memory(error);
    status = admin_each_name_server(admin, take_server, list, error);
    result_sort_names(list);
    return admin_finish(status, list, out);
}

mqc_status mqc_admin_name_server_config(mqc_admin *admin, const char *address,
                                        const mqc_settings **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK && address) status = check_address(admin, address, error);
    if (status != MQC_OK) return status;
    return ask_properties(admin, address, REQUEST_GET_NAMESRV_CONFIG, out, error);
}

static mqc_status check_key(const struct mqc_admin *admin, const char *name_space, const char *key,
                            mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    if (status != MQC_OK) return status;
    if (!name_space || !*name_space || !key || !*key)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "a namespace, as ORDER_TOPIC_CONFIG, and a key are needed");
    return MQC_OK;
}

mqc_status mqc_admin_kv_list(mqc_admin *admin, const char *name_space, const mqc_settings **out,
                             mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = check_key(admin, name_space, "any", error);
    if (status != MQC_OK) return status;
    mqc_settings *settings = result_new(sizeof *settings);
    if (!settings) return error_no_memory(error);
    struct get_kv_list_header header = {.name_space = slice_text(name_space)};
    struct command_to_send request = {
        .code = REQUEST_GET_KVLIST_BY_NAMESPACE, .layout = &get_kv_list_layout, .header = &header};
    struct remoting_response response;
    mqc_error refused;
    status = admin_call_name_server(admin, &request, &response, &refused);
    if (status == MQC_OK) {
        status = table_read(settings, settings, response.command.body, error);
        remoting_response_done(&response);
    } else if (status == MQC_REFUSED && refused.broker_code == RESPONSE_QUERY_NOT_FOUND) {
        status = MQC_OK;
    } else if (error) {
        *error = refused;
    }
    return admin_finish(status, settings, out);
}

mqc_status mqc_admin_kv_get(mqc_admin *admin, const char *name_space, const char *key,
                            const mqc_settings **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = check_key(admin, name_space, key, error);
    if (status != MQC_OK) return status;
    mqc_settings *settings = result_new(sizeof *settings);
    if (!settings) return error_no_memory(error);
    struct get_kv_config_header header = {.name_space = slice_text(name_space),
                                          .key = slice_text(key)};
    struct command_to_send request = {
        .code = REQUEST_GET_KV_CONFIG, .layout = &get_kv_config_layout, .header = &header};
    struct remoting_response response;
    mqc_error refused;
    status = admin_call_name_server(admin, &request, &response, &refused);
    if (status == MQC_OK) {
        struct slice value = remoting_command_field(&response.command, "value");
        if (!result_add_setting(settings, settings, key, value)) status = error_no_memory(error);
        remoting_response_done(&response);
    } else if (status == MQC_REFUSED && refused.broker_code == RESPONSE_QUERY_NOT_FOUND) {
        status =
            error_set(error, MQC_NOT_FOUND, "namespace %.100s has no key %.100s", name_space, key);
    } else if (error) {
        *error = refused;
    }
    return admin_finish(status, settings, out);
}

static mqc_status call_each(struct mqc_admin *admin, const char *address, void *arg,
                            mqc_error *error)
{
    return admin_call_empty(admin, address, arg, error);
}

mqc_status mqc_admin_kv_put(mqc_admin *admin, const char *name_space, const char *key,
                            const char *value, mqc_error *error)
{
    mqc_status status = check_key(admin, name_space, key, error);
    if (status == MQC_OK && !value)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "the value is NULL: mqc_admin_kv_delete removes a key");
    if (status != MQC_OK) return status;
    struct put_kv_config_header header = {
        .name_space = slice_text(name_space), .key = slice_text(key), .value = slice_text(value)};
    struct command_to_send request = {
        .code = REQUEST_PUT_KV_CONFIG, .layout = &put_kv_config_layout, .header = &header};
    return admin_each_name_server(admin, call_each, &request, error);
}

mqc_status mqc_admin_kv_delete(mqc_admin *admin, const char *name_space, const char *key,
                               mqc_error *error)
{
    mqc_status status = check_key(admin, name_space, key, error);
    if (status != MQC_OK) return status;
    struct delete_kv_config_header header = {.name_space = slice_text(name_space),
                                             .key = slice_text(key)};
    struct command_to_send request = {
        .code = REQUEST_DELETE_KV_CONFIG, .layout = &delete_kv_config_layout, .header = &header};
    return admin_each_name_server(admin, call_each, &request, error);
}
