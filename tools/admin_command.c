/* The frame of all administration commands (see admin_command.h); main thread. */
#include "tools/admin_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- groups of subcommands ---- */

static int print_subcommands(const char *group, const char *about,
                             const struct subcommand *subcommands, size_t count)
{
    printf("usage: mqc %s COMMAND [option]…\n%s\n\ncommands:\n", group, about);
    for (size_t i = 0; i < count; i++)
        printf("  %-14s %s\n", subcommands[i].name, subcommands[i].help);
    printf("\n\"mqc %s COMMAND --help\" lists a command's options.\n", group);
    return output_finish(group);
}

static void list_names(const struct subcommand *subcommands, size_t count, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 i == 0           ? ""
                                 : i + 1 == count ? " and "
                                                  : ", ",
                                 subcommands[i].name);
}

int subcommands_run(const char *group, const char *about, const struct subcommand *subcommands,
                    size_t count, int argc, char **argv)
{
    char names[256];
    list_names(subcommands, count, names, sizeof names);
    if (argc < 2) return usage_error(group, "give a command: %s", names);
    if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
        return print_subcommands(group, about, subcommands, count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(subcommands[i].name, argv[1]) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    return usage_error(group, "\"%s\" is none of %s", argv[1], names);
}

/* ---- one command ---- */

static int check(struct admin_command *command, const struct admin_description *description,
                 const struct arguments *arguments)
{
    for (size_t i = 0; i < description->required_count; i++)
        if (!*description->required[i].value)
            return usage_error(command->name, "%s is missing: give %s",
                               description->required[i].what, description->required[i].option);
    if (arguments->rest_count > description->rest_most)
        return usage_error(command->name, "unexpected argument \"%s\"",
                           arguments->rest[description->rest_most]);
    if (description->rest) {
        *description->rest_count = arguments->rest_count;
        for (int i = 0; i < arguments->rest_count; i++) description->rest[i] = arguments->rest[i];
    }
    return description->check ? description->check(description->arg) : -1;
}

static int act(struct admin_command *command, const struct admin_description *description)
{
    mqc_error error;
    command->admin = mqc_admin_new(&command->client, &error);
    mqc_status status =
        command->admin ? description->action(command, description->arg, &error) : error.status;
    int number = errno; /* of a failed write */
    mqc_admin_free(command->admin);
    if (status) return library_failure(command->name, "", &error);
    errno = number;
    return command->write_failed ? output_failure(command->name) : output_finish(command->name);
}

int admin_command_run(struct admin_command *command, const struct admin_description *description,
                      int argc, char **argv)
{
    struct arguments arguments = {.command = description->name,
                                  .synopsis = description->synopsis,
                                  .about = description->about,
                                  .own = description->own,
                                  .own_count = description->own_count};
    command->name = description->name;
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0) code = check(command, description, &arguments);
    if (code < 0) {
        command->quiet = arguments.quiet;
        command->client = arguments_client(&arguments);
        code = act(command, description);
    }
    arguments_done(&arguments);
    return code;
}

/* ---- times ---- */

static int64_t now_unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool parse_ago(const char *end, long long number, int64_t *unix_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } UNITS[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    for (size_t i = 0; i < COUNT_OF(UNITS); i++)
        if (end[0] == UNITS[i].unit && end[1] == '\0' && number <= INT64_MAX / 86400000) {
            *unix_ms = now_unix_ms() - number * UNITS[i].ms;
            return true;
        }
    return false;
}

static bool parse_calendar(const char *text, const char *format, int64_t *unix_ms)
{
    struct tm parts = {.tm_isdst = -1};
    const char *end = strptime(text, format, &parts);
    if (!end || *end) return false;
    time_t seconds = mktime(&parts);
    *unix_ms = (int64_t)seconds * 1000;
    return seconds != (time_t)-1;
}

bool parse_time(const char *text, int64_t *unix_ms)
{
    char *end;
    if (strcmp(text, "now") == 0) {
        *unix_ms = now_unix_ms();
        return true;
    }
    if (strlen(text) == 14 && strspn(text, "0123456789") == 14)
        return parse_calendar(text, "%Y%m%d%H%M%S", unix_ms);
    if (parse_calendar(text, "%Y-%m-%d %H:%M:%S", unix_ms) ||
        parse_calendar(text, "%Y-%m-%dT%H:%M:%S", unix_ms) ||
        parse_calendar(text, "%Y-%m-%d", unix_ms))
        return true;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || errno || number < 0 || text[0] == '+' || text[0] == ' ') return false;
    if (*end) return parse_ago(end, number, unix_ms);
    *unix_ms = number;
    return true;
}

int take_time(const char *command, const char *option, const char *text, int64_t *unix_ms)
{
    if (!text || parse_time(text, unix_ms)) return -1;
    return usage_error(
        command,
        "%s is \"%s\": give yyyyMMddHHmmss or \"yyyy-MM-dd HH:mm:ss\" in local time, "
        "milliseconds since 1970, now, or how long ago as 90s, 15m, 2h or 3d",
        option, text);
}

/* ---- printing ---- */

void print_report(struct admin_command *command, struct report *report)
{
    if (!command->quiet && !report_print(report)) command->write_failed = true;
    report_done(report);
}

void print_records(struct admin_command *command, struct report *report)
{
    if (!command->quiet && !report_print_records(report)) command->write_failed = true;
    report_done(report);
}

void print_object(struct admin_command *command, json_t *object)
{
    if (command->quiet)
        json_decref(object);
    else if (!output_json(object))
        command->write_failed = true;
}

void print_settings(struct admin_command *command, const mqc_settings *settings)
{
    static const struct column COLUMNS[] = {{"NAME", "name", COLUMN_TEXT},
                                            {"VALUE", "value", COLUMN_TEXT}};
    if (command->json) {
        json_t *object = json_object();
        for (size_t i = 0; i < settings->count; i++)
            json_object_set_new(object, settings->settings[i]->name,
                                json_text(settings->settings[i]->value));
        print_object(command, object);
        return;
    }
    struct report report;
    report_init(&report, COLUMNS, COUNT_OF(COLUMNS), false);
    for (size_t i = 0; i < settings->count; i++) {
        report_text(&report, settings->settings[i]->name);
        report_text(&report, settings->settings[i]->value);
    }
    print_report(command, &report);
}

void print_names(struct admin_command *command, const char *member, const mqc_name_list *names)
{
    for (size_t i = 0; !command->quiet && !command->write_failed && i < names->count; i++) {
        const char *name = names->names[i];
        bool printed = command->json ? output_json(json_pack("{s:o}", member, json_text(name)))
                                     : output_line(name, strlen(name));
        command->write_failed = !printed;
    }
}

void print_done(struct admin_command *command, const char *what, const char *name)
{
    if (command->json)
        print_object(command, json_pack("{s:o}", what, json_text(name)));
    else if (!command->quiet && printf("%s %s\n", what, name) < 0)
        command->write_failed = true;
}
