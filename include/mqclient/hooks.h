/* Functions of the application's that see what a client does: requests, sends, consumption. They
 * belong to the options of one client, producer or consumer; nothing is global. Hook structs are
 * not copied: let them be constants, or live as long as what uses them. Hooks run with no lock of
 * the library held, in the order in which they stand; those after something, in the same order. */
#ifndef MQCLIENT_HOOKS_H
#define MQCLIENT_HOOKS_H

#include <mqclient/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- requests: mqc_client_options.rpc_hooks ---- */

/* One request to a broker or name server, as a hook sees it; valid during the hook's call. */
typedef struct mqc_rpc mqc_rpc;

typedef struct mqc_rpc_hook {
    /* Before the request leaves, on the thread that makes it, perhaps the library's: may add
     * fields. Anything but MQC_OK, with `error` filled, is what the request then fails with. It
     * must be quick and must not use the client. May be NULL. */
    mqc_status (*before)(mqc_rpc *rpc, void *arg, mqc_error *error);
    /* After its answer or failure; not of requests that have no answer (oneway). On any thread,
     * also the one that reads all answers: it must not block, nor use the client. May be NULL. */
    void (*after)(const mqc_rpc *rpc, void *arg);
    void *arg;
} mqc_rpc_hook;

MQC_API const char *mqc_rpc_address(const mqc_rpc *rpc); /* "host:port" */
MQC_API int mqc_rpc_code(const mqc_rpc *rpc);            /* RequestCode.java: 310 */
MQC_API const char *mqc_rpc_name(const mqc_rpc *rpc);    /* "SEND_MESSAGE_V2" */

/* In `before`: the fields that the request has by now, each value as text, and its body. Names and
 * values end with a zero byte. */
MQC_API void mqc_rpc_each_field(const mqc_rpc *rpc, mqc_property_visitor *visit, void *arg);
MQC_API mqc_view mqc_rpc_body(const mqc_rpc *rpc);

/* In `before`: one more field (extFields). Copied. MQC_BAD_ARGUMENT for a name that the request has
 * already or that signatures use, MQC_TOO_BIG for too many or too large ones. */
MQC_API mqc_status mqc_rpc_add_field(mqc_rpc *rpc, const char *name, const char *value,
                                     mqc_error *error);

/* In `after`: why there is no answer, NULL when there is one; its response code (0 success, else
 * ResponseCode.java), remark and fields. A view without data: there is none. */
MQC_API const mqc_error *mqc_rpc_error(const mqc_rpc *rpc);
MQC_API int mqc_rpc_answer_code(const mqc_rpc *rpc);
MQC_API mqc_view mqc_rpc_answer_remark(const mqc_rpc *rpc);
MQC_API mqc_view mqc_rpc_answer_field(const mqc_rpc *rpc, const char *name);

/* ---- sends: mqc_producer_options.send_hooks ---- */

typedef enum mqc_send_mode { MQC_SEND_SYNC, MQC_SEND_ASYNC, MQC_SEND_ONEWAY } mqc_send_mode;

/* One send with all its attempts; valid during the hook's call. */
typedef struct mqc_send_event {
    const char *group;
    const mqc_message *message; /* of a batch each in turn */
    mqc_send_mode mode;
    const struct mqc_send_result *result; /* after: NULL when it failed, and of oneway sends */
    const mqc_error *error;               /* after: NULL unless it failed */
    int64_t elapsed_ms;                   /* after */
    void *note;                   /* the hook's own: what `before` leaves here, `after` finds */
    struct mqc_send_dress *dress; /* the library's, for mqc_send_event_set_property */
} mqc_send_event;

typedef struct mqc_send_hook {
    /* Before the send, on the thread that sends. Anything but MQC_OK, with `error` filled, refuses
     * it: the send fails with that. May be NULL. */
    mqc_status (*before)(mqc_send_event *event, void *arg, mqc_error *error);
    /* After the send, whatever came of it, exactly once for each `before` that let it pass; also
     * when a later hook refuses. Before the callback of an asynchronous send, on its thread. It
     * should not block for long. May be NULL. */
    void (*after)(const mqc_send_event *event, void *arg);
    void *arg;
} mqc_send_hook;

enum { MQC_SEND_HOOKS_MOST = 8 };

/* In `before`: one more property of what is sent, for instance the context of a trace, as
 * mqc_message_set_property otherwise. The application's message stays as it is: a copy of its
 * properties gets it, and event->message, for the hooks that follow too, is the message that
 * goes out. MQC_WRONG_STATE in `after`. */
MQC_API mqc_status mqc_send_event_set_property(mqc_send_event *event, const char *name,
                                               const char *value, mqc_error *error);

/* ---- consumption: consume_hooks of push and lite consumers ---- */

/* One listener call; of a polled push consumer one delivery, from its poll until it is finished or
 * freed; of a lite consumer one poll, which is a success when it brings something. Valid during the
 * hook's call. */
typedef struct mqc_consume_event {
    const char *group;
    const struct mqc_delivery *delivery; /* mqc_delivery_count, _at, _queue */
    bool success;                        /* after: the listener has taken all its messages */
    int64_t elapsed_ms;                  /* after */
    void *note; /* the hook's own: what `before` leaves here, `after` finds */
} mqc_consume_event;

/* Both run on the listener's thread, directly before and after it; without a listener on the thread
 * that polls or finishes. May be NULL. */
typedef struct mqc_consume_hook {
    void (*before)(mqc_consume_event *event, void *arg);
    void (*after)(const mqc_consume_event *event, void *arg);
    void *arg;
} mqc_consume_hook;

enum { MQC_CONSUME_HOOKS_MOST = 8 };

#ifdef __cplusplus
}
#endif
#endif
