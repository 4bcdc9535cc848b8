/* What a consumer counts: see its rows of statistics.def. Any thread. */
#ifndef CONSUMER_CONSUMER_FIGURES_H
#define CONSUMER_CONSUMER_FIGURES_H

#include "lib/consumer/delivery.h"
#include "lib/stats/meters.h"

enum { REBALANCES_KEPT = 32 };

struct consumer_figures {
    struct meters meters;
    struct lock lock; /* guards what follows */
    uint64_t rebalances, gained, lost;
    mqc_rebalance kept[REBALANCES_KEPT]; /* a ring; names live as long as the consumer */
};

void consumer_figures_init(struct consumer_figures *figures);
void consumer_figures_done(struct consumer_figures *figures);

/* A division that changed something; its topic is of the consumer's pool. */
void consumer_figures_rebalanced(struct consumer_figures *figures, const mqc_rebalance *rebalance);
/* Puts the counts and the last divisions into a snapshot. */
void consumer_figures_tell(struct consumer_figures *figures, const struct stat_labels *labels,
                           struct mqc_stats *out);

/* Messages have come from the broker. */
void consumer_figures_received(struct meter *meter, struct mqc_message *const *messages,
                               size_t count);

/* Around a listener call, or from a poll to its end. */
void consumer_figures_begin(const struct mqc_delivery *delivery);
void consumer_figures_end(const struct mqc_delivery *delivery, int64_t began_us, size_t done);

#endif
