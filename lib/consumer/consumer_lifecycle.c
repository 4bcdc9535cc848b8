/* Starting and shutting down a consumer, on the application's threads. Shutting down is a
 * series of steps that may be taken up again by a later call, when listeners had to be left
 * running; one thread at a time works on it and others wait for that one. */
#include "lib/consumer/consumer.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/client/client_manager.h"
#include "lib/consumer/filter_check.h"
#include "lib/consumer/offset_file.h"
#include "lib/producer/inner_producer.h"
#include "services/service.h"

enum { FREE_DRAIN_MS = 3000, FAREWELL_LEAST_MS = 1000, FAREWELL_MOST_MS = 3000 };

static mqc_status begin_start(struct consumer *consumer, mqc_error *error);
static mqc_status join(struct consumer *consumer, mqc_error *error);
static mqc_status make_store(struct consumer *consumer, struct client_instance *instance,
                             mqc_error *error);
static mqc_status check_filters(struct consumer *consumer, struct client_instance *instance,
                                mqc_error *error);
static void look_up_routes(struct consumer *consumer, struct client_instance *instance);
static void set_state(struct consumer *consumer, enum consumer_state state);
static bool begin_end(struct consumer *consumer, int64_t deadline_ms);
static mqc_status end(struct consumer *consumer, int64_t deadline_ms, mqc_error *error);
static int64_t farewell_deadline(int64_t deadline_ms);
static void commit_all(struct consumer *consumer, int64_t deadline_ms);
static bool leave(struct consumer *consumer, int64_t deadline_ms, int64_t farewell_ms);

/* ---- start ---- */

mqc_status consumer_start(struct consumer *consumer, mqc_error *error)
{
    mqc_status status = consumer_check(consumer, error);
    if (status == MQC_OK) status = begin_start(consumer, error);
    if (status != MQC_OK) return status;
    status = join(consumer, error);
    if (status != MQC_OK) {
        set_state(consumer, CONSUMER_NEW);
        return status;
    }
    set_state(consumer, CONSUMER_RUNNING);
    log_info(LOG_LIFECYCLE, "%s of group=%s started", consumer->kind->what, consumer->group);
    /* What follows is only what the services would do soon on their own. */
    struct client_instance *instance = consumer_enter(consumer);
    if (!instance) return MQC_OK; /* shut down by another thread meanwhile */
    look_up_routes(consumer, instance);
    client_instance_heartbeat(instance, client_instance_request_deadline(instance));
    atomic_store(&consumer->announced, true);
    client_instance_wake_rebalance(instance);
    consumer_exit(consumer);
    return MQC_OK;
}

static mqc_status begin_start(struct consumer *consumer, mqc_error *error)
{
    lock_take(&consumer->lock);
    int state = atomic_load(&consumer->state);
    if (state == CONSUMER_NEW) atomic_store(&consumer->state, CONSUMER_STARTING);
    lock_release(&consumer->lock);
    if (state == CONSUMER_NEW) return MQC_OK;
    if (state >= CONSUMER_STOPPING)
        return error_set(error, MQC_WRONG_STATE, "the %s of group %s was shut down: make a new one",
                         consumer->kind->what, consumer->group);
    return error_set(error, MQC_WRONG_STATE,
                     "the %s of group %s has been started before: start it once",
                     consumer->kind->what, consumer->group);
}

static mqc_status join(struct consumer *consumer, mqc_error *error)
{
    struct client_instance *instance;
    mqc_status status = client_manager_join(&consumer->client_options, &inner_producer,
                                            &consumer->role, &instance, error);
    if (status != MQC_OK) return status;
    consumer->instance = instance;
    consumer->start_unix_ms = clock_unix_ms();
    offset_store_unref(consumer->offsets); /* of a start that failed */
    consumer->offsets = NULL;
    status = check_filters(consumer, instance, error);
    if (status == MQC_OK) status = make_store(consumer, instance, error);
    if (status == MQC_OK) status = consumer_watch_start(consumer, error);
    if (status == MQC_OK) status = consumer_resets_start(consumer, error);
    if (status == MQC_OK && consumer->kind->start) status = consumer->kind->start(consumer, error);
    if (status == MQC_OK) return MQC_OK;
    consumer_resets_stop(consumer);
    consumer_watch_stop(consumer);
    client_manager_leave(instance, &consumer->role, clock_deadline_ms(FAREWELL_LEAST_MS));
    return status;
}

static mqc_status make_store(struct consumer *consumer, struct client_instance *instance,
                             mqc_error *error)
{
    const struct consumer_settings *settings = &consumer->settings;
    char *folder = NULL;
    mqc_status status = MQC_OK;
    if (settings->model != MQC_BROADCASTING)
        return remote_offsets_new(instance, &consumer->offsets, error);
    if (!settings->offsets_in_memory)
        status = offset_file_folder(settings->offset_store_path, consumer->group,
                                    &consumer->client_options, &folder, error);
    if (status == MQC_OK) status = local_offsets_new(folder, &consumer->offsets, error);
    memory_free(folder);
    return status;
}

/* MQClientInstance.checkClientInBroker. A filter that will not do fails the start. */
static mqc_status check_filters(struct consumer *consumer, struct client_instance *instance,
                                mqc_error *error)
{
    int64_t deadline_ms = client_instance_request_deadline(instance);
    struct topic_subscription **topics;
    size_t count;
    mqc_status status = subscriptions_list(&consumer->subscriptions, &topics, &count, error);
    if (status != MQC_OK) return status;
    for (size_t i = 0; i < count && status == MQC_OK; i++) {
        const struct subscription *subscription = &topics[i]->data;
        if (!subscription_is_sql(subscription)) continue;
        client_instance_update_route(instance, subscription->topic, NULL, 0, deadline_ms, NULL);
        status = filter_check(instance, consumer->group, subscription, deadline_ms, error);
    }
    subscriptions_release(topics, count);
    return status;
}

/* All together within one request's time; what is not found now is looked for in the background. */
static void look_up_routes(struct consumer *consumer, struct client_instance *instance)
{
    int64_t deadline_ms = client_instance_request_deadline(instance);
    struct topic_subscription **topics;
    size_t count, wanted = 0;
    mqc_error error;
    if (subscriptions_list(&consumer->subscriptions, &topics, &count, NULL) != MQC_OK) return;
    for (size_t i = 0; i < count; i++) {
        const char *topic = topics[i]->data.topic;
        mqc_status status =
            client_instance_update_route(instance, topic, NULL, 0, deadline_ms, &error);
        /* The retry topic is made when it is needed, and fails as the others do. */
        bool expected = names_is_retry_topic(slice_text(topic));
        if (!expected) wanted++;
        if (status != MQC_OK && !expected)
            log_warn(LOG_CONSUMER, "group=%s: no route of topic=%s yet, looking again: %s",
                     consumer->group, topic, error.text);
    }
    if (wanted == 0 && !consumer->kind->choose)
        log_warn(LOG_CONSUMER, "group=%s subscribes to nothing: call %s_subscribe", consumer->group,
                 consumer->kind->prefix);
    subscriptions_release(topics, count);
}

static void set_state(struct consumer *consumer, enum consumer_state state)
{
    lock_take(&consumer->lock);
    atomic_store(&consumer->state, state);
    condition_wake_all(&consumer->changed);
    lock_release(&consumer->lock);
}

/* ---- shutdown ---- */

mqc_status consumer_shutdown(struct consumer *consumer, int drain_ms, mqc_error *error)
{
    mqc_status status = consumer_check(consumer, error);
    if (status != MQC_OK) return status;
    if (drain_ms < 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "drain_ms is %d: it must be 0 or the milliseconds to wait for listeners",
                         drain_ms);
    if (service_on_own_thread())
        return error_set(error, MQC_WRONG_STATE,
                         "%s_shutdown was called from a listener or callback, which it would wait "
                         "for: call it from a thread of your own",
                         consumer->kind->prefix);
    int64_t deadline_ms = clock_deadline_ms(drain_ms);
    if (!begin_end(consumer, deadline_ms)) {
        bool starting = atomic_load(&consumer->state) == CONSUMER_STARTING;
        if (atomic_load(&consumer->state) == CONSUMER_STOPPED) return MQC_OK;
        return error_set(error, MQC_TIMEOUT,
                         "another thread still %s the %s of group %s after %d ms: wait for it, "
                         "then shut down again",
                         starting ? "starts" : "shuts down", consumer->kind->what, consumer->group,
                         drain_ms);
    }
    status = end(consumer, deadline_ms, error);
    lock_take(&consumer->lock);
    consumer->ending = false;
    if (status == MQC_OK) atomic_store(&consumer->state, CONSUMER_STOPPED);
    condition_wake_all(&consumer->changed);
    lock_release(&consumer->lock);
    return status;
}

void consumer_free(struct consumer *consumer)
{
    mqc_error error;
    /* In a forked child its threads do not exist and its locks may be held by them for ever. */
    mqc_status status = consumer_check(consumer, &error);
    if (status == MQC_OK && service_on_own_thread())
        status = error_set(&error, MQC_WRONG_STATE, "called from a listener or callback");
    if (status != MQC_OK) {
        log_error(LOG_LIFECYCLE, "%s_free: not freed: %s", consumer->kind->prefix, error.text);
        return;
    }
    if (consumer_shutdown(consumer, FREE_DRAIN_MS, &error) != MQC_OK) {
        log_info(LOG_LIFECYCLE, "%s_free waits: %s", consumer->kind->prefix, error.text);
        if (begin_end(consumer, CLOCK_NEVER)) {
            end(consumer, CLOCK_NEVER, &error);
            lock_take(&consumer->lock);
            consumer->ending = false;
            atomic_store(&consumer->state, CONSUMER_STOPPED);
            lock_release(&consumer->lock);
        }
    }
    consumer_unref(consumer);
}

/* True: the caller is to end the consumer. False: it has been ended, or somebody else still works
 * on it at the deadline. */
static bool begin_end(struct consumer *consumer, int64_t deadline_ms)
{
    bool in_time = true;
    lock_take(&consumer->lock);
    while ((consumer->ending || atomic_load(&consumer->state) == CONSUMER_STARTING) && in_time)
        in_time = condition_wait_until(&consumer->changed, &consumer->lock, deadline_ms);
    int state = atomic_load(&consumer->state);
    bool free_to_end = !consumer->ending && state != CONSUMER_STARTING;
    if (free_to_end && state == CONSUMER_NEW)
        atomic_store(&consumer->state, CONSUMER_STOPPED); /* nothing has been started */
    else if (free_to_end && state != CONSUMER_STOPPED)
        atomic_store(&consumer->state, CONSUMER_STOPPING);
    bool begin = free_to_end && atomic_load(&consumer->state) == CONSUMER_STOPPING;
    if (begin) consumer->ending = true;
    lock_release(&consumer->lock);
    return begin;
}

/* STOPPING has already ended pulling and rebalancing. All queues stay ours while listeners finish,
 * so that what they report counts; then what was done is committed, and the group is left. */
static mqc_status end(struct consumer *consumer, int64_t deadline_ms, mqc_error *error)
{
    int64_t began_ms = clock_now_ms();
    int64_t soon_ms = clock_deadline_ms(FAREWELL_LEAST_MS);
    atomic_store(&consumer->stop_deadline_ms, deadline_ms > soon_ms ? deadline_ms : soon_ms);
    consumer_resets_stop(consumer);
    consumer_watch_stop(consumer);
    int running = consumer->kind->stop(consumer, deadline_ms);
    bool left = consumer->left;
    if (!left) {
        int64_t farewell_ms = farewell_deadline(deadline_ms);
        commit_all(consumer, farewell_ms);
        left = leave(consumer, deadline_ms, farewell_ms);
    }
    log_info(LOG_LIFECYCLE, "%s of group=%s shut down, listeners still running=%d",
             consumer->kind->what, consumer->group, running);
    if (running == 0 && left) return MQC_OK;
    if (running == 0)
        return error_set(error, MQC_TIMEOUT,
                         "group %s: a request is still under way after %lld ms: shut down again "
                         "when its time is over, or let %s_free wait for it",
                         consumer->group, (long long)(clock_now_ms() - began_ms),
                         consumer->kind->prefix);
    if (consumer->kind->polled)
        return error_set(error, MQC_TIMEOUT,
                         "group %s: %d polled deliver%s not finished after %lld ms, and will come "
                         "again",
                         consumer->group, running, running == 1 ? "y is" : "ies are",
                         (long long)(clock_now_ms() - began_ms));
    return error_set(
        error, MQC_TIMEOUT,
        "group %s: %d listener call%s still running after %lld ms, what they are doing "
        "will be delivered again; %s_free waits for them",
        consumer->group, running, running == 1 ? " is" : "s are",
        (long long)(clock_now_ms() - began_ms), consumer->kind->prefix);
}

/* What is said to brokers at the end gets some time even when listeners took all of it, and not
 * for ever when they may take for ever. */
static int64_t farewell_deadline(int64_t deadline_ms)
{
    int64_t least_ms = clock_deadline_ms(FAREWELL_LEAST_MS);
    int64_t most_ms = clock_deadline_ms(FAREWELL_MOST_MS);
    if (deadline_ms < least_ms) return least_ms;
    return deadline_ms < most_ms ? deadline_ms : most_ms;
}

/* Listeners that finish from here on have no effect. All offsets are on their way before the first
 * is waited for. */
static void commit_all(struct consumer *consumer, int64_t deadline_ms)
{
    struct link taken;
    list_init(&taken);
    consumer_queues_close(consumer, &taken);
    LIST_EACH(&taken, item)
    {
        consumer_queue_give_up(CONTAINER_OF(item, struct consumer_queue, link));
    }
    LIST_EACH(&taken, item) /* what is told once more is told when all have been told once */
    {
        offset_record_await(CONTAINER_OF(item, struct consumer_queue, link)->offset, deadline_ms);
    }
    for (struct link *item; (item = list_take_first(&taken));) {
        struct consumer_queue *queue = CONTAINER_OF(item, struct consumer_queue, link);
        mqc_error error;
        if (offset_record_commit(queue->offset, deadline_ms, &error) != MQC_OK)
            log_warn(LOG_OFFSETS,
                     "group=%s topic=%s broker=%s queue=%d offset=%lld not committed, messages "
                     "will be delivered again: %s",
                     consumer->group, queue->place.topic, queue->place.broker_name,
                     queue->place.queue_id, (long long)offset_record_read(queue->offset),
                     error.text);
        if (consumer->kind->lost) consumer->kind->lost(queue, consumer->instance);
        consumer_queue_unref(queue);
    }
    offset_store_flush(consumer->offsets);
    offset_store_end(consumer->offsets);
}

/* False when a request on the instance is still under way at the deadline. */
static bool leave(struct consumer *consumer, int64_t deadline_ms, int64_t farewell_ms)
{
    bool in_time = true, waited = false;
    if (deadline_ms < farewell_ms) deadline_ms = farewell_ms;
    lock_take(&consumer->lock);
    consumer->left = true;
    while (consumer->users > 0 && in_time) {
        waited = true;
        in_time = condition_wait_until(&consumer->changed, &consumer->lock, deadline_ms);
    }
    bool idle = consumer->users == 0;
    if (!idle) consumer->left = false; /* a later call leaves */
    lock_release(&consumer->lock);
    if (waited) farewell_ms = farewell_deadline(deadline_ms);
    if (idle) client_manager_leave(consumer->instance, &consumer->role, farewell_ms);
    return idle;
}
