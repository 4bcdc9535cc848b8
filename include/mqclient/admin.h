/* Looking after topics: create, list, look up, delete. An admin handle may be used from any thread.
 */
#ifndef MQCLIENT_ADMIN_H
#define MQCLIENT_ADMIN_H

#include <mqclient/client.h>
#include <mqclient/message.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mqc_admin mqc_admin;

enum { MQC_PERMISSION_WRITE = 2, MQC_PERMISSION_READ = 4 };

/* Zero means default. */
typedef struct mqc_topic_options {
    int read_queues;  /* default 8 */
    int write_queues; /* default 8 */
    int permission;   /* sum of MQC_PERMISSION_*; default both */
    bool ordered;
} mqc_topic_options;

/* One broker's share of a topic, or one broker's address, as the name server tells it. */
typedef struct mqc_topic_route_entry {
    const char *broker_name;
    const char *cluster;
    const char *master_address; /* NULL when the master is down */
    int slaves;
    int read_queues, write_queues;
    int permission;
} mqc_topic_route_entry;

/* Visitors are called on the calling thread; what they are given is valid during the call only.
 * Returning false ends the visit. */
typedef bool mqc_topic_visitor(const char *topic, void *arg);
typedef bool mqc_route_visitor(const mqc_topic_route_entry *entry, void *arg);

/* A started admin handle; NULL and `error` otherwise. Free with mqc_admin_free. */
MQC_API mqc_admin *mqc_admin_new(const mqc_client_options *options, mqc_error *error);
MQC_API void mqc_admin_free(mqc_admin *admin);

/* All calls below block, each request at most the request timeout. */

/* Creates or changes a topic on the brokers of `cluster` (NULL: all clusters), and returns when the
 * name server knows it. */
MQC_API mqc_status mqc_admin_create_topic(mqc_admin *admin, const char *cluster, const char *topic,
                                          const mqc_topic_options *options, mqc_error *error);

/* Deletes a topic from the brokers of `cluster` (NULL: all) and from the name servers. */
MQC_API mqc_status mqc_admin_delete_topic(mqc_admin *admin, const char *cluster, const char *topic,
                                          mqc_error *error);

/* Visits all topics in the name server's order. */
MQC_API mqc_status mqc_admin_each_topic(mqc_admin *admin, mqc_topic_visitor *visit, void *arg,
                                        mqc_error *error);

/* MQC_NO_ROUTE when the topic does not exist. */
MQC_API mqc_status mqc_admin_each_route(mqc_admin *admin, const char *topic,
                                        mqc_route_visitor *visit, void *arg, mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
