/* Brokers and name servers: who they are, how they are, how they are configured. What admin.h says
 * of handles and results holds here. */
#ifndef MQCLIENT_ADMIN_CLUSTER_H
#define MQCLIENT_ADMIN_CLUSTER_H

#include <mqclient/admin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One broker process as the name server lists it. */
typedef struct mqc_broker {
    const char *cluster;
    const char *broker_name;
    int64_t broker_id;   /* 0: the master */
    const char *address; /* as it is advertised */
} mqc_broker;

typedef struct mqc_brokers {
    size_t count;
    const mqc_broker *const *brokers; /* sorted by cluster, broker name and id */
} mqc_brokers;

/* The brokers of `cluster` (NULL: all). MQC_NOT_FOUND when there is no such cluster. */
MQC_API mqc_status mqc_admin_brokers(mqc_admin *admin, const char *cluster, const mqc_brokers **out,
                                     mqc_error *error);

/* How a broker is. Numbers that it does not tell are 0, texts "". */
typedef struct mqc_broker_status {
    const char *version; /* "V5_5_0" */
    bool active;
    double put_tps, get_tps;                /* messages in and out a second, over the last 10 s */
    int64_t send_queue, send_queue_wait_ms; /* requests that wait for a thread, and since when */
    int64_t pull_queue, pull_queue_wait_ms;
    int64_t ack_queue, ack_queue_wait_ms;
    int64_t page_cache_lock_ms;
    int64_t put_today, put_yesterday, get_today, get_yesterday; /* messages */
    int64_t oldest_message_unix_ms;
    double disk_ratio; /* of the commit log's disk, 0 to 1; negative when unknown */
    int64_t boot_unix_ms;
    int64_t timer_read_behind_ms, timer_offset_behind, timer_messages;
    double timer_enqueue_tps, timer_dequeue_tps;
    const mqc_settings *all; /* every figure as the broker tells it */
} mqc_broker_status;

/* The figures of the broker at an address (of its master: mqc_admin_brokers tells it). */
MQC_API mqc_status mqc_admin_broker_status(mqc_admin *admin, const char *address,
                                           const mqc_broker_status **out, mqc_error *error);

/* All settings of the broker at an address. */
MQC_API mqc_status mqc_admin_broker_config(mqc_admin *admin, const char *address,
                                           const mqc_settings **out, mqc_error *error);

/* Changes one setting of a running broker; it also writes it to its file. MQC_NOT_FOUND for a name
 * that it does not know. Some settings take effect only when it is started again. */
MQC_API mqc_status mqc_admin_set_broker_config(mqc_admin *admin, const char *address,
                                               const char *name, const char *value,
                                               mqc_error *error);

/* Takes a broker's topics out of sending, or puts them back: no new messages come, consumers go on.
 * Told to every name server; *topics (may be NULL) is how many topics that changed. */
MQC_API mqc_status mqc_admin_set_broker_writable(mqc_admin *admin, const char *broker_name,
                                                 bool writable, int *topics, mqc_error *error);

/* ---- name servers ---- */

/* The addresses that this client has: from its options or from the HTTP endpoint. */
MQC_API mqc_status mqc_admin_name_servers(mqc_admin *admin, const mqc_name_list **out,
                                          mqc_error *error);

/* The configuration of the name server at an address (NULL: the one in use). */
MQC_API mqc_status mqc_admin_name_server_config(mqc_admin *admin, const char *address,
                                                const mqc_settings **out, mqc_error *error);

/* All keys of a namespace ("ORDER_TOPIC_CONFIG" is RocketMQ's own) with their values; an empty
 * result when there is no such namespace. */
MQC_API mqc_status mqc_admin_kv_list(mqc_admin *admin, const char *name_space,
                                     const mqc_settings **out, mqc_error *error);

/* The value of one key, as the only setting of the result. MQC_NOT_FOUND when there is none. */
MQC_API mqc_status mqc_admin_kv_get(mqc_admin *admin, const char *name_space, const char *key,
                                    const mqc_settings **out, mqc_error *error);

/* Sets or removes a key at every name server: they do not tell one another. */
MQC_API mqc_status mqc_admin_kv_put(mqc_admin *admin, const char *name_space, const char *key,
                                    const char *value, mqc_error *error);
MQC_API mqc_status mqc_admin_kv_delete(mqc_admin *admin, const char *name_space, const char *key,
                                       mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
