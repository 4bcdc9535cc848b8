/* Batches: many messages in one body (SendMessageProcessor.sendBatchMessage,
 * MessageDecoder.decodeMessage). All are checked before the first is stored. */
#include "lib/base/cursor.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/delay.h"
#include "lib/embedded/send_handler.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"

/* One message of a batch's body. */
struct part {
    int32_t flag;
    struct slice body, properties;
};

/* False at the end and for damage. */
static bool next_part(struct cursor *batch, struct part *part)
{
    if (batch->failed || cursor_left(batch) == 0) return false;
    struct cursor head = *batch;
    struct cursor in = cursor_of(cursor_slice(batch, cursor_i32(&head)));
    cursor_skip(&in, 12); /* its size, a magic number and a checksum that are 0 */
    part->flag = cursor_i32(&in);
    part->body = cursor_slice(&in, cursor_i32(&in));
    part->properties = cursor_slice(&in, (int16_t)cursor_u16(&in));
    if (in.failed || cursor_left(&in) > 0) batch->failed = true;
    return !batch->failed;
}

static bool is_sound(struct slice body)
{
    struct cursor batch = cursor_of(body);
    struct part part;
    size_t count = 0;
    while (next_part(&batch, &part)) count++;
    return !batch.failed && count > 0;
}

/* False when it is refused. */
static bool check(struct send *send, const struct mqc_message *envelope)
{
    if (names_is_retry_topic(send->header.topic)) {
        send_refuse(send, RESPONSE_MESSAGE_ILLEGAL, "batch request does not support retry group %s",
                    send->topic->name);
        return false;
    }
    if (envelope->body.size > MESSAGE_BODY_MAX_BYTES || delay_level_of(envelope) > 0 ||
        envelope->sys_flag & MESSAGE_FLAG_TRANSACTION) {
        send_refuse(send, RESPONSE_MESSAGE_ILLEGAL, "%s", SEND_ILLEGAL);
        return false;
    }
    if (!is_sound(envelope->body)) {
        request_refuse(send->request, RESPONSE_SYSTEM_ERROR, "java.nio.BufferUnderflowException");
        return false;
    }
    return true;
}

/* The first record; NULL: no memory. What was stored by then stays, as after a broker's crash. */
static const struct record *store_all(struct send *send, const struct mqc_message *envelope,
                                      struct buffer *ids)
{
    struct cursor batch = cursor_of(envelope->body);
    struct part part;
    int64_t first = -1;
    while (next_part(&batch, &part)) {
        char id[MESSAGE_ID_BYTES];
        struct mqc_message message = *envelope;
        message.flag = part.flag;
        message.body = part.body;
        message.properties = part.properties;
        const struct record *record =
            broker_store(send->request->broker->data, send->topic, &message);
        if (!record) return NULL;
        if (first < 0) first = record->commit_log_offset;
        offset_id_make(&send->request->broker->host, record->commit_log_offset, id);
        if (ids->size > 0) buffer_put_8(ids, ',');
        buffer_put_text(ids, id);
    }
    return ids->failed ? NULL : message_store_find(&send->request->broker->data->store, first);
}

void send_batch(struct send *send)
{
    struct mqc_message envelope = send_message_of(send);
    struct buffer ids;
    buffer_init(&ids);
    envelope.properties = send->header.properties;
    if (check(send, &envelope)) {
        buffer_put_slice(&send->properties, send->header.properties);
        const struct record *first = store_all(send, &envelope, &ids);
        if (first)
            send_answer(send, buffer_slice(&ids), first);
        else
            send_refuse(send, RESPONSE_SYSTEM_ERROR, "the embedded broker is out of memory");
    }
    buffer_done(&ids);
}
