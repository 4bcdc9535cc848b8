/* mqc message track|consume|resend|dlq|replay. Main thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/group.h"
#include "tools/message.h"

struct action {
    const char *topic, *id, *group, *client_id, *to;
    const char *begin, *end;
    struct text_list ids;
    bool all;
    int most;
    mqc_message_range range;
    char dead_letters[300]; /* the topic */
    struct admin_command command;
};

/* Finds the message of -t and -i and acts on it. */
typedef mqc_status message_action(struct action *action, const mqc_message *message,
                                  mqc_error *error);

static mqc_status with_message(struct action *action, message_action *act, mqc_error *error)
{
    mqc_message *message;
    mqc_status status =
        mqc_admin_message_by_id(action->command.admin, action->topic, action->id, &message, error);
    if (status) return status;
    status = act(action, message, error);
    mqc_message_free(message);
    return status;
}

#define REQUIRE_ID(action)                                                                         \
    {                                                                                              \
        &(action).id, "the id", "-i ID"                                                            \
    }
#define OPTION_ID_TOPIC(action)                                                                    \
    OPTION_TEXT('t', "topic", "TOPIC", "its topic (required for a unique id)", &(action).topic)

/* ---- track ---- */

static mqc_status print_tracks(struct action *action, const mqc_message *message, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"GROUP", "group", COLUMN_TEXT},
        {"STATE", "state", COLUMN_TEXT},
        {"DETAIL", "detail", COLUMN_TEXT},
    };
    const mqc_message_tracks *tracks;
    mqc_status status = mqc_admin_message_tracks(action->command.admin, message, &tracks, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), action->command.json);
    for (size_t i = 0; i < tracks->count; i++) {
        report_text(&report, tracks->tracks[i]->group);
        report_text(&report, mqc_track_state_name(tracks->tracks[i]->state));
        report_text(&report, tracks->tracks[i]->detail);
    }
    print_report(&action->command, &report);
    mqc_admin_result_free(tracks);
    return MQC_OK;
}

static mqc_status track(struct admin_command *command, void *arg, mqc_error *error)
{
    (void)command;
    return with_message(arg, print_tracks, error);
}

int message_track_command(int argc, char **argv)
{
    struct action action = {0};
    const struct argument own[] = {OPTION_ID(action.id), OPTION_ID_TOPIC(action),
                                   OPTION_JSON(action.command)};
    const struct requirement required[] = {REQUIRE_ID(action)};
    struct admin_description description = {
        .name = "message track",
        .synopsis = "-i ID [-t TOPIC] [option]…",
        .about =
            "Prints, for each group that consumes the message's topic, whether it has consumed\n"
            "the message: as far as offsets tell, and for groups that are online.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = track,
        .arg = &action,
    };
    return admin_command_run(&action.command, &description, argc, argv);
}

/* ---- consume ---- */

static mqc_status consume_one(struct action *action, const mqc_message *message, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"RESULT", "result", COLUMN_TEXT},
        {"REMARK", "remark", COLUMN_TEXT},
        {"SPENT ms", "spentMs", COLUMN_NUMBER},
        {"ORDERED", "ordered", COLUMN_FLAG},
    };
    const mqc_direct_result *result;
    mqc_status status = mqc_admin_consume_directly(action->command.admin, action->group,
                                                   action->client_id, message, &result, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), action->command.json);
    report_text(&report, result->result);
    report_text(&report, *result->remark ? result->remark : NULL);
    report_number(&report, result->spent_ms);
    report_flag(&report, result->ordered);
    print_records(&action->command, &report);
    mqc_admin_result_free(result);
    return MQC_OK;
}

static mqc_status consume(struct admin_command *command, void *arg, mqc_error *error)
{
    (void)command;
    return with_message(arg, consume_one, error);
}

int message_consume_command(int argc, char **argv)
{
    struct action action = {0};
    const struct argument own[] = {
        OPTION_ID(action.id),
        OPTION_ID_TOPIC(action),
        OPTION_GROUP(action.group),
        OPTION_TEXT(0, "client", "ID", "this member (default: any)", &action.client_id),
        OPTION_JSON(action.command),
    };
    const struct requirement required[] = {REQUIRE_ID(action), REQUIRE_GROUP(action.group)};
    struct admin_description description = {
        .name = "message consume",
        .synopsis = "-i ID -g GROUP [option]…",
        .about =
            "Has a member of a group consume a message now and prints what it says. No offset\n"
            "changes, nothing is retried.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = consume,
        .arg = &action,
    };
    return admin_command_run(&action.command, &description, argc, argv);
}

/* ---- resend ---- */

static mqc_status resend_one(struct action *action, const mqc_message *message, mqc_error *error)
{
    mqc_status status = mqc_admin_resend(action->command.admin, message, action->to, error);
    if (!status) print_done(&action->command, "sent", action->id);
    return status;
}

static mqc_status resend(struct admin_command *command, void *arg, mqc_error *error)
{
    (void)command;
    return with_message(arg, resend_one, error);
}

int message_resend_command(int argc, char **argv)
{
    struct action action = {0};
    const struct argument own[] = {
        OPTION_ID(action.id),
        OPTION_ID_TOPIC(action),
        OPTION_TEXT(0, "to", "TOPIC", "to this topic (default: its own)", &action.to),
    };
    const struct requirement required[] = {REQUIRE_ID(action)};
    struct admin_description description = {
        .name = "message resend",
        .synopsis = "-i ID [-t TOPIC] [option]…",
        .about = "Sends a copy of a message, for every group: a new message with a new id.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = resend,
        .arg = &action,
    };
    return admin_command_run(&action.command, &description, argc, argv);
}

/* ---- dead letters ---- */

static int check_dead_letters(void *arg)
{
    struct action *action = arg;
    const char *name = action->command.name;
    int code = take_time(name, "--begin", action->begin, &action->range.begin_unix_ms);
    if (code < 0) code = take_time(name, "--end", action->end, &action->range.end_unix_ms);
    snprintf(action->dead_letters, sizeof action->dead_letters, "%%DLQ%%%s", action->group);
    action->range.topic = action->dead_letters;
    return code;
}

static mqc_status each_dead_letter(struct action *action, mqc_message_visitor *visit, void *arg,
                                   mqc_error *error)
{
    mqc_status status =
        mqc_admin_each_message(action->command.admin, &action->range, visit, arg, error);
    if (status != MQC_NO_ROUTE) return status;
    return MQC_OK; /* a group's first dead letter makes the topic */
}

static mqc_status print_dead_letters(struct admin_command *command, void *arg, mqc_error *error)
{
    struct action *action = arg;
    struct message_printer printer;
    message_printer_init(&printer, command, action->most);
    mqc_status status = each_dead_letter(action, message_printer_add, &printer, error);
    message_printer_finish(&printer);
    return status;
}

int message_dlq_command(int argc, char **argv)
{
    struct action action = {.command.name = "message dlq"};
    const struct argument own[] = {
        OPTION_GROUP(action.group),
        OPTION_TEXT(0, "begin", "TIME", "given up then or later", &action.begin),
        OPTION_TEXT(0, "end", "TIME", "given up before", &action.end),
        OPTION_NUMBER(0, "most", "N", "at most so many (default: all)", &action.most),
        OPTION_JSON(action.command),
    };
    const struct requirement required[] = {REQUIRE_GROUP(action.group)};
    struct admin_description description = {
        .name = "message dlq",
        .synopsis = "-g GROUP [option]…",
        .about =
            "Prints the dead letters of a group: the messages that it has refused for the last\n"
            "time. A time is as in \"mqc group reset\".",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .check = check_dead_letters,
        .action = print_dead_letters,
        .arg = &action,
    };
    return admin_command_run(&action.command, &description, argc, argv);
}

/* ---- replay ---- */

struct replay {
    struct action *action;
    bool *found; /* of each id on the command line */
    int count;
    mqc_status status;
    mqc_error *error;
};

static bool is_wanted(struct replay *replay, const mqc_message *message)
{
    const struct text_list *ids = &replay->action->ids;
    bool wanted = replay->action->all;
    for (int i = 0; i < ids->count; i++) {
        if (strcmp(ids->items[i], mqc_message_id(message)) != 0 &&
            strcmp(ids->items[i], mqc_message_offset_id(message)) != 0)
            continue;
        replay->found[i] = wanted = true;
    }
    return wanted;
}

static bool replay_one(const mqc_message *message, void *arg)
{
    struct replay *replay = arg;
    struct action *action = replay->action;
    if (!is_wanted(replay, message)) return true;
    replay->status = mqc_admin_replay(action->command.admin, action->group, message, replay->error);
    if (replay->status) return false;
    print_done(&action->command, "replayed", mqc_message_id(message));
    replay->count++;
    return !action->command.write_failed && replay->count != action->most;
}

static mqc_status replay(struct admin_command *command, void *arg, mqc_error *error)
{
    struct action *action = arg;
    struct replay replay = {.action = action, .error = error};
    (void)command;
    replay.found = calloc((size_t)action->ids.count + 1, sizeof *replay.found);
    if (!replay.found) {
        *error = (mqc_error){.status = MQC_NO_MEMORY, .text = "out of memory"};
        return MQC_NO_MEMORY;
    }
    mqc_status status = each_dead_letter(action, replay_one, &replay, error);
    if (!status) status = replay.status;
    for (int i = 0; !status && i < action->ids.count; i++) {
        if (replay.found[i]) continue;
        status = MQC_NOT_FOUND;
        *error = (mqc_error){.status = status};
        snprintf(error->text, sizeof error->text, "group %.120s has no dead letter %.100s",
                 action->group, action->ids.items[i]);
    }
    free(replay.found);
    return status;
}

static int check_replay(void *arg)
{
    struct action *action = arg;
    if (!action->all == (action->ids.count == 0))
        return usage_error(action->command.name, "give either -i ID or --all");
    return check_dead_letters(arg);
}

int message_replay_command(int argc, char **argv)
{
    struct action action = {.command.name = "message replay"};
    const struct argument own[] = {
        OPTION_GROUP(action.group),
        {'i', "id", "ID", "the dead letter with this id; may be repeated", ARGUMENT_EACH,
         &action.ids, NULL},
        OPTION_FLAG(0, "all", "all dead letters of the range", &action.all),
        OPTION_TEXT(0, "begin", "TIME", "given up then or later", &action.begin),
        OPTION_TEXT(0, "end", "TIME", "given up before", &action.end),
        OPTION_NUMBER(0, "most", "N", "at most so many", &action.most),
        OPTION_JSON(action.command),
    };
    const struct requirement required[] = {REQUIRE_GROUP(action.group)};
    struct admin_description description = {
        .name = "message replay",
        .synopsis = "-g GROUP -i ID|--all [option]…",
        .about = "Gives dead letters to their group again, and to no other, with their retries\n"
                 "counted from 0, and prints their ids. They also stay dead letters until the\n"
                 "broker's retention ends: who replays all twice, gives them twice.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .check = check_replay,
        .action = replay,
        .arg = &action,
    };
    return admin_command_run(&action.command, &description, argc, argv);
}
