/* The push consumer's object: making it, its subscriptions, pausing, counting who uses it. Called
 * by the application's threads; starting and stopping are in consumer_lifecycle.c. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/process.h"
#include "lib/client/options.h"
#include "lib/consumer/push_consumer_private.h"
#include "lib/producer/kept_options.h"

enum { HEARTBEAT_LEAST_MS = 1000 };

static mqc_status fill(struct mqc_push_consumer *consumer, const mqc_push_consumer_options *options,
                       mqc_error *error);
static void destroy(struct mqc_push_consumer *consumer);
static void run_chores(struct callback_task *task);
static mqc_status check_live(struct mqc_push_consumer *consumer, const char *function,
                             mqc_error *error);
static void tell_brokers(struct mqc_push_consumer *consumer, const char *new_topic);

mqc_push_consumer *mqc_push_consumer_new_sized(const mqc_push_consumer_options *options,
                                               size_t size, mqc_error *error)
{
    mqc_push_consumer_options whole = {0}; /* of an older or newer header: what both know */
    if (options) memcpy(&whole, options, size < sizeof whole ? size : sizeof whole);
    if (options_check_push_consumer(options ? &whole : NULL, error) != MQC_OK) return NULL;
    struct mqc_push_consumer *consumer = memory_allocate_zero(1, sizeof *consumer);
    if (!consumer) {
        error_no_memory(error);
        return NULL;
    }
    reference_init(&consumer->references);
    consumer->fork_generation = process_fork_generation();
    intern_init(&consumer->names);
    subscriptions_init(&consumer->subscriptions);
    lock_init(&consumer->lock, LOCK_RANK_ROLE);
    condition_init(&consumer->changed);
    list_init(&consumer->parked);
    lock_init(&consumer->queues_lock, LOCK_RANK_REBALANCE);
    list_init(&consumer->queues);
    atomic_store(&consumer->stop_deadline_ms, CLOCK_NEVER);
    atomic_store(&consumer->heartbeat_ms, INT64_MIN / 2);
    consumer->strategy = &ALLOCATE_AVERAGELY;
    consumer->chore.run = run_chores;
    if (fill(consumer, &whole, error) == MQC_OK) return consumer;
    destroy(consumer);
    return NULL;
}

static mqc_status fill(struct mqc_push_consumer *consumer, const mqc_push_consumer_options *options,
                       mqc_error *error)
{
    consumer->client_options = options_fill_client(options->client);
    mqc_status status = kept_options_copy(OPTION_ROLE_CLIENT, &consumer->client_options, error);
    if (status != MQC_OK) return status;
    consumer->options = options_fill_push_consumer(options);
    consumer->options.client = &consumer->client_options;
    consumer->options.group = consumer->group = memory_duplicate(options->group);
    if (!consumer->group) return error_no_memory(error);
    names_retry_topic(consumer->group, consumer->retry_topic);
    consumer->role.type = &CONSUMER_ROLE_TYPE;
    consumer->role.group = consumer->group;
    list_init(&consumer->role.link);
    status = subscriptions_put(&consumer->subscriptions, consumer->retry_topic, "*", NULL, error);
    if (status != MQC_OK) return status;
    return consume_workers_new(consumer->options.threads, &consumer->workers, error);
}

static void destroy(struct mqc_push_consumer *consumer)
{
    consume_workers_free(consumer->workers);
    subscriptions_done(&consumer->subscriptions);
    intern_done(&consumer->names);
    lock_done(&consumer->queues_lock);
    condition_done(&consumer->changed);
    lock_done(&consumer->lock);
    kept_options_free(OPTION_ROLE_CLIENT, &consumer->client_options);
    memory_free(consumer->group);
    memory_free(consumer);
}

void consumer_ref(struct mqc_push_consumer *consumer)
{
    reference_take(&consumer->references);
}

void consumer_unref(struct mqc_push_consumer *consumer)
{
    if (reference_drop(&consumer->references)) destroy(consumer);
}

/* ---- subscriptions ---- */

mqc_status mqc_push_consumer_subscribe(mqc_push_consumer *consumer, const char *topic,
                                       const char *filter, mqc_error *error)
{
    mqc_status status = check_live(consumer, "mqc_push_consumer_subscribe", error);
    if (status != MQC_OK) return status;
    bool replaced;
    status = subscriptions_put(&consumer->subscriptions, topic, filter, &replaced, error);
    if (status == MQC_OK) tell_brokers(consumer, topic);
    return status;
}

mqc_status mqc_push_consumer_unsubscribe(mqc_push_consumer *consumer, const char *topic,
                                         mqc_error *error)
{
    mqc_status status = check_live(consumer, "mqc_push_consumer_unsubscribe", error);
    if (status != MQC_OK) return status;
    status = names_check_topic(topic, error);
    if (status != MQC_OK) return status;
    if (strcmp(topic, consumer->retry_topic) == 0 ||
        !subscriptions_remove(&consumer->subscriptions, topic))
        return error_set(error, MQC_NOT_FOUND, "group %s is not subscribed to topic %s",
                         consumer->group, topic);
    struct client_instance *instance = consumer_enter(consumer);
    if (!instance) return MQC_OK;
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(consumer, topic, &count);
    for (size_t i = 0; i < count; i++) {
        consumer_queue_give_up(queues[i]);
        consumer_queues_remove(consumer, queues[i]);
    }
    consumer_queues_release(queues, count);
    consumer_exit(consumer);
    tell_brokers(consumer, NULL);
    return MQC_OK;
}

/* When it runs: brokers hear of it at once, and the rebalance service acts on it. */
static void tell_brokers(struct mqc_push_consumer *consumer, const char *new_topic)
{
    struct client_instance *instance = consumer_enter(consumer);
    if (!instance) return;
    if (new_topic) route_table_want(client_instance_routes(instance), new_topic, NULL);
    client_instance_heartbeat(instance, 0);
    client_instance_wake_rebalance(instance);
    consumer_exit(consumer);
}

/* ---- pause ---- */

mqc_status mqc_push_consumer_pause(mqc_push_consumer *consumer, mqc_error *error)
{
    mqc_status status = check_live(consumer, "mqc_push_consumer_pause", error);
    if (status != MQC_OK) return status;
    lock_take(&consumer->lock);
    atomic_store(&consumer->paused, true);
    lock_release(&consumer->lock);
    log_info(LOG_CONSUMER, "group=%s paused", consumer->group);
    return MQC_OK;
}

mqc_status mqc_push_consumer_resume(mqc_push_consumer *consumer, mqc_error *error)
{
    mqc_status status = check_live(consumer, "mqc_push_consumer_resume", error);
    if (status != MQC_OK) return status;
    consume_resume(consumer);
    log_info(LOG_CONSUMER, "group=%s resumed", consumer->group);
    return MQC_OK;
}

/* ---- states ---- */

mqc_status consumer_check(const struct mqc_push_consumer *consumer, mqc_error *error)
{
    if (!consumer) return error_set(error, MQC_BAD_ARGUMENT, "the push consumer is NULL");
    if (consumer->fork_generation != process_fork_generation())
        return error_set(error, MQC_WRONG_STATE,
                         "the push consumer belongs to the parent process: make a new one after "
                         "fork");
    return MQC_OK;
}

static mqc_status check_live(struct mqc_push_consumer *consumer, const char *function,
                             mqc_error *error)
{
    mqc_status status = consumer_check(consumer, error);
    if (status != MQC_OK) return status;
    if (atomic_load(&consumer->state) < CONSUMER_STOPPING) return MQC_OK;
    return error_set(error, MQC_WRONG_STATE,
                     "the push consumer of group %s was shut down: call %s before that, or make a "
                     "new consumer",
                     consumer->group, function);
}

bool consumer_running(const struct mqc_push_consumer *consumer)
{
    return atomic_load(&consumer->state) == CONSUMER_RUNNING;
}

struct client_instance *consumer_enter(struct mqc_push_consumer *consumer)
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

void consumer_exit(struct mqc_push_consumer *consumer)
{
    lock_take(&consumer->lock);
    if (--consumer->users == 0) condition_wake_all(&consumer->changed);
    lock_release(&consumer->lock);
}

int64_t consumer_deadline(const struct mqc_push_consumer *consumer, int64_t timeout_ms)
{
    int64_t deadline_ms = clock_deadline_ms(timeout_ms);
    int64_t stop_ms = atomic_load(&consumer->stop_deadline_ms);
    return deadline_ms < stop_ms ? deadline_ms : stop_ms;
}

/* ---- chores ---- */

void consumer_do_later(struct mqc_push_consumer *consumer, enum consumer_chore chore)
{
    if (atomic_fetch_or(&consumer->chores, (unsigned)chore) != 0) return; /* it will see it */
    consumer_ref(consumer);
    callback_executor_submit(client_instance_callbacks(consumer->instance), &consumer->chore);
}

/* Callback thread. The task is free to be submitted again once `chores` is 0. */
static void run_chores(struct callback_task *task)
{
    struct mqc_push_consumer *consumer = CONTAINER_OF(task, struct mqc_push_consumer, chore);
    unsigned chores = atomic_exchange(&consumer->chores, 0);
    struct client_instance *instance = consumer_enter(consumer);
    int64_t now = clock_now_ms();
    if (instance && (chores & CHORE_HEARTBEAT) &&
        now - atomic_load(&consumer->heartbeat_ms) >= HEARTBEAT_LEAST_MS) {
        atomic_store(&consumer->heartbeat_ms, now);
        client_instance_heartbeat(instance, 0);
    }
    if (instance && (chores & CHORE_SWEEP)) consume_timeout_sweep(consumer, instance);
    if (instance) consumer_exit(consumer);
    consumer_unref(consumer);
}
