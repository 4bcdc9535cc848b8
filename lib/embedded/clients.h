/* Who is there: the clients that a broker knows from heartbeats, by consumer and producer group
 * (ConsumerManager.java, ProducerManager.java). Under the cluster's lock. */
#ifndef EMBEDDED_CLIENTS_H
#define EMBEDDED_CLIENTS_H

#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/protocol/heartbeat.h"

struct connection;

/* One client in one group. */
struct member {
    struct link in_group;
    struct connection *connection;
    char *client_id;
    uint8_t language;
    int32_t version;
    int64_t beat_unix_ms; /* real time */
};

struct consumers {
    char *group;
    char *consume_type, *message_model, *consume_from;
    struct link members;
    struct map subscriptions; /* topic -> struct subscription, owned */
    int64_t fingerprint;      /* of the last heartbeat; 0 for the first kind */
    bool has_fingerprint;
};

struct producers {
    char *group;
    struct link members;
};

struct clients {
    struct map consumers; /* group -> struct consumers */
    struct map producers; /* group -> struct producers */
};

/* Who sends a heartbeat or says goodbye. */
struct client {
    struct connection *connection;
    struct slice client_id;
    uint8_t language;
    int32_t version;
    int64_t now_unix_ms;
};

void clients_init(struct clients *clients);
void clients_done(struct clients *clients);

struct consumers *clients_consumers(const struct clients *clients, struct slice group);
struct producers *clients_producers(const struct clients *clients, struct slice group);

enum clients_change { CLIENTS_SAME, CLIENTS_CHANGED, CLIENTS_NO_MEMORY };

/* Registers a consumer of one group; `with_subscriptions`: those in `data` replace the group's. */
enum clients_change clients_put_consumer(struct clients *clients, const struct client *client,
                                         const struct heartbeat_consumer *data,
                                         bool with_subscriptions);
enum clients_change clients_put_producer(struct clients *clients, const struct client *client,
                                         struct slice group);

/* True when the connection was a member; a group without members is forgotten. */
bool clients_drop_consumer(struct clients *clients, struct slice group,
                           const struct connection *connection);
bool clients_drop_producer(struct clients *clients, struct slice group,
                           const struct connection *connection);

/* The member of that client id, or NULL. */
struct member *clients_member(const struct link *members, struct slice client_id);

#endif
