/* Subscription groups and their offsets: see groups.h. Called by the brokers' handlers. */
#include "lib/embedded/groups.h"

#include "lib/base/memory.h"
#include "lib/embedded/message_store.h"

static void group_free(struct group *group);
static void group_topic_free(struct group_topic *topic);

void groups_init(struct groups *groups)
{
    map_init(&groups->by_name);
}

void groups_done(struct groups *groups)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&groups->by_name, &position, &entry)) group_free(entry.value);
    map_done(&groups->by_name);
}

struct group *groups_find(const struct groups *groups, struct slice name)
{
    return name.data ? map_get(&groups->by_name, name) : NULL;
}

/* SubscriptionGroupManager.findSubscriptionGroupConfig; TopicValidator.isTopicOrGroupIllegal */
static bool is_group_name(struct slice name)
{
    enum { LONGEST = 255 };
    if (name.size == 0 || name.size > LONGEST) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '%' || c == '|' || c == '-' || c == '_';
        if (!fine) return false;
    }
    return true;
}

static struct group *group_new(struct slice name)
{
    struct group *group = memory_allocate(sizeof *group);
    if (!group) return NULL;
    *group = (struct group){
        .name = slice_duplicate(name),
        .consume_enable = true,
        .consume_from_min_enable = true,
        .consume_broadcast_enable = true,
        .notify_changes = true,
        .retry_queues = 1,
        .retry_max_times = 16,
        .consume_timeout_minutes = 15,
        .broker_when_slow = 1,
    };
    map_init(&group->topics);
    if (group->name) return group;
    group_free(group);
    return NULL;
}

static void group_free(struct group *group)
{
    size_t position = 0;
    struct map_entry entry;
    while (map_next(&group->topics, &position, &entry)) group_topic_free(entry.value);
    map_done(&group->topics);
    memory_free(group->name);
    memory_free(group);
}

struct group *groups_get(struct groups *groups, struct slice name)
{
    struct group *group = groups_find(groups, name);
    if (group || !is_group_name(name) || groups->by_name.count >= GROUPS_MAX) return group;
    group = group_new(name);
    if (!group || map_put(&groups->by_name, name, group, NULL)) return group;
    group_free(group);
    return NULL;
}

void groups_remove(struct groups *groups, struct group *group)
{
    map_remove(&groups->by_name, slice_text(group->name));
    group_free(group);
}

/* ---- offsets ---- */

static void group_topic_free(struct group_topic *topic)
{
    memory_free(topic->offsets);
    memory_free(topic->resets);
    memory_free(topic->pulled);
    memory_free(topic);
}

static bool grow(int64_t **values, size_t from, size_t to)
{
    int64_t *grown = memory_resize(*values, to * sizeof *grown);
    if (!grown) return false;
    for (size_t i = from; i < to; i++) grown[i] = OFFSET_NONE;
    *values = grown;
    return true;
}

/* With room for the queue; NULL: no memory, no such queue. */
static struct group_topic *topic_of(struct group *group, struct slice name, int32_t queue_id,
                                    size_t queues)
{
    if (queue_id < 0 || (size_t)queue_id >= queues || queues > TOPIC_QUEUES_MAX) return NULL;
    struct group_topic *topic = map_get(&group->topics, name);
    if (!topic) {
        topic = memory_allocate_zero(1, sizeof *topic);
        if (!topic || !map_put(&group->topics, name, topic, NULL)) {
            memory_free(topic);
            return NULL;
        }
    }
    if ((size_t)queue_id >= topic->count) {
        if (!grow(&topic->offsets, topic->count, queues) ||
            !grow(&topic->resets, topic->count, queues) ||
            !grow(&topic->pulled, topic->count, queues))
            return NULL;
        topic->count = queues;
    }
    return topic;
}

/* NULL when nothing is known of the queue. */
static struct group_topic *known(const struct group *group, struct slice name, int32_t queue_id)
{
    struct group_topic *topic = map_get(&group->topics, name);
    return topic && queue_id >= 0 && (size_t)queue_id < topic->count ? topic : NULL;
}

int64_t group_offset(const struct group *group, struct slice name, int32_t queue_id)
{
    const struct group_topic *topic = known(group, name, queue_id);
    if (!topic) return OFFSET_NONE;
    return topic->resets[queue_id] >= 0 ? topic->resets[queue_id] : topic->offsets[queue_id];
}

bool group_has_offset(const struct group *group, struct slice name)
{
    const struct group_topic *topic = map_get(&group->topics, name);
    for (size_t i = 0; topic && i < topic->count; i++)
        if (topic->offsets[i] >= 0 || topic->resets[i] >= 0) return true;
    return false;
}

bool group_set_offset(struct group *group, struct slice name, int32_t queue_id, size_t queues,
                      int64_t offset)
{
    struct group_topic *topic = topic_of(group, name, queue_id, queues);
    if (!topic) return false;
    topic->offsets[queue_id] = offset;
    return true;
}

bool group_reset_offset(struct group *group, struct slice name, int32_t queue_id, size_t queues,
                        int64_t offset)
{
    struct group_topic *topic = topic_of(group, name, queue_id, queues);
    if (!topic) return false;
    topic->offsets[queue_id] = topic->resets[queue_id] = offset;
    return true;
}

int64_t group_pending_reset(const struct group *group, struct slice name, int32_t queue_id)
{
    const struct group_topic *topic = known(group, name, queue_id);
    return topic ? topic->resets[queue_id] : OFFSET_NONE;
}

int64_t group_take_reset(struct group *group, struct slice name, int32_t queue_id)
{
    struct group_topic *topic = known(group, name, queue_id);
    if (!topic) return OFFSET_NONE;
    int64_t offset = topic->resets[queue_id];
    topic->resets[queue_id] = OFFSET_NONE;
    return offset;
}

void group_note_pull(struct group *group, struct slice name, int32_t queue_id, size_t queues,
                     int64_t offset)
{
    struct group_topic *topic = topic_of(group, name, queue_id, queues);
    if (topic) topic->pulled[queue_id] = offset;
}

int64_t group_pulled(const struct group *group, struct slice name, int32_t queue_id)
{
    const struct group_topic *topic = known(group, name, queue_id);
    return topic ? topic->pulled[queue_id] : OFFSET_NONE;
}

void group_forget_topic(struct group *group, struct slice name)
{
    struct group_topic *topic = map_remove(&group->topics, name);
    if (topic) group_topic_free(topic);
}
