/* The table of subscriptions: written by the application's threads, read by the rebalance service,
 * the pull thread, the reading thread and heartbeats. */
#include "lib/consumer/subscriptions.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/protocol/names.h"

static int64_t next_version(const struct subscriptions *subscriptions)
    REQUIRES(subscriptions->lock);

void subscriptions_init(struct subscriptions *subscriptions)
{
    lock_init(&subscriptions->lock, LOCK_RANK_ROLE);
    map_init(&subscriptions->topics);
    subscriptions->version = 0;
}

void subscriptions_done(struct subscriptions *subscriptions)
{
    struct map_entry entry;
    for (size_t at = 0; map_next(&subscriptions->topics, &at, &entry);)
        topic_subscription_unref(entry.value);
    map_done(&subscriptions->topics);
    lock_done(&subscriptions->lock);
}

void topic_subscription_unref(struct topic_subscription *entry)
{
    if (!entry || !reference_drop(&entry->references)) return;
    subscription_done(&entry->data);
    memory_free(entry);
}

mqc_status subscriptions_put(struct subscriptions *subscriptions, const char *topic,
                             const char *filter, bool *replaced, mqc_error *error)
{
    struct subscription data;
    mqc_status status = names_check_topic(topic, error);
    if (status == MQC_OK) status = subscription_make(topic, filter, 0, &data, error);
    if (status != MQC_OK) return status;
    return subscriptions_put_data(subscriptions, &data, replaced, error);
}

mqc_status subscriptions_put_data(struct subscriptions *subscriptions, struct subscription *data,
                                  bool *replaced, mqc_error *error)
{
    struct topic_subscription *entry = memory_allocate_zero(1, sizeof *entry);
    if (!entry) {
        subscription_done(data);
        return error_no_memory(error);
    }
    reference_init(&entry->references);
    entry->data = *data;
    void *old = NULL;
    lock_take(&subscriptions->lock);
    entry->data.version = next_version(subscriptions);
    bool stored = map_put(&subscriptions->topics, slice_text(entry->data.topic), entry, &old);
    if (stored) subscriptions->version = entry->data.version;
    lock_release(&subscriptions->lock);
    if (!stored) {
        topic_subscription_unref(entry);
        return error_no_memory(error);
    }
    if (replaced) *replaced = old != NULL;
    topic_subscription_unref(old);
    return MQC_OK;
}

bool subscriptions_remove(struct subscriptions *subscriptions, const char *topic)
{
    lock_take(&subscriptions->lock);
    struct topic_subscription *old = map_remove(&subscriptions->topics, slice_text(topic));
    if (old) subscriptions->version = next_version(subscriptions);
    lock_release(&subscriptions->lock);
    topic_subscription_unref(old);
    return old != NULL;
}

struct topic_subscription *subscriptions_get(struct subscriptions *subscriptions, const char *topic)
{
    lock_take(&subscriptions->lock);
    struct topic_subscription *entry = map_get(&subscriptions->topics, slice_text(topic));
    if (entry) reference_take(&entry->references);
    lock_release(&subscriptions->lock);
    return entry;
}

bool subscriptions_has(struct subscriptions *subscriptions, const char *topic)
{
    lock_take(&subscriptions->lock);
    bool has = map_get(&subscriptions->topics, slice_text(topic)) != NULL;
    lock_release(&subscriptions->lock);
    return has;
}

void subscriptions_touch(struct subscriptions *subscriptions)
{
    lock_take(&subscriptions->lock);
    subscriptions->version = next_version(subscriptions);
    lock_release(&subscriptions->lock);
}

mqc_status subscriptions_list(struct subscriptions *subscriptions, struct topic_subscription ***out,
                              size_t *count, mqc_error *error)
{
    struct map_entry entry;
    *count = 0;
    lock_take(&subscriptions->lock);
    *out = memory_allocate(subscriptions->topics.count * sizeof **out);
    for (size_t at = 0; *out && map_next(&subscriptions->topics, &at, &entry);) {
        struct topic_subscription *subscription = entry.value;
        reference_take(&subscription->references);
        (*out)[(*count)++] = subscription;
    }
    lock_release(&subscriptions->lock);
    return *out ? MQC_OK : error_no_memory(error);
}

void subscriptions_release(struct topic_subscription **list, size_t count)
{
    for (size_t i = 0; i < count; i++) topic_subscription_unref(list[i]);
    memory_free(list);
}

mqc_status subscriptions_copy(struct subscriptions *subscriptions, struct subscription **out,
                              size_t *count, mqc_error *error)
{
    struct map_entry entry;
    *count = 0;
    lock_take(&subscriptions->lock);
    *out = memory_allocate(subscriptions->topics.count * sizeof **out);
    mqc_status status = *out ? MQC_OK : error_no_memory(error);
    for (size_t at = 0; status == MQC_OK && map_next(&subscriptions->topics, &at, &entry);) {
        const struct topic_subscription *subscription = entry.value;
        status = subscription_copy(&subscription->data, &(*out)[*count], error);
        if (status == MQC_OK) (*out)[(*count)++].version = subscriptions->version;
    }
    lock_release(&subscriptions->lock);
    for (size_t i = 0; status != MQC_OK && i < *count; i++) subscription_done(&(*out)[i]);
    if (status == MQC_OK) return MQC_OK;
    memory_free(*out);
    *out = NULL;
    *count = 0;
    return status;
}

/* A time, as in Java, but one that always grows. */
static int64_t next_version(const struct subscriptions *subscriptions)
{
    int64_t now = clock_unix_ms();
    return now > subscriptions->version ? now : subscriptions->version + 1;
}
