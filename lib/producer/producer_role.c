/* How the instance sees a producer, and what that tells of itself. Any thread. */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/process.h"
#include "lib/producer/producer_private.h"

static void tell_stats(struct client_role *role, struct mqc_stats *out);
static void sample_stats(struct client_role *role, int64_t now_ms);

const struct client_role_type PRODUCER_ROLE = {.kind = CLIENT_ROLE_PRODUCER,
                                               .check_transaction = transaction_check_take,
                                               .tell_stats = tell_stats,
                                               .sample_stats = sample_stats};

mqc_stats *mqc_producer_stats(mqc_producer *producer, mqc_error *error)
{
    struct mqc_stats *stats = NULL;
    if (!producer)
        error_set(error, MQC_BAD_ARGUMENT, "the producer is NULL");
    else if (producer->fork_generation != process_fork_generation())
        error_set(error, MQC_WRONG_STATE, "the producer belongs to the parent process");
    else
        stats = snapshot_new(error);
    if (!stats) return NULL;
    bool running = producer_enter(producer, NULL) == MQC_OK;
    if (running) client_instance_tell_stats(producer->sender.instance, stats);
    tell_stats(&producer->role, stats);
    if (running) producer_leave(producer);
    return snapshot_finish(stats, error);
}

static void tell_stats(struct client_role *role, struct mqc_stats *out)
{
    struct mqc_producer *producer = CONTAINER_OF(role, struct mqc_producer, role);
    uint64_t used = atomic_load(&producer->window.used);
    lock_take(&producer->lock);
    struct client_instance *instance = producer->sender.instance;
    const struct stat_labels labels = {.client = instance ? client_instance_id(instance) : "",
                                       .group = producer->options.group,
                                       .queue_id = -1};
    meters_tell(&producer->meters, labels, clock_now_ms(), out);
    snapshot_put(out, STATISTIC_SENDS_IN_FLIGHT, &labels, (int64_t)(used >> SEND_WINDOW_BYTE_BITS),
                 0);
    snapshot_put(out, STATISTIC_SENDS_IN_FLIGHT_BYTES, &labels,
                 (int64_t)(used & (((uint64_t)1 << SEND_WINDOW_BYTE_BITS) - 1)), 0);
    lock_release(&producer->lock);
}

static void sample_stats(struct client_role *role, int64_t now_ms)
{
    meters_sample(&CONTAINER_OF(role, struct mqc_producer, role)->meters, now_ms);
}
