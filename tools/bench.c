/* mqc bench: one measured run, printed as the JSON line that shared/bench/compare of the project
 * reads; other clients have programs of the same usage. Main thread; the modes are in bench_send.c
 * and bench_consume.c. */
#include "tools/bench.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tools/arguments.h"
#include "tools/mqc.h"
#include "tools/output.h"

static int run(struct arguments *arguments, struct bench *bench);
static int read_words(const struct arguments *arguments, struct bench *bench);
static int measure(struct bench *bench, int (*mode)(struct bench *bench));
static char *make_body(int bytes);
static int print_line(const struct bench *bench);
static long own_status(const char *name);
static void print_latency(const char *name, double us);

static const char NAME[] = "bench", AUTO_BATCH[] = "send-auto-batch";

static const struct mode {
    const char *name;
    int (*run)(struct bench *bench);
    bool has_latency;
} MODES[] = {
    {"send-sync", bench_send, true},    {"send-async", bench_send, false},
    {"send-oneway", bench_send, false}, {"send-batch", bench_send, false},
    {AUTO_BATCH, bench_send, false},    {"consume", bench_consume, false},
    {"latency", bench_latency, true},   {"idle", bench_idle, false},
};

int bench_command(int argc, char **argv)
{
    struct bench bench = {.topics = 1, .connections = 1, .producers = 1, .in_flight = 512};
    const struct argument own[] = {
        {0, "topics", "N", "send to, or consume from, N topics: TOPIC, TOPIC_1, …", ARGUMENT_NUMBER,
         &bench.topics, NULL},
        {0, "connections", "N", "use N client instances with connections of their own",
         ARGUMENT_NUMBER, &bench.connections, NULL},
        {0, "producers", "N", "use N producers on each of them", ARGUMENT_NUMBER, &bench.producers,
         NULL},
        {0, "in-flight", "N", "at most N asynchronous sends at a time (default 512)",
         ARGUMENT_NUMBER, &bench.in_flight, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "[option]… MODE THREADS N BODY TOPIC WARMUP",
        .about =
            "Measures N messages of BODY bytes after WARMUP others and prints one line of JSON.\n"
            "MODE is send-sync (THREADS threads share a producer), send-async, send-oneway,\n"
            "send-batch (32 messages at a time), send-auto-batch (as send-async, with -X\n"
            "autoBatch=true),\n"
            "consume (a new group, from the topic's first message), latency (from each send to\n"
            "its listener) or idle (a new group of all topics, for N seconds after WARMUP). CPU is "
            "that of the whole process over the N messages alone.\n"
            "$NAMESRV is taken when neither -n nor $NAMESRV_ADDR says where the cluster is.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = run(&arguments, &bench);
    arguments_done(&arguments);
    return code;
}

static int run(struct arguments *arguments, struct bench *bench)
{
    int code = read_words(arguments, bench);
    if (code >= 0) return code;
    bench->client = arguments_client(arguments);
    if (!bench->client.name_servers && !getenv("NAMESRV_ADDR"))
        bench->client.name_servers = getenv("NAMESRV");
    bench->producer.compress_above_bytes = -1;
    mqc_options_to_producer(arguments->options, &bench->producer);
    if (strcmp(bench->mode, AUTO_BATCH) == 0) bench->producer.auto_batch = true;
    for (size_t i = 0; i < sizeof MODES / sizeof MODES[0]; i++) {
        if (strcmp(bench->mode, MODES[i].name) != 0) continue;
        struct bench_meter meter = {0};
        bench->meter = &meter;
        size_t latencies = MODES[i].has_latency ? (size_t)bench->count : 0;
        if (latencies > 0) meter.latency_ns = calloc(latencies, sizeof *meter.latency_ns);
        bool ready = latencies == 0 || meter.latency_ns;
        code = ready ? measure(bench, MODES[i].run) : failure(NAME, "out of memory");
        free(meter.latency_ns);
        return code;
    }
    return usage_error(NAME, "there is no mode \"%s\"", bench->mode);
}

/* MODE THREADS N BODY TOPIC WARMUP */
static int read_words(const struct arguments *arguments, struct bench *bench)
{
    if (arguments->rest_count != 6)
        return usage_error(NAME, "give MODE THREADS N BODY TOPIC WARMUP, 6 words, not %d",
                           arguments->rest_count);
    const struct {
        const char *name;
        int word, least;
        int *target;
    } NUMBERS[] = {{"THREADS", 1, 1, &bench->threads},
                   {"N", 2, 1, &bench->count},
                   {"BODY", 3, 1, &bench->body_bytes},
                   {"WARMUP", 5, 0, &bench->warmup}};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        char *end;
        const char *word = arguments->rest[NUMBERS[i].word];
        errno = 0;
        long number = strtol(word, &end, 10);
        if (end == word || *end || errno || number < NUMBERS[i].least || number > INT_MAX / 2)
            return usage_error(NAME, "%s is \"%s\": give a number from %d to %d", NUMBERS[i].name,
                               word, NUMBERS[i].least, INT_MAX / 2);
        *NUMBERS[i].target = (int)number;
    }
    bench->mode = arguments->rest[0];
    bench->topic = arguments->rest[4];
    return -1;
}

static int measure(struct bench *bench, int (*mode)(struct bench *bench))
{
    char *body = make_body(bench->body_bytes);
    if (!body) return failure(NAME, "out of memory");
    bench->body = body;
    int code = mode(bench);
    free(body);
    return code == EXIT_DONE ? print_line(bench) : code;
}

/* Bytes that do not compress, the same in every run. */
static char *make_body(int bytes)
{
    char *body = malloc((size_t)bytes);
    uint32_t state = 1;
    for (int i = 0; body && i < bytes; i++) {
        state = state * 1664525 + 1013904223;
        body[i] = (char)(state >> 24);
    }
    return body;
}

/* ---- the meter ---- */

void bench_topic(const struct bench *bench, int i, char out[64])
{
    snprintf(out, 64, i == 0 ? "%.50s" : "%.50s_%d", bench->topic, i);
}

int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t us_of(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

void bench_begin(struct bench_meter *meter)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    meter->user_us = -us_of(usage.ru_utime);
    meter->system_us = -us_of(usage.ru_stime);
    meter->began_ns = bench_now_ns();
}

void bench_end(struct bench_meter *meter)
{
    struct rusage usage;
    meter->ended_ns = bench_now_ns();
    getrusage(RUSAGE_SELF, &usage);
    meter->user_us += us_of(usage.ru_utime);
    meter->system_us += us_of(usage.ru_stime);
    meter->max_rss_kb = own_status("VmHWM:");
    meter->threads = own_status("Threads:");
}

void bench_wrong(struct bench_meter *meter, const char *why)
{
    if (atomic_fetch_add(&meter->errors, 1) == 0) failure(NAME, "first error: %s", why);
}

/* ---- the line ---- */

static int compare_latencies(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static int print_line(const struct bench *bench)
{
    const struct bench_meter *meter = bench->meter;
    double seconds = (double)(meter->ended_ns - meter->began_ns) / 1e9;
    double cpu_us = (double)(meter->user_us + meter->system_us);
    const uint32_t *latency_ns = meter->latency_ns;
    size_t count = (size_t)bench->count;
    if (latency_ns) qsort(meter->latency_ns, count, sizeof *latency_ns, compare_latencies);
    printf("{\"peer\":\"ours\",\"mode\":\"%s\",\"threads\":%d,\"n\":%d,\"body_bytes\":%d,"
           "\"elapsed_s\":%.4f,\"msgs_per_s\":%.0f,\"cpu_user_s\":%.3f,\"cpu_sys_s\":%.3f,"
           "\"cpu_us_per_msg\":%.3f",
           bench->mode, bench->threads, bench->count, bench->body_bytes, seconds,
           (double)count / seconds, (double)meter->user_us / 1e6, (double)meter->system_us / 1e6,
           cpu_us / (double)count);
    print_latency("p50_us", latency_ns ? latency_ns[count / 2] / 1e3 : -1);
    print_latency("p99_us", latency_ns ? latency_ns[count * 99 / 100] / 1e3 : -1);
    print_latency("max_us", latency_ns ? latency_ns[count - 1] / 1e3 : -1);
    printf(",\"max_rss_kb\":%ld,\"threads_count\":%ld,\"errors\":%d}\n", meter->max_rss_kb,
           meter->threads, atomic_load(&meter->errors));
    return output_finish(NAME);
}

static void print_latency(const char *name, double us)
{
    if (us < 0)
        printf(",\"%s\":null", name);
    else
        printf(",\"%s\":%.1f", name, us);
}

/* A number of /proc/self/status; -1 where there is none. */
static long own_status(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    if (!file) return -1;
    char line[128];
    long number = -1;
    while (number < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) number = strtol(line + strlen(name), NULL, 10);
    fclose(file);
    return number;
}
