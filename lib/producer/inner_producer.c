/* The instance's inner producer: a group in the heartbeats and a sender, on an instance that it
 * neither starts nor counts (DefaultMQProducerImpl.start(false)). Made and stopped by the
 * instance's start and shutdown; used by consumers' worker threads. */
#include "lib/producer/inner_producer.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/producer/sender.h"
#include "lib/protocol/names.h"

enum {
    INNER_RETRIES = 2,
    INNER_TOPIC_QUEUES = 4,
    INNER_MESSAGE_BYTES = 16 << 20, /* whatever a broker has given can go back to one */
    INNER_COMPRESS_ABOVE = 4096,    /* what a consumer got compressed goes back compressed */
    INNER_COMPRESS_LEVEL = 5,
    GOODBYE_MS = 1000
};

struct inner_sender {
    struct client_role role;
    struct sender sender;
};

static mqc_status inner_start(struct client_instance *instance, void **out, mqc_error *error);
static void inner_stop(void *inner);

const struct inner_producer_type inner_producer = {inner_start, inner_stop};

static const struct client_role_type INNER_ROLE = {.kind = CLIENT_ROLE_PRODUCER};

mqc_status inner_producer_send(struct client_instance *instance, const mqc_message *message,
                               int64_t deadline_ms, mqc_error *error)
{
    struct inner_sender *inner = client_instance_inner_producer(instance);
    if (!inner)
        return error_set(error, MQC_WRONG_STATE,
                         "the client instance has no inner producer: it is not running");
    return sender_send(&inner->sender, message, NULL, INNER_RETRIES, deadline_ms, NULL, error);
}

static mqc_status inner_start(struct client_instance *instance, void **out, mqc_error *error)
{
    struct inner_sender *inner = memory_allocate_zero(1, sizeof *inner);
    if (!inner) return error_no_memory(error);
    inner->role.type = &INNER_ROLE;
    inner->role.group = NAME_INNER_PRODUCER;
    inner->sender = (struct sender){
        .instance = instance,
        .names = client_instance_names(instance),
        .origin = {.group = NAME_INNER_PRODUCER,
                   .create_topic_key = NAME_DEFAULT_TOPIC,
                   .default_topic_queues = INNER_TOPIC_QUEUES,
                   .compress_above_bytes = INNER_COMPRESS_ABOVE,
                   .compression = MQC_COMPRESS_ZLIB,
                   .compress_level = INNER_COMPRESS_LEVEL},
        .attempt_timeout_ms = -1,
        .max_message_bytes = INNER_MESSAGE_BYTES,
    };
    mqc_status status = client_instance_register(instance, &inner->role, error);
    if (status == MQC_OK)
        *out = inner;
    else
        memory_free(inner);
    return status;
}

static void inner_stop(void *arg)
{
    struct inner_sender *inner = arg;
    if (!inner) return;
    client_instance_unregister(inner->sender.instance, &inner->role, clock_deadline_ms(GOODBYE_MS));
    memory_free(inner);
}
