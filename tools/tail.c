/* mqc tail: prints what comes to a topic, from now on or from some messages back, of all its
 * queues, those too that it gets later. It joins no group: nothing is committed, and nobody gets
 * less for it. All on the main thread, which waits for messages and signals in ppoll. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/arguments.h"
#include "tools/message_object.h"
#include "tools/mqc.h"
#include "tools/output.h"

enum { BATCH = 32, LOOK_MS = 5000, START_MS = 60000 };

/* A queue that was there at the start, and where it ended then. */
struct followed {
    mqc_message_queue queue;
    int64_t begin, end;
};

struct tail {
    const char *topic, *tag, *sql; /* as given on the command line */
    int lines, count, timeout_s;   /* 0: none, without end */
    bool json, quiet;
    int64_t end_ms; /* by --timeout */
    mqc_lite_consumer *consumer;
    mqc_queue_list queues; /* at the start */
    struct followed *followed;
    const mqc_message **old; /* those before the ends, by time of storing */
    size_t old_count, old_capacity;
    bool caught_up; /* all of `old` is there */
    int printed;
};

static const char NAME[] = "tail";
static volatile sig_atomic_t stopped;

static int run(struct arguments *arguments, struct tail *tail);
static int follow(struct tail *tail);
static mqc_status assign(struct tail *tail, const mqc_message_queue *queues, size_t count,
                         mqc_error *error);
static int find_places(struct tail *tail);
static void more_queues(const char *topic, const mqc_message_queue *all, size_t all_count,
                        const mqc_message_queue *mine, size_t mine_count, void *arg);
static int catch_up(struct tail *tail, const sigset_t *unblocked);
static int take(struct tail *tail, const mqc_delivery *delivery);
static bool print(struct tail *tail, const mqc_message *message);
static bool is_over(const struct tail *tail);
static void wait_for_more(struct tail *tail, const sigset_t *unblocked);

int tail_command(int argc, char **argv)
{
    struct tail tail = {0};
    const struct argument own[] = {
        {'t', "topic", "TOPIC", "topic to follow (required)", ARGUMENT_TEXT, &tail.topic, NULL},
        {'l', "lines", "N", "begin with the last N messages (default: with the next one)",
         ARGUMENT_NUMBER, &tail.lines, NULL},
        {0, "tag", "EXPRESSION", "only these tags: \"a || b\" (default: *, all)", ARGUMENT_TEXT,
         &tail.tag, NULL},
        {0, "sql", "EXPRESSION", "only what this SQL92 expression selects: \"price > 10\"",
         ARGUMENT_TEXT, &tail.sql, NULL},
        {0, "count", "N", "end after N messages", ARGUMENT_NUMBER, &tail.count, NULL},
        {0, "timeout", "S", "end after S seconds", ARGUMENT_NUMBER, &tail.timeout_s, NULL},
        {0, "json", NULL, "print each message as an object", ARGUMENT_FLAG, &tail.json, NULL},
    };
    struct arguments arguments = {
        .command = NAME,
        .synopsis = "-t TOPIC [option]…",
        .about = "Prints the body of each message that comes to the topic, until --count or "
                 "--timeout is\n"
                 "reached or a signal (INT, TERM, HUP) comes; with --lines, the last N first. It "
                 "disturbs\n"
                 "no group: nothing is committed. Brokers know it as a member of TOOLS_CONSUMER, "
                 "unless\n"
                 "-X consumerGroup=NAME is given. Ends with 3 when --timeout came before --count.",
        .own = own,
        .own_count = sizeof own / sizeof own[0],
    };
    int code = arguments_parse(&arguments, argc, argv);
    if (code < 0 && !tail.topic) code = usage_error(NAME, "the topic is missing: give -t TOPIC");
    if (code < 0 && arguments.rest_count > 0)
        code = usage_error(NAME, "unexpected argument \"%s\"", arguments.rest[0]);
    if (code < 0 && tail.tag && tail.sql)
        code = usage_error(NAME, "--tag and --sql are both given: give one of them");
    if (code < 0) code = run(&arguments, &tail);
    arguments_done(&arguments);
    return code;
}

static int run(struct arguments *arguments, struct tail *tail)
{
    mqc_error error;
    mqc_client_options client = arguments_client(arguments);
    /* Broadcasting in memory: no offsets of a group are read or written. */
    mqc_lite_consumer_options options = {.client = &client,
                                         .group = "TOOLS_CONSUMER",
                                         .from = MQC_FROM_FIRST,
                                         .pull_batch = BATCH,
                                         .topic_check_ms = LOOK_MS};
    mqc_options_to_lite_consumer(arguments->options, &options);
    options.model = MQC_BROADCASTING;
    options.offset_store_path = NULL;
    options.offsets_in_memory = true;
    options.from = MQC_FROM_FIRST; /* of queues that come later */
    options.from_unix_ms = 0;
    tail->quiet = arguments->quiet;
    tail->consumer = mqc_lite_consumer_new(&options, &error);
    int code = tail->consumer ? follow(tail) : library_failure(NAME, "", &error);
    mqc_lite_consumer_free(tail->consumer);
    for (size_t i = 0; i < tail->old_count; i++)
        mqc_message_free((mqc_message *)(uintptr_t)tail->old[i]);
    free(tail->old);
    free(tail->followed);
    mqc_queue_list_free(&tail->queues);
    return code;
}

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* Blocked but for ppoll, so that none comes between looking and waiting. */
static void catch_signals(sigset_t *unblocked)
{
    sigset_t signals;
    struct sigaction action = {.sa_handler = stop};
    sigemptyset(&signals);
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        sigaddset(&signals, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
    pthread_sigmask(SIG_BLOCK, &signals, unblocked);
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int follow(struct tail *tail)
{
    mqc_error error;
    sigset_t unblocked;
    catch_signals(&unblocked);
    tail->end_ms = tail->timeout_s > 0 ? monotonic_ms() + (int64_t)tail->timeout_s * 1000 : -1;
    if (mqc_lite_consumer_start(tail->consumer, &error)) return library_failure(NAME, "", &error);
    int code = find_places(tail);
    if (code < 0) code = catch_up(tail, &unblocked);
    while (code < 0 && !is_over(tail)) {
        mqc_delivery *delivery;
        if (mqc_lite_consumer_poll(tail->consumer, 0, &delivery, &error))
            return library_failure(NAME, "", &error);
        if (delivery)
            code = take(tail, delivery);
        else
            wait_for_more(tail, &unblocked);
    }
    if (code >= 0) return code;
    if (tail->count == 0 || tail->printed >= tail->count) return EXIT_DONE;
    if (stopped)
        return failure(NAME, "ended by a signal after %d of %d messages", tail->printed,
                       tail->count);
    failure(NAME, "%d of %d messages in %d s", tail->printed, tail->count, tail->timeout_s);
    return EXIT_TIMEOUT;
}

static mqc_status assign(struct tail *tail, const mqc_message_queue *queues, size_t count,
                         mqc_error *error)
{
    if (tail->sql)
        return mqc_lite_consumer_assign_sql(tail->consumer, queues, count, tail->sql, error);
    return mqc_lite_consumer_assign(tail->consumer, queues, count, tail->tag, error);
}

/* Takes all queues there are, each where it is to begin. -1: go on. */
static int find_places(struct tail *tail)
{
    mqc_error error;
    mqc_lite_consumer *consumer = tail->consumer;
    if (mqc_lite_consumer_fetch_queues(consumer, tail->topic, &tail->queues, &error) ||
        mqc_lite_consumer_watch(consumer, tail->topic, more_queues, tail, &error))
        return library_failure(NAME, "", &error);
    tail->followed = calloc(tail->queues.count + 1, sizeof *tail->followed);
    if (!tail->followed) return failure(NAME, "out of memory");
    for (size_t i = 0; i < tail->queues.count; i++) {
        struct followed *followed = &tail->followed[i];
        int64_t least;
        followed->queue = tail->queues.queues[i];
        if (mqc_lite_consumer_offsets(consumer, &followed->queue, &least, &followed->end, &error))
            return library_failure(NAME, "", &error);
        followed->begin = followed->end - tail->lines;
        if (followed->begin < least) followed->begin = least;
    }
    if (assign(tail, tail->queues.queues, tail->queues.count, &error))
        return library_failure(NAME, "", &error);
    for (size_t i = 0; i < tail->queues.count; i++) {
        struct followed *followed = &tail->followed[i];
        if (mqc_lite_consumer_seek(consumer, &followed->queue, followed->begin, &error))
            return library_failure(NAME, "", &error);
    }
    return -1;
}

/* On a thread of the library. Those that are new begin with their first message. */
static void more_queues(const char *topic, const mqc_message_queue *all, size_t all_count,
                        const mqc_message_queue *mine, size_t mine_count, void *arg)
{
    struct tail *tail = arg;
    mqc_error error;
    (void)topic;
    (void)mine;
    (void)mine_count;
    if (assign(tail, all, all_count, &error)) failure(NAME, "%s", error.text);
}

/* ---- the last lines ---- */

/* By time; in one millisecond by id, which is the place in the broker's log. */
static int compare_stored(const void *a, const void *b)
{
    const mqc_message *left = *(const mqc_message *const *)a;
    const mqc_message *right = *(const mqc_message *const *)b;
    int64_t left_ms = mqc_message_stored_unix_ms(left);
    int64_t right_ms = mqc_message_stored_unix_ms(right);
    if (left_ms != right_ms) return left_ms < right_ms ? -1 : 1;
    return strcmp(mqc_message_offset_id(left), mqc_message_offset_id(right));
}

static bool has_caught_up(struct tail *tail)
{
    mqc_error error;
    for (size_t i = 0; i < tail->queues.count; i++) {
        const struct followed *followed = &tail->followed[i];
        int64_t position;
        /* One that is gone has nothing more to wait for. */
        if (mqc_lite_consumer_position(tail->consumer, &followed->queue, &position, &error) ==
                MQC_OK &&
            position < followed->end)
            return false;
    }
    return true;
}

static bool keep(struct tail *tail, const mqc_message *message)
{
    if (tail->old_count == tail->old_capacity) {
        size_t capacity = tail->old_capacity ? 2 * tail->old_capacity : 64;
        const mqc_message **old = realloc(tail->old, capacity * sizeof *old);
        if (!old) return false;
        tail->old = old;
        tail->old_capacity = capacity;
    }
    tail->old[tail->old_count++] = mqc_message_ref(message);
    return true;
}

/* All of the queues' last messages, of which the last by time are printed. -1: go on. */
static int catch_up(struct tail *tail, const sigset_t *unblocked)
{
    mqc_error error;
    bool enough = true;
    while (enough && !has_caught_up(tail) && !stopped) {
        mqc_delivery *delivery;
        if (mqc_lite_consumer_poll(tail->consumer, 0, &delivery, &error))
            return library_failure(NAME, "", &error);
        for (size_t i = 0; delivery && i < mqc_delivery_count(delivery); i++)
            enough = enough && keep(tail, mqc_delivery_at(delivery, i));
        if (!delivery) wait_for_more(tail, unblocked);
        mqc_delivery_free(delivery);
        if (tail->end_ms >= 0 && monotonic_ms() >= tail->end_ms) break;
    }
    if (!enough) return failure(NAME, "out of memory");
    tail->caught_up = true;
    if (tail->old_count > 1) qsort(tail->old, tail->old_count, sizeof *tail->old, compare_stored);
    size_t skip = tail->old_count > (size_t)tail->lines ? tail->old_count - (size_t)tail->lines : 0;
    for (size_t i = skip; i < tail->old_count && !is_over(tail); i++) {
        if (!print(tail, tail->old[i])) return output_failure(NAME);
    }
    return -1;
}

/* ---- what comes ---- */

/* -1: go on. */
static int take(struct tail *tail, const mqc_delivery *delivery)
{
    bool good = true;
    for (size_t i = 0; i < mqc_delivery_count(delivery) && good && !is_over(tail); i++)
        good = print(tail, mqc_delivery_at(delivery, i));
    int number = errno;
    mqc_delivery_free((mqc_delivery *)(uintptr_t)delivery);
    errno = number;
    return good ? -1 : output_failure(NAME);
}

static bool print(struct tail *tail, const mqc_message *message)
{
    if (!tail->quiet && !message_print(message, tail->json)) return false;
    tail->printed++;
    return true;
}

static bool is_over(const struct tail *tail)
{
    return stopped || (tail->count > 0 && tail->printed >= tail->count) ||
           (tail->end_ms >= 0 && monotonic_ms() >= tail->end_ms);
}

static void wait_for_more(struct tail *tail, const sigset_t *unblocked)
{
    mqc_error error;
    struct pollfd readable = {.fd = mqc_lite_consumer_fd(tail->consumer, &error), .events = POLLIN};
    int64_t left_ms = tail->end_ms >= 0 ? tail->end_ms - monotonic_ms() : START_MS;
    if (left_ms < 0) left_ms = 0;
    if (!tail->caught_up && left_ms > 100) left_ms = 100; /* what is filtered out wakes nobody */
    struct timespec left = {.tv_sec = (time_t)(left_ms / 1000),
                            .tv_nsec = (long)(left_ms % 1000) * 1000000};
    ppoll(&readable, 1, &left, unblocked);
}
