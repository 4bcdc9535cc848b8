/* Every line of a file as a message: one after the other, in batches, or many at a time. The main
 * thread reads and sends; results of asynchronous sends are printed by callback threads, under a
 * lock. The first failure ends it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tools/mqc.h"
#include "tools/output.h"
#include "tools/send.h"

enum { NS_A_SECOND = 1000000000, CONTEXT_BYTES = 60 };

static const char NAME[] = "send";

struct lines {
    struct sender *sender;
    FILE *file;
    const char *name;
    char *line;
    size_t room;
    long number; /* of the last line read */
    int64_t bytes;
    struct timespec began;

    pthread_mutex_t lock; /* guards what is below, and printing, while sends are asynchronous */
    pthread_cond_t changed;
    long waiting; /* sends without a result */
    int code;
};

struct sent_line {
    struct lines *lines;
    long number;
};

static int open_lines(struct lines *lines);
static bool read_line(struct lines *lines, size_t *size, int *code);
static void keep_rate(const struct lines *lines);
static int send_each(struct lines *lines);
static int send_batches(struct lines *lines);
static int send_async(struct lines *lines);

int send_lines(struct sender *sender)
{
    struct lines lines = {.sender = sender, .code = EXIT_DONE};
    int code = open_lines(&lines);
    if (code != EXIT_DONE) return code;
    clock_gettime(CLOCK_MONOTONIC, &lines.began);
    if (sender->batch > 0)
        code = send_batches(&lines);
    else if (sender->async)
        code = send_async(&lines);
    else
        code = send_each(&lines);
    progress_end(&sender->progress);
    if (lines.code == EXIT_DONE) lines.code = code;
    if (lines.file != stdin) fclose(lines.file);
    free(lines.line);
    return lines.code;
}

/* ---- reading ---- */

static int open_lines(struct lines *lines)
{
    const char *path = lines->sender->file;
    bool is_file = path && strcmp(path, "-") != 0;
    struct stat about;
    lines->name = is_file ? path : "standard input";
    lines->file = is_file ? fopen(path, "re") : stdin;
    if (!lines->file) return failure(NAME, "%s: %s", path, strerror(errno));
    bool sized = fstat(fileno(lines->file), &about) == 0 && S_ISREG(about.st_mode);
    progress_begin(&lines->sender->progress, "messages", sized ? (int64_t)about.st_size : 0,
                   lines->sender->quiet);
    return EXIT_DONE;
}

/* The next line, without its end; false at the end of the file, or with another *code. */
static bool read_line(struct lines *lines, size_t *size, int *code)
{
    errno = 0;
    ssize_t got = getline(&lines->line, &lines->room, lines->file);
    if (got < 0) {
        if (!feof(lines->file)) *code = failure(NAME, "%s: %s", lines->name, strerror(errno));
        return false;
    }
    lines->bytes += got;
    lines->number++;
    *size = (size_t)got - (lines->line[got - 1] == '\n');
    keep_rate(lines);
    progress_step(&lines->sender->progress, lines->bytes, lines->sender->accepted);
    return true;
}

/* Waits until the line is due. */
static void keep_rate(const struct lines *lines)
{
    int rate = lines->sender->rate;
    if (rate <= 0) return;
    int64_t after_ns =
        (lines->number - 1) / rate * NS_A_SECOND + (lines->number - 1) % rate * NS_A_SECOND / rate;
    struct timespec due = lines->began;
    due.tv_sec += (time_t)(after_ns / NS_A_SECOND);
    due.tv_nsec += (long)(after_ns % NS_A_SECOND);
    if (due.tv_nsec >= NS_A_SECOND) {
        due.tv_sec++;
        due.tv_nsec -= NS_A_SECOND;
    }
    struct timespec now, left;
    clock_gettime(CLOCK_MONOTONIC, &now);
    left.tv_sec = due.tv_sec - now.tv_sec;
    left.tv_nsec = due.tv_nsec - now.tv_nsec;
    if (left.tv_nsec < 0) {
        left.tv_sec--;
        left.tv_nsec += NS_A_SECOND;
    }
    if (left.tv_sec < 0) return;
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static mqc_message *line_message(struct lines *lines, size_t size, int *code)
{
    char context[CONTEXT_BYTES];
    snprintf(context, sizeof context, "line %ld: ", lines->number);
    return send_message_new(lines->sender, context, lines->line, size, code);
}

static int fail(struct lines *lines, long number, const mqc_error *error)
{
    char context[CONTEXT_BYTES];
    snprintf(context, sizeof context, "line %ld: ", number);
    progress_clear(&lines->sender->progress);
    return library_failure(NAME, context, error);
}

/* ---- one after the other ---- */

static int send_each(struct lines *lines)
{
    struct sender *sender = lines->sender;
    size_t size;
    while (lines->code == EXIT_DONE && read_line(lines, &size, &lines->code)) {
        char context[CONTEXT_BYTES];
        snprintf(context, sizeof context, "line %ld: ", lines->number);
        mqc_message *message = line_message(lines, size, &lines->code);
        if (!message) break;
        lines->code = send_message(sender, message, context);
        mqc_message_free(message);
        sender->accepted += lines->code == EXIT_DONE;
    }
    return lines->code;
}

/* ---- in batches ---- */

static int send_batch(struct lines *lines, const mqc_message *const *messages, size_t count,
                      mqc_batch_item *items)
{
    struct sender *sender = lines->sender;
    mqc_error error;
    mqc_status status =
        mqc_producer_send_batch(sender->producer, messages, count, &sender->options, items, &error);
    size_t i = 0;
    for (; i < count && items[i].status == MQC_OK && lines->code == EXIT_DONE; i++) {
        mqc_send_result result = {.status = items[i].send_status,
                                  .queue = items[i].queue,
                                  .queue_offset = items[i].queue_offset};
        memcpy(result.message_id, items[i].message_id, sizeof result.message_id);
        memcpy(result.offset_message_id, items[i].offset_message_id,
               sizeof result.offset_message_id);
        sender->accepted++;
        lines->code = send_print(sender, &result);
    }
    /* The first line that was not accepted. */
    return status ? fail(lines, lines->number - (long)(count - i) + 1, &error) : lines->code;
}

static int send_batches(struct lines *lines)
{
    size_t most = (size_t)lines->sender->batch, count = 0, size;
    mqc_message **messages = calloc(most, sizeof *messages);
    mqc_batch_item *items = calloc(most, sizeof *items);
    if (!messages || !items) lines->code = failure(NAME, "out of memory");
    while (lines->code == EXIT_DONE) {
        bool more = read_line(lines, &size, &lines->code);
        if (more && (messages[count] = line_message(lines, size, &lines->code))) count++;
        if (lines->code == EXIT_DONE && count > 0 && (count == most || !more))
            lines->code = send_batch(lines, (const mqc_message *const *)messages, count, items);
        if (lines->code == EXIT_DONE && count < most && more) continue;
        while (count > 0) mqc_message_free(messages[--count]);
        if (!more) break;
    }
    while (count > 0) mqc_message_free(messages[--count]);
    free(messages);
    free(items);
    return lines->code;
}

/* ---- many at a time ---- */

static void take_result(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct sent_line *sent = arg;
    struct lines *lines = sent->lines;
    pthread_mutex_lock(&lines->lock);
    lines->waiting--;
    if (result) {
        lines->sender->accepted++;
        if (lines->code == EXIT_DONE) lines->code = send_print(lines->sender, result);
    } else if (lines->code == EXIT_DONE) {
        lines->code = fail(lines, sent->number, error);
    }
    pthread_cond_broadcast(&lines->changed);
    pthread_mutex_unlock(&lines->lock);
    free(sent);
}

/* Notes a code, unless there is one already; whether to go on. */
static bool goes_on(struct lines *lines, int code)
{
    pthread_mutex_lock(&lines->lock);
    if (lines->code == EXIT_DONE) lines->code = code;
    bool on = lines->code == EXIT_DONE;
    pthread_mutex_unlock(&lines->lock);
    return on;
}

static void send_one_async(struct lines *lines, mqc_message *message)
{
    struct sender *sender = lines->sender;
    struct sent_line *sent = malloc(sizeof *sent);
    mqc_error error = {.status = MQC_NO_MEMORY, .text = "out of memory"};
    mqc_status status = MQC_NO_MEMORY;
    pthread_mutex_lock(&lines->lock);
    lines->waiting++;
    pthread_mutex_unlock(&lines->lock);
    if (sent) {
        *sent = (struct sent_line){lines, lines->number};
        status = mqc_producer_send_async(sender->producer, message, &sender->options, take_result,
                                         sent, &error);
    }
    if (status == MQC_OK) return;
    free(sent);
    pthread_mutex_lock(&lines->lock);
    lines->waiting--;
    if (lines->code == EXIT_DONE) lines->code = fail(lines, lines->number, &error);
    pthread_mutex_unlock(&lines->lock);
}

static int send_async(struct lines *lines)
{
    size_t size;
    int code = EXIT_DONE;
    pthread_mutex_init(&lines->lock, NULL);
    pthread_cond_init(&lines->changed, NULL);
    while (goes_on(lines, code) && read_line(lines, &size, &code)) {
        mqc_message *message = line_message(lines, size, &code);
        if (message) send_one_async(lines, message);
        mqc_message_free(message);
    }
    goes_on(lines, code);
    pthread_mutex_lock(&lines->lock);
    while (lines->waiting > 0) pthread_cond_wait(&lines->changed, &lines->lock);
    pthread_mutex_unlock(&lines->lock);
    pthread_cond_destroy(&lines->changed);
    pthread_mutex_destroy(&lines->lock);
    return lines->code;
}
