/* One typed call for each request that is not on the hot path (MQClientAPIImpl.java). All but those
 * named _async block, at most until their deadline, and hold no lock. A broker's refusal is
 * MQC_REFUSED with its code and its own words. */
#ifndef CLIENT_CLIENT_API_H
#define CLIENT_CLIENT_API_H

#include "lib/client/name_servers.h"
#include "lib/protocol/bodies.h"
#include "lib/protocol/topic_route.h"
#include "services/remoting_client.h"

struct client_api {
    struct remoting_client *remoting;
    struct name_servers *name_servers;
    const mqc_client_options *options; /* how brokers' addresses are mapped */
};

/* Fills the error from an answer that is not a success: code, name and remark. */
mqc_status client_api_refused(const struct remoting_command *answer, const char *address,
                              const char *doing, mqc_error *error);

/* Calls and turns any answer but SUCCESS into an error. */
mqc_status client_api_call(struct client_api *api, const char *address,
                           const struct command_to_send *request, int64_t deadline_ms,
                           struct remoting_response *response, mqc_error *error);

/* Asks the chosen name server, then the others, each for its share of the time that is left. Any
 * answer counts; MQC_BAD_ARGUMENT when there is no name server at all. */
mqc_status client_api_call_name_server(struct client_api *api,
                                       const struct command_to_send *request, int64_t deadline_ms,
                                       struct remoting_response *response, mqc_error *error);

/* ---- name servers ---- */
/* GET_ROUTEINFO_BY_TOPIC; MQC_NO_ROUTE when the topic is unknown. */
mqc_status client_api_route(struct client_api *api, const char *topic, int64_t deadline_ms,
                            struct topic_route **out, mqc_error *error);
mqc_status client_api_topic_list(struct client_api *api, int64_t deadline_ms, struct name_list *out,
                                 mqc_error *error);
mqc_status client_api_cluster_info(struct client_api *api, int64_t deadline_ms,
                                   struct cluster_info *out, mqc_error *error);

/* ---- brokers ---- */
struct create_topic_header; /* headers_admin.def */
mqc_status client_api_create_topic(struct client_api *api, const char *address,
                                   const struct create_topic_header *header, int64_t deadline_ms,
                                   mqc_error *error);
mqc_status client_api_delete_topic(struct client_api *api, const char *address, const char *topic,
                                   int64_t deadline_ms, mqc_error *error);
/* GET_CONSUMER_LIST_BY_GROUP: the group's client ids. Nobody online is a refusal (code 1). */
mqc_status client_api_consumer_list(struct client_api *api, const char *address, const char *group,
                                    int64_t deadline_ms, struct name_list *out, mqc_error *error);

/* One queue of a group, as the offset calls name it. */
struct offset_place {
    const char *group;
    const char *topic;
    const char *broker_name;
    int queue_id;
};

/* QUERY_CONSUMER_OFFSET: *offset is -1 when the group has none there. */
mqc_status client_api_query_offset(struct client_api *api, const char *address,
                                   const struct offset_place *place, int64_t deadline_ms,
                                   int64_t *offset, mqc_error *error);
/* UPDATE_CONSUMER_OFFSET: `done` is given the answer, or it is waited for. */
mqc_status client_api_update_offset_async(struct client_api *api, const char *address,
                                          const struct offset_place *place, int64_t offset,
                                          int64_t deadline_ms, remoting_done *done, void *arg,
                                          mqc_error *error);
mqc_status client_api_update_offset_sync(struct client_api *api, const char *address,
                                         const struct offset_place *place, int64_t offset,
                                         int64_t deadline_ms, mqc_error *error);
mqc_status client_api_max_offset(struct client_api *api, const char *address,
                                 const struct offset_place *place, int64_t deadline_ms,
                                 int64_t *offset, mqc_error *error);
mqc_status client_api_min_offset(struct client_api *api, const char *address,
                                 const struct offset_place *place, int64_t deadline_ms,
                                 int64_t *offset, mqc_error *error);
mqc_status client_api_search_offset(struct client_api *api, const char *address,
                                    const struct offset_place *place, int64_t unix_ms,
                                    int64_t deadline_ms, int64_t *offset, mqc_error *error);

/* CHECK_CLIENT_CONFIG: whether the broker can filter as the subscription says. */
struct subscription;
mqc_status client_api_check_filter(struct client_api *api, const char *address,
                                   const char *client_id, const char *group,
                                   const struct subscription *subscription, int64_t deadline_ms,
                                   mqc_error *error);

struct consumer_send_message_back_header; /* headers.def */
mqc_status client_api_send_back(struct client_api *api, const char *address,
                                const struct consumer_send_message_back_header *header,
                                int64_t deadline_ms, mqc_error *error);

#endif
