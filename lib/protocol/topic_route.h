/* Where a topic lives: the body of GET_ROUTEINFO_BY_TOPIC's answer (TopicRouteData.java). Immutable
 * once made and counted, so that readers hold a snapshot and no lock. */
#ifndef PROTOCOL_TOPIC_ROUTE_H
#define PROTOCOL_TOPIC_ROUTE_H

#include <mqclient/status.h>

#include "lib/base/buffer.h"
#include "lib/base/reference.h"

enum {
    ROUTE_PERMISSION_INHERIT = 1,
    ROUTE_PERMISSION_WRITE = 2,
    ROUTE_PERMISSION_READ = 4,
    BROKER_ID_MASTER = 0
};

struct broker_address {
    int64_t broker_id;
    char *address;
};

struct broker_data {
    char *cluster;
    char *broker_name;
    bool enable_acting_master;
    size_t address_count;
    struct broker_address *addresses; /* by ascending id */
};

struct queue_data {
    char *broker_name;
    int32_t read_queues;
    int32_t write_queues;
    int32_t permission;
    int32_t topic_sys_flag;
};

/* One queue of a static topic (TopicQueueMappingInfo.java): its number stays while brokers that
 * have it come and go. */
#define STATIC_BROKER_PREFIX "__syslo__"       /* of what stands in place of a broker's name */
#define STATIC_NO_BROKER     "__syslo__none__" /* host of a queue that nobody has */
struct static_queue {
    char *broker_name; /* "__syslo__global__" */
    int32_t queue_id;
    char *host; /* the broker that has it now */
    int64_t epoch;
};

struct topic_route {
    struct reference references;
    char *order_topic_conf; /* "broker:n;broker:n", NULL when absent */
    size_t broker_count;
    struct broker_data *brokers; /* by broker name, in Java's order */
    size_t queue_count;
    struct queue_data *queues;    /* by broker name, in Java's order */
    size_t static_count;          /* 0: the topic is none; else its queues are these */
    struct static_queue *statics; /* by broker name and id */
};

mqc_status topic_route_decode(struct slice body, struct topic_route **out, mqc_error *error);
void topic_route_encode(const struct topic_route *route, struct buffer *out);
struct topic_route *topic_route_ref(struct topic_route *route);
void topic_route_unref(struct topic_route *route); /* NULL is fine */
bool topic_route_equal(const struct topic_route *a, const struct topic_route *b);
/* Of a static topic; NULL when there is no such queue. */
const struct static_queue *topic_route_static(const struct topic_route *route,
                                              const char *broker_name, int32_t queue_id);
const struct broker_data *topic_route_broker(const struct topic_route *route, struct slice name);
const char *broker_data_master(const struct broker_data *broker); /* NULL when it has none */

/* GET_BROKER_CLUSTER_INFO's answer (ClusterInfo.java). */
struct cluster_info {
    size_t broker_count;
    struct broker_data *brokers; /* by broker name */
};
mqc_status cluster_info_decode(struct slice body, struct cluster_info *out, mqc_error *error);
void cluster_info_done(struct cluster_info *info);

#endif
