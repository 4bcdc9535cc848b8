/* The one error idiom: a function that can fail returns an mqc_status (0 is success) and, when the
 * caller passes one, fills an mqc_error that lives on the caller's stack. Nothing is kept per
 * thread. */
#ifndef MQCLIENT_STATUS_H
#define MQCLIENT_STATUS_H

#include <mqclient/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* name, meaning */
#define MQC_STATUS_MAP(X)                                                                          \
    X(OK, "success")                                                                               \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(BAD_ARGUMENT, "an argument or option is not valid")                                          \
    X(WRONG_STATE, "not possible in the object's present state")                                   \
    X(TIMEOUT, "the deadline passed")                                                              \
    X(CANCELLED, "given up because the client is shutting down")                                   \
    X(NO_ROUTE, "no broker is known for the topic")                                                \
    X(NO_CONNECTION, "the peer cannot be reached")                                                 \
    X(REFUSED, "the broker answered with an error, see broker_code")                               \
    X(BAD_FRAME, "the peer sent bytes that are not RocketMQ's protocol")                           \
    X(TOO_BIG, "larger than the limit")                                                            \
    X(BUSY, "a limit on work in progress is reached, try later")                                   \
    X(TLS, "TLS could not be set up or the peer is not trusted")                                   \
    X(NOT_FOUND, "there is no such thing")                                                         \
    X(SYSTEM, "the operating system refused")                                                      \
    X(NO_REPLY, "a request was sent, but no reply came in time")

typedef enum mqc_status {
#define MQC_STATUS_MEMBER(name, meaning) MQC_##name,
    MQC_STATUS_MAP(MQC_STATUS_MEMBER)
#undef MQC_STATUS_MEMBER
} mqc_status;

/* What went wrong. Yours, on your stack; nothing to free. Filled only when a call fails. */
typedef struct mqc_error {
    mqc_status status;
    int broker_code; /* the broker's response code when status is MQC_REFUSED, else 0 */
    bool retryable;  /* the same call may succeed later */
    bool maybe_done; /* it may have taken effect all the same (e.g. a timeout after sending) */
    char text[484];  /* one sentence for people: what is wrong and what would be right */
} mqc_error;

/* "MQC_TIMEOUT" and the like; "MQC_UNKNOWN" for a number that is none. Never NULL. Any thread. */
MQC_API const char *mqc_status_name(mqc_status status);

/* One phrase on what the status means. Never NULL. Any thread. */
MQC_API const char *mqc_status_text(mqc_status status);

#ifdef __cplusplus
}
#endif
#endif
