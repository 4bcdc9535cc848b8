/* Signs of life of one queue and what they mean: see queue_watch.h. Set on the pull thread and
 * threads that read, judged on a callback thread. */
#include "lib/consumer/queue_watch.h"

#include <stdio.h>

#include "lib/base/memory.h"

enum { ANSWER_GRACE_MS = 5000 };

static bool consumes(const struct queue_signs *signs, char *why);
static enum queue_verdict judge_pulling(const struct queue_signs *signs, char *why);
static double seconds(const struct queue_signs *signs, int64_t since_ms);

void queue_watch_init(struct queue_watch *watch, int64_t now_ms)
{
    lock_init(&watch->lock, LOCK_RANK_LEAF);
    atomic_store(&watch->expected_ms, now_ms);
    atomic_store(&watch->answered_ms, now_ms);
    atomic_store(&watch->asked_ms, now_ms);
    watch->progress_ms = now_ms;
    watch->said_ms = INT64_MIN / 2;
}

void queue_watch_done(struct queue_watch *watch)
{
    memory_free(watch->failure);
    lock_done(&watch->lock);
}

void queue_watch_answered(struct queue_watch *watch, int64_t now_ms)
{
    atomic_store(&watch->answered_ms, now_ms);
    if (atomic_load(&watch->failed)) (void)queue_watch_failed(watch, NULL);
}

/* Without memory the reason is not told. */
bool queue_watch_failed(struct queue_watch *watch, const char *why)
{
    enum { REMINDER = 30 };
    char *copy = why ? memory_duplicate(why) : NULL;
    lock_take(&watch->lock);
    bool news = why && watch->failures % REMINDER == 0;
    watch->failures = why ? watch->failures + 1 : 0;
    atomic_store(&watch->failed, copy != NULL);
    char *old = watch->failure;
    watch->failure = copy;
    lock_release(&watch->lock);
    memory_free(old);
    return news;
}

enum queue_verdict queue_watch_judge(const struct queue_signs *signs, char why[QUEUE_WHY_BYTES])
{
    bool wished = signs->pause == QUEUE_CONSUMER_PAUSED || signs->pause == QUEUE_PAUSED;
    why[0] = '\0';
    if (!signs->leaving && signs->now_ms - signs->expected_ms > signs->limit_ms) {
        snprintf(why, QUEUE_WHY_BYTES, "its pulls have stopped for %.1f s",
                 seconds(signs, signs->expected_ms));
        return QUEUE_STOPPED;
    }
    if (wished && (signs->held > 0 || signs->now_ms - signs->answered_ms > signs->limit_ms)) {
        snprintf(why, QUEUE_WHY_BYTES, "%s is paused by the application",
                 signs->pause == QUEUE_PAUSED ? "it" : "the consumer");
        return QUEUE_RESTS;
    }
    if (!consumes(signs, why)) return QUEUE_STUCK;
    return signs->leaving ? QUEUE_WELL : judge_pulling(signs, why);
}

static bool consumes(const struct queue_signs *signs, char *why)
{
    if (signs->held == 0 || signs->now_ms - signs->progress_ms <= signs->limit_ms) return true;
    int size =
        snprintf(why, QUEUE_WHY_BYTES, "none of %zu messages consumed for %.1f s: ", signs->held,
                 seconds(signs, signs->progress_ms));
    char *rest = why + size;
    size_t room = QUEUE_WHY_BYTES - (size_t)size;
    if (signs->running_since_ms >= 0)
        snprintf(rest, room, "%s offset %lld for %.1f s",
                 signs->polled ? "a polled delivery is not finished,"
                               : "the listener has not returned from",
                 (long long)signs->running_offset, seconds(signs, signs->running_since_ms));
    else if (signs->polled)
        snprintf(rest, room, "nobody polls");
    else if (signs->pause == QUEUE_UNLOCKED)
        snprintf(rest, room, "its lock at broker %s is not held", signs->broker_name);
    else if (signs->busy >= signs->workers)
        snprintf(rest, room, "all %d workers are in other listener calls", signs->workers);
    else
        snprintf(rest, room, "it waits to be delivered again");
    return false;
}

static enum queue_verdict judge_pulling(const struct queue_signs *signs, char *why)
{
    double age = seconds(signs, signs->answered_ms);
    if (signs->now_ms - signs->answered_ms <= signs->limit_ms) return QUEUE_WELL;
    int64_t out_ms = signs->now_ms - signs->asked_ms;
    if (signs->failure)
        snprintf(why, QUEUE_WHY_BYTES, "not pulled for %.1f s: broker %s: %.200s", age,
                 signs->broker_name, signs->failure);
    else if (signs->at_broker && out_ms > signs->hold_ms + ANSWER_GRACE_MS)
        snprintf(why, QUEUE_WHY_BYTES, "not pulled for %.1f s: broker %s does not answer", age,
                 signs->broker_name);
    else if (signs->pause == QUEUE_UNLOCKED)
        snprintf(why, QUEUE_WHY_BYTES, "not pulled for %.1f s: its lock at broker %s is not held",
                 age, signs->broker_name);
    else if (signs->pause == QUEUE_FULL)
        snprintf(why, QUEUE_WHY_BYTES, "not pulled for %.1f s: %s", age, signs->full);
    else if (signs->pause == QUEUE_ALL_FULL)
        snprintf(why, QUEUE_WHY_BYTES,
                 "not pulled for %.1f s: the limit of messages held of all queues is reached", age);
    else
        return QUEUE_WELL;
    return QUEUE_STUCK;
}

static double seconds(const struct queue_signs *signs, int64_t since_ms)
{
    return (double)(signs->now_ms - since_ms) / 1000;
}
