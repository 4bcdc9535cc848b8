/* mqc topic status|config|groups|offsets. Main thread. */
#include <stdio.h>

#include "tools/topic.h"

struct look {
    const char *topic, *at;
    int64_t at_unix_ms;
    struct admin_command command;
};

/* A command that needs a topic and prints. */
static int look_run(struct look *look, struct admin_description *description, int argc, char **argv)
{
    const struct argument own[] = {OPTION_TOPIC(look->topic), OPTION_JSON(look->command)};
    const struct requirement required[] = {REQUIRE_TOPIC(look->topic)};
    description->own = own;
    description->own_count = COUNT_OF(own);
    description->required = required;
    description->required_count = COUNT_OF(required);
    description->arg = look;
    return admin_command_run(&look->command, description, argc, argv);
}

/* ---- status ---- */

static mqc_status print_status(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"BROKER", "brokerName", COLUMN_TEXT},
        {"QUEUE", "queueId", COLUMN_NUMBER},
        {"MIN OFFSET", "minOffset", COLUMN_NUMBER},
        {"MAX OFFSET", "maxOffset", COLUMN_NUMBER},
        {"MESSAGES", "messages", COLUMN_NUMBER},
        {"LAST UPDATED", "lastUpdateTimestamp", COLUMN_TIME},
    };
    struct look *look = arg;
    const mqc_topic_status *status;
    mqc_status good = mqc_admin_topic_status(command->admin, look->topic, &status, error);
    if (good) return good;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), command->json);
    for (size_t i = 0; i < status->count; i++) {
        const mqc_queue_status *queue = status->queues[i];
        report_text(&report, queue->queue.broker_name);
        report_number(&report, queue->queue.queue_id);
        report_number(&report, queue->min_offset);
        report_number(&report, queue->max_offset);
        report_number(&report, queue->max_offset - queue->min_offset);
        report_time(&report, queue->last_update_unix_ms);
    }
    if (command->json) {
        print_object(command,
                     json_pack("{s:o, s:f, s:I, s:o}", "topic", json_text(look->topic), "putTps",
                               status->put_tps, "messages", (json_int_t)status->messages, "queues",
                               report_take_rows(&report)));
        report_done(&report);
    } else {
        print_report(command, &report);
        if (!command->quiet)
            printf("\n%lld messages, %.2f a second come in\n", (long long)status->messages,
                   status->put_tps);
    }
    mqc_admin_result_free(status);
    return MQC_OK;
}

int topic_status_command(int argc, char **argv)
{
    struct look look = {0};
    struct admin_description description = {
        .name = "topic status",
        .synopsis = "-t TOPIC [option]…",
        .about = "Prints the offsets of every queue of a topic and when its last message came.",
        .action = print_status,
    };
    return look_run(&look, &description, argc, argv);
}

/* ---- config ---- */

/* The attributes as "name=value, name=value". */
static void join_attributes(const mqc_settings *attributes, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < attributes->count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s=%s", i ? ", " : "",
                                 attributes->settings[i]->name, attributes->settings[i]->value);
}

static void print_config_object(struct admin_command *command, const mqc_topic_config *config)
{
    json_t *attributes = json_object();
    for (size_t i = 0; i < config->attributes->count; i++)
        json_object_set_new(attributes, config->attributes->settings[i]->name,
                            json_text(config->attributes->settings[i]->value));
    print_object(command,
                 json_pack("{s:o, s:o, s:o, s:i, s:i, s:s, s:b, s:o, s:o}", "topic",
                           json_text(config->topic), "brokerName", json_text(config->broker_name),
                           "cluster", json_text(config->cluster), "readQueues", config->read_queues,
                           "writeQueues", config->write_queues, "permission",
                           permission_text(config->permission), "ordered", config->ordered,
                           "messageType",
                           json_text(*config->message_type ? config->message_type : NULL),
                           "attributes", attributes));
}

static mqc_status print_config(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"BROKER", "", COLUMN_TEXT},     {"CLUSTER", "", COLUMN_TEXT},
        {"READ", "", COLUMN_NUMBER},     {"WRITE", "", COLUMN_NUMBER},
        {"PERMISSION", "", COLUMN_TEXT}, {"ORDERED", "", COLUMN_FLAG},
        {"ATTRIBUTES", "", COLUMN_TEXT},
    };
    struct look *look = arg;
    const mqc_topic_configs *configs;
    mqc_status status = mqc_admin_topic_config(command->admin, look->topic, &configs, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), false);
    for (size_t i = 0; i < configs->count; i++) {
        const mqc_topic_config *config = configs->configs[i];
        char attributes[1024];
        join_attributes(config->attributes, attributes, sizeof attributes);
        if (command->json) print_config_object(command, config);
        report_text(&report, config->broker_name);
        report_text(&report, config->cluster);
        report_number(&report, config->read_queues);
        report_number(&report, config->write_queues);
        report_text(&report, permission_text(config->permission));
        report_flag(&report, config->ordered);
        report_text(&report, attributes);
    }
    if (command->json)
        report_done(&report);
    else
        print_report(command, &report);
    mqc_admin_result_free(configs);
    return MQC_OK;
}

int topic_config_command(int argc, char **argv)
{
    struct look look = {0};
    struct admin_description description = {
        .name = "topic config",
        .synopsis = "-t TOPIC [option]…",
        .about = "Prints how each broker that has a topic has it configured.",
        .action = print_config,
    };
    return look_run(&look, &description, argc, argv);
}

/* ---- groups ---- */

static mqc_status print_groups(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    const mqc_name_list *groups;
    mqc_status status = mqc_admin_topic_groups(command->admin, look->topic, &groups, error);
    if (status) return status;
    print_names(command, "group", groups);
    mqc_admin_result_free(groups);
    return MQC_OK;
}

int topic_groups_command(int argc, char **argv)
{
    struct look look = {0};
    struct admin_description description = {
        .name = "topic groups",
        .synopsis = "-t TOPIC [option]…",
        .about = "Prints the groups that are subscribed to a topic or have offsets in it.",
        .action = print_groups,
    };
    return look_run(&look, &description, argc, argv);
}

/* ---- offsets ---- */

static int check_at(void *arg)
{
    struct look *look = arg;
    return take_time("topic offsets", "--at", look->at, &look->at_unix_ms);
}

static mqc_status add_offsets(struct look *look, const mqc_topic_status *status,
                              struct report *report, mqc_error *error)
{
    for (size_t i = 0; i < status->count; i++) {
        const mqc_queue_status *queue = status->queues[i];
        int64_t offset = 0, oldest_unix_ms = 0;
        mqc_status good =
            mqc_admin_oldest_time(look->command.admin, &queue->queue, &oldest_unix_ms, error);
        if (!good)
            good = mqc_admin_offset_at(look->command.admin, &queue->queue, look->at_unix_ms,
                                       &offset, error);
        if (good) return good;
        report_text(report, queue->queue.broker_name);
        report_number(report, queue->queue.queue_id);
        report_number(report, offset);
        report_number(report, queue->min_offset);
        report_number(report, queue->max_offset);
        report_time(report, oldest_unix_ms < 0 ? 0 : oldest_unix_ms);
    }
    return MQC_OK;
}

static mqc_status print_offsets(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"BROKER", "brokerName", COLUMN_TEXT},      {"QUEUE", "queueId", COLUMN_NUMBER},
        {"OFFSET", "offset", COLUMN_NUMBER},        {"MIN OFFSET", "minOffset", COLUMN_NUMBER},
        {"MAX OFFSET", "maxOffset", COLUMN_NUMBER}, {"OLDEST", "oldestTimestamp", COLUMN_TIME},
    };
    struct look *look = arg;
    const mqc_topic_status *status;
    mqc_status good = mqc_admin_topic_status(command->admin, look->topic, &status, error);
    if (good) return good;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), command->json);
    good = add_offsets(look, status, &report, error);
    if (good)
        report_done(&report);
    else
        print_report(command, &report);
    mqc_admin_result_free(status);
    return good;
}

int topic_offsets_command(int argc, char **argv)
{
    struct look look = {0};
    const struct argument own[] = {
        OPTION_TOPIC(look.topic),
        OPTION_TEXT(0, "at", "TIME", "the time (required): see \"mqc group reset --help\"",
                    &look.at),
        OPTION_JSON(look.command),
    };
    const struct requirement required[] = {REQUIRE_TOPIC(look.topic),
                                           {&look.at, "the time", "--at TIME"}};
    struct admin_description description = {
        .name = "topic offsets",
        .synopsis = "-t TOPIC --at TIME [option]…",
        .about = "Prints for each queue the offset of the first message stored at a time or after\n"
                 "it (the max offset when there is none), and when its oldest message was stored.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .check = check_at,
        .action = print_offsets,
        .arg = &look,
    };
    return admin_command_run(&look.command, &description, argc, argv);
}
