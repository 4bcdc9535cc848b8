/* What the files of the admin API share: the handle, and requests to one broker, to all, to those
 * of a topic, and to all name servers. On the application's threads; each request has the client's
 * request timeout. */
#ifndef ADMIN_ADMIN_PRIVATE_H
#define ADMIN_ADMIN_PRIVATE_H

#include <mqclient/admin.h>

#include "lib/client/client_instance.h"

struct mqc_admin {
    struct client_instance *instance; /* shared; has no role for this handle, as in Java */
    unsigned fork_generation;
};

/* MQC_BAD_ARGUMENT for NULL, MQC_WRONG_STATE in a forked child. */
mqc_status admin_check(const struct mqc_admin *admin, mqc_error *error);
/* admin_check, and that the place for the result is one; sets it to NULL. */
mqc_status admin_check_out(const struct mqc_admin *admin, void *out, mqc_error *error);
mqc_status admin_check_group(const struct mqc_admin *admin, const char *group, mqc_error *error);
mqc_status admin_check_topic(const struct mqc_admin *admin, const char *topic, mqc_error *error);
mqc_status admin_check_queue(const mqc_message_queue *queue, mqc_error *error);

/* Hands the result over on success; frees it otherwise. Returns the status. */
mqc_status admin_finish(mqc_status status, void *result, void *out);

int64_t admin_deadline(const struct mqc_admin *admin);

/* One request, whose success is any body. */
mqc_status admin_call(struct mqc_admin *admin, const char *address,
                      const struct command_to_send *request, struct remoting_response *response,
                      mqc_error *error);
/* One request, whose answer nobody reads. */
mqc_status admin_call_empty(struct mqc_admin *admin, const char *address,
                            const struct command_to_send *request, mqc_error *error);
/* The same at the name server in use. */
mqc_status admin_call_name_server(struct mqc_admin *admin, const struct command_to_send *request,
                                  struct remoting_response *response, mqc_error *error);
/* The same at every name server: they do not tell one another. The last failure counts. */
typedef mqc_status admin_server_call(struct mqc_admin *admin, const char *address, void *arg,
                                     mqc_error *error);
mqc_status admin_each_name_server(struct mqc_admin *admin, admin_server_call *call, void *arg,
                                  mqc_error *error);

/* ---- brokers: targets.c ---- */

mqc_status admin_cluster(struct mqc_admin *admin, struct cluster_info *out, mqc_error *error);
bool admin_is_wanted(const struct broker_data *broker, const char *cluster,
                     const char *broker_name); /* NULL: any */

/* One broker's part of a question or change. */
typedef mqc_status admin_broker_call(struct mqc_admin *admin, const struct broker_data *broker,
                                     const char *address, void *arg, mqc_error *error);

/* Asks the master of every broker that is wanted, also when one fails, so that what remains to be
 * done is as little as can be. MQC_NOT_FOUND, naming those there are, when there is none. */
mqc_status admin_change_masters(struct mqc_admin *admin, const struct cluster_info *info,
                                const char *cluster, const char *broker_name,
                                admin_broker_call *call, void *arg, mqc_error *error);

/* Asks each broker of a cluster (NULL: all), the master or, without one, a slave; ends with the
 * first failure. */
mqc_status admin_ask_brokers(struct mqc_admin *admin, const char *cluster, admin_broker_call *call,
                             void *arg, mqc_error *error);

/* The same for the brokers of a topic. With `or_all` all brokers are asked when the topic has no
 * route. */
mqc_status admin_ask_topic_brokers(struct mqc_admin *admin, const char *topic, bool or_all,
                                   admin_broker_call *call, void *arg, mqc_error *error);

/* The master of the broker that has a queue. */
mqc_status admin_queue_master(struct mqc_admin *admin, const mqc_message_queue *queue,
                              char out[ADDRESS_TEXT_BYTES], mqc_error *error);

/* Deletes a topic whose name needs no check. */
mqc_status admin_delete_topic(struct mqc_admin *admin, const char *cluster, const char *topic,
                              mqc_error *error);

/* Waits for a moment between two questions. */
void admin_pause(int64_t deadline_ms);

#endif
