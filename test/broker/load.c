/* The load of the real-broker suite: sends numbered messages and consumes them, through the public
 * API alone, with each message's content checked at the other end.
 *
 *   load send TOPIC COUNT sync|async|oneway PREFIX [-X name=value]…
 *     prints the key of each message that was acknowledged (oneway: handed over) and ends when
 *     COUNT were; failed sends are told on standard error and another message is sent instead.
 *     COUNT 0 goes on until SIGTERM.
 *   load consume TOPIC GROUP [-X name=value]…
 *     prints "key queue reconsumeTimes good|BAD" of each message, until SIGTERM
 *   load refuse TOPIC GROUP [-X name=value]…
 *     the same, but refuses each message when it comes first, to have it a second later
 *   load probe TOPIC PREFIX [-X name=value]…
 *     sends one message to each queue, "PREFIX-<queue>", and prints how many those were
 *
 * -X takes the options of docs/options.md. A key is "PREFIX-<number>"; the body is the key, a colon
 * and letters that follow from the key; the key is in KEYS and the tag is "load". */
#include <mqclient/mqclient.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 128, PAYLOAD_MOST = 6000, IN_FLIGHT_MOST = 500, DRAIN_MS = 30000 };

static atomic_bool told_to_end;
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what, const mqc_error *error)
{
    fprintf(stderr, "load: %s: %s: %s\n", what, mqc_status_name(error->status), error->text);
    exit(1);
}

static void check(mqc_status status, const char *what, const mqc_error *error)
{
    if (status != MQC_OK) fail(what, error);
}

/* One line, whole and at once, since others read the file while it grows. */
static void print_line(FILE *file, const char *line)
{
    pthread_mutex_lock(&output_lock);
    if (fprintf(file, "%s\n", line) < 0 || fflush(file) != 0) {
        perror("load: output");
        _Exit(1);
    }
    pthread_mutex_unlock(&output_lock);
}

/* ---- content ---- */

static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key; key++) hash = (hash ^ (unsigned char)*key) * 16777619u;
    return hash;
}

/* Most are small, some are larger than the 4 KiB from which clients compress. */
static size_t make_body(const char *key, char *out)
{
    uint32_t state = hash_of(key);
    size_t payload = state % 16 == 0 ? PAYLOAD_MOST : state % 200;
    size_t size = (size_t)sprintf(out, "%s:", key);
    for (size_t i = 0; i < payload; i++) {
        state = state * 1664525u + 1013904223u;
        out[size++] = (char)('a' + (state >> 24) % 26);
    }
    return size;
}

static mqc_message *make_message(const char *topic, const char *key)
{
    static char body[KEY_BYTES + PAYLOAD_MOST + 1]; /* of the only sending thread */
    mqc_error error;
    mqc_message *message = mqc_message_new(topic, body, make_body(key, body));
    if (!message) abort();
    check(mqc_message_set_keys(message, key, &error), "keys", &error);
    check(mqc_message_set_tag(message, "load", &error), "tag", &error);
    return message;
}

static bool is_good(const mqc_message *message, const char *key)
{
    char body[KEY_BYTES + PAYLOAD_MOST + 1];
    size_t size = make_body(key, body);
    mqc_view view = mqc_message_body(message);
    const char *keys = mqc_message_keys(message), *tag = mqc_message_tag(message);
    return view.size == size && memcmp(view.data, body, size) == 0 && keys &&
           strcmp(keys, key) == 0 && tag && strcmp(tag, "load") == 0;
}

/* ---- sending ---- */

struct sending {
    mqc_producer *producer;
    const char *topic, *prefix;
    long wanted;
    bool oneway;
    mqc_status (*send)(struct sending *sending, const char *key, mqc_error *error);
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    long acknowledged;
    int in_flight;
};

static void acknowledge(struct sending *sending, const char *key)
{
    print_line(stdout, key);
    pthread_mutex_lock(&sending->lock);
    sending->acknowledged++;
    pthread_cond_broadcast(&sending->changed);
    pthread_mutex_unlock(&sending->lock);
}

static void tell_failure(const char *key, const mqc_error *error)
{
    char line[1024];
    snprintf(line, sizeof line, "failed %s: %s: %s", key, mqc_status_name(error->status),
             error->text);
    print_line(stderr, line);
}

static mqc_status send_now(struct sending *sending, const char *key, mqc_error *error)
{
    mqc_message *message = make_message(sending->topic, key);
    mqc_status status = sending->oneway
                            ? mqc_producer_send_oneway(sending->producer, message, NULL, error)
                            : mqc_producer_send(sending->producer, message, NULL, NULL, error);
    mqc_message_free(message);
    if (status == MQC_OK) acknowledge(sending, key);
    return status;
}

struct flight {
    struct sending *sending;
    char key[KEY_BYTES];
};

static void count_in_flight(struct sending *sending, int change)
{
    pthread_mutex_lock(&sending->lock);
    sending->in_flight += change;
    pthread_cond_broadcast(&sending->changed);
    pthread_mutex_unlock(&sending->lock);
}

static void land(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    struct flight *flight = arg;
    struct sending *sending = flight->sending;
    if (result)
        acknowledge(sending, flight->key);
    else
        tell_failure(flight->key, error);
    count_in_flight(sending, -1);
    free(flight);
}

/* Waits until so few are in the air. */
static void await_landing(struct sending *sending, int most)
{
    pthread_mutex_lock(&sending->lock);
    while (sending->in_flight > most) pthread_cond_wait(&sending->changed, &sending->lock);
    pthread_mutex_unlock(&sending->lock);
}

static mqc_status send_async(struct sending *sending, const char *key, mqc_error *error)
{
    struct flight *flight = calloc(1, sizeof *flight);
    if (!flight) abort();
    flight->sending = sending;
    snprintf(flight->key, sizeof flight->key, "%s", key);
    await_landing(sending, IN_FLIGHT_MOST - 1);
    count_in_flight(sending, 1);
    mqc_message *message = make_message(sending->topic, key);
    mqc_status status =
        mqc_producer_send_async(sending->producer, message, NULL, land, flight, error);
    mqc_message_free(message);
    if (status == MQC_OK) return MQC_OK;
    count_in_flight(sending, -1);
    free(flight);
    return status;
}

/* Acknowledged by now, or as good as: what is in the air may still fail. */
static long acknowledged_or_in_flight(struct sending *sending)
{
    pthread_mutex_lock(&sending->lock);
    long count = sending->acknowledged + sending->in_flight;
    pthread_mutex_unlock(&sending->lock);
    return count;
}

static void send_all(struct sending *sending)
{
    for (long number = 0; !atomic_load(&told_to_end); number++) {
        if (sending->wanted > 0 && acknowledged_or_in_flight(sending) >= sending->wanted) {
            await_landing(sending, 0);
            if (acknowledged_or_in_flight(sending) >= sending->wanted) break;
        }
        char key[KEY_BYTES];
        mqc_error error;
        snprintf(key, sizeof key, "%s-%06ld", sending->prefix, number);
        if (sending->send(sending, key, &error) != MQC_OK) tell_failure(key, &error);
    }
    await_landing(sending, 0);
}

static mqc_producer *start_producer(const mqc_options *options)
{
    mqc_error error;
    mqc_client_options client = {0};
    mqc_producer_options producer_options = {.client = &client, .group = "load"};
    mqc_options_to_client(options, &client);
    mqc_options_to_producer(options, &producer_options);
    mqc_producer *producer = mqc_producer_new(&producer_options, &error);
    if (!producer) fail("producer", &error);
    check(mqc_producer_start(producer, &error), "start", &error);
    return producer;
}

static void end_producer(mqc_producer *producer)
{
    mqc_error error;
    check(mqc_producer_shutdown(producer, DRAIN_MS, &error), "shutdown", &error);
    mqc_producer_free(producer);
}

static void end_when_told(int signal_number)
{
    (void)signal_number;
    atomic_store(&told_to_end, true);
}

static int send_command(char **arguments, const mqc_options *options)
{
    struct sending sending = {.topic = arguments[0],
                              .wanted = strtol(arguments[1], NULL, 10),
                              .prefix = arguments[3],
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    const char *mode = arguments[2];
    sending.oneway = strcmp(mode, "oneway") == 0;
    sending.send = strcmp(mode, "async") == 0                    ? send_async
                   : sending.oneway || strcmp(mode, "sync") == 0 ? send_now
                                                                 : NULL;
    if (!sending.send) return 2;
    signal(SIGTERM, end_when_told);
    sending.producer = start_producer(options);
    send_all(&sending);
    end_producer(sending.producer);
    return 0;
}

/* ---- probing ---- */

struct choice {
    size_t wish, count;
};

static size_t choose(const mqc_message_queue *queues, size_t count, const mqc_message *message,
                     void *arg)
{
    struct choice *choice = arg;
    (void)queues;
    (void)message;
    choice->count = count;
    return choice->wish;
}

static int probe_command(char **arguments, const mqc_options *options)
{
    mqc_producer *producer = start_producer(options);
    struct choice choice = {.count = 1};
    mqc_send_options send_options = {.select = choose, .select_arg = &choice};
    for (; choice.wish < choice.count; choice.wish++) {
        mqc_error error;
        char key[KEY_BYTES];
        snprintf(key, sizeof key, "%s-%zu", arguments[1], choice.wish);
        mqc_message *message = make_message(arguments[0], key);
        check(mqc_producer_send(producer, message, &send_options, NULL, &error), key, &error);
        mqc_message_free(message);
    }
    printf("%zu\n", choice.count);
    end_producer(producer);
    return 0;
}

/* ---- consuming ---- */

static void print_message(const mqc_message *message)
{
    char key[KEY_BYTES], line[KEY_BYTES + 64];
    mqc_view body = mqc_message_body(message);
    const char *colon = memchr(body.data, ':', body.size);
    size_t length = colon ? (size_t)(colon - (const char *)body.data) : body.size;
    snprintf(key, sizeof key, "%.*s", (int)(length < KEY_BYTES ? length : KEY_BYTES - 1),
             (const char *)body.data);
    snprintf(line, sizeof line, "%s %d %d %s", key, mqc_message_queue_id(message),
             mqc_message_reconsume_times(message), is_good(message, key) ? "good" : "BAD");
    print_line(stdout, line);
}

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < mqc_delivery_count(delivery); i++)
        print_message(mqc_delivery_at(delivery, i));
    return MQC_CONSUME_SUCCESS;
}

static mqc_consume_status refuse(mqc_delivery *delivery, void *arg)
{
    take(delivery, arg);
    if (mqc_message_reconsume_times(mqc_delivery_at(delivery, 0)) > 0) return MQC_CONSUME_SUCCESS;
    mqc_delivery_retry_level(delivery, 1);
    return MQC_RECONSUME_LATER;
}

static int consume(char **arguments, const mqc_options *options, mqc_message_listener *listener)
{
    int number;
    sigset_t signals;
    mqc_error error;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    mqc_client_options client = {0};
    mqc_push_consumer_options consumer_options = {
        .client = &client, .group = arguments[1], .listener = listener, .from = MQC_FROM_FIRST};
    mqc_options_to_client(options, &client);
    mqc_options_to_push_consumer(options, &consumer_options);
    mqc_push_consumer *consumer = mqc_push_consumer_new(&consumer_options, &error);
    if (!consumer) fail("consumer", &error);
    check(mqc_push_consumer_subscribe(consumer, arguments[0], "*", &error), "subscribe", &error);
    check(mqc_push_consumer_start(consumer, &error), "start", &error);
    print_line(stderr, "started");
    sigwait(&signals, &number);
    check(mqc_push_consumer_shutdown(consumer, DRAIN_MS, &error), "shutdown", &error);
    mqc_push_consumer_free(consumer);
    print_line(stderr, "ended");
    return 0;
}

static int consume_command(char **arguments, const mqc_options *options)
{
    return consume(arguments, options, take);
}

static int refuse_command(char **arguments, const mqc_options *options)
{
    return consume(arguments, options, refuse);
}

/* ---- the command line ---- */

static const struct command {
    const char *name;
    int arguments;
    int (*run)(char **arguments, const mqc_options *options);
} COMMANDS[] = {{"send", 4, send_command},
                {"consume", 2, consume_command},
                {"refuse", 2, refuse_command},
                {"probe", 2, probe_command}};

static void take_options(mqc_options *options, int count, char **texts)
{
    for (int i = 0; i < count; i++) {
        mqc_error error;
        char *equals =
            i + 1 < count && strcmp(texts[i], "-X") == 0 ? strchr(texts[++i], '=') : NULL;
        if (!equals) {
            fprintf(stderr, "load: write -X name=value, not %s\n", texts[i]);
            exit(2);
        }
        *equals = '\0';
        check(mqc_options_set(options, texts[i], equals + 1, &error), "-X", &error);
    }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        const struct command *command = &COMMANDS[i];
        if (argc < 2 + command->arguments || strcmp(argv[1], command->name) != 0) continue;
        mqc_options *options = mqc_options_new();
        if (!options) abort();
        int first = 2 + command->arguments;
        take_options(options, argc - first, argv + first);
        int code = command->run(argv + 2, options);
        mqc_options_free(options);
        return code;
    }
    fprintf(stderr, "load: see the head of test/broker/load.c for the usage\n");
    return 2;
}
