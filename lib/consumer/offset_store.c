/* Offsets in memory and at the brokers. Workers raise them; the scheduled executor, the rebalance
 * service, callback threads and shutdown bring them to the master of the queue's broker. */
#include "lib/consumer/offset_store.h"

#include "lib/base/error.h"
#include "lib/base/log.h"

void offset_record_init(struct offset_record *record, int64_t stored)
{
    *record = (struct offset_record){.offset = stored, .sent = stored, .confirmed = stored};
    lock_init(&record->lock, LOCK_RANK_OFFSETS);
}

void offset_record_done(struct offset_record *record)
{
    lock_done(&record->lock);
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

int64_t offset_record_freeze(struct offset_record *record)
{
    lock_take(&record->lock);
    record->frozen = true;
    int64_t offset = record->offset;
    lock_release(&record->lock);
    return offset;
}

void offset_record_freeze_at(struct offset_record *record, int64_t offset)
{
    lock_take(&record->lock);
    record->frozen = true;
    record->offset = offset;
    lock_release(&record->lock);
}

int64_t offset_record_unsent(struct offset_record *record)
{
    lock_take(&record->lock);
    int64_t offset = record->offset != record->sent ? record->offset : -1;
    lock_release(&record->lock);
    return offset;
}

int64_t offset_record_unconfirmed(struct offset_record *record)
{
    lock_take(&record->lock);
    int64_t offset = record->offset != record->confirmed ? record->offset : -1;
    lock_release(&record->lock);
    return offset;
}

void offset_record_set_sent(struct offset_record *record, int64_t offset)
{
    lock_take(&record->lock);
    record->sent = offset;
    lock_release(&record->lock);
}

void offset_record_set_confirmed(struct offset_record *record, int64_t offset)
{
    lock_take(&record->lock);
    record->sent = record->confirmed = offset;
    lock_release(&record->lock);
}

/* ---- the broker's copy ---- */

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

void offset_store_persist(struct client_instance *instance, const struct offset_place *place,
                          struct offset_record *record)
{
    char address[ADDRESS_TEXT_BYTES];
    mqc_error error = {.text = "its master is not known"};
    int64_t offset = offset_record_unsent(record);
    if (offset < 0) return;
    if (route_table_master(client_instance_routes(instance), place->broker_name, address) &&
        client_api_update_offset(client_instance_api(instance), address, place, offset, &error) ==
            MQC_OK) {
        offset_record_set_sent(record, offset);
        return;
    }
    log_warn(LOG_OFFSETS, "group=%s topic=%s broker=%s queue=%d offset=%lld not stored now: %s",
             place->group, place->topic, place->broker_name, place->queue_id, (long long)offset,
             error.text);
}

mqc_status offset_store_commit(struct client_instance *instance, const struct offset_place *place,
                               struct offset_record *record, int64_t deadline_ms, mqc_error *error)
{
    char address[ADDRESS_TEXT_BYTES];
    int64_t offset = offset_record_unconfirmed(record);
    if (offset < 0) return MQC_OK;
    mqc_status status = client_instance_master(instance, place->topic, place->broker_name,
                                               deadline_ms, address, error);
    if (status == MQC_OK)
        status = client_api_update_offset_sync(client_instance_api(instance), address, place,
                                               offset, deadline_ms, error);
    if (status == MQC_OK) offset_record_set_confirmed(record, offset);
    return status;
}
