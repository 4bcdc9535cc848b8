/* The reply to a request message (MessageUtil.createReplyMessage). In a consumer's listener. */
#include <mqclient/request.h>

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/protocol/message.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"

bool mqc_message_is_request(const mqc_message *message)
{
    return message && !message->block->built &&
           message_property(message, PROPERTY_REPLY_TO_CLIENT).size > 0 &&
           message_property(message, PROPERTY_CORRELATION_ID).size > 0 &&
           message_property(message, PROPERTY_CLUSTER).size > 0 &&
           !slice_is(message_property(message, PROPERTY_MESSAGE_TYPE), MESSAGE_TYPE_REPLY);
}

mqc_message *mqc_message_new_reply(const mqc_message *request, const void *body, size_t body_bytes,
                                   mqc_error *error)
{
    if (!mqc_message_is_request(request)) {
        error_set(error, MQC_BAD_ARGUMENT,
                  "create reply message fail: %s: reply to a message that a consumer has received "
                  "and mqc_message_is_request says yes to",
                  request ? "the message is no request (properties CLUSTER, CORRELATION_ID and "
                            "REPLY_TO_CLIENT)"
                          : "the request is NULL");
        return NULL;
    }
    static const char *const copied[] = {PROPERTY_CORRELATION_ID, PROPERTY_REPLY_TO_CLIENT,
                                         PROPERTY_TIME_TO_LIVE};
    char topic[NAME_BYTES];
    names_reply_topic(message_property(request, PROPERTY_CLUSTER), topic);
    mqc_message *reply = mqc_message_new(topic, body, body_bytes);
    mqc_status status = reply ? MQC_OK : error_no_memory(error);
    if (status == MQC_OK)
        status = message_put_property(reply, PROPERTY_MESSAGE_TYPE, MESSAGE_TYPE_REPLY, error);
    for (size_t i = 0; status == MQC_OK && i < sizeof copied / sizeof *copied; i++) {
        const char *value = mqc_message_property(request, copied[i]);
        if (value) status = message_put_property(reply, copied[i], value, error);
    }
    if (status == MQC_OK) return reply;
    mqc_message_free(reply);
    return NULL;
}
