/* A process that forks while its clients are at work: the child is told that nothing of them is
 * its own, and the parent's go on as if nothing had happened. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/contract/collector.h"
#include "test/contract/process_state.h"

/* One of each kind, all of them at work. */
struct clients {
    const char *topic;
    mqc_producer *producer;
    mqc_push_consumer *push;
    mqc_lite_consumer *lite;
    mqc_pull_consumer *pull;
    mqc_admin *admin;
    struct collector *collector;
    atomic_bool enough;
};

static mqc_message *new_message(const char *topic, const char *body)
{
    mqc_message *message = mqc_message_new(topic, body, strlen(body));
    ck_assert_ptr_nonnull(message);
    return message;
}

static void open_clients(struct clients *clients)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    clients->topic = contract_topic(2);
    clients->collector = collector_new();
    clients->producer = contract_producer(NULL);
    clients->push = contract_consumer(
        &(mqc_push_consumer_options){.group = contract_name("push"),
                                     .listener = collector_listen,
                                     .listener_arg = collector_seat(clients->collector, 0),
                                     .from = MQC_FROM_FIRST},
        clients->topic, "*");
    clients->lite = mqc_lite_consumer_new(
        &(mqc_lite_consumer_options){.client = &client, .group = contract_name("lite")}, &error);
    ck_assert_ptr_nonnull(clients->lite);
    ck_ok(mqc_lite_consumer_subscribe(clients->lite, clients->topic, "*", &error));
    ck_ok(mqc_lite_consumer_start(clients->lite, &error));
    clients->pull = mqc_pull_consumer_new(
        &(mqc_pull_consumer_options){.client = &client, .group = contract_name("pull")}, &error);
    ck_assert_ptr_nonnull(clients->pull);
    clients->admin = mqc_admin_new(&client, &error);
    ck_assert_ptr_nonnull(clients->admin);
}

static void close_clients(struct clients *clients)
{
    mqc_admin_free(clients->admin);
    mqc_pull_consumer_free(clients->pull);
    mqc_lite_consumer_free(clients->lite);
    mqc_push_consumer_free(clients->push);
    mqc_producer_free(clients->producer);
    collector_free(clients->collector);
}

static void *keep_sending(void *arg)
{
    struct clients *clients = arg;
    mqc_error error;
    mqc_message *message = new_message(clients->topic, "meanwhile");
    while (!atomic_load(&clients->enough))
        ck_ok(mqc_producer_send(clients->producer, message, NULL, NULL, &error));
    mqc_message_free(message);
    return NULL;
}

/* ---- the child ---- */

static void never_called(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    (void)result, (void)error, (void)arg;
    _exit(99);
}

/* 0, or the number of the call that was not refused as it should be. */
static int try_all(struct clients *clients)
{
    mqc_error error = {.status = MQC_OK};
    mqc_message *message = mqc_message_new(clients->topic, "from the child", 14);
    mqc_delivery *delivery = NULL;
    mqc_queue_list queues = {0};
    int number = 0;
#define REFUSED(call)                                                                              \
    do {                                                                                           \
        number++;                                                                                  \
        if ((call) != MQC_WRONG_STATE || !strstr(error.text, "fork")) return number;               \
        error = (mqc_error){.status = MQC_OK};                                                     \
    } while (0)
    REFUSED(mqc_producer_send(clients->producer, message, NULL, NULL, &error));
    REFUSED(mqc_producer_send_async(clients->producer, message, NULL, never_called, NULL, &error));
    REFUSED(mqc_producer_send_oneway(clients->producer, message, NULL, &error));
    REFUSED(mqc_producer_shutdown(clients->producer, 0, &error));
    REFUSED(mqc_push_consumer_subscribe(clients->push, "another", "*", &error));
    REFUSED(mqc_push_consumer_pause(clients->push, &error));
    REFUSED(mqc_push_consumer_shutdown(clients->push, 0, &error));
    REFUSED(mqc_lite_consumer_poll(clients->lite, 0, &delivery, &error));
    REFUSED(mqc_lite_consumer_shutdown(clients->lite, &error));
    REFUSED(mqc_pull_consumer_fetch_queues(clients->pull, clients->topic, &queues, &error));
    REFUSED(mqc_admin_delete_topic(clients->admin, NULL, clients->topic, &error));
#undef REFUSED
    mqc_message_free(message);
    return 0;
}

/* A child may well have clients of its own. */
static int use_own(const char *topic)
{
    mqc_error error;
    mqc_client_options client = contract_client();
    mqc_producer *producer =
        mqc_producer_new(&(mqc_producer_options){.client = &client, .group = "child"}, &error);
    mqc_message *message = mqc_message_new(topic, "child's own", 11);
    int failed = !producer || !message || mqc_producer_start(producer, &error) != MQC_OK ||
                 mqc_producer_send(producer, message, NULL, NULL, &error) != MQC_OK;
    mqc_message_free(message);
    mqc_producer_free(producer);
    return failed ? 100 : 0;
}

static int live_as_child(struct clients *clients)
{
    int failed = try_all(clients);
    mqc_admin_free(clients->admin);
    mqc_pull_consumer_free(clients->pull);
    mqc_lite_consumer_free(clients->lite);
    mqc_push_consumer_free(clients->push);
    mqc_producer_free(clients->producer);
    /* A sanitizer's child may not start threads. */
    return failed || PROCESS_SANITIZED ? failed : use_own(clients->topic);
}

START_TEST(test_fork_in_the_midst)
{
    enum { CHILDREN = 5 };
    static struct clients clients;
    pthread_t thread;
    open_clients(&clients);
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_sending, &clients), 0);
    collector_await(clients.collector, 10);
    for (int i = 0; i < CHILDREN; i++) {
        int state;
        pid_t child = fork();
        if (child == 0) _exit(live_as_child(&clients));
        ck_assert_int_eq(waitpid(child, &state, 0), child);
        ck_assert_msg(WIFEXITED(state), "child %d was killed by signal %d", i, WTERMSIG(state));
        ck_assert_msg(WEXITSTATUS(state) == 0, "in child %d call %d was not refused", i,
                      WEXITSTATUS(state));
    }
    atomic_store(&clients.enough, true);
    pthread_join(thread, NULL);
    contract_send(clients.producer, clients.topic, "after all");
    collector_await_body(clients.collector, "after all");
    if (!PROCESS_SANITIZED)
        ck_assert_uint_eq(collector_count_body(clients.collector, "child's own"), CHILDREN);
    ck_assert_uint_eq(collector_count_body(clients.collector, "from the child"), 0);
    close_clients(&clients);
}
END_TEST

CONTRACT_MAIN("forks", test_fork_in_the_midst)
