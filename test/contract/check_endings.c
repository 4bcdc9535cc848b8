/* Shutdowns when nothing answers any more: they return by their deadline whatever the network does,
 * and every callback comes once. Timeouts are longer than a test may take, so that whoever waited
 * for one would be found. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/contract/collector.h"
#include "test/contract/process_state.h"

enum { NEVER_MS = 600000, SEND_MESSAGE_V2 = 310 };

static mqc_message *new_message(const char *topic)
{
    mqc_message *message = mqc_message_new(topic, "body", 4);
    ck_assert_ptr_nonnull(message);
    return message;
}

static mqc_client_options patient_client(void)
{
    mqc_client_options client = contract_client();
    client.request_timeout_ms = client.connect_timeout_ms = NEVER_MS;
    return client;
}

static mqc_producer *patient_producer(const mqc_client_options *client)
{
    mqc_error error;
    mqc_producer_options options = {.client = client,
                                    .group = contract_name("producer"),
                                    .send_timeout_ms = NEVER_MS,
                                    .max_async_sends = -1};
    mqc_producer *producer = mqc_producer_new(&options, &error);
    ck_assert_msg(producer != NULL, "%s", error.text);
    ck_ok(mqc_producer_start(producer, &error));
    return producer;
}

static void add_fault(mqc_embedded_fault_kind kind, int code)
{
    mqc_error error;
    mqc_embedded_fault fault = {.kind = kind, .request_code = code};
    ck_ok(mqc_embedded_add_fault(contract_embedded(), &fault, NULL, &error));
}

/* ---- sends in flight ---- */

enum { IN_FLIGHT = 10000 };

static atomic_uchar answers[IN_FLIGHT];
static atomic_int cancelled;

static void note_answer(const mqc_send_result *result, const mqc_error *error, void *arg)
{
    atomic_uchar *answer = arg;
    atomic_fetch_add(answer, 1);
    if (!result && error->status == MQC_CANCELLED) atomic_fetch_add(&cancelled, 1);
}

START_TEST(test_ten_thousand_in_flight)
{
    mqc_error error;
    if (!contract_embedded()) return;
    const char *topic = contract_topic(4);
    struct process_state before = process_state_now();
    mqc_client_options client = patient_client();
    mqc_producer *producer = patient_producer(&client);
    mqc_message *message = new_message(topic);
    ck_ok(mqc_producer_send(producer, message, NULL, NULL, &error));
    add_fault(MQC_FAULT_NO_ANSWER, SEND_MESSAGE_V2);
    for (int i = 0; i < IN_FLIGHT; i++)
        ck_ok(mqc_producer_send_async(producer, message, NULL, note_answer, &answers[i], &error));
    ck_ok(mqc_producer_shutdown(producer, 100, &error));
    for (int i = 0; i < IN_FLIGHT; i++) ck_assert_int_eq(atomic_load(&answers[i]), 1);
    ck_assert_int_eq(atomic_load(&cancelled), IN_FLIGHT);
    mqc_producer_free(producer);
    mqc_message_free(message);
    for (int i = 0; i < IN_FLIGHT; i++) ck_assert_int_eq(atomic_load(&answers[i]), 1);
    process_state_await(before);
}
END_TEST

START_TEST(test_consumer_of_brokers_that_fell_silent)
{
    mqc_error error;
    if (!contract_embedded()) return;
    const char *topic = contract_topic(4);
    struct process_state before = process_state_now();
    struct collector *collector = collector_new();
    mqc_client_options client = patient_client();
    mqc_push_consumer_options options = {.client = &client,
                                         .group = contract_name("group"),
                                         .listener = collector_listen,
                                         .listener_arg = collector_seat(collector, 0),
                                         .from = MQC_FROM_FIRST};
    mqc_producer *producer = contract_producer(NULL);
    contract_send(producer, topic, "body");
    mqc_producer_free(producer);
    mqc_push_consumer *consumer = contract_consumer(&options, topic, "*");
    collector_await(collector, 1);
    add_fault(MQC_FAULT_LOSE, 0); /* offsets and farewells, too */
    mqc_push_consumer_shutdown(consumer, 100, &error);
    mqc_push_consumer_free(consumer);
    collector_free(collector);
    process_state_await(before);
}
END_TEST

/* ---- connections that never come about ---- */

/* A port that takes connections and then says nothing; or, when it is full, takes none either. */
struct hole {
    int fd, filler;
    char address[32];
};

static struct hole open_hole(bool full)
{
    struct hole hole = {.filler = -1};
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof local;
    hole.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(hole.fd, (struct sockaddr *)&local, size), 0);
    ck_assert_int_eq(listen(hole.fd, 0), 0);
    ck_assert_int_eq(getsockname(hole.fd, (struct sockaddr *)&local, &size), 0);
    snprintf(hole.address, sizeof hole.address, "127.0.0.1:%d", ntohs(local.sin_port));
    if (full) { /* there is room for one */
        hole.filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(connect(hole.filler, (struct sockaddr *)&local, size), 0);
    }
    return hole;
}

static void close_hole(struct hole *hole)
{
    close(hole->fd);
    if (hole->filler >= 0) close(hole->filler);
}

/* Whether the kernel has a socket in this state, of /proc/net/tcp, towards the hole. */
static bool has_socket(const struct hole *hole, unsigned wanted)
{
    char line[512];
    unsigned port, to, state, found = 0;
    FILE *file = fopen("/proc/net/tcp", "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(sscanf(hole->address, "127.0.0.1:%u", &port), 1);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, " %*d: %*x:%*x %*x:%x %x", &to, &state) == 2 && to == port &&
            state == wanted)
            found++;
    fclose(file);
    return found > 0;
}

static bool is_connecting(void *hole)
{
    return has_socket(hole, 2); /* SYN_SENT */
}

static bool is_connected(void *hole)
{
    return has_socket(hole, 1); /* ESTABLISHED: what comes next, is the handshake */
}

static void *send_one(void *producer)
{
    mqc_error error;
    mqc_message *message = new_message("topic");
    mqc_send_options options = {.timeout_ms = 1500};
    mqc_status status = mqc_producer_send(producer, message, &options, NULL, &error);
    mqc_message_free(message);
    return status == MQC_OK ? NULL : producer;
}

/* A call that waits has its own timeout: until it is over, a shutdown says that it has not
 * returned, but does not wait for it. */
static void shut_down_amid(struct hole *hole, bool tls, contract_condition *amid)
{
    mqc_error error;
    pthread_t thread;
    void *failed;
    struct process_state before = process_state_now();
    mqc_client_options client = patient_client();
    client.name_servers = hole->address;
    client.tls = (mqc_tls_options){.enabled = tls};
    mqc_producer *producer = patient_producer(&client);
    ck_assert_int_eq(pthread_create(&thread, NULL, send_one, producer), 0);
    contract_await("the client's attempt", amid, hole);
    mqc_status status = mqc_producer_shutdown(producer, 100, &error);
    if (status != MQC_OK) {
        ck_assert_int_eq(status, MQC_TIMEOUT);
        ck_assert_ptr_nonnull(strstr(error.text, "1 calls"));
    }
    pthread_join(thread, &failed);
    ck_assert_ptr_nonnull(failed);
    ck_ok(mqc_producer_shutdown(producer, 100, &error));
    ck_ok(mqc_producer_shutdown(producer, 100, &error)); /* again: nothing to do */
    mqc_producer_free(producer);
    process_state_await(before);
}

START_TEST(test_shutdown_while_connecting)
{
    struct hole hole = open_hole(true);
    shut_down_amid(&hole, false, is_connecting);
    close_hole(&hole);
}
END_TEST

START_TEST(test_shutdown_amid_a_handshake)
{
    struct hole hole = open_hole(false);
    shut_down_amid(&hole, true, is_connected);
    close_hole(&hole);
}
END_TEST

/* ---- while another thread starts ---- */

static void *start_consumer(void *arg)
{
    return mqc_push_consumer_start(arg, NULL) == MQC_OK ? arg : NULL;
}

static mqc_consume_status take(mqc_delivery *delivery, void *arg)
{
    (void)delivery, (void)arg;
    return MQC_CONSUME_SUCCESS;
}

START_TEST(test_shutdown_amid_a_start)
{
    mqc_error error;
    pthread_t thread;
    struct hole hole = open_hole(false);
    struct process_state before = process_state_now();
    mqc_client_options client = {.name_servers = hole.address, .request_timeout_ms = 1500};
    mqc_push_consumer_options options = {
        .client = &client, .group = contract_name("group"), .listener = take};
    mqc_push_consumer *consumer = mqc_push_consumer_new(&options, &error);
    ck_assert_ptr_nonnull(consumer);
    ck_ok(mqc_push_consumer_subscribe(consumer, "topic", "*", &error));
    ck_assert_int_eq(pthread_create(&thread, NULL, start_consumer, consumer), 0);
    contract_await("the start", is_connected, &hole);
    mqc_status status = mqc_push_consumer_shutdown(consumer, 0, &error);
    if (status != MQC_OK) {
        ck_assert_int_eq(status, MQC_TIMEOUT);
        ck_assert_msg(strstr(error.text, "another thread still starts") ||
                          strstr(error.text, "a request is still under way"),
                      "%s", error.text);
    }
    pthread_join(thread, NULL);
    mqc_push_consumer_free(consumer);
    close_hole(&hole);
    process_state_await(before);
}
END_TEST

CONTRACT_MAIN("endings", test_ten_thousand_in_flight, test_consumer_of_brokers_that_fell_silent,
              test_shutdown_while_connecting, test_shutdown_amid_a_handshake,
              test_shutdown_amid_a_start)
