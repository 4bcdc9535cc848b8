/* The table of pending requests: see pending_requests.h. Deadlines are looked at by a task of the
 * scheduled executor that is there only while it has something to look at. */
#include "lib/client/pending_requests.h"

#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/process.h"

enum { SWEEP_MS = 50 };

static mqc_status begin_sweep(struct pending_requests *table, mqc_error *error)
    REQUIRES(table->lock);
static void sweep(void *arg);
static void take_out(struct pending_requests *table, struct pending_request *request)
    REQUIRES(table->lock);
static void fail_all(struct link *requests, const mqc_error *error);
static void make_id(char out[CORRELATION_ID_BYTES]);

void pending_requests_init(struct pending_requests *table)
{
    lock_init(&table->lock, LOCK_RANK_REQUESTS);
    map_init(&table->by_id);
    list_init(&table->all);
    table->scheduler = NULL;
    table->sweep = NULL;
    table->late = 0;
}

void pending_requests_done(struct pending_requests *table)
{
    map_done(&table->by_id);
    lock_done(&table->lock);
}

void pending_requests_start(struct pending_requests *table, struct scheduled_executor *scheduler)
{
    lock_take(&table->lock);
    table->scheduler = scheduler;
    lock_release(&table->lock);
}

void pending_requests_stop(struct pending_requests *table)
{
    lock_take(&table->lock);
    struct scheduled_task *task = table->sweep;
    table->sweep = NULL;
    lock_release(&table->lock);
    scheduled_task_cancel(task);
}

mqc_status pending_requests_add(struct pending_requests *table, struct pending_request *request,
                                mqc_error *error)
{
    mqc_status status = MQC_OK;
    make_id(request->correlation_id);
    lock_take(&table->lock);
    if (request->deadline_ms != CLOCK_NEVER && !table->sweep) status = begin_sweep(table, error);
    if (status == MQC_OK &&
        !map_put(&table->by_id, slice_text(request->correlation_id), request, NULL))
        status = error_no_memory(error);
    if (status == MQC_OK) list_append(&table->all, &request->link);
    lock_release(&table->lock);
    return status;
}

bool pending_requests_remove(struct pending_requests *table, struct pending_request *request)
{
    lock_take(&table->lock);
    bool mine = map_get(&table->by_id, slice_text(request->correlation_id)) == request;
    if (mine) take_out(table, request);
    lock_release(&table->lock);
    return mine;
}

struct pending_request *pending_requests_take(struct pending_requests *table,
                                              struct slice correlation_id, int64_t *late)
{
    lock_take(&table->lock);
    struct pending_request *request = map_get(&table->by_id, correlation_id);
    if (request)
        take_out(table, request);
    else
        table->late++;
    *late = table->late;
    lock_release(&table->lock);
    return request;
}

void pending_requests_cancel(struct pending_requests *table, const void *owner,
                             const mqc_error *error)
{
    struct link cancelled;
    list_init(&cancelled);
    lock_take(&table->lock);
    LIST_EACH_SAFE(&table->all, item)
    {
        struct pending_request *request = CONTAINER_OF(item, struct pending_request, link);
        if (request->owner != owner) continue;
        take_out(table, request);
        list_append(&cancelled, &request->link);
    }
    lock_release(&table->lock);
    fail_all(&cancelled, error);
}

static mqc_status begin_sweep(struct pending_requests *table, mqc_error *error)
{
    return scheduled_executor_add(table->scheduler, "time out requests", SWEEP_MS, SWEEP_MS, sweep,
                                  table, &table->sweep, error);
}

/* Fails what is over its time, and ends itself when nothing is left to wait for. */
static void sweep(void *arg)
{
    struct pending_requests *table = arg;
    struct scheduled_task *needless = NULL;
    struct link expired;
    list_init(&expired);
    int64_t now = clock_now_ms();
    bool wanted = false;
    lock_take(&table->lock);
    LIST_EACH_SAFE(&table->all, item)
    {
        struct pending_request *request = CONTAINER_OF(item, struct pending_request, link);
        if (request->deadline_ms > now) {
            wanted = wanted || request->deadline_ms != CLOCK_NEVER;
            continue;
        }
        take_out(table, request);
        list_append(&expired, &request->link);
    }
    if (!wanted) {
        needless = table->sweep;
        table->sweep = NULL;
    }
    lock_release(&table->lock);
    mqc_error error;
    error_set(&error, MQC_NO_REPLY, "the request was sent, but no reply came in time");
    error_mark_retryable(&error);
    error_mark_maybe_done(&error);
    fail_all(&expired, &error);
    scheduled_task_cancel(needless);
}

static void take_out(struct pending_requests *table, struct pending_request *request)
{
    map_remove(&table->by_id, slice_text(request->correlation_id));
    list_remove(&request->link);
}

static void fail_all(struct link *requests, const mqc_error *error)
{
    for (struct link *link; (link = list_take_first(requests));) {
        struct pending_request *request = CONTAINER_OF(link, struct pending_request, link);
        request->done(request, NULL, error);
    }
}

/* A random UUID (version 4), as CorrelationIdUtil makes them. */
static void make_id(char out[CORRELATION_ID_BYTES])
{
    uint64_t high = random_u64(), low = random_u64();
    snprintf(out, CORRELATION_ID_BYTES, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
             (unsigned)(low >> 48 & 0x3fff) | 0x8000, (unsigned long long)(low & 0xffffffffffff));
}
