/* What the demonstration shows: a live picture on a terminal, a plain summary everywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/demo.h"

enum { BAR_CELLS = 40 };

static int by_value(const void *a, const void *b);
static void draw_bar(const char *name, int64_t done, int64_t total);

int32_t demo_latency(const struct demo_counts *counts, double percent)
{
    static int32_t sorted[DEMO_MOST];
    size_t count = 0;
    for (int i = 0; i < counts->wanted; i++)
        if (counts->seen[i]) sorted[count++] = counts->latency_us[i];
    if (count == 0) return 0;
    qsort(sorted, count, sizeof sorted[0], by_value);
    size_t at = (size_t)((double)count * percent / 100.0);
    return sorted[at < count ? at : count - 1];
}

void demo_draw(const struct demo_counts *counts)
{
    double seconds = (double)(demo_now_us() - counts->began_us) / 1e6;
    printf("\033[H\033[J  libmqclient: one producer, one group of two consumers   %.1f s\n\n",
           seconds);
    draw_bar("sent", counts->sent, counts->wanted);
    draw_bar("received", counts->received, counts->wanted);
    printf("\n  rate    %8.0f messages/s\n", seconds > 0 ? (double)counts->received / seconds : 0);
    printf("  latency  p50 %.2f ms   p99 %.2f ms   (send to listener)\n\n",
           demo_latency(counts, 50) / 1e3, demo_latency(counts, 99) / 1e3);
    for (int i = 0; i < 2; i++)
        printf("  consumer %c  %-7s %6lld messages\n", 'A' + i,
               counts->consumer_runs[i] ? "running" : "left", (long long)counts->by_consumer[i]);
    printf("\n  queue              sent  received   lag  consumer\n");
    for (int i = 0; i < counts->queue_count; i++) {
        const struct demo_queue *queue = &counts->queues[i];
        printf("  %-12.12s %2d %7lld %9lld %5lld  %c\n", queue->broker_name, queue->queue_id,
               (long long)queue->sent, (long long)queue->received,
               (long long)(queue->sent - queue->received),
               queue->received > 0 ? 'A' + queue->consumer : '-');
    }
    fflush(stdout);
}

bool demo_summary(const struct demo_counts *counts, bool quiet)
{
    bool complete = counts->sent == counts->wanted && counts->received == counts->sent;
    bool ordered = counts->out_of_order == 0;
    bool good = complete && ordered && !counts->failure[0];
    if (quiet) return good;
    if (counts->sent > 0) {
        printf("sent      %lld messages to %d queues\n", (long long)counts->sent,
               counts->queue_count);
        printf("received  %lld: consumer A %lld, consumer B %lld%s\n", (long long)counts->received,
               (long long)counts->by_consumer[0], (long long)counts->by_consumer[1],
               complete ? " (it left halfway, A took over)" : "");
        printf("repeated  %lld when queues changed hands (at-least-once delivery)\n",
               (long long)counts->duplicates);
        printf("order     %s within each queue\n", ordered ? "kept" : "BROKEN");
        printf("latency   p50 %.2f ms, p99 %.2f ms from send to listener\n",
               demo_latency(counts, 50) / 1e3, demo_latency(counts, 99) / 1e3);
    }
    if (counts->failure[0]) printf("failed    %s\n", counts->failure);
    if (good)
        puts("sent = received");
    else if (!complete && counts->sent > 0)
        puts("COUNTS DIFFER");
    return good;
}

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void draw_bar(const char *name, int64_t done, int64_t total)
{
    int filled = (int)(done * BAR_CELLS / total);
    printf("  %-9s", name);
    for (int i = 0; i < BAR_CELLS; i++) fputs(i < filled ? "█" : "░", stdout);
    printf(" %lld\n", (long long)done);
}
