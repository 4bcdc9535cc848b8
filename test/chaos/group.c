/* The processes of a chaos run: members of the group, the sender, scripts. The driver's thread. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/chaos/cluster.h"
#include "test/chaos/driver.h"

/* What `tells` may be told to end before it listens: SIGTERM waits until it does. */
static int spawn(const char *path, char **arguments, bool tells)
{
    sigset_t end, before;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, &before);
    int pid = fork();
    if (pid < 0) abort();
    if (pid > 0 || !tells) sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid > 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (tells && dup2(driver.journal_pipe[1], JOURNAL_FD) < 0) _exit(4);
    execv(path, arguments);
    _exit(4);
}

int driver_spawn(char **arguments)
{
    char *command[16] = {(char *)"env"};
    int count = 1;
    while (*arguments && count < 15) command[count++] = *arguments++;
    return spawn("/usr/bin/env", command, false);
}

/* What is slow by default, by the run's speed. */
static int add_settings(char texts[][64], char **out)
{
    static const struct {
        const char *name;
        int value;
    } TIMES[] = {{"pollNameServerInterval", 30000},
                 {"heartbeatBrokerInterval", 30000},
                 {"persistConsumerOffsetInterval", 5000},
                 {"lockInterval", 20000}};
    int count = 0;
    for (; count < 4 && driver.speed > 1; count++) {
        snprintf(texts[count], 64, "%s=%d", TIMES[count].name, TIMES[count].value / driver.speed);
        out[count] = texts[count];
    }
    if (driver.mode == POP) {
        snprintf(texts[count], 64, "popInvisibleTime=5000");
        out[count] = texts[count];
        count++;
    }
    return count;
}

void group_join(struct seat *seat)
{
    static const char *const MODES[] = {"concurrent", "orderly", "pop"};
    char id[16], texts[8][64];
    char *arguments[20] = {driver.program,
                           (char *)"member",
                           id,
                           (char *)(uintptr_t)MODES[driver.mode],
                           (char *)(uintptr_t)cluster_servers(driver.cluster),
                           driver.topic,
                           driver.group};
    add_settings(texts, arguments + 7);
    *seat = (struct seat){.id = driver.members++};
    snprintf(id, sizeof id, "%d", seat->id);
    driver_tell("J %d %lld", seat->id, (long long)now_ms());
    seat->pid = spawn(driver.program, arguments, true);
}

void group_start_sender(void)
{
    char rate[16], refresh[64];
    snprintf(rate, sizeof rate, "%d", driver.rate);
    snprintf(refresh, sizeof refresh, "pollNameServerInterval=%d", 30000 / driver.speed);
    char *arguments[] = {
        driver.program, (char *)"sender", rate, (char *)(uintptr_t)cluster_servers(driver.cluster),
        driver.topic,   refresh,          NULL};
    driver.sender_pid = spawn(driver.program, arguments, true);
}

static void seat_ended(struct seat *seat, int status)
{
    driver_tell("G %d %lld", seat->id, (long long)now_ms());
    if (!seat->killed && (!seat->leaving || status != 0))
        driver_tell("C member %d ended %s, with status %d", seat->id,
                    seat->leaving ? "badly" : "without being told", status);
    seat->pid = 0;
}

void group_reap(void)
{
    int status;
    for (int pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct seat *seat = NULL;
        for (int i = 0; i < SEATS; i++)
            if (driver.seats[i].pid == pid) seat = &driver.seats[i];
        if (seat) {
            seat_ended(seat, status);
        } else if (pid == driver.sender_pid) {
            driver.sender_pid = 0;
            if (status != 0) driver_tell("C the sender ended with status %d", status);
        } else {
            cluster_child_ended(driver.cluster, pid, status);
        }
    }
}

void group_leave(struct seat *seat, bool kill_it)
{
    seat->leaving = !kill_it;
    seat->killed = kill_it;
    driver_tell("%c %d %lld", kill_it ? 'K' : 'L', seat->id, (long long)now_ms());
    kill(seat->pid, kill_it ? SIGKILL : SIGTERM);
}
