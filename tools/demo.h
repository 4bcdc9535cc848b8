/* The demonstration's counts, shared between its threads, and the two ways of showing them. */
#ifndef TOOLS_DEMO_H
#define TOOLS_DEMO_H

#include <pthread.h>

#include <mqclient/mqclient.h>

enum { DEMO_MOST = 10000, DEMO_RATE = 2500, DEMO_QUEUES = 8, DEMO_QUEUES_MOST = 64 };

/* One queue as the demonstration sees it. */
struct demo_queue {
    char broker_name[64];
    int queue_id;
    int64_t sent, received;
    int64_t next_offset; /* the least that is in order */
    int consumer;        /* who got its last message: 0 or 1 */
};

struct demo_counts {
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t changed;
    int64_t began_us;
    int wanted; /* so many are to be sent; at most DEMO_MOST */
    int64_t sent, received, duplicates, out_of_order;
    int64_t by_consumer[2];
    bool consumer_runs[2];
    int queue_count;
    struct demo_queue queues[DEMO_QUEUES_MOST];
    bool seen[DEMO_MOST];
    int32_t latency_us[DEMO_MOST];
    char failure[512]; /* what ended the run early; "" while all is well */
};

int64_t demo_now_us(void); /* monotonic */

/* The value below which `percent` of the latencies so far lie, in microseconds. Needs the mutex. */
int32_t demo_latency(const struct demo_counts *counts, double percent);

/* Draws the counts over the earlier picture on a terminal. Needs the mutex. */
void demo_draw(const struct demo_counts *counts);

/* Prints the result, unless `quiet`; true when every message was received and in order. Needs the
 * mutex. */
bool demo_summary(const struct demo_counts *counts, bool quiet);

#endif
