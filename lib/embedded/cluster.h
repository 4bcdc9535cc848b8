/* The embedded cluster as its files see it: one lock guards everything, one thread does all I/O and
 * runs all handlers; callers of the public API take the lock for a moment. */
#ifndef EMBEDDED_CLUSTER_H
#define EMBEDDED_CLUSTER_H

#include <mqclient/embedded.h>

#include "lib/base/lock.h"
#include "lib/embedded/acl.h"
#include "lib/embedded/broker.h"
#include "lib/embedded/connection.h"
#include "lib/embedded/faults.h"
#include "lib/embedded/name_server.h"
#include "lib/embedded/request_log.h"
#include "lib/net/poller.h"
#include "services/service.h"

#define EMBEDDED_HOST        "127.0.0.1"
#define EMBEDDED_HOST_6      "::1"
#define EMBEDDED_NAME_SERVER "name-server"
#define EMBEDDED_REGION      "DefaultRegion"

enum { EMBEDDED_BROKERS_MAX = 26, EMBEDDED_SLAVES_MAX = 9 };

struct mqc_embedded {
    struct lock lock;          /* guards everything below but what is constant after the start */
    struct condition progress; /* something happened that somebody may wait for */
    struct service service;
    struct poller *poller;

    /* Constant after the start. */
    char *name; /* of the cluster */
    struct tls_context *tls;
    bool tls_only;
    bool auto_create_topics;
    bool ipv6;
    bool virtual_clock;
    enum serialize_type serialize_type;
    int32_t topic_queues;
    int64_t retention_bytes, retention_messages;
    struct broker_settings settings; /* that brokers begin with */
    struct acl acl;
    char name_server_address[ADDRESS_TEXT_BYTES];

    struct timers held;     /* by the monotonic clock */
    struct timers schedule; /* by message time */
    int64_t start_unix_ms;
    int64_t advanced_ms;
    struct timer expiry; /* of clients that do not beat any more */

    struct listener name_listener;
    struct name_server name_server;
    struct broker **brokers; /* masters and slaves; never removed */
    size_t broker_count, broker_capacity;
    struct link stores; /* struct broker_data */
    struct link connections;
    struct link graveyard; /* closed, until no event can name them */
    struct link forwarded; /* requests to clients that wait for an answer */
    struct faults faults;
    struct request_log log;
    int32_t next_opaque;
    bool stopping;
};

/* Message time in ms since 1970. */
int64_t cluster_message_time(const struct mqc_embedded *cluster);

/* Runs everything that is due by message time. */
void cluster_run_schedule(struct mqc_embedded *cluster);

/* The broker of a number, as the public API counts; NULL. */
struct broker *cluster_broker(struct mqc_embedded *cluster, int number);

/* The first broker that is up with that name and id, or NULL. */
struct broker *cluster_find_broker(const struct mqc_embedded *cluster, struct slice name,
                                   int64_t broker_id);

#endif
