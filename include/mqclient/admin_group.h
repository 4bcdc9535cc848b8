/* Consumer groups, from outside: their settings, members, progress and offsets. What admin.h says
 * of handles and results holds here. */
#ifndef MQCLIENT_ADMIN_GROUP_H
#define MQCLIENT_ADMIN_GROUP_H

#include <mqclient/admin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- settings ---- */

/* Zero means the default when a group is created, and "as it is" when one is updated. What is
 * switched is 1 for yes and -1 for no. */
typedef struct mqc_group_options {
    int retry_max_times; /* then the dead letter queue; default 16, -1: at once */
    int retry_queues;    /* of the retry topic; default 1 */
    int consume;         /* whether members get messages; default yes */
    int broadcast;       /* whether broadcasting is allowed; default yes */
    int ordered;         /* whether messages are consumed in order (pop); default no */
    int consume_timeout_minutes;
    const char *broker_name; /* only on this broker; default: all of the cluster */
} mqc_group_options;

/* Creates a group on the brokers of `cluster` (NULL: all), or changes one that exists to these
 * options. `options` may be NULL. Brokers that create groups by themselves
 * (autoCreateSubscriptionGroup) do so with the defaults. Call it as mqc_admin_create_group. */
MQC_API mqc_status mqc_admin_create_group_sized(mqc_admin *admin, const char *cluster,
                                                const char *group, const mqc_group_options *options,
                                                size_t size, mqc_error *error);
static inline mqc_status mqc_admin_create_group(mqc_admin *admin, const char *cluster,
                                                const char *group, const mqc_group_options *options,
                                                mqc_error *error)
{
    return mqc_admin_create_group_sized(admin, cluster, group, options, sizeof(mqc_group_options),
                                        error);
}

/* Changes what `options` say of a group on each broker of `cluster` (NULL: all) that has it, and
 * leaves the rest as it is. MQC_NOT_FOUND when none has it. Call it as mqc_admin_update_group. */
MQC_API mqc_status mqc_admin_update_group_sized(mqc_admin *admin, const char *cluster,
                                                const char *group, const mqc_group_options *options,
                                                size_t size, mqc_error *error);
static inline mqc_status mqc_admin_update_group(mqc_admin *admin, const char *cluster,
                                                const char *group, const mqc_group_options *options,
                                                mqc_error *error)
{
    return mqc_admin_update_group_sized(admin, cluster, group, options, sizeof(mqc_group_options),
                                        error);
}

/* Deletes a group from the brokers of `cluster` (NULL: all), with its offsets unless
 * `keep_offsets`, and its %RETRY% and %DLQ% topics with their messages. A group that does not exist
 * is as good as deleted; one that is online comes back by itself where brokers create groups. */
MQC_API mqc_status mqc_admin_delete_group(mqc_admin *admin, const char *cluster, const char *group,
                                          bool keep_offsets, mqc_error *error);

/* The groups that the brokers of `cluster` (NULL: all) have, the system's own included. */
MQC_API mqc_status mqc_admin_groups(mqc_admin *admin, const char *cluster,
                                    const mqc_name_list **out, mqc_error *error);

/* A group as one broker has it configured. */
typedef struct mqc_group_config {
    const char *broker_name;
    const char *cluster;
    const char *group;
    int retry_max_times;
    int retry_queues;
    int consume_timeout_minutes;
    bool consume, broadcast, ordered;
    const mqc_settings *settings; /* all that the broker tells; JSON where it is no plain value */
} mqc_group_config;

typedef struct mqc_group_configs {
    size_t count;
    const mqc_group_config *const *configs; /* sorted by broker name */
} mqc_group_configs;

/* MQC_NOT_FOUND when no broker has the group. */
MQC_API mqc_status mqc_admin_group_config(mqc_admin *admin, const char *group,
                                          const mqc_group_configs **out, mqc_error *error);

/* The topics that a group has offsets in or is subscribed to. */
MQC_API mqc_status mqc_admin_group_topics(mqc_admin *admin, const char *group,
                                          const mqc_name_list **out, mqc_error *error);

/* ---- progress ---- */

/* One queue as a group has consumed it. */
typedef struct mqc_queue_progress {
    mqc_message_queue queue;
    int64_t broker_offset;   /* of the next message that will come */
    int64_t consumer_offset; /* of the next message that is not done; 0 when there is none */
    int64_t pull_offset;     /* of the next message that was not handed out yet */
    int64_t lag;             /* broker_offset - consumer_offset */
    int64_t inflight;        /* pull_offset - consumer_offset: handed out and not done */
    int64_t last_unix_ms;    /* when the last message that is done was stored */
    const char *client_id;   /* who has the queue; NULL when nobody, or when it was not asked for */
} mqc_queue_progress;

typedef struct mqc_group_progress {
    double consume_tps;
    int64_t lag; /* the sums over the queues */
    int64_t inflight;
    size_t count;
    const mqc_queue_progress *const *queues; /* sorted by topic, broker name and queue */
} mqc_group_progress;

enum { MQC_PROGRESS_OWNERS = 1 /* ask all members which queues they have */ };

/* How far a group is in one topic, or in all its topics (NULL), its %RETRY% topic included: the
 * numbers of mqadmin's consumerProgress. Offsets are up to 5 s old; messages that wait for their
 * next delivery in a delay level are not counted, messages that a filter will pass over are. A
 * topic that is named is told with all its queues, from 0 where the group has no offset. `flags` is
 * a sum of MQC_PROGRESS_*. MQC_NOT_FOUND when there is nothing to tell. */
MQC_API mqc_status mqc_admin_group_progress(mqc_admin *admin, const char *group, const char *topic,
                                            unsigned flags, const mqc_group_progress **out,
                                            mqc_error *error);

/* ---- members ---- */

/* A producer or consumer that is connected. */
typedef struct mqc_group_member {
    const char *client_id;
    const char *address;      /* where it comes from, as the broker sees it */
    const char *language;     /* "JAVA", "CPP", "GO", … */
    int version;              /* as RocketMQ numbers its releases: 513 is 5.5.0 */
    const char *version_name; /* "V5_5_0" */
    const char *group;        /* its group */
} mqc_group_member;

typedef struct mqc_group_subscription {
    const char *topic;
    const char *expression;      /* "*", "a || b" or SQL */
    const char *expression_type; /* "TAG" or "SQL92" */
} mqc_group_subscription;

typedef struct mqc_group_members {
    const char *consume_type;  /* "CONSUME_PASSIVELY" (push), "CONSUME_ACTIVELY" (pull), … */
    const char *message_model; /* "CLUSTERING" or "BROADCASTING" */
    const char *consume_from;  /* "CONSUME_FROM_LAST_OFFSET", … */
    size_t count;
    const mqc_group_member *const *members; /* sorted by client id */
    size_t subscription_count;
    const mqc_group_subscription *const *subscriptions; /* sorted by topic */
} mqc_group_members;

/* The members of a consumer group that any broker has a connection of. MQC_NOT_FOUND when nobody
 * is online. */
MQC_API mqc_status mqc_admin_group_members(mqc_admin *admin, const char *group,
                                           const mqc_group_members **out, mqc_error *error);

typedef struct mqc_producers {
    size_t count;
    const mqc_group_member *const *members; /* sorted by group and client id */
} mqc_producers;

/* The producers of a group, or of all groups (NULL), that are connected to any broker. */
MQC_API mqc_status mqc_admin_producers(mqc_admin *admin, const char *group,
                                       const mqc_producers **out, mqc_error *error);

/* One queue in a consumer's hands. */
typedef struct mqc_running_queue {
    mqc_message_queue queue;
    int64_t commit_offset;
    int64_t cached_messages, cached_mib;
    int64_t cached_min_offset, cached_max_offset;
    int64_t unacknowledged; /* pop: handed out, neither done nor refused */
    bool pop;
    bool locked, dropped;
    int64_t last_pull_unix_ms, last_consume_unix_ms, last_lock_unix_ms;
} mqc_running_queue;

/* How a consumer gets on with one topic. */
typedef struct mqc_running_topic {
    const char *topic;
    double pull_ms, pull_tps;
    double consume_ms, consume_ok_tps, consume_failed_tps;
    int64_t consume_failed_messages; /* in the last hour */
} mqc_running_topic;

/* What a consumer tells of itself. */
typedef struct mqc_running_info {
    const char *client_id;
    const mqc_settings *properties;
    size_t subscription_count;
    const mqc_group_subscription *const *subscriptions;
    size_t queue_count;
    const mqc_running_queue *const *queues; /* sorted by topic, broker name and queue */
    size_t topic_count;
    const mqc_running_topic *const *topics;
    const char *stacks; /* its threads, of clients that tell; NULL unless asked for */
} mqc_running_info;

/* Asks a member through a broker. MQC_NOT_FOUND when it is not online. */
MQC_API mqc_status mqc_admin_running_info(mqc_admin *admin, const char *group,
                                          const char *client_id, bool with_stacks,
                                          const mqc_running_info **out, mqc_error *error);

/* ---- offsets ---- */

typedef struct mqc_queue_offset {
    mqc_message_queue queue;
    int64_t offset;
} mqc_queue_offset;

typedef struct mqc_offsets {
    size_t count;
    const mqc_queue_offset *const *offsets; /* sorted by broker name and queue */
} mqc_offsets;

enum { MQC_RESET_TO_END = -1 };

/* Moves a group's offsets in all queues of a topic to the first message stored at a time or after
 * it (MQC_RESET_TO_END: behind the last), online or not, forward or back. The result has the new
 * offsets. Members on a 5.x broker go on from there with their next pull; those on a 4.x broker are
 * told to drop what they have. A group that is offline must exist on the brokers. */
MQC_API mqc_status mqc_admin_reset_offsets(mqc_admin *admin, const char *group, const char *topic,
                                           int64_t unix_ms, const mqc_offsets **out,
                                           mqc_error *error);

/* Moves a group's offset in one queue. MQC_BAD_ARGUMENT for an offset that the queue does not have
 * (its min offset to its max offset). On a 4.x broker members that are online would undo it: there
 * it is MQC_WRONG_STATE while the group has members. */
MQC_API mqc_status mqc_admin_reset_offset(mqc_admin *admin, const char *group,
                                          const mqc_message_queue *queue, int64_t offset,
                                          mqc_error *error);

/* Gives a group the offsets of another one, in one topic or in all (NULL), on all brokers. The
 * group that gets them should be offline. MQC_NOT_FOUND when there are none. */
MQC_API mqc_status mqc_admin_clone_offsets(mqc_admin *admin, const char *from_group,
                                           const char *to_group, const char *topic,
                                           mqc_error *error);

/* How a group gets a topic's messages (brokers 5.x): by pulling, which is the default, or by
 * popping, for consumers whose options say `pop`. With share_queues n a member pops its own share
 * of the queues and that of the n members behind it, with 0 all queues. Members learn of it within
 * 20 s. MQC_REFUSED by brokers that do not know popping. */
MQC_API mqc_status mqc_admin_set_request_mode(mqc_admin *admin, const char *topic,
                                              const char *group, bool pop, int share_queues,
                                              mqc_error *error);

#ifdef __cplusplus
}
#endif
#endif
