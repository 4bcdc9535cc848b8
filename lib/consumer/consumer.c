/* The part of a consumer that is the same for all kinds: making it, its subscriptions, pausing,
 * counting who uses it. Called by the application's threads; starting and stopping are in
 * consumer_lifecycle.c. */
#include "lib/consumer/consumer.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/process.h"
#include "lib/client/options.h"
#include "lib/consumer/filter_check.h"
#include "lib/producer/kept_options.h"

enum { HEARTBEAT_LEAST_MS = 1000 };

static void run_chores(struct callback_task *task);
static void tell_brokers(struct consumer *consumer, const char *new_topic);
static void pull_anew(struct consumer *consumer, const char *topic);

mqc_status consumer_init(struct consumer *consumer, const struct consumer_kind *kind,
                         const struct consumer_settings *settings, mqc_error *error)
{
    reference_init(&consumer->references);
    consumer->kind = kind;
    consumer->fork_generation = process_fork_generation();
    intern_init(&consumer->names);
    subscriptions_init(&consumer->subscriptions);
    lock_init(&consumer->lock, LOCK_RANK_ROLE);
    condition_init(&consumer->changed);
    lock_init(&consumer->queues_lock, LOCK_RANK_REBALANCE);
    list_init(&consumer->queues);
    map_init(&consumer->topics);
    consumer_figures_init(&consumer->figures);
    atomic_store(&consumer->stop_deadline_ms, CLOCK_NEVER);
    atomic_store(&consumer->heartbeat_ms, INT64_MIN / 2);
    atomic_store(&consumer->route_ms, INT64_MIN / 2);
    consumer->chore.run = run_chores;
    list_init(&consumer->role.link);
    lock_init(&consumer->watch.lock, LOCK_RANK_LEAF);
    consumer->settings = *settings;
    consumer->settings.allocate = (mqc_allocate_options){0};
    consumer->settings.offset_store_path = NULL;
    consumer->settings.client = &consumer->client_options;
    consumer->client_options = options_fill_client(settings->client);
    mqc_status status = kept_options_copy(OPTION_ROLE_CLIENT, &consumer->client_options, error);
    if (status == MQC_OK)
        status = allocate_options_copy(&settings->allocate, &consumer->settings.allocate, error);
    if (status == MQC_OK && settings->offset_store_path) {
        consumer->settings.offset_store_path = memory_duplicate(settings->offset_store_path);
        if (!consumer->settings.offset_store_path) status = error_no_memory(error);
    }
    if (status == MQC_OK) {
        consumer->settings.group = consumer->group = memory_duplicate(settings->group);
        if (!consumer->group) status = error_no_memory(error);
    }
    if (status == MQC_OK) {
        consumer->role.type = &CONSUMER_ROLE_TYPE;
        consumer->role.group = consumer->group;
        names_retry_topic(consumer->group, consumer->retry_topic);
        if (settings->retries)
            status = subscriptions_put(&consumer->subscriptions, consumer->retry_topic, "*", NULL,
                                       error);
    }
    if (status != MQC_OK) consumer_done(consumer);
    return status;
}

void consumer_done(struct consumer *consumer)
{
    offset_store_unref(consumer->offsets);
    subscriptions_done(&consumer->subscriptions);
    consumer_figures_done(&consumer->figures);
    intern_done(&consumer->names);
    struct map_entry entry;
    for (size_t at = 0; map_next(&consumer->topics, &at, &entry);) memory_free(entry.value);
    map_done(&consumer->topics);
    lock_done(&consumer->watch.lock);
    lock_done(&consumer->queues_lock);
    condition_done(&consumer->changed);
    lock_done(&consumer->lock);
    kept_options_free(OPTION_ROLE_CLIENT, &consumer->client_options);
    allocate_options_done(&consumer->settings.allocate);
    memory_free((void *)(uintptr_t)consumer->settings.offset_store_path);
    memory_free(consumer->group);
}

void consumer_ref(struct consumer *consumer)
{
    reference_take(&consumer->references);
}

void consumer_unref(struct consumer *consumer)
{
    if (reference_drop(&consumer->references)) consumer->kind->destroy(consumer);
}

/* ---- subscriptions ---- */

mqc_status consumer_subscribe(struct consumer *consumer, const char *topic, const char *filter,
                              mqc_error *error)
{
    mqc_status status = consumer_check_live(consumer, "subscribe", error);
    if (status != MQC_OK) return status;
    bool replaced;
    status = subscriptions_put(&consumer->subscriptions, topic, filter, &replaced, error);
    if (status == MQC_OK) tell_brokers(consumer, topic);
    return status;
}

mqc_status consumer_subscribe_sql(struct consumer *consumer, const char *topic,
                                  const char *expression, mqc_error *error)
{
    struct subscription data;
    mqc_status status = consumer_check_live(consumer, "subscribe_sql", error);
    if (status == MQC_OK) status = names_check_topic(topic, error);
    if (status == MQC_OK) status = subscription_make_sql(topic, expression, 0, &data, error);
    if (status != MQC_OK) return status;
    /* Before the start it is the start that asks. */
    struct client_instance *instance = consumer_enter(consumer);
    if (instance) {
        status = filter_check(instance, consumer->group, &data,
                              client_instance_request_deadline(instance), error);
        consumer_exit(consumer);
    }
    if (status != MQC_OK) {
        subscription_done(&data);
        return status;
    }
    status = subscriptions_put_data(&consumer->subscriptions, &data, NULL, error);
    if (status == MQC_OK) tell_brokers(consumer, topic);
    return status;
}

mqc_status consumer_unsubscribe(struct consumer *consumer, const char *topic, mqc_error *error)
{
    mqc_status status = consumer_check_live(consumer, "unsubscribe", error);
    if (status != MQC_OK) return status;
    status = names_check_topic(topic, error);
    if (status != MQC_OK) return status;
    if (strcmp(topic, consumer->retry_topic) == 0 ||
        !subscriptions_remove(&consumer->subscriptions, topic))
        return error_set(error, MQC_NOT_FOUND, "group %s is not subscribed to topic %s",
                         consumer->group, topic);
    consumer_follow_pop_retries(consumer, topic, false);
    struct client_instance *instance = consumer_enter(consumer);
    if (!instance) return MQC_OK;
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(consumer, topic, &count);
    /* What is not let go now, the rebalance service finds. */
    for (size_t i = 0; i < count; i++)
        consumer_queue_lose(queues[i], instance, "its topic was unsubscribed");
    consumer_queues_release(queues, count);
    consumer_exit(consumer);
    tell_brokers(consumer, NULL);
    return MQC_OK;
}

/* When it runs: brokers hear of it at once, and the rebalance service acts on it. */
static void tell_brokers(struct consumer *consumer, const char *new_topic)
{
    struct client_instance *instance = consumer_enter(consumer);
    if (!instance) return;
    if (new_topic) route_table_want(client_instance_routes(instance), new_topic, NULL);
    client_instance_heartbeat(instance, 0);
    client_instance_wake_rebalance(instance);
    if (new_topic) pull_anew(consumer, new_topic);
    consumer_exit(consumer);
}

/* A filter that has changed is in force at once, not when the pulls that are held have ended. */
static void pull_anew(struct consumer *consumer, const char *topic)
{
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(consumer, topic, &count);
    for (size_t i = 0; i < count; i++) queue_pull_anew(queues[i]);
    consumer_queues_release(queues, count);
}

/* ---- pause ---- */

mqc_status consumer_pause(struct consumer *consumer, mqc_error *error)
{
    mqc_status status = consumer_check_live(consumer, "pause", error);
    if (status != MQC_OK) return status;
    lock_take(&consumer->lock);
    atomic_store(&consumer->paused, true);
    lock_release(&consumer->lock);
    log_info(LOG_CONSUMER, "group=%s paused", consumer->group);
    return MQC_OK;
}

mqc_status consumer_resume(struct consumer *consumer, mqc_error *error)
{
    mqc_status status = consumer_check_live(consumer, "resume", error);
    if (status != MQC_OK) return status;
    lock_take(&consumer->lock);
    atomic_store(&consumer->paused, false);
    lock_release(&consumer->lock);
    if (consumer->kind->resume) consumer->kind->resume(consumer);
    log_info(LOG_CONSUMER, "group=%s resumed", consumer->group);
    return MQC_OK;
}

/* ---- states ---- */

mqc_status consumer_check(const struct consumer *consumer, mqc_error *error)
{
    if (consumer->fork_generation == process_fork_generation()) return MQC_OK;
    return error_set(error, MQC_WRONG_STATE,
                     "the %s belongs to the parent process: make a new one after fork",
                     consumer->kind->what);
}

mqc_status consumer_check_live(const struct consumer *consumer, const char *function,
                               mqc_error *error)
{
    mqc_status status = consumer_check(consumer, error);
    if (status != MQC_OK) return status;
    if (atomic_load(&consumer->state) < CONSUMER_STOPPING) return MQC_OK;
    return error_set(error, MQC_WRONG_STATE,
                     "the %s of group %s was shut down: call %s_%s before that, or make a new "
                     "consumer",
                     consumer->kind->what, consumer->group, consumer->kind->prefix, function);
}

bool consumer_running(const struct consumer *consumer)
{
    return atomic_load(&consumer->state) == CONSUMER_RUNNING;
}

struct client_instance *consumer_enter(struct consumer *consumer)
{
    struct client_instance *instance = NULL;
    lock_take(&consumer->lock);
    int state = atomic_load(&consumer->state);
    if ((state == CONSUMER_RUNNING || state == CONSUMER_STOPPING) && !consumer->left) {
        instance = consumer->instance;
        consumer->users++;
    }
    lock_release(&consumer->lock);
    return instance;
}

void consumer_exit(struct consumer *consumer)
{
    lock_take(&consumer->lock);
    if (--consumer->users == 0) condition_wake_all(&consumer->changed);
    lock_release(&consumer->lock);
}

int64_t consumer_deadline(const struct consumer *consumer, int64_t timeout_ms)
{
    int64_t deadline_ms = clock_deadline_ms(timeout_ms);
    int64_t stop_ms = atomic_load(&consumer->stop_deadline_ms);
    return deadline_ms < stop_ms ? deadline_ms : stop_ms;
}

/* ---- chores ---- */

void consumer_do_later(struct consumer *consumer, enum consumer_chore chore)
{
    if (atomic_fetch_or(&consumer->chores, (unsigned)chore) != 0) return; /* it will see it */
    consumer_ref(consumer);
    callback_executor_submit(client_instance_callbacks(consumer->instance), &consumer->chore);
}

void consumer_look_for_broker(struct consumer *consumer, const char *topic, int64_t least_ms)
{
    int64_t now = clock_now_ms();
    if (now - atomic_load(&consumer->route_ms) < least_ms) return;
    atomic_store(&consumer->route_ms, now);
    atomic_store(&consumer->lost_topic, topic);
    consumer_do_later(consumer, CHORE_ROUTE);
}

/* Callback thread. The task is free to be submitted again once `chores` is 0. */
static void run_chores(struct callback_task *task)
{
    struct consumer *consumer = CONTAINER_OF(task, struct consumer, chore);
    unsigned chores = atomic_exchange(&consumer->chores, 0);
    struct client_instance *instance = consumer_enter(consumer);
    int64_t now = clock_now_ms();
    if (instance && (chores & CHORE_HEARTBEAT) &&
        now - atomic_load(&consumer->heartbeat_ms) >= HEARTBEAT_LEAST_MS) {
        atomic_store(&consumer->heartbeat_ms, now);
        client_instance_heartbeat(instance, 0);
    }
    const char *lost = atomic_load(&consumer->lost_topic);
    if (instance && (chores & CHORE_ROUTE) && lost)
        client_instance_update_route(
            instance, lost, NULL, 0,
            consumer_deadline(consumer, consumer->client_options.request_timeout_ms), NULL);
    if (instance && (chores & CHORE_SWEEP) && consumer->kind->sweep)
        consumer->kind->sweep(consumer, instance);
    if (instance && (chores & CHORE_WATCH)) consumer_watch_look(consumer);
    if (instance) consumer_exit(consumer);
    consumer_unref(consumer);
}
