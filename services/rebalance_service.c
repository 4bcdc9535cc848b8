/* The rebalance thread: decides when the queues are divided, not how. Its owner starts and stops
 * it; any thread wakes it (I/O thread on a broker's notice, callers on a new subscription). */
#include "services/rebalance_service.h"

#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "services/service.h"

struct rebalance_service {
    struct service service;
    struct rebalance_timing timing;
    enum rebalance_result (*rebalance)(void *arg);
    void *arg;
    atomic_bool wanted; /* woken since the last run began */
};

static void run_service(void *arg);
static int64_t gap_after(const struct rebalance_timing *timing, int64_t gap_ms, int64_t quiet_ms);
static bool wait_for_run(struct rebalance_service *service, int64_t earliest_ms, int64_t latest_ms);

mqc_status rebalance_service_new(const struct rebalance_timing *timing,
                                 enum rebalance_result (*rebalance)(void *arg), void *arg,
                                 struct rebalance_service **out, mqc_error *error)
{
    if (timing->wait_ms <= 0 || timing->minimum_ms < 0 || timing->crowded_ms < timing->minimum_ms ||
        timing->unbalanced_ms <= 0)
        return error_set(error, MQC_BAD_ARGUMENT,
                         "rebalance times of %d, %d to %d, and %d ms: they must be above 0",
                         timing->wait_ms, timing->minimum_ms, timing->crowded_ms,
                         timing->unbalanced_ms);
    struct rebalance_service *service = memory_allocate_zero(1, sizeof *service);
    if (!service) return error_no_memory(error);
    service_init(&service->service, "mqc-rebalance", run_service, NULL, service);
    service->timing = *timing;
    service->rebalance = rebalance;
    service->arg = arg;
    atomic_init(&service->wanted, false);
    *out = service;
    return MQC_OK;
}

mqc_status rebalance_service_start(struct rebalance_service *service, mqc_error *error)
{
    return service_start(&service->service, error);
}

void rebalance_service_stop(struct rebalance_service *service)
{
    service_stop(&service->service);
    service_join(&service->service);
}

void rebalance_service_free(struct rebalance_service *service)
{
    if (!service) return;
    rebalance_service_stop(service);
    service_done(&service->service);
    memory_free(service);
}

void rebalance_service_wake(struct rebalance_service *service)
{
    atomic_store(&service->wanted, true);
    service_wake(&service->service);
}

static void run_service(void *arg)
{
    struct rebalance_service *service = arg;
    int64_t earliest_ms = 0, ended_ms = 0, gap_ms = 0;
    int64_t latest_ms = clock_deadline_ms(service->timing.wait_ms);
    while (wait_for_run(service, earliest_ms, latest_ms)) {
        atomic_store(&service->wanted, false); /* before the run: what comes during it counts */
        int64_t quiet_ms = clock_now_ms() - ended_ms;
        enum rebalance_result result = service->rebalance(service->arg);
        if (result != REBALANCE_NOTHING) {
            gap_ms = gap_after(&service->timing, gap_ms, quiet_ms);
            ended_ms = clock_now_ms();
            earliest_ms = ended_ms + gap_ms;
        }
        latest_ms = clock_deadline_ms(result == REBALANCE_UNBALANCED ? service->timing.unbalanced_ms
                                                                     : service->timing.wait_ms);
    }
}

static int64_t gap_after(const struct rebalance_timing *timing, int64_t gap_ms, int64_t quiet_ms)
{
    int64_t gap = quiet_ms > timing->crowded_ms ? timing->minimum_ms : 2 * gap_ms;
    return gap < timing->crowded_ms ? gap : timing->crowded_ms;
}

/* Until woken or the latest time, but not before the earliest; false when it should stop. */
static bool wait_for_run(struct rebalance_service *service, int64_t earliest_ms, int64_t latest_ms)
{
    while (!atomic_load(&service->wanted) && clock_now_ms() < latest_ms)
        if (!service_wait(&service->service, latest_ms)) return false;
    while (clock_now_ms() < earliest_ms)
        if (!service_wait(&service->service, earliest_ms)) return false;
    return !service_stopping(&service->service);
}
