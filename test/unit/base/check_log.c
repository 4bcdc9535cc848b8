/* Tests of lib/base/log: what reaches a sink, what reaches standard error, changing sinks while
 * threads write. */
#include "lib/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "test/unit/unit.h"

struct record {
    int count;
    mqc_log_level level;
    int64_t unix_us;
    char subject[32];
    char thread[32];
    char text[4096];
};

static void keep(const mqc_log_line *line, void *arg)
{
    struct record *record = arg;
    record->count++;
    record->level = line->level;
    record->unix_us = line->unix_us;
    snprintf(record->subject, sizeof record->subject, "%s", line->subject);
    snprintf(record->thread, sizeof record->thread, "%s", line->thread);
    snprintf(record->text, sizeof record->text, "%s", line->text);
}

static struct record record;

START_TEST(a_line_has_all_its_parts)
{
    mqc_log_to(keep, &record, MQC_LOG_INFO);
    int64_t before_us = clock_unix_us();
    log_info(LOG_REMOTING, "connected peer=%s count=%d", "1.2.3.4:9876", 3);
    ck_assert_int_eq(record.count, 1);
    ck_assert_int_eq(record.level, MQC_LOG_INFO);
    ck_assert_str_eq(record.subject, "remoting");
    ck_assert_str_eq(record.thread, "app");
    ck_assert_str_eq(record.text, "connected peer=1.2.3.4:9876 count=3");
    ck_assert_int_ge(record.unix_us, before_us);
    ck_assert_int_le(record.unix_us, clock_unix_us());
    log_name_thread("mqc-io");
    log_error(LOG_PULL, "x");
    ck_assert_str_eq(record.thread, "mqc-io");
    ck_assert_str_eq(record.subject, "pull");
    log_name_thread(NULL);
    log_error(LOG_PULL, "x");
    ck_assert_str_eq(record.thread, "app");
}
END_TEST

START_TEST(every_subject_has_a_name)
{
    mqc_log_to(keep, &record, MQC_LOG_ERROR);
    char last[32] = "";
    for (int subject = 0; subject < LOG_SUBJECT_COUNT; subject++) {
        log_error((enum log_subject)subject, "x");
        ck_assert_str_ne(record.subject, "");
        ck_assert_str_ne(record.subject, last);
        memcpy(last, record.subject, sizeof last);
    }
    ck_assert_int_eq(record.count, LOG_SUBJECT_COUNT);
}
END_TEST

static void log_one_of_each(void)
{
    log_error(LOG_ROUTE, "x");
    log_warn(LOG_ROUTE, "x");
    log_info(LOG_ROUTE, "x");
    log_debug(LOG_ROUTE, "x");
    log_wire(LOG_ROUTE, "x");
}

START_TEST(the_level_says_how_much)
{
    for (int level = MQC_LOG_OFF; level <= MQC_LOG_WIRE; level++) {
        record.count = 0;
        mqc_log_to(keep, &record, (mqc_log_level)level);
        log_one_of_each();
        ck_assert_int_eq(record.count, level);
        record.count = 0;
        mqc_log_set_level(MQC_LOG_OFF);
        log_one_of_each();
        ck_assert_int_eq(record.count, 0);
    }
    mqc_log_set_level((mqc_log_level)99); /* what is out of range is the nearest level */
    log_one_of_each();
    ck_assert_int_eq(record.count, 5);
}
END_TEST

START_TEST(nothing_is_evaluated_below_the_level)
{
    int evaluated = 0;
    mqc_log_to(keep, &record, MQC_LOG_WARN);
    log_info(LOG_ROUTE, "%d", ++evaluated);
    ck_assert_int_eq(evaluated, 0);
    log_warn(LOG_ROUTE, "%d", ++evaluated);
    ck_assert_int_eq(evaluated, 1);
}
END_TEST

START_TEST(a_line_is_one_line)
{
    mqc_log_to(keep, &record, MQC_LOG_INFO);
    log_info(LOG_ROUTE, "%s", "a\nb\rc\td\x1b[31me\x7f ä");
    ck_assert_str_eq(record.text, "a b c d [31me  ä");
}
END_TEST

START_TEST(long_lines_are_cut)
{
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    mqc_log_to(keep, &record, MQC_LOG_INFO);
    log_info(LOG_ROUTE, "%s", text);
    size_t length = strlen(record.text);
    ck_assert_uint_gt(length, 1000);
    ck_assert_uint_lt(length, 4000);
    ck_assert_str_eq(record.text + length - strlen("x…"), "x…");
}
END_TEST

static void change_errno(const mqc_log_line *line, void *arg)
{
    keep(line, arg);
    errno = ERANGE;
}

START_TEST(errno_is_left_alone)
{
    mqc_log_to(change_errno, &record, MQC_LOG_INFO);
    errno = EPIPE;
    log_info(LOG_ROUTE, "x");
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_int_eq(record.count, 1);
}
END_TEST

static void log_from_inside(const mqc_log_line *line, void *arg)
{
    keep(line, arg);
    log_error(LOG_ROUTE, "the sink uses the library");
}

START_TEST(a_sink_that_logs_is_not_called_again)
{
    mqc_log_to(log_from_inside, &record, MQC_LOG_INFO);
    log_info(LOG_ROUTE, "first");
    log_info(LOG_ROUTE, "second");
    ck_assert_int_eq(record.count, 2);
    ck_assert_str_eq(record.text, "second");
}
END_TEST

START_TEST(levels_have_names)
{
    const char *const names[] = {"OFF", "ERROR", "WARN", "INFO", "DEBUG", "WIRE"};
    for (int level = MQC_LOG_OFF; level <= MQC_LOG_WIRE; level++)
        ck_assert_str_eq(mqc_log_level_name((mqc_log_level)level), names[level]);
    ck_assert_str_eq(mqc_log_level_name((mqc_log_level)77), "UNKNOWN");
}
END_TEST

/* What `function` writes to standard error. */
static const char *said_on_stderr(void (*function)(void))
{
    static char said[8192];
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    ck_assert(file != NULL && saved >= 0);
    dup2(fileno(file), STDERR_FILENO);
    function();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    return said;
}

static void check_matches(const char *text, const char *pattern)
{
    regex_t regex;
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "'%s' does not match %s", text, pattern);
    regfree(&regex);
}

#define STAMP "20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}"

static void log_long(void)
{
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_warn(LOG_REMOTING, "%s", text);
}

START_TEST(standard_error_is_the_default_at_warn)
{
    log_name_thread("mqc-io");
    check_matches(said_on_stderr(log_one_of_each),
                  "^" STAMP " ERROR route \\[mqc-io\\] x\n" STAMP " WARN route \\[mqc-io\\] x\n$");
    check_matches(said_on_stderr(log_long), "^" STAMP " WARN remoting \\[mqc-io\\] x{1000,}…\n$");
    mqc_log_to(keep, &record, MQC_LOG_WIRE);
    ck_assert_str_eq(said_on_stderr(log_one_of_each), "");
    mqc_log_to(NULL, NULL, MQC_LOG_ERROR);
    check_matches(said_on_stderr(log_one_of_each), "^" STAMP " ERROR route \\[mqc-io\\] x\n$");
}
END_TEST

/* Two sinks, each with an argument of its own: a mixed pair would be noticed. */
static int arg_one, arg_two;
static atomic_int lines, mixed;

static void sink_one(const mqc_log_line *line, void *arg)
{
    (void)line;
    atomic_fetch_add(&lines, 1);
    if (arg != &arg_one) atomic_fetch_add(&mixed, 1);
}

static void sink_two(const mqc_log_line *line, void *arg)
{
    (void)line;
    atomic_fetch_add(&lines, 1);
    if (arg != &arg_two) atomic_fetch_add(&mixed, 1);
}

static void *switch_sinks(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        mqc_log_to(sink_one, &arg_one, MQC_LOG_INFO);
        mqc_log_to(sink_two, &arg_two, MQC_LOG_INFO);
    }
    return arg;
}

static void *write_lines(void *arg)
{
    for (int i = 0; i < 20000; i++) log_info(LOG_ROUTE, "line");
    return arg;
}

START_TEST(a_sink_always_gets_its_own_argument)
{
    void *(*const bodies[])(void *) = {switch_sinks, switch_sinks, write_lines, write_lines};
    pthread_t threads[4];
    mqc_log_to(sink_one, &arg_one, MQC_LOG_INFO);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, bodies[i], NULL), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&lines), 40000);
    ck_assert_int_eq(atomic_load(&mixed), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base/log");
    UNIT_CASE(s, "lines", a_line_has_all_its_parts, every_subject_has_a_name, a_line_is_one_line,
              long_lines_are_cut, standard_error_is_the_default_at_warn);
    UNIT_CASE(s, "levels", the_level_says_how_much, nothing_is_evaluated_below_the_level,
              levels_have_names);
    UNIT_CASE(s, "sinks", errno_is_left_alone, a_sink_that_logs_is_not_called_again,
              a_sink_always_gets_its_own_argument);
    return s;
}

TEST_MAIN(suite)
