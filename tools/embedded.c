/* mqc embedded: a RocketMQ cluster in this process, in memory, for tests in any language. Prints
 * the name server's address and runs until it is interrupted or its standard input ends (--stdin).
 * The main thread only waits; the cluster has a thread of its own. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mqclient/embedded.h>

#include "tools/mqc.h"
#include "tools/output.h"

static const char NAME[] = "embedded";

enum { EACH_MAX = 64 };

/* An option that may be given several times. */
struct each {
    const char *items[EACH_MAX];
    int count;
};

struct embedded {
    mqc_embedded_options options;
    mqc_embedded_user users[EACH_MAX];
    struct each user_texts, faults, topics, settings;
    char broker_config[4096];
    bool until_end_of_input;
    bool show_requests;
};

enum letter {
    BROKERS = 'b',
    PORT = 'p',
    TOPIC = 't',
    FAULT = 'f',
    HELP = 'h',
    SLAVES = 256,
    BROKER_PORT,
    CERTIFICATE,
    KEY,
    CLIENT_CA,
    TLS_ONLY,
    USER,
    QUEUES,
    NO_AUTO_CREATE,
    SETTING,
    BINARY,
    IPV6,
    STDIN,
    REQUESTS
};

static const struct option OPTIONS[] = {
    {"brokers", required_argument, NULL, BROKERS},
    {"slaves", required_argument, NULL, SLAVES},
    {"port", required_argument, NULL, PORT},
    {"broker-port", required_argument, NULL, BROKER_PORT},
    {"topic", required_argument, NULL, TOPIC},
    {"queues", required_argument, NULL, QUEUES},
    {"no-auto-create", no_argument, NULL, NO_AUTO_CREATE},
    {"tls-certificate", required_argument, NULL, CERTIFICATE},
    {"tls-key", required_argument, NULL, KEY},
    {"tls-client-ca", required_argument, NULL, CLIENT_CA},
    {"tls-only", no_argument, NULL, TLS_ONLY},
    {"acl", required_argument, NULL, USER},
    {"fault", required_argument, NULL, FAULT},
    {"broker-config", required_argument, NULL, SETTING},
    {"binary", no_argument, NULL, BINARY},
    {"ipv6", no_argument, NULL, IPV6},
    {"stdin", no_argument, NULL, STDIN},
    {"requests", no_argument, NULL, REQUESTS},
    {"help", no_argument, NULL, HELP},
    {0},
};

static const char HELP_TEXT[] =
    "usage: mqc embedded [option]…\n"
    "Runs a RocketMQ cluster in this process, in memory, for tests. Prints its name server's\n"
    "address, then one line a broker, and runs until it is interrupted.\n\n"
    "  -b, --brokers N          masters (1)\n"
    "      --slaves N           slaves of each (0)\n"
    "  -p, --port PORT          the name server's port (a free one)\n"
    "      --broker-port PORT   the first broker's port, the others follow (free ones)\n"
    "  -t, --topic NAME[:N]     create a topic with N queues on every master; may be repeated\n"
    "      --queues N           most queues of a topic made by the first send (4)\n"
    "      --no-auto-create     do not make topics for sends\n"
    "      --tls-certificate F  speak TLS, beside plain text: the certificate chain (PEM)\n"
    "      --tls-key F          its private key (PEM)\n"
    "      --tls-client-ca F    clients must show a certificate of this authority\n"
    "      --tls-only           no plain text\n"
    "      --acl KEY:SECRET     requests must be signed by such a user; may be repeated\n"
    "  -f, --fault TEXT         KIND[=VALUE][:NAME=VALUE]…, may be repeated, e.g.\n"
    "                           answer=2:code=310:count=3, delay=500:topic=orders;\n"
    "                           kinds: delay answer drop no-answer lose close garbage duplicate\n"
    "                           wrong-opaque trickle refuse stall; names: code client topic\n"
    "                           server skip count text\n"
    "      --broker-config N=V  a setting as in broker.conf, e.g. recallMessageEnable=true; may "
    "be\n"
    "                           repeated\n"
    "      --binary             answer with binary headers instead of JSON\n"
    "      --ipv6               on ::1 instead of 127.0.0.1\n"
    "      --requests           print a line for every request\n"
    "      --stdin              also end when standard input ends\n"
    "  -h, --help               print this\n";

static int run(struct embedded *embedded);

/* False when it was no number; that was said. */
static bool take_number(const char *name, const char *text, int least, int *out)
{
    enum { MOST = 1000000 };
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && number >= least && number <= MOST) {
        *out = (int)number;
        return true;
    }
    usage_error(NAME, "--%s is \"%s\": give a number from %d", name, text, least);
    return false;
}

static bool take_each(const char *name, const char *text, struct each *each)
{
    if (each->count < EACH_MAX) {
        each->items[each->count++] = text;
        return true;
    }
    usage_error(NAME, "--%s may be given at most %d times", name, EACH_MAX);
    return false;
}

static bool take_option(struct embedded *embedded, int letter, const char *word)
{
    mqc_embedded_options *options = &embedded->options;
    switch (letter) {
    case BROKERS: return take_number("brokers", optarg, 1, &options->brokers);
    case SLAVES: return take_number("slaves", optarg, 0, &options->slaves);
    case PORT: return take_number("port", optarg, 1, &options->name_server_port);
    case BROKER_PORT: return take_number("broker-port", optarg, 1, &options->broker_port);
    case QUEUES: return take_number("queues", optarg, 1, &options->topic_queues);
    case TOPIC: return take_each("topic", optarg, &embedded->topics);
    case SETTING: return take_each("broker-config", optarg, &embedded->settings);
    case FAULT: return take_each("fault", optarg, &embedded->faults);
    case USER: return take_each("acl", optarg, &embedded->user_texts);
    case CERTIFICATE: options->certificate_file = optarg; return true;
    case KEY: options->key_file = optarg; return true;
    case CLIENT_CA: options->client_ca_file = optarg; return true;
    case TLS_ONLY: return options->tls_only = true;
    case NO_AUTO_CREATE: return options->no_auto_create_topics = true;
    case BINARY: return options->binary_headers = true;
    case IPV6: return options->ipv6 = true;
    case STDIN: return embedded->until_end_of_input = true;
    case REQUESTS: return embedded->show_requests = true;
    case ':': usage_error(NAME, "\"%s\" needs a value", word); return false;
    default: usage_error(NAME, "there is no option \"%s\"", word); return false;
    }
}

/* KEY:SECRET, cut in place: the arguments are this process's own. */
static bool split_users(struct embedded *embedded)
{
    for (int i = 0; i < embedded->user_texts.count; i++) {
        char *text = (char *)(uintptr_t)embedded->user_texts.items[i];
        char *colon = strchr(text, ':');
        if (!colon) {
            usage_error(NAME, "--acl needs KEY:SECRET");
            return false;
        }
        *colon = '\0';
        embedded->users[i] = (mqc_embedded_user){text, colon + 1};
    }
    embedded->options.users = embedded->users;
    embedded->options.user_count = (size_t)embedded->user_texts.count;
    return true;
}

static bool join_settings(struct embedded *embedded)
{
    char *out = embedded->broker_config;
    size_t room = sizeof embedded->broker_config;
    for (int i = 0; i < embedded->settings.count; i++) {
        size_t size = strlen(embedded->settings.items[i]) + 1;
        if (size >= room) {
            usage_error(NAME, "--broker-config: at most %zu characters in all",
                        sizeof embedded->broker_config);
            return false;
        }
        snprintf(out, room, "%s\n", embedded->settings.items[i]);
        out += size;
        room -= size;
    }
    embedded->options.broker_config = embedded->broker_config;
    return true;
}

int embedded_command(int argc, char **argv)
{
    struct embedded embedded = {0};
    int letter;
    optind = 1;
    while ((letter = getopt_long(argc, argv, ":b:p:t:f:h", OPTIONS, NULL)) != -1) {
        if (letter == HELP) {
            fputs(HELP_TEXT, stdout);
            return output_finish(NAME);
        }
        if (!take_option(&embedded, letter, argv[optind - 1])) return EXIT_USAGE;
    }
    if (optind < argc) return usage_error(NAME, "unexpected argument \"%s\"", argv[optind]);
    return split_users(&embedded) && join_settings(&embedded) ? run(&embedded) : EXIT_USAGE;
}

/* NAME[:QUEUES] */
static mqc_status create_topic(mqc_embedded *cluster, const char *text, mqc_error *error)
{
    enum { DEFAULT_QUEUES = 4 };
    char name[300];
    snprintf(name, sizeof name, "%s", text);
    char *colon = strchr(name, ':');
    if (colon) *colon = '\0';
    int queues = colon ? atoi(colon + 1) : DEFAULT_QUEUES;
    return mqc_embedded_create_topic(cluster, -1, name, queues, error);
}

static mqc_status prepare(const struct embedded *embedded, mqc_embedded *cluster, mqc_error *error)
{
    mqc_status status = MQC_OK;
    for (int i = 0; status == MQC_OK && i < embedded->topics.count; i++)
        status = create_topic(cluster, embedded->topics.items[i], error);
    for (int i = 0; status == MQC_OK && i < embedded->faults.count; i++)
        status = mqc_embedded_add_fault_text(cluster, embedded->faults.items[i], NULL, error);
    return status;
}

static bool print_addresses(mqc_embedded *cluster)
{
    const char *address;
    printf("%s\n", mqc_embedded_name_servers(cluster));
    for (int i = 0; (address = mqc_embedded_broker_address(cluster, i)); i++)
        printf("%s %s\n", mqc_embedded_broker_name(cluster, i), address);
    return fflush(stdout) == 0;
}

static bool print_request(const mqc_embedded_request *request, void *arg)
{
    int64_t *last = arg;
    *last = request->number;
    printf("%lld %s %s (%d) from %s %s topic=%s group=%s body=%zu answer=%d\n",
           (long long)request->number, request->server, request->name, request->code, request->peer,
           request->client_id, request->topic, request->group, request->body_bytes,
           request->answered ? request->answer_code : -1);
    return true;
}

/* Signals are blocked and taken here, so that nothing runs in a handler. */
static void wait_for_end(const struct embedded *embedded, mqc_embedded *cluster,
                         const sigset_t *signals)
{
    enum { STEP_MS = 200 };
    int64_t last = 0;
    bool input = embedded->until_end_of_input;
    for (;;) {
        struct pollfd end = {.fd = input ? STDIN_FILENO : -1, .events = POLLIN};
        struct timespec no_time = {0};
        char bytes[256];
        if (poll(&end, 1, STEP_MS) > 0 && read(STDIN_FILENO, bytes, sizeof bytes) <= 0) return;
        if (sigtimedwait(signals, NULL, &no_time) > 0) return;
        if (embedded->show_requests &&
            mqc_embedded_each_request(cluster, 0, last, print_request, &last) > 0)
            fflush(stdout);
    }
}

static int run(struct embedded *embedded)
{
    sigset_t signals;
    mqc_error error;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    mqc_embedded *cluster = mqc_embedded_start(&embedded->options, &error);
    if (!cluster) return library_failure(NAME, "", &error);
    int code = EXIT_DONE;
    if (prepare(embedded, cluster, &error) != MQC_OK)
        code = library_failure(NAME, "", &error);
    else if (!print_addresses(cluster))
        code = output_failure(NAME);
    else
        wait_for_end(embedded, cluster, &signals);
    mqc_embedded_stop(cluster);
    return code;
}
