/* How the instance sees its producers and consumers, which belong to the layers above: a group and
 * a few functions. The instance calls them with no lock held; a role is not freed while one runs.
 */
#ifndef CLIENT_CLIENT_ROLE_H
#define CLIENT_CLIENT_ROLE_H

#include <mqclient/status.h>

#include "lib/base/list.h"
#include "lib/net/address.h"
#include "lib/protocol/heartbeat.h"
#include "lib/protocol/message.h"
#include "lib/protocol/names.h"
#include "lib/protocol/remoting_command.h"
#include "services/rebalance_service.h"

struct client_role;
struct mqc_stats;

/* A broker's request that a role was given (220, 221, 307, 309): answered or dropped once, on any
 * thread. */
struct client_request;
const struct remoting_command *client_request_command(const struct client_request *request);
/* Answers unless it is oneway; `remark` may be empty. Frees the request. While the instance is
 * there. */
void client_request_answer(struct client_request *request, int32_t code, struct slice body,
                           const char *remark);
void client_request_drop(struct client_request *request); /* frees it; any time */

/* A broker asks how a transaction stands (CheckTransactionStateRequestHeader). */
struct transaction_check {
    struct link link;
    mqc_message *message;             /* the half message; owned */
    char address[ADDRESS_TEXT_BYTES]; /* of the broker that asks, to be answered there */
    char topic[NAME_BYTES];           /* as the broker names it: its topic of half messages */
    char message_id[MESSAGE_ID_BYTES];
    char transaction_id[MESSAGE_ID_BYTES];
    char broker_name[NAME_BYTES];
    int64_t table_offset; /* of the half message as it is stored now: anew for each check */
    int64_t commit_log_offset;
};
void transaction_check_free(struct transaction_check *check);

enum client_role_kind { CLIENT_ROLE_PRODUCER, CLIENT_ROLE_CONSUMER };

/* Everything but `kind` may be NULL where it does not apply. */
struct client_role_type {
    enum client_role_kind kind;

    /* Fills a consumer's part of the heartbeat; the subscriptions are copies that the caller
     * releases with subscription_done and memory_free. Must not block. */
    mqc_status (*describe)(struct client_role *role, struct heartbeat_consumer *out,
                           mqc_error *error);
    /* Divides queues anew. Rebalance service. */
    enum rebalance_result (*rebalance)(struct client_role *role);
    /* Sends changed offsets to the brokers. Scheduled executor. */
    void (*persist_offsets)(struct client_role *role);
    /* Puts the role's figures into a snapshot, and keeps what they are for their rates. Must not
     * block; any thread, and the scheduled executor. NULL: it has none. */
    void (*tell_stats)(struct client_role *role, struct mqc_stats *out);
    void (*sample_stats)(struct client_role *role, int64_t now_ms);
    /* Shrinks or grows worker pools. Scheduled executor, every minute. */
    void (*adjust_workers)(struct client_role *role);
    /* Takes over a check of one of the group's transactions. On the reading thread: must not block.
     */
    void (*check_transaction)(struct client_role *role, struct transaction_check *check);
    /* Takes over a broker's request for this group. On a callback thread, which it must not hold up
     * with the application's code: the role cannot be unregistered meanwhile. */
    void (*request)(struct client_role *role, struct client_request *request);
};

struct client_role {
    struct link link;
    const struct client_role_type *type;
    const char *group; /* lives as long as the role */
    int users;         /* guarded by the instance's lock: calls that run now */
};

#endif
