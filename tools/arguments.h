/* The command line of a subcommand: a table of its own options beside those that all subcommands
 * share (name server, TLS, ACL, -X …), from which both the parsing and --help follow. */
#ifndef TOOLS_ARGUMENTS_H
#define TOOLS_ARGUMENTS_H

#include <mqclient/mqclient.h>

enum argument_kind {
    ARGUMENT_FLAG,   /* target: bool */
    ARGUMENT_TEXT,   /* target: const char * */
    ARGUMENT_NUMBER, /* target: int; 1 and above */
    ARGUMENT_EACH,   /* target: struct text_list; may be repeated */
    ARGUMENT_OPTION, /* the library's option of that name; without a value "yes" */
    ARGUMENT_SETTING,
    ARGUMENT_FILE,
    ARGUMENT_LOG_LEVEL
};

struct argument {
    char letter;       /* 0: none */
    const char *name;  /* without the dashes */
    const char *value; /* what --help calls its value; NULL: it has none */
    const char *help;
    enum argument_kind kind;
    void *target;
    const char *option; /* for ARGUMENT_OPTION */
};

struct text_list {
    const char **items;
    int count;
};

struct arguments {
    const char *command;  /* "send", "topic create" */
    const char *synopsis; /* what follows it in the usage line */
    const char *about;    /* sentences for --help */
    const struct argument *own;
    size_t own_count;
    /* Filled by arguments_parse: */
    bool quiet;
    mqc_options *options; /* name server, TLS and so on, from the shared options */
    const char **rest;    /* what is no option */
    int rest_count;
};

/* -1 when the command shall go on; otherwise the exit code to leave with (help was printed, or the
 * usage was wrong and that was said). arguments_done either way. */
int arguments_parse(struct arguments *arguments, int argc, char **argv);
void arguments_done(struct arguments *arguments);

/* The shared options as the struct that clients are made with. */
mqc_client_options arguments_client(const struct arguments *arguments);

#endif
