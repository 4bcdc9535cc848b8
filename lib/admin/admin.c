/* The admin handle's life, what is checked of every call's arguments, and single requests. The
 * handle shares the instance of roles with the same client options and registers no group there
 * (MQClientInstance.registerAdminExt). On the application's threads. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/process.h"

#include "lib/admin/admin_private.h"
#include "lib/admin/result.h"
#include "lib/client/client_manager.h"
#include "lib/client/options.h"
#include "lib/producer/inner_producer.h"
#include "lib/protocol/names.h"
#include "services/service.h"

enum { GOODBYE_MS = 1000 };

mqc_admin *mqc_admin_new_sized(const mqc_client_options *options, size_t size, mqc_error *error)
{
    mqc_client_options whole;
    if (options_take_client(&options, size, &whole, error) != MQC_OK ||
        options_check_client(options, error) != MQC_OK)
        return NULL;
    struct mqc_admin *admin = memory_allocate_zero(1, sizeof *admin);
    if (!admin) {
        error_no_memory(error);
        return NULL;
    }
    admin->fork_generation = process_fork_generation();
    mqc_client_options filled = options_fill_client(options);
    if (client_manager_join(&filled, &inner_producer, NULL, &admin->instance, error) != MQC_OK) {
        memory_free(admin);
        return NULL;
    }
    return admin;
}

void mqc_admin_free(mqc_admin *admin)
{
    /* A forked child has none of the threads, and perhaps locks that nobody will release. */
    if (!admin || admin->fork_generation != process_fork_generation()) return;
    if (service_on_own_thread()) {
        log_error(LOG_LIFECYCLE, "admin not freed: mqc_admin_free was called in a callback or "
                                 "listener, call it from a thread of the application");
        return;
    }
    client_manager_leave(admin->instance, NULL, clock_deadline_ms(GOODBYE_MS));
    memory_free(admin);
}

mqc_status admin_check(const struct mqc_admin *admin, mqc_error *error)
{
    if (!admin)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the admin handle is NULL: make one with mqc_admin_new");
    if (admin->fork_generation != process_fork_generation())
        return error_set(error, MQC_WRONG_STATE,
                         "this process was forked after the admin handle was made, whose threads "
                         "and connections stayed with the parent: make a new one here");
    return MQC_OK;
}

mqc_status admin_check_out(const struct mqc_admin *admin, void *out, mqc_error *error)
{
    if (!out)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the place for the result is NULL: give the address of a pointer");
    memset(out, 0, sizeof(void *));
    return admin_check(admin, error);
}

mqc_status admin_check_group(const struct mqc_admin *admin, const char *group, mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    return status == MQC_OK ? names_check_group(group, "group", error) : status;
}

mqc_status admin_check_topic(const struct mqc_admin *admin, const char *topic, mqc_error *error)
{
    mqc_status status = admin_check(admin, error);
    return status == MQC_OK ? names_check_topic(topic, error) : status;
}

mqc_status admin_check_queue(const mqc_message_queue *queue, mqc_error *error)
{
    if (!queue || !queue->broker_name || !*queue->broker_name || queue->queue_id < 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "a queue is needed: give topic, broker name and a number from 0");
    return names_check_topic(queue->topic, error);
}

mqc_status admin_finish(mqc_status status, void *result, void *out)
{
    if (status == MQC_OK)
        memcpy(out, &result, sizeof result);
    else
        mqc_admin_result_free(result);
    return status;
}

/* ---- requests ---- */

int64_t admin_deadline(const struct mqc_admin *admin)
{
    return client_instance_request_deadline(admin->instance);
}

mqc_status admin_call(struct mqc_admin *admin, const char *address,
                      const struct command_to_send *request, struct remoting_response *response,
                      mqc_error *error)
{
    return client_api_call(client_instance_api(admin->instance), address, request,
                           admin_deadline(admin), response, error);
}

mqc_status admin_call_empty(struct mqc_admin *admin, const char *address,
                            const struct command_to_send *request, mqc_error *error)
{
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, request, &response, error);
    if (status == MQC_OK) remoting_response_done(&response);
    return status;
}

mqc_status admin_call_name_server(struct mqc_admin *admin, const struct command_to_send *request,
                                  struct remoting_response *response, mqc_error *error)
{
    mqc_status status = client_api_call_name_server(client_instance_api(admin->instance), request,
                                                    admin_deadline(admin), response, error);
    if (status != MQC_OK || response->command.code == RESPONSE_SUCCESS) return status;
    status = client_api_refused(&response->command, "name server", request_code_name(request->code),
                                error);
    remoting_response_done(response);
    return status;
}

mqc_status admin_each_name_server(struct mqc_admin *admin, admin_server_call *call, void *arg,
                                  mqc_error *error)
{
    char list[NAME_SERVERS_MOST * ADDRESS_TEXT_BYTES];
    name_servers_format(client_instance_api(admin->instance)->name_servers, list, sizeof list);
    mqc_status result = MQC_OK;
    struct slice rest = slice_text(list);
    while (rest.data) {
        struct slice part = slice_split(&rest, ";");
        char address[ADDRESS_TEXT_BYTES];
        if (part.size == 0 || part.size >= sizeof address) continue;
        memcpy(address, part.data, part.size);
        address[part.size] = '\0';
        mqc_status status = call(admin, address, arg, error);
        if (status != MQC_OK) result = status;
    }
    return result;
}
