/* The table of figures (statistics.def) as numbers and data. */
#ifndef STATS_STATISTICS_H
#define STATS_STATISTICS_H

#include <mqclient/statistics.h>

/* One number a figure, in the table's order: STATISTIC_CONNECTIONS = 0 and so on. */
enum statistic {
#define METER(role, id, ...)                STATISTIC_##id,
#define TIMER(role, id, ...)                STATISTIC_##id,
#define FIGURE(role, kind, labels, id, ...) STATISTIC_##id,
#include "lib/stats/statistics.def"
    STATISTIC_COUNT
};

/* What is kept beside each queue, by role: METER_SENT_MESSAGES = 0 … of a producer,
 * METER_RECEIVED_MESSAGES = 0 … of a consumer; and the durations likewise. */
enum producer_meter {
#define METER(role, id, ...)       PRODUCER_ONLY_##role(METER_##id)
#define PRODUCER_ONLY_PRODUCER(id) id,
#define PRODUCER_ONLY_CONSUMER(id)
#include "lib/stats/statistics.def"
    PRODUCER_METERS
};
enum producer_timer {
#define TIMER(role, id, ...) PRODUCER_ONLY_##role(TIMER_##id)
#include "lib/stats/statistics.def"
    PRODUCER_TIMERS
};
enum consumer_meter {
#define METER(role, id, ...) CONSUMER_ONLY_##role(METER_##id)
#define CONSUMER_ONLY_PRODUCER(id)
#define CONSUMER_ONLY_CONSUMER(id) id,
#include "lib/stats/statistics.def"
    CONSUMER_METERS
};
enum consumer_timer {
#define TIMER(role, id, ...) CONSUMER_ONLY_##role(TIMER_##id)
#include "lib/stats/statistics.def"
    CONSUMER_TIMERS
};
#undef PRODUCER_ONLY_PRODUCER
#undef PRODUCER_ONLY_CONSUMER
#undef CONSUMER_ONLY_PRODUCER
#undef CONSUMER_ONLY_CONSUMER

extern const mqc_stat_description STATISTICS[STATISTIC_COUNT];

#endif
