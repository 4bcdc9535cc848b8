/* Answers to requests, and requests of the cluster's own to clients. See request.h; called by the
 * handlers on the I/O thread or under the cluster's lock. */
#include "lib/embedded/request.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/fault_effects.h"

enum { REMARK_BYTES = 1024 };

/* A request to a client whose answer somebody waits for. */
struct forwarded {
    struct bond to_target;
    struct bond to_origin;
    struct link in_cluster;
    struct timer timer;
    struct connection *target;
    int32_t opaque;
    struct reply origin;
    forwarded_done *done;
};

static void finish_forwarded(struct forwarded *forwarded, const struct remoting_command *answer);

/* ---- answering ---- */

void reply_send(const struct reply *reply, const struct answer *answer)
{
    struct connection *connection = reply->connection;
    struct mqc_embedded *cluster = connection->listener->cluster;
    int32_t code = answer->code;
    if (reply->effect.kind == MQC_FAULT_ANSWER && code == RESPONSE_SUCCESS)
        code = (int32_t)reply->effect.value;
    request_log_answer(&cluster->log, reply->log_number, code);
    if (!reply->wanted || connection->fd < 0) return;
    struct command_to_send command = {
        .code = code,
        .flag = COMMAND_FLAG_RESPONSE,
        .layout = answer->layout,
        .header = answer->header,
        .extra = answer->extra,
        .extra_count = answer->extra_count,
        .remark = answer->remark,
        .body = answer->body,
    };
    struct buffer frame;
    buffer_init(&frame);
    int32_t opaque = fault_opaque(&reply->effect, reply->opaque);
    mqc_status status =
        remoting_command_encode(&frame, &command, opaque, cluster->serialize_type, NULL, NULL);
    if (status == MQC_OK)
        fault_send(reply, buffer_slice(&frame));
    else
        connection_close(connection); /* no memory: an answer that is lost says so at once */
    buffer_done(&frame);
}

__attribute__((format(printf, 3, 0))) static void refuse(const struct reply *reply, int32_t code,
                                                         const char *format, va_list arguments)
{
    char remark[REMARK_BYTES];
    vsnprintf(remark, sizeof remark, format, arguments);
    reply_send(reply, &(struct answer){.code = code, .remark = slice_text(remark)});
}

void reply_refuse(const struct reply *reply, int32_t code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refuse(reply, code, format, arguments);
    va_end(arguments);
}

void request_refuse(struct request *request, int32_t code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    refuse(&request->reply, code, format, arguments);
    va_end(arguments);
}

void request_done(struct request *request)
{
    request_answer(request, &(struct answer){.code = RESPONSE_SUCCESS});
}

void request_no_memory(struct request *request)
{
    request_refuse(request, RESPONSE_SYSTEM_ERROR, "the embedded broker is out of memory");
}

void request_answer_body(struct request *request, const struct buffer *body)
{
    if (body->failed)
        request_no_memory(request);
    else
        request_answer(request, &(struct answer){.body = buffer_slice(body)});
}

bool request_header(struct request *request, const struct header_layout *layout, void *header)
{
    mqc_error error;
    if (header_decode(layout, request->command, header, &error) == MQC_OK) return true;
    request_refuse(request, RESPONSE_SYSTEM_ERROR,
                   "org.apache.rocketmq.remoting.exception.RemotingCommandException: %s",
                   error.text);
    return false;
}

/* ---- asking clients ---- */

static bool push(struct connection *connection, int32_t opaque,
                 const struct command_to_send *command)
{
    enum serialize_type type = connection->listener->cluster->serialize_type;
    struct buffer frame;
    buffer_init(&frame);
    bool sent = remoting_command_encode(&frame, command, opaque, type, NULL, NULL) == MQC_OK;
    if (sent) connection_send(connection, buffer_slice(&frame));
    buffer_done(&frame);
    return sent;
}

static int32_t next_opaque(struct mqc_embedded *cluster)
{
    cluster->next_opaque = cluster->next_opaque == INT32_MAX ? 1 : cluster->next_opaque + 1;
    return cluster->next_opaque;
}

void push_oneway(struct connection *connection, int32_t code, const struct header_layout *layout,
                 const void *header, struct slice body)
{
    struct command_to_send command = {
        .code = code,
        .flag = COMMAND_FLAG_ONEWAY,
        .layout = layout,
        .header = header,
        .body = body,
    };
    push(connection, next_opaque(connection->listener->cluster), &command);
}

static void target_lost(struct bond *bond)
{
    finish_forwarded(CONTAINER_OF(bond, struct forwarded, to_target), NULL);
}

/* Nobody is left to answer to: the client's answer will find nothing. */
static void origin_lost(struct bond *bond)
{
    struct forwarded *forwarded = CONTAINER_OF(bond, struct forwarded, to_origin);
    finish_forwarded(forwarded, NULL);
}

static void answer_late(struct timer *timer)
{
    finish_forwarded(CONTAINER_OF(timer, struct forwarded, timer), NULL);
}

static void finish_forwarded(struct forwarded *forwarded, const struct remoting_command *answer)
{
    struct mqc_embedded *cluster = forwarded->target->listener->cluster;
    list_remove(&forwarded->to_target.in_connection);
    list_remove(&forwarded->to_origin.in_connection);
    list_remove(&forwarded->in_cluster);
    timer_cancel(&cluster->held, &forwarded->timer);
    forwarded->done(&forwarded->origin, answer);
    memory_free(forwarded);
}

bool push_request(struct connection *connection, int32_t code, const struct header_layout *layout,
                  const void *header, struct slice body, int timeout_ms, const struct reply *origin,
                  forwarded_done *done)
{
    struct mqc_embedded *cluster = connection->listener->cluster;
    /* Nothing may hang on a connection that is closed: nobody would take it off. */
    if (connection->fd < 0 || origin->connection->fd < 0) return false;
    struct forwarded *forwarded = memory_allocate_zero(1, sizeof *forwarded);
    if (!forwarded) return false;
    forwarded->target = connection;
    forwarded->opaque = next_opaque(cluster);
    forwarded->origin = *origin;
    forwarded->done = done;
    forwarded->timer.fire = answer_late;
    list_init(&forwarded->in_cluster);
    if (!timer_set(&cluster->held, &forwarded->timer, clock_now_ms() + timeout_ms)) {
        memory_free(forwarded);
        return false;
    }
    connection_add_bond(connection, &forwarded->to_target, target_lost);
    connection_add_bond(origin->connection, &forwarded->to_origin, origin_lost);
    list_append(&cluster->forwarded, &forwarded->in_cluster);
    struct command_to_send command = {
        .code = code, .layout = layout, .header = header, .body = body};
    /* When it cannot be sent the connection goes, and with it what was forwarded, or the time
     * passes: either way `done` is called. */
    push(connection, forwarded->opaque, &command);
    return true;
}

void push_answered(struct connection *connection, const struct remoting_command *answer)
{
    struct mqc_embedded *cluster = connection->listener->cluster;
    LIST_EACH(&cluster->forwarded, link)
    {
        struct forwarded *forwarded = CONTAINER_OF(link, struct forwarded, in_cluster);
        if (forwarded->target != connection || forwarded->opaque != answer->opaque) continue;
        finish_forwarded(forwarded, answer);
        return;
    }
}
