/* The bytes of a send: what the request says and what the answer means. Pure; any thread. */
#ifndef PRODUCER_SEND_REQUEST_H
#define PRODUCER_SEND_REQUEST_H

#include <mqclient/batch.h>

#include "lib/producer/send_properties.h"
#include "lib/protocol/remoting_command.h"

enum { SEND_PROPERTIES_INLINE_BYTES = 256 };

/* What is the same in all attempts of one send. The body is the message's own; the properties are a
 * copy with the unique id and WAIT added: in `inline_bytes`, or allocated when they are larger. The
 * first request compresses the body, for all that follow. Not to be copied as a struct. */
struct send_content {
    const char *topic;  /* the message's */
    struct slice body;  /* the message's, or what is in `compressed` */
    char *compressed;   /* allocated, or NULL */
    bool body_is_final; /* whether to compress was decided */
    int32_t sys_flag;   /* says how the body is compressed, and whether this is a half message */
    struct slice properties;
    int32_t flag;
    struct send_marks marks;
    size_t count;          /* of a batch's messages; 0: this is no batch */
    mqc_batch_item *items; /* theirs, filled from the answer; may be NULL */
    char *allocated;
    char inline_bytes[SEND_PROPERTIES_INLINE_BYTES];
};

/* Reads the message, which stays unchanged and is borrowed while the content is used. A received
 * message is sent on with its decompressed body and the properties that are its sender's: those of
 * the application, KEYS and TAGS. */
mqc_status send_content_init(struct send_content *content, const mqc_message *message,
                             mqc_error *error);
/* The same for a batch: `body` has `count` messages (batch_body.h) and is borrowed while the
 * content is used, as are the items. A batch goes out uncompressed, as in Java. */
struct batch_envelope {
    const char *topic;
    bool wait_stored;
    struct slice tag; /* that all messages have; absent: none, or they differ */
    struct slice body;
    size_t count;
    mqc_batch_item *items;
};
enum { BATCH_TAG_MAX_BYTES = 512 };
void send_content_init_batch(struct send_content *content, const struct batch_envelope *envelope);
void send_content_done(struct send_content *content);

/* Who sends, as brokers want to know it. */
struct send_origin {
    const char *group;
    const char *create_topic_key;
    int default_topic_queues;
    int compress_above_bytes; /* bodies of at least so many are compressed; 0 or -1: none */
    mqc_compression compression;
    int compress_level;
};

/* SEND_MESSAGE_V2, SEND_BATCH_MESSAGE or SEND_REPLY_MESSAGE_V2 (SendMessageRequestHeaderV2) of the
 * content to a queue.
 * `request` points to `header`, the content and the queue's strings. The first request of a content
 * may compress its body, which takes milliseconds for large ones; a body that cannot be made
 * smaller, for whatever reason, is sent as it is. */
struct send_message_header;
void send_request_make(struct send_content *content, const struct send_origin *origin,
                       const mqc_message_queue *queue, struct send_message_header *header,
                       struct command_to_send *request);

/* Reads an answer that response_judge calls done (MQClientAPIImpl.processSendResponse). The
 * result's queue gets the strings of `queue` and the id that the broker says. The result of a batch
 * is that of its first message, and each of its items gets its own. */
mqc_status send_response_read(const struct remoting_command *answer,
                              const struct send_content *content, const mqc_message_queue *queue,
                              mqc_send_result *result, mqc_error *error);

#endif
