/* The steps of starting an instance, one table: walked up by start, and down by shutdown or after a
 * failed start, so that exactly what was started is stopped, in the reverse order. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/client/client_instance_private.h"
#include "lib/client/outgoing.h"
#include "lib/stats/meters.h"

struct step {
    const char *name;
    mqc_status (*up)(struct client_instance *instance, mqc_error *error);
    void (*down)(struct client_instance *instance);
};

static mqc_status name_servers_up(struct client_instance *instance, mqc_error *error);
static mqc_status callbacks_up(struct client_instance *instance, mqc_error *error);
static void callbacks_down(struct client_instance *instance);
static mqc_status remoting_up(struct client_instance *instance, mqc_error *error);
static void remoting_down(struct client_instance *instance);
static mqc_status tasks_up(struct client_instance *instance, mqc_error *error);
static void tasks_down(struct client_instance *instance);
static mqc_status pull_up(struct client_instance *instance, mqc_error *error);
static void pull_down(struct client_instance *instance);
static mqc_status rebalance_up(struct client_instance *instance, mqc_error *error);
static void rebalance_down(struct client_instance *instance);
static mqc_status inner_up(struct client_instance *instance, mqc_error *error);
static void inner_down(struct client_instance *instance);

/* In MQClientInstance.start's order. Callbacks come before what may complete into them. */
static const struct step steps[] = {
    {"name server addresses", name_servers_up, NULL},
    {"callback executor", callbacks_up, callbacks_down},
    {"remoting client", remoting_up, remoting_down},
    {"scheduled tasks", tasks_up, tasks_down},
    {"pull service", pull_up, pull_down},
    {"rebalance service", rebalance_up, rebalance_down},
    {"inner producer", inner_up, inner_down},
};
enum { STEP_COUNT = sizeof steps / sizeof steps[0] };

static void calls_completed(void *arg);
static enum rebalance_result rebalance_all(void *arg);
static void persist_all(void *arg);
static void adjust_all(void *arg);

mqc_status client_steps_make(struct client_instance *instance, mqc_error *error)
{
    const mqc_client_options *options = &instance->options;
    /* Java waits 1 s between two runs: so long two members would consume the same queues after one
     * has joined. */
    static const struct rebalance_timing timing = {20000, 10, 200, 1000};
    struct remoting_options remoting = {
        .connect_timeout_ms = options->connect_timeout_ms,
        .idle_close_ms = options->idle_close_ms,
        .tls = &options->tls,
        .tls_crl_file = options->tls_crl_file,
        .credentials = instance->has_credentials ? &instance->credentials : NULL};
    mqc_status status = remoting_client_new(&remoting, client_requests_handle, instance,
                                            &instance->remoting, error);
    if (status == MQC_OK) {
        outgoing_set_up(options, instance->remoting);
        remoting_client_on_open(instance->remoting, client_heartbeat_opened, instance);
        remoting_client_on_completed(instance->remoting, calls_completed, instance);
        instance->api = (struct client_api){instance->remoting, &instance->name_servers, options};
        status = callback_executor_new(options->callback_threads, &instance->callbacks, error);
    }
    if (status == MQC_OK) status = scheduled_executor_new(&instance->scheduler, error);
    if (status == MQC_OK) status = pull_service_new(&instance->pull_service, error);
    if (status == MQC_OK)
        status =
            rebalance_service_new(&timing, rebalance_all, instance, &instance->rebalance, error);
    return status;
}

mqc_status client_steps_up(struct client_instance *instance, mqc_error *error)
{
    mqc_status status = MQC_OK;
    while (status == MQC_OK && instance->steps_up < STEP_COUNT) {
        status = steps[instance->steps_up].up(instance, error);
        if (status == MQC_OK) instance->steps_up++;
    }
    if (status == MQC_OK) return MQC_OK;
    log_error(LOG_LIFECYCLE, "client instance %s: start failed at step \"%s\"", instance->id,
              steps[instance->steps_up].name);
    instance->stop_deadline_ms = clock_now_ms();
    client_steps_down(instance);
    return status;
}

void client_steps_down(struct client_instance *instance)
{
    while (instance->steps_up > 0) {
        const struct step *step = &steps[--instance->steps_up];
        if (step->down) step->down(instance);
    }
}

/* ---- the steps ---- */

/* (1) No address configured: ask the HTTP endpoint, in this thread. */
static mqc_status name_servers_up(struct client_instance *instance, mqc_error *error)
{
    if (name_servers_count(&instance->name_servers) > 0) return MQC_OK;
    char url[1024];
    name_servers_url(instance->options.name_server_domain, instance->options.unit_name, url,
                     sizeof url);
    return name_servers_fetch(&instance->name_servers, url, instance->options.request_timeout_ms,
                              NULL, error);
}

/* The reading thread: what it has submitted is run now. */
static void calls_completed(void *arg)
{
    struct client_instance *instance = arg;
    callback_executor_call(instance->callbacks);
}

static mqc_status callbacks_up(struct client_instance *instance, mqc_error *error)
{
    return callback_executor_start(instance->callbacks, error);
}

static void callbacks_down(struct client_instance *instance)
{
    callback_executor_stop(instance->callbacks);
}

static mqc_status remoting_up(struct client_instance *instance, mqc_error *error)
{
    return remoting_client_start(instance->remoting, error);
}

static void remoting_down(struct client_instance *instance)
{
    remoting_client_stop(instance->remoting, instance->stop_deadline_ms);
}

static mqc_status tasks_up(struct client_instance *instance, mqc_error *error)
{
    /* Delays and periods of MQClientInstance.startScheduledTask. */
    const struct {
        const char *name;
        bool wanted;
        int64_t delay_ms, period_ms;
        void (*run)(void *arg);
    } tasks[CLIENT_TASKS_MOST] = {
        {"fetch name servers", instance->options.name_servers == NULL, 10000, 120000,
         client_routes_fetch_name_servers},
        {"refresh routes", true, 10, instance->options.route_refresh_ms, client_routes_refresh},
        {"heartbeat", true, 1000, instance->options.heartbeat_ms, client_heartbeat_task},
        /* In Java first after 10 s: a consumer that is killed before has done nothing. */
        {"persist offsets", true, instance->options.persist_offsets_ms,
         instance->options.persist_offsets_ms, persist_all},
        {"adjust consume pools", true, 60000, 60000, adjust_all},
        {"sample statistics", true, RATE_SAMPLE_MS, RATE_SAMPLE_MS, client_stats_sample},
        {"tell statistics", instance->options.stats_listener != NULL,
         instance->options.stats_interval_ms, instance->options.stats_interval_ms,
         client_stats_listen},
    };
    mqc_status status = MQC_OK;
    pending_requests_start(&instance->requests, instance->scheduler);
    for (size_t i = 0; status == MQC_OK && i < CLIENT_TASKS_MOST; i++) {
        if (!tasks[i].wanted) continue;
        status = scheduled_executor_add(instance->scheduler, tasks[i].name, tasks[i].delay_ms,
                                        tasks[i].period_ms, tasks[i].run, instance,
                                        &instance->tasks[instance->task_count], error);
        if (status == MQC_OK) instance->task_count++;
    }
    if (status == MQC_OK) status = scheduled_executor_start(instance->scheduler, error);
    if (status != MQC_OK) tasks_down(instance);
    return status;
}

static void tasks_down(struct client_instance *instance)
{
    scheduled_executor_stop(instance->scheduler);
    pending_requests_stop(&instance->requests);
    while (instance->task_count > 0) {
        scheduled_task_cancel(instance->tasks[--instance->task_count]);
        instance->tasks[instance->task_count] = NULL;
    }
}

static mqc_status pull_up(struct client_instance *instance, mqc_error *error)
{
    return pull_service_start(instance->pull_service, error);
}

static void pull_down(struct client_instance *instance)
{
    pull_service_stop(instance->pull_service);
}

static mqc_status rebalance_up(struct client_instance *instance, mqc_error *error)
{
    return rebalance_service_start(instance->rebalance, error);
}

static void rebalance_down(struct client_instance *instance)
{
    rebalance_service_stop(instance->rebalance);
}

/* (6) The producer that sends messages back for retry; it uses this instance and never starts it.
 */
static mqc_status inner_up(struct client_instance *instance, mqc_error *error)
{
    return instance->inner_type->start(instance, &instance->inner_producer, error);
}

static void inner_down(struct client_instance *instance)
{
    instance->inner_type->stop(instance->inner_producer);
    instance->inner_producer = NULL;
}

/* ---- what the services call ---- */

static void rebalance_one(struct client_role *role, void *arg)
{
    enum rebalance_result *worst = arg;
    enum rebalance_result result =
        role->type->rebalance ? role->type->rebalance(role) : REBALANCE_NOTHING;
    if (result > *worst) *worst = result;
}

static enum rebalance_result rebalance_all(void *arg)
{
    enum rebalance_result worst = REBALANCE_NOTHING;
    struct client_instance *instance = arg;
    if (atomic_exchange(&instance->regrouped, false)) client_routes_refresh(instance);
    client_roles_each(instance, CLIENT_ROLE_CONSUMER, rebalance_one, &worst);
    return worst;
}

static void persist_one(struct client_role *role, void *arg)
{
    (void)arg;
    if (role->type->persist_offsets) role->type->persist_offsets(role);
}

static void persist_all(void *arg)
{
    client_roles_each(arg, CLIENT_ROLE_CONSUMER, persist_one, NULL);
}

static void adjust_one(struct client_role *role, void *arg)
{
    (void)arg;
    if (role->type->adjust_workers) role->type->adjust_workers(role);
}

static void adjust_all(void *arg)
{
    client_roles_each(arg, CLIENT_ROLE_CONSUMER, adjust_one, NULL);
}
