/* Offsets in memory. Workers raise them; the scheduled executor, the rebalance service, callback
 * threads and shutdown bring them to the store; its answers come on any thread. */
#include "lib/consumer/offset_record.h"

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"

struct offset_record {
    struct reference references; /* the queue, and the update under way */
    struct offset_store *store;  /* counted */
    struct offset_place place;   /* names live as long as the store */
    struct lock lock;            /* guards everything below */
    struct condition came_back;  /* under_way is -1 */
    int64_t offset;              /* to commit; -1: not known yet */
    int64_t confirmed;           /* what the store is known to have; -1: nothing, or unknown */
    uint64_t news;               /* the store's, when that was told */
    int64_t under_way;           /* what it is being given; -1: nothing */
    bool first;                  /* what is told next may be lost: see end_update */
    bool repeat;                 /* it was, and is to be told again */
    bool again;                  /* to be told what is new when it has answered */
    bool frozen;                 /* nothing changes any more */
    bool abandoned;              /* … and nothing is to be told */
};

static uint64_t read_news(struct offset_record *record);
static int64_t begin_update(struct offset_record *record, uint64_t news) REQUIRES(record->lock);
static void update(struct offset_record *record, int64_t offset);
static int64_t end_update(struct offset_record *record, bool done);
static void say(const struct offset_record *record, int64_t offset, const char *what);

mqc_status offset_record_new(struct offset_store *store, const struct offset_place *place,
                             int64_t stored, struct offset_record **out, mqc_error *error)
{
    struct intern *names = &store->names;
    struct offset_place kept = {
        intern_name(names, slice_text(place->group)), intern_name(names, slice_text(place->topic)),
        intern_name(names, slice_text(place->broker_name)), place->queue_id};
    bool has_names = kept.group && kept.topic && kept.broker_name;
    struct offset_record *record = has_names ? memory_allocate_zero(1, sizeof *record) : NULL;
    if (!record) return error_no_memory(error);
    reference_init(&record->references);
    lock_init(&record->lock, LOCK_RANK_OFFSETS);
    condition_init(&record->came_back);
    offset_store_ref(store);
    record->store = store;
    record->place = kept;
    record->offset = record->confirmed = stored;
    record->under_way = -1;
    record->first = store->type->may_lose_first && stored <= 0;
    record->news = read_news(record);
    *out = record;
    return MQC_OK;
}

void offset_record_ref(struct offset_record *record)
{
    reference_take(&record->references);
}

void offset_record_unref(struct offset_record *record)
{
    if (!record || !reference_drop(&record->references)) return;
    condition_done(&record->came_back);
    lock_done(&record->lock);
    offset_store_unref(record->store);
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

void offset_record_set(struct offset_record *record, int64_t offset)
{
    lock_take(&record->lock);
    if (!record->frozen) record->offset = offset;
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

void offset_record_abandon(struct offset_record *record)
{
    lock_take(&record->lock);
    record->frozen = record->abandoned = true;
    lock_release(&record->lock);
}

/* ---- the store's copy ---- */

void offset_record_persist(struct offset_record *record)
{
    int64_t offset = -1;
    uint64_t news = read_news(record);
    lock_take(&record->lock);
    if (record->under_way >= 0)
        record->again = true;
    else
        offset = begin_update(record, news);
    lock_release(&record->lock);
    if (offset >= 0) update(record, offset);
}

void offset_record_await(struct offset_record *record, int64_t deadline_ms)
{
    bool in_time = true;
    lock_take(&record->lock);
    while (record->under_way >= 0 && in_time)
        in_time = condition_wait_until(&record->came_back, &record->lock, deadline_ms);
    lock_release(&record->lock);
}

mqc_status offset_record_commit(struct offset_record *record, int64_t deadline_ms, mqc_error *error)
{
    bool in_time = true;
    uint64_t news = read_news(record);
    lock_take(&record->lock);
    while (record->under_way >= 0 && in_time)
        in_time = condition_wait_until(&record->came_back, &record->lock, deadline_ms);
    bool busy = record->under_way >= 0;
    if (busy) record->again = true; /* should the answer still come */
    int64_t offset = busy ? -1 : begin_update(record, news);
    lock_release(&record->lock);
    if (busy)
        return error_set(error, MQC_TIMEOUT,
                         "broker %s has not answered the update of the offset before this one",
                         record->place.broker_name);
    if (offset < 0) return MQC_OK;
    mqc_status status =
        record->store->type->update(record->store, &record->place, offset, deadline_ms, error);
    int64_t next = end_update(record, status == MQC_OK);
    if (next >= 0) update(record, next);
    return status;
}

/* Without the lock: stores take others that come before it. */
static uint64_t read_news(struct offset_record *record)
{
    const struct offset_store_type *type = record->store->type;
    return type->news ? type->news(record->store, &record->place) : 0;
}

/* What to give the store, to be ended with end_update; -1 when it has everything. A broker that was
 * killed has forgotten what it was told last, and a slave's word does not reach its master: after
 * such news the same is told again, which Java does every 5 s. */
static int64_t begin_update(struct offset_record *record, uint64_t news)
{
    record->again = false;
    if (record->offset < 0 || record->abandoned) return -1;
    bool known = record->offset == record->confirmed && record->news == news;
    if (known && !record->repeat) return -1;
    record->news = news;
    record->repeat = false;
    return record->under_way = record->offset;
}

/* Without waiting. */
static void update(struct offset_record *record, int64_t offset)
{
    struct offset_store *store = record->store;
    mqc_error error;
    while (offset >= 0) {
        offset_record_ref(record);
        if (store->type->begin_update(store, &record->place, offset, record, &error) == MQC_OK)
            return;
        say(record, offset, error.text);
        offset = end_update(record, false);
        offset_record_unref(record);
    }
}

void offset_record_stored(struct offset_record *record, const mqc_error *error)
{
    if (error && error->status != MQC_CANCELLED) say(record, record->under_way, error->text);
    int64_t next = end_update(record, !error);
    if (next >= 0) update(record, next);
    offset_record_unref(record);
}

/* What is to be stored next; -1: nothing now. Of an update that failed it is not known whether it
 * was done: the offset is stored anew, whatever was there before. But not that of a queue that was
 * given up: who has it by now began at what was stored, and would see it change.
 * Of the first offsets that a group stores of a topic, all at once, a broker may keep only one
 * queue's and answer that all is well (ConsumerOffsetManager.commitOffset: each makes the table of
 * the queues). A queue of which nothing was stored before is therefore told twice; Java tells what
 * it has every 5 s. */
static int64_t end_update(struct offset_record *record, bool done)
{
    uint64_t news = read_news(record);
    lock_take(&record->lock);
    record->confirmed = done ? record->under_way : -1;
    if (done && record->first) {
        record->first = false;
        record->repeat = true;
    }
    record->under_way = -1;
    if (!done && record->frozen) record->again = false;
    int64_t next = record->again ? begin_update(record, news) : -1;
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
