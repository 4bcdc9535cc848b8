/* The name server's tables: topics with their queues on each broker, and key-value settings
 * (RouteInfoManager.java, KVConfigManager.java). Under the cluster's lock. As with the real one, a
 * topic stays in the route until the name server itself is told to delete it. */
#ifndef EMBEDDED_NAME_SERVER_H
#define EMBEDDED_NAME_SERVER_H

#include "lib/base/map.h"

struct broker;
struct broker_data;
struct topic;

/* One broker's share of a topic. */
struct route_share {
    struct broker_data *broker;
    int32_t read_queues, write_queues;
    int32_t permission;
    int32_t sys_flag;
};

struct route {
    size_t count, capacity;
    struct route_share *shares;
};

struct name_server {
    struct map routes;   /* topic -> struct route */
    struct map settings; /* namespace 0x01 key -> text */
};

void name_server_init(struct name_server *name_server);
void name_server_done(struct name_server *name_server);

/* False: no memory. */
bool name_server_register_topic(struct name_server *name_server, struct broker_data *broker,
                                const struct topic *topic);
bool name_server_register_broker(struct name_server *name_server, struct broker_data *broker);
void name_server_forget_broker(struct name_server *name_server, const struct broker_data *broker);
void name_server_forget_topic(struct name_server *name_server, struct slice topic,
                              const struct broker_data *broker); /* NULL: of all */

#endif
