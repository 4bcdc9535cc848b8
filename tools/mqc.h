/* What the files of the tool share: its subcommands and its exit codes. The tool uses nothing of
 * the library but the public API. */
#ifndef TOOLS_MQC_H
#define TOOLS_MQC_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2, /* the command line, an option or an argument is wrong */
    EXIT_TIMEOUT = 3
};

/* Each runs a subcommand, argv[0] being its name, and returns an exit code. */
int send_command(int argc, char **argv);
int request_command(int argc, char **argv);
int reply_command(int argc, char **argv);
int consume_command(int argc, char **argv);
int tail_command(int argc, char **argv);
int pull_command(int argc, char **argv);
int topic_command(int argc, char **argv);
int group_command(int argc, char **argv);
int message_command(int argc, char **argv);
int cluster_command(int argc, char **argv);
int broker_command(int argc, char **argv);
int namesrv_command(int argc, char **argv);
int top_command(int argc, char **argv);
int doctor_command(int argc, char **argv);
int demo_command(int argc, char **argv);
int embedded_command(int argc, char **argv);
int bench_command(int argc, char **argv);
int options_command(int argc, char **argv);
int statistics_command(int argc, char **argv);

#endif
