/* What a consumer counts: see consumer_figures.h. */
#include "lib/consumer/consumer_figures.h"

#include "lib/base/clock.h"

void consumer_figures_init(struct consumer_figures *figures)
{
    meters_init(&figures->meters, true);
    lock_init(&figures->lock, LOCK_RANK_STATS);
}

void consumer_figures_done(struct consumer_figures *figures)
{
    meters_done(&figures->meters);
    lock_done(&figures->lock);
}

void consumer_figures_rebalanced(struct consumer_figures *figures, const mqc_rebalance *rebalance)
{
    lock_take(&figures->lock);
    figures->kept[figures->rebalances++ % REBALANCES_KEPT] = *rebalance;
    figures->gained += (uint64_t)rebalance->gained;
    figures->lost += (uint64_t)rebalance->lost;
    lock_release(&figures->lock);
}

void consumer_figures_tell(struct consumer_figures *figures, const struct stat_labels *labels,
                           struct mqc_stats *out)
{
    meters_tell(&figures->meters, *labels, clock_now_ms(), out);
    lock_take(&figures->lock);
    snapshot_put(out, STATISTIC_REBALANCES, labels, (int64_t)figures->rebalances, 0);
    snapshot_put(out, STATISTIC_QUEUES_GAINED, labels, (int64_t)figures->gained, 0);
    snapshot_put(out, STATISTIC_QUEUES_LOST, labels, (int64_t)figures->lost, 0);
    uint64_t first =
        figures->rebalances > REBALANCES_KEPT ? figures->rebalances - REBALANCES_KEPT : 0;
    for (uint64_t i = first; i < figures->rebalances; i++)
        snapshot_put_rebalance(out, &figures->kept[i % REBALANCES_KEPT]);
    lock_release(&figures->lock);
}

void consumer_figures_received(struct meter *meter, struct mqc_message *const *messages,
                               size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += messages[i]->body.size;
    meter_add(meter, METER_RECEIVED_MESSAGES, count);
    meter_add(meter, METER_RECEIVED_BYTES, bytes);
}

void consumer_figures_begin(const struct mqc_delivery *delivery)
{
    if (!delivery->meter || delivery->count == 0) return;
    int64_t age_ms = delivery->begun_unix_ms - delivery->messages[0]->stored_unix_ms;
    meter_time(delivery->meter, TIMER_MESSAGE_AGE, age_ms * 1000);
}

void consumer_figures_end(const struct mqc_delivery *delivery, int64_t began_us, size_t done)
{
    if (!delivery->meter || delivery->count == 0) return;
    meter_time(delivery->meter, TIMER_CONSUME_LATENCY, clock_now_us() - began_us);
    if (done > 0) meter_add(delivery->meter, METER_CONSUMED_MESSAGES, done);
    if (done < delivery->count)
        meter_add(delivery->meter, METER_REFUSED_MESSAGES, delivery->count - done);
}
