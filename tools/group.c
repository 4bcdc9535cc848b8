/* mqc group create|update|delete|list|config|topics; the subcommands about progress and members are
 * in group_progress.c, group_members.c and group_mode.c. Main thread. */
#include "tools/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/topic.h"

struct group {
    const char *name, *cluster;
    const char *retries, *consume, *broadcast, *ordered;
    bool keep_offsets;
    mqc_group_options options;
    struct admin_command command;
};

static int create_command(int argc, char **argv);
static int update_command(int argc, char **argv);
static int delete_command(int argc, char **argv);
static int list_command(int argc, char **argv);
static int config_command(int argc, char **argv);
static int topics_command(int argc, char **argv);

int group_command(int argc, char **argv)
{
    static const struct subcommand SUBCOMMANDS[] = {
        {"create", create_command, "create a group, or set it to what is given"},
        {"update", update_command, "change a group's settings"},
        {"delete", delete_command, "delete a group with its offsets and dead letters"},
        {"list", list_command, "print the names of the groups"},
        {"config", config_command, "print how brokers have a group configured"},
        {"topics", topics_command, "print the topics that a group consumes"},
        {"progress", group_progress_command, "print how far a group is, or all groups are"},
        {"members", group_members_command, "print who of a group is connected"},
        {"producers", group_producers_command, "print the producers that are connected"},
        {"info", group_info_command, "print what a member tells of itself"},
        {"reset", group_reset_command, "move a group's offsets to a time or an offset"},
        {"clone", group_clone_command, "give a group the offsets of another one"},
        {"mode", group_mode_command, "have a group pull or pop a topic (5.x)"},
    };
    return subcommands_run("group", "Looks after consumer groups.", SUBCOMMANDS,
                           COUNT_OF(SUBCOMMANDS), argc, argv);
}

/* ---- create, update ---- */

static int take_switch(const char *command, const char *option, const char *text, int *out)
{
    if (!text) return -1;
    if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0) {
        *out = text[0] == 'y' ? 1 : -1;
        return -1;
    }
    return usage_error(command, "%s is \"%s\": give yes or no", option, text);
}

/* 0 is a number of retries too, and no ARGUMENT_NUMBER. */
static int take_retries(const char *command, const char *text, int *out)
{
    char *end;
    if (!text) return -1;
    long number = strtol(text, &end, 10);
    if (end == text || *end || number < 0 || number > 1000000)
        return usage_error(command, "--retries is \"%s\": give a number from 0 to 1000000", text);
    *out = number == 0 ? -1 : (int)number;
    return -1;
}

static int check_options(void *arg)
{
    struct group *group = arg;
    const char *name = group->command.name;
    int code = take_retries(name, group->retries, &group->options.retry_max_times);
    if (code < 0) code = take_switch(name, "--consume", group->consume, &group->options.consume);
    if (code < 0)
        code = take_switch(name, "--broadcast", group->broadcast, &group->options.broadcast);
    if (code < 0) code = take_switch(name, "--ordered", group->ordered, &group->options.ordered);
    return code;
}

static mqc_status create(struct admin_command *command, void *arg, mqc_error *error)
{
    struct group *group = arg;
    mqc_status status =
        mqc_admin_create_group(command->admin, group->cluster, group->name, &group->options, error);
    if (!status) print_done(command, "created", group->name);
    return status;
}

static mqc_status update(struct admin_command *command, void *arg, mqc_error *error)
{
    struct group *group = arg;
    mqc_status status =
        mqc_admin_update_group(command->admin, group->cluster, group->name, &group->options, error);
    if (!status) print_done(command, "updated", group->name);
    return status;
}

static int change_command(struct group *group, struct admin_description *description, int argc,
                          char **argv)
{
    const struct argument own[] = {
        OPTION_GROUP(group->name),
        OPTION_TEXT(0, "retries", "N", "deliveries again before the dead letters (new: 16)",
                    &group->retries),
        OPTION_NUMBER(0, "retry-queues", "N", "queues of the retry topic (new: 1)",
                      &group->options.retry_queues),
        OPTION_TEXT(0, "consume", "YES|NO", "whether members get messages (new: yes)",
                    &group->consume),
        OPTION_TEXT(0, "broadcast", "YES|NO", "whether broadcasting is allowed (new: yes)",
                    &group->broadcast),
        OPTION_TEXT(0, "ordered", "YES|NO", "whether pop keeps the order (new: no)",
                    &group->ordered),
        OPTION_NUMBER(0, "timeout", "MIN", "minutes that a message may be held (new: 15)",
                      &group->options.consume_timeout_minutes),
        OPTION_CLUSTER(group->cluster),
        OPTION_TEXT('b', "broker", "NAME", "only the broker of this name",
                    &group->options.broker_name),
    };
    const struct requirement required[] = {REQUIRE_GROUP(group->name)};
    description->own = own;
    description->own_count = COUNT_OF(own);
    description->required = required;
    description->required_count = COUNT_OF(required);
    description->check = check_options;
    description->arg = group;
    group->command.name = description->name;
    return admin_command_run(&group->command, description, argc, argv);
}

static int create_command(int argc, char **argv)
{
    struct group group = {0};
    struct admin_description description = {
        .name = "group create",
        .synopsis = "-g GROUP [option]…",
        .about = "Creates a consumer group, or sets one that exists to what is given, on the\n"
                 "brokers of one cluster or of all.",
        .action = create,
    };
    return change_command(&group, &description, argc, argv);
}

static int update_command(int argc, char **argv)
{
    struct group group = {0};
    struct admin_description description = {
        .name = "group update",
        .synopsis = "-g GROUP [option]…",
        .about = "Changes what is given of a group and leaves the rest as it is, on each broker\n"
                 "that has it.",
        .action = update,
    };
    return change_command(&group, &description, argc, argv);
}

/* ---- delete ---- */

static mqc_status delete_group(struct admin_command *command, void *arg, mqc_error *error)
{
    struct group *group = arg;
    mqc_status status = mqc_admin_delete_group(command->admin, group->cluster, group->name,
                                               group->keep_offsets, error);
    if (!status) print_done(command, "deleted", group->name);
    return status;
}

static int delete_command(int argc, char **argv)
{
    struct group group = {0};
    const struct argument own[] = {
        OPTION_GROUP(group.name),
        OPTION_FLAG(0, "keep-offsets", "leave its offsets where they are", &group.keep_offsets),
        OPTION_CLUSTER(group.cluster),
    };
    const struct requirement required[] = {REQUIRE_GROUP(group.name)};
    struct admin_description description = {
        .name = "group delete",
        .synopsis = "-g GROUP [option]…",
        .about = "Deletes a group from the brokers of one cluster or of all, with its offsets and\n"
                 "with its retry and dead letter topics.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = delete_group,
        .arg = &group,
    };
    return admin_command_run(&group.command, &description, argc, argv);
}

/* ---- list, topics, config ---- */

static mqc_status list(struct admin_command *command, void *arg, mqc_error *error)
{
    struct group *group = arg;
    const mqc_name_list *groups;
    mqc_status status = mqc_admin_groups(command->admin, group->cluster, &groups, error);
    if (status) return status;
    print_names(command, "group", groups);
    mqc_admin_result_free(groups);
    return MQC_OK;
}

static int list_command(int argc, char **argv)
{
    struct group group = {0};
    const struct argument own[] = {OPTION_CLUSTER(group.cluster), OPTION_JSON(group.command)};
    struct admin_description description = {
        .name = "group list",
        .synopsis = "[option]…",
        .about = "Prints the name of every consumer group that a broker has, sorted, the system's\n"
                 "own included. \"mqc group progress\" prints how far they are.",
        .own = own,
        .own_count = COUNT_OF(own),
        .action = list,
        .arg = &group,
    };
    return admin_command_run(&group.command, &description, argc, argv);
}

static mqc_status topics(struct admin_command *command, void *arg, mqc_error *error)
{
    struct group *group = arg;
    const mqc_name_list *names;
    mqc_status status = mqc_admin_group_topics(command->admin, group->name, &names, error);
    if (status) return status;
    print_names(command, "topic", names);
    mqc_admin_result_free(names);
    return MQC_OK;
}

static int topics_command(int argc, char **argv)
{
    struct group group = {0};
    const struct argument own[] = {OPTION_GROUP(group.name), OPTION_JSON(group.command)};
    const struct requirement required[] = {REQUIRE_GROUP(group.name)};
    struct admin_description description = {
        .name = "group topics",
        .synopsis = "-g GROUP [option]…",
        .about = "Prints the topics that a group has offsets in or is subscribed to.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = topics,
        .arg = &group,
    };
    return admin_command_run(&group.command, &description, argc, argv);
}

static mqc_status config(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"BROKER", "brokerName", COLUMN_TEXT},
        {"CLUSTER", "cluster", COLUMN_TEXT},
        {"GROUP", "group", COLUMN_TEXT},
        {"RETRIES", "retryMaxTimes", COLUMN_NUMBER},
        {"RETRY QUEUES", "retryQueues", COLUMN_NUMBER},
        {"CONSUME", "consume", COLUMN_FLAG},
        {"BROADCAST", "broadcast", COLUMN_FLAG},
        {"ORDERED", "ordered", COLUMN_FLAG},
        {"TIMEOUT MIN", "consumeTimeoutMinutes", COLUMN_NUMBER},
    };
    struct group *group = arg;
    const mqc_group_configs *configs;
    mqc_status status = mqc_admin_group_config(command->admin, group->name, &configs, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), command->json);
    for (size_t i = 0; i < configs->count; i++) {
        const mqc_group_config *row = configs->configs[i];
        report_text(&report, row->broker_name);
        report_text(&report, row->cluster);
        report_text(&report, row->group);
        report_number(&report, row->retry_max_times);
        report_number(&report, row->retry_queues);
        report_flag(&report, row->consume);
        report_flag(&report, row->broadcast);
        report_flag(&report, row->ordered);
        report_number(&report, row->consume_timeout_minutes);
    }
    print_report(command, &report);
    mqc_admin_result_free(configs);
    return MQC_OK;
}

static int config_command(int argc, char **argv)
{
    struct group group = {0};
    const struct argument own[] = {OPTION_GROUP(group.name), OPTION_JSON(group.command)};
    const struct requirement required[] = {REQUIRE_GROUP(group.name)};
    struct admin_description description = {
        .name = "group config",
        .synopsis = "-g GROUP [option]…",
        .about = "Prints how each broker that has a group has it configured.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = config,
        .arg = &group,
    };
    return admin_command_run(&group.command, &description, argc, argv);
}
