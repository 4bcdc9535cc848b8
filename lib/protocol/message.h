/* The message object behind mqc_message: built by an application, or a view into the frame of a
 * pull's answer. The messages of one answer share one block and one count: keeping one keeps all.
 */
#ifndef PROTOCOL_MESSAGE_H
#define PROTOCOL_MESSAGE_H

#include <stdatomic.h>

#include <mqclient/message.h>

#include "lib/base/buffer.h"
#include "lib/protocol/frame_splitter.h"
#include "lib/protocol/message_id.h"

struct message_texts; /* zero-ended copies, made when first asked for: message_texts.h */

struct mqc_message {
    struct message_block *block;
    const char *topic;         /* what the application sees; zero-ended */
    const char *broker_name;   /* NULL until the consumer has set it */
    struct slice stored_topic; /* as in the record: %RETRY%group for a retried message */
    struct slice properties;   /* as on the wire */
    struct slice body;         /* as stored: perhaps compressed */
    struct slice inflated;     /* what message_inflate made of it; absent before, owned */
    int32_t queue_id;
    int32_t flag;
    int32_t sys_flag;
    int32_t reconsume_times;
    uint32_t body_crc;
    int64_t queue_offset;
    int64_t commit_log_offset;
    int64_t born_unix_ms;
    int64_t stored_unix_ms;
    int64_t prepared_transaction_offset;
    struct host born_host;
    struct host store_host;
    _Atomic(struct message_texts *) texts;
    atomic_bool kept;       /* by somebody who has counted it up */
    struct buffer building; /* of a built message: its properties; unused otherwise */
};

/* What owns the memory of messages. */
struct message_block {
    struct reference references;
    bool built;                 /* by the application: may be changed, has no place in a broker */
    struct frame *frame;        /* that the messages point into; may be NULL */
    const char *name_space;     /* that topics are shown without: namespace.h */
    struct message_block *base; /* whose topic and body it shows: message_dressed; or NULL */
    size_t count;
    struct mqc_message messages[];
};

/* With one reference, and nothing but room for messages. */
static inline void message_block_init(struct message_block *block, size_t count)
{
    *block = (struct message_block){.count = count};
    reference_init(&block->references);
}

/* Decodes the stored messages in `records` (a part of `frame`, which is counted up; or of any
 * memory that outlives the block when frame is NULL), magic v1 and v2, inner batches unwrapped.
 * *out is NULL for no records. MQC_BAD_FRAME when any record is damaged: nothing is delivered then.
 * Topics point to zero-ended copies that belong to the block. MessageDecoder.java */
mqc_status message_block_decode(struct frame *frame, struct slice records,
                                struct message_block **out, mqc_error *error);
void message_block_ref(struct message_block *block);
void message_block_unref(struct message_block *block); /* NULL is fine */

/* A built message with the topic, body, flag and properties (of a received one: those that are its
 * sender's) of another and properties of its own, so that what the library adds to a message is
 * never seen in the application's. The body is not copied. Free with mqc_message_free; NULL and
 * `error` when out of memory. dressed_message.c */
struct mqc_message *message_dressed(const struct mqc_message *message, mqc_error *error);

/* The message in a PUSH_REPLY_MESSAGE_TO_CLIENT, whose body points into `frame` (counted up); still
 * to be inflated. pushed_message.c */
struct push_reply_message_header;
mqc_status message_of_push(struct frame *frame, const struct push_reply_message_header *header,
                           struct slice body, struct mqc_message **out, mqc_error *error);

/* As mqc_message_ref, but for the library's own sake: does not make the application's. */
static inline struct mqc_message *message_ref(struct mqc_message *message)
{
    message_block_ref(message->block);
    return message;
}

/* Makes the body readable: checks the CRC if asked to and decompresses. Not thread-safe: before the
 * message is shown to the application. */
mqc_status message_inflate(struct mqc_message *message, bool check_crc, mqc_error *error);

/* Frees what message_inflate has made, unless the application keeps the message: of the messages of
 * an answer, only those in its hands are to take the memory of their whole bodies. */
void message_deflate(struct mqc_message *message);

/* Replaces the topic the application sees by the one in RETRY_TOPIC, if the message was stored in a
 * retry topic; a dead letter stays one (DefaultMQPushConsumerImpl.resetRetryAndNamespace). */
mqc_status message_restore_topic(struct mqc_message *message, mqc_error *error);

/* Sets any property, the reserved ones included, on a built message; NULL as value removes it. */
mqc_status message_put_property(struct mqc_message *message, const char *name, const char *value,
                                mqc_error *error);
struct slice message_property(const struct mqc_message *message, const char *name);

/* Appends a stored record as a broker writes it (for the embedded cluster and the tests). */
void message_record_encode(const struct mqc_message *message, struct buffer *out);

#endif
