/* mqc group members|producers|info. Main thread. */
#include <stdio.h>

#include "tools/group.h"

struct look {
    const char *group, *client_id;
    bool stacks;
    struct admin_command command;
};

static const struct column MEMBER_COLUMNS[] = {
    {"CLIENT ID", "clientId", COLUMN_TEXT}, {"ADDRESS", "address", COLUMN_TEXT},
    {"LANGUAGE", "language", COLUMN_TEXT},  {"VERSION", "version", COLUMN_TEXT},
    {"GROUP", "group", COLUMN_TEXT}, /* last: of producers only */
};

static void add_member(struct report *report, const mqc_group_member *member, bool with_group)
{
    report_text(report, member->client_id);
    report_text(report, member->address);
    report_text(report, member->language);
    report_text(report, member->version_name);
    if (with_group) report_text(report, member->group);
}

static const struct column SUBSCRIPTION_COLUMNS[] = {
    {"TOPIC", "topic", COLUMN_TEXT},
    {"EXPRESSION", "expression", COLUMN_TEXT},
    {"TYPE", "expressionType", COLUMN_TEXT},
};

static void add_subscriptions(struct report *report, bool json,
                              const mqc_group_subscription *const *list, size_t count)
{
    report_init(report, SUBSCRIPTION_COLUMNS, COUNT_OF(SUBSCRIPTION_COLUMNS), json);
    for (size_t i = 0; i < count; i++) {
        report_text(report, list[i]->topic);
        report_text(report, list[i]->expression);
        report_text(report, list[i]->expression_type);
    }
}

/* ---- members ---- */

static mqc_status print_members(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    const mqc_group_members *members;
    mqc_status status = mqc_admin_group_members(command->admin, look->group, &members, error);
    if (status) return status;
    struct report list, subscriptions;
    report_init(&list, MEMBER_COLUMNS, COUNT_OF(MEMBER_COLUMNS) - 1, command->json);
    for (size_t i = 0; i < members->count; i++) add_member(&list, members->members[i], false);
    add_subscriptions(&subscriptions, command->json, members->subscriptions,
                      members->subscription_count);
    if (command->json) {
        print_object(command,
                     json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "group", json_text(look->group),
                               "consumeType", json_text(members->consume_type), "messageModel",
                               json_text(members->message_model), "consumeFromWhere",
                               json_text(members->consume_from), "members", report_take_rows(&list),
                               "subscriptions", report_take_rows(&subscriptions)));
        report_done(&list);
        report_done(&subscriptions);
    } else {
        print_report(command, &list);
        if (!command->quiet) putchar('\n');
        print_report(command, &subscriptions);
        if (!command->quiet)
            printf("\n%s, %s, %s\n", members->consume_type, members->message_model,
                   members->consume_from);
    }
    mqc_admin_result_free(members);
    return MQC_OK;
}

int group_members_command(int argc, char **argv)
{
    struct look look = {0};
    const struct argument own[] = {OPTION_GROUP(look.group), OPTION_JSON(look.command)};
    const struct requirement required[] = {REQUIRE_GROUP(look.group)};
    struct admin_description description = {
        .name = "group members",
        .synopsis = "-g GROUP [option]…",
        .about = "Prints the members of a consumer group that are connected to any broker, and\n"
                 "what the group is subscribed to.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = print_members,
        .arg = &look,
    };
    return admin_command_run(&look.command, &description, argc, argv);
}

/* ---- producers ---- */

static mqc_status print_producers(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    const mqc_producers *producers;
    mqc_status status = mqc_admin_producers(command->admin, look->group, &producers, error);
    if (status) return status;
    struct report report;
    report_init(&report, MEMBER_COLUMNS, COUNT_OF(MEMBER_COLUMNS), command->json);
    for (size_t i = 0; i < producers->count; i++) add_member(&report, producers->members[i], true);
    print_report(command, &report);
    mqc_admin_result_free(producers);
    return MQC_OK;
}

int group_producers_command(int argc, char **argv)
{
    struct look look = {0};
    const struct argument own[] = {
        OPTION_TEXT('g', "group", "GROUP", "only this producer group", &look.group),
        OPTION_JSON(look.command)};
    struct admin_description description = {
        .name = "group producers",
        .synopsis = "[-g GROUP] [option]…",
        .about = "Prints the producers that are connected to any broker.",
        .own = own,
        .own_count = COUNT_OF(own),
        .action = print_producers,
        .arg = &look,
    };
    return admin_command_run(&look.command, &description, argc, argv);
}

/* ---- info ---- */

static const struct column QUEUE_COLUMNS[] = {
    {"TOPIC", "topic", COLUMN_TEXT},
    {"BROKER", "brokerName", COLUMN_TEXT},
    {"QUEUE", "queueId", COLUMN_NUMBER},
    {"COMMITTED", "commitOffset", COLUMN_NUMBER},
    {"CACHED", "cachedMessages", COLUMN_NUMBER},
    {"CACHED MiB", "cachedMiB", COLUMN_NUMBER},
    {"UNACKED", "unacknowledged", COLUMN_NUMBER},
    {"POP", "pop", COLUMN_FLAG},
    {"LOCKED", "locked", COLUMN_FLAG},
    {"DROPPED", "dropped", COLUMN_FLAG},
    {"LAST PULL", "lastPullTimestamp", COLUMN_TIME},
    {"LAST CONSUMED", "lastConsumeTimestamp", COLUMN_TIME},
};

static void add_queues(struct report *report, bool json, const mqc_running_info *info)
{
    report_init(report, QUEUE_COLUMNS, COUNT_OF(QUEUE_COLUMNS), json);
    for (size_t i = 0; i < info->queue_count; i++) {
        const mqc_running_queue *queue = info->queues[i];
        report_text(report, queue->queue.topic);
        report_text(report, queue->queue.broker_name);
        report_number(report, queue->queue.queue_id);
        report_number(report, queue->commit_offset);
        report_number(report, queue->cached_messages);
        report_number(report, queue->cached_mib);
        report_number(report, queue->unacknowledged);
        report_flag(report, queue->pop);
        report_flag(report, queue->locked);
        report_flag(report, queue->dropped);
        report_time(report, queue->last_pull_unix_ms);
        report_time(report, queue->last_consume_unix_ms);
    }
}

static const struct column TOPIC_COLUMNS[] = {
    {"TOPIC", "topic", COLUMN_TEXT},
    {"PULL ms", "pullMs", COLUMN_REAL},
    {"PULL TPS", "pullTps", COLUMN_REAL},
    {"CONSUME ms", "consumeMs", COLUMN_REAL},
    {"OK TPS", "consumeOkTps", COLUMN_REAL},
    {"FAILED TPS", "consumeFailedTps", COLUMN_REAL},
    {"FAILED IN 1 h", "consumeFailedMessages", COLUMN_NUMBER},
};

static void add_topics(struct report *report, bool json, const mqc_running_info *info)
{
    report_init(report, TOPIC_COLUMNS, COUNT_OF(TOPIC_COLUMNS), json);
    for (size_t i = 0; i < info->topic_count; i++) {
        const mqc_running_topic *topic = info->topics[i];
        report_text(report, topic->topic);
        report_real(report, topic->pull_ms);
        report_real(report, topic->pull_tps);
        report_real(report, topic->consume_ms);
        report_real(report, topic->consume_ok_tps);
        report_real(report, topic->consume_failed_tps);
        report_number(report, topic->consume_failed_messages);
    }
}

static void print_info_object(struct admin_command *command, const mqc_running_info *info,
                              struct report parts[3])
{
    json_t *properties = json_object();
    for (size_t i = 0; i < info->properties->count; i++)
        json_object_set_new(properties, info->properties->settings[i]->name,
                            json_text(info->properties->settings[i]->value));
    print_object(command,
                 json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "clientId", json_text(info->client_id),
                           "properties", properties, "subscriptions", report_take_rows(&parts[0]),
                           "queues", report_take_rows(&parts[1]), "topics",
                           report_take_rows(&parts[2]), "stacks", json_text(info->stacks)));
}

static mqc_status print_info(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    const mqc_running_info *info;
    mqc_status status = mqc_admin_running_info(command->admin, look->group, look->client_id,
                                               look->stacks, &info, error);
    if (status) return status;
    struct report parts[3];
    add_subscriptions(&parts[0], command->json, info->subscriptions, info->subscription_count);
    add_queues(&parts[1], command->json, info);
    add_topics(&parts[2], command->json, info);
    if (command->json) print_info_object(command, info, parts);
    if (!command->json) print_settings(command, info->properties);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (command->json || report_rows(&parts[i]) == 0) {
            report_done(&parts[i]);
            continue;
        }
        if (!command->quiet) putchar('\n');
        print_report(command, &parts[i]);
    }
    if (!command->json && !command->quiet && info->stacks) printf("\n%s\n", info->stacks);
    mqc_admin_result_free(info);
    return MQC_OK;
}

int group_info_command(int argc, char **argv)
{
    struct look look = {0};
    const struct argument own[] = {
        OPTION_GROUP(look.group),
        OPTION_TEXT('i', "client", "ID", "client id, as \"mqc group members\" prints it (required)",
                    &look.client_id),
        OPTION_FLAG(0, "stacks", "also its threads, of clients that tell", &look.stacks),
        OPTION_JSON(look.command),
    };
    const struct requirement required[] = {REQUIRE_GROUP(look.group),
                                           {&look.client_id, "the client id", "-i ID"}};
    struct admin_description description = {
        .name = "group info",
        .synopsis = "-g GROUP -i ID [option]…",
        .about =
            "Asks a member of a consumer group, through a broker, what it is doing: settings,\n"
            "subscriptions, queues and rates.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = print_info,
        .arg = &look,
    };
    return admin_command_run(&look.command, &description, argc, argv);
}
