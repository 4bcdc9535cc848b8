/* mqc topic create|update|delete|list|route; the subcommands that look into topics are in
 * topic_status.c. Main thread. */
#include <stdio.h>
#include <string.h>

#include "tools/topic.h"

struct topic {
    const char *name, *cluster;
    const char *permission;
    mqc_topic_options options;
    struct admin_command command;
};

static int create_command(int argc, char **argv);
static int update_command(int argc, char **argv);
static int delete_command(int argc, char **argv);
static int list_command(int argc, char **argv);
static int route_command(int argc, char **argv);

int topic_command(int argc, char **argv)
{
    static const struct subcommand SUBCOMMANDS[] = {
        {"create", create_command, "create a topic, or set it to what is given"},
        {"update", update_command, "change a topic's queues, permission or type"},
        {"delete", delete_command, "delete a topic with its messages"},
        {"list", list_command, "print the names of the topics"},
        {"route", route_command, "print the brokers that have a topic"},
        {"status", topic_status_command, "print what the queues of a topic hold"},
        {"config", topic_config_command, "print how brokers have a topic configured"},
        {"groups", topic_groups_command, "print the groups that consume a topic"},
        {"offsets", topic_offsets_command, "print the offsets of a topic's queues at a time"},
    };
    return subcommands_run("topic", "Looks after topics.", SUBCOMMANDS, COUNT_OF(SUBCOMMANDS), argc,
                           argv);
}

/* ---- create, update, delete ---- */

static const struct {
    const char *text;
    int permission;
} PERMISSIONS[] = {{"none", 0},
                   {"write", MQC_PERMISSION_WRITE},
                   {"read", MQC_PERMISSION_READ},
                   {"read+write", MQC_PERMISSION_READ | MQC_PERMISSION_WRITE}};

const char *permission_text(int permission)
{
    return PERMISSIONS[(permission & (MQC_PERMISSION_READ | MQC_PERMISSION_WRITE)) /
                       MQC_PERMISSION_WRITE]
        .text;
}

static int check_permission(void *arg)
{
    struct topic *topic = arg;
    if (!topic->permission) return -1;
    for (size_t i = 1; i < COUNT_OF(PERMISSIONS); i++)
        if (strcmp(PERMISSIONS[i].text, topic->permission) == 0) {
            topic->options.permission = PERMISSIONS[i].permission;
            return -1;
        }
    return usage_error(topic->command.name,
                       "--permission is \"%s\": give read, write or read+write", topic->permission);
}

static mqc_status create(struct admin_command *command, void *arg, mqc_error *error)
{
    struct topic *topic = arg;
    mqc_status status =
        mqc_admin_create_topic(command->admin, topic->cluster, topic->name, &topic->options, error);
    if (!status) print_done(command, "created", topic->name);
    return status;
}

static mqc_status update(struct admin_command *command, void *arg, mqc_error *error)
{
    struct topic *topic = arg;
    mqc_status status =
        mqc_admin_update_topic(command->admin, topic->cluster, topic->name, &topic->options, error);
    if (!status) print_done(command, "updated", topic->name);
    return status;
}

static int change_command(struct topic *topic, struct admin_description *description, int argc,
                          char **argv)
{
    const struct argument own[] = {
        OPTION_TOPIC(topic->name),
        OPTION_NUMBER(0, "read-queues", "N", "queues to read from (new: 8)",
                      &topic->options.read_queues),
        OPTION_NUMBER(0, "write-queues", "N", "queues to write to (new: 8)",
                      &topic->options.write_queues),
        OPTION_TEXT(0, "permission", "P", "read, write or read+write (new: read+write)",
                    &topic->permission),
        OPTION_TEXT(0, "type", "TYPE", "NORMAL, FIFO, DELAY, TRANSACTION, MIXED or PRIORITY (5.x)",
                    &topic->options.message_type),
        OPTION_FLAG(0, "ordered", "mark it as ordered", &topic->options.ordered),
        OPTION_CLUSTER(topic->cluster),
        OPTION_TEXT('b', "broker", "NAME", "only the broker of this name",
                    &topic->options.broker_name),
    };
    const struct requirement required[] = {REQUIRE_TOPIC(topic->name)};
    description->own = own;
    description->own_count = COUNT_OF(own);
    description->required = required;
    description->required_count = COUNT_OF(required);
    description->check = check_permission;
    description->arg = topic;
    topic->command.name = description->name;
    return admin_command_run(&topic->command, description, argc, argv);
}

static int create_command(int argc, char **argv)
{
    struct topic topic = {0};
    struct admin_description description = {
        .name = "topic create",
        .synopsis = "-t TOPIC [option]…",
        .about =
            "Creates a topic, or sets one that exists to what is given, on the brokers of one\n"
            "cluster or of all, and ends when the name server knows it.",
        .action = create,
    };
    return change_command(&topic, &description, argc, argv);
}

static int update_command(int argc, char **argv)
{
    struct topic topic = {0};
    struct admin_description description = {
        .name = "topic update",
        .synopsis = "-t TOPIC [option]…",
        .about = "Changes what is given of a topic and leaves the rest as it is, on each broker\n"
                 "that has it, and ends when the name server knows it.",
        .action = update,
    };
    return change_command(&topic, &description, argc, argv);
}

static mqc_status delete_topic(struct admin_command *command, void *arg, mqc_error *error)
{
    struct topic *topic = arg;
    mqc_status status = mqc_admin_delete_topic(command->admin, topic->cluster, topic->name, error);
    if (!status) print_done(command, "deleted", topic->name);
    return status;
}

static int delete_command(int argc, char **argv)
{
    struct topic topic = {0};
    const struct argument own[] = {OPTION_TOPIC(topic.name), OPTION_CLUSTER(topic.cluster)};
    const struct requirement required[] = {REQUIRE_TOPIC(topic.name)};
    struct admin_description description = {
        .name = "topic delete",
        .synopsis = "-t TOPIC [option]…",
        .about = "Deletes a topic, with its messages, from the brokers of one cluster or of all,\n"
                 "and from the name servers.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = delete_topic,
        .arg = &topic,
    };
    return admin_command_run(&topic.command, &description, argc, argv);
}

/* ---- list, route ---- */

static bool print_topic(const char *name, void *arg)
{
    struct admin_command *command = arg;
    if (command->quiet) return true;
    bool printed = command->json ? output_json(json_pack("{s:o}", "topic", json_text(name)))
                                 : output_line(name, strlen(name));
    command->write_failed = !printed;
    return printed;
}

static mqc_status list(struct admin_command *command, void *arg, mqc_error *error)
{
    struct topic *topic = arg;
    const mqc_name_list *topics;
    if (!topic->cluster) return mqc_admin_each_topic(command->admin, print_topic, command, error);
    mqc_status status = mqc_admin_topics(command->admin, topic->cluster, &topics, error);
    if (status) return status;
    print_names(command, "topic", topics);
    mqc_admin_result_free(topics);
    return MQC_OK;
}

static int list_command(int argc, char **argv)
{
    struct topic topic = {0};
    const struct argument own[] = {
        OPTION_TEXT('c', "cluster", "NAME", "only the topics of this cluster", &topic.cluster),
        OPTION_JSON(topic.command)};
    struct admin_description description = {
        .name = "topic list",
        .synopsis = "[option]…",
        .about = "Prints the name of every topic on a line, in the name server's order.",
        .own = own,
        .own_count = COUNT_OF(own),
        .action = list,
        .arg = &topic,
    };
    return admin_command_run(&topic.command, &description, argc, argv);
}

static bool add_route(const mqc_topic_route_entry *entry, void *arg)
{
    struct report *report = arg;
    report_text(report, entry->broker_name);
    report_text(report, entry->cluster);
    report_text(report, entry->master_address);
    report_number(report, entry->slaves);
    report_number(report, entry->read_queues);
    report_number(report, entry->write_queues);
    report_text(report, permission_text(entry->permission));
    return true;
}

static mqc_status route(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"BROKER", "brokerName", COLUMN_TEXT},     {"CLUSTER", "cluster", COLUMN_TEXT},
        {"MASTER", "masterAddress", COLUMN_TEXT},  {"SLAVES", "slaves", COLUMN_NUMBER},
        {"READ", "readQueues", COLUMN_NUMBER},     {"WRITE", "writeQueues", COLUMN_NUMBER},
        {"PERMISSION", "permission", COLUMN_TEXT},
    };
    struct topic *topic = arg;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), command->json);
    mqc_status status =
        mqc_admin_each_route(command->admin, topic->name, add_route, &report, error);
    if (status)
        report_done(&report);
    else
        print_report(command, &report);
    return status;
}

static int route_command(int argc, char **argv)
{
    struct topic topic = {0};
    const struct argument own[] = {OPTION_TOPIC(topic.name), OPTION_JSON(topic.command)};
    const struct requirement required[] = {REQUIRE_TOPIC(topic.name)};
    struct admin_description description = {
        .name = "topic route",
        .synopsis = "-t TOPIC [option]…",
        .about =
            "Prints the brokers that have the topic, as the name server tells it: their master's\n"
            "address (\"-\" when it is down), and how many slaves and queues they have.",
        .own = own,
        .own_count = COUNT_OF(own),
        .required = required,
        .required_count = COUNT_OF(required),
        .action = route,
        .arg = &topic,
    };
    return admin_command_run(&topic.command, &description, argc, argv);
}
