/* Broadcasting: every member gets every message, and each keeps its own progress in a file of its
 * machine, whatever ends it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/contract/collector.h"

enum { QUEUES = 2, MESSAGES = 20 };

static char root[64];

static void make_root(void)
{
    snprintf(root, sizeof root, "/tmp/mqc-broadcast-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void remove_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

static const char *in_root(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static mqc_push_consumer_options options_of(const char *group, const char *member,
                                            struct collector *collector, int seat)
{
    static char paths[8][128];
    snprintf(paths[seat], sizeof paths[seat], "%s/%s", root, member);
    return (mqc_push_consumer_options){.group = group,
                                       .listener = collector_listen,
                                       .listener_arg = collector_seat(collector, seat),
                                       .from = MQC_FROM_FIRST,
                                       .model = MQC_BROADCASTING,
                                       .offset_store_path = paths[seat]};
}

START_TEST(test_every_member_gets_all)
{
    const char *topic = contract_topic(QUEUES), *group = contract_name("group");
    struct collector *collectors[2] = {collector_new(), collector_new()};
    mqc_push_consumer *consumers[2];
    mqc_producer *producer = contract_producer(NULL);
    make_root();
    for (int i = 0; i < 2; i++) {
        mqc_push_consumer_options options =
            options_of(group, i ? "second" : "first", collectors[i], i);
        consumers[i] = contract_consumer(&options, topic, "*");
    }
    contract_send_many(producer, topic, "message ", MESSAGES);
    for (int i = 0; i < 2; i++) {
        collector_await(collectors[i], MESSAGES);
        collector_check_each_once(collectors[i], "message ", MESSAGES);
        contract_consumer_end(consumers[i]);
        collector_free(collectors[i]);
    }
    mqc_producer_free(producer);
    remove_root();
}
END_TEST

START_TEST(test_progress_is_kept)
{
    const char *topic = contract_topic(QUEUES), *group = contract_name("group");
    mqc_producer *producer = contract_producer(NULL);
    make_root();
    for (int life = 0; life < 3; life++) {
        char prefix[32];
        struct collector *collector = collector_new();
        mqc_push_consumer_options options = options_of(group, "member", collector, 0);
        snprintf(prefix, sizeof prefix, "life %d message ", life);
        contract_send_many(producer, topic, prefix, MESSAGES);
        mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
        collector_await(collector, MESSAGES);
        collector_check_each_once(collector, prefix, MESSAGES);
        ck_assert_uint_eq(collector_count(collector), MESSAGES);
        contract_consumer_end(consumer);
        collector_free(collector);
    }
    char path[256];
    snprintf(path, sizeof path, "member/%s/offsets.json", group);
    ck_assert_int_eq(access(in_root(path), F_OK), 0);
    /* Brokers know nothing of it. */
    if (contract_embedded())
        ck_assert_int_eq(mqc_embedded_consumer_offset(contract_embedded(), group, topic, 0, 0), -1);
    mqc_producer_free(producer);
    remove_root();
}
END_TEST

/* ---- killed ---- */

/* A process of its own that consumes, and writes what it gets to its standard output. */
static mqc_consume_status write_body(mqc_delivery *delivery, void *arg)
{
    char line[64];
    (void)arg;
    mqc_view body = mqc_message_body(mqc_delivery_at(delivery, 0));
    int length = snprintf(line, sizeof line, "%.*s\n", (int)body.size, (const char *)body.data);
    return write(STDOUT_FILENO, line, (size_t)length) == length ? MQC_CONSUME_SUCCESS
                                                                : MQC_RECONSUME_LATER;
}

static int be_member(char **argv)
{
    mqc_error error;
    mqc_client_options client = {.name_servers = argv[1], .persist_offsets_ms = 10};
    client.access_key = getenv("MQC_CONTRACT_ACCESS_KEY");
    client.secret_key = getenv("MQC_CONTRACT_SECRET_KEY");
    client.tls.ca_file = getenv("MQC_CONTRACT_TLS_CA");
    client.tls.certificate_file = getenv("MQC_CONTRACT_TLS_CERT");
    client.tls.key_file = getenv("MQC_CONTRACT_TLS_KEY");
    client.tls.enabled = client.tls.ca_file != NULL;
    mqc_push_consumer_options options = {.client = &client,
                                         .group = argv[2],
                                         .listener = write_body,
                                         .from = MQC_FROM_FIRST,
                                         .model = MQC_BROADCASTING,
                                         .offset_store_path = argv[4]};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    if (!consumer || mqc_push_consumer_subscribe(consumer, argv[3], "*", &error) != MQC_OK ||
        mqc_push_consumer_start(consumer, &error) != MQC_OK)
        return fprintf(stderr, "%s\n", error.text), 1;
    for (;;) pause();
}

static pid_t start_member(const char *group, const char *topic, FILE **output)
{
    int ends[2];
    mqc_client_options client = contract_client();
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "member", client.name_servers, group, topic, root, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *output = fdopen(ends[0], "r");
    return child;
}

/* Reads what the member says until it has said `last` (-1: to its end); returns the first that it
 * said. */
static int read_until(FILE *output, int last, int *seen)
{
    char line[64];
    int number = 0, first = -1;
    do {
        bool more = fgets(line, sizeof line, output) != NULL;
        if (!more && last < 0) break;
        ck_assert_msg(more, "the member has ended");
        if (sscanf(line, "message %d", &number) != 1) continue;
        if (first < 0) first = number;
        seen[number]++;
    } while (number != last);
    return first;
}

/* What the group's file has for the one queue; -1 when there is none yet. */
static int saved_offset(const char *group)
{
    char path[256], text[4096];
    snprintf(path, sizeof path, "%s/%s/offsets.json", root, group);
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *place = strstr(text, "}:");
    return place ? atoi(place + 2) : -1;
}

struct progress {
    const char *group;
    int least, saved;
};

static bool is_saved(void *arg)
{
    struct progress *progress = arg;
    progress->saved = saved_offset(progress->group);
    return progress->saved >= progress->least;
}

START_TEST(test_progress_survives_kill)
{
    const char *topic = contract_topic(1), *group = contract_name("group");
    mqc_producer *producer = contract_producer(NULL);
    struct progress progress = {.group = group, .saved = 0};
    int seen[200] = {0};
    make_root();
    for (int life = 0; life < 5; life++) {
        FILE *output;
        for (int i = 40 * life; i < 40 * (life + 1); i++) {
            char body[64];
            snprintf(body, sizeof body, "message %d", i);
            contract_send(producer, topic, body);
        }
        pid_t child = start_member(group, topic, &output);
        int first = read_until(output, 40 * life + 39, seen);
        /* It goes on where the file said, or later: the file is written all the time. */
        ck_assert_int_ge(first, progress.saved);
        progress.least = 40 * life + 20 + life;
        contract_await("progress is saved", is_saved, &progress);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        read_until(output, -1, seen);
        fclose(output);
    }
    for (int i = 0; i < 200; i++) ck_assert_msg(seen[i] > 0, "message %d was never consumed", i);
    mqc_producer_free(producer);
    remove_root();
}
END_TEST

/* ---- files ---- */

START_TEST(test_damaged_file)
{
    const char *topic = contract_topic(1), *group = contract_name("group");
    mqc_producer *producer = contract_producer(NULL);
    char path[256], command[640];
    make_root();
    for (int life = 0; life < 3; life++) {
        char prefix[32];
        struct collector *collector = collector_new();
        mqc_push_consumer_options options = options_of(group, "member", collector, 0);
        snprintf(prefix, sizeof prefix, "life %d message ", life);
        contract_send_many(producer, topic, prefix, 5);
        mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
        /* With the backup, only what the last life has done comes again. */
        collector_await_each(collector, prefix, 5);
        ck_assert_uint_eq(collector_count_body(collector, "life 0 message 0"), life == 0);
        contract_consumer_end(consumer);
        collector_free(collector);
        if (life != 1) continue;
        snprintf(path, sizeof path, "member/%s/offsets.json", group);
        snprintf(command, sizeof command, "echo damaged >'%s'", in_root(path));
        ck_assert_int_eq(system(command), 0);
    }
    snprintf(path, sizeof path, "member/%s/offsets.json.damaged", group);
    ck_assert_int_eq(access(in_root(path), F_OK), 0);
    mqc_producer_free(producer);
    remove_root();
}
END_TEST

START_TEST(test_one_file_one_member)
{
    mqc_error error;
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *collector = collector_new();
    mqc_client_options client = contract_client();
    make_root();
    mqc_push_consumer_options options = options_of(group, "member", collector, 0);
    mqc_push_consumer *first = contract_consumer(&options, topic, "*");
    options.client = &client;
    mqc_push_consumer *second = mqc_push_consumer_new(&options, &error);
    ck_assert_ptr_nonnull(second);
    ck_ok(mqc_push_consumer_subscribe(second, topic, "*", &error));
    ck_fails(mqc_push_consumer_start(second, &error), MQC_BUSY, "member/", group,
             "is in use by another consumer", "offsetStorePath (offset_store_path) of its own");
    contract_consumer_end(first);
    ck_ok(mqc_push_consumer_start(second, &error));
    contract_consumer_end(second);
    collector_free(collector);
    remove_root();
}
END_TEST

START_TEST(test_javas_place)
{
    mqc_error error;
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *collector = collector_new();
    mqc_producer *producer = contract_producer(NULL);
    mqc_client_options client = contract_client();
    client.client_ip = "10.9.8.7";
    make_root();
    setenv("HOME", root, 1);
    contract_send(producer, topic, "message");
    mqc_push_consumer_options options = options_of(group, "member", collector, 0);
    options.offset_store_path = NULL;
    options.client = &client;
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, 1);
    contract_consumer_end(consumer);
    char path[256];
    snprintf(path, sizeof path, ".rocketmq_offsets/10.9.8.7@DEFAULT/%s/offsets.json", group);
    ck_assert_int_eq(access(in_root(path), F_OK), 0);
    /* Without a home it says what to do, or keeps nothing if told so. */
    unsetenv("HOME");
    consumer = mqc_push_consumer_new(&options, &error);
    ck_fails(mqc_push_consumer_start(consumer, &error), MQC_BAD_ARGUMENT, "$HOME is not set",
             "give offsetStorePath (offset_store_path)");
    mqc_push_consumer_free(consumer);
    options.offsets_in_memory = true;
    consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, 2);
    contract_consumer_end(consumer);
    mqc_producer_free(producer);
    collector_free(collector);
    remove_root();
}
END_TEST

/* ---- refused ---- */

static mqc_consume_status refuse_twice(mqc_delivery *delivery, void *arg)
{
    (void)arg;
    const mqc_message *message = mqc_delivery_at(delivery, 0);
    if (contract_text_is(message, "hopeless")) return MQC_RECONSUME_LATER;
    return mqc_message_reconsume_times(message) < 1 ? MQC_RECONSUME_LATER : MQC_CONSUME_SUCCESS;
}

START_TEST(test_refused_comes_again_here)
{
    const char *topic = contract_topic(1), *group = contract_name("group");
    struct collector *collector = collector_new_judging(refuse_twice, NULL);
    mqc_producer *producer = contract_producer(NULL);
    make_root();
    mqc_push_consumer_options options = options_of(group, "member", collector, 0);
    options.max_reconsume_times = 1;
    contract_send(producer, topic, "refused");
    contract_send(producer, topic, "hopeless");
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, 4);
    ck_assert_uint_eq(collector_count_body(collector, "refused"), 2);
    ck_assert_uint_eq(collector_count_body(collector, "hopeless"), 2);
    contract_consumer_end(consumer);
    /* Given up, and done: neither comes to the next life. */
    contract_send(producer, topic, "next");
    consumer = contract_consumer(&options, topic, "*");
    collector_await_body(collector, "next");
    contract_consumer_end(consumer);
    ck_assert_uint_eq(collector_count_body(collector, "hopeless"), 2);
    mqc_producer_free(producer);
    collector_free(collector);
    remove_root();
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {test_every_member_gets_all,   test_progress_is_kept,
                                  test_progress_survives_kill,  test_damaged_file,
                                  test_one_file_one_member,     test_javas_place,
                                  test_refused_comes_again_here};
    if (argc == 5) return be_member(argv);
    return contract_run("broadcast", tests, (int)(sizeof tests / sizeof *tests));
}
