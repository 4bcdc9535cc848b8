/* Rows of values for people or for programs: a table whose columns are as wide as what is in them,
 * or an object a row, both from one list of columns. Nothing is cut off. Control characters in
 * texts, which could do anything to a terminal, become '?' in tables. */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include "tools/output.h"

enum column_kind {
    COLUMN_TEXT,   /* NULL is "-" and null */
    COLUMN_NUMBER, /* int64_t */
    COLUMN_REAL,   /* two decimals in tables */
    COLUMN_TIME,   /* milliseconds since 1970: local time in tables; 0 is "-" and 0 */
    COLUMN_FLAG    /* "yes" and "no", true and false */
};

struct column {
    const char *title; /* in tables */
    const char *name;  /* in objects */
    enum column_kind kind;
};

struct report {
    const struct column *columns;
    size_t column_count;
    bool json;
    size_t next;  /* the column whose value comes next */
    char **cells; /* tables: of all rows */
    size_t cell_count, cell_capacity;
    json_t *row; /* objects: the one being filled */
    json_t *rows;
    bool failed; /* out of memory */
};

void report_init(struct report *report, const struct column *columns, size_t count, bool json);
void report_done(struct report *report);

/* The next value; each kind of column has its own. After the last column a new row begins. */
void report_text(struct report *report, const char *text);
void report_number(struct report *report, int64_t number);
void report_real(struct report *report, double number);
void report_time(struct report *report, int64_t unix_ms);
void report_flag(struct report *report, bool flag);

size_t report_rows(const struct report *report);

/* Writes all rows: a head and a line each, or an object a line. false when standard output does not
 * take them (errno says why). */
bool report_print(struct report *report);

/* Writes rows as blocks of "TITLE: value" lines, or an object a line. */
bool report_print_records(struct report *report);

/* The rows as a JSON array, taken out of the report, to be part of a larger object; NULL: out of
 * memory. */
json_t *report_take_rows(struct report *report);

/* "2026-11-23 15:30:01.123" in local time, "-" for 0. */
void format_time(int64_t unix_ms, char out[32]);

#endif
