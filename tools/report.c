/* Tables and objects (see report.h); main thread. */
#include "tools/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GAP = 2 };

void report_init(struct report *report, const struct column *columns, size_t count, bool json)
{
    *report = (struct report){.columns = columns, .column_count = count, .json = json};
    if (json && !(report->rows = json_array())) report->failed = true;
}

void report_done(struct report *report)
{
    for (size_t i = 0; i < report->cell_count; i++) free(report->cells[i]);
    free(report->cells);
    json_decref(report->row);
    json_decref(report->rows);
}

static void end_value(struct report *report)
{
    report->next = (report->next + 1) % report->column_count;
    if (report->next > 0 || !report->json) return;
    if (json_array_append_new(report->rows, report->row) != 0) report->failed = true;
    report->row = NULL;
}

static void add_value(struct report *report, json_t *value)
{
    if (!report->row) report->row = json_object();
    if (json_object_set_new(report->row, report->columns[report->next].name, value) != 0)
        report->failed = true;
    end_value(report);
}

static void add_cell(struct report *report, const char *text)
{
    if (report->cell_count == report->cell_capacity) {
        size_t capacity = report->cell_capacity ? 2 * report->cell_capacity : 64;
        char **cells = realloc(report->cells, capacity * sizeof *cells);
        if (!cells) {
            report->failed = true;
            return;
        }
        report->cells = cells;
        report->cell_capacity = capacity;
    }
    char *copy = strdup(text);
    if (!copy) {
        report->failed = true;
        return;
    }
    for (unsigned char *at = (unsigned char *)copy; *at; at++)
        if (*at < ' ' || *at == 0x7F) *at = '?';
    report->cells[report->cell_count++] = copy;
    end_value(report);
}

void report_text(struct report *report, const char *text)
{
    if (report->json)
        add_value(report, json_text(text));
    else
        add_cell(report, text && *text ? text : "-");
}

void report_number(struct report *report, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    if (report->json)
        add_value(report, json_integer(number));
    else
        add_cell(report, text);
}

void report_real(struct report *report, double number)
{
    char text[64];
    snprintf(text, sizeof text, "%.2f", number);
    if (report->json)
        add_value(report, json_real(number));
    else
        add_cell(report, text);
}

void format_time(int64_t unix_ms, char out[32])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    char text[24];
    strcpy(out, "-");
    if (unix_ms <= 0 || !localtime_r(&seconds, &parts)) return;
    if (strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) > 0)
        snprintf(out, 32, "%s.%03d", text, (int)(unix_ms % 1000));
}

void report_time(struct report *report, int64_t unix_ms)
{
    char text[32];
    format_time(unix_ms, text);
    if (report->json)
        add_value(report, json_integer(unix_ms));
    else
        add_cell(report, text);
}

void report_flag(struct report *report, bool flag)
{
    if (report->json)
        add_value(report, json_boolean(flag));
    else
        add_cell(report, flag ? "yes" : "no");
}

size_t report_rows(const struct report *report)
{
    return report->json ? json_array_size(report->rows) : report->cell_count / report->column_count;
}

/* ---- printing ---- */

/* Columns on a terminal that a character takes: two for East Asian wide ones, none for combining
 * ones. A byte that is not UTF-8 counts as one. */
static size_t character_columns(const unsigned char **at)
{
    unsigned code = *(*at)++;
    int more = code >= 0xF0 ? 3 : code >= 0xE0 ? 2 : code >= 0xC0 ? 1 : 0;
    if (more > 0) code &= 0x3Fu >> more;
    for (; more > 0 && (**at & 0xC0) == 0x80; more--) code = code << 6 | (*(*at)++ & 0x3Fu);
    if ((code >= 0x300 && code <= 0x36F) || code == 0x200B || code == 0xFEFF) return 0;
    bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
    return wide ? 2 : 1;
}

static size_t text_columns(const char *text)
{
    size_t columns = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at;)
        columns += character_columns(&at);
    return columns;
}

static bool is_right(const struct column *column)
{
    return column->kind == COLUMN_NUMBER || column->kind == COLUMN_REAL;
}

/* The last column is not filled up. */
static void print_cell(const struct column *column, const char *text, size_t width, bool last)
{
    int fill = (int)(width - text_columns(text));
    if (is_right(column))
        printf("%*s%s%*s", fill, "", text, last ? 0 : GAP, "");
    else
        printf("%s%*s", text, last ? 0 : fill + GAP, "");
}

static bool print_table(const struct report *report)
{
    size_t count = report->column_count;
    size_t *widths = calloc(count, sizeof *widths);
    if (!widths) return false;
    for (size_t i = 0; i < count; i++) widths[i] = text_columns(report->columns[i].title);
    for (size_t i = 0; i < report->cell_count; i++) {
        size_t width = text_columns(report->cells[i]);
        if (widths[i % count] < width) widths[i % count] = width;
    }
    for (size_t i = 0; i < count; i++)
        print_cell(&report->columns[i], report->columns[i].title, widths[i], i + 1 == count);
    putchar('\n');
    for (size_t i = 0; i < report->cell_count; i++) {
        bool last = i % count + 1 == count;
        print_cell(&report->columns[i % count], report->cells[i], widths[i % count], last);
        if (last) putchar('\n');
    }
    free(widths);
    return fflush(stdout) == 0 && !ferror(stdout);
}

static bool print_objects(const struct report *report)
{
    size_t i;
    json_t *row;
    json_array_foreach(report->rows, i, row)
    {
        if (!output_json(json_incref(row))) return false;
    }
    return true;
}

bool report_print(struct report *report)
{
    errno = ENOMEM;
    if (report->failed) return false;
    return report->json ? print_objects(report) : print_table(report);
}

bool report_print_records(struct report *report)
{
    errno = ENOMEM;
    if (report->failed) return false;
    if (report->json) return print_objects(report);
    size_t width = 0, count = report->column_count;
    for (size_t i = 0; i < count; i++)
        if (width < text_columns(report->columns[i].title))
            width = text_columns(report->columns[i].title);
    for (size_t i = 0; i < report->cell_count; i++) {
        const char *title = report->columns[i % count].title;
        if (i > 0 && i % count == 0) putchar('\n');
        printf("%s:%*s%s\n", title, (int)(width - text_columns(title)) + 1, "", report->cells[i]);
    }
    return fflush(stdout) == 0 && !ferror(stdout);
}

json_t *report_take_rows(struct report *report)
{
    json_t *rows = report->failed ? NULL : report->rows;
    if (rows) report->rows = NULL;
    return rows;
}
