/* Looking after a cluster: this header has the admin handle, what all its calls share, and topics;
 * admin_group.h has consumer groups, admin_message.h stored messages, admin_cluster.h brokers and
 * name servers. An admin handle may be used from any thread; it joins no group.
 *
 * All calls block, each request in them at most the client's request timeout. A name that may be
 * NULL for "all" says so; other names are checked, and a bad one is MQC_BAD_ARGUMENT.
 *
 * Answers with more than one value are results: a call that returns MQC_OK has set its last
 * argument but the error to a struct of the library's making, which is yours until
 * mqc_admin_result_free; after a failure it is NULL. Structs of results, also those in their
 * arrays, may get more members at their end. Their texts are UTF-8 as far as the senders' are and
 * NULL only where that is said. Times are in milliseconds since 1970, 0 for never. */
#ifndef MQCLIENT_ADMIN_H
#define MQCLIENT_ADMIN_H

#include <mqclient/client.h>
#include <mqclient/message.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_admin mqc_admin;

/* A started admin handle; NULL and `error` otherwise. Free with mqc_admin_free. Does not touch the
 * network. Call it as mqc_admin_new. */
MQC_API mqc_admin *mqc_admin_new_sized(const mqc_client_options *options, size_t size,
                                       mqc_error *error);
static inline mqc_admin *mqc_admin_new(const mqc_client_options *options, mqc_error *error)
{
    return mqc_admin_new_sized(options, sizeof(mqc_client_options), error);
}
MQC_API void mqc_admin_free(mqc_admin *admin);

/* ---- results ---- */

/* Frees a result with all that hangs on it. NULL is fine. */
MQC_API void mqc_admin_result_free(const void *result);

typedef struct mqc_name_list {
    size_t count;
    const char *const *names; /* sorted, each once */
} mqc_name_list;

typedef struct mqc_setting {
    const char *name;
    const char *value;
} mqc_setting;

typedef struct mqc_settings {
    size_t count;
    const mqc_setting *const *settings; /* sorted by name */
} mqc_settings;

/* The value of a setting; NULL when there is none of that name. */
MQC_API const char *mqc_settings_value(const mqc_settings *settings, const char *name);

/* ---- topics ---- */

enum { MQC_PERMISSION_WRITE = 2, MQC_PERMISSION_READ = 4 };

/* Zero means the default when a topic is created, and "as it is" when one is updated. */
typedef struct mqc_topic_options {
    int read_queues;  /* default 8 */
    int write_queues; /* default 8 */
    int permission;   /* sum of MQC_PERMISSION_*; default both */
    bool ordered;
    const char *broker_name; /* only on this broker; default: all of the cluster */
    const char
        *message_type; /* 5.x: "NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED", "PRIORITY" */
} mqc_topic_options;

/* Creates a topic on the brokers of `cluster` (NULL: all clusters), or changes one that exists to
 * these options, and returns when the name server knows it. `options` may be NULL. Call it as
 * mqc_admin_create_topic. */
MQC_API mqc_status mqc_admin_create_topic_sized(mqc_admin *admin, const char *cluster,
                                                const char *topic, const mqc_topic_options *options,
                                                size_t size, mqc_error *error);
static inline mqc_status mqc_admin_create_topic(mqc_admin *admin, const char *cluster,
                                                const char *topic, const mqc_topic_options *options,
                                                mqc_error *error)
{
    return mqc_admin_create_topic_sized(admin, cluster, topic, options, sizeof(mqc_topic_options),
                                        error);
}

/* Changes what `options` say of a topic on each broker of `cluster` (NULL: all) that has it, and
 * leaves the rest as it is; returns when the name server knows it. MQC_NO_ROUTE when no broker has
 * the topic, MQC_NOT_FOUND when none of the cluster has it. Call it as mqc_admin_update_topic. */
MQC_API mqc_status mqc_admin_update_topic_sized(mqc_admin *admin, const char *cluster,
                                                const char *topic, const mqc_topic_options *options,
                                                size_t size, mqc_error *error);
static inline mqc_status mqc_admin_update_topic(mqc_admin *admin, const char *cluster,
                                                const char *topic, const mqc_topic_options *options,
                                                mqc_error *error)
{
    return mqc_admin_update_topic_sized(admin, cluster, topic, options, sizeof(mqc_topic_options),
                                        error);
}

/* Deletes a topic from the brokers of `cluster` (NULL: all) and from the name servers. A topic that
 * does not exist is as good as deleted. */
MQC_API mqc_status mqc_admin_delete_topic(mqc_admin *admin, const char *cluster, const char *topic,
                                          mqc_error *error);

/* The topics of `cluster` (NULL: all), the system's own, %RETRY% and %DLQ% topics included. */
MQC_API mqc_status mqc_admin_topics(mqc_admin *admin, const char *cluster,
                                    const mqc_name_list **out, mqc_error *error);

/* Visitors are called on the calling thread; what they are given is valid during the call only.
 * Returning false ends the visit. */
typedef bool mqc_topic_visitor(const char *topic, void *arg);

/* Visits all topics in the name server's order. */
MQC_API mqc_status mqc_admin_each_topic(mqc_admin *admin, mqc_topic_visitor *visit, void *arg,
                                        mqc_error *error);

/* One broker's share of a topic as the name server tells it. */
typedef struct mqc_topic_route_entry {
    const char *broker_name;
    const char *cluster;
    const char *master_address; /* NULL when the master is down */
    int slaves;
    int read_queues, write_queues;
    int permission;
} mqc_topic_route_entry;

typedef bool mqc_route_visitor(const mqc_topic_route_entry *entry, void *arg);

/* MQC_NO_ROUTE when the topic does not exist. */
MQC_API mqc_status mqc_admin_each_route(mqc_admin *admin, const char *topic,
                                        mqc_route_visitor *visit, void *arg, mqc_error *error);

/* A topic as one broker has it configured. */
typedef struct mqc_topic_config {
    const char *broker_name;
    const char *cluster;
    const char *topic;
    int read_queues, write_queues;
    int permission; /* sum of MQC_PERMISSION_*, and other bits of the broker's */
    bool ordered;
    const char *message_type;       /* "" when the broker tells none */
    const mqc_settings *attributes; /* all attributes, "message.type" among them */
} mqc_topic_config;

typedef struct mqc_topic_configs {
    size_t count;
    const mqc_topic_config *const *configs; /* sorted by broker name */
} mqc_topic_configs;

/* The configuration of a topic on each broker that has it. MQC_NO_ROUTE when none has. */
MQC_API mqc_status mqc_admin_topic_config(mqc_admin *admin, const char *topic,
                                          const mqc_topic_configs **out, mqc_error *error);

/* What a topic's queues hold; queues without a single message included. */
typedef struct mqc_queue_status {
    mqc_message_queue queue;
    int64_t min_offset; /* of the oldest message that is still there */
    int64_t max_offset; /* of the next message that will come */
    int64_t last_update_unix_ms;
} mqc_queue_status;

typedef struct mqc_topic_status {
    double put_tps;   /* messages that came in a second, all brokers; 5.3 and newer */
    int64_t messages; /* the sum of max_offset - min_offset */
    size_t count;
    const mqc_queue_status *const *queues; /* sorted by broker name and queue */
} mqc_topic_status;

/* MQC_NO_ROUTE when the topic does not exist; MQC_NO_CONNECTION when one of its brokers has no
 * master. */
MQC_API mqc_status mqc_admin_topic_status(mqc_admin *admin, const char *topic,
                                          const mqc_topic_status **out, mqc_error *error);

/* The consumer groups that are subscribed to a topic or have offsets in it. */
MQC_API mqc_status mqc_admin_topic_groups(mqc_admin *admin, const char *topic,
                                          const mqc_name_list **out, mqc_error *error);

/* ---- offsets of queues, asked of the queue's master ---- */

/* The offset of the next message that will come, and of the oldest that is still there. */
MQC_API mqc_status mqc_admin_max_offset(mqc_admin *admin, const mqc_message_queue *queue,
                                        int64_t *offset, mqc_error *error);
MQC_API mqc_status mqc_admin_min_offset(mqc_admin *admin, const mqc_message_queue *queue,
                                        int64_t *offset, mqc_error *error);

/* The offset of the first message stored at a time or after it; the max offset when there is none.
 */
MQC_API mqc_status mqc_admin_offset_at(mqc_admin *admin, const mqc_message_queue *queue,
                                       int64_t unix_ms, int64_t *offset, mqc_error *error);

/* When the queue's oldest message was stored; -1 for an empty queue. */
MQC_API mqc_status mqc_admin_oldest_time(mqc_admin *admin, const mqc_message_queue *queue,
                                         int64_t *unix_ms, mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
