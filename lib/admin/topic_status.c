/* What is asked of topics and their queues (DefaultMQAdminExtImpl.java). On the application's
 * threads; each request has the client's request timeout. */
#include "lib/admin/admin_private.h"
#include "lib/admin/decode.h"
#include "lib/base/error.h"

/* ---- names ---- */

mqc_status mqc_admin_topics(mqc_admin *admin, const char *cluster, const mqc_name_list **out,
                            mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status != MQC_OK) return status;
    struct get_topics_by_cluster_header header = {.cluster_name = slice_text(cluster)};
    struct command_to_send request = {.code = cluster ? REQUEST_GET_TOPICS_BY_CLUSTER
                                                      : REQUEST_GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
                                      .layout = cluster ? &get_topics_by_cluster_layout : NULL,
                                      .header = cluster ? &header : NULL};
    mqc_name_list *list = result_new(sizeof *list);
    if (!list) return error_no_memory(error);
    struct remoting_response response;
    status = admin_call_name_server(admin, &request, &response, error);
    if (status == MQC_OK) {
        status = names_add(list, list, "topic list", "topicList", response.command.body, error);
        remoting_response_done(&response);
        result_sort_names(list);
    }
    return admin_finish(status, list, out);
}

mqc_status mqc_admin_each_topic(mqc_admin *admin, mqc_topic_visitor *visit, void *arg,
                                mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    if (status != MQC_OK) return status;
    struct name_list topics;
    status = client_api_topic_list(client_instance_api(admin->instance), admin_deadline(admin),
                                   &topics, error);
    if (status != MQC_OK) return status;
    for (size_t i = 0; i < topics.count && visit(topics.names[i], arg); i++) {
    }
    name_list_done(&topics);
    return MQC_OK;
}

mqc_status mqc_admin_each_route(mqc_admin *admin, const char *topic, mqc_route_visitor *visit,
                                void *arg, mqc_error *error)
{
    mqc_status status = admin_check_topic(admin, topic, error);
    if (status != MQC_OK) return status;
    struct topic_route *route;
    status = client_api_route(client_instance_api(admin->instance), topic, admin_deadline(admin),
                              &route, error);
    if (status != MQC_OK) return status;
    bool more = true;
    for (size_t i = 0; more && i < route->queue_count; i++) {
        const struct queue_data *queues = &route->queues[i];
        const struct broker_data *broker =
            topic_route_broker(route, slice_text(queues->broker_name));
        const char *master = broker ? broker_data_master(broker) : NULL;
        mqc_topic_route_entry entry = {
            .broker_name = queues->broker_name,
            .cluster = broker ? broker->cluster : NULL,
            .master_address = master,
            .slaves = broker ? (int)broker->address_count - (master != NULL) : 0,
            .read_queues = queues->read_queues,
            .write_queues = queues->write_queues,
            .permission = queues->permission,
        };
        more = visit(&entry, arg);
    }
    topic_route_unref(route);
    return MQC_OK;
}

/* ---- configuration and status ---- */

struct question {
    void *result;
    const char *topic;
};

static mqc_status ask_config(struct mqc_admin *admin, const struct broker_data *broker,
                             const char *address, void *arg, mqc_error *error)
{
    struct question *question = arg;
    struct get_topic_config_header header;
    header_init(&get_topic_config_layout, &header);
    header.topic = slice_text(question->topic);
    struct command_to_send request = {
        .code = REQUEST_GET_TOPIC_CONFIG, .layout = &get_topic_config_layout, .header = &header};
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    struct answer_origin origin = {broker->cluster, broker->broker_name};
    status = topic_config_add(question->result, &origin, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_topic_config(mqc_admin *admin, const char *topic,
                                  const mqc_topic_configs **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_topic(admin, topic, error);
    if (status != MQC_OK) return status;
    mqc_topic_configs *configs = result_new(sizeof *configs);
    if (!configs) return error_no_memory(error);
    struct question question = {configs, topic};
    status = admin_ask_topic_brokers(admin, topic, false, ask_config, &question, error);
    return admin_finish(status, configs, out);
}

static mqc_status ask_status(struct mqc_admin *admin, const struct broker_data *broker,
                             const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct question *question = arg;
    struct get_topic_stats_header header = {.topic = slice_text(question->topic)};
    struct command_to_send request = {
        .code = REQUEST_GET_TOPIC_STATS_INFO, .layout = &get_topic_stats_layout, .header = &header};
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    status = topic_status_add(question->result, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_topic_status(mqc_admin *admin, const char *topic, const mqc_topic_status **out,
                                  mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_topic(admin, topic, error);
    if (status != MQC_OK) return status;
    mqc_topic_status *answer = result_new(sizeof *answer);
    if (!answer) return error_no_memory(error);
    struct question question = {answer, topic};
    status = admin_ask_topic_brokers(admin, topic, false, ask_status, &question, error);
    topic_status_finish(answer);
    return admin_finish(status, answer, out);
}

static mqc_status ask_groups(struct mqc_admin *admin, const struct broker_data *broker,
                             const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct question *question = arg;
    struct query_topic_consume_by_who_header header = {.topic = slice_text(question->topic)};
    struct command_to_send request = {.code = REQUEST_QUERY_TOPIC_CONSUME_BY_WHO,
                                      .layout = &query_topic_consume_by_who_layout,
                                      .header = &header};
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    status = names_add(question->result, question->result, "group list", "groupList",
                       response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_topic_groups(mqc_admin *admin, const char *topic, const mqc_name_list **out,
                                  mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_topic(admin, topic, error);
    if (status != MQC_OK) return status;
    mqc_name_list *groups = result_new(sizeof *groups);
    if (!groups) return error_no_memory(error);
    struct question question = {groups, topic};
    status = admin_ask_topic_brokers(admin, topic, false, ask_groups, &question, error);
    result_sort_names(groups);
    return admin_finish(status, groups, out);
}

/* ---- offsets ---- */

/* The queue's master, and the place as the client's own offset calls name it. */
static mqc_status find_queue(struct mqc_admin *admin, const mqc_message_queue *queue,
                             const void *out, struct offset_place *place,
                             char address[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    if (status == MQC_OK && !out)
        status = error_set(error, MQC_BAD_ARGUMENT, "the place for the answer is NULL");
    if (status == MQC_OK) status = admin_check_queue(queue, error);
    if (status != MQC_OK) return status;
    *place = (struct offset_place){
        .topic = queue->topic, .broker_name = queue->broker_name, .queue_id = queue->queue_id};
    return admin_queue_master(admin, queue, address, error);
}

mqc_status mqc_admin_max_offset(mqc_admin *admin, const mqc_message_queue *queue, int64_t *offset,
                                mqc_error *error)
{
    struct offset_place place;
    char address[ADDRESS_TEXT_BYTES];
    mqc_status status = find_queue(admin, queue, offset, &place, address, error);
    if (status != MQC_OK) return status;
    return client_api_max_offset(client_instance_api(admin->instance), address, &place,
                                 admin_deadline(admin), offset, error);
}

mqc_status mqc_admin_min_offset(mqc_admin *admin, const mqc_message_queue *queue, int64_t *offset,
                                mqc_error *error)
{
    struct offset_place place;
    char address[ADDRESS_TEXT_BYTES];
    mqc_status status = find_queue(admin, queue, offset, &place, address, error);
    if (status != MQC_OK) return status;
    return client_api_min_offset(client_instance_api(admin->instance), address, &place,
                                 admin_deadline(admin), offset, error);
}

mqc_status mqc_admin_offset_at(mqc_admin *admin, const mqc_message_queue *queue, int64_t unix_ms,
                               int64_t *offset, mqc_error *error)
{
    struct offset_place place;
    char address[ADDRESS_TEXT_BYTES];
    mqc_status status = find_queue(admin, queue, offset, &place, address, error);
    if (status != MQC_OK) return status;
    return client_api_search_offset(client_instance_api(admin->instance), address, &place, unix_ms,
                                    admin_deadline(admin), offset, error);
}

mqc_status mqc_admin_oldest_time(mqc_admin *admin, const mqc_message_queue *queue, int64_t *unix_ms,
                                 mqc_error *error)
{
    struct offset_place place;
    char address[ADDRESS_TEXT_BYTES];
    mqc_status status = find_queue(admin, queue, unix_ms, &place, address, error);
    if (status != MQC_OK) return status;
    struct get_earliest_store_time_header header;
    header_init(&get_earliest_store_time_layout, &header);
    header.topic = slice_text(queue->topic);
    header.queue_id = queue->queue_id;
    header.broker_name = slice_text(queue->broker_name);
    struct command_to_send request = {.code = REQUEST_GET_EARLIEST_MSG_STORETIME,
                                      .layout = &get_earliest_store_time_layout,
                                      .header = &header};
    struct remoting_response response;
    status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    struct get_earliest_store_time_response_header answer;
    status =
        header_decode(&get_earliest_store_time_response_layout, &response.command, &answer, error);
    if (status == MQC_OK) *unix_ms = answer.timestamp;
    remoting_response_done(&response);
    return status;
}
