/* The table of figures as data: see statistics.h. */
#include "lib/stats/statistics.h"

#define OF_CLIENT     "client"
#define OF_PRODUCER   "producer"
#define OF_CONSUMER   "consumer"
#define LABELS_NONE   ""
#define LABELS_BROKER "broker"
#define LABELS_QUEUE  "topic, broker, queue"

const mqc_stat_description STATISTICS[STATISTIC_COUNT] = {
#define METER(role, id, name, unit, help)                                                          \
    {name, OF_##role, MQC_STAT_COUNTER, unit, LABELS_QUEUE, help},
#define TIMER(role, id, name, help)                                                                \
    {name, OF_##role, MQC_STAT_LATENCY, "us", "topic, broker", help},
#define FIGURE(role, kind, labels, id, name, unit, help)                                           \
    {name, OF_##role, MQC_STAT_##kind, unit, LABELS_##labels, help},
#include "lib/stats/statistics.def"
};

void mqc_stats_describe(mqc_stat_describer *visit, void *arg)
{
    for (size_t i = 0; i < STATISTIC_COUNT; i++)
        if (!visit(&STATISTICS[i], arg)) return;
}
