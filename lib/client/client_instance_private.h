/* Shared by the files of the client instance only: client_instance.c (state), client_steps.c
 * (services), client_roles.c (who uses it), client_routes.c (look-ups), client_heartbeat.c,
 * client_requests.c (what brokers ask), client_stats.c (figures). */
#ifndef CLIENT_CLIENT_INSTANCE_PRIVATE_H
#define CLIENT_CLIENT_INSTANCE_PRIVATE_H

#include <stdatomic.h>

#include "lib/client/client_instance.h"

enum { CLIENT_TASKS_MOST = 8 };

struct client_instance {
    char *id;
    mqc_client_options options; /* texts are owned: see owned_texts */
    struct credentials credentials;
    bool has_credentials;
    const struct inner_producer_type *inner_type;
    void *inner_producer;

    struct intern names;
    struct name_servers name_servers;
    struct route_table routes;
    struct client_api api;
    struct pending_requests requests;

    struct remoting_client *remoting;
    struct scheduled_executor *scheduler;
    struct pull_service *pull_service;
    struct rebalance_service *rebalance;
    struct callback_executor *callbacks;
    struct scheduled_task *tasks[CLIENT_TASKS_MOST];
    size_t task_count;
    struct callback_task stats_task; /* submitted while stats_busy */
    atomic_bool stats_busy;

    struct lock lock;         /* guards state, starting, roles, their counts of users, heartbeats */
    struct condition changed; /* of any of those */
    enum client_state state;
    bool starting;
    size_t steps_up; /* steps that are up, by the one who starts or shuts down */
    int64_t stop_deadline_ms;
    struct link roles;
    int heartbeats; /* being put together, or sent and not yet answered */

    atomic_bool regrouped; /* members or brokers came or went: routes may have changed, too */
};

/* ---- client_steps.c ---- */
mqc_status client_steps_make(struct client_instance *instance, mqc_error *error);
mqc_status client_steps_up(struct client_instance *instance, mqc_error *error);
void client_steps_down(struct client_instance *instance);

/* ---- client_roles.c ---- */
/* Calls visit(role, arg) for every role of the kind, each held so that it cannot go away. */
void client_roles_each(struct client_instance *instance, enum client_role_kind kind,
                       void (*visit)(struct client_role *role, void *arg), void *arg);
/* The role with this group, held; NULL when there is none. Released with client_roles_release. */
struct client_role *client_roles_hold(struct client_instance *instance, enum client_role_kind kind,
                                      struct slice group);
void client_roles_release(struct client_instance *instance, struct client_role *role);
bool client_roles_has_consumer(struct client_instance *instance);

/* ---- client_routes.c ---- */
void client_routes_refresh(void *instance);            /* scheduled task */
void client_routes_fetch_name_servers(void *instance); /* scheduled task */

/* ---- client_stats.c ---- */
void client_stats_sample(void *instance); /* scheduled task */
void client_stats_listen(void *instance); /* scheduled task */

/* Looks all routes up and has queues divided anew: members that divide at the same time must see
 * the same routes, or a queue has two of them, or none, until the next refresh. */
void client_instance_regroup(struct client_instance *instance);

/* ---- client_heartbeat.c ---- */
void client_heartbeat_task(void *instance); /* scheduled task */
void client_heartbeat_opened(const char *address, void *instance);

/* ---- client_requests.c ---- */
remoting_request_handler client_requests_handle;
/* Answers a broker's request; `remark` may be empty. Oneway requests are not answered. */
void client_requests_reply(struct remoting_connection *connection,
                           const struct remoting_command *request, int32_t code, struct slice body,
                           const char *remark);

/* ---- client_pushes.c, on the reading thread ---- */
void client_pushes_check(struct client_instance *instance, struct remoting_arrival *arrival);
void client_pushes_reply(struct client_instance *instance, struct remoting_arrival *arrival);

#endif
