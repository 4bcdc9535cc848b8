/* See contract.h: the cluster of a contract test, and short ways to do what every test does. */
#include "test/contract/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { NAMES = 256, NAME_ROOM = 96, TEST_TIMEOUT_S = 240, POLL_MS = 20 };

static mqc_embedded *embedded;

/* As test/broker/configure.sh sets real brokers up. */
static const mqc_embedded_options SETTINGS = {.broker_config = "recallMessageEnable=true\n"
                                                               "transactionTimeOut=3000\n"
                                                               "transactionCheckInterval=3000\n"};
static mqc_embedded_options settings;
static char names[NAMES][NAME_ROOM];
static int names_used;

static int run(const char *name, const mqc_embedded_options *with, const TTest *const *tests,
               int count);

static void start_cluster(void)
{
    mqc_error error;
    if (getenv("MQC_CONTRACT_NAMESRV")) return;
    embedded = mqc_embedded_start(&settings, &error);
    ck_assert_msg(embedded != NULL, "the embedded cluster does not start: %s", error.text);
}

static void stop_cluster(void)
{
    mqc_embedded_stop(embedded);
    embedded = NULL;
}

int contract_run(const char *name, const TTest *const *tests, int count)
{
    return run(name, &SETTINGS, tests, count);
}

int contract_cluster_run(const char *name, const mqc_embedded_options *with,
                         const TTest *const *tests, int count)
{
    if (!getenv("MQC_CONTRACT_NAMESRV") || getenv("MQC_CONTRACT_CLUSTER_TOOL"))
        return run(name, with, tests, count);
    printf("%s: passed over, this is no cluster for it\n100%%: Checks: 0, Failures: 0, Errors: 0\n",
           name);
    return EXIT_SUCCESS;
}

static int run(const char *name, const mqc_embedded_options *with, const TTest *const *tests,
               int count)
{
    settings = *with;
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(getenv("MQC_CONTRACT_NAMESRV") ? "real cluster" : "embedded");
    tcase_set_timeout(tcase, TEST_TIMEOUT_S);
    tcase_add_checked_fixture(tcase, start_cluster, stop_cluster);
    for (int i = 0; i < count; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void contract_failed(const char *call, mqc_status actual, mqc_status expected,
                     const mqc_error *error, const char *const *parts)
{
    ck_assert_msg(actual == expected, "%s: expected %s, got %s: %s", call,
                  mqc_status_name(expected), mqc_status_name(actual), error->text);
    ck_assert_msg(error->status == expected, "%s returned %s, but the error says %s", call,
                  mqc_status_name(actual), mqc_status_name(error->status));
    for (; *parts; parts++)
        ck_assert_msg(strstr(error->text, *parts) != NULL, "%s: \"%s\" does not say \"%s\"", call,
                      error->text, *parts);
}

mqc_embedded *contract_embedded(void)
{
    return embedded;
}

mqc_client_options contract_client(void)
{
    const char *authority = getenv("MQC_CONTRACT_TLS_CA");
    mqc_client_options client = {
        .name_servers =
            embedded ? mqc_embedded_name_servers(embedded) : getenv("MQC_CONTRACT_NAMESRV"),
        .access_key = getenv("MQC_CONTRACT_ACCESS_KEY"),
        .secret_key = getenv("MQC_CONTRACT_SECRET_KEY"),
        .tls = {.enabled = authority != NULL,
                .ca_file = authority,
                .certificate_file = getenv("MQC_CONTRACT_TLS_CERT"),
                .key_file = getenv("MQC_CONTRACT_TLS_KEY")},
        .connect_timeout_ms = 30000,
        .request_timeout_ms = 30000,
    };
    return client;
}

const char *contract_name(const char *what)
{
    ck_assert_int_lt(names_used, NAMES);
    char *name = names[names_used];
    snprintf(name, NAME_ROOM, "%s-%d-%llx-%d", what, (int)getpid(),
             (unsigned long long)contract_unix_ms(), names_used);
    names_used++;
    return name;
}

static mqc_admin *new_admin(void)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_admin *admin = mqc_admin_new(&client, &error);
    ck_assert_msg(admin != NULL, "mqc_admin_new: %s", error.text);
    return admin;
}

const char *contract_topic(int queues)
{
    mqc_error error;
    const char *topic = contract_name("topic");
    mqc_admin *admin = new_admin();
    mqc_topic_options options = {.read_queues = queues, .write_queues = queues};
    ck_ok(mqc_admin_create_topic(admin, NULL, topic, &options, &error));
    mqc_admin_free(admin);
    return topic;
}

/* ---- waiting for topics, asking for their brokers ---- */

struct topic_search {
    mqc_admin *admin;
    const char *topic;
    char *broker_name;
};

static bool take_broker_name(const mqc_topic_route_entry *entry, void *arg)
{
    struct topic_search *search = arg;
    snprintf(search->broker_name, NAME_ROOM, "%s", entry->broker_name);
    return false;
}

static bool topic_is_known(void *arg)
{
    struct topic_search *search = arg;
    return mqc_admin_each_route(search->admin, search->topic, take_broker_name, search, NULL) ==
           MQC_OK;
}

static const char *await_broker_of(const char *topic)
{
    ck_assert_int_lt(names_used, NAMES);
    struct topic_search search = {
        .admin = new_admin(), .topic = topic, .broker_name = names[names_used++]};
    contract_await(topic, topic_is_known, &search);
    mqc_admin_free(search.admin);
    return search.broker_name;
}

void contract_await_topic(const char *topic)
{
    await_broker_of(topic);
}

mqc_message_queue contract_queue(const char *topic, int queue_id)
{
    return (mqc_message_queue){
        .topic = topic, .broker_name = await_broker_of(topic), .queue_id = queue_id};
}

/* ---- brokers ---- */

static void tell_cluster(const char *command, int broker)
{
    char line[1024];
    snprintf(line, sizeof line, "'%s' %s '%s' %d", getenv("MQC_CONTRACT_CLUSTER_TOOL"), command,
             getenv("MQC_CONTRACT_CLUSTER"), broker);
    ck_assert_msg(system(line) == 0, "%s", line);
}

void contract_broker_down(int broker)
{
    mqc_error error;
    if (embedded)
        ck_ok(mqc_embedded_broker_down(embedded, broker, 0, &error));
    else
        tell_cluster("kill-broker", broker);
}

void contract_broker_up(int broker)
{
    mqc_error error;
    if (embedded)
        ck_ok(mqc_embedded_broker_up(embedded, broker, &error));
    else
        tell_cluster("start-broker", broker);
}

/* ---- producers ---- */

mqc_producer *contract_producer(const mqc_client_options *client)
{
    mqc_error error;
    mqc_client_options own = contract_client();
    mqc_producer_options options = {
        .client = client ? client : &own,
        .group = contract_name("producer"),
        .send_timeout_ms = CONTRACT_WAIT_MS,
    };
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_msg(producer != NULL, "mqc_producer_new: %s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    return producer;
}

static mqc_send_result send_text(mqc_producer *producer, const char *topic, const char *tag,
                                 const mqc_send_options *options, const char *body)
{
    mqc_error error;
    mqc_send_result result;
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    ck_assert_ptr_nonnull(message);
    if (tag) ck_ok(mqc_message_set_tag(message, tag, &error));
    ck_ok(mqc_producer_send(producer, message, options, &result, &error));
    ck_assert_int_eq(result.status, MQC_SEND_OK);
    mqc_message_free(message);
    return result;
}

mqc_send_result contract_send(mqc_producer *producer, const char *topic, const char *body)
{
    return send_text(producer, topic, NULL, NULL, body);
}

mqc_send_result contract_send_to(mqc_producer *producer, const mqc_message_queue *queue,
                                 const char *body)
{
    mqc_send_options options = {.queue = queue};
    return send_text(producer, queue->topic, NULL, &options, body);
}

mqc_send_result contract_send_tagged(mqc_producer *producer, const char *topic, const char *tag,
                                     const char *body)
{
    return send_text(producer, topic, tag, NULL, body);
}

void contract_send_many(mqc_producer *producer, const char *topic, const char *prefix, int count)
{
    char body[NAME_ROOM];
    for (int i = 0; i < count; i++) {
        snprintf(body, sizeof body, "%s%d", prefix, i);
        contract_send(producer, topic, body);
    }
}

/* ---- consumers ---- */

mqc_push_consumer *contract_consumer(const mqc_push_consumer_options *options, const char *topic,
                                     const char *filter)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_push_consumer_options complete = *options;
    if (!complete.client) complete.client = &client;
    mqc_push_consumer *consumer = mqc_push_consumer_new(&complete, &error);
    ck_assert_msg(consumer != NULL, "mqc_push_consumer_new: %s", error.text);
    if (topic) ck_ok(mqc_push_consumer_subscribe(consumer, topic, filter, &error));
    ck_ok(mqc_push_consumer_start(consumer, &error));
    return consumer;
}

void contract_consumer_end(mqc_push_consumer *consumer)
{
    mqc_error error;
    ck_ok(mqc_push_consumer_shutdown(consumer, CONTRACT_WAIT_MS, &error));
    mqc_push_consumer_free(consumer);
}

/* ---- others ---- */

bool contract_text_is(const mqc_message *message, const char *body)
{
    mqc_view view = mqc_message_body(message);
    return view.size == strlen(body) && memcmp(view.data, body, view.size) == 0;
}

int64_t contract_unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void contract_pass(int64_t ms)
{
    if (embedded) mqc_embedded_advance_clock(embedded, ms);
}

static bool hurry;

void contract_hurry(void)
{
    hurry = embedded != NULL;
}

int contract_slice_ms(void)
{
    return hurry ? POLL_MS : CONTRACT_WAIT_MS;
}

void contract_slice_over(void)
{
    if (hurry) contract_pass((int64_t)9 * POLL_MS); /* beside what has passed for real */
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void contract_await(const char *what, contract_condition *holds, void *arg)
{
    int64_t deadline_ms = monotonic_ms() + CONTRACT_WAIT_MS;
    while (!holds(arg)) {
        ck_assert_msg(monotonic_ms() < deadline_ms, "waited in vain for: %s", what);
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
        contract_slice_over();
    }
}
