/* What a client has counted: at every interval as JSON, and at the end by hand. docs/statistics.md
 * lists the figures.
 */
#include <mqclient/mqclient.h>
#include <stdio.h>

/* On a callback thread. `stats` has the same figures, and mqc_stats_prometheus(stats, …) another
 * form of them. */
static void print(const char *json, mqc_stats *stats, void *file)
{
    (void)stats;
    fprintf(file, "%s\n", json);
}

int main(int argc, char **argv)
{
    mqc_error error = {.text = "out of memory"};
    const mqc_client_options client = {.name_servers = argc > 1 ? argv[1] : NULL,
                                       .stats_listener = print,
                                       .stats_listener_arg = stdout,
                                       .stats_interval_ms = 60000};
    const mqc_producer_options options = {.client = &client, .group = "counted"};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    mqc_message *message = mqc_message_new("orders", "counted", 7);
    mqc_status status = producer && message ? mqc_producer_start(producer, &error) : MQC_NO_MEMORY;

    for (int i = 0; status == MQC_OK && i < 100; i++)
        status = mqc_producer_send(producer, message, NULL, NULL, &error);
    mqc_stats *stats = status == MQC_OK ? mqc_producer_stats(producer, &error) : NULL;
    if (stats) {
        mqc_stat latency;
        mqc_stats_total(stats, "send_latency", NULL, "orders", NULL, &latency, NULL);
        printf("%lld sent, half of them within %lld us, 99 %% within %lld us\n",
               (long long)latency.latency.count, (long long)latency.latency.p50_us,
               (long long)latency.latency.p99_us);
        for (size_t i = 0; i < mqc_stats_count(stats); i++) { /* the walk */
            const mqc_stat *stat = mqc_stats_at(stats, i);
            if (stat->kind != MQC_STAT_LATENCY && stat->value != 0)
                printf("%s %s %s %lld\n", stat->name, stat->topic, stat->broker,
                       (long long)stat->value);
        }
    } else {
        fprintf(stderr, "%s\n", error.text);
    }
    mqc_stats_free(stats);
    mqc_message_free(message);
    mqc_producer_free(producer);
    return stats == NULL;
}
