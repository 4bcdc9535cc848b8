/* Offsets of members that do not share them (LocalFileOffsetStore.java): in a file of this machine,
 * or, without a folder, in memory alone. What is updated is noted; a flush writes the file. Called
 * through offset_record.c and start_offset.c. */
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/consumer/offset_file.h"
#include "lib/consumer/offset_record.h"

struct local_offsets {
    struct offset_store store;
    struct offset_file *file;
};

static mqc_status query(struct offset_store *store, const struct offset_place *place,
                        int64_t deadline_ms, int64_t *offset, mqc_error *error);
static mqc_status update(struct offset_store *store, const struct offset_place *place,
                         int64_t offset, int64_t deadline_ms, mqc_error *error);
static mqc_status begin_update(struct offset_store *store, const struct offset_place *place,
                               int64_t offset, struct offset_record *record, mqc_error *error);
static void flush(struct offset_store *store);
static void end(struct offset_store *store);
static void destroy(struct offset_store *store);

static const struct offset_store_type LOCAL_OFFSETS = {
    .query = query,
    .update = update,
    .begin_update = begin_update,
    .flush = flush,
    .end = end,
    .destroy = destroy,
};

mqc_status local_offsets_new(const char *folder, struct offset_store **out, mqc_error *error)
{
    struct local_offsets *offsets = memory_allocate_zero(1, sizeof *offsets);
    if (!offsets) return error_no_memory(error);
    mqc_status status = offset_file_open(folder, &offsets->file, error);
    if (status != MQC_OK) {
        memory_free(offsets);
        return status;
    }
    offset_store_init(&offsets->store, &LOCAL_OFFSETS);
    *out = &offsets->store;
    return MQC_OK;
}

static struct offset_file *file_of(struct offset_store *store)
{
    return CONTAINER_OF(store, struct local_offsets, store)->file;
}

static mqc_message_queue queue_of(const struct offset_place *place)
{
    return (mqc_message_queue){place->topic, place->broker_name, place->queue_id};
}

static mqc_status query(struct offset_store *store, const struct offset_place *place,
                        int64_t deadline_ms, int64_t *offset, mqc_error *error)
{
    (void)deadline_ms;
    (void)error;
    mqc_message_queue queue = queue_of(place);
    *offset = offset_file_get(file_of(store), &queue);
    return MQC_OK;
}

static mqc_status update(struct offset_store *store, const struct offset_place *place,
                         int64_t offset, int64_t deadline_ms, mqc_error *error)
{
    (void)deadline_ms;
    mqc_message_queue queue = queue_of(place);
    return offset_file_put(file_of(store), &queue, offset, error);
}

static mqc_status begin_update(struct offset_store *store, const struct offset_place *place,
                               int64_t offset, struct offset_record *record, mqc_error *error)
{
    mqc_status status = update(store, place, offset, 0, error);
    if (status == MQC_OK) offset_record_stored(record, NULL);
    return status;
}

static void flush(struct offset_store *store)
{
    mqc_error error;
    if (offset_file_save(file_of(store), &error) != MQC_OK)
        log_error(LOG_OFFSETS, "offsets not stored, trying again soon: %s", error.text);
}

static void end(struct offset_store *store)
{
    offset_file_release(file_of(store));
}

static void destroy(struct offset_store *store)
{
    offset_file_close(file_of(store));
    offset_store_done(store);
    memory_free(CONTAINER_OF(store, struct local_offsets, store));
}
