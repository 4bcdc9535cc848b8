/* mqc topic create|list|route|delete. Runs on the main thread alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/arguments.h"
#include "tools/mqc.h"
#include "tools/output.h"

struct topic {
    const char *command; /* for messages: "topic create" */
    const char *name, *cluster;
    mqc_topic_options options;
    bool json, quiet;
    bool head_printed, write_failed;
};

/* What a subcommand does once it has a connection. */
typedef mqc_status topic_action(struct topic *topic, mqc_admin *admin, mqc_error *error);

static int create_command(int argc, char **argv);
static int list_command(int argc, char **argv);
static int route_command(int argc, char **argv);
static int delete_command(int argc, char **argv);
static int run(struct topic *topic, struct arguments *arguments, int argc, char **argv,
               topic_action *action);

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} COMMANDS[] = {
    {"create", create_command},
    {"list", list_command},
    {"route", route_command},
    {"delete", delete_command},
};

#define TOPIC_ARGUMENT(topic)                                                                      \
    {                                                                                              \
        't', "topic", "TOPIC", "name of the topic (required)", ARGUMENT_TEXT, &(topic).name, NULL  \
    }
#define CLUSTER_ARGUMENT(topic)                                                                    \
    {                                                                                              \
        'c', "cluster", "NAME", "only the brokers of this cluster", ARGUMENT_TEXT,                 \
            &(topic).cluster, NULL                                                                 \
    }
#define JSON_ARGUMENT(topic)                                                                       \
    {                                                                                              \
        0, "json", NULL, "print JSON lines", ARGUMENT_FLAG, &(topic).json, NULL                    \
    }

int topic_command(int argc, char **argv)
{
    if (argc < 2) return usage_error("topic", "give one of create, list, route and delete");
    if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
        puts("usage: mqc topic create|list|route|delete [option]…\n"
             "\"mqc help topic create\" and so on tell more.");
        return output_finish("topic");
    }
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++)
        if (strcmp(COMMANDS[i].name, argv[1]) == 0) return COMMANDS[i].run(argc - 1, argv + 1);
    return usage_error("topic", "\"%s\" is none of create, list, route and delete", argv[1]);
}

static mqc_status create(struct topic *topic, mqc_admin *admin, mqc_error *error)
{
    mqc_status status =
        mqc_admin_create_topic(admin, topic->cluster, topic->name, &topic->options, error);
    if (!status && !topic->quiet) printf("created %s\n", topic->name);
    return status;
}

static int create_command(int argc, char **argv)
{
    struct topic topic = {.command = "topic create"};
    const struct argument own[] = {
        TOPIC_ARGUMENT(topic),
        {0, "read-queues", "N", "queues to read from (default 8)", ARGUMENT_NUMBER,
         &topic.options.read_queues, NULL},
        {0, "write-queues", "N", "queues to write to (default 8)", ARGUMENT_NUMBER,
         &topic.options.write_queues, NULL},
        CLUSTER_ARGUMENT(topic),
    };
    struct arguments arguments = {
        .synopsis = "-t TOPIC [option]…",
        .about =
            "Creates a topic, or changes its numbers of queues, on the brokers of one cluster\n"
            "or of all, and ends when the name server knows it.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    return run(&topic, &arguments, argc, argv, create);
}

static mqc_status delete (struct topic *topic, mqc_admin *admin, mqc_error *error)
{
    mqc_status status = mqc_admin_delete_topic(admin, topic->cluster, topic->name, error);
    if (!status && !topic->quiet) printf("deleted %s\n", topic->name);
    return status;
}

static int delete_command(int argc, char **argv)
{
    struct topic topic = {.command = "topic delete"};
    const struct argument own[] = {TOPIC_ARGUMENT(topic), CLUSTER_ARGUMENT(topic)};
    struct arguments arguments = {
        .synopsis = "-t TOPIC [option]…",
        .about = "Deletes a topic, with its messages, from the brokers of one cluster or of all,\n"
                 "and from the name servers.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    return run(&topic, &arguments, argc, argv, delete);
}

static bool print_topic(const char *name, void *arg)
{
    struct topic *topic = arg;
    if (topic->quiet) return true;
    bool printed = topic->json ? output_json(json_pack("{s:o}", "topic", json_text(name)))
                               : output_line(name, strlen(name));
    topic->write_failed = !printed;
    return printed;
}

static mqc_status list(struct topic *topic, mqc_admin *admin, mqc_error *error)
{
    return mqc_admin_each_topic(admin, print_topic, topic, error);
}

static int list_command(int argc, char **argv)
{
    struct topic topic = {.command = "topic list", .name = "*"};
    const struct argument own[] = {JSON_ARGUMENT(topic)};
    struct arguments arguments = {
        .synopsis = "[option]…",
        .about = "Prints the name of every topic on a line, in the name server's order.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    return run(&topic, &arguments, argc, argv, list);
}

static const char *permission_text(int permission)
{
    static const char *const TEXTS[] = {"none", "write", "read", "read+write"};
    return TEXTS[(permission & (MQC_PERMISSION_READ | MQC_PERMISSION_WRITE)) /
                 MQC_PERMISSION_WRITE];
}

static bool print_route_line(struct topic *topic, const mqc_topic_route_entry *entry)
{
    if (!topic->head_printed)
        printf("%-20s %-20s %-22s %6s %6s %6s  %s\n", "BROKER", "CLUSTER", "MASTER", "SLAVES",
               "READ", "WRITE", "PERMISSION");
    topic->head_printed = true;
    const char *master = entry->master_address ? entry->master_address : "-";
    return printf("%-20s %-20s %-22s %6d %6d %6d  %s\n", entry->broker_name, entry->cluster, master,
                  entry->slaves, entry->read_queues, entry->write_queues,
                  permission_text(entry->permission)) >= 0;
}

static bool print_route_object(const mqc_topic_route_entry *entry)
{
    return output_json(json_pack(
        "{s:o, s:o, s:o, s:i, s:i, s:i, s:s}", "brokerName", json_text(entry->broker_name),
        "cluster", json_text(entry->cluster), "masterAddress", json_text(entry->master_address),
        "slaves", entry->slaves, "readQueues", entry->read_queues, "writeQueues",
        entry->write_queues, "permission", permission_text(entry->permission)));
}

static bool print_route(const mqc_topic_route_entry *entry, void *arg)
{
    struct topic *topic = arg;
    if (topic->quiet) return true;
    bool printed = topic->json ? print_route_object(entry) : print_route_line(topic, entry);
    topic->write_failed = !printed;
    return printed;
}

static mqc_status route(struct topic *topic, mqc_admin *admin, mqc_error *error)
{
    return mqc_admin_each_route(admin, topic->name, print_route, topic, error);
}

static int route_command(int argc, char **argv)
{
    struct topic topic = {.command = "topic route"};
    const struct argument own[] = {TOPIC_ARGUMENT(topic), JSON_ARGUMENT(topic)};
    struct arguments arguments = {
        .synopsis = "-t TOPIC [option]…",
        .about =
            "Prints the brokers that have the topic, as the name server tells it: their master's\n"
            "address (\"-\" when it is down), and how many slaves and queues they have.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    return run(&topic, &arguments, argc, argv, route);
}

static int run_parsed(struct topic *topic, const struct arguments *arguments, topic_action *action)
{
    if (!topic->name) return usage_error(topic->command, "the topic is missing: give -t TOPIC");
    if (arguments->rest_count > 0)
        return usage_error(topic->command, "unexpected argument \"%s\"", arguments->rest[0]);
    topic->quiet = arguments->quiet;
    mqc_client_options client = arguments_client(arguments);
    mqc_error error;
    mqc_admin *admin = mqc_admin_new(&client, &error);
    mqc_status status = admin ? action(topic, admin, &error) : error.status;
    int number = errno; /* of a failed write */
    mqc_admin_free(admin);
    if (status) return library_failure(topic->command, "", &error);
    errno = number;
    return topic->write_failed ? output_failure(topic->command) : output_finish(topic->command);
}

static int run(struct topic *topic, struct arguments *arguments, int argc, char **argv,
               topic_action *action)
{
    arguments->command = topic->command;
    int code = arguments_parse(arguments, argc, argv);
    if (code < 0) code = run_parsed(topic, arguments, action);
    arguments_done(arguments);
    return code;
}
