/* The figures of an instance: of its connections, and of all its roles for who listens to them. The
 * scheduled executor says when, a callback thread tells the application. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/client/client_instance_private.h"
#include "lib/stats/snapshot.h"

static void tell_listener(struct callback_task *task);

struct telling {
    struct mqc_stats *out;
    const char *client;
};

static void tell_peer(const char *address, const struct remoting_traffic *traffic, void *arg)
{
    const struct telling *telling = arg;
    const struct stat_labels labels = {
        .client = telling->client, .broker = address, .queue_id = -1};
    const struct {
        enum statistic id;
        uint64_t value;
    } figures[] = {
        {STATISTIC_CONNECTIONS, traffic->connections},
        {STATISTIC_CONNECTIONS_OPENED, traffic->opened},
        {STATISTIC_RECONNECTS, traffic->opened > 0 ? traffic->opened - 1 : 0},
        {STATISTIC_CONNECTION_FAILURES, traffic->failures},
        {STATISTIC_REQUESTS, traffic->requests},
        {STATISTIC_REQUEST_TIMEOUTS, traffic->timeouts},
        {STATISTIC_REQUESTS_IN_FLIGHT, traffic->in_flight},
        {STATISTIC_WRITTEN_BYTES, traffic->written_bytes},
        {STATISTIC_READ_BYTES, traffic->read_bytes},
        {STATISTIC_UNWRITTEN_BYTES, traffic->unwritten_bytes},
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        snapshot_put(telling->out, figures[i].id, &labels, (int64_t)figures[i].value, 0);
}

void client_instance_tell_stats(struct client_instance *instance, struct mqc_stats *out)
{
    struct telling telling = {out, instance->id};
    remoting_client_each_peer(instance->remoting, tell_peer, &telling);
}

/* ---- what is due ---- */

static void sample_one(struct client_role *role, void *arg)
{
    if (role->type->sample_stats) role->type->sample_stats(role, *(const int64_t *)arg);
}

void client_stats_sample(void *arg)
{
    int64_t now_ms = clock_now_ms();
    client_roles_each(arg, CLIENT_ROLE_PRODUCER, sample_one, &now_ms);
    client_roles_each(arg, CLIENT_ROLE_CONSUMER, sample_one, &now_ms);
}

/* One that still listens to the last figures is not given the next. */
void client_stats_listen(void *arg)
{
    struct client_instance *instance = arg;
    if (atomic_exchange(&instance->stats_busy, true)) return;
    instance->stats_task.run = tell_listener;
    callback_executor_submit(instance->callbacks, &instance->stats_task);
}

static void tell_one(struct client_role *role, void *arg)
{
    if (role->type->tell_stats) role->type->tell_stats(role, arg);
}

/* Callback thread. */
static void tell_listener(struct callback_task *task)
{
    struct client_instance *instance = CONTAINER_OF(task, struct client_instance, stats_task);
    mqc_error error;
    struct mqc_stats *stats = snapshot_new(&error);
    if (stats) {
        client_instance_tell_stats(instance, stats);
        client_roles_each(instance, CLIENT_ROLE_PRODUCER, tell_one, stats);
        client_roles_each(instance, CLIENT_ROLE_CONSUMER, tell_one, stats);
        stats = snapshot_finish(stats, &error);
    }
    const char *json = stats ? mqc_stats_json(stats, &error) : NULL;
    if (json)
        instance->options.stats_listener(json, stats, instance->options.stats_listener_arg);
    else
        log_warn(LOG_LIFECYCLE, "client %s: statistics are left out: %s", instance->id, error.text);
    mqc_stats_free(stats);
    atomic_store(&instance->stats_busy, false);
}
