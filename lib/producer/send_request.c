/* Making SEND_MESSAGE_V2 requests and reading their answers. Runs on sending threads and, for
 * retries and answers of asynchronous sends, on the reading thread; allocates only for bodies that
 * are compressed and for messages with more than 256 bytes of properties. */
#include "lib/producer/send_request.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/compression.h"
#include "lib/protocol/message.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"

#define WAIT_TRUE      "true"
#define DEFAULT_REGION "DefaultRegion" /* MixAll.DEFAULT_TRACE_REGION_ID */

static bool takes_property(struct send_content *content, const mqc_message *message, bool retried,
                           struct slice name, struct slice value);
static void append(struct slice *properties, struct slice name, struct slice value);
static void compress(struct send_content *content, const struct send_origin *origin);
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
    content->reconsume_times = 0;
    content->max_reconsume_times = -1;
    content->unique_id[0] = '\0';
    content->allocated = NULL;
    /* All of the message's, perhaps without its last separator, and the two that may be added. */
    size_t most = message->properties.size + 1 + sizeof PROPERTY_UNIQUE_KEY + MESSAGE_ID_BYTES + 1 +
                  sizeof PROPERTY_WAIT + sizeof WAIT_TRUE + 1;
    char *bytes = content->inline_bytes;
    if (most > sizeof content->inline_bytes) {
        bytes = content->allocated = memory_allocate(most);
        if (!bytes) return error_no_memory(error);
    }
    content->properties = slice_of(bytes, 0);
    bool retried = names_is_retry_topic(slice_text(message->topic));
    bool waits = false;
    struct slice rest = message->properties;
    struct slice name, value;
    while (properties_next(&rest, &name, &value)) {
        if (!takes_property(content, message, retried, name, value)) continue;
        if (slice_is(name, PROPERTY_WAIT)) waits = true;
        append(&content->properties, name, value);
    }
    if (!content->unique_id[0]) {
        message_id_make(content->unique_id);
        append(&content->properties, SLICE_LITERAL(PROPERTY_UNIQUE_KEY),
               slice_text(content->unique_id));
    }
    if (!waits)
        append(&content->properties, SLICE_LITERAL(PROPERTY_WAIT), SLICE_LITERAL(WAIT_TRUE));
    return MQC_OK;
}

void send_content_done(struct send_content *content)
{
    memory_free(content->compressed);
    content->compressed = NULL;
    memory_free(content->allocated);
    content->allocated = NULL;
}

/* Whether a property goes out as one; remembers those that mean something to the sender. */
static bool takes_property(struct send_content *content, const mqc_message *message, bool retried,
                           struct slice name, struct slice value)
{
    if (!properties_name_is_reserved(name)) return true;
    if (!message->block->built)
        return slice_is(name, PROPERTY_KEYS) || slice_is(name, PROPERTY_TAGS);
    if (slice_is(name, PROPERTY_UNIQUE_KEY))
        copy_text(content->unique_id, sizeof content->unique_id, value);
    if (retried && slice_is(name, PROPERTY_RECONSUME_TIME))
        return !slice_to_int32(value, &content->reconsume_times);
    if (retried && slice_is(name, PROPERTY_MAX_RECONSUME_TIMES))
        return !slice_to_int32(value, &content->max_reconsume_times);
    return true;
}

/* There is room: send_content_init has seen to that. */
static void append(struct slice *properties, struct slice name, struct slice value)
{
    char *place = (char *)(uintptr_t)properties->data + properties->size;
    memcpy(place, name.data, name.size);
    place[name.size] = 1;
    memcpy(place + name.size + 1, value.data, value.size);
    place[name.size + 1 + value.size] = 2;
    properties->size += name.size + value.size + 2;
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
        .reconsume_times = content->reconsume_times,
        .max_reconsume_times = content->max_reconsume_times,
        .broker_name = slice_text(queue->broker_name),
    };
    *request = (struct command_to_send){
        .code = REQUEST_SEND_MESSAGE_V2,
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
    content->sys_flag = compression_to_sys_flag(type);
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
    copy_text(result->message_id, sizeof result->message_id, slice_text(content->unique_id));
    copy_text(result->offset_message_id, sizeof result->offset_message_id, header.message_id);
    copy_text(result->transaction_id, sizeof result->transaction_id, header.transaction_id);
    copy_text(result->region, sizeof result->region,
              header.region.size > 0 ? header.region : SLICE_LITERAL(DEFAULT_REGION));
    result->trace_on = !slice_is(header.trace_on, "false");
    return MQC_OK;
}

/* With a zero byte; what does not fit is left out. */
static void copy_text(char *out, size_t bytes, struct slice text)
{
    size_t size = text.size < bytes ? text.size : bytes - 1;
    if (size > 0) memcpy(out, text.data, size);
    out[size] = '\0';
}
