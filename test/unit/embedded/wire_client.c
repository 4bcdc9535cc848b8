/* See wire_client.h. */
#include "test/unit/embedded/wire_client.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/protocol/heartbeat.h"
#include "lib/protocol/sys_flag.h"

static struct wire *open_socket(const char *address_text)
{
    struct address address;
    struct socket_address resolved;
    size_t count;
    mqc_error error;
    struct wire *wire = calloc(1, sizeof *wire);
    frame_splitter_init(&wire->splitter);
    ck_assert_int_eq(address_parse(slice_text(address_text), &address, &error), MQC_OK);
    ck_assert_int_eq(address_resolve(&address, &resolved, 1, &count, &error), MQC_OK);
    ck_assert_msg(socket_connect(&resolved, &wire->fd, &error) == MQC_OK, "%s", error.text);
    ck_assert(socket_wait(wire->fd, true, CLOCK_NEVER));
    ck_assert_msg(socket_connect_result(wire->fd, address_text, &error) == MQC_OK, "%s",
                  error.text);
    return wire;
}

struct wire *wire_open(const char *address)
{
    return open_socket(address);
}

struct wire *wire_open_tls(const char *address, const mqc_tls_options *options)
{
    struct wire *wire = open_socket(address);
    struct tls_context *context;
    mqc_error error;
    ck_assert_msg(tls_context_new(options, NULL, &context, &error) == MQC_OK, "%s", error.text);
    ck_assert_int_eq(tls_session_new(context, wire->fd, "localhost", &wire->tls, &error), MQC_OK);
    tls_context_free(context);
    for (;;) {
        enum io_result result = tls_session_handshake(wire->tls, &error);
        if (result == IO_DONE) return wire;
        ck_assert_msg(result == IO_WANT_READ || result == IO_WANT_WRITE, "%s", error.text);
        ck_assert(
            socket_wait(wire->fd, result == IO_WANT_WRITE, clock_deadline_ms(WIRE_TIMEOUT_MS)));
    }
}

void wire_frame_free(struct wire_frame *frame)
{
    if (!frame) return;
    remoting_command_done(&frame->command);
    frame_unref(frame->frame);
    free(frame);
}

void wire_close(struct wire *wire)
{
    for (size_t i = 0; i < wire->kept_count; i++) wire_frame_free(wire->kept[i]);
    tls_session_free(wire->tls);
    if (wire->fd >= 0) socket_close(wire->fd);
    frame_splitter_done(&wire->splitter);
    free(wire);
}

/* ---- bytes ---- */

void wire_send_bytes(struct wire *wire, struct slice bytes)
{
    int64_t deadline_ms = clock_deadline_ms(WIRE_TIMEOUT_MS);
    while (bytes.size > 0) {
        size_t moved = 0;
        enum io_result result =
            wire->tls ? tls_session_write(wire->tls, bytes.data, bytes.size, &moved, NULL)
                      : socket_write(wire->fd, bytes.data, bytes.size, &moved);
        bytes = slice_of(bytes.data + moved, bytes.size - moved);
        if (result == IO_CLOSED || result == IO_FAILED) return; /* reading will tell */
        if (result != IO_DONE)
            ck_assert(socket_wait(wire->fd, result == IO_WANT_WRITE, deadline_ms));
    }
}

static enum io_result read_more(struct wire *wire)
{
    char *at;
    size_t bytes, moved = 0;
    ck_assert_int_eq(frame_splitter_space(&wire->splitter, &at, &bytes, NULL), MQC_OK);
    enum io_result result = wire->tls ? tls_session_read(wire->tls, at, bytes, &moved, NULL)
                                      : socket_read(wire->fd, at, bytes, &moved);
    frame_splitter_filled(&wire->splitter, moved);
    return result;
}

static void keep_frames(struct wire *wire)
{
    struct slice bytes;
    while (frame_splitter_next(&wire->splitter, &bytes, NULL) == MQC_OK && bytes.data) {
        struct wire_frame *frame = calloc(1, sizeof *frame);
        frame->frame = frame_copy(bytes);
        ck_assert_int_eq(remoting_command_decode(&frame->command,
                                                 slice_of(frame->frame->bytes, bytes.size), NULL),
                         MQC_OK);
        ck_assert_uint_lt(wire->kept_count, WIRE_KEPT_MAX);
        wire->kept[wire->kept_count++] = frame;
    }
}

/* False when the connection has ended. */
static bool read_once(struct wire *wire, int64_t deadline_ms)
{
    enum io_result result = read_more(wire);
    keep_frames(wire);
    if (result == IO_CLOSED || result == IO_FAILED) return false;
    if (result == IO_WANT_READ || result == IO_WANT_WRITE)
        ck_assert_msg(socket_wait(wire->fd, result == IO_WANT_WRITE, deadline_ms),
                      "nothing came from the cluster");
    return true;
}

static struct wire_frame *take(struct wire *wire, bool response, int32_t number)
{
    for (size_t i = 0; i < wire->kept_count; i++) {
        const struct remoting_command *command = &wire->kept[i]->command;
        if (remoting_command_is_response(command) != response) continue;
        if ((response ? command->opaque : command->code) != number) continue;
        struct wire_frame *frame = wire->kept[i];
        for (size_t j = i + 1; j < wire->kept_count; j++) wire->kept[j - 1] = wire->kept[j];
        wire->kept_count--;
        return frame;
    }
    return NULL;
}

static struct wire_frame *receive(struct wire *wire, bool response, int32_t number)
{
    int64_t deadline_ms = clock_deadline_ms(WIRE_TIMEOUT_MS);
    struct wire_frame *frame;
    while (!(frame = take(wire, response, number)))
        ck_assert_msg(read_once(wire, deadline_ms), "the cluster ended the connection");
    return frame;
}

struct wire_frame *wire_receive(struct wire *wire, int32_t opaque)
{
    return receive(wire, true, opaque);
}

struct wire_frame *wire_receive_push(struct wire *wire, int32_t code)
{
    return receive(wire, false, code);
}

bool wire_has_answer(struct wire *wire, int32_t opaque)
{
    if (socket_wait(wire->fd, false, clock_now_ms())) read_more(wire);
    keep_frames(wire);
    for (size_t i = 0; i < wire->kept_count; i++)
        if (remoting_command_is_response(&wire->kept[i]->command) &&
            wire->kept[i]->command.opaque == opaque)
            return true;
    return false;
}

void wire_expect_end(struct wire *wire)
{
    int64_t deadline_ms = clock_deadline_ms(WIRE_TIMEOUT_MS);
    while (read_once(wire, deadline_ms)) {
    }
}

/* ---- commands ---- */

static int32_t send_command(struct wire *wire, const struct command_to_send *command)
{
    struct buffer frame;
    buffer_init(&frame);
    mqc_error error;
    mqc_status status = remoting_command_encode(&frame, command, ++wire->opaque, wire->type,
                                                wire->credentials, &error);
    ck_assert_msg(status == MQC_OK, "%s", error.text);
    wire_send_bytes(wire, buffer_slice(&frame));
    buffer_done(&frame);
    return wire->opaque;
}

int32_t wire_send(struct wire *wire, int32_t code, const struct header_layout *layout,
                  const void *header, struct slice body)
{
    return send_command(wire, &(struct command_to_send){
                                  .code = code, .layout = layout, .header = header, .body = body});
}

int32_t wire_send_oneway(struct wire *wire, int32_t code, const struct header_layout *layout,
                         const void *header, struct slice body)
{
    return send_command(wire, &(struct command_to_send){.code = code,
                                                        .flag = COMMAND_FLAG_ONEWAY,
                                                        .layout = layout,
                                                        .header = header,
                                                        .body = body});
}

void wire_answer(struct wire *wire, const struct wire_frame *push, int32_t code, struct slice body)
{
    struct command_to_send command = {.code = code, .flag = COMMAND_FLAG_RESPONSE, .body = body};
    struct buffer frame;
    buffer_init(&frame);
    ck_assert_int_eq(
        remoting_command_encode(&frame, &command, push->command.opaque, wire->type, NULL, NULL),
        MQC_OK);
    wire_send_bytes(wire, buffer_slice(&frame));
    buffer_done(&frame);
}

struct wire_frame *wire_call(struct wire *wire, int32_t code, const struct header_layout *layout,
                             const void *header, struct slice body)
{
    return wire_receive(wire, wire_send(wire, code, layout, header, body));
}

void wire_expect(struct wire *wire, int32_t code, const struct header_layout *layout,
                 const void *header, struct slice body, int32_t answer_code)
{
    struct wire_frame *answer = wire_call(wire, code, layout, header, body);
    ck_assert_msg(answer->command.code == answer_code, "code %d, not %d: %.*s",
                  (int)answer->command.code, (int)answer_code,
                  SLICE_FORMAT(answer->command.remark));
    wire_frame_free(answer);
}

/* ---- the usual requests ---- */

mqc_embedded *cluster_start(const mqc_embedded_options *options)
{
    mqc_error error;
    mqc_embedded *cluster = mqc_embedded_start(options, &error);
    ck_assert_msg(cluster != NULL, "%s", error.text);
    return cluster;
}

struct send_message_header wire_send_header(const char *topic, int queue_id, const char *properties)
{
    return (struct send_message_header){
        .producer_group = SLICE_LITERAL("producers"),
        .topic = slice_text(topic),
        .default_topic = SLICE_LITERAL("TBW102"),
        .default_topic_queues = 4,
        .queue_id = queue_id,
        .born_timestamp = clock_unix_ms(),
        .properties = slice_text(properties ? properties : ""),
        .max_reconsume_times = -1,
    };
}

int64_t wire_put(struct wire *wire, const char *topic, int queue_id, const char *properties,
                 const char *body)
{
    struct send_message_header header = wire_send_header(topic, queue_id, properties);
    struct wire_frame *answer =
        wire_call(wire, REQUEST_SEND_MESSAGE_V2, &send_message_layout, &header, slice_text(body));
    ck_assert_msg(answer->command.code == RESPONSE_SUCCESS, "code %d: %.*s",
                  (int)answer->command.code, SLICE_FORMAT(answer->command.remark));
    struct send_message_response_header result;
    ck_assert_int_eq(header_decode(&send_message_response_layout, &answer->command, &result, NULL),
                     MQC_OK);
    int64_t offset = result.queue_offset;
    wire_frame_free(answer);
    return offset;
}

void wire_heartbeat(struct wire *wire, const char *client_id, const char *group, const char *topic,
                    const char *expression)
{
    struct subscription subscription;
    ck_assert_int_eq(subscription_make(topic, expression, 1, &subscription, NULL), MQC_OK);
    struct heartbeat_consumer consumer = {
        .group = group,
        .consume_type = "CONSUME_PASSIVELY",
        .message_model = "CLUSTERING",
        .consume_from = "CONSUME_FROM_FIRST_OFFSET",
        .subscription_count = 1,
        .subscriptions = &subscription,
    };
    const char *producers[] = {group};
    struct heartbeat heartbeat = {
        .client_id = client_id,
        .producer_count = 1,
        .producers = producers,
        .consumer_count = 1,
        .consumers = &consumer,
    };
    struct buffer body;
    buffer_init(&body);
    heartbeat_encode(&heartbeat, &body);
    wire_expect(wire, REQUEST_HEART_BEAT, NULL, NULL, buffer_slice(&body), RESPONSE_SUCCESS);
    buffer_done(&body);
    subscription_done(&subscription);
}

struct pull_message_header wire_pull_header(const char *group, const char *topic, int queue_id,
                                            int64_t offset, int64_t suspend_ms)
{
    return (struct pull_message_header){
        .consumer_group = slice_text(group),
        .topic = slice_text(topic),
        .queue_id = queue_id,
        .queue_offset = offset,
        .max_messages = 32,
        .sys_flag = PULL_FLAG_SUBSCRIPTION | (suspend_ms > 0 ? PULL_FLAG_SUSPEND : 0),
        .suspend_timeout_ms = suspend_ms,
        .subscription = SLICE_LITERAL("*"),
        .max_bytes = -1,
    };
}

struct message_block *wire_messages(const struct wire_frame *answer)
{
    struct message_block *block;
    mqc_error error;
    ck_assert_msg(message_block_decode(answer->frame, answer->command.body, &block, &error) ==
                      MQC_OK,
                  "%s", error.text);
    return block;
}

struct message_block *wire_pull(struct wire *wire, const char *group, const char *topic,
                                int queue_id, int64_t offset, int32_t answer_code)
{
    struct pull_message_header header = wire_pull_header(group, topic, queue_id, offset, 0);
    struct wire_frame *answer =
        wire_call(wire, REQUEST_PULL_MESSAGE, &pull_message_layout, &header, SLICE_ABSENT);
    ck_assert_msg(answer->command.code == answer_code, "code %d, not %d: %.*s",
                  (int)answer->command.code, (int)answer_code,
                  SLICE_FORMAT(answer->command.remark));
    struct message_block *block = wire_messages(answer);
    wire_frame_free(answer);
    return block;
}
