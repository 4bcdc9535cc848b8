/* What brokers ask of this client (ClientRemotingProcessor.java). The reading thread only decides;
 * anything that may take time runs on a callback thread with the request's bytes kept. */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/client/client_instance_private.h"
#include "lib/protocol/namespace.h"

struct client_request {
    struct callback_task task;
    struct client_instance *instance;
    struct remoting_connection *connection; /* counted */
    struct frame *frame;
    struct remoting_command command;
};

static void submit(struct client_instance *instance, struct remoting_arrival *arrival);
static void run(struct callback_task *task);
static struct slice group_of(const struct remoting_command *request);

void client_requests_handle(struct remoting_arrival *arrival, void *arg)
{
    struct client_instance *instance = arg;
    switch (arrival->command->code) {
    case REQUEST_NOTIFY_CONSUMER_IDS_CHANGED: client_instance_regroup(instance); break;
    case REQUEST_CHECK_TRANSACTION_STATE: client_pushes_check(instance, arrival); break;
    case REQUEST_PUSH_REPLY_MESSAGE_TO_CLIENT: client_pushes_reply(instance, arrival); break;
    case REQUEST_RESET_CONSUMER_CLIENT_OFFSET:
    case REQUEST_GET_CONSUMER_STATUS_FROM_CLIENT:
    case REQUEST_GET_CONSUMER_RUNNING_INFO:
    case REQUEST_CONSUME_MESSAGE_DIRECTLY: submit(instance, arrival); break;
    default: {
        char remark[64];
        snprintf(remark, sizeof remark, " request type %d not supported",
                 (int)arrival->command->code);
        client_requests_reply(arrival->connection, arrival->command,
                              RESPONSE_REQUEST_CODE_NOT_SUPPORTED, SLICE_ABSENT, remark);
    }
    }
}

static void submit(struct client_instance *instance, struct remoting_arrival *arrival)
{
    struct client_request *request = memory_allocate(sizeof *request);
    struct frame *frame = request ? remoting_arrival_keep(arrival) : NULL;
    if (!frame) {
        memory_free(request);
        client_requests_reply(arrival->connection, arrival->command, RESPONSE_SYSTEM_ERROR,
                              SLICE_ABSENT, "out of memory");
        return;
    }
    request->task.run = run;
    request->instance = instance;
    request->connection = remoting_connection_ref(arrival->connection);
    request->frame = frame;
    remoting_command_move(&request->command, arrival->command);
    callback_executor_submit(instance->callbacks, &request->task);
}

static void run(struct callback_task *task)
{
    struct client_request *request = CONTAINER_OF(task, struct client_request, task);
    struct client_instance *instance = request->instance;
    char room[NAME_BYTES];
    struct slice group =
        namespace_unwrap(instance->options.name_space, group_of(&request->command), room);
    struct client_role *role = client_roles_hold(instance, CLIENT_ROLE_CONSUMER, group);
    if (role && role->type->request) {
        role->type->request(role, request);
    } else {
        mqc_error remark;
        error_set(&remark, MQC_NOT_FOUND, "The Consumer Group <%.*s> not exist in this consumer",
                  SLICE_FORMAT(group));
        client_request_answer(request, RESPONSE_SYSTEM_ERROR, SLICE_ABSENT, remark.text);
    }
    if (role) client_roles_release(instance, role);
}

const struct remoting_command *client_request_command(const struct client_request *request)
{
    return &request->command;
}

void client_request_answer(struct client_request *request, int32_t code, struct slice body,
                           const char *remark)
{
    client_requests_reply(request->connection, &request->command, code, body, remark);
    client_request_drop(request);
}

void client_request_drop(struct client_request *request)
{
    remoting_command_done(&request->command);
    frame_unref(request->frame);
    remoting_connection_unref(request->connection);
    memory_free(request);
}

/* The requests name their group in one of two fields. */
static struct slice group_of(const struct remoting_command *request)
{
    struct slice group = remoting_command_field(request, "consumerGroup");
    return group.data ? group : remoting_command_field(request, "group");
}

/* Oneway requests (39, 40, 220) are never answered. */
void client_requests_reply(struct remoting_connection *connection,
                           const struct remoting_command *request, int32_t code, struct slice body,
                           const char *remark)
{
    if (remoting_command_is_oneway(request)) return;
    struct command_to_send response = {
        .code = code,
        .body = body,
        .remark = remark[0] ? slice_text(remark) : SLICE_ABSENT,
    };
    mqc_error error;
    if (remoting_connection_reply(connection, request->opaque, &response, &error) != MQC_OK)
        log_warn(LOG_REMOTING, "answer to %s not sent: %s", request_code_name(request->code),
                 error.text);
}
