/* The producer's life: new, start, shutdown, free, and the gate that every call goes through. All
 * of it on the application's threads.
 *
 * Calls are counted in the gate without a lock; closing the gate and the last ones' leaving go
 * through the producer's lock, so that whoever waits for them may free the producer at once. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/process.h"
#include "lib/base/sized_struct.h"
#include "lib/client/client_manager.h"
#include "lib/client/options.h"
#include "lib/producer/inner_producer.h"
#include "lib/producer/kept_options.h"
#include "lib/producer/producer_private.h"
#include "services/service.h"

#define PRODUCER_CLOSED 0x80000000u

enum {
    FREE_DRAIN_MS = 3000,
    /* Beyond its drain a shutdown waits so long for the callbacks of cancelled sends, and once more
     * for the brokers to hear that the producer leaves. */
    GRACE_MS = 1000
};

static mqc_status keep_options(struct mqc_producer *producer, const mqc_producer_options *given,
                               mqc_error *error);
static void init(struct mqc_producer *producer);
static mqc_status start_helpers(struct mqc_producer *producer, struct client_instance *instance,
                                mqc_error *error);
static void probe_brokers(void *producer);
static mqc_status check_process(const struct mqc_producer *producer, mqc_error *error);
static mqc_status refuse_call(struct mqc_producer *producer, mqc_error *error);
static mqc_status begin_start(struct mqc_producer *producer, mqc_error *error);
static mqc_status stop(struct mqc_producer *producer, int64_t deadline_ms, mqc_error *error)
    REQUIRES(producer->lock);
static bool wait_until_idle(struct mqc_producer *producer, int64_t deadline_ms)
    REQUIRES(producer->lock);
static unsigned calls_inside(struct mqc_producer *producer);
static mqc_status abandoned(struct mqc_producer *producer, mqc_error *error)
    REQUIRES(producer->lock);

mqc_producer *mqc_producer_new_sized(const mqc_producer_options *options, size_t size,
                                     size_t client_size, mqc_error *error)
{
    mqc_producer_options given;
    mqc_client_options client;
    mqc_status status = sized_struct_copy(&given, sizeof given, options, size, error);
    if (status == MQC_OK) status = options_take_client(&given.client, client_size, &client, error);
    if (status == MQC_OK) status = options_check_producer(options ? &given : NULL, error);
    if (status != MQC_OK) return NULL;
    struct mqc_producer *producer = memory_allocate_zero(1, sizeof *producer);
    if (!producer) {
        error_no_memory(error);
        return NULL;
    }
    status = keep_options(producer, &given, error);
    if (status != MQC_OK) {
        memory_free(producer);
        return NULL;
    }
    init(producer);
    if (given.avoid_slow_brokers) {
        producer->sender.faults =
            fault_table_new(given.latency_steps, given.latency_step_count, given.detect_brokers);
        if (!producer->sender.faults) {
            mqc_producer_free(producer);
            error_no_memory(error);
            return NULL;
        }
    }
    return producer;
}

mqc_status mqc_producer_start(mqc_producer *producer, mqc_error *error)
{
    mqc_status status = check_process(producer, error);
    if (status == MQC_OK) status = begin_start(producer, error);
    if (status != MQC_OK) return status;
    struct client_instance *instance;
    status =
        client_manager_join(&producer->client, &inner_producer, &producer->role, &instance, error);
    if (status == MQC_OK) status = start_helpers(producer, instance, error);
    lock_take(&producer->lock);
    if (status == MQC_OK) {
        producer->sender.instance = instance;
        producer->state = CLIENT_RUNNING;
        atomic_fetch_and(&producer->gate, ~PRODUCER_CLOSED);
        producer_hold(producer); /* until the topics are looked up */
    }
    producer->busy = false;
    condition_wake_all(&producer->changed);
    lock_release(&producer->lock);
    if (status != MQC_OK) return status;
    log_info(LOG_LIFECYCLE, "the producer [%s] start OK. client=%s", producer->options.group,
             client_instance_id(instance));
    producer_look_up_topics(producer);
    producer_leave(producer);
    return MQC_OK;
}

mqc_status mqc_producer_shutdown(mqc_producer *producer, int drain_ms, mqc_error *error)
{
    mqc_status status = check_process(producer, error);
    if (status != MQC_OK) return status;
    if (drain_ms < 0)
        return error_set(
            error, MQC_BAD_ARGUMENT,
            "drain_ms is %d: give the milliseconds that sends in flight may take, or 0", drain_ms);
    if (service_on_own_thread())
        return error_set(error, MQC_WRONG_STATE,
                         "a producer cannot be shut down in a callback or listener, which it would "
                         "wait for: call it from a thread of the application");
    int64_t deadline_ms = clock_deadline_ms(drain_ms);
    lock_take(&producer->lock);
    while (producer->busy &&
           condition_wait_until(&producer->changed, &producer->lock, deadline_ms + GRACE_MS)) {
    }
    if (producer->busy) {
        status = error_set(error, MQC_TIMEOUT,
                           "another thread is starting the producer or shutting it down: wait for "
                           "it, then shut down again");
    } else if (!producer->sender.instance) {
        producer->state = CLIENT_SHUTDOWN_ALREADY;
    } else {
        status = stop(producer, deadline_ms, error);
    }
    lock_release(&producer->lock);
    return status;
}

void mqc_producer_free(mqc_producer *producer)
{
    /* A forked child has none of the threads, and perhaps locks that nobody will release. */
    if (!producer || producer->fork_generation != process_fork_generation()) return;
    mqc_error error;
    if (mqc_producer_shutdown(producer, FREE_DRAIN_MS, &error) != MQC_OK) {
        /* Better kept for ever than freed under somebody's feet. */
        log_error(LOG_LIFECYCLE, "producer not freed group=%s reason=%s", producer->options.group,
                  error.text);
        return;
    }
    async_sends_free(producer);
    tracing_free(producer->sender.watch.tracing);
    fault_table_unref(producer->sender.faults);
    accumulator_done(&producer->accumulator);
    send_window_done(&producer->window);
    transactions_done(&producer->transactions);
    map_done(&producer->reply_topics);
    condition_done(&producer->changed);
    lock_done(&producer->lock);
    meters_done(&producer->meters);
    intern_done(&producer->names);
    kept_options_free(OPTION_ROLE_PRODUCER, &producer->options);
    kept_options_free(OPTION_ROLE_CLIENT, &producer->client);
    memory_free(producer);
}

mqc_status producer_enter(struct mqc_producer *producer, mqc_error *error)
{
    mqc_status status = check_process(producer, error);
    if (status != MQC_OK) return status;
    unsigned before = atomic_fetch_add_explicit(&producer->gate, 1, memory_order_acquire);
    if (!(before & PRODUCER_CLOSED)) return MQC_OK;
    status = refuse_call(producer, error);
    producer_leave(producer);
    return status;
}

void producer_hold(struct mqc_producer *producer)
{
    atomic_fetch_add_explicit(&producer->gate, 1, memory_order_relaxed);
}

void producer_leave(struct mqc_producer *producer)
{
    unsigned gate = atomic_load_explicit(&producer->gate, memory_order_relaxed);
    while (!(gate & PRODUCER_CLOSED)) {
        if (atomic_compare_exchange_weak_explicit(&producer->gate, &gate, gate - 1,
                                                  memory_order_release, memory_order_relaxed))
            return;
    }
    lock_take(&producer->lock);
    atomic_fetch_sub_explicit(&producer->gate, 1, memory_order_release);
    condition_wake_all(&producer->changed);
    lock_release(&producer->lock);
}

int64_t producer_deadline(const struct mqc_producer *producer, const mqc_send_options *options)
{
    bool own = options && options->timeout_ms > 0;
    return clock_deadline_ms(own ? options->timeout_ms : producer->options.send_timeout_ms);
}

/* Probes are run by the instance's scheduled executor, batches are sent by a thread of their own.
 * On failure nothing is left. */
static mqc_status start_helpers(struct mqc_producer *producer, struct client_instance *instance,
                                mqc_error *error)
{
    mqc_status status = tracing_start(instance, &producer->client, producer->options.group,
                                      "PRODUCE", &producer->sender.watch.tracing, error);
    if (status == MQC_OK && producer->sender.faults && producer->options.detect_brokers) {
        producer->probed = instance;
        int period_ms = producer->options.detect_interval_ms;
        status =
            scheduled_executor_add(client_instance_scheduler(instance), "probe brokers", period_ms,
                                   period_ms, probe_brokers, producer, &producer->probe, error);
    }
    if (status == MQC_OK) status = accumulator_start(&producer->accumulator, error);
    if (status == MQC_OK) return MQC_OK;
    scheduled_task_cancel(producer->probe);
    producer->probe = NULL;
    tracing_stop(producer->sender.watch.tracing, 0);
    client_manager_leave(instance, &producer->role, clock_deadline_ms(GRACE_MS));
    return status;
}

static void probe_brokers(void *arg)
{
    struct mqc_producer *producer = arg;
    fault_table_probe(producer->sender.faults, producer->probed,
                      producer->options.detect_timeout_ms);
}

/* Filled copies, so that the caller's texts may go. */
static mqc_status keep_options(struct mqc_producer *producer, const mqc_producer_options *given,
                               mqc_error *error)
{
    producer->client = options_fill_client(given->client);
    producer->options = options_fill_producer(given);
    producer->options.client = NULL;
    producer->options.latency_steps = NULL; /* the fault table has a copy */
    mqc_status status = kept_options_copy(OPTION_ROLE_CLIENT, &producer->client, error);
    if (status != MQC_OK) return status;
    status = kept_options_copy(OPTION_ROLE_PRODUCER, &producer->options, error);
    if (status != MQC_OK) kept_options_free(OPTION_ROLE_CLIENT, &producer->client);
    return status;
}

static void init(struct mqc_producer *producer)
{
    const mqc_producer_options *options = &producer->options;
    producer->role.type = &PRODUCER_ROLE;
    producer->role.group = options->group;
    producer->sender = (struct sender){
        .names = &producer->names,
        .origin = {.group = options->group,
                   .create_topic_key = options->create_topic_key,
                   .default_topic_queues = options->default_topic_queues,
                   .compress_above_bytes = options->compress_above_bytes,
                   .compression = options->compression,
                   .compress_level = options->compress_level},
        .attempt_timeout_ms = options->attempt_timeout_ms,
        .max_message_bytes = options->max_message_bytes,
        .retry_not_stored = options->retry_other_broker_when_not_stored_ok,
        .meters = &producer->meters,
        .watch = {options->group, options->send_hooks, options->send_hook_count, NULL},
    };
    send_window_init(&producer->window, options->max_async_sends, options->max_async_bytes,
                     options->when_full);
    accumulator_init(&producer->accumulator, options);
    intern_init(&producer->names);
    meters_init(&producer->meters, false);
    producer->fork_generation = process_fork_generation();
    atomic_init(&producer->gate, PRODUCER_CLOSED);
    lock_init(&producer->lock, LOCK_RANK_ROLE);
    condition_init(&producer->changed);
    producer->state = CLIENT_CREATE_JUST;
    list_init(&producer->sends);
    list_init(&producer->free_sends);
    transactions_init(&producer->transactions);
    map_init(&producer->reply_topics);
}

static mqc_status check_process(const struct mqc_producer *producer, mqc_error *error)
{
    if (!producer)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the producer is NULL: make one with mqc_producer_new");
    if (producer->fork_generation != process_fork_generation())
        return error_set(error, MQC_WRONG_STATE,
                         "this process was forked after the producer was made, whose threads and "
                         "connections stayed with the parent: make a new one here");
    return MQC_OK;
}

static mqc_status refuse_call(struct mqc_producer *producer, mqc_error *error)
{
    lock_take(&producer->lock);
    enum client_state state = producer->state;
    bool busy = producer->busy;
    lock_release(&producer->lock);
    const char *why = "has been shut down: make a new one";
    if (state == CLIENT_CREATE_JUST)
        why = "is not started: call mqc_producer_start first";
    else if (state == CLIENT_START_FAILED)
        why = busy ? "is being started: wait until mqc_producer_start returns"
                   : "could not be started: make a new one";
    return error_set(error, MQC_WRONG_STATE, "the producer %s (group %s, %s)", why,
                     producer->options.group, client_state_name(state));
}

/* Exactly one caller may start a producer, once. */
static mqc_status begin_start(struct mqc_producer *producer, mqc_error *error)
{
    lock_take(&producer->lock);
    enum client_state state = producer->state;
    bool first = state == CLIENT_CREATE_JUST;
    if (first) {
        producer->state = CLIENT_START_FAILED;
        producer->busy = true;
    }
    lock_release(&producer->lock);
    if (first) return MQC_OK;
    return error_set(error, MQC_WRONG_STATE,
                     "the producer %s: make a new one to start again (group %s, %s)",
                     state == CLIENT_SHUTDOWN_ALREADY ? "has been shut down" : "was started before",
                     producer->options.group, client_state_name(state));
}

/* From running to shut down; again after it could not be finished. */
static mqc_status stop(struct mqc_producer *producer, int64_t deadline_ms, mqc_error *error)
{
    producer->busy = true;
    producer->state = CLIENT_SHUTDOWN_ALREADY;
    atomic_fetch_or(&producer->gate, PRODUCER_CLOSED);
    lock_release(&producer->lock);
    send_window_close(&producer->window);
    accumulator_close(&producer->accumulator);
    lock_take(&producer->lock);
    if (!wait_until_idle(producer, deadline_ms)) {
        lock_release(&producer->lock);
        atomic_store(&producer->sender.leaving, true);
        async_sends_cancel(producer);
        transaction_checks_cancel(producer);
        producer_requests_cancel(producer);
        lock_take(&producer->lock);
    }
    mqc_status status = MQC_OK;
    if (wait_until_idle(producer, clock_deadline_ms(GRACE_MS))) {
        struct client_instance *instance = producer->sender.instance;
        producer->sender.instance = NULL;
        lock_release(&producer->lock);
        scheduled_task_cancel(producer->probe);
        producer->probe = NULL;
        tracing_stop(producer->sender.watch.tracing, clock_deadline_ms(GRACE_MS));
        client_manager_leave(instance, &producer->role, clock_deadline_ms(GRACE_MS));
        log_info(LOG_LIFECYCLE, "the producer [%s] shutdown OK", producer->options.group);
        lock_take(&producer->lock);
    } else {
        status = abandoned(producer, error);
    }
    producer->busy = false;
    condition_wake_all(&producer->changed);
    return status;
}

static unsigned calls_inside(struct mqc_producer *producer)
{
    return atomic_load_explicit(&producer->gate, memory_order_acquire) & ~PRODUCER_CLOSED;
}

/* No call inside, no callback to come. */
static bool wait_until_idle(struct mqc_producer *producer, int64_t deadline_ms)
{
    bool in_time = true;
    while (calls_inside(producer) > 0 || !list_empty(&producer->sends)) {
        if (!in_time) return false;
        in_time = condition_wait_until(&producer->changed, &producer->lock, deadline_ms);
    }
    return true;
}

static mqc_status abandoned(struct mqc_producer *producer, mqc_error *error)
{
    size_t callbacks = 0;
    LIST_EACH(&producer->sends, item) callbacks++;
    return error_set(error, MQC_TIMEOUT,
                     "%u calls (sends, requests, checks of transactions) have not returned and %zu "
                     "callbacks are to come: shut down again when they have (group %s)",
                     calls_inside(producer), callbacks, producer->options.group);
}
