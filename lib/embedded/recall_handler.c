/* RECALL_MESSAGE: takes a timer message back that was not delivered yet
 * (RecallMessageProcessor.java). On the I/O thread. */
#include <openssl/evp.h>

#include "lib/base/memory.h"
#include "lib/embedded/cluster.h"
#include "lib/embedded/handlers.h"
#include "lib/embedded/timer_messages.h"
#include "lib/protocol/properties.h"

enum { HANDLE_MAX_BYTES = 4096 };

/* A handle's parts: "v1 topic broker time unique-key" in URL-safe base64. */
struct recall {
    char *plain; /* owned */
    struct slice topic, broker_name, time, key;
};

static const struct command_field REGION = {{"MSG_REGION", 10},
                                            {EMBEDDED_REGION, sizeof EMBEDDED_REGION - 1}};

static void refuse(struct request *request, int32_t code, const char *remark)
{
    request_answer(request, &(struct answer){.code = code,
                                             .remark = slice_text(remark),
                                             .extra = &REGION,
                                             .extra_count = 1});
}

/* Standard base64 with its padding, zero-ended; NULL when it is too long, or no memory. */
static char *standard_base64(struct slice text)
{
    while (text.size > 0 && text.data[text.size - 1] == '=') text.size--;
    if (text.size == 0 || text.size > HANDLE_MAX_BYTES) return NULL;
    char *out = memory_allocate_zero(1, text.size + 4);
    for (size_t i = 0; out && i < (text.size + 3) / 4 * 4; i++) {
        char c = i < text.size ? text.data[i] : '=';
        out[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    }
    return out;
}

/* False for what is no handle. */
static bool decode(struct slice handle, struct recall *out)
{
    *out = (struct recall){.plain = NULL};
    char *text = standard_base64(handle);
    out->plain = text ? memory_allocate_zero(1, strlen(text) + 1) : NULL;
    if (out->plain)
        EVP_DecodeBlock((unsigned char *)out->plain, (const unsigned char *)text,
                        (int)strlen(text));
    memory_free(text);
    struct slice rest = slice_text(out->plain);
    struct slice version = slice_split(&rest, " ");
    out->topic = slice_split(&rest, " ");
    out->broker_name = slice_split(&rest, " ");
    out->time = slice_split(&rest, " ");
    out->key = slice_split(&rest, " ");
    return out->key.size > 0 && slice_is(version, "v1");
}

/* Stores the message that takes the other back. False: no memory. */
static bool put_recall(struct request *request, const struct recall *recall, struct topic *topic)
{
    struct buffer properties, key;
    buffer_init(&properties);
    buffer_init(&key);
    buffer_put_slice(&key, recall->topic);
    buffer_put_8(&key, '+');
    buffer_put_slice(&key, recall->key);
    properties_put(&properties, SLICE_LITERAL(PROPERTY_UNIQUE_KEY), recall->key);
    properties_put(&properties, SLICE_LITERAL(TIMER_DELIVER_MS), recall->time);
    properties_put(&properties, SLICE_LITERAL(TIMER_DELETE_KEY), buffer_slice(&key));
    struct mqc_message message = {
        .stored_topic = recall->topic,
        .properties = buffer_slice(&properties),
        .body = SLICE_LITERAL("0"),
        .born_unix_ms = cluster_message_time(request->cluster),
        .born_host = request->connection->peer_host,
        .store_host = request->broker->host,
    };
    bool stored = !properties.failed && !key.failed &&
                  broker_put(request->broker->data, topic, &message, NULL) != NULL;
    buffer_done(&key);
    buffer_done(&properties);
    return stored;
}

static void recall_message(struct request *request, struct slice topic_name,
                           const struct recall *recall)
{
    struct broker_data *data = request->broker->data;
    int64_t time, now = cluster_message_time(request->cluster);
    struct topic *topic = message_store_topic(&data->store, topic_name);
    struct recall_message_response_header header = {.message_id = recall->key};
    if (!slice_equal(recall->topic, topic_name))
        refuse(request, RESPONSE_ILLEGAL_OPERATION, "recall failed, topic not match");
    else if (!slice_is(recall->broker_name, data->name))
        refuse(request, RESPONSE_ILLEGAL_OPERATION, "recall failed, broker service not available");
    else if (!slice_to_int64(recall->time, &time) || time <= now ||
             time - now >= TIMER_MOST_DELAY_MS)
        refuse(request, RESPONSE_ILLEGAL_OPERATION, "recall failed, timestamp invalid");
    else if (!put_recall(request, recall, topic))
        refuse(request, RESPONSE_SYSTEM_ERROR, "recall failed, execute error");
    else
        request_answer(request, &(struct answer){.layout = &recall_message_response_layout,
                                                 .header = &header,
                                                 .extra = &REGION,
                                                 .extra_count = 1});
}

void recall_handle(struct request *request)
{
    struct recall_message_header header;
    struct recall recall = {.plain = NULL};
    if (!request_header(request, &recall_message_layout, &header)) return;
    struct broker_data *data = request->broker->data;
    if (!data->settings.recall_message)
        refuse(request, RESPONSE_NO_PERMISSION, "recall failed, operation is forbidden");
    else if (request->broker->broker_id != 0)
        refuse(request, RESPONSE_SLAVE_NOT_AVAILABLE,
               "recall failed, broker service not available");
    else if (!message_store_topic(&data->store, header.topic))
        refuse(request, RESPONSE_TOPIC_NOT_EXIST, "recall failed, the topic does not exist");
    else if (!decode(header.recall_handle, &recall))
        refuse(request, RESPONSE_ILLEGAL_OPERATION, "recall handle is invalid");
    else
        recall_message(request, header.topic, &recall);
    memory_free(recall.plain);
}
