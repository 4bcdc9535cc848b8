/* The JSON bodies of brokers' and name servers' answers, read into results of the admin API. Pure
 * functions. Each adds to a result what one broker has answered, so that several make one result;
 * sorting comes last. MQC_BAD_FRAME names the body and what is wrong in it. */
#ifndef ADMIN_DECODE_H
#define ADMIN_DECODE_H

#include <jansson.h>
#include <mqclient/admin_cluster.h>
#include <mqclient/admin_group.h>
#include <mqclient/admin_message.h>

#include "lib/admin/result.h"

/* Who has answered. */
struct answer_origin {
    const char *cluster;
    const char *broker_name;
};

/* ---- queues: decode_queues.c ---- */

/* GET_TOPIC_STATS_INFO (TopicStatsTable.java) */
mqc_status topic_status_add(mqc_topic_status *status, struct slice body, mqc_error *error);
void topic_status_finish(mqc_topic_status *status);

/* GET_CONSUME_STATS (ConsumeStats.java) */
mqc_status group_progress_add(mqc_group_progress *progress, struct slice body, mqc_error *error);
void group_progress_finish(mqc_group_progress *progress);

/* INVOKE_BROKER_TO_RESET_OFFSET (ResetOffsetBody.java) */
mqc_status offsets_add(mqc_offsets *offsets, struct slice body, mqc_error *error);
void offsets_finish(mqc_offsets *offsets);

/* ---- members: decode_members.c ---- */

/* GET_CONSUMER_CONNECTION_LIST (ConsumerConnection.java); who is there already is left out. */
mqc_status group_members_add(mqc_group_members *members, const char *group, struct slice body,
                             mqc_error *error);
void group_members_finish(mqc_group_members *members);

/* GET_PRODUCER_CONNECTION_LIST (ProducerConnection.java) and GET_ALL_PRODUCER_INFO
 * (ProducerTableInfo.java) */
mqc_status producers_add(mqc_producers *producers, const char *group, struct slice body,
                         mqc_error *error);
mqc_status producer_table_add(mqc_producers *producers, struct slice body, mqc_error *error);
void producers_finish(mqc_producers *producers);

/* "V5_5_0" for 513 (MQVersion.java), in memory of the result; NULL: no memory. */
const char *version_name(void *result, int version);

/* GET_CONSUMER_RUNNING_INFO (ConsumerRunningInfo.java): decode_running.c */
mqc_status running_info_read(mqc_running_info *info, struct slice body, mqc_error *error);

/* CONSUME_MESSAGE_DIRECTLY (ConsumeMessageDirectlyResult.java) */
mqc_status direct_result_read(mqc_direct_result *result, struct slice body, mqc_error *error);

/* The body of a message of a trace topic (TraceDataEncoder.java): the events of one message, told
 * by a client at `client_host`. Records that are no trace's are passed over. decode_trace.c */
mqc_status trace_add(mqc_trace *trace, struct slice body, const char *message_id,
                     const char *client_host, mqc_error *error);
void trace_finish(mqc_trace *trace);

/* ---- configurations: decode_config.c ---- */

/* GET_TOPIC_CONFIG (TopicConfig.java, TopicConfigAndQueueMapping.java) */
mqc_status topic_config_add(mqc_topic_configs *configs, const struct answer_origin *origin,
                            struct slice body, mqc_error *error);

/* GET_SUBSCRIPTIONGROUP_CONFIG (SubscriptionGroupConfig.java) */
mqc_status group_config_add(mqc_group_configs *configs, const struct answer_origin *origin,
                            struct slice body, mqc_error *error);

/* GET_ALL_SUBSCRIPTIONGROUP_CONFIG (SubscriptionGroupWrapper.java): the names in it. */
mqc_status group_names_add(mqc_name_list *groups, struct slice body, mqc_error *error);

/* {"<member>":["a","b"]}: TopicList.java, GroupList.java */
mqc_status names_add(void *result, mqc_name_list *list, const char *what, const char *member,
                     struct slice body, mqc_error *error);

/* {"table":{name:value}}: KVTable.java */
mqc_status table_read(void *result, mqc_settings *settings, struct slice body, mqc_error *error);

/* java.util.Properties as text: a "name=value" a line. */
mqc_status properties_text_read(void *result, mqc_settings *settings, struct slice body,
                                mqc_error *error);

/* GET_BROKER_RUNTIME_INFO's table, made into numbers. */
mqc_status broker_status_read(mqc_broker_status *status, struct slice body, mqc_error *error);

/* ---- shared ---- */

double json_real_member(const json_t *object, const char *name);
mqc_status queue_read(void *result, const json_t *object, mqc_message_queue *out,
                      mqc_error *error); /* {"topic":…,"brokerName":…,"queueId":…} */

/* Calls `add` with each member of an object whose keys are queues. */
typedef mqc_status queue_entry(void *result, const mqc_message_queue *queue, const json_t *value,
                               mqc_error *error);
mqc_status queue_table_read(void *result, const json_t *table, queue_entry *add, mqc_error *error);

#endif
