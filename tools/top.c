/* mqc top: what groups, topics or the queues of one group do, looked at again and again: rates from
 * the offsets of two looks, lag, owners, queues that stand still. On a terminal each look is drawn
 * over the one before; elsewhere they follow one another. Main thread. */
#include "tools/admin_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRY_PREFIX "%RETRY%"

enum { DEFAULT_INTERVAL_S = 2, DEFAULT_STUCK_S = 30 };

/* What was seen of a queue or topic; offsets only grow, but for a reset. */
struct seen {
    char *name;
    int64_t produced, consumed;
    int64_t looked_ms, moved_ms; /* monotonic; moved: when `consumed` last changed */
};

/* What has become of it since the look before. */
struct change {
    double produced_a_second, consumed_a_second;
    int64_t still_ms; /* so long `consumed` has not changed */
};

struct top {
    const char *group, *what;
    const char *words[1];
    int word_count;
    int interval_s, looks, stuck_s;
    struct seen *seen;
    size_t count, capacity;
    struct admin_command command;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* NULL: out of memory. */
static struct seen *find_seen(struct top *top, const char *name)
{
    for (size_t i = 0; i < top->count; i++)
        if (strcmp(top->seen[i].name, name) == 0) return &top->seen[i];
    if (top->count == top->capacity) {
        size_t capacity = top->capacity ? 2 * top->capacity : 64;
        struct seen *grown = realloc(top->seen, capacity * sizeof *grown);
        if (!grown) return NULL;
        top->seen = grown;
        top->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy) return NULL;
    top->seen[top->count] = (struct seen){.name = copy};
    return &top->seen[top->count++];
}

/* The first look at a name tells no rates. */
static struct change look_again(struct top *top, const char *name, int64_t produced,
                                int64_t consumed)
{
    struct change change = {0};
    struct seen *seen = find_seen(top, name);
    int64_t now = now_ms();
    if (!seen) return change;
    double seconds = seen->looked_ms ? (double)(now - seen->looked_ms) / 1000 : 0;
    if (seconds > 0 && produced >= seen->produced)
        change.produced_a_second = (double)(produced - seen->produced) / seconds;
    if (seconds > 0 && consumed >= seen->consumed)
        change.consumed_a_second = (double)(consumed - seen->consumed) / seconds;
    if (!seen->looked_ms || consumed != seen->consumed) seen->moved_ms = now;
    seen->produced = produced;
    seen->consumed = consumed;
    seen->looked_ms = now;
    change.still_ms = now - seen->moved_ms;
    return change;
}

static bool is_stuck(const struct top *top, const mqc_queue_progress *queue,
                     const struct change *change)
{
    return queue->lag > 0 && change->still_ms >= (int64_t)top->stuck_s * 1000;
}

static struct change look_at_queue(struct top *top, const char *group,
                                   const mqc_queue_progress *queue)
{
    char name[800];
    snprintf(name, sizeof name, "%s %s %s %d", group, queue->queue.topic, queue->queue.broker_name,
             queue->queue.queue_id);
    return look_again(top, name, queue->broker_offset, queue->consumer_offset);
}

/* ---- groups ---- */

static mqc_status add_group(struct top *top, const char *group, struct report *report,
                            mqc_error *error)
{
    const mqc_group_progress *progress = NULL;
    const mqc_group_members *members = NULL;
    struct change sum = {0};
    int64_t stuck = 0;
    mqc_status status =
        mqc_admin_group_progress(top->command.admin, group, NULL, 0, &progress, error);
    if (status && status != MQC_NOT_FOUND) return status;
    status = mqc_admin_group_members(top->command.admin, group, &members, error);
    if (!status || status == MQC_NOT_FOUND) {
        status = MQC_OK;
        for (size_t i = 0; progress && i < progress->count; i++) {
            struct change change = look_at_queue(top, group, progress->queues[i]);
            sum.produced_a_second += change.produced_a_second;
            sum.consumed_a_second += change.consumed_a_second;
            stuck += is_stuck(top, progress->queues[i], &change);
        }
        report_text(report, group);
        report_number(report, members ? (int64_t)members->count : 0);
        report_real(report, sum.produced_a_second);
        report_real(report, sum.consumed_a_second);
        report_number(report, progress ? progress->lag : 0);
        report_number(report, progress ? progress->inflight : 0);
        report_number(report, stuck);
    }
    mqc_admin_result_free(members);
    mqc_admin_result_free(progress);
    return status;
}

static mqc_status look_at_groups(struct top *top, struct report *report, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"GROUP", "group", COLUMN_TEXT},         {"MEMBERS", "members", COLUMN_NUMBER},
        {"IN/s", "putTps", COLUMN_REAL},         {"DONE/s", "consumeTps", COLUMN_REAL},
        {"LAG", "lag", COLUMN_NUMBER},           {"INFLIGHT", "inflight", COLUMN_NUMBER},
        {"STUCK", "stuckQueues", COLUMN_NUMBER},
    };
    const mqc_name_list *topics;
    report_init(report, COLUMNS, COUNT_OF(COLUMNS), top->command.json);
    mqc_status status = mqc_admin_topics(top->command.admin, NULL, &topics, error);
    if (status) return status;
    for (size_t i = 0; !status && i < topics->count; i++) {
        const char *topic = topics->names[i], *group = topic + strlen(RETRY_PREFIX);
        if (strncmp(topic, RETRY_PREFIX, strlen(RETRY_PREFIX)) == 0 && !strchr(group, '+'))
            status = add_group(top, group, report, error);
    }
    mqc_admin_result_free(topics);
    return status;
}

/* ---- the queues of one group ---- */

static mqc_status look_at_queues(struct top *top, struct report *report, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"TOPIC", "topic", COLUMN_TEXT},         {"BROKER", "brokerName", COLUMN_TEXT},
        {"QUEUE", "queueId", COLUMN_NUMBER},     {"IN/s", "putTps", COLUMN_REAL},
        {"DONE/s", "consumeTps", COLUMN_REAL},   {"LAG", "lag", COLUMN_NUMBER},
        {"INFLIGHT", "inflight", COLUMN_NUMBER}, {"STUCK", "stuck", COLUMN_FLAG},
        {"OWNER", "clientId", COLUMN_TEXT},
    };
    const mqc_group_progress *progress;
    report_init(report, COLUMNS, COUNT_OF(COLUMNS), top->command.json);
    mqc_status status = mqc_admin_group_progress(top->command.admin, top->group, NULL,
                                                 MQC_PROGRESS_OWNERS, &progress, error);
    if (status) return status;
    for (size_t i = 0; i < progress->count; i++) {
        const mqc_queue_progress *queue = progress->queues[i];
        struct change change = look_at_queue(top, top->group, queue);
        report_text(report, queue->queue.topic);
        report_text(report, queue->queue.broker_name);
        report_number(report, queue->queue.queue_id);
        report_real(report, change.produced_a_second);
        report_real(report, change.consumed_a_second);
        report_number(report, queue->lag);
        report_number(report, queue->inflight);
        report_flag(report, is_stuck(top, queue, &change));
        report_text(report, queue->client_id);
    }
    mqc_admin_result_free(progress);
    return MQC_OK;
}

/* ---- topics ---- */

static mqc_status add_topic(struct top *top, const char *topic, struct report *report,
                            mqc_error *error)
{
    const mqc_topic_status *answer;
    mqc_status status = mqc_admin_topic_status(top->command.admin, topic, &answer, error);
    /* Some of the system's own exist by name only, and a topic may have gone meanwhile. */
    if (status == MQC_REFUSED || status == MQC_NO_ROUTE) return MQC_OK;
    if (status) return status;
    int64_t produced = 0, last_unix_ms = 0;
    for (size_t i = 0; i < answer->count; i++) {
        produced += answer->queues[i]->max_offset;
        if (last_unix_ms < answer->queues[i]->last_update_unix_ms)
            last_unix_ms = answer->queues[i]->last_update_unix_ms;
    }
    struct change change = look_again(top, topic, produced, 0);
    report_text(report, topic);
    report_number(report, (int64_t)answer->count);
    report_real(report, change.produced_a_second);
    report_number(report, answer->messages);
    report_time(report, last_unix_ms);
    mqc_admin_result_free(answer);
    return MQC_OK;
}

static mqc_status look_at_topics(struct top *top, struct report *report, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"TOPIC", "topic", COLUMN_TEXT},
        {"QUEUES", "queues", COLUMN_NUMBER},
        {"IN/s", "putTps", COLUMN_REAL},
        {"MESSAGES", "messages", COLUMN_NUMBER},
        {"LAST MESSAGE", "lastUpdateTimestamp", COLUMN_TIME},
    };
    const mqc_name_list *topics;
    report_init(report, COLUMNS, COUNT_OF(COLUMNS), top->command.json);
    mqc_status status = mqc_admin_topics(top->command.admin, NULL, &topics, error);
    if (status) return status;
    for (size_t i = 0; !status && i < topics->count; i++)
        status = add_topic(top, topics->names[i], report, error);
    mqc_admin_result_free(topics);
    return status;
}

/* ---- looks ---- */

static mqc_status look(struct top *top, struct report *report, mqc_error *error)
{
    if (top->group) return look_at_queues(top, report, error);
    return strcmp(top->what, "topics") == 0 ? look_at_topics(top, report, error)
                                            : look_at_groups(top, report, error);
}

static void print_look(struct top *top, struct report *report, bool first)
{
    struct admin_command *command = &top->command;
    if (!command->json && !command->quiet) {
        char now[32];
        format_time((int64_t)time(NULL) * 1000, now);
        if (isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        else if (!first)
            putchar('\n');
        printf("%.19s  %s%s, every %d s\n", now, top->group ? "group " : top->what,
               top->group ? top->group : "", top->interval_s);
    }
    print_report(command, report);
}

static mqc_status watch(struct admin_command *command, void *arg, mqc_error *error)
{
    struct top *top = arg;
    mqc_status status = MQC_OK;
    for (int i = 0; !status && !command->write_failed && (top->looks == 0 || i < top->looks); i++) {
        struct report report;
        struct timespec pause = {.tv_sec = top->interval_s};
        while (i > 0 && nanosleep(&pause, &pause) != 0 && errno == EINTR) {
        }
        status = look(top, &report, error);
        if (status)
            report_done(&report);
        else
            print_look(top, &report, i == 0);
    }
    for (size_t i = 0; i < top->count; i++) free(top->seen[i].name);
    free(top->seen);
    return status;
}

static int check_what(void *arg)
{
    struct top *top = arg;
    top->what = top->word_count > 0 ? top->words[0] : "groups";
    if (strcmp(top->what, "groups") != 0 && strcmp(top->what, "topics") != 0)
        return usage_error("top", "\"%s\" is neither groups nor topics", top->what);
    if (top->group && strcmp(top->what, "topics") == 0)
        return usage_error("top", "-g is for a group's queues, not for topics");
    return -1;
}

int top_command(int argc, char **argv)
{
    struct top top = {.interval_s = DEFAULT_INTERVAL_S, .stuck_s = DEFAULT_STUCK_S};
    const struct argument own[] = {
        OPTION_TEXT('g', "group", "GROUP", "the queues of this group, with their owners",
                    &top.group),
        OPTION_NUMBER('i', "interval", "S", "seconds between two looks (default 2)",
                      &top.interval_s),
        OPTION_NUMBER(0, "count", "N", "end after N looks (default: go on)", &top.looks),
        OPTION_NUMBER(0, "stuck", "S", "a queue with a lag that stood still so long (default 30)",
                      &top.stuck_s),
        OPTION_JSON(top.command),
    };
    struct admin_description description = {
        .name = "top",
        .synopsis = "[groups|topics] [-g GROUP] [option]…",
        .about =
            "Looks at all groups, all topics, or the queues of one group again and again: what\n"
            "comes in, what is done, lag, and queues with a lag that stand still. Offsets are\n"
            "committed every 5 s, so that rates over less are rough. Ends with Ctrl-C.",
        .own = own,
        .own_count = COUNT_OF(own),
        .rest_most = 1,
        .rest = top.words,
        .rest_count = &top.word_count,
        .check = check_what,
        .action = watch,
        .arg = &top,
    };
    return admin_command_run(&top.command, &description, argc, argv);
}
