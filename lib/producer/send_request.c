/* Making SEND_MESSAGE_V2 requests and reading their answers. Runs on sending threads and, for
 * retries and answers of asynchronous sends, on the reading thread; allocates only for bodies that
 * are compressed and for messages with more than 256 bytes of properties. */
#include "lib/producer/send_request.h"

#include "lib/base/bug.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/compression.h"
#include "lib/protocol/message.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/sys_flag.h"

#define DEFAULT_REGION "DefaultRegion" /* MixAll.DEFAULT_TRACE_REGION_ID */

static void append(struct send_content *content, const char *name, struct slice value);
static void compress(struct send_content *content, const struct send_origin *origin);
static void share_out(const struct send_content *content, struct slice ids,
                      mqc_send_result *result);
static void copy_text(char *out, size_t bytes, struct slice text);

mqc_status send_content_init(struct send_content *content, const mqc_message *message,
                             mqc_error *error)
{
    mqc_view body = mqc_message_body(message);
    content->topic = message->topic;
    content->body = slice_of(body.data, body.size);
    content->compressed = NULL;
    content->body_is_final = false;
    content->sys_flag = 0;
    content->flag = message->flag;
    content->count = 0;
    content->items = NULL;
    content->allocated = NULL;
    size_t room = send_properties_room(message);
    char *bytes = content->inline_bytes;
    if (room > sizeof content->inline_bytes) {
        bytes = content->allocated = memory_allocate(room);
        if (!bytes) return error_no_memory(error);
    }
    content->properties = slice_of(bytes, send_properties_write(message, bytes, &content->marks));
    if (content->marks.prepared) content->sys_flag |= MESSAGE_FLAG_PREPARED;
    return MQC_OK;
}

void send_content_init_batch(struct send_content *content, const struct batch_envelope *envelope)
{
    BUG_IF(envelope->tag.size > BATCH_TAG_MAX_BYTES, "a batch's tag has no room");
    content->topic = envelope->topic;
    content->body = envelope->body;
    content->compressed = NULL;
    content->body_is_final = true;
    content->sys_flag = 0;
    content->flag = 0;
    content->count = envelope->count;
    content->items = envelope->items;
    content->allocated = NULL;
    content->marks.reconsume_times = 0;
    content->marks.max_reconsume_times = -1;
    content->marks.prepared = content->marks.is_reply = false;
    message_id_make(content->marks.unique_id);
    content->properties = slice_of(content->inline_bytes, 0);
    append(content, PROPERTY_UNIQUE_KEY, slice_text(content->marks.unique_id));
    append(content, PROPERTY_WAIT, slice_text(envelope->wait_stored ? "true" : "false"));
    if (envelope->tag.size > 0) append(content, PROPERTY_TAGS, envelope->tag);
}

void send_content_done(struct send_content *content)
{
    memory_free(content->compressed);
    content->compressed = NULL;
    memory_free(content->allocated);
    content->allocated = NULL;
}

/* There is room for the few of a batch. */
static void append(struct send_content *content, const char *name, struct slice value)
{
    size_t name_bytes = strlen(name);
    char *place = content->inline_bytes + content->properties.size;
    memcpy(place, name, name_bytes);
    place[name_bytes] = 1;
    memcpy(place + name_bytes + 1, value.data, value.size);
    place[name_bytes + 1 + value.size] = 2;
    content->properties.size += name_bytes + value.size + 2;
}

void send_request_make(struct send_content *content, const struct send_origin *origin,
                       const mqc_message_queue *queue, struct send_message_header *header,
                       struct command_to_send *request)
{
    compress(content, origin);
    *header = (struct send_message_header){
        .producer_group = slice_text(origin->group),
        .topic = slice_text(content->topic),
        .default_topic = slice_text(origin->create_topic_key),
        .default_topic_queues = origin->default_topic_queues,
        .queue_id = queue->queue_id,
        .sys_flag = content->sys_flag,
        .born_timestamp = clock_unix_ms(),
        .flag = content->flag,
        .properties = content->properties,
        .reconsume_times = content->marks.reconsume_times,
        .max_reconsume_times = content->marks.max_reconsume_times,
        .batch = content->count > 0,
        .broker_name = slice_text(queue->broker_name),
    };
    *request = (struct command_to_send){
        .code = content->count > 0        ? REQUEST_SEND_BATCH_MESSAGE
                : content->marks.is_reply ? REQUEST_SEND_REPLY_MESSAGE_V2
                                          : REQUEST_SEND_MESSAGE_V2,
        .layout = &send_message_layout,
        .header = header,
        .body = content->body,
        .gathers = true,
    };
}

static enum compression_type compression_type_of(mqc_compression compression)
{
    switch (compression) {
    case MQC_COMPRESS_LZ4: return COMPRESSION_LZ4;
    case MQC_COMPRESS_ZSTD: return COMPRESSION_ZSTD;
    default: return COMPRESSION_ZLIB;
    }
}

/* Once a content (DefaultMQProducerImpl.tryToCompressMessage, which sends also what has grown). */
static void compress(struct send_content *content, const struct send_origin *origin)
{
    if (content->body_is_final) return;
    content->body_is_final = true;
    int least = origin->compress_above_bytes;
    if (least <= 0 || content->body.size < (size_t)least) return;
    enum compression_type type = compression_type_of(origin->compression);
    struct buffer out;
    buffer_init(&out);
    mqc_status status =
        compression_deflate(type, origin->compress_level, content->body, &out, NULL);
    if (status != MQC_OK || out.size >= content->body.size) {
        buffer_done(&out);
        return;
    }
    /* The buffer is as large as the worst case: what a waiting send keeps should not be. */
    char *fitting = memory_resize(out.data, out.size);
    content->compressed = fitting ? fitting : out.data;
    content->body = slice_of(content->compressed, out.size);
    content->sys_flag |= compression_to_sys_flag(type);
}

static mqc_send_status send_status_of(int32_t code)
{
    switch (code) {
    case RESPONSE_FLUSH_DISK_TIMEOUT: return MQC_SEND_FLUSH_DISK_TIMEOUT;
    case RESPONSE_FLUSH_SLAVE_TIMEOUT: return MQC_SEND_FLUSH_SLAVE_TIMEOUT;
    case RESPONSE_SLAVE_NOT_AVAILABLE: return MQC_SEND_SLAVE_NOT_AVAILABLE;
    default: return MQC_SEND_OK;
    }
}

mqc_status send_response_read(const struct remoting_command *answer,
                              const struct send_content *content, const mqc_message_queue *queue,
                              mqc_send_result *result, mqc_error *error)
{
    struct send_message_response_header header;
    mqc_status status = header_decode(&send_message_response_layout, answer, &header, error);
    if (status != MQC_OK) {
        error_mark_maybe_done(error); /* the broker said that it has the message */
        return status;
    }
    result->status = send_status_of(answer->code);
    result->queue = *queue;
    result->queue.queue_id = header.queue_id;
    result->queue_offset = header.queue_offset;
    copy_text(result->message_id, sizeof result->message_id, slice_text(content->marks.unique_id));
    copy_text(result->offset_message_id, sizeof result->offset_message_id, header.message_id);
    copy_text(result->transaction_id, sizeof result->transaction_id, header.transaction_id);
    copy_text(result->region, sizeof result->region,
              header.region.size > 0 ? header.region : SLICE_LITERAL(DEFAULT_REGION));
    result->trace_on = !slice_is(header.trace_on, "false");
    /* A part of a handle is none. */
    bool whole = header.recall_handle.size < sizeof result->recall_handle;
    copy_text(result->recall_handle, sizeof result->recall_handle,
              whole ? header.recall_handle : SLICE_ABSENT);
    if (content->count > 0) share_out(content, header.message_id, result);
    return MQC_OK;
}

/* A batch is stored in one queue, one offset a message; the ids come as a list with commas, or as
 * one for all where the broker stored the batch as one record. */
static void share_out(const struct send_content *content, struct slice ids, mqc_send_result *result)
{
    struct slice id = SLICE_ABSENT;
    for (size_t i = 0; i < content->count; i++) {
        if (ids.data) id = slice_split(&ids, ",");
        if (i == 0) copy_text(result->offset_message_id, sizeof result->offset_message_id, id);
        if (!content->items) break;
        mqc_batch_item *item = &content->items[i];
        item->status = MQC_OK;
        item->maybe_done = false;
        item->send_status = result->status;
        item->queue = result->queue;
        item->queue_offset = result->queue_offset + (int64_t)i;
        copy_text(item->offset_message_id, sizeof item->offset_message_id, id);
    }
}

/* With a zero byte; what does not fit is left out. */
static void copy_text(char *out, size_t bytes, struct slice text)
{
    size_t size = text.size < bytes ? text.size : bytes - 1;
    if (size > 0) memcpy(out, text.data, size);
    out[size] = '\0';
}
