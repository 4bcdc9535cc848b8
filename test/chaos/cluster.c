/* See cluster.h. The embedded cluster fails by its own functions, a real one by signals to its
 * processes, by way of test/broker/cluster, and by connections that the kernel cuts (ss -K). */
#include "test/chaos/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/chaos/chaos.h"
#include "test/chaos/driver.h"

enum { STALL_BROKER = 1, KILL_BROKER, STOP_BROKER };

struct cluster {
    mqc_embedded *embedded;
    const char *real;
    char servers[256];
    char cut[512]; /* the command that cuts all its connections */
    int brokers, speed;
    int64_t ticked_ms;
    bool broken;
    int broker; /* that is stalled or down; -1 */
    int how;
    int script; /* pid of what is at work; 0 */
    bool heal;  /* as soon as the script has ended */
};

static void start_script(struct cluster *cluster, const char *command, int broker)
{
    char number[8];
    snprintf(number, sizeof number, "%d", broker);
    cluster->script =
        driver_spawn((char *[]){(char *)"test/broker/cluster", (char *)(uintptr_t)command,
                                (char *)(uintptr_t)cluster->real, number, NULL});
}

/* What a shell command prints: one line. */
static void ask_shell(const char *command, char *out, size_t room)
{
    FILE *pipe = popen(command, "r");
    if (!pipe || !fgets(out, (int)room, pipe)) abort();
    pclose(pipe);
    out[strcspn(out, "\n")] = '\0';
}

struct cluster *cluster_new(const char *real, int brokers, int speed)
{
    mqc_error error;
    struct cluster *cluster = calloc(1, sizeof *cluster);
    if (!cluster) abort();
    *cluster = (struct cluster){.real = real, .brokers = brokers, .speed = speed, .broker = -1};
    cluster->ticked_ms = now_ms();
    if (real) {
        char command[256];
        snprintf(command, sizeof command,
                 "eval $(test/broker/cluster env %s) && echo $NAMESRV_ADDR", real);
        ask_shell(command, cluster->servers, sizeof cluster->servers);
        snprintf(command, sizeof command,
                 "eval $(test/broker/cluster env %s) && echo $BROKER_ADDRS $NAMESRV_ADDR | "
                 "sed 's/[0-9.]*:\\([0-9]*\\)/or dport = :\\1/g; s/^or//'",
                 real);
        char ports[256];
        ask_shell(command, ports, sizeof ports);
        snprintf(cluster->cut, sizeof cluster->cut, "ss -K -tn '( %s )' >/dev/null", ports);
        return cluster;
    }
    mqc_embedded_options options = {.brokers = brokers, .virtual_clock = speed > 1};
    cluster->embedded = mqc_embedded_start(&options, &error);
    must(cluster->embedded ? MQC_OK : error.status, "embedded cluster", &error);
    snprintf(cluster->servers, sizeof cluster->servers, "%s",
             mqc_embedded_name_servers(cluster->embedded));
    return cluster;
}

void cluster_free(struct cluster *cluster)
{
    mqc_embedded_stop(cluster->embedded);
    free(cluster);
}

const char *cluster_servers(const struct cluster *cluster)
{
    return cluster->servers;
}

bool cluster_broken(const struct cluster *cluster)
{
    return cluster->broken;
}

void cluster_tick(struct cluster *cluster)
{
    int64_t now = now_ms();
    if (cluster->embedded && cluster->speed > 1)
        mqc_embedded_advance_clock(cluster->embedded, (now - cluster->ticked_ms) * cluster->speed);
    cluster->ticked_ms = now;
}

/* ---- embedded ---- */

/* Requests whose failure the consumers and the sender must bear. */
static void break_requests(struct cluster *cluster, unsigned random)
{
    static const struct {
        const char *name;
        int code;
    } REQUESTS[] = {{"sends", 310},         {"pulls", 11},        {"offset queries", 14},
                    {"offset updates", 15}, {"heartbeats", 34},   {"farewells", 35},
                    {"send-backs", 36},     {"member lists", 38}, {"locks", 41},
                    {"unlocks", 42},        {"routes", 105},      {"pops", 200050},
                    {"acks", 200051},       {"renewals", 200053}, {"all", 0}};
    static const struct {
        const char *name;
        mqc_embedded_fault fault;
    } FAULTS[] = {{"refused", {.kind = MQC_FAULT_ANSWER, .value = 1, .text = "chaos"}},
                  {"busy", {.kind = MQC_FAULT_ANSWER, .value = 2, .text = "chaos"}},
                  {"late", {.kind = MQC_FAULT_DELAY, .value = 400}},
                  {"not answered", {.kind = MQC_FAULT_NO_ANSWER}},
                  {"lost", {.kind = MQC_FAULT_LOSE}},
                  {"cut off", {.kind = MQC_FAULT_DROP, .value = 11}},
                  {"hung up on", {.kind = MQC_FAULT_CLOSE}},
                  {"answered twice", {.kind = MQC_FAULT_DUPLICATE}}};
    mqc_error error;
    unsigned request = random % (sizeof REQUESTS / sizeof *REQUESTS);
    unsigned kind = random / 64 % (sizeof FAULTS / sizeof *FAULTS);
    mqc_embedded_fault fault = FAULTS[kind].fault;
    fault.request_code = REQUESTS[request].code;
    driver_tell("X %lld %s are %s", (long long)now_ms(), REQUESTS[request].name, FAULTS[kind].name);
    must(mqc_embedded_add_fault(cluster->embedded, &fault, NULL, &error), "fault", &error);
}

static void break_embedded(struct cluster *cluster, unsigned random)
{
    mqc_error error;
    cluster->broker = -1;
    if (random % 8 == 0) {
        driver_tell("X %lld all connections are cut", (long long)now_ms());
        mqc_embedded_disconnect(cluster->embedded, NULL);
    } else if (random % 8 < 4) {
        cluster->broker = (int)(random / 8 % (unsigned)cluster->brokers);
        bool routed = random / 256 % 2;
        driver_tell("X %lld broker %d is down%s", (long long)now_ms(), cluster->broker,
                    routed ? ", and routes do not say so" : "");
        must(mqc_embedded_broker_down(cluster->embedded, cluster->broker,
                                      routed ? MQC_EMBEDDED_KEEP_ROUTE : 0, &error),
             "down", &error);
    } else {
        break_requests(cluster, random / 8);
    }
}

static void heal_embedded(struct cluster *cluster)
{
    mqc_error error;
    if (cluster->broker >= 0)
        must(mqc_embedded_broker_up(cluster->embedded, cluster->broker, &error), "up", &error);
    mqc_embedded_clear_faults(cluster->embedded);
    cluster->broken = false;
    driver_tell("Y %lld", (long long)now_ms());
}

/* ---- real ---- */

static void break_real(struct cluster *cluster, unsigned random)
{
    static const char *const COMMANDS[] = {NULL, "pause-broker", "kill-broker", "stop-broker"};
    static const char *const WORDS[] = {NULL, "stalled", "killed", "stopped"};
    cluster->how = (int)(random % 4);
    cluster->broker = (int)(random / 4 % (unsigned)cluster->brokers);
    if (cluster->how == 0) {
        driver_tell("X %lld all connections are cut", (long long)now_ms());
        cluster->script = driver_spawn((char *[]){(char *)"sh", (char *)"-c", cluster->cut, NULL});
        return;
    }
    driver_tell("X %lld broker %d is %s", (long long)now_ms(), cluster->broker,
                WORDS[cluster->how]);
    if (cluster->how == KILL_BROKER) driver_tell("B broker-%c", 'a' + cluster->broker);
    start_script(cluster, COMMANDS[cluster->how], cluster->broker);
}

static void heal_real(struct cluster *cluster)
{
    if (cluster->how == 0) {
        cluster->broken = false;
        driver_tell("Y %lld", (long long)now_ms());
    } else {
        start_script(cluster, cluster->how == STALL_BROKER ? "resume-broker" : "start-broker",
                     cluster->broker);
        cluster->how = 0;
    }
}

void cluster_child_ended(struct cluster *cluster, int pid, int status)
{
    if (pid != cluster->script) return;
    cluster->script = 0;
    if (status != 0) driver_tell("C a script of the cluster ended with status %d", status);
    if (cluster->broken && cluster->heal) heal_real(cluster);
}

/* ---- both ---- */

void cluster_break(struct cluster *cluster, unsigned random)
{
    if (cluster->broken) return;
    cluster->broken = true;
    cluster->heal = false;
    if (cluster->real)
        break_real(cluster, random);
    else
        break_embedded(cluster, random);
}

void cluster_heal(struct cluster *cluster)
{
    if (!cluster->broken || cluster->heal) return;
    cluster->heal = true;
    if (!cluster->real)
        heal_embedded(cluster);
    else if (!cluster->script)
        heal_real(cluster);
}
