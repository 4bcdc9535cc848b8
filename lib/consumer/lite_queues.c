/* Which queues a lite pull consumer has: by subscribing, where the group's members divide them, or
 * by assigning, where the application says. Called on its threads; the rebalance service asks what
 * was assigned. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/filter_check.h"
#include "lib/consumer/lite_consumer.h"
#include "lib/consumer/queue_questions.h"
#include "services/service.h"

static mqc_status set_mode(mqc_lite_consumer *consumer, enum lite_mode mode, mqc_error *error);
static mqc_status check_assign(mqc_lite_consumer *consumer, const mqc_message_queue *queues,
                               size_t count, mqc_error *error);
static mqc_status assign(mqc_lite_consumer *consumer, const mqc_message_queue *queues, size_t count,
                         const struct subscription *filter, mqc_error *error);
static mqc_status set_filters(mqc_lite_consumer *consumer, const mqc_queue_list *list,
                              const struct subscription *filter, mqc_error *error);
static mqc_status check_filter(mqc_lite_consumer *consumer, const struct subscription *filter,
                               mqc_error *error);
static void drop_topics(mqc_lite_consumer *consumer, const mqc_queue_list *list);
static void await_round(mqc_lite_consumer *consumer, uint64_t round, int64_t deadline_ms);
static mqc_status set_paused(mqc_lite_consumer *consumer, const mqc_message_queue *queues,
                             size_t count, bool paused, mqc_error *error);
static void unpark(struct lite_queue *queue);

/* ---- subscribing ---- */

mqc_status mqc_lite_consumer_subscribe(mqc_lite_consumer *consumer, const char *topic,
                                       const char *filter, mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status == MQC_OK) status = set_mode(consumer, LITE_SUBSCRIBES, error);
    return status == MQC_OK ? consumer_subscribe(&consumer->core, topic, filter, error) : status;
}

mqc_status mqc_lite_consumer_subscribe_sql(mqc_lite_consumer *consumer, const char *topic,
                                           const char *expression, mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status == MQC_OK) status = set_mode(consumer, LITE_SUBSCRIBES, error);
    return status == MQC_OK ? consumer_subscribe_sql(&consumer->core, topic, expression, error)
                            : status;
}

mqc_status mqc_lite_consumer_unsubscribe(mqc_lite_consumer *consumer, const char *topic,
                                         mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status == MQC_OK) status = set_mode(consumer, LITE_SUBSCRIBES, error);
    return status == MQC_OK ? consumer_unsubscribe(&consumer->core, topic, error) : status;
}

static mqc_status set_mode(mqc_lite_consumer *consumer, enum lite_mode mode, mqc_error *error)
{
    lock_take(&consumer->core.lock);
    if (consumer->mode == LITE_UNDECIDED) consumer->mode = mode;
    bool good = consumer->mode == mode;
    lock_release(&consumer->core.lock);
    if (good) return MQC_OK;
    return error_set(error, MQC_WRONG_STATE,
                     "Subscribe and assign are mutually exclusive: group %s has %s before",
                     consumer->core.group, mode == LITE_ASSIGNS ? "subscribed" : "assigned");
}

/* ---- assigning ---- */

/* Any topic: only the filter counts. */
static const char ANY_TOPIC[] = "assigned";

mqc_status mqc_lite_consumer_assign(mqc_lite_consumer *consumer, const mqc_message_queue *queues,
                                    size_t count, const char *filter, mqc_error *error)
{
    struct subscription made;
    mqc_status status = check_assign(consumer, queues, count, error);
    if (status == MQC_OK) status = subscription_make(ANY_TOPIC, filter, 0, &made, error);
    if (status != MQC_OK) return status;
    status = assign(consumer, queues, count, &made, error);
    subscription_done(&made);
    return status;
}

mqc_status mqc_lite_consumer_assign_sql(mqc_lite_consumer *consumer,
                                        const mqc_message_queue *queues, size_t count,
                                        const char *expression, mqc_error *error)
{
    struct subscription made;
    mqc_status status = check_assign(consumer, queues, count, error);
    if (status == MQC_OK) status = subscription_make_sql(ANY_TOPIC, expression, 0, &made, error);
    if (status != MQC_OK) return status;
    status = assign(consumer, queues, count, &made, error);
    subscription_done(&made);
    return status;
}

static mqc_status check_assign(mqc_lite_consumer *consumer, const mqc_message_queue *queues,
                               size_t count, mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status == MQC_OK) status = consumer_check_live(&consumer->core, "assign", error);
    if (status == MQC_OK && !queues && count > 0)
        status = error_set(error, MQC_BAD_ARGUMENT, "queues is NULL: give %zu", count);
    for (size_t i = 0; status == MQC_OK && i < count; i++) status = queue_check(&queues[i], error);
    return status == MQC_OK ? set_mode(consumer, LITE_ASSIGNS, error) : status;
}

static mqc_status assign(mqc_lite_consumer *consumer, const mqc_message_queue *queues, size_t count,
                         const struct subscription *filter, mqc_error *error)
{
    struct consumer *core = &consumer->core;
    mqc_queue_list list;
    mqc_status status = queue_list_copy(queues, count, &list, error);
    if (status != MQC_OK) return status;
    atomic_store(&core->unlisted, true);
    status = set_filters(consumer, &list, filter, error);
    if (status != MQC_OK) {
        mqc_queue_list_free(&list);
        return status;
    }
    drop_topics(consumer, &list);
    lock_take(&core->lock);
    mqc_queue_list old = consumer->assigned;
    consumer->assigned = list;
    uint64_t round = ++consumer->assigned_round;
    lock_release(&core->lock);
    mqc_queue_list_free(&old);
    struct client_instance *instance = consumer_enter(core);
    if (!instance) return MQC_OK;
    client_instance_wake_rebalance(instance);
    if (!service_on_own_thread())
        await_round(consumer, round, client_instance_request_deadline(instance));
    consumer_exit(core);
    return MQC_OK;
}

/* The filter for each topic that is new, or had another one. */
static mqc_status set_filters(mqc_lite_consumer *consumer, const mqc_queue_list *list,
                              const struct subscription *filter, mqc_error *error)
{
    mqc_status status = MQC_OK;
    for (size_t i = 0; i < list->count && status == MQC_OK; i++) {
        const char *topic = list->queues[i].topic;
        struct subscription data;
        struct topic_subscription *old = subscriptions_get(&consumer->core.subscriptions, topic);
        bool same = old && strcmp(old->data.expression, filter->expression) == 0 &&
                    strcmp(old->data.expression_type, filter->expression_type) == 0;
        topic_subscription_unref(old);
        if (same) continue;
        status = subscription_copy(filter, &data, error);
        if (status != MQC_OK) break;
        memory_free(data.topic);
        data.topic = memory_duplicate(topic);
        status = data.topic ? check_filter(consumer, &data, error) : error_no_memory(error);
        if (status == MQC_OK)
            status = subscriptions_put_data(&consumer->core.subscriptions, &data, NULL, error);
        else
            subscription_done(&data);
    }
    return status;
}

/* Before the start it is the start that asks; and no thread of the library is to wait for it. */
static mqc_status check_filter(mqc_lite_consumer *consumer, const struct subscription *filter,
                               mqc_error *error)
{
    struct client_instance *instance =
        service_on_own_thread() ? NULL : consumer_enter(&consumer->core);
    if (!instance) return MQC_OK;
    int64_t deadline_ms = client_instance_request_deadline(instance);
    if (subscription_is_sql(filter))
        client_instance_update_route(instance, filter->topic, NULL, 0, deadline_ms, NULL);
    mqc_status status = filter_check(instance, consumer->core.group, filter, deadline_ms, error);
    consumer_exit(&consumer->core);
    return status;
}

/* Topics that no queue of the list is of. */
static void drop_topics(mqc_lite_consumer *consumer, const mqc_queue_list *list)
{
    struct topic_subscription **topics;
    size_t count;
    if (subscriptions_list(&consumer->core.subscriptions, &topics, &count, NULL) != MQC_OK) return;
    for (size_t i = 0; i < count; i++) {
        bool used = false;
        for (size_t at = 0; at < list->count; at++)
            used = used || strcmp(list->queues[at].topic, topics[i]->data.topic) == 0;
        if (!used) subscriptions_remove(&consumer->core.subscriptions, topics[i]->data.topic);
    }
    subscriptions_release(topics, count);
}

static void await_round(mqc_lite_consumer *consumer, uint64_t round, int64_t deadline_ms)
{
    struct consumer *core = &consumer->core;
    bool in_time = true;
    lock_take(&core->lock);
    while (consumer->divided_round < round && in_time &&
           atomic_load(&core->state) == CONSUMER_RUNNING)
        in_time = condition_wait_until(&core->changed, &core->lock, deadline_ms);
    lock_release(&core->lock);
}

void lite_pass_begins(struct consumer *core)
{
    struct mqc_lite_consumer *consumer = lite_of(core);
    lock_take(&core->lock);
    consumer->pass_round = consumer->assigned_round;
    lock_release(&core->lock);
}

void lite_pass_ends(struct consumer *core)
{
    struct mqc_lite_consumer *consumer = lite_of(core);
    lock_take(&core->lock);
    consumer->divided_round = consumer->pass_round;
    condition_wake_all(&core->changed);
    lock_release(&core->lock);
}

bool lite_choose(struct consumer *core, const mqc_message_queue *queues, size_t count, bool *mine)
{
    struct mqc_lite_consumer *consumer = lite_of(core);
    lock_take(&core->lock);
    bool chosen = consumer->mode == LITE_ASSIGNS;
    for (size_t i = 0; chosen && i < count; i++) {
        mine[i] = false;
        for (size_t at = 0; at < consumer->assigned.count && !mine[i]; at++)
            mine[i] = queue_equal(&consumer->assigned.queues[at], &queues[i]);
    }
    lock_release(&core->lock);
    return chosen;
}

/* ---- asking ---- */

mqc_status mqc_lite_consumer_assignment(mqc_lite_consumer *consumer, mqc_queue_list *list,
                                        mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status != MQC_OK) return status;
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(&consumer->core, NULL, &count);
    mqc_message_queue *places = memory_allocate_zero(count, sizeof *places);
    for (size_t i = 0; places && i < count; i++) places[i] = queues[i]->place;
    if (places) allocate_sort_queues(places, count);
    status = places ? queue_list_copy(places, count, list, error) : error_no_memory(error);
    memory_free(places);
    consumer_queues_release(queues, count);
    return status;
}

mqc_status mqc_lite_consumer_fetch_queues(mqc_lite_consumer *consumer, const char *topic,
                                          mqc_queue_list *list, mqc_error *error)
{
    struct client_instance *instance;
    mqc_status status = lite_enter(consumer, &instance, error);
    if (status != MQC_OK) return status;
    status = queue_ask_list(instance, topic, list, error);
    consumer_exit(&consumer->core);
    return status;
}

/* ---- pausing ---- */

mqc_status mqc_lite_consumer_pause(mqc_lite_consumer *consumer, const mqc_message_queue *queues,
                                   size_t count, mqc_error *error)
{
    return set_paused(consumer, queues, count, true, error);
}

mqc_status mqc_lite_consumer_resume(mqc_lite_consumer *consumer, const mqc_message_queue *queues,
                                    size_t count, mqc_error *error)
{
    return set_paused(consumer, queues, count, false, error);
}

static mqc_status set_paused(mqc_lite_consumer *consumer, const mqc_message_queue *queues,
                             size_t count, bool paused, mqc_error *error)
{
    mqc_status status = lite_check(consumer, error);
    if (status == MQC_OK && !queues && count > 0)
        status = error_set(error, MQC_BAD_ARGUMENT, "queues is NULL: give %zu", count);
    if (status != MQC_OK) return status;
    struct lite_queue **found = memory_allocate_zero(count, sizeof *found);
    if (!found) return error_no_memory(error);
    for (size_t i = 0; i < count && status == MQC_OK; i++)
        status = lite_find(consumer, &queues[i], &found[i], error);
    for (size_t i = 0; i < count; i++) {
        if (status == MQC_OK) {
            lock_take(&consumer->core.lock);
            atomic_store(&found[i]->paused, paused);
            if (!paused) unpark(found[i]);
            lock_release(&consumer->core.lock);
        }
        if (found[i]) consumer_queue_unref(&found[i]->core);
    }
    memory_free(found);
    return status;
}

/* What was parked comes before what has been pulled since. */
static void unpark(struct lite_queue *queue)
{
    if (!list_empty(&queue->parked))
        mailbox_put_back(&lite_of(queue->core.consumer)->mailbox, &queue->parked);
}
