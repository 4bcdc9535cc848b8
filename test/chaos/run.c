/* The driver of a chaos run: one thread that makes events, and one that gives the journal to the
 * ledger. Ends with 0 when the ledger had nothing to complain of.
 *
 *   chaos run NAME=VALUE…
 *     mode=concurrent|orderly|pop   how the group consumes (concurrent)
 *     seconds=N     how long events are made (60)
 *     speed=N       everything goes so many times as fast as by default (1); not the cluster's
 *                   clock when popping, since the client compares it with its own
 *     seed=N        of the schedule; printed (0: from the clock)
 *     rate=N        messages a second (400)
 *     real=NAME     on this cluster of test/broker/cluster; default: an embedded one
 *     brokers=N     (2)
 *     resident=1    member 0 and the sender live to the end, and what they need of memory,
 *                   threads and descriptors is watched
 *     journal=FILE  keeps the journal */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/chaos/cluster.h"
#include "test/chaos/driver.h"
#include "test/chaos/ledger.h"
#include "test/chaos/watch.h"

enum {
    TICK_MS = 10,
    SAMPLE_MS = 250,
    WATCH_MS = 1000,
    QUEUES = 4,
    QUEUES_MOST = 12,
    CALM_MS = 180000
};

struct driver driver = {.seconds = 60, .speed = 1, .rate = 400, .brokers = 2};

static unsigned long long random_state;
static mqc_admin *admin;
static int queues = QUEUES;
static pthread_mutex_t ledger_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ledger *ledger;
static FILE *kept;

/* xorshift64*, so that a seed means the same schedule everywhere. */
static unsigned draw(unsigned below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * 2685821657736338717ull) >> 33) % below;
}

/* A time with this mean, at the run's speed. */
static int64_t draw_ms(int mean_ms)
{
    return (int64_t)(draw((unsigned)mean_ms * 2) + 1) / driver.speed;
}

/* ---- journal ---- */

void driver_tell(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    journal_write(driver.journal_pipe[1], "%s", line);
}

static void *read_journal(void *arg)
{
    char *line = NULL;
    size_t room = 0;
    FILE *in = fdopen(driver.journal_pipe[0], "r");
    if (!in) abort();
    for (ssize_t size; (size = getline(&line, &room, in)) > 0;) {
        line[size - 1] = '\0';
        if (kept) fprintf(kept, "%s\n", line);
        pthread_mutex_lock(&ledger_lock);
        ledger_line(ledger, line);
        pthread_mutex_unlock(&ledger_lock);
    }
    free(line);
    return arg;
}

static struct ledger_counts counts(void)
{
    pthread_mutex_lock(&ledger_lock);
    struct ledger_counts now = ledger_counts(ledger);
    pthread_mutex_unlock(&ledger_lock);
    return now;
}

/* ---- events ---- */

/* Two of three seats are taken, in the mean. */
static void change_members(void)
{
    struct seat *seat = &driver.seats[driver.resident ? 1 + draw(SEATS - 1) : draw(SEATS)];
    unsigned what = draw(4);
    if (!seat->pid)
        group_join(seat);
    else if (!seat->leaving && !seat->killed && what > 1)
        group_leave(seat, what == 2);
}

/* ---- the cluster ---- */

static bool is_there(void)
{
    mqc_error error;
    const mqc_topic_configs *configs;
    bool there = mqc_admin_topic_config(admin, driver.topic, &configs, &error) == MQC_OK &&
                 configs->count == (size_t)driver.brokers;
    mqc_admin_result_free(configs);
    return there;
}

static void set_up_topic(void)
{
    mqc_error error;
    mqc_topic_options options = {.read_queues = queues, .write_queues = queues};
    must(mqc_admin_create_topic(admin, NULL, driver.topic, &options, &error), "topic", &error);
    if (driver.mode == POP)
        must(mqc_admin_set_request_mode(admin, driver.topic, driver.group, true, 0, &error), "mode",
             &error);
}

/* May fail while a broker is down: then there are none more. */
static void add_queues(void)
{
    mqc_error error;
    if (queues == QUEUES_MOST || cluster_broken(driver.cluster) || !is_there()) return;
    mqc_topic_options options = {.read_queues = queues + 1, .write_queues = queues + 1};
    if (mqc_admin_update_topic(admin, NULL, driver.topic, &options, &error) == MQC_OK) queues++;
}

static void sample_offsets(void)
{
    mqc_error error;
    const mqc_group_progress *progress;
    mqc_status status = mqc_admin_group_progress(admin, driver.group, NULL, 0, &progress, &error);
    for (size_t i = 0; status == MQC_OK && i < progress->count; i++) {
        const mqc_queue_progress *queue = progress->queues[i];
        driver_tell("O %s %s %d %lld", queue->queue.topic, queue->queue.broker_name,
                    queue->queue.queue_id, (long long)queue->consumer_offset);
    }
    mqc_admin_result_free(progress);
}

/* ---- a run ---- */

static struct watch watches[2] = {{.name = "member 0"}, {.name = "the sender"}};

static void tick(int64_t begin_ms)
{
    static int64_t sampled_ms, watched_ms;
    int64_t now = now_ms();
    cluster_tick(driver.cluster);
    group_reap();
    if (now >= sampled_ms + SAMPLE_MS && !cluster_broken(driver.cluster)) {
        sampled_ms = now;
        sample_offsets();
    }
    if (driver.resident && now >= watched_ms + WATCH_MS && begin_ms) {
        watched_ms = now;
        double part = (double)(now - begin_ms) / (driver.seconds * 1000.0);
        for (int i = 0; i < 2; i++) watch_look(&watches[i], part);
    }
    usleep(TICK_MS * 1000);
}

/* Means at speed 1: a member comes or goes every 8 s, a fault every 30 s for 5 s, queues every 120
 * s. */
static void make_events(void)
{
    int64_t begin = now_ms(), end = begin + (int64_t)driver.seconds * 1000;
    int64_t member_ms = begin, break_ms = begin + draw_ms(30000), heal_ms = 0;
    int64_t queues_ms = begin + draw_ms(120000);
    for (int64_t now = begin; now < end; now = now_ms()) {
        if (now >= member_ms) {
            change_members();
            member_ms = now + draw_ms(8000);
        }
        if (!cluster_broken(driver.cluster) && now >= break_ms) {
            cluster_break(driver.cluster, draw(1u << 30));
            heal_ms = now + draw_ms(5000);
            break_ms = heal_ms + draw_ms(30000);
        }
        if (cluster_broken(driver.cluster) && now >= heal_ms) cluster_heal(driver.cluster);
        if (now >= queues_ms) {
            add_queues();
            queues_ms = now + draw_ms(120000);
        }
        tick(begin);
    }
}

static bool any_member(void)
{
    for (int i = 0; i < SEATS; i++)
        if (driver.seats[i].pid) return true;
    return false;
}

static bool all_consumed(void)
{
    return counts().missing == 0;
}

static bool sender_ended(void)
{
    return driver.sender_pid == 0;
}

static bool all_ended(void)
{
    return !any_member();
}

static bool healed(void)
{
    return !cluster_broken(driver.cluster);
}

static void await(const char *what, bool (*condition)(void))
{
    int64_t end = now_ms() + CALM_MS;
    while (!condition() && now_ms() < end) tick(0);
    if (!condition()) driver_tell("C waited %d s for %s", CALM_MS / 1000, what);
}

/* All is well again: what was acknowledged must come, and what was done be committed. */
static void calm_down(void)
{
    cluster_heal(driver.cluster);
    await("the cluster", healed);
    kill(driver.sender_pid, SIGTERM);
    await("the sender's end", sender_ended);
    await("members that go to be gone", any_member);
    if (!any_member()) group_join(&driver.seats[0]);
    await("all messages", all_consumed);
    for (int i = 0; i < SEATS; i++)
        if (driver.seats[i].pid && !driver.seats[i].leaving && !driver.seats[i].killed)
            group_leave(&driver.seats[i], false);
    await("the members' end", all_ended);
    sample_offsets();
    driver_tell("E");
}

static void take_settings(int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        char *value = strchr(arguments[i], '=');
        if (!value) exit(2);
        size_t size = (size_t)(value++ - arguments[i]);
        bool known = false;
#define SETTING(name, member, convert)                                                             \
    if (size == strlen(name) && strncmp(arguments[i], name, size) == 0)                            \
    known = true, driver.member = convert
        SETTING("mode", mode, (enum mode)mode_of(value));
        SETTING("seconds", seconds, atoi(value));
        SETTING("speed", speed, atoi(value));
        SETTING("seed", seed, (unsigned)strtoul(value, NULL, 10));
        SETTING("rate", rate, atoi(value));
        SETTING("brokers", brokers, atoi(value));
        SETTING("real", real, value);
        SETTING("journal", journal, value);
        SETTING("resident", resident, atoi(value) != 0);
#undef SETTING
        if (!known || (int)driver.mode < 0) {
            fprintf(stderr, "chaos: %s: see the head of test/chaos/run.c\n", arguments[i]);
            exit(2);
        }
    }
}

static void set_up(void)
{
    mqc_error error;
    ssize_t size = readlink("/proc/self/exe", driver.program, sizeof driver.program - 8);
    if (size <= 0 || pipe2(driver.journal_pipe, O_CLOEXEC) != 0) abort();
    char *name = strrchr(driver.program, '/');
    strcpy(name + 1, "chaos");
    if (driver.journal && !(kept = fopen(driver.journal, "w"))) abort();
    if (!driver.seed) driver.seed = (unsigned)now_ms() % 1000000 + 1;
    random_state = driver.seed * 0x9E3779B97F4A7C15ull + 1;
    snprintf(driver.topic, sizeof driver.topic, "chaos-%d", getpid());
    snprintf(driver.group, sizeof driver.group, "chaos-group-%d", getpid());
    ledger = ledger_new(driver.mode, driver.topic, stderr);
    driver.cluster =
        cluster_new(driver.real, driver.brokers, driver.mode == POP ? 1 : driver.speed);
    mqc_client_options client = {.name_servers = cluster_servers(driver.cluster)};
    admin = mqc_admin_new(&client, &error);
    must(admin ? MQC_OK : error.status, "admin", &error);
    set_up_topic();
}

static bool report(void)
{
    bool good = true;
    pthread_mutex_lock(&ledger_lock);
    ledger_complain_of_missing(ledger, 20);
    ledger_print(ledger, stdout);
    struct ledger_counts now = ledger_counts(ledger);
    pthread_mutex_unlock(&ledger_lock);
    for (int i = 0; i < 2 && driver.resident; i++)
        good = watch_bounded(&watches[i], stdout) && good;
    if (!good) printf("a process has grown\n");
    if (now.acknowledged == 0) printf("nothing was acknowledged\n");
    good = good && now.failures == 0 && now.acknowledged > 0;
    printf("%s\n", good ? "good" : "FAILED");
    return good;
}

int run_main(int count, char **arguments)
{
    pthread_t reader;
    take_settings(count, arguments);
    set_up();
    printf("chaos: mode %s, seed %u, %d s at speed %d on %s\n",
           (const char *[]){"concurrent", "orderly", "pop"}[driver.mode], driver.seed,
           driver.seconds, driver.speed, driver.real ? driver.real : "an embedded cluster");
    if (pthread_create(&reader, NULL, read_journal, NULL) != 0) abort();
    for (int i = 0; i < SEATS / 2; i++) group_join(&driver.seats[i]);
    group_start_sender();
    watches[0].pid = driver.seats[0].pid;
    watches[1].pid = driver.sender_pid;
    make_events();
    calm_down();
    close(driver.journal_pipe[1]);
    pthread_join(reader, NULL);
    bool good = report();
    mqc_admin_free(admin);
    cluster_free(driver.cluster);
    ledger_free(ledger);
    if (kept) fclose(kept);
    return good ? 0 : 1;
}
