/* Visiting the stored messages of a topic, queue by queue, by pulls that change no offset
 * (PrintMessageSubCommand.java). On the application's threads; each request has the client's
 * request timeout. */
#include "lib/admin/stored.h"
#include "lib/base/error.h"
#include "lib/base/sized_struct.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/subscription.h"
#include "lib/protocol/sys_flag.h"

#include <mqclient/admin_message.h>

#define TOOLS_GROUP "TOOLS_CONSUMER" /* MixAll.TOOLS_CONSUMER_GROUP: every broker has it */

enum { PULL_MESSAGES = 32 };

struct browse {
    struct mqc_admin *admin;
    mqc_message_range range;
    struct subscription subscription;
    mqc_message_visitor *visit;
    void *arg;
    bool ended; /* by the visitor */
};

static mqc_status browse_queue(struct browse *browse, const mqc_message_queue *queue,
                               mqc_error *error);

static mqc_status check_range(const mqc_message_range *range, mqc_error *error)
{
    if (range->begin_offset < 0 || range->end_offset < 0 || range->begin_unix_ms < 0 ||
        range->end_unix_ms < 0 || (range->one_queue && range->queue_id < 0))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "a number of the range is negative: give times in milliseconds since "
                         "1970, offsets and queues from 0");
    if ((range->end_offset && range->end_offset <= range->begin_offset) ||
        (range->end_unix_ms && range->end_unix_ms <= range->begin_unix_ms))
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the range ends before it begins: its end is exclusive");
    return MQC_OK;
}

/* Whether the range takes a queue, and how many there were. */
static mqc_status browse_queues(struct browse *browse, const struct topic_route *route, int *taken,
                                mqc_error *error)
{
    const mqc_message_range *range = &browse->range;
    mqc_status status = MQC_OK;
    for (size_t i = 0; i < route->queue_count; i++) {
        const struct queue_data *queues = &route->queues[i];
        if (range->broker_name && strcmp(range->broker_name, queues->broker_name) != 0) continue;
        for (int id = 0; id < queues->read_queues; id++) {
            if (range->one_queue && id != range->queue_id) continue;
            ++*taken;
            mqc_message_queue queue = {range->topic, queues->broker_name, id};
            status = browse_queue(browse, &queue, error);
            if (status != MQC_OK || browse->ended) return status;
        }
    }
    return status;
}

mqc_status mqc_admin_each_message_sized(mqc_admin *admin, const mqc_message_range *range,
                                        size_t size, mqc_message_visitor *visit, void *arg,
                                        mqc_error *error)
{
    struct browse browse = {.admin = admin, .visit = visit, .arg = arg};
    struct topic_route *route;
    int taken = 0;
    mqc_status status = admin_check(admin, error);
    if (status == MQC_OK && (!range || !visit))
        status = error_set(error, MQC_BAD_ARGUMENT, "a range and a visitor are needed");
    if (status == MQC_OK)
        status = sized_struct_copy(&browse.range, sizeof browse.range, range, size, error);
    if (status == MQC_OK) status = admin_check_topic(admin, browse.range.topic, error);
    if (status == MQC_OK) status = check_range(&browse.range, error);
    if (status == MQC_OK)
        status = subscription_make(browse.range.topic, browse.range.tags, 0, &browse.subscription,
                                   error);
    if (status != MQC_OK) return status;
    status = client_api_route(client_instance_api(admin->instance), browse.range.topic,
                              admin_deadline(admin), &route, error);
    if (status == MQC_OK) {
        status = browse_queues(&browse, route, &taken, error);
        topic_route_unref(route);
        if (status == MQC_OK && taken == 0)
            status = error_set(error, MQC_NOT_FOUND,
                               "topic %.127s has no queue that the range names (broker %.100s)",
                               browse.range.topic,
                               browse.range.broker_name ? browse.range.broker_name : "any");
    }
    subscription_done(&browse.subscription);
    return status;
}

/* From which offset to which, as they are now. */
static mqc_status find_bounds(struct browse *browse, const mqc_message_queue *queue, int64_t *begin,
                              int64_t *end, mqc_error *error)
{
    const mqc_message_range *range = &browse->range;
    int64_t offset;
    mqc_status status = mqc_admin_min_offset(browse->admin, queue, begin, error);
    if (status == MQC_OK) status = mqc_admin_max_offset(browse->admin, queue, end, error);
    if (status != MQC_OK) return status;
    if (*begin < range->begin_offset) *begin = range->begin_offset;
    if (range->end_offset && *end > range->end_offset) *end = range->end_offset;
    if (*begin >= *end) return MQC_OK;
    if (range->begin_unix_ms) {
        status = mqc_admin_offset_at(browse->admin, queue, range->begin_unix_ms, &offset, error);
        if (status != MQC_OK) return status;
        if (*begin < offset) *begin = offset;
    }
    if (range->end_unix_ms && *begin < *end) {
        status = mqc_admin_offset_at(browse->admin, queue, range->end_unix_ms, &offset, error);
        if (status == MQC_OK && *end > offset) *end = offset;
    }
    return status;
}

/* Brokers find offsets by time through an index of whole messages; the edges are checked here. */
static bool is_in_time(const mqc_message_range *range, const struct mqc_message *message)
{
    return message->stored_unix_ms >= range->begin_unix_ms &&
           (!range->end_unix_ms || message->stored_unix_ms < range->end_unix_ms);
}

static void visit_block(struct browse *browse, const struct message_block *block, int64_t begin,
                        int64_t end)
{
    for (size_t i = 0; block && !browse->ended && i < block->count; i++) {
        const struct mqc_message *message = &block->messages[i];
        if (message->queue_offset < begin || message->queue_offset >= end ||
            !is_in_time(&browse->range, message) ||
            !subscription_accepts(&browse->subscription, message_property(message, PROPERTY_TAGS)))
            continue;
        browse->ended = !browse->visit(message, browse->arg);
    }
}

/* PULL_MESSAGE (11) without waiting; *next is where the next pull begins. */
static mqc_status pull(struct browse *browse, const char *address, const mqc_message_queue *queue,
                       int64_t *next, int64_t end, mqc_error *error)
{
    struct pull_message_header header;
    header_init(&pull_message_layout, &header);
    header.consumer_group = SLICE_LITERAL(TOOLS_GROUP);
    header.topic = slice_text(queue->topic);
    header.queue_id = queue->queue_id;
    header.queue_offset = *next;
    header.max_messages = PULL_MESSAGES;
    header.sys_flag = PULL_FLAG_SUBSCRIPTION;
    header.subscription = slice_text(browse->subscription.expression);
    header.expression_type = slice_text(browse->subscription.expression_type);
    header.broker_name = slice_text(queue->broker_name);
    struct command_to_send request = {
        .code = REQUEST_PULL_MESSAGE, .layout = &pull_message_layout, .header = &header};
    struct remoting_response response;
    struct pull_message_response_header answer;
    struct message_block *block = NULL;
    struct client_api *api = client_instance_api(browse->admin->instance);
    mqc_status status = remoting_client_call(api->remoting, address, &request,
                                             admin_deadline(browse->admin), &response, error);
    if (status != MQC_OK) return status;
    int32_t code = response.command.code;
    if (code != RESPONSE_SUCCESS && code != RESPONSE_PULL_NOT_FOUND &&
        code != RESPONSE_PULL_RETRY_IMMEDIATELY && code != RESPONSE_PULL_OFFSET_MOVED)
        status = client_api_refused(&response.command, address, "PULL_MESSAGE", error);
    if (status == MQC_OK)
        status = header_decode(&pull_message_response_layout, &response.command, &answer, error);
    if (status == MQC_OK && code == RESPONSE_SUCCESS)
        status = stored_decode(browse->admin, &response, queue->broker_name, &block, error);
    if (status == MQC_OK) {
        visit_block(browse, block, *next, end);
        /* An answer that leads nowhere ends the queue instead of a loop. */
        *next = answer.next_begin_offset > *next ? answer.next_begin_offset : end;
    }
    message_block_unref(block);
    remoting_response_done(&response);
    return status;
}

static mqc_status browse_queue(struct browse *browse, const mqc_message_queue *queue,
                               mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    int64_t next, end;
    mqc_status status = find_bounds(browse, queue, &next, &end, error);
    if (status == MQC_OK) status = admin_queue_master(browse->admin, queue, address, error);
    while (status == MQC_OK && !browse->ended && next < end)
        status = pull(browse, address, queue, &next, end, error);
    return status;
}
