/* The offsets of a broadcasting consumer: all of them in memory, and saved as a whole. Put by
 * whoever persists offsets (scheduled executor, rebalance service, shutdown). */
#include "lib/consumer/offset_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/lock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/memory.h"
#include "lib/consumer/allocate_strategy.h"
#include "lib/consumer/offset_folder.h"
#include "lib/net/address.h"
#include "lib/protocol/relaxed_json.h"

struct entry {
    int64_t offset;
    mqc_message_queue queue; /* its texts are behind the entry */
    char texts[];
};

struct offset_file {
    struct offset_folder folder; /* used by the one who is saving */

    struct lock lock; /* guards everything below */
    struct condition changed;
    struct map entries; /* by topic, broker and id */
    bool saving;
    uint64_t version, saved_version;
};

/* Entries while a file is read. */
struct loading {
    struct offset_file *file;
    mqc_status status;
};

static mqc_status load(struct offset_file *file, mqc_error *error);
static mqc_status load_one(struct offset_file *file, const char *name, mqc_error *error);
static void load_entry(struct slice topic, struct slice broker_name, int32_t queue_id,
                       int64_t offset, void *arg);
static void clear(struct offset_file *file);
static bool put(struct offset_file *file, struct slice topic, struct slice broker_name,
                int queue_id, int64_t offset) REQUIRES(file->lock);
static struct slice key_of(struct slice topic, struct slice broker_name, int queue_id,
                           struct buffer *buffer);
static bool encode(const struct offset_file *file, struct buffer *text) REQUIRES(file->lock);
static int compare_entries(const void *a, const void *b);

mqc_status offset_file_folder(const char *path, const char *group, const mqc_client_options *client,
                              char **out, mqc_error *error)
{
    struct buffer folder;
    const char *home = getenv("HOME");
    const char *name = client->instance_name ? client->instance_name : "DEFAULT";
    buffer_init(&folder);
    *out = NULL;
    if (path) {
        buffer_put_format(&folder, "%s/%s", path, group);
    } else if (!home || !home[0]) {
        return error_set(error, MQC_BAD_ARGUMENT,
                         "$HOME is not set, so there is no place for the offsets of a broadcasting "
                         "consumer: give offsetStorePath (offset_store_path)");
    } else if (strchr(name, '/') || (client->unit_name && strchr(client->unit_name, '/'))) {
        return error_set(error, MQC_BAD_ARGUMENT,
                         "the instance or unit name has a '/', so no folder for the offsets of a "
                         "broadcasting consumer can be called after it: give offsetStorePath "
                         "(offset_store_path)");
    } else {
        char host[ADDRESS_HOST_BYTES];
        if (client->client_ip)
            snprintf(host, sizeof host, "%s", client->client_ip);
        else
            address_of_this_host(host);
        buffer_put_format(&folder, "%s/.rocketmq_offsets/%s@%s%s%s/%s", home, host, name,
                          client->unit_name ? "@" : "", client->unit_name ? client->unit_name : "",
                          group);
    }
    *out = buffer_take(&folder);
    buffer_done(&folder);
    return *out ? MQC_OK : error_no_memory(error);
}

mqc_status offset_file_open(const char *folder, struct offset_file **out, mqc_error *error)
{
    struct offset_file *file = memory_allocate_zero(1, sizeof *file);
    if (!file) return error_no_memory(error);
    lock_init(&file->lock, LOCK_RANK_OFFSETS);
    condition_init(&file->changed);
    map_init(&file->entries);
    file->folder.fd = -1;
    mqc_status status = folder ? offset_folder_open(&file->folder, folder, error) : MQC_OK;
    if (status == MQC_OK && folder) status = load(file, error);
    if (status == MQC_OK)
        *out = file;
    else
        offset_file_close(file);
    return status;
}

void offset_file_close(struct offset_file *file)
{
    if (!file) return;
    clear(file);
    map_done(&file->entries);
    condition_done(&file->changed);
    lock_done(&file->lock);
    offset_folder_close(&file->folder);
    memory_free(file);
}

void offset_file_release(struct offset_file *file)
{
    lock_take(&file->lock);
    while (file->saving) condition_wait_until(&file->changed, &file->lock, CLOCK_NEVER);
    struct offset_folder folder = file->folder;
    file->folder = (struct offset_folder){.fd = -1};
    lock_release(&file->lock);
    offset_folder_close(&folder);
}

int64_t offset_file_get(struct offset_file *file, const mqc_message_queue *queue)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct slice key =
        key_of(slice_text(queue->topic), slice_text(queue->broker_name), queue->queue_id, &buffer);
    lock_take(&file->lock);
    const struct entry *entry = key.data ? map_get(&file->entries, key) : NULL;
    int64_t offset = entry ? entry->offset : -1;
    lock_release(&file->lock);
    buffer_done(&buffer);
    return offset;
}

mqc_status offset_file_put(struct offset_file *file, const mqc_message_queue *queue, int64_t offset,
                           mqc_error *error)
{
    lock_take(&file->lock);
    bool stored = put(file, slice_text(queue->topic), slice_text(queue->broker_name),
                      queue->queue_id, offset);
    lock_release(&file->lock);
    return stored ? MQC_OK : error_no_memory(error);
}

mqc_status offset_file_save(struct offset_file *file, mqc_error *error)
{
    struct buffer text;
    mqc_status status = MQC_OK;
    buffer_init(&text);
    lock_take(&file->lock);
    while (file->saving) condition_wait_until(&file->changed, &file->lock, CLOCK_NEVER);
    uint64_t version = file->version;
    bool save = file->folder.path && version != file->saved_version;
    if (save && !encode(file, &text)) status = error_no_memory(error);
    file->saving = save = save && status == MQC_OK;
    lock_release(&file->lock);
    if (save) {
        status = offset_folder_replace(&file->folder, buffer_slice(&text), error);
        lock_take(&file->lock);
        if (status == MQC_OK) file->saved_version = version;
        file->saving = false;
        condition_wake_all(&file->changed);
        lock_release(&file->lock);
    }
    buffer_done(&text);
    return status;
}

/* ---- reading ---- */

static mqc_status load(struct offset_file *file, mqc_error *error)
{
    static const char *const NAMES[] = {OFFSETS_NAME, OFFSETS_BACKUP_NAME};
    bool expected = false;
    mqc_status status = MQC_OK;
    for (size_t i = 0; i < 2; i++) {
        clear(file);
        status = load_one(file, NAMES[i], error);
        if (status == MQC_OK && i > 0)
            log_warn(LOG_OFFSETS, "%s/%s is used, which may be some seconds older",
                     file->folder.path, NAMES[i]);
        if (status != MQC_NOT_FOUND && status != MQC_BAD_FRAME) return status;
        expected = expected || status == MQC_BAD_FRAME;
    }
    clear(file);
    if (expected)
        log_error(LOG_OFFSETS,
                  "%s: no offsets can be read: consumption begins as consumeFromWhere says",
                  file->folder.path);
    return MQC_OK;
}

/* MQC_BAD_FRAME: it was damaged, and has been set aside. */
static mqc_status load_one(struct offset_file *file, const char *name, mqc_error *error)
{
    struct buffer text;
    struct loading loading = {file, MQC_OK};
    mqc_error damage;
    buffer_init(&text);
    mqc_status status = offset_folder_read(&file->folder, name, &text, error);
    if (status == MQC_OK) {
        status = reset_offset_decode(buffer_slice(&text), load_entry, &loading, &damage);
        if (status == MQC_OK) status = loading.status;
        if (status == MQC_NO_MEMORY) error_no_memory(error);
        if (status == MQC_BAD_FRAME) {
            log_error(LOG_OFFSETS, "%s/%s is damaged, and renamed to %s.damaged: %s",
                      file->folder.path, name, name, damage.text);
            offset_folder_set_aside(&file->folder, name);
        }
    }
    buffer_done(&text);
    return status;
}

static void load_entry(struct slice topic, struct slice broker_name, int32_t queue_id,
                       int64_t offset, void *arg)
{
    struct loading *loading = arg;
    lock_take(&loading->file->lock);
    if (!put(loading->file, topic, broker_name, queue_id, offset)) loading->status = MQC_NO_MEMORY;
    loading->file->saved_version = loading->file->version;
    lock_release(&loading->file->lock);
}

/* ---- entries ---- */

static void clear(struct offset_file *file)
{
    struct map_entry item;
    lock_take(&file->lock);
    for (size_t at = 0; map_next(&file->entries, &at, &item);) memory_free(item.value);
    map_done(&file->entries);
    map_init(&file->entries);
    lock_release(&file->lock);
}

static bool put(struct offset_file *file, struct slice topic, struct slice broker_name,
                int queue_id, int64_t offset)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct slice key = key_of(topic, broker_name, queue_id, &buffer);
    struct entry *entry = key.data ? map_get(&file->entries, key) : NULL;
    bool stored = entry != NULL;
    if (!entry && key.data) {
        entry = memory_allocate(sizeof *entry + topic.size + broker_name.size + 2);
        if (entry) {
            char *broker = entry->texts + topic.size + 1;
            memcpy(entry->texts, topic.data, topic.size);
            entry->texts[topic.size] = '\0';
            memcpy(broker, broker_name.data, broker_name.size);
            broker[broker_name.size] = '\0';
            entry->queue = (mqc_message_queue){entry->texts, broker, queue_id};
            entry->offset = -1;
            stored = map_put(&file->entries, key, entry, NULL);
            if (!stored) memory_free(entry);
        }
    }
    if (stored && entry->offset != offset) {
        entry->offset = offset;
        file->version++;
    }
    buffer_done(&buffer);
    return stored;
}

/* Absent when there is no memory. */
static struct slice key_of(struct slice topic, struct slice broker_name, int queue_id,
                           struct buffer *buffer)
{
    buffer_put_slice(buffer, topic);
    buffer_put_8(buffer, 0);
    buffer_put_slice(buffer, broker_name);
    buffer_put_8(buffer, 0);
    buffer_put_32(buffer, (uint32_t)queue_id);
    return buffer->failed ? SLICE_ABSENT : buffer_slice(buffer);
}

/* ---- writing ---- */

/* As fastjson writes an OffsetSerializeWrapper for people, but in order. */
static bool encode(const struct offset_file *file, struct buffer *text)
{
    struct map_entry item;
    size_t count = 0;
    const struct entry **entries = memory_allocate((file->entries.count + 1) * sizeof *entries);
    if (!entries) return false;
    for (size_t at = 0; map_next(&file->entries, &at, &item);) entries[count++] = item.value;
    qsort(entries, count, sizeof *entries, compare_entries);
    buffer_put_text(text, "{\n\t\"offsetTable\":{");
    for (size_t i = 0; i < count; i++) {
        const mqc_message_queue *queue = &entries[i]->queue;
        buffer_put_text(text, i > 0 ? ",\n\t\t{\n\t\t\t\"brokerName\":"
                                    : "\n\t\t{\n\t\t\t\"brokerName\":");
        json_put_text(text, slice_text(queue->broker_name));
        buffer_put_format(text, ",\n\t\t\t\"queueId\":%d,\n\t\t\t\"topic\":", queue->queue_id);
        json_put_text(text, slice_text(queue->topic));
        buffer_put_format(text, "\n\t\t}:%lld", (long long)entries[i]->offset);
    }
    buffer_put_text(text, count > 0 ? "\n\t}\n}" : "}\n}");
    memory_free(entries);
    return !text->failed;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = *(const struct entry *const *)a;
    const struct entry *right = *(const struct entry *const *)b;
    return allocate_compare_queues(&left->queue, &right->queue);
}
