/* Tracing: see tracing.h. Records are made by the threads whose doing they are about; the
 * dispatcher's thread sends. */
#include "lib/producer/tracing.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/producer/sender.h"
#include "lib/protocol/message.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"

#define DEFAULT_TRACE_TOPIC "RMQ_SYS_TRACE_TOPIC"

enum { TRACE_RETRIES = 2, TRACE_TOPIC_QUEUES = 4, COMPRESS_ABOVE = 4096, COMPRESS_LEVEL = 5 };

struct tracing {
    struct sender sender;
    const char *topic;
    char group[NAME_BYTES];
    struct trace_dispatcher *dispatcher;
};

static trace_send send_records;
static enum trace_message_type type_of(const mqc_message *message);

mqc_status tracing_start(struct client_instance *instance, const mqc_client_options *options,
                         const char *group, const char *kind, struct tracing **out,
                         mqc_error *error)
{
    static atomic_int started;
    *out = NULL;
    if (!options->trace) return MQC_OK;
    struct tracing *tracing = memory_allocate_zero(1, sizeof *tracing);
    if (!tracing) return error_no_memory(error);
    tracing->topic = options->trace_topic ? options->trace_topic : DEFAULT_TRACE_TOPIC;
    snprintf(tracing->group, sizeof tracing->group, "_INNER_TRACE_PRODUCER-%.180s-%s-%d", group,
             kind, atomic_fetch_add(&started, 1));
    tracing->sender = (struct sender){
        .instance = instance,
        .names = client_instance_names(instance),
        .origin = {.group = tracing->group,
                   .create_topic_key = NAME_DEFAULT_TOPIC,
                   .default_topic_queues = TRACE_TOPIC_QUEUES,
                   .compress_above_bytes = COMPRESS_ABOVE,
                   .compression = MQC_COMPRESS_ZLIB,
                   .compress_level = COMPRESS_LEVEL},
        .attempt_timeout_ms = -1,
        .max_message_bytes = 2 * TRACE_BODY_BYTES,
    };
    mqc_status status =
        trace_dispatcher_start(send_records, tracing, 0, &tracing->dispatcher, error);
    if (status == MQC_OK)
        *out = tracing;
    else
        memory_free(tracing);
    return status;
}

void tracing_stop(struct tracing *tracing, int64_t deadline_ms)
{
    if (tracing) trace_dispatcher_stop(tracing->dispatcher, deadline_ms);
}

void tracing_free(struct tracing *tracing)
{
    if (!tracing) return;
    trace_dispatcher_free(tracing->dispatcher);
    memory_free(tracing);
}

/* SendMessageTraceHookImpl */
void tracing_sent(struct tracing *tracing, const struct trace_sent *sent)
{
    const mqc_message *message = sent->message;
    const mqc_send_result *result = sent->result;
    if (!result->trace_on || strcmp(message->topic, tracing->topic) == 0) return;
    char address[ADDRESS_TEXT_BYTES] = "";
    route_table_master(client_instance_routes(tracing->sender.instance), result->queue.broker_name,
                       address);
    struct buffer record;
    buffer_init(&record);
    trace_record_publish(&record, &(struct trace_publish){
                                      .unix_ms = sent->began_unix_ms,
                                      .region = slice_text(result->region),
                                      .group = slice_text(sent->group),
                                      .topic = slice_text(message->topic),
                                      .message_id = slice_text(result->message_id),
                                      .tags = message_property(message, PROPERTY_TAGS),
                                      .keys = message_property(message, PROPERTY_KEYS),
                                      .broker_address = slice_text(address),
                                      .body_bytes = mqc_message_body(message).size,
                                      .cost_ms = sent->elapsed_ms,
                                      .type = type_of(message),
                                      .offset_message_id = slice_text(result->offset_message_id),
                                      .success = result->status == MQC_SEND_OK,
                                  });
    tracing_put(tracing, &record, message, slice_text(result->message_id));
    buffer_done(&record);
}

struct trace_dispatcher *tracing_dispatcher(struct tracing *tracing)
{
    return tracing ? tracing->dispatcher : NULL;
}

void tracing_put(struct tracing *tracing, struct buffer *record, const mqc_message *message,
                 struct slice message_id)
{
    trace_dispatcher_put(tracing->dispatcher, record, message_id,
                         message_property(message, PROPERTY_KEYS));
}

/* Java knows of delay levels alone. */
static enum trace_message_type type_of(const mqc_message *message)
{
    static const char *const delays[] = {PROPERTY_DELAY, "TIMER_DELAY_SEC", "TIMER_DELAY_MS",
                                         "TIMER_DELIVER_MS"};
    if (slice_is(message_property(message, PROPERTY_TRANSACTION_PREPARED), "true"))
        return TRACE_HALF;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++)
        if (message_property(message, delays[i]).data) return TRACE_DELAYED;
    return TRACE_NORMAL;
}

/* On the dispatcher's thread. */
static mqc_status send_records(void *arg, struct slice body, const char *keys, int64_t deadline_ms,
                               mqc_error *error)
{
    struct tracing *tracing = arg;
    mqc_message *message = mqc_message_new(tracing->topic, body.data, body.size);
    if (!message) return error_no_memory(error);
    mqc_status status = MQC_OK;
    if (keys[0]) status = message_put_property(message, PROPERTY_KEYS, keys, error);
    if (status == MQC_OK)
        status =
            sender_send(&tracing->sender, message, NULL, TRACE_RETRIES, deadline_ms, NULL, error);
    mqc_message_free(message);
    return status;
}
