/* The table of options and the meaning of values given as text; pure, any thread. */
#include "lib/client/option_table.h"

#include <ctype.h>
#include <limits.h>
#include <strings.h>
#include <time.h>

#include "lib/base/error.h"
#include "lib/base/slice.h"

typedef mqc_client_options CLIENT_struct;
typedef mqc_producer_options PRODUCER_struct;
typedef mqc_push_consumer_options PUSH_CONSUMER_struct;
typedef mqc_lite_consumer_options LITE_CONSUMER_struct;

/* A field of another type than its row says would be overwritten wrongly: refused by the compiler.
 */
#define FIELD_IS(role, field, type)                                                                \
    _Static_assert(_Generic(((role##_struct *)0)->field, type : 1, default : 0),                   \
                   #field " has another type in its struct");
#define OPTION_TEXT(role, name, field, ...)   FIELD_IS(role, field, const char *)
#define OPTION_YES_NO(role, name, field, ...) FIELD_IS(role, field, bool)
#define OPTION_CHOICE(role, name, field, ...)                                                      \
    _Static_assert(sizeof(((role##_struct *)0)->field) == sizeof(int), "an enum as wide as int");
#define OPTION_TIME(role, name, field, ...)   FIELD_IS(role, field, int64_t)
#define OPTION_NUMBER(role, name, field, ...) FIELD_IS(role, field, int)
#include "lib/client/options.def"

static const char APPLIES_CLIENT[] = "client";
static const char APPLIES_PRODUCER[] = "producer";
static const char APPLIES_PUSH_CONSUMER[] = "push consumer";
static const char APPLIES_LITE_CONSUMER[] = "lite consumer";

#define RANGE_NOT_NONE(least, most)             #least ".." #most
#define RANGE_ZERO_IS_NONE(least, most)         #least ".." #most
#define RANGE_ZERO_IS_NONE_IN_JAVA(least, most) "-1 or " #least ".." #most
#define RANGE_MINUS_ONE_IS_NONE(least, most)    "-1 or " #least ".." #most

#define ROW(role_, type_, name_, field_, type_text, unit_, range_, fallback_, help_, ...)          \
    {                                                                                              \
        .role = OPTION_ROLE_##role_, .type = (type_), .field = #field_,                            \
        .offset = offsetof(role_##_struct, field_),                                                \
        .description = {.name = #name_,                                                            \
                        .applies_to = APPLIES_##role_,                                             \
                        .type = (type_text),                                                       \
                        .unit = (unit_),                                                           \
                        .range = (range_),                                                         \
                        .fallback = (fallback_),                                                   \
                        .help = (help_)},                                                          \
        __VA_ARGS__                                                                                \
    }

const struct option OPTION_TABLE[OPTION_COUNT] = {
#define OPTION_TEXT(role, name, field, fallback, help)                                             \
    ROW(role, OPTION_TYPE_TEXT, name, field, "text", "", "", fallback, help, .none = NOT_NONE),
#define OPTION_YES_NO(role, name, field, help)                                                     \
    ROW(role, OPTION_TYPE_YES_NO, name, field, "yes/no", "", "", "no", help, .none = NOT_NONE),
#define OPTION_CHOICE(role, name, field, choices, fallback, help)                                  \
    ROW(role, OPTION_TYPE_CHOICE, name, field, "choice", "", choices, fallback, help,              \
        .none = NOT_NONE),
#define OPTION_TIME(role, name, field, fallback, help)                                             \
    ROW(role, OPTION_TYPE_TIME, name, field, "time", "", "", fallback, help, .none = NOT_NONE),
#define OPTION_NUMBER(role, name, field, unit, least_, most_, fallback_, none_, help)              \
    ROW(role, OPTION_TYPE_NUMBER, name, field, "number", unit, RANGE_##none_(least_, most_),       \
        #fallback_, help, .none = (none_), .least = (least_), .most = (most_),                     \
        .fallback = (fallback_)),
#include "lib/client/options.def"
};

static mqc_status parse_number(const struct option *option, const char *text, int64_t *value,
                               mqc_error *error);
static mqc_status parse_yes_no(const struct option *option, const char *text, int64_t *value,
                               mqc_error *error);
static mqc_status parse_choice(const struct option *option, const char *text, int64_t *value,
                               mqc_error *error);
static mqc_status parse_time(const struct option *option, const char *text, int64_t *value,
                             mqc_error *error);

const struct option *option_find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(OPTION_TABLE[i].description.name, name) == 0) return &OPTION_TABLE[i];
    return NULL;
}

enum { LONGEST_NAME = 64 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, without regard to case. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[LONGEST_NAME + 1];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++) row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            bool same = tolower((unsigned char)a[i]) == tolower((unsigned char)b[j]);
            size_t replaced = diagonal + !same;
            diagonal = row[j + 1];
            row[j + 1] = smaller(replaced, smaller(row[j], row[j + 1]) + 1);
        }
    }
    return row[width];
}

const struct option *option_nearest(const char *name)
{
    size_t length = strlen(name);
    if (length > LONGEST_NAME) return NULL;
    const struct option *nearest = NULL;
    size_t least = smaller(length / 2, 6) + 1; /* anything further away is no misspelling */
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *option = &OPTION_TABLE[i];
        if (strcmp(option->field, name) == 0) return option;
        size_t distance = edit_distance(name, option->description.name);
        if (distance >= least) continue;
        least = distance;
        nearest = option;
    }
    return nearest;
}

mqc_status option_parse(const struct option *option, const char *text, int64_t *value,
                        mqc_error *error)
{
    *value = 0;
    if (text[0] == '\0')
        return error_set(error, MQC_BAD_ARGUMENT,
                         "%s is empty: give it a value or leave the option out",
                         option->description.name);
    switch (option->type) {
    case OPTION_TYPE_TEXT: return MQC_OK;
    case OPTION_TYPE_NUMBER: return parse_number(option, text, value, error);
    case OPTION_TYPE_YES_NO: return parse_yes_no(option, text, value, error);
    case OPTION_TYPE_CHOICE: return parse_choice(option, text, value, error);
    case OPTION_TYPE_TIME: return parse_time(option, text, value, error);
    }
    return MQC_OK;
}

static mqc_status parse_number(const struct option *option, const char *text, int64_t *value,
                               mqc_error *error)
{
    static const char *const MINUS_ONE[] = {
        [NOT_NONE] = "",
        [ZERO_IS_NONE] = "",
        [ZERO_IS_NONE_IN_JAVA] = ", or -1 for the default",
        [MINUS_ONE_IS_NONE] = ", or -1 for none",
    };
    int64_t number = 0;
    if (slice_to_int64(slice_trim(slice_text(text)), &number)) {
        bool zero_is_none = option->none == ZERO_IS_NONE || option->none == ZERO_IS_NONE_IN_JAVA;
        *value = number == 0 && zero_is_none                            ? -1
                 : number == -1 && option->none == ZERO_IS_NONE_IN_JAVA ? 0
                                                                        : number;
        if (number >= option->least && number <= option->most) return MQC_OK;
        if (number == -1 && MINUS_ONE[option->none][0]) return MQC_OK;
    }
    const char *unit = option->description.unit;
    return error_set(error, MQC_BAD_ARGUMENT, "%s is \"%s\": give %d to %d%s%s%s",
                     option->description.name, text, option->least, option->most,
                     unit[0] ? " " : "", unit, MINUS_ONE[option->none]);
}

static mqc_status parse_yes_no(const struct option *option, const char *text, int64_t *value,
                               mqc_error *error)
{
    static const char *const WORDS[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    struct slice word = slice_trim(slice_text(text));
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (word.size != strlen(WORDS[i]) || strncasecmp(word.data, WORDS[i], word.size) != 0)
            continue;
        *value = i % 2;
        return MQC_OK;
    }
    return error_set(error, MQC_BAD_ARGUMENT, "%s is \"%s\": give yes or no",
                     option->description.name, text);
}

static mqc_status parse_choice(const struct option *option, const char *text, int64_t *value,
                               mqc_error *error)
{
    struct slice word = slice_trim(slice_text(text));
    struct slice rest = slice_text(option->description.range);
    for (int64_t i = 0; rest.data; i++) {
        struct slice choice = slice_split(&rest, ", ");
        if (word.size != choice.size || strncasecmp(word.data, choice.data, word.size) != 0)
            continue;
        *value = i;
        return MQC_OK;
    }
    return error_set(error, MQC_BAD_ARGUMENT, "%s is \"%s\": give one of %s",
                     option->description.name, text, option->description.range);
}

int option_choices(const struct option *option)
{
    struct slice rest = slice_text(option->description.range);
    int count = 0;
    for (; rest.data; count++) slice_split(&rest, ", ");
    return count;
}

/* The number that `count` digits at *at make; moves *at behind them. */
static int take_digits(const char **at, int count)
{
    int number = 0;
    for (; count > 0; count--) number = 10 * number + (*(*at)++ - '0');
    return number;
}

static int days_in_month(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Milliseconds since 1970 of the 14 digits yyyyMMddHHmmss in local time; 0 for no such time. */
static int64_t local_time(const char *digits)
{
    struct tm parts = {.tm_isdst = -1};
    int year = take_digits(&digits, 4);
    int month = take_digits(&digits, 2);
    if (year < 1970 || month < 1 || month > 12) return 0;
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    parts.tm_mday = take_digits(&digits, 2);
    parts.tm_hour = take_digits(&digits, 2);
    parts.tm_min = take_digits(&digits, 2);
    parts.tm_sec = take_digits(&digits, 2);
    if (parts.tm_mday < 1 || parts.tm_mday > days_in_month(year, month)) return 0;
    if (parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 59) return 0;
    time_t seconds = mktime(&parts);
    return seconds > 0 ? (int64_t)seconds * 1000 : 0;
}

/* Only 13 and 14 digits: seconds since 1970 or a bare date would otherwise pass for a time in 1970.
 */
static mqc_status parse_time(const struct option *option, const char *text, int64_t *value,
                             mqc_error *error)
{
    struct slice digits = slice_trim(slice_text(text));
    if (strspn(text + (digits.data - text), "0123456789") == digits.size) {
        if (digits.size == 14) *value = local_time(digits.data);
        if (digits.size == 13 && !slice_to_int64(digits, value)) *value = 0;
    }
    if (*value > 0) return MQC_OK;
    return error_set(error, MQC_BAD_ARGUMENT,
                     "%s is \"%s\": give yyyyMMddHHmmss in local time, or milliseconds since 1970 "
                     "(13 digits)",
                     option->description.name, text);
}
