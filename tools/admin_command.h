/* What the commands of administration have in common: groups of subcommands ("mqc topic list"), the
 * admin handle's life, and arguments that are times. Main thread. */
#ifndef TOOLS_ADMIN_COMMAND_H
#define TOOLS_ADMIN_COMMAND_H

#include "tools/arguments.h"
#include "tools/mqc.h"
#include "tools/report.h"

struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

/* Runs the subcommand that argv[1] names, or prints what there are. */
int subcommands_run(const char *group, const char *about, const struct subcommand *subcommands,
                    size_t count, int argc, char **argv);

/* A command while it runs. */
struct admin_command {
    const char *name; /* "topic list" */
    bool json, quiet;
    mqc_admin *admin;
    mqc_client_options client;
    bool write_failed; /* errno says why */
};

/* What a command does once it has a handle. A failed write is noted in write_failed. */
typedef mqc_status admin_action(struct admin_command *command, void *arg, mqc_error *error);

/* An option without which a command cannot go on: it is missing while *value is NULL. */
struct requirement {
    const char *const *value;
    const char *what;   /* "the topic" */
    const char *option; /* "-t TOPIC" */
};

/* A command's whole description. */
struct admin_description {
    const char *name;
    const char *synopsis;
    const char *about;
    const struct argument *own;
    size_t own_count;
    const struct requirement *required;
    size_t required_count;
    int rest_most; /* arguments that are no options */
    const char **rest;
    int *rest_count;
    /* Checks more and makes times of texts; -1: go on. May be NULL. */
    int (*check)(void *arg);
    admin_action *action;
    void *arg; /* for both */
};

/* Parses, checks, connects, acts, and returns the exit code. */
int admin_command_run(struct admin_command *command, const struct admin_description *description,
                      int argc, char **argv);

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Entries of `own`. */
#define OPTION_TEXT(letter, name, value, help, target)                                             \
    {                                                                                              \
        letter, name, value, help, ARGUMENT_TEXT, target, NULL                                     \
    }
#define OPTION_NUMBER(letter, name, value, help, target)                                           \
    {                                                                                              \
        letter, name, value, help, ARGUMENT_NUMBER, target, NULL                                   \
    }
#define OPTION_FLAG(letter, name, help, target)                                                    \
    {                                                                                              \
        letter, name, NULL, help, ARGUMENT_FLAG, target, NULL                                      \
    }
#define OPTION_JSON(command) OPTION_FLAG(0, "json", "print JSON", &(command).json)

/* A time: milliseconds since 1970, yyyyMMddHHmmss or "yyyy-MM-dd HH:mm:ss" in local time, "now", or
 * so long ago: "90s", "15m", "2h", "3d". */
bool parse_time(const char *text, int64_t *unix_ms);

/* The same with -1 for success; otherwise the exit code, the error being said. A NULL text leaves
 * *unix_ms alone. */
int take_time(const char *command, const char *option, const char *text, int64_t *unix_ms);

/* Prints a report as a table, unless quiet, and frees it. */
void print_report(struct admin_command *command, struct report *report);
void print_records(struct admin_command *command, struct report *report);

/* NAME VALUE rows, or one object. */
void print_settings(struct admin_command *command, const mqc_settings *settings);

/* A name a line, or an object with one member a line. */
void print_names(struct admin_command *command, const char *member, const mqc_name_list *names);

/* Prints an object, unless quiet, and drops it. */
void print_object(struct admin_command *command, json_t *object);

/* "deleted orders", or {"deleted":"orders"}. */
void print_done(struct admin_command *command, const char *what, const char *name);

#endif
