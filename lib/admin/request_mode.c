/* How a group gets the messages of a topic: SET_MESSAGE_REQUEST_MODE (401) to the masters of the
 * topic (SetConsumeModeSubCommand.java). On the application's threads. */
#include <mqclient/admin_group.h>

#include "lib/admin/admin_private.h"
#include "lib/base/error.h"
#include "lib/protocol/assignment.h"
#include "lib/protocol/names.h"

enum { SHARE_MOST = 65535 };

static mqc_status tell_masters(struct client_instance *instance, const struct topic_route *route,
                               const struct command_to_send *request, mqc_error *error);

mqc_status mqc_admin_set_request_mode(mqc_admin *admin, const char *topic, const char *group,
                                      bool pop, int share_queues, mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    if (status == MQC_OK) status = names_check_topic(topic, error);
    if (status == MQC_OK) status = names_check_group(group, "consumerGroup", error);
    if (status == MQC_OK && (share_queues < 0 || share_queues > SHARE_MOST))
        status =
            error_set(error, MQC_BAD_ARGUMENT,
                      "share_queues is %d: give the number of members whose queues are shared, "
                      "or 0 for all",
                      share_queues);
    if (status != MQC_OK) return status;
    struct client_instance *instance = admin->instance;
    struct topic_queues *queues;
    status = client_instance_update_route(instance, topic, NULL, 0,
                                          client_instance_request_deadline(instance), error);
    if (status == MQC_OK)
        status = client_instance_queues(instance, topic, client_instance_request_deadline(instance),
                                        &queues, error);
    if (status != MQC_OK) return status;
    struct buffer body;
    buffer_init(&body);
    request_mode_encode(client_instance_options(instance)->name_space, topic, group, pop,
                        share_queues, &body);
    struct command_to_send request = {.code = REQUEST_SET_MESSAGE_REQUEST_MODE,
                                      .body = buffer_slice(&body)};
    status = body.failed ? error_no_memory(error)
                         : tell_masters(instance, queues->route, &request, error);
    buffer_done(&body);
    topic_queues_unref(queues);
    return status;
}

static mqc_status tell_masters(struct client_instance *instance, const struct topic_route *route,
                               const struct command_to_send *request, mqc_error *error)
{
    size_t told = 0;
    for (size_t i = 0; i < route->broker_count; i++) {
        struct remoting_response response;
        const char *address = broker_data_master(&route->brokers[i]);
        if (!address) continue;
        mqc_status status =
            client_api_call(client_instance_api(instance), address, request,
                            client_instance_request_deadline(instance), &response, error);
        if (status != MQC_OK) return status;
        remoting_response_done(&response);
        told++;
    }
    return told > 0 ? MQC_OK
                    : error_set(error, MQC_NO_ROUTE, "no broker of the topic has a master now");
}
