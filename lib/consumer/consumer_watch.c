/* The watchdog: looks regularly whether every queue is pulled and consumed, names in the log the
 * ones that are not and why, counts them, and has pulls that were lost begun anew
 * (ProcessQueue.isPullExpired, RebalanceImpl). The scheduled executor ticks, a callback thread
 * looks.
 */
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/consumer/consumer.h"

enum { PERIODS = 4, PERIOD_MOST_MS = 10000, HOLD_MS = 15000, NAMED_MOST = 16 };

/* One look at all queues. */
struct look {
    struct consumer *consumer;
    int64_t now_ms;
    int named; /* in the log */
    int unnamed;
    bool restart;
    int64_t stuck, newly_stuck, restarted;
    int64_t longest_ms; /* since when the one that `why` is of */
    char why[sizeof((struct consumer_watch *)0)->why];
};

static void tick(void *arg);
static void look_at(struct look *look, struct consumer_queue *queue);
static enum queue_verdict judge(const struct look *look, struct consumer_queue *queue,
                                char why[QUEUE_WHY_BYTES]);
static bool begins_anew(struct look *look, struct consumer_queue *queue,
                        enum queue_verdict verdict);
static void tell(struct look *look, struct consumer_queue *queue, enum queue_verdict verdict,
                 const char *why);

mqc_status consumer_watch_start(struct consumer *consumer, mqc_error *error)
{
    if (consumer->settings.stuck_after_ms < 0) return MQC_OK;
    int64_t period_ms = consumer->settings.stuck_after_ms / PERIODS;
    if (period_ms > PERIOD_MOST_MS) period_ms = PERIOD_MOST_MS;
    return scheduled_executor_add(client_instance_scheduler(consumer->instance), "watchdog",
                                  period_ms, period_ms, tick, consumer, &consumer->watcher, error);
}

void consumer_watch_stop(struct consumer *consumer)
{
    scheduled_task_cancel(consumer->watcher);
    consumer->watcher = NULL;
}

static void tick(void *arg)
{
    consumer_do_later(arg, CHORE_WATCH);
}

void consumer_watch_look(struct consumer *consumer)
{
    struct consumer_watch *watch = &consumer->watch;
    size_t count;
    if (!consumer_running(consumer) || atomic_exchange(&watch->looking, true)) return;
    struct look look = {.consumer = consumer, .now_ms = clock_now_ms(), .longest_ms = CLOCK_NEVER};
    struct consumer_queue **queues = consumer_queues_list(consumer, NULL, &count);
    for (size_t i = 0; i < count; i++) look_at(&look, queues[i]);
    consumer_queues_release(queues, count);
    if (look.unnamed > 0)
        log_warn(LOG_CONSUMER, "group=%s: %d more queues do not get on", consumer->group,
                 look.unnamed);
    lock_take(&watch->lock);
    watch->stuck = look.stuck;
    watch->stuck_all += look.newly_stuck;
    watch->restarted += look.restarted;
    memcpy(watch->why, look.why, sizeof watch->why);
    lock_release(&watch->lock);
    atomic_store(&watch->looking, false);
    if (look.restart) client_instance_wake_rebalance(consumer->instance);
}

void consumer_health(struct consumer *consumer, mqc_consumer_health *out)
{
    size_t count;
    struct consumer_queue **queues = consumer_queues_list(consumer, NULL, &count);
    consumer_queues_release(queues, count);
    lock_take(&consumer->watch.lock);
    *out = (mqc_consumer_health){
        .queues = (int64_t)count,
        .stuck = consumer->watch.stuck,
        .stuck_in_all = consumer->watch.stuck_all,
        .restarted = consumer->watch.restarted,
    };
    memcpy(out->why, consumer->watch.why, sizeof out->why);
    lock_release(&consumer->watch.lock);
}

static void look_at(struct look *look, struct consumer_queue *queue)
{
    char why[QUEUE_WHY_BYTES];
    struct queue_watch *watch = &queue->watch;
    if (process_queue_dropped(&queue->messages)) return;
    enum queue_verdict verdict = judge(look, queue, why);
    bool stuck = verdict == QUEUE_STUCK || verdict == QUEUE_STOPPED;
    if (stuck) {
        look->stuck++;
        look->newly_stuck += !watch->stuck;
    } else if (watch->stuck) {
        log_info(LOG_CONSUMER, "group=%s topic=%s broker=%s queue=%d gets on again",
                 queue->consumer->group, queue->place.topic, queue->place.broker_name,
                 queue->place.queue_id);
        watch->said_ms = INT64_MIN / 2;
    }
    watch->stuck = stuck;
    int64_t since_ms = atomic_load(&watch->answered_ms);
    if (watch->progress_ms < since_ms) since_ms = watch->progress_ms;
    if (stuck && since_ms < look->longest_ms) {
        look->longest_ms = since_ms;
        snprintf(look->why, sizeof look->why, "topic=%.127s broker=%.40s queue=%d: %s",
                 queue->place.topic, queue->place.broker_name, queue->place.queue_id, why);
    }
    if (begins_anew(look, queue, verdict) || verdict != QUEUE_WELL) tell(look, queue, verdict, why);
}

static enum queue_verdict judge(const struct look *look, struct consumer_queue *queue,
                                char why[QUEUE_WHY_BYTES])
{
    struct consumer *consumer = queue->consumer;
    const struct consumer_kind *kind = consumer->kind;
    struct queue_watch *watch = &queue->watch;
    struct process_queue_state state;
    char failure[QUEUE_WHY_BYTES] = "", full[QUEUE_WHY_BYTES] = "";
    process_queue_read_all(&queue->messages, &state);
    if (state.moves != watch->progress || state.count == 0) watch->progress_ms = look->now_ms;
    watch->progress = state.moves;
    lock_take(&watch->lock);
    if (watch->failure) snprintf(failure, sizeof failure, "%s", watch->failure);
    lock_release(&watch->lock);
    enum queue_pause pause = (enum queue_pause)atomic_load(&watch->pause);
    if (atomic_load(&consumer->paused)) pause = QUEUE_CONSUMER_PAUSED;
    if (queue->pop && pause == QUEUE_FULL)
        snprintf(full, sizeof full, "%d popped messages are not acknowledged yet",
                 atomic_load(&queue->unacked));
    else if (pause == QUEUE_FULL && !queue_full(queue, full))
        pause = QUEUE_NOT_PAUSED; /* it has just caught up */
    struct queue_signs signs = {
        .now_ms = look->now_ms,
        .limit_ms = consumer->settings.stuck_after_ms,
        .pause = pause,
        .leaving = atomic_load(&queue->leaving),
        .at_broker = atomic_load(&watch->at_broker),
        .asked_ms = atomic_load(&watch->asked_ms),
        .expected_ms = atomic_load(&watch->expected_ms),
        .answered_ms = atomic_load(&watch->answered_ms),
        .hold_ms = HOLD_MS,
        .broker_name = queue->place.broker_name,
        .failure = failure[0] ? failure : NULL,
        .full = full,
        .held = state.count,
        .progress_ms = watch->progress_ms,
        .running_since_ms = state.running_since_ms,
        .running_offset = state.running_offset,
        .polled = !kind->submit,
        .busy = kind->busy ? kind->busy(consumer) : 0,
        .workers = kind->threads ? kind->threads(consumer) : 1,
    };
    return queue_watch_judge(&signs, why);
}

/* The rebalance service loses the queue and gains it anew. */
static bool begins_anew(struct look *look, struct consumer_queue *queue, enum queue_verdict verdict)
{
    if (verdict != QUEUE_STOPPED || atomic_exchange(&queue->watch.lost, true)) return false;
    look->restarted++;
    look->restart = true;
    return true;
}

/* Once in each period of the limit. */
static void tell(struct look *look, struct consumer_queue *queue, enum queue_verdict verdict,
                 const char *why)
{
    struct queue_watch *watch = &queue->watch;
    if (look->now_ms - watch->said_ms < look->consumer->settings.stuck_after_ms) return;
    watch->said_ms = look->now_ms;
    if (look->named++ >= NAMED_MOST) {
        look->unnamed++;
        return;
    }
    enum mqc_log_level level = verdict == QUEUE_RESTS     ? MQC_LOG_INFO
                               : verdict == QUEUE_STOPPED ? MQC_LOG_ERROR
                                                          : MQC_LOG_WARN;
    LOG_AT(level, LOG_CONSUMER, "group=%s topic=%s broker=%s queue=%d: %s%s",
           queue->consumer->group, queue->place.topic, queue->place.broker_name,
           queue->place.queue_id, why, verdict == QUEUE_STOPPED ? " [BUG]: beginning anew" : "");
}
