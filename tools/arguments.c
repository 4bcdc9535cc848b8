/* Parsing of command lines by tables (see arguments.h); main thread. Options and other arguments
 * may be mixed; "--" ends the options; "-" is no option. */
#include "tools/arguments.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/mqc.h"
#include "tools/output.h"

#define SHARED_OPTION(letter, name, value, option, help)                                           \
    {                                                                                              \
        letter, name, value, help, ARGUMENT_OPTION, NULL, option                                   \
    }

static const struct argument SHARED[] = {
    SHARED_OPTION('n', "name-server", "HOST:PORT", "namesrvAddr",
                  "name servers, separated by ';' (default: $NAMESRV_ADDR)"),
    SHARED_OPTION(0, "tls", NULL, "useTLS", "use TLS"),
    SHARED_OPTION(0, "tls-ca", "FILE", "tlsCaFile", "authorities to trust (PEM)"),
    SHARED_OPTION(0, "tls-cert", "FILE", "tlsCertificateFile", "this client's certificate (PEM)"),
    SHARED_OPTION(0, "tls-key", "FILE", "tlsKeyFile", "its private key (PEM)"),
    SHARED_OPTION(0, "tls-key-password", "TEXT", "tlsKeyPassword", "password of the key"),
    SHARED_OPTION(0, "tls-crl", "FILE", "tlsCrlFile", "lists of revoked certificates (PEM)"),
    SHARED_OPTION(0, "tls-server-name", "NAME", "tlsServerName",
                  "name that the servers' certificates must have"),
    SHARED_OPTION(0, "tls-skip-verify", NULL, "tlsSkipVerify", "trust anybody: for tests only"),
    SHARED_OPTION(0, "access-key", "KEY", "accessKey", "ACL user"),
    SHARED_OPTION(0, "secret-key", "KEY", "secretKey", "ACL secret"),
    {'X', "option", "NAME=VALUE", "set any option of the library (see \"mqc options\")",
     ARGUMENT_SETTING, NULL, NULL},
    {0, "options-file", "FILE", "set options from \"name = value\" lines", ARGUMENT_FILE, NULL,
     NULL},
    {0, "log-level", "LEVEL", "off, error, warn (default), info, debug or wire; to standard error",
     ARGUMENT_LOG_LEVEL, NULL, NULL},
};
enum { SHARED_COUNT = sizeof SHARED / sizeof SHARED[0] };

static int parse_option(struct arguments *arguments, int argc, char **argv, int *at);
static int take(struct arguments *arguments, const struct argument *argument, int argc,
                const char *value);
static int print_help(const struct arguments *arguments);

int arguments_parse(struct arguments *arguments, int argc, char **argv)
{
    arguments->options = mqc_options_new();
    arguments->rest = calloc((size_t)argc, sizeof *arguments->rest);
    if (!arguments->options || !arguments->rest)
        return failure(arguments->command, "out of memory");
    bool options_ended = false;
    for (int i = 1; i < argc; i++) {
        if (options_ended || argv[i][0] != '-' || argv[i][1] == '\0') {
            arguments->rest[arguments->rest_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            options_ended = true;
        } else {
            int code = parse_option(arguments, argc, argv, &i);
            if (code >= 0) return code;
        }
    }
    return -1;
}

void arguments_done(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->own_count; i++) {
        const struct argument *argument = &arguments->own[i];
        if (argument->kind == ARGUMENT_EACH) free(((struct text_list *)argument->target)->items);
    }
    mqc_options_free(arguments->options);
    free(arguments->rest);
}

mqc_client_options arguments_client(const struct arguments *arguments)
{
    mqc_client_options client = {0};
    mqc_options_to_client(arguments->options, &client);
    return client;
}

/* `name` is a letter or a long name of `size` characters. */
static bool is_called(const struct argument *argument, const char *name, size_t size, bool is_long)
{
    if (!is_long) return argument->letter == name[0];
    return strlen(argument->name) == size && strncmp(argument->name, name, size) == 0;
}

static const struct argument *find(const struct arguments *arguments, const char *name, size_t size,
                                   bool is_long)
{
    for (size_t i = 0; i < arguments->own_count; i++)
        if (is_called(&arguments->own[i], name, size, is_long)) return &arguments->own[i];
    for (size_t i = 0; i < SHARED_COUNT; i++)
        if (is_called(&SHARED[i], name, size, is_long)) return &SHARED[i];
    return NULL;
}

/* "-q": quiet, "-h": help, for every command. */
static int parse_built_in(struct arguments *arguments, const char *word)
{
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) return print_help(arguments);
    if (strcmp(word, "-q") != 0 && strcmp(word, "--quiet") != 0)
        return usage_error(arguments->command, "there is no option \"%s\"", word);
    arguments->quiet = true;
    return -1;
}

/* "-tVALUE", "-t VALUE", "--topic=VALUE", "--topic VALUE", "--json". */
static int parse_option(struct arguments *arguments, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t size = is_long ? strcspn(name, "=") : 1;
    const struct argument *argument = find(arguments, name, size, is_long);
    if (!argument) return parse_built_in(arguments, word);
    const char *value = NULL;
    if (name[size] != '\0') value = is_long ? name + size + 1 : name + size;
    int shown = (int)(name + size - word);
    if (!argument->value) {
        if (value) return usage_error(arguments->command, "\"%.*s\" takes no value", shown, word);
        return take(arguments, argument, argc, "yes");
    }
    if (!value && *at + 1 < argc) value = argv[++*at];
    if (!value)
        return usage_error(arguments->command, "\"%s\" needs a value: %s", word, argument->value);
    return take(arguments, argument, argc, value);
}

static int take_number(const struct arguments *arguments, const struct argument *argument,
                       const char *value)
{
    char *end;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (end == value || *end != '\0' || errno || number < 1 || number > INT_MAX)
        return usage_error(arguments->command, "--%s is \"%s\": give a number from 1 to %d",
                           argument->name, value, INT_MAX);
    *(int *)argument->target = (int)number;
    return -1;
}

static int take_each(const struct arguments *arguments, const struct argument *argument, int argc,
                     const char *value)
{
    struct text_list *list = argument->target;
    if (!list->items) list->items = calloc((size_t)argc, sizeof *list->items);
    if (!list->items) return failure(arguments->command, "out of memory");
    list->items[list->count++] = value;
    return -1;
}

/* -X name=value */
static int take_setting(const struct arguments *arguments, const char *setting)
{
    const char *equals = strchr(setting, '=');
    if (!equals) return usage_error(arguments->command, "-X \"%s\": write NAME=VALUE", setting);
    char *name = strndup(setting, (size_t)(equals - setting));
    if (!name) return failure(arguments->command, "out of memory");
    mqc_error error;
    mqc_status status = mqc_options_set(arguments->options, name, equals + 1, &error);
    free(name);
    return status ? library_failure(arguments->command, "-X ", &error) : -1;
}

static int take_log_level(const struct arguments *arguments, const char *value)
{
    for (int level = MQC_LOG_OFF; level <= MQC_LOG_WIRE; level++) {
        if (strcasecmp(value, mqc_log_level_name((mqc_log_level)level)) != 0) continue;
        mqc_log_set_level((mqc_log_level)level);
        return -1;
    }
    return usage_error(arguments->command,
                       "--log-level is \"%s\": give off, error, warn, info, debug or wire", value);
}

static int take_option(const struct arguments *arguments, const struct argument *argument,
                       const char *value)
{
    mqc_error error;
    char context[64];
    if (!mqc_options_set(arguments->options, argument->option, value, &error)) return -1;
    snprintf(context, sizeof context, "--%s: ", argument->name);
    return library_failure(arguments->command, context, &error);
}

static int take(struct arguments *arguments, const struct argument *argument, int argc,
                const char *value)
{
    mqc_error error;
    switch (argument->kind) {
    case ARGUMENT_FLAG: *(bool *)argument->target = true; return -1;
    case ARGUMENT_TEXT: *(const char **)argument->target = value; return -1;
    case ARGUMENT_NUMBER: return take_number(arguments, argument, value);
    case ARGUMENT_EACH: return take_each(arguments, argument, argc, value);
    case ARGUMENT_OPTION: return take_option(arguments, argument, value);
    case ARGUMENT_SETTING: return take_setting(arguments, value);
    case ARGUMENT_LOG_LEVEL: return take_log_level(arguments, value);
    case ARGUMENT_FILE:
        if (!mqc_options_read_file(arguments->options, value, &error)) return -1;
        library_failure(arguments->command, "", &error);
        return EXIT_USAGE;
    }
    return -1;
}

static void print_argument(const struct argument *argument)
{
    char left[64];
    char letter[] = {'-', argument->letter, ',', '\0'};
    snprintf(left, sizeof left, "%-3s --%s%s%s", argument->letter ? letter : "", argument->name,
             argument->value ? " " : "", argument->value ? argument->value : "");
    printf("  %-28s %s\n", left, argument->help);
}

static int print_help(const struct arguments *arguments)
{
    static const struct argument QUIET = {
        .letter = 'q', .name = "quiet", .help = "print no results"};
    static const struct argument HELP = {.letter = 'h', .name = "help", .help = "print this"};
    printf("usage: mqc %s %s\n%s\n\noptions:\n", arguments->command, arguments->synopsis,
           arguments->about);
    for (size_t i = 0; i < arguments->own_count; i++) print_argument(&arguments->own[i]);
    print_argument(&QUIET);
    print_argument(&HELP);
    puts("\nthe cluster:");
    for (size_t i = 0; i < SHARED_COUNT; i++) print_argument(&SHARED[i]);
    puts("\nexit codes: 0 done, 1 failed, 2 wrong usage, 3 the time was over");
    return output_finish(arguments->command);
}
