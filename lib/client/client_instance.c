/* The instance's life: see client_instance.h. Starting walks one table of steps up, shutting down
 * (or undoing a failed start) walks it down again, so that exactly what was started is stopped. No
 * lock is held while a step runs; callers that come meanwhile wait for the state to change. */
#include "lib/client/client_instance_private.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"

static mqc_status own_options(struct client_instance *instance, const mqc_client_options *filled,
                              mqc_error *error);
static const char **owned_texts(struct client_instance *instance, size_t index);

static const char *const state_names[] = {"CREATE_JUST", "START_FAILED", "RUNNING",
                                          "SHUTDOWN_ALREADY"};

const char *client_state_name(enum client_state state)
{
    return state_names[state];
}

mqc_status client_instance_new(const mqc_client_options *filled, const char *client_id,
                               const struct inner_producer_type *inner,
                               struct client_instance **out, mqc_error *error)
{
    struct client_instance *instance = memory_allocate_zero(1, sizeof *instance);
    if (!instance) return error_no_memory(error);
    instance->inner_type = inner;
    instance->state = CLIENT_CREATE_JUST;
    lock_init(&instance->lock, LOCK_RANK_INSTANCE);
    condition_init(&instance->changed);
    list_init(&instance->roles);
    intern_init(&instance->names);
    name_servers_init(&instance->name_servers);
    route_table_init(&instance->routes, &instance->names);
    pending_requests_init(&instance->requests);
    instance->id = memory_duplicate(client_id);
    mqc_status status =
        instance->id ? own_options(instance, filled, error) : error_no_memory(error);
    if (status == MQC_OK && instance->options.name_servers)
        status =
            name_servers_set(&instance->name_servers, instance->options.name_servers, NULL, error);
    if (status == MQC_OK) status = client_steps_make(instance, error);
    if (status == MQC_OK)
        *out = instance;
    else
        client_instance_free(instance);
    return status;
}

mqc_status client_instance_start(struct client_instance *instance, mqc_error *error)
{
    lock_take(&instance->lock);
    while (instance->starting)
        condition_wait_until(&instance->changed, &instance->lock, CLOCK_NEVER);
    enum client_state state = instance->state;
    if (state == CLIENT_CREATE_JUST) {
        instance->state = CLIENT_START_FAILED; /* until every step is up */
        instance->starting = true;
    }
    lock_release(&instance->lock);
    if (state == CLIENT_RUNNING) return MQC_OK;
    if (state == CLIENT_START_FAILED)
        return error_set(error, MQC_WRONG_STATE,
                         "The Factory object[%s] has been created before, and failed.",
                         instance->id);
    if (state == CLIENT_SHUTDOWN_ALREADY)
        return error_set(error, MQC_WRONG_STATE, "client instance %s has been shut down",
                         instance->id);

    mqc_status status = client_steps_up(instance, error);
    lock_take(&instance->lock);
    if (status == MQC_OK) instance->state = CLIENT_RUNNING;
    instance->starting = false;
    condition_wake_all(&instance->changed);
    lock_release(&instance->lock);
    if (status == MQC_OK) log_info(LOG_LIFECYCLE, "client instance %s: RUNNING", instance->id);
    return status;
}

void client_instance_shutdown(struct client_instance *instance, int64_t deadline_ms)
{
    lock_take(&instance->lock);
    while (instance->starting)
        condition_wait_until(&instance->changed, &instance->lock, CLOCK_NEVER);
    bool running = instance->state == CLIENT_RUNNING;
    if (running) {
        instance->state = CLIENT_SHUTDOWN_ALREADY;
        instance->starting = true; /* a step changes again: others wait */
    }
    lock_release(&instance->lock);
    if (!running) return;
    instance->stop_deadline_ms = deadline_ms;
    /* The services below are joined, whatever they wait for. */
    remoting_client_end_calls(instance->remoting, deadline_ms);
    client_steps_down(instance);
    lock_take(&instance->lock);
    instance->starting = false;
    condition_wake_all(&instance->changed);
    lock_release(&instance->lock);
    log_info(LOG_LIFECYCLE, "client instance %s: SHUTDOWN_ALREADY", instance->id);
}

void client_instance_free(struct client_instance *instance)
{
    if (!instance) return;
    rebalance_service_free(instance->rebalance);
    pull_service_free(instance->pull_service);
    scheduled_executor_free(instance->scheduler);
    remoting_client_free(instance->remoting);
    callback_executor_free(instance->callbacks);
    pending_requests_done(&instance->requests);
    route_table_done(&instance->routes);
    name_servers_done(&instance->name_servers);
    intern_done(&instance->names);
    condition_done(&instance->changed);
    lock_done(&instance->lock);
    const char **text; /* keys and passwords among them */
    for (size_t i = 0; (text = owned_texts(instance, i)); i++)
        memory_free_secret((char *)(uintptr_t)*text);
    memory_free(instance->id);
    memory_free(instance);
}

enum client_state client_instance_state(struct client_instance *instance)
{
    lock_take(&instance->lock);
    enum client_state state = instance->state;
    lock_release(&instance->lock);
    return state;
}

const char *client_instance_id(const struct client_instance *instance)
{
    return instance->id;
}

struct client_api *client_instance_api(struct client_instance *instance)
{
    return &instance->api;
}

struct remoting_client *client_instance_remoting(struct client_instance *instance)
{
    return instance->remoting;
}

struct route_table *client_instance_routes(struct client_instance *instance)
{
    return &instance->routes;
}

struct intern *client_instance_names(struct client_instance *instance)
{
    return &instance->names;
}

struct scheduled_executor *client_instance_scheduler(struct client_instance *instance)
{
    return instance->scheduler;
}

struct pull_service *client_instance_pull_service(struct client_instance *instance)
{
    return instance->pull_service;
}

struct callback_executor *client_instance_callbacks(struct client_instance *instance)
{
    return instance->callbacks;
}

struct pending_requests *client_instance_requests(struct client_instance *instance)
{
    return &instance->requests;
}

const mqc_client_options *client_instance_options(const struct client_instance *instance)
{
    return &instance->options;
}

void *client_instance_inner_producer(struct client_instance *instance)
{
    return instance->inner_producer;
}

int64_t client_instance_request_deadline(const struct client_instance *instance)
{
    return clock_deadline_ms(instance->options.request_timeout_ms);
}

void client_instance_wake_rebalance(struct client_instance *instance)
{
    rebalance_service_wake(instance->rebalance);
}

void client_instance_regroup(struct client_instance *instance)
{
    atomic_store(&instance->regrouped, true);
    rebalance_service_wake(instance->rebalance);
}

static mqc_status own_options(struct client_instance *instance, const mqc_client_options *filled,
                              mqc_error *error)
{
    instance->options = *filled;
    bool done = true;
    const char **text;
    for (size_t i = 0; (text = owned_texts(instance, i)); i++) {
        const char *borrowed = *text;
        *text = memory_duplicate(borrowed);
        done = done && (*text || !borrowed);
    }
    if (!done) return error_no_memory(error);
    instance->has_credentials = instance->options.access_key != NULL;
    instance->credentials = (struct credentials){slice_text(instance->options.access_key),
                                                 slice_text(instance->options.secret_key),
                                                 slice_text(instance->options.security_token)};
    return MQC_OK;
}

/* Every text in the options, by index; NULL behind the last. */
static const char **owned_texts(struct client_instance *instance, size_t index)
{
    mqc_client_options *o = &instance->options;
    const char **texts[] = {
        &o->name_servers,    &o->name_server_domain,   &o->instance_name, &o->unit_name,
        &o->client_ip,       &o->access_key,           &o->secret_key,    &o->security_token,
        &o->tls.ca_file,     &o->tls.certificate_file, &o->tls.key_file,  &o->tls.key_password,
        &o->tls.server_name, &o->address_map,          &o->trace_topic,   &o->name_space,
        &o->name_space_v2,   &o->tls_crl_file};
    return index < sizeof texts / sizeof texts[0] ? texts[index] : NULL;
}
