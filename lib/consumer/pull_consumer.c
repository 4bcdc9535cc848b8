/* Pulling by hand (DefaultMQPullConsumer.pull): one request, one answer, on the application's
 * thread. It shares the instance of roles with the same client options and registers no group
 * there. */
#include <mqclient/pull_consumer.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/process.h"
#include "lib/base/sized_struct.h"
#include "lib/client/client_manager.h"
#include "lib/client/options.h"
#include "lib/consumer/delivery.h"
#include "lib/consumer/filter_check.h"
#include "lib/consumer/queue_questions.h"
#include "lib/producer/inner_producer.h"
#include "lib/protocol/names.h"
#include "lib/protocol/namespace.h"
#include "lib/protocol/properties.h"
#include "lib/protocol/subscription.h"
#include "lib/protocol/sys_flag.h"
#include "services/service.h"

enum { GOODBYE_MS = 1000, ANSWER_MS = 10000, MESSAGES_DEFAULT = 32, MESSAGES_MOST = 1024 };

struct mqc_pull_consumer {
    struct client_instance *instance;
    char *group;
    unsigned fork_generation;
    struct lock lock; /* guards the next */
    char *checked;    /* "topic expression" of the SQL92 filter that a broker has approved last */
};

static mqc_status check(const mqc_pull_consumer *consumer, mqc_error *error);
static mqc_status check_request(const mqc_pull_request *request, mqc_error *error);
static mqc_status make_filter(const mqc_pull_request *request, struct subscription *out,
                              mqc_error *error);
static mqc_status ask(mqc_pull_consumer *consumer, const mqc_pull_request *request,
                      const struct subscription *filter, struct remoting_response *response,
                      char address[ADDRESS_TEXT_BYTES], mqc_error *error);
static mqc_status read_answer(const mqc_pull_consumer *consumer, struct remoting_response *response,
                              const mqc_pull_request *request, const struct subscription *filter,
                              const char *address, mqc_pull_result *result, mqc_error *error);
static mqc_status take_messages(struct remoting_response *response, const char *name_space,
                                const mqc_pull_request *request, const struct subscription *filter,
                                int64_t offset_delta, mqc_pull_result *result, mqc_error *error);

mqc_pull_consumer *mqc_pull_consumer_new_sized(const mqc_pull_consumer_options *options,
                                               size_t size, size_t client_size, mqc_error *error)
{
    mqc_pull_consumer_options whole;
    mqc_client_options client;
    if (sized_struct_copy(&whole, sizeof whole, options, size, error) != MQC_OK ||
        options_take_client(&whole.client, client_size, &client, error) != MQC_OK ||
        names_check_group(whole.group, "consumerGroup", error) != MQC_OK ||
        options_check_client(whole.client, error) != MQC_OK)
        return NULL;
    struct mqc_pull_consumer *consumer = memory_allocate_zero(1, sizeof *consumer);
    if (consumer) consumer->group = memory_duplicate(whole.group);
    mqc_client_options filled = options_fill_client(whole.client);
    mqc_status status =
        consumer && consumer->group
            ? client_manager_join(&filled, &inner_producer, NULL, &consumer->instance, error)
            : error_no_memory(error);
    if (status == MQC_OK) {
        consumer->fork_generation = process_fork_generation();
        lock_init(&consumer->lock, LOCK_RANK_LEAF);
        return consumer;
    }
    if (consumer) memory_free(consumer->group);
    memory_free(consumer);
    return NULL;
}

void mqc_pull_consumer_free(mqc_pull_consumer *consumer)
{
    mqc_error error;
    if (!consumer) return;
    mqc_status status = check(consumer, &error);
    if (status == MQC_OK && service_on_own_thread())
        status = error_set(&error, MQC_WRONG_STATE, "called from a listener or callback");
    if (status != MQC_OK) {
        log_error(LOG_LIFECYCLE, "mqc_pull_consumer_free: not freed: %s", error.text);
        return;
    }
    client_manager_leave(consumer->instance, NULL, clock_deadline_ms(GOODBYE_MS));
    memory_free(consumer->checked);
    lock_done(&consumer->lock);
    memory_free(consumer->group);
    memory_free(consumer);
}

static mqc_status check(const mqc_pull_consumer *consumer, mqc_error *error)
{
    if (!consumer) return error_set(error, MQC_BAD_ARGUMENT, "the pull consumer is NULL");
    if (consumer->fork_generation != process_fork_generation())
        return error_set(error, MQC_WRONG_STATE,
                         "the pull consumer belongs to the parent process: make a new one after "
                         "fork");
    return MQC_OK;
}

/* ---- pulling ---- */

mqc_status mqc_pull_consumer_pull(mqc_pull_consumer *consumer, const mqc_pull_request *request,
                                  mqc_pull_result *result, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    struct remoting_response response;
    struct subscription filter;
    mqc_status status = check(consumer, error);
    if (status == MQC_OK && !result)
        status = error_set(error, MQC_BAD_ARGUMENT, "result is NULL: give where it shall go");
    if (status == MQC_OK) status = check_request(request, error);
    if (status == MQC_OK) status = make_filter(request, &filter, error);
    if (status != MQC_OK) return status;
    *result = (mqc_pull_result){0};
    status = ask(consumer, request, &filter, &response, address, error);
    if (status == MQC_OK) {
        status = read_answer(consumer, &response, request, &filter, address, result, error);
        remoting_response_done(&response);
    }
    subscription_done(&filter);
    return status;
}

static mqc_status check_request(const mqc_pull_request *request, mqc_error *error)
{
    if (!request) return error_set(error, MQC_BAD_ARGUMENT, "request is NULL");
    if (request->offset < 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "offset is %lld: give 0 or more (mqc_pull_consumer_offsets names the "
                         "queue's)",
                         (long long)request->offset);
    if (request->max_messages < 0 || request->max_messages > MESSAGES_MOST)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "max_messages is %d: give 1 to %d, or 0 for the default %d",
                         request->max_messages, MESSAGES_MOST, MESSAGES_DEFAULT);
    if (request->wait_ms < 0)
        return error_set(error, MQC_BAD_ARGUMENT, "wait_ms is %d: give 0 or more",
                         request->wait_ms);
    if (request->filter && request->sql)
        return error_set(error, MQC_BAD_ARGUMENT, "filter and sql are given: give one of them");
    return queue_check(&request->queue, error);
}

static mqc_status make_filter(const mqc_pull_request *request, struct subscription *out,
                              mqc_error *error)
{
    const char *topic = request->queue.topic;
    if (request->sql) return subscription_make_sql(topic, request->sql, 0, out, error);
    return subscription_make(topic, request->filter, 0, out, error);
}

/* A filter that a broker cannot read, it takes from a pull without a word, and lets all messages
 * through: it is asked first, once for the same filter. */
static mqc_status check_sql(mqc_pull_consumer *consumer, const struct subscription *filter,
                            mqc_error *error)
{
    struct buffer text;
    if (!subscription_is_sql(filter)) return MQC_OK;
    buffer_init(&text);
    buffer_put_format(&text, "%s %s", filter->topic, filter->expression);
    char *name = buffer_take(&text);
    buffer_done(&text);
    if (!name) return error_no_memory(error);
    lock_take(&consumer->lock);
    bool known = consumer->checked && strcmp(consumer->checked, name) == 0;
    lock_release(&consumer->lock);
    mqc_status status = MQC_OK;
    if (!known)
        status = filter_check(consumer->instance, consumer->group, filter,
                              client_instance_request_deadline(consumer->instance), error);
    if (status == MQC_OK && !known) {
        lock_take(&consumer->lock);
        char *old = consumer->checked;
        consumer->checked = name;
        lock_release(&consumer->lock);
        name = old;
    }
    memory_free(name);
    return status;
}

/* PULL_MESSAGE (11), which brings its filter along: no heartbeat has to name it. */
static mqc_status ask(mqc_pull_consumer *consumer, const mqc_pull_request *request,
                      const struct subscription *filter, struct remoting_response *response,
                      char address[ADDRESS_TEXT_BYTES], mqc_error *error)
{
    struct client_instance *instance = consumer->instance;
    int64_t now = clock_now_ms();
    mqc_status status = client_instance_queue_master(
        instance, &request->queue, now + client_instance_options(instance)->request_timeout_ms,
        address, error);
    bool is_slave;
    struct route_table *routes = client_instance_routes(instance);
    if (status != MQC_OK &&
        route_table_readable(routes,
                             route_table_host(routes, request->queue.topic,
                                              request->queue.broker_name, request->queue.queue_id),
                             0, address, &is_slave))
        status = MQC_OK;
    if (status == MQC_OK) status = check_sql(consumer, filter, error);
    if (status != MQC_OK) return status;
    struct pull_message_header header;
    header_init(&pull_message_layout, &header);
    header.consumer_group = slice_text(consumer->group);
    header.topic = slice_text(request->queue.topic);
    header.queue_id = request->queue.queue_id;
    header.queue_offset = request->offset;
    header.max_messages = request->max_messages ? request->max_messages : MESSAGES_DEFAULT;
    header.sys_flag = PULL_FLAG_SUBSCRIPTION | (request->wait_ms > 0 ? PULL_FLAG_SUSPEND : 0);
    header.suspend_timeout_ms = request->wait_ms;
    header.subscription = slice_text(filter->expression);
    header.expression_type = slice_text(filter->expression_type);
    header.broker_name = slice_text(request->queue.broker_name);
    struct command_to_send command = {
        .code = REQUEST_PULL_MESSAGE, .layout = &pull_message_layout, .header = &header};
    return remoting_client_call(client_instance_remoting(instance), address, &command,
                                now + request->wait_ms + ANSWER_MS, response, error);
}

static mqc_status read_answer(const mqc_pull_consumer *consumer, struct remoting_response *response,
                              const mqc_pull_request *request, const struct subscription *filter,
                              const char *address, mqc_pull_result *result, mqc_error *error)
{
    const struct remoting_command *answer = &response->command;
    struct pull_message_response_header header;
    switch (answer->code) {
    case RESPONSE_SUCCESS: result->status = MQC_PULL_FOUND; break;
    case RESPONSE_PULL_NOT_FOUND: result->status = MQC_PULL_NO_NEW; break;
    case RESPONSE_PULL_RETRY_IMMEDIATELY: result->status = MQC_PULL_NO_MATCH; break;
    case RESPONSE_PULL_OFFSET_MOVED: result->status = MQC_PULL_OFFSET_ILLEGAL; break;
    default:
        client_api_refused(answer, address, "PULL_MESSAGE", error);
        if (error) {
            const char *advice = filter_advice(answer->code, answer->remark);
            if (advice[0]) error_refused(error, answer->code, "%.300s%s", error->text, advice);
        }
        return MQC_REFUSED;
    }
    mqc_status status = header_decode(&pull_message_response_layout, answer, &header, error);
    if (status != MQC_OK) return status;
    result->next_offset = header.next_begin_offset;
    result->least_offset = header.min_offset;
    result->end_offset = header.max_offset;
    if (result->status != MQC_PULL_FOUND) return MQC_OK;
    status = take_messages(response, client_instance_options(consumer->instance)->name_space,
                           request, filter, header.offset_delta, result, error);
    if (status == MQC_OK && !result->delivery) result->status = MQC_PULL_NO_MATCH;
    return status;
}

/* The broker compares hash codes of tags only. */
static mqc_status take_messages(struct remoting_response *response, const char *name_space,
                                const mqc_pull_request *request, const struct subscription *filter,
                                int64_t offset_delta, mqc_pull_result *result, mqc_error *error)
{
    struct message_block *block;
    mqc_status status =
        message_block_decode(response->frame, response->command.body, &block, error);
    if (status != MQC_OK || !block) return status;
    namespace_unwrap_messages(name_space, block);
    size_t count = 0;
    struct mqc_message **messages = memory_allocate_zero(block->count, sizeof *messages);
    if (!messages) status = error_no_memory(error);
    for (size_t i = 0; status == MQC_OK && i < block->count; i++) {
        struct mqc_message *message = &block->messages[i];
        message->queue_offset += offset_delta;
        message->queue_id = request->queue.queue_id;
        if (subscription_accepts(filter, message_property(message, PROPERTY_TAGS)))
            messages[count++] = message;
    }
    if (status == MQC_OK && count > 0)
        status =
            delivery_of_block(&request->queue, block, messages, count, &result->delivery, error);
    memory_free(messages);
    message_block_unref(block);
    return status;
}

/* ---- offsets ---- */

static mqc_status find_place(mqc_pull_consumer *consumer, const mqc_message_queue *queue,
                             struct offset_place *place, char address[ADDRESS_TEXT_BYTES],
                             mqc_error *error)
{
    mqc_status status = check(consumer, error);
    if (status == MQC_OK) status = queue_check(queue, error);
    if (status != MQC_OK) return status;
    *place =
        (struct offset_place){consumer->group, queue->topic, queue->broker_name, queue->queue_id};
    return client_instance_queue_master(consumer->instance, queue,
                                        client_instance_request_deadline(consumer->instance),
                                        address, error);
}

mqc_status mqc_pull_consumer_fetch_offset(mqc_pull_consumer *consumer,
                                          const mqc_message_queue *queue, int64_t *offset,
                                          mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    struct offset_place place;
    mqc_status status = find_place(consumer, queue, &place, address, error);
    if (status != MQC_OK) return status;
    return client_api_query_offset(client_instance_api(consumer->instance), address, &place,
                                   client_instance_request_deadline(consumer->instance), offset,
                                   error);
}

mqc_status mqc_pull_consumer_update_offset(mqc_pull_consumer *consumer,
                                           const mqc_message_queue *queue, int64_t offset,
                                           mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    struct offset_place place;
    mqc_status status = find_place(consumer, queue, &place, address, error);
    if (status == MQC_OK && offset < 0)
        status =
            error_set(error, MQC_BAD_ARGUMENT, "offset is %lld: give 0 or more", (long long)offset);
    if (status != MQC_OK) return status;
    return client_api_update_offset_sync(
        client_instance_api(consumer->instance), address, &place, offset,
        client_instance_request_deadline(consumer->instance), error);
}

mqc_status mqc_pull_consumer_fetch_queues(mqc_pull_consumer *consumer, const char *topic,
                                          mqc_queue_list *list, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? queue_ask_list(consumer->instance, topic, list, error) : status;
}

mqc_status mqc_pull_consumer_offsets(mqc_pull_consumer *consumer, const mqc_message_queue *queue,
                                     int64_t *least, int64_t *next, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? queue_ask_range(consumer->instance, queue, least, next, error)
                            : status;
}

mqc_status mqc_pull_consumer_offset_for_time(mqc_pull_consumer *consumer,
                                             const mqc_message_queue *queue, int64_t unix_ms,
                                             int64_t *offset, mqc_error *error)
{
    mqc_status status = check(consumer, error);
    return status == MQC_OK ? queue_ask_time(consumer->instance, queue, unix_ms, offset, error)
                            : status;
}
