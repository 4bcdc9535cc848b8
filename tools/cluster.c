/* mqc cluster and mqc broker. Main thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/admin_command.h"

struct look {
    const char *cluster, *broker, *address;
    const char *words[3]; /* what is no option */
    int word_count;
    bool writable;
    struct admin_command command;
};

/* ---- cluster list ---- */

static mqc_status add_broker(struct look *look, const mqc_broker *broker, struct report *report)
{
    const mqc_broker_status *status = NULL;
    mqc_error error;
    mqc_status good =
        mqc_admin_broker_status(look->command.admin, broker->address, &status, &error);
    report_text(report, broker->cluster);
    report_text(report, broker->broker_name);
    report_number(report, broker->broker_id);
    report_text(report, broker->address);
    report_text(report, status ? status->version : NULL);
    report_flag(report, status && status->active);
    report_real(report, status ? status->put_tps : 0);
    report_real(report, status ? status->get_tps : 0);
    report_number(report, status ? status->put_today : 0);
    report_number(report, status ? status->get_today : 0);
    report_number(report, status ? status->send_queue : 0);
    report_number(report, status ? status->pull_queue : 0);
    report_number(report, status ? status->page_cache_lock_ms : 0);
    report_time(report, status ? status->oldest_message_unix_ms : 0);
    report_real(report, status && status->disk_ratio >= 0 ? 100 * status->disk_ratio : 0);
    mqc_admin_result_free(status);
    if (good)
        fprintf(stderr, "mqc: cluster list: broker %s (%s): %s\n", broker->broker_name,
                broker->address, error.text);
    return good;
}

/* A broker that does not answer is listed all the same, and makes the exit code 1. */
static mqc_status list_cluster(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"CLUSTER", "cluster", COLUMN_TEXT},
        {"BROKER", "brokerName", COLUMN_TEXT},
        {"ID", "brokerId", COLUMN_NUMBER},
        {"ADDRESS", "address", COLUMN_TEXT},
        {"VERSION", "version", COLUMN_TEXT},
        {"ACTIVE", "active", COLUMN_FLAG},
        {"IN TPS", "putTps", COLUMN_REAL},
        {"OUT TPS", "getTps", COLUMN_REAL},
        {"IN TODAY", "putToday", COLUMN_NUMBER},
        {"OUT TODAY", "getToday", COLUMN_NUMBER},
        {"SEND QUEUE", "sendQueue", COLUMN_NUMBER},
        {"PULL QUEUE", "pullQueue", COLUMN_NUMBER},
        {"PAGE CACHE ms", "pageCacheLockMs", COLUMN_NUMBER},
        {"OLDEST MESSAGE", "oldestMessageTimestamp", COLUMN_TIME},
        {"DISK %", "diskPercent", COLUMN_REAL},
    };
    struct look *look = arg;
    const mqc_brokers *brokers;
    int silent = 0;
    mqc_status status = mqc_admin_brokers(command->admin, look->cluster, &brokers, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), command->json);
    for (size_t i = 0; i < brokers->count; i++)
        silent += add_broker(look, brokers->brokers[i], &report) != MQC_OK;
    print_report(command, &report);
    if (silent > 0) {
        *error = (mqc_error){.status = MQC_NO_CONNECTION};
        snprintf(error->text, sizeof error->text, "%d of %zu brokers did not answer", silent,
                 brokers->count);
    }
    mqc_admin_result_free(brokers);
    return silent > 0 ? MQC_NO_CONNECTION : MQC_OK;
}

static int cluster_list_command(int argc, char **argv)
{
    struct look look = {0};
    const struct argument own[] = {
        OPTION_TEXT('c', "cluster", "NAME", "only this cluster", &look.cluster),
        OPTION_JSON(look.command)};
    struct admin_description description = {
        .name = "cluster list",
        .synopsis = "[option]…",
        .about = "Prints every broker of the clusters that the name server knows, with its most\n"
                 "important figures.",
        .own = own,
        .own_count = COUNT_OF(own),
        .action = list_cluster,
        .arg = &look,
    };
    return admin_command_run(&look.command, &description, argc, argv);
}

int cluster_command(int argc, char **argv)
{
    static const struct subcommand SUBCOMMANDS[] = {
        {"list", cluster_list_command, "print the brokers with their figures"},
    };
    return subcommands_run("cluster", "Looks at clusters.", SUBCOMMANDS, COUNT_OF(SUBCOMMANDS),
                           argc, argv);
}

/* ---- brokers ---- */

/* The address that -b names: itself, or that of the master of the broker of this name. */
static mqc_status find_address(struct look *look, char *out, size_t size, mqc_error *error)
{
    const mqc_brokers *brokers;
    if (strchr(look->broker, ':')) {
        snprintf(out, size, "%s", look->broker);
        return MQC_OK;
    }
    mqc_status status = mqc_admin_brokers(look->command.admin, NULL, &brokers, error);
    if (status) return status;
    out[0] = '\0';
    for (size_t i = 0; i < brokers->count && !*out; i++)
        if (strcmp(brokers->brokers[i]->broker_name, look->broker) == 0)
            snprintf(out, size, "%s", brokers->brokers[i]->address); /* the lowest id */
    mqc_admin_result_free(brokers);
    if (*out) return MQC_OK;
    *error = (mqc_error){.status = MQC_NOT_FOUND};
    snprintf(error->text, sizeof error->text,
             "no broker %s is registered at the name server: \"mqc broker list\" prints those that "
             "are, HOST:PORT asks any",
             look->broker);
    return MQC_NOT_FOUND;
}

static mqc_status list_brokers(struct admin_command *command, void *arg, mqc_error *error)
{
    static const struct column COLUMNS[] = {
        {"CLUSTER", "cluster", COLUMN_TEXT},
        {"BROKER", "brokerName", COLUMN_TEXT},
        {"ID", "brokerId", COLUMN_NUMBER},
        {"ADDRESS", "address", COLUMN_TEXT},
    };
    struct look *look = arg;
    const mqc_brokers *brokers;
    mqc_status status = mqc_admin_brokers(command->admin, look->cluster, &brokers, error);
    if (status) return status;
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), command->json);
    for (size_t i = 0; i < brokers->count; i++) {
        report_text(&report, brokers->brokers[i]->cluster);
        report_text(&report, brokers->brokers[i]->broker_name);
        report_number(&report, brokers->brokers[i]->broker_id);
        report_text(&report, brokers->brokers[i]->address);
    }
    print_report(command, &report);
    mqc_admin_result_free(brokers);
    return MQC_OK;
}

static int broker_list_command(int argc, char **argv)
{
    struct look look = {0};
    const struct argument own[] = {
        OPTION_TEXT('c', "cluster", "NAME", "only this cluster", &look.cluster),
        OPTION_JSON(look.command)};
    struct admin_description description = {
        .name = "broker list",
        .synopsis = "[option]…",
        .about = "Prints the brokers that the name server knows, without asking them.",
        .own = own,
        .own_count = COUNT_OF(own),
        .action = list_brokers,
        .arg = &look,
    };
    return admin_command_run(&look.command, &description, argc, argv);
}

static mqc_status print_status(struct admin_command *command, void *arg, mqc_error *error)
{
    char address[300];
    const mqc_broker_status *answer;
    mqc_status status = find_address(arg, address, sizeof address, error);
    if (!status) status = mqc_admin_broker_status(command->admin, address, &answer, error);
    if (status) return status;
    print_settings(command, answer->all);
    mqc_admin_result_free(answer);
    return MQC_OK;
}

static mqc_status print_config(struct admin_command *command, void *arg, mqc_error *error)
{
    char address[300];
    const mqc_settings *settings;
    mqc_status status = find_address(arg, address, sizeof address, error);
    if (!status) status = mqc_admin_broker_config(command->admin, address, &settings, error);
    if (status) return status;
    print_settings(command, settings);
    mqc_admin_result_free(settings);
    return MQC_OK;
}

static mqc_status set_config(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    char address[300];
    mqc_status status = find_address(look, address, sizeof address, error);
    if (!status)
        status = mqc_admin_set_broker_config(command->admin, address, look->words[0],
                                             look->words[1], error);
    if (!status) print_done(command, "set", look->words[0]);
    return status;
}

static mqc_status set_writable(struct admin_command *command, void *arg, mqc_error *error)
{
    struct look *look = arg;
    int topics = 0;
    mqc_status status =
        mqc_admin_set_broker_writable(command->admin, look->broker, look->writable, &topics, error);
    if (status) return status;
    if (command->json)
        print_object(command, json_pack("{s:o, s:b, s:i}", "brokerName", json_text(look->broker),
                                        "writable", look->writable, "topics", topics));
    else if (!command->quiet)
        printf("%s %s, %d topics changed\n", look->broker,
               look->writable ? "takes messages" : "takes no new messages", topics);
    return MQC_OK;
}

static int check_name_and_value(void *arg)
{
    struct look *look = arg;
    if (look->word_count == 2) return -1;
    return usage_error("broker set", "give a name and a value");
}

static int broker_run(struct look *look, struct admin_description *description, int argc,
                      char **argv)
{
    const struct argument own[] = {OPTION_TEXT('b', "broker", "BROKER",
                                               "its name, for the master, or HOST:PORT (required)",
                                               &look->broker),
                                   OPTION_JSON(look->command)};
    const struct requirement required[] = {{&look->broker, "the broker", "-b BROKER"}};
    description->own = own;
    description->own_count = COUNT_OF(own);
    description->required = required;
    description->required_count = COUNT_OF(required);
    description->rest = look->words;
    description->rest_count = &look->word_count;
    description->arg = look;
    return admin_command_run(&look->command, description, argc, argv);
}

static int broker_status_command(int argc, char **argv)
{
    struct look look = {0};
    struct admin_description description = {
        .name = "broker status",
        .synopsis = "-b BROKER [option]…",
        .about = "Prints all figures of a running broker, as it tells them.",
        .action = print_status,
    };
    return broker_run(&look, &description, argc, argv);
}

static int broker_config_command(int argc, char **argv)
{
    struct look look = {0};
    struct admin_description description = {
        .name = "broker config",
        .synopsis = "-b BROKER [option]…",
        .about = "Prints all settings of a running broker.",
        .action = print_config,
    };
    return broker_run(&look, &description, argc, argv);
}

static int broker_set_command(int argc, char **argv)
{
    struct look look = {0};
    struct admin_description description = {
        .name = "broker set",
        .synopsis = "-b BROKER [option]… NAME VALUE",
        .about = "Changes one setting of a running broker, which also writes it to its file.",
        .rest_most = 2,
        .check = check_name_and_value,
        .action = set_config,
    };
    return broker_run(&look, &description, argc, argv);
}

static int broker_readonly_command(int argc, char **argv)
{
    struct look look = {0};
    struct admin_description description = {
        .name = "broker readonly",
        .synopsis = "-b BROKER [option]…",
        .about = "Takes all topics of a broker (by name) out of sending, at every name server:\n"
                 "consumers go on until it is empty.",
        .action = set_writable,
    };
    return broker_run(&look, &description, argc, argv);
}

static int broker_writable_command(int argc, char **argv)
{
    struct look look = {.writable = true};
    struct admin_description description = {
        .name = "broker writable",
        .synopsis = "-b BROKER [option]…",
        .about = "Lets a broker (by name) have new messages again.",
        .action = set_writable,
    };
    return broker_run(&look, &description, argc, argv);
}

int broker_command(int argc, char **argv)
{
    static const struct subcommand SUBCOMMANDS[] = {
        {"list", broker_list_command, "print the brokers"},
        {"status", broker_status_command, "print a broker's figures"},
        {"config", broker_config_command, "print a broker's settings"},
        {"set", broker_set_command, "change a setting of a broker"},
        {"readonly", broker_readonly_command, "let a broker have no new messages"},
        {"writable", broker_writable_command, "let a broker have new messages again"},
    };
    return subcommands_run("broker", "Looks after brokers.", SUBCOMMANDS, COUNT_OF(SUBCOMMANDS),
                           argc, argv);
}
