/* Dividing batches: as many messages a request as fit (the ListSplitter that Java's users write
 * themselves). Runs on the threads of those who send. */
#include "lib/producer/batch_parts.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/producer/batch_body.h"
#include "lib/producer/message_check.h"

static void make_room(const struct batch_parts *parts, struct buffer *body);
static mqc_status check_one(const struct batch_parts *parts, const mqc_message *message,
                            mqc_error *error);

mqc_status batch_parts_check(const struct batch_parts *parts, const mqc_send_options *options,
                             mqc_error *error)
{
    if (parts->count == 0 || !parts->messages)
        return error_set(error, MQC_BAD_ARGUMENT, "the batch is empty: give at least one message");
    for (size_t i = 0; i < parts->count; i++) {
        mqc_error failure;
        mqc_status status = check_one(parts, parts->messages[i], &failure);
        if (status != MQC_OK)
            return error_set(error, status, "message %zu of %zu: %s", i + 1, parts->count,
                             failure.text);
    }
    return send_options_check(options, parts->messages[0], error);
}

static mqc_status check_one(const struct batch_parts *parts, const mqc_message *message,
                            mqc_error *error)
{
    mqc_status status = message_check(message, (int)parts->limit, error);
    if (status == MQC_OK) status = batch_message_check(message, parts->messages[0], error);
    if (status != MQC_OK) return status;
    size_t room = batch_message_room(message);
    if (room <= parts->limit) return MQC_OK;
    return error_set(error, MQC_TOO_BIG,
                     "with its properties it needs %zu bytes, and a request of a batch has %zu "
                     "(maxMessageSize, max_message_bytes): send it alone",
                     room, parts->limit);
}

mqc_status batch_parts_encode(struct batch_parts *parts, struct buffer *body, mqc_error *error)
{
    size_t begin = body->size;
    parts->first = parts->next;
    parts->request++;
    make_room(parts, body);
    do {
        const mqc_message *message = parts->messages[parts->next];
        mqc_batch_item *item = parts->items ? &parts->items[parts->next] : NULL;
        mqc_status status = batch_body_append(body, message, item ? item->message_id : NULL, error);
        if (status != MQC_OK) return status;
        if (item) item->request = parts->request;
        parts->next++;
    } while (!batch_parts_done(parts) &&
             body->size - begin + batch_message_room(parts->messages[parts->next]) <= parts->limit);
    return MQC_OK;
}

/* For the messages of one request at once: a buffer that grows copies what is there already. When
 * there is no memory the first message finds out. */
static void make_room(const struct batch_parts *parts, struct buffer *body)
{
    size_t bytes = 0, room;
    for (size_t i = parts->next; i < parts->count; i++, bytes += room) {
        room = batch_message_room(parts->messages[i]);
        if (i > parts->next && bytes + room > parts->limit) break;
    }
    if (!buffer_reserve(body, bytes)) body->failed = false;
}

bool batch_parts_done(const struct batch_parts *parts)
{
    return parts->next == parts->count;
}

void batch_parts_content(const struct batch_parts *parts, struct slice body,
                         struct send_content *content)
{
    const struct batch_envelope envelope = {
        .topic = mqc_message_topic(parts->messages[0]),
        .wait_stored = batch_message_waits(parts->messages[0]),
        .body = body,
        .count = parts->next - parts->first,
        .items = parts->items ? &parts->items[parts->first] : NULL,
    };
    send_content_init_batch(content, &envelope);
}

void batch_parts_fail(const struct batch_parts *parts, bool sent, mqc_error *failure)
{
    for (size_t i = parts->first; parts->items && i < parts->count; i++) {
        mqc_batch_item *item = &parts->items[i];
        bool tried = sent && i < parts->next;
        item->status = failure->status;
        item->maybe_done = tried && failure->maybe_done;
        if (tried) continue;
        item->request = -1;
        item->message_id[0] = '\0';
    }
    if (parts->first == 0) return;
    char text[sizeof failure->text];
    memcpy(text, failure->text, sizeof text);
    snprintf(failure->text, sizeof failure->text, "%zu of %zu messages were accepted, then: %.400s",
             parts->first, parts->count, text);
}
