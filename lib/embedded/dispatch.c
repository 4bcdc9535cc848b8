/* What happens to every frame: decoding, the log, faults, signatures, then the handler that the
 * table names for the code. On the I/O thread; called by connection.c. */
#include "lib/base/clock.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/request.h"

struct handler {
    int32_t code;
    void (*handle)(struct request *request);
};

static const struct handler BROKER_HANDLERS[] = {
#define NAME_SERVER(code, function)
#define BROKER(code, function) {REQUEST_##code, function},
#include "lib/embedded/handlers.def"
#undef NAME_SERVER
#undef BROKER
};

static const struct handler NAME_SERVER_HANDLERS[] = {
#define NAME_SERVER(code, function) {REQUEST_##code, function},
#define BROKER(code, function)
#include "lib/embedded/handlers.def"
#undef NAME_SERVER
#undef BROKER
};

static void handle_request(struct request *request);

void dispatch_frame(struct connection *connection, struct slice frame)
{
    struct remoting_command command;
    if (remoting_command_decode(&command, frame, NULL) != MQC_OK) {
        connection_close(connection);
        return;
    }
    if (remoting_command_is_response(&command)) {
        push_answered(connection, &command);
    } else {
        struct request request = {
            .cluster = connection->listener->cluster,
            .broker = connection->listener->broker,
            .connection = connection,
            .command = &command,
            .frame = frame,
            .reply = {.connection = connection,
                      .opaque = command.opaque,
                      .wanted = !remoting_command_is_oneway(&command)},
        };
        handle_request(&request);
    }
    remoting_command_done(&command);
}

/* The first of several fields that is there. */
static struct slice any_field(const struct remoting_command *command, const char *const *names)
{
    for (; *names; names++) {
        struct slice value = remoting_command_field(command, *names);
        if (value.data) return value;
    }
    return SLICE_ABSENT;
}

static struct request_note note_of(const struct request *request)
{
    const struct remoting_command *command = request->command;
    bool short_names = command->code == REQUEST_SEND_MESSAGE_V2 ||
                       command->code == REQUEST_SEND_BATCH_MESSAGE ||
                       command->code == REQUEST_SEND_REPLY_MESSAGE_V2;
    const char *const topics[] = {short_names ? "b" : "topic", NULL};
    const char *const groups[] = {short_names ? "a" : "consumerGroup", "group", "producerGroup",
                                  NULL};
    return (struct request_note){
        .code = command->code,
        .server = request->broker ? request->broker->data->name : EMBEDDED_NAME_SERVER,
        .client_id = request->connection->client_id,
        .peer = request->connection->peer,
        .topic = any_field(command, topics),
        .group = any_field(command, groups),
        .body_bytes = command->body.size,
        .oneway = remoting_command_is_oneway(command),
    };
}

/* SendStatus.java: with these codes brokers answer what they have stored. */
static bool is_answer_to_stored(int32_t request_code, int64_t answer_code)
{
    return (request_code == REQUEST_SEND_MESSAGE || request_code == REQUEST_SEND_MESSAGE_V2 ||
            request_code == REQUEST_SEND_BATCH_MESSAGE) &&
           (answer_code == RESPONSE_FLUSH_DISK_TIMEOUT ||
            answer_code == RESPONSE_SLAVE_NOT_AVAILABLE ||
            answer_code == RESPONSE_FLUSH_SLAVE_TIMEOUT);
}

/* True when the request goes no further. */
static bool fault_ends(struct request *request, const struct request_note *note)
{
    struct fault_target target = {
        .code = note->code,
        .client_id = slice_text(note->client_id),
        .group = note->group,
        .topic = note->topic,
        .server = note->server,
    };
    struct fault_found found = faults_match(&request->cluster->faults, &target);
    switch (found.kind) {
    case 0: return false;
    case MQC_FAULT_ANSWER:
        if (is_answer_to_stored(note->code, found.value)) {
            request->reply.effect = (struct fault_effect){found.kind, found.value};
            return false;
        }
        request_refuse(request, (int32_t)found.value, "%s",
                       found.text ? found.text : "a fault of the embedded cluster");
        return true;
    case MQC_FAULT_LOSE: return true;
    case MQC_FAULT_CLOSE: connection_close(request->connection); return true;
    case MQC_FAULT_NO_ANSWER: request->reply.wanted = false; return false;
    default: request->reply.effect = (struct fault_effect){found.kind, found.value}; return false;
    }
}

static void (*find_handler(const struct request *request))(struct request *)
{
    const struct handler *handlers = request->broker ? BROKER_HANDLERS : NAME_SERVER_HANDLERS;
    size_t count = request->broker ? sizeof BROKER_HANDLERS / sizeof *handlers
                                   : sizeof NAME_SERVER_HANDLERS / sizeof *handlers;
    for (size_t i = 0; i < count; i++)
        if (handlers[i].code == request->command->code) return handlers[i].handle;
    return NULL;
}

static void handle_request(struct request *request)
{
    struct mqc_embedded *cluster = request->cluster;
    struct request_note note = note_of(request);
    char remark[256];
    request->reply.log_number = request_log_add(&cluster->log, &note);
    if (fault_ends(request, &note)) return;
    if (!acl_accepts(&cluster->acl, request->command, remark, sizeof remark)) {
        request_refuse(request, RESPONSE_NO_PERMISSION, "%s", remark);
        return;
    }
    void (*handle)(struct request *) = find_handler(request);
    if (handle)
        handle(request);
    else
        request_refuse(request, RESPONSE_REQUEST_CODE_NOT_SUPPORTED,
                       " request type %d not supported", (int)request->command->code);
}
