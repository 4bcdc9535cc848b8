/* Batches: many messages of one topic in one request, at a fraction of the cost of single sends. */
#ifndef MQCLIENT_BATCH_H
#define MQCLIENT_BATCH_H

#include <mqclient/producer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What became of one message of a batch. */
typedef struct mqc_batch_item {
    mqc_status status; /* MQC_OK: the broker has it; else why not, as in the call's error */
    bool maybe_done;   /* when not MQC_OK: it may be stored all the same */
    int request; /* which of the batch's requests carried it, from 0; -1: none, it was not sent */
    mqc_send_status send_status;
    mqc_message_queue queue; /* when MQC_OK; strings live as long as the producer */
    int64_t queue_offset;
    char message_id[64];        /* the unique id that consumers see */
    char offset_message_id[64]; /* the broker's id */
    int64_t reserved[4];        /* for later versions */
} mqc_batch_item;

/* Sends `count` messages in as few requests as fit into max_message_bytes each, one after the
 * other, and waits for the answers. The messages of one request are stored in one queue, in their
 * order, at consecutive offsets; different requests may go to different queues, unless `options`
 * say which (`select` is called once, with the first message).
 *
 * The messages are borrowed and unchanged. They must be of one topic, which is no retry topic,
 * agree in mqc_message_set_wait_stored, and have no delay; a wrong one is named in the error, and
 * nothing is sent. Batches are not compressed, as in Java.
 *
 * MQC_OK: all were accepted. Otherwise the requests up to a failed one were accepted, and none
 * after it was sent: the messages to send again are those from the first item that is not MQC_OK on
 * (with `maybe_done` it may come twice). `items` has room for `count` of them, or is NULL; they are
 * filled whenever anything was sent, and also when nothing was. The timeout is for all of it. */
MQC_API mqc_status mqc_producer_send_batch(mqc_producer *producer,
                                           const mqc_message *const *messages, size_t count,
                                           const mqc_send_options *options, mqc_batch_item *items,
                                           mqc_error *error);

/* The result of an asynchronous batch. `error` is NULL when all were accepted. Both are valid
 * during the call only. As for mqc_sent otherwise. */
typedef void mqc_batch_sent(const mqc_batch_item *items, size_t count, const mqc_error *error,
                            void *arg);

/* The same without waiting: `done(…, arg)` gets the items, once. When this fails, `done` is not
 * called. For max_async_sends a batch is one send, with all its bytes. */
MQC_API mqc_status mqc_producer_send_batch_async(mqc_producer *producer,
                                                 const mqc_message *const *messages, size_t count,
                                                 const mqc_send_options *options,
                                                 mqc_batch_sent *done, void *arg, mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
