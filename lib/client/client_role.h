/* How the instance sees its producers and consumers, which belong to the layers above: a group and
 * a few functions. The instance calls them with no lock held; a role is not freed while one runs.
 */
#ifndef CLIENT_CLIENT_ROLE_H
#define CLIENT_CLIENT_ROLE_H

#include <mqclient/status.h>

#include "lib/base/list.h"
#include "lib/protocol/heartbeat.h"
#include "lib/protocol/remoting_command.h"

struct client_role;

enum client_role_kind { CLIENT_ROLE_PRODUCER, CLIENT_ROLE_CONSUMER };

/* Everything but `kind` may be NULL where it does not apply. */
struct client_role_type {
    enum client_role_kind kind;

    /* Fills a consumer's part of the heartbeat; the subscriptions are copies that the caller
     * releases with subscription_done and memory_free. Must not block. */
    mqc_status (*describe)(struct client_role *role, struct heartbeat_consumer *out,
                           mqc_error *error);
    /* Divides queues anew; returns whether everything is divided. Rebalance service. */
    bool (*rebalance)(struct client_role *role);
    /* Sends changed offsets to the brokers. Scheduled executor. */
    void (*persist_offsets)(struct client_role *role);
    /* Shrinks or grows worker pools. Scheduled executor, every minute. */
    void (*adjust_workers)(struct client_role *role);
    /* A broker's request for this group, on a callback thread: fills the response's body and
     * returns its code (enum response_code). Codes 220, 221, 307, 309. */
    int32_t (*request)(struct client_role *role, const struct remoting_command *request,
                       struct buffer *body, mqc_error *remark);
};

struct client_role {
    struct link link;
    const struct client_role_type *type;
    const char *group; /* lives as long as the role */
    int users;         /* guarded by the instance's lock: calls that run now */
};

#endif
