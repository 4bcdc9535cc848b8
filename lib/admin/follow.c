/* What became of a stored message (DefaultMQAdminExtImpl.messageTrackDetail), and giving it to
 * consumers again. On the application's threads; each request has the client's request timeout. */
#include <stdlib.h>

#include "lib/admin/decode.h"
#include "lib/admin/members.h"
#include "lib/admin/stored.h"
#include "lib/base/error.h"
#include "lib/producer/inner_producer.h"
#include "lib/protocol/names.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/subscription.h"

#define SHARDING_KEY_PROPERTY "__SHARDINGKEY"

/* ---- tracks ---- */

const char *mqc_track_state_name(mqc_track_state state)
{
    static const char *const NAMES[] = {
        "UNKNOWN", "CONSUMED",   "CONSUMED_BUT_FILTERED", "NOT_CONSUME_YET",
        "PULL",    "NOT_ONLINE", "CONSUME_BROADCASTING"};
    return (unsigned)state < sizeof NAMES / sizeof *NAMES ? NAMES[state] : "UNKNOWN";
}

/* The group's tags for the topic do not name the message's tag. */
static bool is_filtered(const mqc_group_members *members, const struct mqc_message *message)
{
    for (size_t i = 0; i < members->subscription_count; i++) {
        const mqc_group_subscription *wanted = members->subscriptions[i];
        struct subscription subscription;
        if (strcmp(wanted->topic, message->topic) != 0 ||
            strcmp(wanted->expression_type, "TAG") != 0 ||
            subscription_make(wanted->topic, wanted->expression, 0, &subscription, NULL) != MQC_OK)
            continue;
        bool accepted =
            subscription_accepts(&subscription, message_property(message, PROPERTY_TAGS));
        subscription_done(&subscription);
        return !accepted;
    }
    return false;
}

static bool is_behind(const mqc_group_progress *progress, const struct mqc_message *message)
{
    for (size_t i = 0; i < progress->count; i++) {
        const mqc_queue_progress *queue = progress->queues[i];
        if (strcmp(queue->queue.topic, message->topic) == 0 &&
            queue->queue.queue_id == message->queue_id &&
            (!message->broker_name ||
             strcmp(queue->queue.broker_name, message->broker_name) == 0) &&
            queue->consumer_offset > message->queue_offset)
            return true;
    }
    return false;
}

static mqc_status judge(struct mqc_admin *admin, const struct mqc_message *message,
                        mqc_message_track *track, mqc_error *error)
{
    mqc_group_members *members = result_new(sizeof *members);
    mqc_group_progress *progress = result_new(sizeof *progress);
    mqc_status status = members && progress ? MQC_OK : error_no_memory(error);
    if (status == MQC_OK) status = members_ask(admin, track->group, members, error);
    if (status == MQC_OK && members->count == 0) {
        track->state = MQC_TRACK_NOT_ONLINE;
    } else if (status == MQC_OK && strcmp(members->consume_type, "CONSUME_ACTIVELY") == 0) {
        track->state = MQC_TRACK_PULL;
    } else if (status == MQC_OK && strcmp(members->message_model, "BROADCASTING") == 0) {
        track->state = MQC_TRACK_BROADCASTING;
    } else if (status == MQC_OK) {
        status = progress_ask(admin, track->group, NULL, progress, error);
        track->state = !is_behind(progress, message)   ? MQC_TRACK_NOT_CONSUMED
                       : is_filtered(members, message) ? MQC_TRACK_CONSUMED_FILTERED
                                                       : MQC_TRACK_CONSUMED;
    }
    mqc_admin_result_free(members);
    mqc_admin_result_free(progress);
    return status;
}

static mqc_status add_track(struct mqc_admin *admin, const mqc_message *message, const char *group,
                            mqc_message_tracks *tracks, mqc_error *error)
{
    mqc_message_track *track = result_add(tracks, 1, sizeof *track);
    if (!result_append(tracks, &tracks->tracks, &tracks->count, track))
        return error_no_memory(error);
    mqc_error why;
    track->group = result_text(tracks, group);
    if (!track->group) return error_no_memory(error);
    mqc_status judged = judge(admin, message, track, &why);
    if (judged != MQC_OK) track->state = MQC_TRACK_UNKNOWN;
    track->detail = result_text(tracks, judged == MQC_OK ? "" : why.text);
    return track->detail ? MQC_OK : error_no_memory(error);
}

mqc_status mqc_admin_message_tracks(mqc_admin *admin, const mqc_message *message,
                                    const mqc_message_tracks **out, mqc_error *error)
{
    const mqc_name_list *groups;
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = stored_check(message, error);
    if (status == MQC_OK) status = mqc_admin_topic_groups(admin, message->topic, &groups, error);
    if (status != MQC_OK) return status;
    mqc_message_tracks *tracks = result_new(sizeof *tracks);
    if (!tracks) status = error_no_memory(error);
    for (size_t i = 0; status == MQC_OK && i < groups->count; i++)
        status = add_track(admin, message, groups->names[i], tracks, error);
    mqc_admin_result_free(groups);
    return admin_finish(status, tracks, out);
}

/* ---- direct consumption ---- */

/* CONSUME_MESSAGE_DIRECTLY (309): the broker that has the message hands it to the member. */
static mqc_status consume_at(struct mqc_admin *admin, const char *group, const char *client_id,
                             const mqc_message *message, mqc_direct_result *result,
                             mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    struct consume_message_directly_header header;
    header_init(&consume_message_directly_layout, &header);
    header.consumer_group = slice_text(group);
    header.client_id = slice_text(client_id);
    header.message_id = slice_text(mqc_message_offset_id(message));
    header.broker_name = slice_text(message->broker_name);
    header.topic = slice_text(message->topic);
    struct command_to_send request = {.code = REQUEST_CONSUME_MESSAGE_DIRECTLY,
                                      .layout = &consume_message_directly_layout,
                                      .header = &header};
    struct remoting_response response;
    mqc_status status = stored_address(admin, message, address, error);
    if (status == MQC_OK) status = admin_call(admin, address, &request, &response, error);
    if (status != MQC_OK) return status;
    status = direct_result_read(result, response.command.body, error);
    remoting_response_done(&response);
    return status;
}

mqc_status mqc_admin_consume_directly(mqc_admin *admin, const char *group, const char *client_id,
                                      const mqc_message *message, const mqc_direct_result **out,
                                      mqc_error *error)
{
    mqc_status status = admin_check_out(admin, out, error);
    if (status == MQC_OK) status = admin_check_group(admin, group, error);
    if (status == MQC_OK) status = stored_check(message, error);
    if (status != MQC_OK) return status;
    mqc_direct_result *result = result_new(sizeof *result);
    mqc_group_members *members = result_new(sizeof *members);
    status = result && members ? members_ask(admin, group, members, error) : error_no_memory(error);
    const char *chosen = NULL;
    for (size_t i = 0; status == MQC_OK && !chosen && i < members->count; i++)
        if (!client_id || strcmp(members->members[i]->client_id, client_id) == 0)
            chosen = members->members[i]->client_id;
    if (status == MQC_OK && !chosen)
        status = client_id
                     ? error_set(error, MQC_NOT_FOUND, "%.200s is no member of group %.120s",
                                 client_id, group)
                     : error_set(error, MQC_NOT_FOUND, "nobody of group %.120s is online", group);
    if (status == MQC_OK) status = consume_at(admin, group, chosen, message, result, error);
    mqc_admin_result_free(members);
    return admin_finish(status, result, out);
}

/* ---- copies ---- */

struct copying {
    mqc_message *copy;
    mqc_status status;
    mqc_error *error;
};

/* What the application gave the message; what brokers and clients have added is of that message. */
static bool copy_property(const char *name, const char *value, void *arg)
{
    struct copying *copying = arg;
    if (properties_name_is_reserved(slice_text(name)) && strcmp(name, PROPERTY_KEYS) != 0 &&
        strcmp(name, PROPERTY_TAGS) != 0 && strcmp(name, SHARDING_KEY_PROPERTY) != 0)
        return true;
    copying->status = message_put_property(copying->copy, name, value, copying->error);
    return copying->status == MQC_OK;
}

static mqc_status make_copy(const mqc_message *message, const char *topic, mqc_message **out,
                            mqc_error *error)
{
    mqc_view body = mqc_message_body(message);
    struct copying copying = {.copy = mqc_message_new(topic, body.data, body.size), .error = error};
    if (!copying.copy) return error_no_memory(error);
    mqc_message_set_flag(copying.copy, mqc_message_flag(message));
    mqc_message_each_property(message, copy_property, &copying);
    if (copying.status == MQC_OK)
        *out = copying.copy;
    else
        mqc_message_free(copying.copy);
    return copying.status;
}

mqc_status mqc_admin_resend(mqc_admin *admin, const mqc_message *message, const char *topic,
                            mqc_error *error)
{
    mqc_message *copy;
    mqc_status status = admin_check(admin, error);
    if (status == MQC_OK) status = stored_check(message, error);
    if (status != MQC_OK) return status;
    if (!topic) topic = mqc_message_topic(message);
    status = names_check_sendable(topic, error);
    if (status == MQC_OK) status = make_copy(message, topic, &copy, error);
    if (status != MQC_OK) return status;
    status = inner_producer_send(admin->instance, copy, admin_deadline(admin), error);
    mqc_message_free(copy);
    return status;
}

/* The topic that the group's members shall see. */
static const char *first_topic(const mqc_message *message)
{
    const char *topic = mqc_message_property(message, PROPERTY_RETRY_TOPIC);
    if (!topic) topic = mqc_message_property(message, "DLQ_ORIGIN_TOPIC");
    return topic;
}

mqc_status mqc_admin_replay(mqc_admin *admin, const char *group, const mqc_message *message,
                            mqc_error *error)
{
    char retry_topic[NAME_BYTES], dead_letters[NAME_BYTES];
    mqc_message *copy;
    mqc_status status = admin_check_group(admin, group, error);
    if (status == MQC_OK) status = stored_check(message, error);
    if (status != MQC_OK) return status;
    names_dead_letter_topic(group, dead_letters);
    names_retry_topic(group, retry_topic);
    if (!slice_is(message->stored_topic, dead_letters))
        return error_set(
            error, MQC_BAD_ARGUMENT,
            "the message is of topic %.*s, no dead letter of group %.120s: give one of "
            "topic %.130s",
            SLICE_FORMAT(message->stored_topic), group, dead_letters);
    status = make_copy(message, retry_topic, &copy, error);
    if (status != MQC_OK) return status;
    const char *topic = first_topic(message);
    const char *id = mqc_message_property(message, PROPERTY_ORIGIN_MESSAGE_ID);
    if (topic) status = message_put_property(copy, PROPERTY_RETRY_TOPIC, topic, error);
    if (status == MQC_OK && id)
        status = message_put_property(copy, PROPERTY_ORIGIN_MESSAGE_ID, id, error);
    if (status == MQC_OK)
        status = inner_producer_send(admin->instance, copy, admin_deadline(admin), error);
    mqc_message_free(copy);
    return status;
}
