/* mqc group progress|reset|clone. Main thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/group.h"

#define RETRY_PREFIX "%RETRY%"

/* ---- progress ---- */

struct progress {
    const char *group, *topic;
    bool owners;
    struct admin_command command;
};

static const struct column QUEUE_COLUMNS[] = {
    {"TOPIC", "topic", COLUMN_TEXT},
    {"BROKER", "brokerName", COLUMN_TEXT},
    {"QUEUE", "queueId", COLUMN_NUMBER},
    {"BROKER OFFSET", "brokerOffset", COLUMN_NUMBER},
    {"CONSUMER OFFSET", "consumerOffset", COLUMN_NUMBER},
    {"LAG", "lag", COLUMN_NUMBER},
    {"INFLIGHT", "inflight", COLUMN_NUMBER},
    {"LAST CONSUMED", "lastTimestamp", COLUMN_TIME},
    {"OWNER", "clientId", COLUMN_TEXT}, /* last: only when it was asked for */
};

static void add_queue(struct report *report, const mqc_queue_progress *queue, bool owners)
{
    report_text(report, queue->queue.topic);
    report_text(report, queue->queue.broker_name);
    report_number(report, queue->queue.queue_id);
    report_number(report, queue->broker_offset);
    report_number(report, queue->consumer_offset);
    report_number(report, queue->lag);
    report_number(report, queue->inflight);
    report_time(report, queue->last_unix_ms);
    if (owners) report_text(report, queue->client_id);
}

static mqc_status print_one(struct progress *progress, mqc_error *error)
{
    struct admin_command *command = &progress->command;
    const mqc_group_progress *answer;
    mqc_status status =
        mqc_admin_group_progress(command->admin, progress->group, progress->topic,
                                 progress->owners ? MQC_PROGRESS_OWNERS : 0, &answer, error);
    if (status) return status;
    struct report report;
    report_init(&report, QUEUE_COLUMNS, COUNT_OF(QUEUE_COLUMNS) - !progress->owners, command->json);
    for (size_t i = 0; i < answer->count; i++)
        add_queue(&report, answer->queues[i], progress->owners);
    if (command->json) {
        print_object(command,
                     json_pack("{s:o, s:f, s:I, s:I, s:o}", "group", json_text(progress->group),
                               "consumeTps", answer->consume_tps, "lag", (json_int_t)answer->lag,
                               "inflight", (json_int_t)answer->inflight, "queues",
                               report_take_rows(&report)));
        report_done(&report);
    } else {
        print_report(command, &report);
        if (!command->quiet)
            printf("\nlag %lld, in flight %lld, %.2f consumed a second\n", (long long)answer->lag,
                   (long long)answer->inflight, answer->consume_tps);
    }
    mqc_admin_result_free(answer);
    return MQC_OK;
}

/* Of a group that is there by its retry topic; what cannot be known is left empty, as in
 * mqadmin. */
static mqc_status add_group(struct progress *progress, const char *group, struct report *report,
                            mqc_error *error)
{
    const mqc_group_progress *answer = NULL;
    const mqc_group_members *members = NULL;
    mqc_admin *admin = progress->command.admin;
    mqc_status status = mqc_admin_group_progress(admin, group, NULL, 0, &answer, error);
    if (status && status != MQC_NOT_FOUND) return status;
    status = mqc_admin_group_members(admin, group, &members, error);
    if (!status || status == MQC_NOT_FOUND) {
        status = MQC_OK;
        report_text(report, group);
        report_number(report, members ? (int64_t)members->count : 0);
        report_text(report, members ? members->consume_type : NULL);
        report_text(report, members ? members->message_model : NULL);
        report_real(report, answer ? answer->consume_tps : 0);
        report_number(report, answer ? answer->lag : 0);
        report_number(report, answer ? answer->inflight : 0);
    }
    mqc_admin_result_free(members);
    mqc_admin_result_free(answer);
    return status;
}

static mqc_status print_all(struct progress *progress, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"GROUP", "group", COLUMN_TEXT},         {"MEMBERS", "members", COLUMN_NUMBER},
        {"TYPE", "consumeType", COLUMN_TEXT},    {"MODEL", "messageModel", COLUMN_TEXT},
        {"TPS", "consumeTps", COLUMN_REAL},      {"LAG", "lag", COLUMN_NUMBER},
        {"INFLIGHT", "inflight", COLUMN_NUMBER},
    };
    const mqc_name_list *topics;
    mqc_status status = mqc_admin_topics(progress->command.admin, NULL, &topics, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), progress->command.json);
    for (size_t i = 0; !status && i < topics->count; i++) {
        const char *topic = topics->names[i], *group = topic + strlen(RETRY_PREFIX);
        /* Topics of pop's retries have a topic's name behind the group's. */
        if (strncmp(topic, RETRY_PREFIX, strlen(RETRY_PREFIX)) == 0 && !strchr(group, '+'))
            status = add_group(progress, group, &report, error);
    }
    if (status)
        report_done(&report);
    else
        print_report(&progress->command, &report);
    mqc_admin_result_free(topics);
    return status;
}

static mqc_status print_progress(struct admin_command *command, void *arg, mqc_error *error)
{
    struct progress *progress = arg;
    (void)command;
    return progress->group ? print_one(progress, error) : print_all(progress, error);
}

static int check_progress(void *arg)
{
    struct progress *progress = arg;
    if (progress->group || (!progress->topic && !progress->owners)) return -1;
    return usage_error("group progress", "--topic and --owners are for one group: give -g GROUP");
}

int group_progress_command(int argc, char **argv)
{
    struct progress progress = {0};
    const struct argument own[] = {
        OPTION_TEXT('g', "group", "GROUP", "this group's queues (default: all groups)",
                    &progress.group),
        OPTION_TEXT('t', "topic", "TOPIC", "only this topic", &progress.topic),
        OPTION_FLAG(0, "owners", "also who has each queue", &progress.owners),
        OPTION_JSON(progress.command),
    };
    struct admin_description description = {
        .name = "group progress",
        .synopsis = "[-g GROUP] [option]…",
        .about =
            "Prints for each queue how far a group is and how much it lags behind, or the sum\n"
            "for every group. Offsets are up to 5 s old; messages that wait for their next\n"
            "delivery are not counted.",
        .own = own,
        .own_count = COUNT_OF(own),
        .check = check_progress,
        .action = print_progress,
        .arg = &progress,
    };
    return admin_command_run(&progress.command, &description, argc, argv);
}

/* ---- reset ---- */

struct reset {
    const char *group, *topic, *to, *broker, *queue, *offset;
    int64_t unix_ms, offset_number;
    int queue_id;
    struct admin_command command;
};

static const char RESET[] = "group reset";

static int take_number(const char *option, const char *text, int64_t most, int64_t *out)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || number < 0 || number > most)
        return usage_error(RESET, "%s is \"%s\": give a number from 0 on", option, text);
    *out = number;
    return -1;
}

static int check_reset(void *arg)
{
    struct reset *reset = arg;
    if (!reset->offset == !reset->to)
        return usage_error(RESET, "give either --to TIME or --offset N");
    if (reset->to) {
        if (reset->broker || reset->queue)
            return usage_error(RESET, "--broker and --queue go with --offset: a time is for all "
                                      "queues of the topic");
        if (strcmp(reset->to, "end") != 0)
            return take_time(RESET, "--to", reset->to, &reset->unix_ms);
        reset->unix_ms = MQC_RESET_TO_END;
        return -1;
    }
    if (!reset->broker || !reset->queue)
        return usage_error(RESET, "--offset is for one queue: give -b BROKER and --queue N");
    int64_t queue_id = 0;
    int code = take_number("--queue", reset->queue, INT32_MAX, &queue_id);
    reset->queue_id = (int)queue_id;
    return code < 0 ? take_number("--offset", reset->offset, INT64_MAX, &reset->offset_number)
                    : code;
}

static void add_offset(struct report *report, const mqc_message_queue *queue, int64_t offset)
{
    report_text(report, queue->topic);
    report_text(report, queue->broker_name);
    report_number(report, queue->queue_id);
    report_number(report, offset);
}

static mqc_status reset_offsets(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"TOPIC", "topic", COLUMN_TEXT},
        {"BROKER", "brokerName", COLUMN_TEXT},
        {"QUEUE", "queueId", COLUMN_NUMBER},
        {"NEW OFFSET", "offset", COLUMN_NUMBER},
    };
    struct reset *reset = arg;
    const mqc_offsets *offsets = NULL;
    mqc_message_queue queue = {reset->topic, reset->broker, reset->queue_id};
    mqc_status status = reset->to
                            ? mqc_admin_reset_offsets(command->admin, reset->group, reset->topic,
                                                      reset->unix_ms, &offsets, error)
                            : mqc_admin_reset_offset(command->admin, reset->group, &queue,
                                                     reset->offset_number, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), command->json);
    if (!reset->to) add_offset(&report, &queue, reset->offset_number);
    for (size_t i = 0; offsets && i < offsets->count; i++)
        add_offset(&report, &offsets->offsets[i]->queue, offsets->offsets[i]->offset);
    print_report(command, &report);
    mqc_admin_result_free(offsets);
    return MQC_OK;
}

int group_reset_command(int argc, char **argv)
{
    struct reset reset = {0};
    const struct argument own[] = {
        OPTION_GROUP(reset.group),
        OPTION_TEXT('t', "topic", "TOPIC", "the topic (required)", &reset.topic),
        OPTION_TEXT(0, "to", "TIME", "to the first message then or later, or \"end\"", &reset.to),
        OPTION_TEXT(0, "offset", "N", "to this offset, in one queue", &reset.offset),
        OPTION_TEXT('b', "broker", "NAME", "with --offset: the queue's broker", &reset.broker),
        OPTION_TEXT(0, "queue", "N", "with --offset: the queue's number", &reset.queue),
        OPTION_JSON(reset.command),
    };
    const struct requirement required[] = {REQUIRE_GROUP(reset.group),
                                           {&reset.topic, "the topic", "-t TOPIC"}};
    struct admin_description description = {
        .name = RESET,
        .synopsis = "-g GROUP -t TOPIC --to TIME|--offset N [option]…",
        .about =
            "Moves a group's offsets, online or not, forward or back, and prints the new ones.\n"
            "Messages between are consumed again, or never. " TIME_HELP,
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .check = check_reset,
        .action = reset_offsets,
        .arg = &reset,
    };
    return admin_command_run(&reset.command, &description, argc, argv);
}

/* ---- clone ---- */

struct clone {
    const char *from, *to, *topic;
    struct admin_command command;
};

static mqc_status clone_offsets(struct admin_command *command, void *arg, mqc_error *error)
{
    struct clone *clone = arg;
    mqc_status status =
        mqc_admin_clone_offsets(command->admin, clone->from, clone->to, clone->topic, error);
    if (!status) print_done(command, "cloned", clone->to);
    return status;
}

int group_clone_command(int argc, char **argv)
{
    struct clone clone = {0};
    const struct argument own[] = {
        OPTION_TEXT(0, "from", "GROUP", "the group that has the offsets (required)", &clone.from),
        OPTION_TEXT(0, "to", "GROUP", "the group that gets them (required)", &clone.to),
        OPTION_TEXT('t', "topic", "TOPIC", "only in this topic (default: all)", &clone.topic),
    };
    const struct requirement required[] = {{&clone.from, "the group to clone", "--from GROUP"},
                                           {&clone.to, "the group that gets them", "--to GROUP"}};
    struct admin_description description = {
        .name = "group clone",
        .synopsis = "--from GROUP --to GROUP [option]…",
        .about = "Gives a group the offsets of another one. The group that gets them should be\n"
                 "offline.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = clone_offsets,
        .arg = &clone,
    };
    return admin_command_run(&clone.command, &description, argc, argv);
}
