/* Offsets in memory and at the brokers. Workers raise them; the scheduled executor, the rebalance
 * service, callback threads and shutdown bring them to the master of the queue's broker; answers
 * come on the thread that reads. */
#include "lib/consumer/offset_store.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"

enum { UPDATE_MS = 5000 };

struct offset_record {
    struct reference references; /* the queue, and the update under way */
    struct client_instance *instance;
    struct offset_place place;  /* names live as long as the instance */
    struct lock lock;           /* guards everything below */
    struct condition came_back; /* under_way is -1 */
    int64_t offset;             /* to commit; -1: not known yet */
    int64_t confirmed;          /* what the broker is known to have; -1: nothing, or unknown */
    int64_t under_way;          /* what it is being told; -1: nothing */
    bool again;                 /* to be told what is new when it has answered */
    bool frozen;                /* nothing changes any more */
};

static int64_t begin_update(struct offset_record *record) REQUIRES(record->lock);
static void tell(struct offset_record *record, int64_t offset);
static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg);
static int64_t end_update(struct offset_record *record, bool done);
static void say(const struct offset_record *record, int64_t offset, const char *what);

mqc_status offset_record_new(struct client_instance *instance, const struct offset_place *place,
                             int64_t stored, struct offset_record **out, mqc_error *error)
{
    struct intern *names = client_instance_names(instance);
    struct offset_place kept = {
        intern_name(names, slice_text(place->group)), intern_name(names, slice_text(place->topic)),
        intern_name(names, slice_text(place->broker_name)), place->queue_id};
    bool has_names = kept.group && kept.topic && kept.broker_name;
    struct offset_record *record = has_names ? memory_allocate_zero(1, sizeof *record) : NULL;
    if (!record) return error_no_memory(error);
    reference_init(&record->references);
    lock_init(&record->lock, LOCK_RANK_OFFSETS);
    condition_init(&record->came_back);
    record->instance = instance;
    record->place = kept;
    record->offset = record->confirmed = stored;
    record->under_way = -1;
    *out = record;
    return MQC_OK;
}

void offset_record_unref(struct offset_record *record)
{
    if (!record || !reference_drop(&record->references)) return;
    condition_done(&record->came_back);
    lock_done(&record->lock);
    memory_free(record);
}

int64_t offset_record_read(struct offset_record *record)
{
    lock_take(&record->lock);
    int64_t offset = record->offset;
    lock_release(&record->lock);
    return offset;
}

void offset_record_raise(struct offset_record *record, int64_t offset)
{
    lock_take(&record->lock);
    if (!record->frozen && offset > record->offset) record->offset = offset;
    lock_release(&record->lock);
}

void offset_record_freeze(struct offset_record *record)
{
    lock_take(&record->lock);
    record->frozen = true;
    lock_release(&record->lock);
}

void offset_record_freeze_at(struct offset_record *record, int64_t offset)
{
    lock_take(&record->lock);
    record->frozen = true;
    record->offset = offset;
    lock_release(&record->lock);
}

/* ---- the broker's copy ---- */

void offset_record_persist(struct offset_record *record)
{
    int64_t offset = -1;
    lock_take(&record->lock);
    if (record->under_way >= 0)
        record->again = true;
    else
        offset = begin_update(record);
    lock_release(&record->lock);
    if (offset >= 0) tell(record, offset);
}

mqc_status offset_record_commit(struct offset_record *record, int64_t deadline_ms, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    bool in_time = true;
    lock_take(&record->lock);
    while (record->under_way >= 0 && in_time)
        in_time = condition_wait_until(&record->came_back, &record->lock, deadline_ms);
    bool busy = record->under_way >= 0;
    if (busy) record->again = true; /* should the answer still come */
    int64_t offset = busy ? -1 : begin_update(record);
    lock_release(&record->lock);
    if (busy)
        return error_set(error, MQC_TIMEOUT,
                         "broker %s has not answered the update of the offset before this one",
                         record->place.broker_name);
    if (offset < 0) return MQC_OK;
    mqc_status status =
        client_instance_master(record->instance, record->place.topic, record->place.broker_name,
                               deadline_ms, address, error);
    if (status == MQC_OK)
        status = client_api_update_offset_sync(client_instance_api(record->instance), address,
                                               &record->place, offset, deadline_ms, error);
    int64_t next = end_update(record, status == MQC_OK);
    if (next >= 0) tell(record, next);
    return status;
}

/* What to tell the broker, to be ended with end_update; -1 when it has everything. */
static int64_t begin_update(struct offset_record *record)
{
    record->again = false;
    if (record->offset == record->confirmed || record->offset < 0) return -1;
    return record->under_way = record->offset;
}

/* Without waiting. UPDATE_CONSUMER_OFFSET (15); Java sends it oneway. */
static void tell(struct offset_record *record, int64_t offset)
{
    char address[ADDRESS_TEXT_BYTES];
    mqc_error error;
    struct client_instance *instance = record->instance;
    while (offset >= 0) {
        mqc_status status =
            error_set(&error, MQC_NO_ROUTE, "broker %s has no master", record->place.broker_name);
        reference_take(&record->references);
        if (route_table_master(client_instance_routes(instance), record->place.broker_name,
                               address))
            status = client_api_update_offset_async(
                client_instance_api(instance), address, &record->place, offset,
                clock_deadline_ms(UPDATE_MS), answered, record, &error);
        if (status == MQC_OK) return;
        say(record, offset, error.text);
        offset = end_update(record, false);
        offset_record_unref(record);
    }
}

static void answered(struct remoting_arrival *arrival, const mqc_error *error, void *arg)
{
    struct offset_record *record = arg;
    mqc_error refused;
    bool done = arrival && arrival->command->code == RESPONSE_SUCCESS;
    if (arrival && !done) {
        client_api_refused(arrival->command, remoting_connection_address(arrival->connection),
                           "UPDATE_CONSUMER_OFFSET", &refused);
        error = &refused;
    }
    if (error && error->status != MQC_CANCELLED) say(record, record->under_way, error->text);
    int64_t next = end_update(record, done);
    if (next >= 0) tell(record, next);
    offset_record_unref(record);
}

/* What is to be told next; -1: nothing now. Of an update that failed it is not known whether it was
 * done: the offset is told anew, whatever the broker had before. */
static int64_t end_update(struct offset_record *record, bool done)
{
    lock_take(&record->lock);
    record->confirmed = done ? record->under_way : -1;
    record->under_way = -1;
    int64_t next = record->again ? begin_update(record) : -1;
    if (next < 0) condition_wake_all(&record->came_back);
    lock_release(&record->lock);
    return next;
}

static void say(const struct offset_record *record, int64_t offset, const char *what)
{
    log_warn(LOG_OFFSETS, "group=%s topic=%s broker=%s queue=%d offset=%lld not stored now: %s",
             record->place.group, record->place.topic, record->place.broker_name,
             record->place.queue_id, (long long)offset, what);
}

mqc_status offset_store_query(struct client_instance *instance, const struct offset_place *place,
                              int64_t deadline_ms, int64_t *offset, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    mqc_status status = client_instance_master(instance, place->topic, place->broker_name,
                                               deadline_ms, address, error);
    bool is_slave;
    /* Without a master, its slaves know the offsets as of a few seconds ago. */
    if (status != MQC_OK && route_table_readable(client_instance_routes(instance),
                                                 place->broker_name, 0, address, &is_slave))
        status = MQC_OK;
    if (status != MQC_OK) return status;
    return client_api_query_offset(client_instance_api(instance), address, place, deadline_ms,
                                   offset, error);
}
