/* Subscription groups of a broker: their configuration and the offsets they have committed
 * (SubscriptionGroupManager.java, ConsumerOffsetManager.java). Under the cluster's lock. */
#ifndef EMBEDDED_GROUPS_H
#define EMBEDDED_GROUPS_H

#include "lib/base/map.h"

enum { OFFSET_NONE = -1, GROUPS_MAX = 10000 };

/* What a group has committed of one topic; by queue. */
struct group_topic {
    size_t count;
    int64_t *offsets; /* OFFSET_NONE: nothing */
    int64_t *resets;  /* set by an administrator and not yet told to a consumer; or OFFSET_NONE */
    int64_t *pulled;  /* the last offset that was asked for, for the statistics */
};

struct group {
    char *name;
    bool consume_enable;
    bool consume_from_min_enable;
    bool consume_broadcast_enable;
    bool consume_orderly;
    bool notify_changes;
    int32_t retry_queues;
    int32_t retry_max_times;
    int64_t consume_timeout_minutes;
    int64_t broker_id;
    int64_t broker_when_slow;
    struct map topics; /* name -> struct group_topic */
};

struct groups {
    struct map by_name;
};

void groups_init(struct groups *groups);
void groups_done(struct groups *groups);

struct group *groups_find(const struct groups *groups, struct slice name);
/* Found or made, as the real broker does by default. NULL for what is no group name. */
struct group *groups_get(struct groups *groups, struct slice name);
void groups_remove(struct groups *groups, struct group *group);

int64_t group_offset(const struct group *group, struct slice topic, int32_t queue_id);
/* Whether anything was committed of the topic; pulling alone is no sign of a group. */
bool group_has_offset(const struct group *group, struct slice topic);
/* False: no memory, or queue_id is not below `queues`. */
bool group_set_offset(struct group *group, struct slice topic, int32_t queue_id, size_t queues,
                      int64_t offset);
/* An administrator's reset: the offset, and that the next pull is to be told. */
bool group_reset_offset(struct group *group, struct slice topic, int32_t queue_id, size_t queues,
                        int64_t offset);
int64_t group_pending_reset(const struct group *group, struct slice topic, int32_t queue_id);
int64_t group_take_reset(struct group *group, struct slice topic, int32_t queue_id);
void group_note_pull(struct group *group, struct slice topic, int32_t queue_id, size_t queues,
                     int64_t offset);
int64_t group_pulled(const struct group *group, struct slice topic, int32_t queue_id);
void group_forget_topic(struct group *group, struct slice topic);

#endif
