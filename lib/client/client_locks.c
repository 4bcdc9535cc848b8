/* Taking and giving back the locks of queues. Rebalance service, callback threads, shutdown. */
#include "lib/client/client_locks.h"

#include "lib/base/error.h"
#include "lib/protocol/lock_bodies.h"

mqc_status client_locks_take(struct client_instance *instance, const char *group,
                             const mqc_message_queue *queues, size_t count, int64_t deadline_ms,
                             bool *locked, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    mqc_status status =
        client_instance_queue_master(instance, &queues[0], deadline_ms, address, error);
    if (status != MQC_OK) return status;
    struct buffer body;
    struct remoting_response response;
    buffer_init(&body);
    lock_request_encode(client_instance_options(instance)->name_space, group,
                        client_instance_id(instance), queues, count, &body);
    struct command_to_send request = {.code = REQUEST_LOCK_BATCH_MQ, .body = buffer_slice(&body)};
    status = body.failed ? error_no_memory(error)
                         : client_api_call(client_instance_api(instance), address, &request,
                                           deadline_ms, &response, error);
    buffer_done(&body);
    if (status != MQC_OK) return status;
    status =
        lock_response_decode(response.command.body, client_instance_options(instance)->name_space,
                             queues, count, locked, error);
    remoting_response_done(&response);
    return status;
}

mqc_status client_locks_give_back(struct client_instance *instance, const char *group,
                                  const mqc_message_queue *queues, size_t count,
                                  int64_t deadline_ms, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    struct route_table *routes = client_instance_routes(instance);
    const char *host =
        route_table_host(routes, queues[0].topic, queues[0].broker_name, queues[0].queue_id);
    if (!route_table_master(routes, host, address))
        return error_set(error, MQC_NO_ROUTE, "The broker[%s] not exist", queues[0].broker_name);
    struct buffer body;
    buffer_init(&body);
    lock_request_encode(client_instance_options(instance)->name_space, group,
                        client_instance_id(instance), queues, count, &body);
    struct command_to_send request = {.code = REQUEST_UNLOCK_BATCH_MQ, .body = buffer_slice(&body)};
    mqc_status status = body.failed
                            ? error_no_memory(error)
                            : remoting_client_call_oneway(client_instance_remoting(instance),
                                                          address, &request, deadline_ms, error);
    buffer_done(&body);
    return status;
}
