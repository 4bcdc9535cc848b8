/* The heart: one shared object per client id that gives every producer and consumer of the process
 * one way to talk to brokers (MQClientInstance.java). It owns the services and starts and stops
 * them in the order of one table:
 *
 *   CREATE_JUST -> START_FAILED (while starting, and for good when a step fails) -> RUNNING
 *               -> SHUTDOWN_ALREADY
 */
#ifndef CLIENT_CLIENT_INSTANCE_H
#define CLIENT_CLIENT_INSTANCE_H

#include <mqclient/client.h>

#include "lib/client/client_api.h"
#include "lib/client/client_role.h"
#include "lib/client/pending_requests.h"
#include "lib/client/route_table.h"
#include "services/callback_executor.h"
#include "services/pull_service.h"
#include "services/rebalance_service.h"
#include "services/scheduled_executor.h"

enum client_state {
    CLIENT_CREATE_JUST,
    CLIENT_START_FAILED,
    CLIENT_RUNNING,
    CLIENT_SHUTDOWN_ALREADY
};
const char *client_state_name(enum client_state state); /* "CREATE_JUST", … */

struct client_instance;

/* The instance's inner producer belongs to the layer above: how to make, start and stop one. */
struct inner_producer_type {
    mqc_status (*start)(struct client_instance *instance, void **inner, mqc_error *error);
    void (*stop)(void *inner);
};

/* ---- life; the client manager is the only caller ---- */
mqc_status client_instance_new(const mqc_client_options *filled, const char *client_id,
                               const struct inner_producer_type *inner,
                               struct client_instance **out, mqc_error *error);
/* A second start on RUNNING does nothing; callers that come while another starts wait for it. */
mqc_status client_instance_start(struct client_instance *instance, mqc_error *error);
void client_instance_shutdown(struct client_instance *instance, int64_t deadline_ms);
void client_instance_free(struct client_instance *instance);

enum client_state client_instance_state(struct client_instance *instance);
const char *client_instance_id(const struct client_instance *instance);

/* ---- what roles use ---- */
struct client_api *client_instance_api(struct client_instance *instance);
struct remoting_client *client_instance_remoting(struct client_instance *instance);
struct route_table *client_instance_routes(struct client_instance *instance);
struct intern *client_instance_names(struct client_instance *instance);
struct scheduled_executor *client_instance_scheduler(struct client_instance *instance);
struct pull_service *client_instance_pull_service(struct client_instance *instance);
struct callback_executor *client_instance_callbacks(struct client_instance *instance);
struct pending_requests *client_instance_requests(struct client_instance *instance);
const mqc_client_options *client_instance_options(const struct client_instance *instance);
void *client_instance_inner_producer(struct client_instance *instance);
/* client_instance_options()->request_timeout_ms from now. */
int64_t client_instance_request_deadline(const struct client_instance *instance);
void client_instance_wake_rebalance(struct client_instance *instance);

/* Puts the figures of all connections into a snapshot. */
void client_instance_tell_stats(struct client_instance *instance, struct mqc_stats *out);

/* Adds a role. MQC_WRONG_STATE when the instance has one of this kind and group already. */
mqc_status client_instance_register(struct client_instance *instance, struct client_role *role,
                                    mqc_error *error);
/* Takes a role out, waits for calls into it, and tells every broker that the group left. Each
 * broker is told at the same time; waits for their answers at most until the deadline. */
void client_instance_unregister(struct client_instance *instance, struct client_role *role,
                                int64_t deadline_ms);

/* Looks the topic's route up at a name server now. With `default_topic` a topic that does not exist
 * gets that one's route with at most `default_queues` queues a broker, so that brokers create it.
 */
mqc_status client_instance_update_route(struct client_instance *instance, const char *topic,
                                        const char *default_topic, int default_queues,
                                        int64_t deadline_ms, mqc_error *error);

/* The topic's queues, counted up: from the table, else looked up at a name server. */
mqc_status client_instance_queues(struct client_instance *instance, const char *topic,
                                  int64_t deadline_ms, struct topic_queues **out, mqc_error *error);

/* The address of a broker's master, looked up once more through the topic's route when it is not
 * known. MQC_NO_ROUTE "The broker[x] not exist". */
mqc_status client_instance_master(struct client_instance *instance, const char *topic,
                                  const char *broker_name, int64_t deadline_ms,
                                  char out[ADDRESS_TEXT_BYTES], mqc_error *error);

/* The same for whoever has a queue, which may be one of a static topic. */
mqc_status client_instance_queue_master(struct client_instance *instance,
                                        const mqc_message_queue *queue, int64_t deadline_ms,
                                        char out[ADDRESS_TEXT_BYTES], mqc_error *error);

/* Sends a heartbeat to every broker at once; waits for the answers until the deadline (0: not at
 * all). Returns how many brokers have answered well. */
size_t client_instance_heartbeat(struct client_instance *instance, int64_t deadline_ms);

#endif
