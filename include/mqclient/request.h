/* Request and reply: a message to a topic that one consumer answers with a message of its own,
 * which the broker carries back to the very client that asked. Java clients speak the same.
 *
 *   who asks:     mqc_producer_request(producer, message, NULL, &reply, &error)
 *   who answers:  in a listener, with a producer of its own:
 *                 reply = mqc_message_new_reply(request, body, size, &error)
 *                 mqc_producer_send(producer, reply, NULL, NULL, &error)
 */
#ifndef MQCLIENT_REQUEST_H
#define MQCLIENT_REQUEST_H

#include <mqclient/producer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sends a request and waits for its reply. options->timeout_ms (the producer's send timeout by
 * default) is for both together; queue and selector are as for a send. The message is borrowed and
 * unchanged. *reply is yours: free it with mqc_message_free; on failure it is NULL. MQC_NO_REPLY
 * says that the broker has the request but no reply came in time: one that comes later is dropped.
 * Any other failure is that of the send, as of mqc_producer_send. The first request for a topic
 * also tells the brokers of its cluster who this client is, so that any of them can bring the
 * reply. */
MQC_API mqc_status mqc_producer_request(mqc_producer *producer, const mqc_message *message,
                                        const mqc_send_options *options, mqc_message **reply,
                                        mqc_error *error);

/* What became of an asynchronous request: exactly one of `reply` and `error` is not NULL; both are
 * valid during the call only (mqc_message_ref keeps a reply). Runs on a callback thread with no
 * lock held, exactly once for every accepted request, with MQC_CANCELLED after shutdown has begun.
 * It may send, but must not shut down the producer, and should not block for long. */
typedef void mqc_replied(const mqc_message *reply, const mqc_error *error, void *arg);

/* Sends a request without waiting; `done(…, arg)` gets the reply, or an error as above. The message
 * is borrowed until this returns. When this fails, `done` is not called. May block for the first
 * request for a topic. */
MQC_API mqc_status mqc_producer_request_async(mqc_producer *producer, const mqc_message *message,
                                              const mqc_send_options *options, mqc_replied *done,
                                              void *arg, mqc_error *error);

/* Whether a received message is a request that somebody waits for the reply to. */
MQC_API bool mqc_message_is_request(const mqc_message *message);

/* The reply to a received request: a new message to the reply topic of the request's cluster, to be
 * sent with mqc_producer_send (or _async) of any producer, whose result says whether the one that
 * asked has got it (MQC_REFUSED when it is gone). Properties may be added. NULL and
 * MQC_BAD_ARGUMENT when `request` is not one. Free with mqc_message_free. */
MQC_API mqc_message *mqc_message_new_reply(const mqc_message *request, const void *body,
                                           size_t body_bytes, mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
