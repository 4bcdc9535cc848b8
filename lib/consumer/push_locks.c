/* Queues of an orderly consumer are locked at their broker: taken before a queue is gained, renewed
 * while it is held, given back when its last listener call has ended and its offset is stored. So
 * two members never have a listener call for one queue at a time (RebalancePushImpl, lockAll). */
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/client/client_locks.h"
#include "lib/consumer/push_orderly.h"

enum { LOOKS = 4, LOCK_MS = 3000, COMMIT_MS = 3000, UNLOCKED_MS = 200 };

static void tick(void *arg);
static size_t take_broker(struct consumer_queue **queues, size_t count, mqc_message_queue *places,
                          struct consumer_queue **chosen);
static void renew(struct consumer *core, struct client_instance *instance,
                  struct consumer_queue **queues, const mqc_message_queue *places, size_t count,
                  bool *locked);
static void forfeit(struct consumer_queue *queue, struct client_instance *instance);

/* Looks more often than locks are due, so that a failure is not waited out for long. */
mqc_status push_locks_start(struct mqc_push_consumer *consumer, mqc_error *error)
{
    int look_ms = consumer->options.lock_renew_ms / LOOKS;
    return scheduled_executor_add(client_instance_scheduler(consumer->core.instance), "queue locks",
                                  look_ms, look_ms, tick, &consumer->core, &consumer->sweep, error);
}

static void tick(void *arg)
{
    consumer_do_later(arg, CHORE_SWEEP);
}

/* Nobody shares a broadcasting member's queues. */
static bool is_local(const struct consumer *core)
{
    return core->settings.model == MQC_BROADCASTING;
}

mqc_status push_locks_gain(struct consumer_queue *queue, struct client_instance *instance,
                           mqc_error *error)
{
    struct consumer *core = queue->consumer;
    int64_t asked_ms = clock_now_ms();
    bool locked = is_local(core);
    mqc_status status = locked
                            ? MQC_OK
                            : client_locks_take(instance, core->group, &queue->place, 1,
                                                consumer_deadline(core, LOCK_MS), &locked, error);
    if (status != MQC_OK) return status;
    if (!locked)
        return error_set(error, MQC_WRONG_STATE, "another member of the group still has its lock");
    queue_lock_confirm(&orderly_queue_of(queue)->queue_lock, asked_ms);
    return MQC_OK;
}

int64_t push_locks_pull_delay(struct consumer_queue *queue, enum queue_pause *why)
{
    *why = QUEUE_UNLOCKED;
    bool held = queue_lock_held(&orderly_queue_of(queue)->queue_lock, clock_now_ms());
    return held ? 0 : UNLOCKED_MS;
}

void push_locks_describe(struct consumer_queue *queue, struct running_queue *out)
{
    const struct queue_lock *lock = &orderly_queue_of(queue)->queue_lock;
    int64_t now = clock_now_ms(), confirmed_ms = atomic_load(&lock->confirmed_ms);
    out->locked = !queue->pop && queue_lock_held(lock, now);
    if (confirmed_ms >= 0) out->last_lock_unix_ms = clock_unix_ms() - (now - confirmed_ms);
}

/* ---- renewal; callback thread ---- */

void push_locks_renew(struct consumer *core, struct client_instance *instance)
{
    size_t count, due = 0;
    int64_t now = clock_now_ms();
    struct consumer_queue **queues = consumer_queues_list(core, NULL, &count);
    struct consumer_queue **left = memory_allocate(count * sizeof *left + 1);
    struct consumer_queue **chosen = memory_allocate(count * sizeof *chosen + 1);
    mqc_message_queue *places = memory_allocate(count * sizeof *places + 1);
    bool *locked = memory_allocate(count + 1);
    for (size_t i = 0; left && i < count; i++)
        if (!queues[i]->pop && queue_lock_due(&orderly_queue_of(queues[i])->queue_lock, now))
            left[due++] = queues[i];
    while (left && chosen && places && locked && due > 0) {
        size_t taken = take_broker(left, due, places, chosen);
        due -= taken;
        renew(core, instance, chosen, places, taken, locked);
    }
    memory_free(locked);
    memory_free(places);
    memory_free(chosen);
    memory_free(left);
    consumer_queues_release(queues, count);
}

/* Takes those on the first one's broker out of the list, which is closed up. */
static size_t take_broker(struct consumer_queue **queues, size_t count, mqc_message_queue *places,
                          struct consumer_queue **chosen)
{
    const char *host = consumer_queue_host(queues[0]); /* interned */
    size_t taken = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (consumer_queue_host(queues[i]) == host) {
            places[taken] = queues[i]->place;
            chosen[taken++] = queues[i];
        } else {
            queues[kept++] = queues[i];
        }
    }
    return taken;
}

static void renew(struct consumer *core, struct client_instance *instance,
                  struct consumer_queue **queues, const mqc_message_queue *places, size_t count,
                  bool *locked)
{
    mqc_error error;
    int64_t asked_ms = clock_now_ms();
    bool local = is_local(core);
    for (size_t i = 0; local && i < count; i++) locked[i] = true;
    mqc_status status = local ? MQC_OK
                              : client_locks_take(instance, core->group, places, count,
                                                  consumer_deadline(core, LOCK_MS), locked, &error);
    if (status != MQC_OK)
        log_warn(LOG_REBALANCE, "group=%s broker=%s: locks of %zu queues not renewed now: %s",
                 core->group, places[0].broker_name, count, error.text);
    for (size_t i = 0; status == MQC_OK && i < count; i++) {
        struct queue_lock *lock = &orderly_queue_of(queues[i])->queue_lock;
        if (locked[i] && (local || !queue_lock_lost(lock, clock_now_ms())))
            queue_lock_confirm(lock, asked_ms);
        else
            forfeit(queues[i], instance);
    }
}

/* Another member has or had it: what we know of the queue is old, its offset above all. It is lost
 * without a word, and may be gained anew. */
static void forfeit(struct consumer_queue *queue, struct client_instance *instance)
{
    log_warn(LOG_REBALANCE, "group=%s topic=%s broker=%s queue=%d: its lock was lost",
             queue->consumer->group, queue->place.topic, queue->place.broker_name,
             queue->place.queue_id);
    process_queue_drop(&queue->messages);
    offset_record_abandon(queue->offset);
    atomic_store(&queue->leaving, true);
    client_instance_wake_rebalance(instance);
}

/* ---- the end ---- */

bool push_locks_let_go(struct consumer_queue *queue)
{
    struct orderly_queue *orderly = orderly_queue_of(queue);
    lock_take(&orderly->lock);
    bool listening = orderly->listening;
    lock_release(&orderly->lock);
    return !listening;
}

/* The next owner reads the offset as soon as it has the lock: so first the one, then the other. */
void push_locks_lost(struct consumer_queue *queue, struct client_instance *instance)
{
    struct consumer *core = queue->consumer;
    mqc_error error;
    if (queue->pop) return;                /* the broker locks what it has given */
    if (!push_locks_let_go(queue)) return; /* a listener that had to be left: the lock runs out */
    mqc_status status = MQC_OK;
    if (queue->offset)
        status = offset_record_commit(queue->offset, consumer_deadline(core, COMMIT_MS), &error);
    if (status != MQC_OK)
        log_warn(LOG_OFFSETS, "group=%s topic=%s broker=%s queue=%d: offset not stored: %s",
                 core->group, queue->place.topic, queue->place.broker_name, queue->place.queue_id,
                 error.text);
    if (is_local(core)) return;
    status = client_locks_give_back(instance, core->group, &queue->place, 1,
                                    consumer_deadline(core, LOCK_MS), &error);
    if (status != MQC_OK)
        log_warn(LOG_REBALANCE, "group=%s topic=%s broker=%s queue=%d not unlocked: %s",
                 core->group, queue->place.topic, queue->place.broker_name, queue->place.queue_id,
                 error.text);
}
