/* How far a group is, and setting it elsewhere (DefaultMQAdminExtImpl.java). On the application's
 * threads; each request has the client's request timeout. */
#include "lib/admin/admin_private.h"
#include "lib/admin/decode.h"
#include "lib/admin/members.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/names.h"

enum { FIRST_SERVER_SIDE_RESET = 413 /* V5_0_0 */, TO_THE_END = MQC_RESET_TO_END };

struct question {
    void *result;
    const char *group, *topic;
    int64_t unix_ms;
    mqc_error *refusal;
};

/* ---- progress ---- */

/* GET_CONSUME_STATS (208); a group that the broker does not know is an empty answer. */
static mqc_status ask_progress(struct mqc_admin *admin, const struct broker_data *broker,
                               const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct question *question = arg;
    struct get_consume_stats_header header;
    header_init(&get_consume_stats_layout, &header);
    header.consumer_group = slice_text(question->group);
    header.topic = slice_text(question->topic);
    struct command_to_send request = {
        .code = REQUEST_GET_CONSUME_STATS, .layout = &get_consume_stats_layout, .header = &header};
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    status = group_progress_add(question->result, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status progress_ask(struct mqc_admin *admin, const char *group, const char *topic,
                        mqc_group_progress *progress, mqc_error *error)
{
    struct question question = {.result = progress, .group = group, .topic = topic};
    char retry_topic[NAME_BYTES];
    names_retry_topic(group, retry_topic);
    mqc_status status =
        admin_ask_topic_brokers(admin, retry_topic, true, ask_progress, &question, error);
    group_progress_finish(progress);
    return status;
}

/* Which member has which queue, from each member's own words. One that does not answer is passed
 * over: its queues have no owner then. */
static mqc_status add_owner(struct mqc_admin *admin, const mqc_group_member *member,
                            mqc_group_progress *progress, mqc_error *error)
{
    mqc_running_info *info = result_new(sizeof *info);
    const char *client_id = result_text(progress, member->client_id);
    mqc_status status = info && client_id ? MQC_OK : error_no_memory(error);
    if (status == MQC_OK &&
        members_running_info(admin, member->group, member->client_id, false, info, NULL) == MQC_OK)
        for (size_t i = 0; i < info->queue_count; i++)
            for (size_t q = 0; q < progress->count; q++)
                if (compare_message_queues(&info->queues[i]->queue, &progress->queues[q]->queue) ==
                    0)
                    ((mqc_queue_progress *)(uintptr_t)progress->queues[q])->client_id = client_id;
    mqc_admin_result_free(info);
    return status;
}

static mqc_status add_owners(struct mqc_admin *admin, const char *group,
                             mqc_group_progress *progress, mqc_error *error)
{
    mqc_group_members *members = result_new(sizeof *members);
    if (!members) return error_no_memory(error);
    mqc_status status = members_ask(admin, group, members, error);
    for (size_t i = 0; status == MQC_OK && i < members->count; i++)
        status = add_owner(admin, members->members[i], progress, error);
    mqc_admin_result_free(members);
    return status;
}

mqc_status mqc_admin_group_progress(mqc_admin *admin, const char *group, const char *topic,
                                    unsigned flags, const mqc_group_progress **out,
                                    mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_group(admin, group, error);
    if (status == MQC_OK && topic) status = admin_check_topic(admin, topic, error);
    if (status == MQC_OK && (flags & ~(unsigned)MQC_PROGRESS_OWNERS))
        status = error_set(error, MQC_BAD_ARGUMENT, "flags are %u: give 0 or MQC_PROGRESS_OWNERS",
                           flags);
    if (status != MQC_OK) return status;
    mqc_group_progress *progress = result_new(sizeof *progress);
    if (!progress) return error_no_memory(error);
    status = progress_ask(admin, group, topic, progress, error);
    if (status == MQC_OK && progress->count == 0)
        status = error_set(error, MQC_NOT_FOUND,
                           "no broker knows of an offset of group %.120s%s%.127s: it has consumed "
                           "nothing yet, or it consumes by broadcasting",
                           group, topic ? " in topic " : "", topic ? topic : "");
    if (status == MQC_OK && (flags & MQC_PROGRESS_OWNERS))
        status = add_owners(admin, group, progress, error);
    return admin_finish(status, progress, out);
}

/* ---- all queues of a topic ---- */

static mqc_status call_reset(struct mqc_admin *admin, const char *address,
                             const struct reset_offset_header *header,
                             struct remoting_response *response, mqc_error *error)
{
    struct command_to_send request = {.code = REQUEST_INVOKE_BROKER_TO_RESET_OFFSET,
                                      .layout = &reset_offset_layout,
                                      .header = header};
    return admin_call(admin, address, &request, response, error);
}

/* A 4.x broker refuses (206) when nobody is online, whom it would tell; then the stored offsets are
 * all there is (ResetOffsetByTimeOldCommand.java). */
static mqc_status reset_stored(struct mqc_admin *admin, const char *broker_name,
                               const char *address, struct question *question, mqc_error *error)
{
    struct client_api *api = client_instance_api(admin->instance);
    mqc_offsets *offsets = question->result;
    const mqc_topic_status *queues;
    mqc_status status = mqc_admin_topic_status(admin, question->topic, &queues, error);
    if (status != MQC_OK) return status;
    for (size_t i = 0; status == MQC_OK && i < queues->count; i++) {
        const mqc_queue_status *queue = queues->queues[i];
        struct offset_place place = {question->group, question->topic, broker_name,
                                     queue->queue.queue_id};
        int64_t offset = queue->max_offset;
        if (strcmp(queue->queue.broker_name, broker_name) != 0) continue;
        if (question->unix_ms != TO_THE_END)
            status = client_api_search_offset(api, address, &place, question->unix_ms,
                                              admin_deadline(admin), &offset, error);
        if (status == MQC_OK)
            status = client_api_update_offset_sync(api, address, &place, offset,
                                                   admin_deadline(admin), error);
        mqc_queue_offset *entry = result_add(offsets, 1, sizeof *entry);
        if (status == MQC_OK && !result_append(offsets, &offsets->offsets, &offsets->count, entry))
            status = error_no_memory(error);
        if (status != MQC_OK) break;
        entry->queue = (mqc_message_queue){result_text(offsets, question->topic),
                                           result_text(offsets, broker_name), place.queue_id};
        entry->offset = offset;
        if (!entry->queue.topic || !entry->queue.broker_name) status = error_no_memory(error);
    }
    mqc_admin_result_free(queues);
    return status;
}

static mqc_status ask_reset(struct mqc_admin *admin, const struct broker_data *broker,
                            const char *address, void *arg, mqc_error *error)
{
    struct question *question = arg;
    struct reset_offset_header header;
    header_init(&reset_offset_layout, &header);
    header.topic = slice_text(question->topic);
    header.consumer_group = slice_text(question->group);
    header.timestamp = question->unix_ms;
    header.force = true;
    struct remoting_response response;
    mqc_error refused;
    mqc_status status = call_reset(admin, address, &header, &response, &refused);
    if (status == MQC_REFUSED && refused.broker_code == RESPONSE_CONSUMER_NOT_ONLINE)
        return reset_stored(admin, broker->broker_name, address, question, error);
    if (status != MQC_OK) {
        if (error) *error = refused;
        return status;
    }
    status = offsets_add(question->result, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_reset_offsets(mqc_admin *admin, const char *group, const char *topic,
                                   int64_t unix_ms, const mqc_offsets **out, mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_group(admin, group, error);
    if (status == MQC_OK) status = admin_check_topic(admin, topic, error);
    if (status == MQC_OK && unix_ms < TO_THE_END)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "time %lld: give milliseconds since 1970, or MQC_RESET_TO_END (-1)",
                           (long long)unix_ms);
    if (status != MQC_OK) return status;
    mqc_offsets *offsets = result_new(sizeof *offsets);
    if (!offsets) return error_no_memory(error);
    struct question question = {
        .result = offsets, .group = group, .topic = topic, .unix_ms = unix_ms};
    status = admin_ask_topic_brokers(admin, topic, false, ask_reset, &question, error);
    offsets_finish(offsets);
    return admin_finish(status, offsets, out);
}

/* ---- one queue ---- */

static mqc_status check_range(struct mqc_admin *admin, const mqc_message_queue *queue,
                              int64_t offset, mqc_error *error)
{
    int64_t min, max;
    mqc_status status = mqc_admin_min_offset(admin, queue, &min, error);
    if (status == MQC_OK) status = mqc_admin_max_offset(admin, queue, &max, error);
    if (status != MQC_OK || (offset >= min && offset <= max)) return status;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "offset %lld of topic %.127s, broker %.100s, queue %d: give %lld to %lld",
                     (long long)offset, queue->topic, queue->broker_name, queue->queue_id,
                     (long long)min, (long long)max);
}

/* Every answer carries its broker's version. A 4.x broker knows no reset of a single queue and
 * would take the request for one of the whole topic. */
static mqc_status broker_version(struct mqc_admin *admin, const char *address,
                                 const mqc_message_queue *queue, int *version, mqc_error *error)
{
    struct get_min_offset_header header;
    header_init(&get_min_offset_layout, &header);
    header.topic = slice_text(queue->topic);
    header.queue_id = queue->queue_id;
    struct command_to_send request = {
        .code = REQUEST_GET_MIN_OFFSET, .layout = &get_min_offset_layout, .header = &header};
    struct remoting_response response;
    mqc_status status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    *version = response.command.version;
    remoting_response_done(&response);
    return MQC_OK;
}

static mqc_status reset_stored_queue(struct mqc_admin *admin, const char *address,
                                     const char *group, const mqc_message_queue *queue,
                                     int64_t offset, mqc_error *error)
{
    mqc_group_members *members = result_new(sizeof *members);
    if (!members) return error_no_memory(error);
    mqc_status status = members_ask(admin, group, members, error);
    if (status == MQC_OK && members->count > 0)
        status =
            error_set(error, MQC_WRONG_STATE,
                      "group %.120s has %zu members online, which would undo the reset on this "
                      "4.x broker: end them first, or reset the whole topic by time",
                      group, members->count);
    mqc_admin_result_free(members);
    if (status != MQC_OK) return status;
    struct offset_place place = {group, queue->topic, queue->broker_name, queue->queue_id};
    return client_api_update_offset_sync(client_instance_api(admin->instance), address, &place,
                                         offset, admin_deadline(admin), error);
}

mqc_status mqc_admin_reset_offset(mqc_admin *admin, const char *group,
                                  const mqc_message_queue *queue, int64_t offset, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    int version = 0;
    mqc_status status = admin_check_group(admin, group, error);
    if (status == MQC_OK) status = admin_check_queue(queue, error);
    if (status == MQC_OK) status = check_range(admin, queue, offset, error);
    if (status == MQC_OK) status = admin_queue_master(admin, queue, address, error);
    if (status == MQC_OK) status = broker_version(admin, address, queue, &version, error);
    if (status != MQC_OK) return status;
    if (version < FIRST_SERVER_SIDE_RESET)
        return reset_stored_queue(admin, address, group, queue, offset, error);
    struct reset_offset_header header;
    header_init(&reset_offset_layout, &header);
    header.topic = slice_text(queue->topic);
    header.consumer_group = slice_text(group);
    header.timestamp = 0;
    header.force = true;
    header.queue_id = queue->queue_id;
    header.offset = offset;
    struct remoting_response response;
    status = call_reset(admin, address, &header, &response, error);
    if (status == MQC_OK) remoting_response_done(&response);
    return status;
}

/* ---- clone ---- */

/* CLONE_GROUP_OFFSET (314) on the brokers of one topic: without a topic a broker of 5.5.0 answers
 * with success and clones nothing. */
static mqc_status ask_clone(struct mqc_admin *admin, const struct broker_data *broker,
                            const char *address, void *arg, mqc_error *error)
{
    (void)broker;
    struct command_to_send request = {
        .code = REQUEST_CLONE_GROUP_OFFSET, .layout = &clone_group_offset_layout, .header = arg};
    return admin_call_empty(admin, address, &request, error);
}

mqc_status mqc_admin_clone_offsets(mqc_admin *admin, const char *from_group, const char *to_group,
                                   const char *topic, mqc_error *error)
{
    mqc_status status = admin_check_group(admin, from_group, error);
    if (status == MQC_OK) status = admin_check_group(admin, to_group, error);
    if (status == MQC_OK && topic) status = admin_check_topic(admin, topic, error);
    if (status == MQC_OK && strcmp(from_group, to_group) == 0)
        status = error_set(error, MQC_BAD_ARGUMENT,
                           "group %.120s has its own offsets already: give two groups", to_group);
    if (status != MQC_OK) return status;
    const mqc_group_progress *progress;
    /* Of a topic that is named brokers tell all queues, also where the group has no offset. */
    status = mqc_admin_group_progress(admin, from_group, NULL, 0, &progress, error);
    if (status != MQC_OK) return status;
    const char *last = "";
    bool cloned = false;
    for (size_t i = 0; status == MQC_OK && i < progress->count; i++) {
        const char *name = progress->queues[i]->queue.topic;
        /* Sorted by topic. The other group has a retry topic of its own. */
        if (strcmp(name, last) == 0 || names_is_retry_topic(slice_text(name)) ||
            (topic && strcmp(name, topic) != 0))
            continue;
        last = name;
        struct clone_group_offset_header header = {.source_group = slice_text(from_group),
                                                   .destination_group = slice_text(to_group),
                                                   .topic = slice_text(name),
                                                   .offline = true};
        status = admin_ask_topic_brokers(admin, name, false, ask_clone, &header, error);
        cloned = true;
    }
    if (status == MQC_OK && !cloned)
        status = error_set(error, MQC_NOT_FOUND, "group %.120s has no offset%s%.127s", from_group,
                           topic ? " in topic " : "", topic ? topic : "");
    mqc_admin_result_free(progress);
    return status;
}
