/* A RocketMQ cluster inside the process, for tests: a name server and brokers on loopback ports,
 * in memory only, up in a few milliseconds, as many clusters side by side as you like. It speaks
 * the remoting protocol, so that clients in other languages and processes can use it too.
 * Link with libmqembedded. docs/embedded.md says where it differs from the real broker.
 *
 * All functions may be called from any thread. Functions that take a visitor call it on the
 * calling thread with no lock held; what the visitor is given is valid during its call only, and
 * returning false ends the visit. */
#ifndef MQCLIENT_EMBEDDED_H
#define MQCLIENT_EMBEDDED_H

#include <mqclient/api.h>
#include <mqclient/log.h>
#include <mqclient/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_embedded mqc_embedded;

/* Somebody who may use a cluster that checks signatures. */
typedef struct mqc_embedded_user {
    const char *access_key;
    const char *secret_key;
} mqc_embedded_user;

/* Where the clusters' log lines go: as mqc_log_to, which they do not heed, for libmqembedded has a
 * logger of its own. For all clusters of the process; a NULL sink: standard error. */
MQC_API void mqc_embedded_log_to(mqc_log_sink *sink, void *arg, mqc_log_level level);

/* Zero means default. All strings are copied. */
typedef struct mqc_embedded_options {
    int brokers;                    /* masters: broker-a, broker-b, …; default 1, at most 26 */
    int slaves;                     /* of each of them; default 0, at most 9 */
    int name_server_port;           /* default: a free one */
    int broker_port;                /* of the first broker, the others follow; default: free ones */
    const char *cluster;            /* its name; default "DefaultCluster" */
    int topic_queues;               /* most queues of a topic made by the first send; default 4 */
    bool no_auto_create_topics;     /* a send to an unknown topic is answered with code 17 */
    int64_t retention_bytes;        /* of a topic on a broker: oldest first out; default 256 MiB */
    int64_t retention_messages;     /* likewise; default 1000000 */
    const char *certificate_file;   /* PEM: with it TLS is spoken on all ports, beside plain text */
    const char *key_file;           /* PEM: its private key */
    const char *client_ca_file;     /* PEM: clients must show a certificate of this authority */
    bool tls_only;                  /* plain connections are closed */
    const mqc_embedded_user *users; /* with any, requests must be signed by one of them */
    size_t user_count;
    bool ipv6;           /* on ::1; brokers register as Java's do, without brackets: "::1:10911" */
    bool virtual_clock;  /* message time stands still but for mqc_embedded_advance_clock */
    bool binary_headers; /* answers in the binary form; default JSON, as the real broker */

    /* Lines "name=value" of a real broker's configuration; those that docs/embedded.md lists.
     * E.g. "recallMessageEnable=true\nenableRetryTopicV2=true". */
    const char *broker_config;
} mqc_embedded_options;

/* Starts a cluster; NULL and `error` when an option is wrong or a port is taken. `options` may be
 * NULL. Call it as mqc_embedded_start; end it with mqc_embedded_stop. */
MQC_API mqc_embedded *mqc_embedded_start_sized(const mqc_embedded_options *options, size_t size,
                                               mqc_error *error);
static inline mqc_embedded *mqc_embedded_start(const mqc_embedded_options *options,
                                               mqc_error *error)
{
    return mqc_embedded_start_sized(options, sizeof(mqc_embedded_options), error);
}

/* Closes all connections, joins the cluster's thread and frees everything. NULL is fine. */
MQC_API void mqc_embedded_stop(mqc_embedded *cluster);

/* "127.0.0.1:port", for the name_servers option of clients. Lives as long as the cluster. */
MQC_API const char *mqc_embedded_name_servers(const mqc_embedded *cluster);

/* Of one broker process, masters first, then slaves, in the order of their creation; NULL when
 * there are not so many. Lives as long as the cluster; also of a broker that is down. */
MQC_API const char *mqc_embedded_broker_address(mqc_embedded *cluster, int broker);
MQC_API const char *mqc_embedded_broker_name(mqc_embedded *cluster, int broker);

/* ---- topics ---- */

/* Creates or changes a topic with `queues` read and write queues on one broker, or on all masters
 * (broker -1), and registers it at the name server. Fewer queues than before: those beyond keep
 * their messages but are no longer in the route. */
MQC_API mqc_status mqc_embedded_create_topic(mqc_embedded *cluster, int broker, const char *topic,
                                             int queues, mqc_error *error);

/* Deletes a topic with its messages from one broker (or -1: all) and from the route.
 * MQC_NOT_FOUND when no broker had it. */
MQC_API mqc_status mqc_embedded_delete_topic(mqc_embedded *cluster, int broker, const char *topic,
                                             mqc_error *error);

/* ---- brokers that come and go ---- */

enum {
    MQC_EMBEDDED_KEEP_ROUTE = 1, /* the name server goes on naming the broker */
    MQC_EMBEDDED_LOSE_DATA = 2   /* topics, messages and offsets are gone when it is up again */
};

/* Takes a broker down: closes its port and connections. `how` is a sum of the above.
 * MQC_WRONG_STATE when it is down. */
MQC_API mqc_status mqc_embedded_broker_down(mqc_embedded *cluster, int broker, int how,
                                            mqc_error *error);

/* Brings it up again on its old port and registers its topics. */
MQC_API mqc_status mqc_embedded_broker_up(mqc_embedded *cluster, int broker, mqc_error *error);

/* Adds a master on a free port; its number goes to *broker (may be NULL). */
MQC_API mqc_status mqc_embedded_add_broker(mqc_embedded *cluster, int *broker, mqc_error *error);

/* ---- time ---- */

/* Moves the time of messages forward: what is due by then (delay levels, timer messages, checks of
 * transactions, popped messages, locks of queues) is done before this returns. Connections,
 * heartbeats and long polls keep to real time. */
MQC_API void mqc_embedded_advance_clock(mqc_embedded *cluster, int64_t ms);

/* The time of messages now, in milliseconds since 1970. */
MQC_API int64_t mqc_embedded_clock_unix_ms(mqc_embedded *cluster);

/* ---- faults ---- */

typedef enum mqc_embedded_fault_kind {
    MQC_FAULT_DELAY = 1, /* the answer waits `value` milliseconds */
    MQC_FAULT_ANSWER,    /* not handled, answered with response code `value` and `text`; but a send
                            is stored and answered in full with 10, 11 or 12 (not flushed, no slave) */
    MQC_FAULT_DROP,      /* the connection ends after `value` bytes of the answer */
    MQC_FAULT_NO_ANSWER, /* handled, but never answered */
    MQC_FAULT_LOSE,      /* neither handled nor answered */
    MQC_FAULT_CLOSE,     /* not handled; the connection ends */
    MQC_FAULT_GARBAGE,   /* `value` (default 64) bytes that are no frame, instead of the answer */
    MQC_FAULT_DUPLICATE, /* the answer is sent twice */
    MQC_FAULT_WRONG_OPAQUE, /* the answer carries the opaque of no request */
    MQC_FAULT_TRICKLE,      /* one byte of the answer every `value` (default 1) milliseconds */
    MQC_FAULT_REFUSE,       /* new connections are closed at once */
    MQC_FAULT_STALL         /* new connections are accepted and never read */
} mqc_embedded_fault_kind;

/* Zero or NULL in a condition matches everything. Of several faults that match the one added first
 * applies. */
typedef struct mqc_embedded_fault {
    mqc_embedded_fault_kind kind;
    int64_t value;
    const char *text;
    int request_code;   /* e.g. 310, SEND_MESSAGE_V2 */
    const char *client; /* client id (known from the first heartbeat) or group of the request */
    const char *topic;  /* of the request */
    const char *server; /* "broker-a", "name-server", … */
    int skip;           /* so many matching requests pass first */
    int count;          /* then it applies so often; 0: until it is cleared */
} mqc_embedded_fault;

/* Adds a fault; *id (may be NULL) is for mqc_embedded_clear_fault. Strings are copied. */
MQC_API mqc_status mqc_embedded_add_fault(mqc_embedded *cluster, const mqc_embedded_fault *fault,
                                          int *id, mqc_error *error);

/* From a text as the tool takes it: "kind[=value][:name=value]…", e.g.
 * "answer=2:code=310:count=3:text=busy" or "drop=10:client=orders". */
MQC_API mqc_status mqc_embedded_add_fault_text(mqc_embedded *cluster, const char *text, int *id,
                                               mqc_error *error);

/* Removes one fault; false when there is none of that id (any more). */
MQC_API bool mqc_embedded_clear_fault(mqc_embedded *cluster, int id);
MQC_API void mqc_embedded_clear_faults(mqc_embedded *cluster);

/* Closes every connection of one client id, or all connections (NULL); returns how many. */
MQC_API int mqc_embedded_disconnect(mqc_embedded *cluster, const char *client_id);

/* ---- what happened ---- */

/* A request as it came in. The last 10000 are kept. */
typedef struct mqc_embedded_request {
    int64_t number; /* from 1, in the order of arrival */
    int64_t unix_ms;
    int code;
    const char *name;      /* "SEND_MESSAGE_V2"; "?" for an unknown code */
    const char *server;    /* "name-server", "broker-a" */
    const char *client_id; /* "" before the connection's first heartbeat */
    const char *peer;      /* "127.0.0.1:40312" */
    const char *topic;     /* "" when the request names none */
    const char *group;     /* likewise */
    size_t body_bytes;
    bool oneway;
    bool answered;   /* by now */
    int answer_code; /* when answered */
} mqc_embedded_request;

typedef bool mqc_embedded_request_visitor(const mqc_embedded_request *request, void *arg);

/* Visits the requests kept, oldest first, that have the code (0: all) and a number above
 * `after`; returns how many were visited. */
MQC_API size_t mqc_embedded_each_request(mqc_embedded *cluster, int code, int64_t after,
                                         mqc_embedded_request_visitor *visit, void *arg);

/* How many requests of a code (0: all) have come since the start. */
MQC_API int64_t mqc_embedded_request_count(mqc_embedded *cluster, int code);

/* Waits until so many requests of a code (0: all) have come since the start; MQC_TIMEOUT. */
MQC_API mqc_status mqc_embedded_await_requests(mqc_embedded *cluster, int code, int64_t count,
                                               int timeout_ms, mqc_error *error);

/* A stored message. */
typedef struct mqc_embedded_message {
    const char *topic;
    const char *broker_name;
    int queue_id;
    int64_t queue_offset;
    int64_t commit_log_offset;
    int64_t stored_unix_ms;
    int reconsume_times;
    const void *body; /* as stored: perhaps compressed */
    size_t body_bytes;
    const char *properties; /* name 0x01 value 0x02 …, not zero-ended */
    size_t properties_bytes;
} mqc_embedded_message;

typedef bool mqc_embedded_message_visitor(const mqc_embedded_message *message, void *arg);

/* Visits the messages of a topic, broker by broker, queue by queue, oldest first. */
MQC_API mqc_status mqc_embedded_each_message(mqc_embedded *cluster, const char *topic,
                                             mqc_embedded_message_visitor *visit, void *arg,
                                             mqc_error *error);

/* Messages of a topic on all brokers that are stored now; 0 for an unknown topic. */
MQC_API int64_t mqc_embedded_message_count(mqc_embedded *cluster, const char *topic);

/* The offset a group has committed for one queue of a broker; -1 for none. */
MQC_API int64_t mqc_embedded_consumer_offset(mqc_embedded *cluster, const char *group,
                                             const char *topic, int broker, int queue_id);

/* Messages of a topic that a group has not committed yet, over all queues and brokers. */
MQC_API int64_t mqc_embedded_lag(mqc_embedded *cluster, const char *group, const char *topic);

/* Waits until the lag is at most `most`; MQC_TIMEOUT when `timeout_ms` is over. */
MQC_API mqc_status mqc_embedded_await_lag(mqc_embedded *cluster, const char *group,
                                          const char *topic, int64_t most, int timeout_ms,
                                          mqc_error *error);

/* Members of a consumer group that a broker knows of. */
MQC_API int mqc_embedded_member_count(mqc_embedded *cluster, int broker, const char *group);

/* Connections that are open, to brokers and name server. */
MQC_API int mqc_embedded_connection_count(mqc_embedded *cluster);

#ifdef __cplusplus
}
#endif
#endif
