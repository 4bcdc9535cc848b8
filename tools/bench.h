/* What the files of mqc bench share: the work that is asked for, and the meter that is read before
 * and after it. */
#ifndef TOOLS_BENCH_H
#define TOOLS_BENCH_H

#include <stdatomic.h>

#include <mqclient/mqclient.h>

/* As on the command line. */
struct bench {
    const char *mode;
    int threads;
    int count; /* messages in the window; idle: seconds */
    int body_bytes;
    const char *topic;
    int warmup;      /* messages (seconds) before the window */
    int topics;      /* so many in turn, or all of them: TOPIC, TOPIC_1, TOPIC_2, … */
    int connections; /* client instances, each with its own connections */
    int producers;   /* on each of them */
    int in_flight;   /* most asynchronous sends at a time */
    mqc_client_options client;
    mqc_producer_options producer; /* group and client are each run's own */
    const char *body;
    struct bench_meter *meter;
};

/* The measured window: everything from bench_begin to bench_end, of the whole process. */
struct bench_meter {
    int64_t began_ns, ended_ns;
    int64_t user_us, system_us;
    long max_rss_kb, threads; /* -1 where the system does not say */
    atomic_int errors;
    uint32_t *latency_ns; /* one a message; NULL when the mode has none */
};

void bench_begin(struct bench_meter *meter);
void bench_end(struct bench_meter *meter);
/* Counts a message that went wrong, and says why for the first one. */
void bench_wrong(struct bench_meter *meter, const char *why);
int64_t bench_now_ns(void);

/* The i-th of its topics. */
void bench_topic(const struct bench *bench, int i, char out[64]);

/* Each runs the mode with its warm-up and fills the meter; returns an exit code. */
int bench_send(struct bench *bench);
int bench_consume(struct bench *bench);
int bench_latency(struct bench *bench);
int bench_idle(struct bench *bench);

#endif
