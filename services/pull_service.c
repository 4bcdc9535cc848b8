/* The pull thread: requests that may go out now wait in a list, delayed ones in a skew heap by due
 * time whose links are in the requests; the thread waits on one condition until the first of the
 * heap is due. Any thread queues (rebalance, I/O, workers); the owner starts and stops. */
#include "services/pull_service.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "services/service.h"

struct pull_service {
    struct service service;
    struct lock lock;             /* guards everything below and the queued requests */
    struct condition changed;     /* something to do sooner than the thread waits for */
    struct link ready;            /* of pull_request.link */
    struct pull_request *delayed; /* the root is due first */
    bool waiting;
    bool stopping;
};

static void run_service(void *arg);
static void interrupt(void *arg);
static void enqueue(struct pull_service *service, struct pull_request *request, int64_t due_ms);
static void discard_all(struct pull_service *service);
static void collect_due(struct pull_service *service, int64_t now_ms) REQUIRES(service->lock);
static struct pull_request *heap_merge(struct pull_request *a, struct pull_request *b);

mqc_status pull_service_new(struct pull_service **out, mqc_error *error)
{
    struct pull_service *service = memory_allocate_zero(1, sizeof *service);
    if (!service) return error_no_memory(error);
    service_init(&service->service, "mqc-pull", run_service, interrupt, service);
    lock_init(&service->lock, LOCK_RANK_QUEUE);
    condition_init(&service->changed);
    list_init(&service->ready);
    *out = service;
    return MQC_OK;
}

mqc_status pull_service_start(struct pull_service *service, mqc_error *error)
{
    return service_start(&service->service, error);
}

void pull_service_stop(struct pull_service *service)
{
    service_stop(&service->service);
    service_join(&service->service);
    discard_all(service);
}

void pull_service_free(struct pull_service *service)
{
    if (!service) return;
    pull_service_stop(service);
    condition_done(&service->changed);
    lock_done(&service->lock);
    service_done(&service->service);
    memory_free(service);
}

void pull_service_execute(struct pull_service *service, struct pull_request *request)
{
    enqueue(service, request, 0);
}

void pull_service_execute_later(struct pull_service *service, struct pull_request *request,
                                int64_t delay_ms)
{
    enqueue(service, request, delay_ms > 0 ? clock_deadline_ms(delay_ms) : 0);
}

/* A due time of 0 is now. */
static void enqueue(struct pull_service *service, struct pull_request *request, int64_t due_ms)
{
    lock_take(&service->lock);
    bool refused = service->stopping;
    if (!refused) {
        bool first = due_ms == 0 || !service->delayed || due_ms < service->delayed->due_ms;
        request->due_ms = due_ms;
        request->left = request->right = NULL;
        if (due_ms == 0)
            list_append(&service->ready, &request->link);
        else
            service->delayed = heap_merge(service->delayed, request);
        if (first && service->waiting) condition_wake_one(&service->changed);
    }
    lock_release(&service->lock);
    if (refused) request->discard(request);
}

static void run_service(void *arg)
{
    struct pull_service *service = arg;
    lock_take(&service->lock);
    while (!service->stopping) {
        if (service->delayed) collect_due(service, clock_now_ms());
        struct link *first = list_take_first(&service->ready);
        if (first) {
            lock_release(&service->lock);
            struct pull_request *request = CONTAINER_OF(first, struct pull_request, link);
            request->pull(request);
            lock_take(&service->lock);
            continue;
        }
        service->waiting = true;
        condition_wait_until(&service->changed, &service->lock,
                             service->delayed ? service->delayed->due_ms : CLOCK_NEVER);
        service->waiting = false;
    }
    lock_release(&service->lock);
}

static void interrupt(void *arg)
{
    struct pull_service *service = arg;
    lock_take(&service->lock);
    service->stopping = true;
    condition_wake_one(&service->changed);
    lock_release(&service->lock);
}

/* After stopping is set, nothing comes in again. */
static void discard_all(struct pull_service *service)
{
    struct link left;
    list_init(&left);
    lock_take(&service->lock);
    collect_due(service, CLOCK_NEVER);
    list_move_all(&left, &service->ready);
    lock_release(&service->lock);
    for (struct link *item; (item = list_take_first(&left));) {
        struct pull_request *request = CONTAINER_OF(item, struct pull_request, link);
        request->discard(request);
    }
}

/* Moves the delayed requests whose time has come behind those that are ready. */
static void collect_due(struct pull_service *service, int64_t now_ms)
{
    while (service->delayed && service->delayed->due_ms <= now_ms) {
        struct pull_request *first = service->delayed;
        service->delayed = heap_merge(first->left, first->right);
        list_append(&service->ready, &first->link);
    }
}

/* Skew heaps: walks down the two right edges, always taking the root that is due first and swapping
 * its children, which keeps the edges short: O(log n) on average over any series of calls. */
static struct pull_request *heap_merge(struct pull_request *a, struct pull_request *b)
{
    struct pull_request *root = NULL;
    struct pull_request **place = &root;
    while (a && b) {
        struct pull_request *first = b->due_ms < a->due_ms ? b : a;
        struct pull_request *other = first == a ? b : a;
        struct pull_request *rest = first->right;
        first->right = first->left;
        *place = first;
        place = &first->left;
        a = rest;
        b = other;
    }
    *place = a ? a : b;
    return root;
}
