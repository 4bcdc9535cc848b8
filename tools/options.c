/* mqc options: the options that -X takes, from the library's table; with --markdown (not shown in
 * the help) docs/options.md is written. */
#include <stdio.h>
#include <string.h>

#include "tools/mqc.h"
#include "tools/output.h"

static const char NAME[] = "options";

static bool print_line(const mqc_option_description *option, void *arg)
{
    const char **group = arg;
    if (!*group || strcmp(*group, option->applies_to) != 0)
        printf("%s%s:\n", *group ? "\n" : "", option->applies_to);
    *group = option->applies_to;
    bool has_range = option->range[0] != '\0';
    printf("  %s (%s%s%s%s%s, default %s)\n      %s\n", option->name, option->type,
           has_range ? " " : "", option->range, option->unit[0] ? " " : "", option->unit,
           option->fallback, option->help);
    return true;
}

/* A cell of a table: '|' would end it. */
static void print_cell(const char *text)
{
    putchar(' ');
    for (; *text; text++) {
        if (*text == '|') putchar('\\');
        putchar(*text);
    }
    fputs(" |", stdout);
}

static bool print_row(const mqc_option_description *option, void *arg)
{
    const char **group = arg;
    if (!*group || strcmp(*group, option->applies_to) != 0)
        printf("\n## Of a %s\n\n| Name | Type | Range | Default | Meaning |\n"
               "|---|---|---|---|---|\n",
               option->applies_to);
    *group = option->applies_to;
    printf("| `%s` | %s%s%s |", option->name, option->type, option->unit[0] ? ", " : "",
           option->unit);
    print_cell(option->range);
    print_cell(option->fallback);
    print_cell(option->help);
    putchar('\n');
    return true;
}

static const char MARKDOWN_INTRODUCTION[] =
    "# Options by name\n"
    "\n"
    "<!-- Made by `mqc options --markdown` from lib/client/options.def: change that. -->\n"
    "\n"
    "The names are those of the Java client, where it has the option. They are taken by\n"
    "`mqc_options_set`, by `mqc -X name=value`, and in files of `name = value` lines\n"
    "(`mqc_options_read_file`, `mqc --options-file`) in which lines that begin with `#` or `!` "
    "are\n"
    "comments; a value is what is left of its line without the blanks around it, with no escapes.\n"
    "An unknown name, or a value out of its range, is an error.\n"
    "\n"
    "Options of type yes/no take yes, true, on, 1 and no, false, off, 0. The environment variable\n"
    "`NAMESRV_ADDR` is the default of `namesrvAddr`.\n"
    "\n"
    "The fields of the option structs (`mqclient/client.h`, `producer.h`, `consumer.h`) have the "
    "same\n"
    "ranges, but write \"none\" as -1 everywhere and the default as 0.\n";

int options_command(int argc, char **argv)
{
    const char *group = NULL;
    if (argc == 1) {
        mqc_options_each(print_line, &group);
    } else if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
        fputs(MARKDOWN_INTRODUCTION, stdout);
        mqc_options_each(print_row, &group);
    } else if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts("usage: mqc options\nLists the names that -X NAME=VALUE takes.");
    } else {
        return usage_error(NAME, "unexpected argument \"%s\"", argv[1]);
    }
    return output_finish(NAME);
}
