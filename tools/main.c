/* mqc, the command-line tool: finds the subcommand and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <mqclient/mqclient.h>

#include "tools/mqc.h"
#include "tools/output.h"

static int help_command(int argc, char **argv);
static int version_command(int argc, char **argv);

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} COMMANDS[] = {
    {"send", send_command, "send a message, or each line of standard input as one"},
    {"request", request_command, "send a message and print the reply to it"},
    {"reply", reply_command, "answer the requests that come to a topic"},
    {"consume", consume_command, "print the messages of a topic as a member of a group"},
    {"tail", tail_command, "print what comes to a topic, without a group"},
    {"pull", pull_command, "print messages of one queue"},
    {"topic", topic_command, "look after topics"},
    {"group", group_command, "look after consumer groups: progress, members, offsets"},
    {"message", message_command, "find stored messages, and give them again"},
    {"cluster", cluster_command, "list clusters with their brokers' figures"},
    {"broker", broker_command, "look after brokers"},
    {"namesrv", namesrv_command, "look at name servers and the keys they keep"},
    {"top", top_command, "watch groups or topics: rates, lag, queues that stand still"},
    {"doctor", doctor_command, "find out where the way to the cluster ends, and what to do"},
    {"embedded", embedded_command, "run a cluster in memory, for tests"},
    {"demo", demo_command, "show a producer and two consumers at work"},
    {"bench", bench_command, "measure sending, consuming and latency on a cluster"},
    {"options", options_command, "list the names that -X takes"},
    {"statistics", statistics_command, "list the figures that clients keep of themselves"},
    {"version", version_command, "print the versions of the tool and the library"},
    {"help", help_command, "print this, or the help of a command"},
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0] };

static const struct command *find_command(const char *name);

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed output is an error like any other */
    if (argc < 2) {
        fputs("mqc: a command is missing: see \"mqc help\"\n", stderr);
        return EXIT_USAGE;
    }
    const struct command *command = find_command(argv[1]);
    if (command) return command->run(argc - 1, argv + 1);
    fprintf(stderr, "mqc: there is no command \"%s\": see \"mqc help\"\n", argv[1]);
    return EXIT_USAGE;
}

static const struct command *find_command(const char *name)
{
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) name = "help";
    if (strcmp(name, "--version") == 0) name = "version";
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i].name, name) == 0) return &COMMANDS[i];
    return NULL;
}

static int version_command(int argc, char **argv)
{
    if (argc > 1) return usage_error(argv[0], "unexpected argument \"%s\"", argv[1]);
    printf("mqc %s (libmqclient %s)\n", MQC_VERSION, mqc_version());
    return output_finish(argv[0]);
}

/* "mqc help topic create" is "mqc topic create --help". */
static int help_command(int argc, char **argv)
{
    if (argc > 3) return usage_error("help", "unexpected argument \"%s\"", argv[3]);
    if (argc > 1) {
        const struct command *command = find_command(argv[1]);
        if (!command || command->run == help_command || command->run == version_command)
            return usage_error("help", "there is no help for \"%s\"", argv[1]);
        char *words[] = {argv[1], argc > 2 ? argv[2] : "--help", argc > 2 ? "--help" : NULL, NULL};
        return command->run(argc > 2 ? 3 : 2, words);
    }
    puts("usage: mqc COMMAND [option]… [argument]…\n"
         "Sends to, consumes from and looks after topics of Apache RocketMQ.\n\ncommands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    puts("\n\"mqc COMMAND --help\" lists a command's options. All that talk to a cluster take\n"
         "-n HOST:PORT for the name server; without it NAMESRV_ADDR is used.\n\n"
         "exit codes: 0 done, 1 failed, 2 wrong usage, 3 the time was over");
    return output_finish("help");
}
